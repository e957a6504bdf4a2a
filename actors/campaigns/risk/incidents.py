"""What the broker says of orders, and which states the market and the system get into, drawn from a seed."""

from collections.abc import Callable
from random import Random
from typing import Any

from actors.campaigns.risk.bench import Bench
from actors.campaigns.risk.naive import Known, Naive, Trade
from messages import (
    CancelOrder,
    FeedLost,
    FeedRestored,
    HaltTrading,
    InstrumentHalted,
    LinkLost,
    LinkRestored,
    MailboxOverflowed,
    MailboxRecovered,
    Message,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    ReplaceRejected,
    ResumeTrading,
    Session,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    ViKind,
    ViReleased,
    ViTriggered,
    Won,
)


class Incidents:
    """Tells the bench and the second opinion the same."""

    def __init__(self, rng: Random, bench: Bench, naive: Naive) -> None:
        self._rng = rng
        self._bench = bench
        self._naive = naive
        self._numbers = 0

    def of_order(self) -> None:
        """One order of ours gets a step further."""
        rng = self._rng
        waiting = [order for order in self._naive.orders if order.open]
        if not waiting:
            return
        order = rng.choice(waiting)
        if rng.random() < 0.1:
            self._ask_cancel(order)
        elif order.change:
            self._answer_change(order)
        elif not order.accepted:
            self._answer(order, rng.random())
        elif rng.random() < 0.8:
            self._fill(order)
        else:
            order.dead, left = True, order.open
            self._bench.tell(OrderCanceled(**_about(order), broker_order=str(order.number), canceled=Shares(left)))

    def of_state(self, code: Symbol) -> None:
        """Something stops."""
        stops = (self._halt, self._session, self._interrupt, self._suspend, self._miss, self._disconnect)
        self._rng.choice(stops)(code, Nanoseconds(self._bench.now), begins=True)

    def go_on(self) -> None:
        """What stopped does not stand still for long; a person resumes at times, halted or not."""
        naive, now = self._naive, Nanoseconds(self._bench.now)
        stopped: list[tuple[Callable[..., None], str]] = []
        stopped += [(self._interrupt, code) for code in sorted(naive.interrupted)]
        stopped += [(self._suspend, code) for code in sorted(naive.suspended)]
        stopped += [(self._miss, code) for code in sorted(naive.gaps)]
        stopped += [(self._disconnect, name) for name in sorted(naive.down)]
        if naive.session is not Session.CONTINUOUS:
            stopped.append((self._session, ""))
        if naive.halted or naive.disabled:
            stopped.append((self._halt, ""))
        for step, code in stopped:
            if self._rng.random() < 0.25:
                step(Symbol(code), now, begins=False)

    def _answer(self, order: Known, lot: float) -> None:
        about = _about(order)
        if lot < 0.7:
            order.accepted = True
            self._bench.tell(OrderAccepted(**about, broker_order=str(order.number)))
        elif lot < 0.85 or order.unknown:
            order.dead = True
            self._bench.tell(OrderRejected(**about, reason="drawn"))
        else:
            order.unknown = True
            self._bench.tell(OrderUnknown(**about, reason="drawn"))

    def _answer_change(self, order: Known) -> None:
        about = _about(order)
        if self._rng.random() < 0.3:
            self._bench.tell(ReplaceRejected(**about, reason="drawn"))
        else:
            self._numbers += 1
            order.quantity, order.price = order.filled + order.left, order.change
            number = f"changed {self._numbers}"
            quantity, price = Shares(order.left), Won(order.price)
            about |= {"broker_order": number, "original": str(order.number)}
            self._bench.tell(OrderReplaced(**about, quantity=quantity, price=price))
        order.change = order.left = 0

    def _fill(self, order: Known) -> None:
        naive, shares = self._naive, self._rng.randint(1, order.open)
        price = order.price or naive.prices.get(order.symbol, 1_000)
        amount = price * shares
        commission, tax = naive.cost(amount) - amount, amount * 15 // 10_000 if order.side is Side.SELL else 0
        order.filled, order.amount = order.filled + shares, order.amount + amount
        order.commission, order.tax = order.commission + commission, order.tax + tax
        sign = 1 if order.side is Side.BUY else -1
        naive.trades.append(Trade(order.symbol, order.strategy, sign * shares, sign * amount, commission + tax))
        naive.cash -= sign * amount + commission + tax
        naive.peak()
        self._bench.tell(
            OrderFilled(
                **_about(order),
                broker_order=str(order.number),
                side=order.side,
                price=Won(price),
                quantity=Shares(shares),
                filled=Shares(order.filled),
                amount=Won(order.amount),
                open=Shares(order.open),
                commission=Won(order.commission),
                tax=Won(order.tax),
            )
        )

    def _ask_cancel(self, order: Known) -> None:
        self._naive.sent.append(self._bench.now)
        cancel = CancelOrder(order=order.number, symbol=Symbol(order.symbol), strategy=order.strategy, reason="drawn")
        self._bench.tell(cancel)

    def _halt(self, _code: Symbol, _now: Nanoseconds, *, begins: bool) -> None:
        naive = self._naive
        naive.halted = begins
        if not begins:
            naive.disabled, naive.enabled_at = set(), len(naive.orders)
        self._bench.tell(HaltTrading(reason="drawn", by="drawn") if begins else ResumeTrading(by="drawn"))

    def _session(self, _code: Symbol, now: Nanoseconds, *, begins: bool) -> None:
        other = self._rng.choice((Session.CLOSING_AUCTION, Session.CLOSED_FOR_DAY))
        self._naive.session = other if begins else Session.CONTINUOUS
        self._bench.tell(SessionChanged(session=self._naive.session, time=now))

    def _interrupt(self, code: Symbol, now: Nanoseconds, *, begins: bool) -> None:
        naive = self._naive
        if begins:
            naive.interrupted.add(code)
            prices: dict[str, Any] = dict.fromkeys(("trigger_price", "static_reference", "dynamic_reference"), 0)
            self._bench.tell(ViTriggered(symbol=code, time=now, kind=ViKind.STATIC, **prices, upward=True, count=1))
            return
        naive.interrupted.discard(code)
        if code in naive.seen:
            naive.seen[code].reference = 0
        self._bench.tell(ViReleased(symbol=code, time=now))

    def _suspend(self, code: Symbol, now: Nanoseconds, *, begins: bool) -> None:
        (self._naive.suspended.add if begins else self._naive.suspended.discard)(code)
        (self._naive.resumed.discard if begins else self._naive.resumed.add)(code)
        self._bench.tell(InstrumentHalted(symbol=code, time=now, halted=begins))

    def _miss(self, code: Symbol, _now: Nanoseconds, *, begins: bool) -> None:
        (self._naive.gaps.add if begins else self._naive.gaps.discard)(code)
        actor = "strategy"
        missed = MailboxOverflowed(actor=actor, subject=code, refused=1)
        self._bench.tell(missed if begins else MailboxRecovered(actor=actor, subjects=(code,)))

    def _disconnect(self, which: Symbol, now: Nanoseconds, *, begins: bool) -> None:
        down = self._naive.down
        name = self._rng.choice(("link", "feed")) if begins else which
        (down.add if begins else down.discard)(name)
        said: Message
        if name == "link":
            said = LinkLost(gateway=name, time=now, reason="drawn") if begins else LinkRestored(gateway=name, time=now)
        else:
            said = FeedLost(feed=name, time=now, reason="drawn") if begins else FeedRestored(feed=name, time=now)
        self._bench.tell(said)


def _about(order: Known) -> dict[str, Any]:
    return {
        "order": order.number,
        "symbol": Symbol(order.symbol),
        "strategy": order.strategy,
        "time": Nanoseconds(order.time),
    }
