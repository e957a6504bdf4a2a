"""Squares the ledger with the broker: at the start, every minute, on suspicion."""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

from actors.account.ledger import Ledger
from actors.account.order import Order, Phase
from actors.gateways.port import Broker, BrokerOrder, BrokerState, Remembering
from actors.market.time import at, kst
from actors.market.venues import spell
from actors.ordering.findings import Finding, Match, alone, confirmed, lasting, recurring
from actors.ordering.reconciliation import compare, filled_earlier, positions, stranger
from actors.ordering.requests import event
from actors.ordering.statement import may_have_filled
from messages import (
    CancelRejected,
    HaltTrading,
    Message,
    Nanoseconds,
    OrderAccepted,
    OrderExpired,
    OrderRejected,
    OrderUnknown,
    Reconciled,
    ReplaceRejected,
    Shares,
    Won,
)
from runtime.actor import Log
from runtime.clock import Clock
from runtime.disk import faultpoints

SECOND_LOOK: Final = 5.0
"""Seconds between two snapshots that must agree before what is missing counts as gone."""
_BREATH: Final = 5.0
"""Seconds between two looks at the broker, however suspicious it all is."""
PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each next attempt to ask for the account, or for an earlier day, at the start."""

_ended = faultpoints.point("recovery: an order of before the crash is ended or unknown")
_asked = faultpoints.point("reconciler: first snapshot read")
_asked_again = faultpoints.point("reconciler: second snapshot read")
_booked = faultpoints.point("reconciler: a difference is booked, the next is not")
_told = faultpoints.point("reconciler: the outcome is said")


class Reconciler:
    """Asks the broker, books what is certain through `say`, and says how it went.

    `breaks` counts how often the order link was lost: what two looks miss counts only where none lies between.
    """

    def __init__(
        self,
        broker: Broker,
        ledger: Ledger,
        clock: Clock,
        log: Log,
        say: Callable[[Message], object],
        *,
        breaks: Callable[[], int],
    ) -> None:
        self._broker = broker
        self._ledger = ledger
        self._clock = clock
        self._log = log
        self._say = say
        self._breaks = breaks
        self._one_at_a_time = asyncio.Lock()
        self._seen: dict[str, None] = {}
        self._before: tuple[Finding, ...] = ()
        """What the match before found."""
        self._alone: dict[str, Finding] = {}
        """Cash that a look of it lacked while nothing of ours was at work, and that was not booked."""
        self.newest: BrokerState | None = None
        """The account as the broker told it last."""

    def end_earlier_runs(self) -> None:
        """What was never submitted was never sent, the rest of today's is unknown.

        Of a request about an order that lives no answer will come any more: a cancel may be asked for again at once,
        and what became of a change the broker's lists tell.
        """
        today = kst(self._clock.now()).date()
        for order in self._ledger.live():
            fields = event(order, Nanoseconds(self._clock.now()))
            if order.began and kst(order.began).date() < today:
                continue
            if order.phase is Phase.APPROVED:
                self._say(OrderRejected(**fields, reason="never sent: the system ended before"))
            elif order.phase in (Phase.SUBMITTING, Phase.SENT):
                self._say(OrderUnknown(**fields, reason="the system ended before the answer came"))
            else:
                self._end_requests(order)
            _ended()

    async def end_earlier_days(self) -> None:
        """Day orders of another day are over, once what filled of them while nothing ran is booked.

        So are the shares that one canceled then left unaccounted for: nothing about today would tell of them.
        What a broker that remembers no such day, or does not answer, leaves untold, the match after this one finds.
        """
        today = kst(self._clock.now()).date()
        began = (order for order in self._ledger.orders.values() if order.began)
        earlier = [order for order in began if kst(order.began).date() < today]
        in_doubt = [order for order in earlier if order.submitting and may_have_filled(order)]
        for day in sorted({kst(order.began).date() for order in in_doubt}):
            await self._book_earlier(day)
        for order in [self._ledger.orders[order.number] for order in earlier]:
            if not order.settled:
                fields, expired = event(order, Nanoseconds(self._clock.now())), Shares(order.lapsed + order.bound)
                self._say(OrderExpired(**fields, broker_order=order.broker_order, expired=expired))
                _ended()

    async def _book_earlier(self, day: dt.date) -> None:
        listed = tuple(await self._remembered(day))
        ours = [order for order in self._ledger.orders.values() if kst(order.began).date() == day]
        state = BrokerState(time=at(day), cash=Won(0), orderable=Won(0), positions=(), orders=listed)
        for finding in [*filled_earlier(self._ledger, state, ours)]:
            self._log.warning("filled on an earlier day", day=str(day), what=finding.line)
            for message in finding.messages:
                self._say(message)
                _booked()

    async def _remembered(self, day: dt.date) -> Sequence[BrokerOrder]:
        if not isinstance(self._broker, Remembering):
            return ()
        for pause in PAUSES:
            breaks = self._breaks()
            try:
                orders = await self._broker.orders_of(day)
                if self._breaks() == breaks:
                    return orders
            except (TimeoutError, ConnectionError) as error:
                self._log.warning("the broker does not tell an earlier day", day=str(day), error=str(error))
            await self._clock.sleep(pause)
        self._log.error("what became of the orders of an earlier day is not known", day=str(day))
        return ()

    def _end_requests(self, order: Order) -> None:
        fields = event(order, Nanoseconds(self._clock.now()))
        if order.canceling:
            self._say(CancelRejected(**fields, reason="the system ended before the answer came"))
        if order.changing:
            self._say(OrderUnknown(**fields, reason="the system ended before the answer to its change came"))
        elif order.replacing:
            self._say(ReplaceRejected(**fields, reason="never sent: the system ended before"))

    async def start(self) -> None:
        """The match before which nobody trades. Raises what the broker raises once patience is at its end."""
        state = await self._patiently()
        for pause in PAUSES:
            if not self._doubt(state):
                break
            await self._clock.sleep(pause)
            state = await self._patiently()
        doubt = self._doubt(state)
        if doubt:
            self._say(HaltTrading(reason=f"the account cannot be trusted: {doubt}", by="reconciliation"))
        await self._match(state, start=True)

    async def look(self) -> bool:
        """One match; False where the broker did not answer."""
        async with self._one_at_a_time:
            try:
                await self._match(await self._broker.state(), start=False)
            except (TimeoutError, ConnectionError) as error:
                self._log.warning("not reconciled", error=str(error))
                return False
            return True

    async def run(self, suspicion: asyncio.Event, period: float, linked: Callable[[], bool]) -> None:
        """Look for ever: each `period` seconds, and soon after a suspicion; not while the link is down."""
        looks = 0
        while True:
            timer = self._clock.call_later(self._pause(looks, period), suspicion.set)
            await suspicion.wait()
            timer.cancel()
            suspicion.clear()
            if linked():
                await self.look()
                looks = looks + 1 if self._any_lost() else 0
                await self._clock.sleep(_BREATH)

    def _pause(self, looks: int, period: float) -> float:
        """An order nobody answers for is asked about again soon, and then less and less often."""
        return min(_BREATH * 2.0 ** min(looks - 1, 10), period) if looks else period

    def _any_lost(self) -> bool:
        return any(order.submitting and not order.broker_order for order in self._ledger.live())

    async def _match(self, state: BrokerState, *, start: bool) -> None:
        _asked()
        first = second = Match((), state.orders)
        if self._ledger.day:
            first = second = compare(self._ledger, state, start=start)
            if first.findings:
                state, first, second = await self._look_again(first, start=start)
        findings = self._agreed(first, second)
        self.newest = state
        self._tell_strangers(second.strangers)
        for finding in findings:
            self._log.warning("difference", what=finding.line)
            for message in finding.messages:
                self._teach(message)
                self._say(message)
                _booked()
        self._say(self._reconciled(state, findings, start=start))
        _told()

    async def _look_again(self, first: Match, *, start: bool) -> tuple[BrokerState, Match, Match]:
        breaks = self._breaks()
        await self._clock.sleep(SECOND_LOOK)
        state = await (self._patiently() if start else self._broker.state())
        _asked_again()
        second = compare(self._ledger, state, start=start)
        return state, first if self._breaks() == breaks else Match((), ()), second

    def _agreed(self, first: Match, second: Match) -> tuple[Finding, ...]:
        lacking = alone(first, second)
        found = recurring(lasting(confirmed(first, second), self._before), lacking, self._alone)
        booked = {finding.key for finding in found if finding.messages}
        self._before = found
        self._alone = {key: finding for key, finding in lacking.items() if key not in booked}
        return found

    async def _patiently(self) -> BrokerState:
        for pause in PAUSES:
            try:
                return await self._broker.state()
            except (TimeoutError, ConnectionError) as error:
                self._log.warning("the broker does not tell the account", error=str(error), again_in=pause)
            await self._clock.sleep(pause)
        return await self._broker.state()

    def _teach(self, found: Message) -> None:
        """Before anybody hears of it: a look-alike may be sent at once, and its records must not be taken for these."""
        if isinstance(found, OrderAccepted | OrderRejected):
            self._broker.learn(found.order, found.broker_order if isinstance(found, OrderAccepted) else "")

    def _doubt(self, state: BrokerState) -> str:
        return compare(self._ledger, state).doubt if self._ledger.day else ""

    def _tell_strangers(self, orders: tuple[BrokerOrder, ...]) -> None:
        for order in orders:
            if order.broker_order not in self._seen:
                self._seen[order.broker_order] = None
                self._say(stranger(order))

    def _reconciled(self, state: BrokerState, findings: tuple[Finding, ...], *, start: bool) -> Reconciled:
        return Reconciled(
            time=Nanoseconds(self._clock.now()),
            cash=Won(state.cash),
            positions=positions(state),
            open_orders=sum(order.open > 0 for order in state.orders),
            differences=tuple(finding.line for finding in findings),
            start=start,
            ordered=tuple(dict.fromkeys(spell(order.symbol, order.venue) for order in self._ledger.live())),
        )
