"""The reporter says at the end how the run went: summary.json, report.html and a few lines for the terminal."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Final

import msgspec

from actors.account.ledger import Booked, Ledger
from actors.account.recovery import History, replay
from actors.analysis.charts import Mark, Story
from actors.analysis.closing import closing
from actors.analysis.lots import Lot, Lots
from actors.analysis.page import page
from actors.analysis.performance import Fill, Point, RoundTrip, curve, round_trips, trades
from actors.analysis.series import Series
from actors.analysis.tally import Tally
from actors.market.venues import HOME
from messages import (
    ActorFailed,
    ApprovedOrder,
    ApprovedReplace,
    Bar,
    CancelOrder,
    CashAdjusted,
    DayMatched,
    FeedEnded,
    Instrument,
    MailboxOverflowed,
    Message,
    Nanoseconds,
    OrderEvent,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    Position,
    PositionAdjusted,
    Reconciled,
    ReplaceIntent,
    RunStarted,
    RunStopping,
    Shares,
    Side,
    Symbol,
    Tick,
    Won,
)
from runtime.actor import Actor, handles, latest
from runtime.clock import SECOND, kst, text
from runtime.envelope import Envelope
from runtime.life.vitals import Vitals, peak_memory_mb
from runtime.logs import clean_object
from runtime.settings.bounds import ActorName, Rate

SAMPLE_SECONDS: Final = 60
_PATH_SECONDS: Final = 60
"""Shorter bars are not drawn."""
_AT_START: Final = "held at the start"

_Judged = OrderIntent | ReplaceIntent | OrderRefused | CancelOrder


class _Sample(Message):
    journalled: ClassVar = False


class Reporter(Actor):
    """Writes into the run's folder when it stops; name it first among the actors, so that it stops last.

    `receiver` is the name of the actor whose counts of ticks, books and bars the summary tells.
    """

    def __init__(
        self, vitals: Vitals, journal: History, *, commission: Rate = 0.00015, receiver: ActorName = "receiver"
    ) -> None:
        self._vitals = vitals
        self._journal = journal
        self._receiver = receiver
        self._ledger = Ledger(commission=commission)
        self._tally = Tally()
        self._started: RunStarted | None = None
        self._stopping: RunStopping | None = None
        self._points = Series(Point._make, len(Point._fields))
        self._paths: defaultdict[Symbol, Series[Mark]] = defaultdict(partial(Series, Mark._make, len(Mark._fields)))
        self._fills: list[Fill] = []
        self._lots = Lots()
        self._reasons: dict[int, str] = {}
        self._names: dict[str, str] = {}
        self._opening: int | None = None
        self._laid_in = 0
        self._traded = 0
        """When the newest print came."""
        self._matches: dict[dt.date, DayMatched] = {}
        """The newest of each Korean day."""
        self._realised = self._commission = self._tax = 0
        self._out_of_order = self._rejected = self._gaps = 0
        self._failures: dict[str, tuple[int, ActorFailed]] = {}
        """How often an actor failed, and how it did last."""

    async def on_start(self) -> None:
        await replay(self._journal, self._ledger)
        self._square(_AT_START)
        self.every(SAMPLE_SECONDS, _Sample())

    def on_stop(self) -> None:
        self._sample(always=True)
        story = self._story()
        summary = clean_object(self._summary(story))
        self._vitals.summary = summary
        self._vitals.closing = closing(summary)
        try:
            folder = self._vitals.run_folder
            (folder / "summary.json").write_bytes(msgspec.json.format(msgspec.json.encode(summary)))
            (folder / "report.html").write_text(page(summary, story), encoding="utf-8")
        except OSError as error:
            self.desk.log.error("the report is not whole", reason=str(error))

    @handles
    def on_run_started(self, message: RunStarted) -> None:
        self._started = message

    @handles
    def on_run_stopping(self, message: RunStopping) -> None:
        self._stopping = message

    @handles
    def on_feed_ended(self, message: FeedEnded) -> None:
        self._out_of_order += message.out_of_order
        self._rejected += message.rejected

    @handles
    def on_day_matched(self, message: DayMatched) -> None:
        self._matches[kst(message.time).date()] = message

    @handles
    def on_gap(self, _: MailboxOverflowed) -> None:
        self._gaps += 1

    @handles
    def on_failure(self, message: ActorFailed) -> None:
        times, _ = self._failures.get(message.actor, (0, message))
        self._failures[message.actor] = times + 1, message

    @handles
    def on_sample(self, _: _Sample) -> None:
        self._sample()

    @latest
    def on_tick(self, tick: Tick) -> None:
        if tick.venue is not HOME:
            return
        self._traded = tick.received
        self._ledger.mark(tick.symbol, tick.price)

    @handles
    def on_bar(self, bar: Bar) -> None:
        if bar.interval < _PATH_SECONDS or bar.venue is not HOME:
            return
        path, end = self._paths[bar.symbol], bar.time + bar.interval * SECOND
        if not path:
            path.append(bar.time, bar.open)
        if end > path[-1].time:
            path.append(end, bar.close)

    @handles
    def on_judged(self, message: _Judged) -> None:
        envelope = self._envelope()
        self._tally.take(message, envelope)
        if isinstance(message, OrderIntent):
            self._reasons[envelope.number] = message.reason

    @handles
    def on_booked(self, message: Booked) -> None:
        envelope = self._envelope()
        if isinstance(message, OrderFilled):
            self._book(message, envelope.number)
        else:
            self._ledger.fold(message, envelope.number)
        match message:
            case Instrument():
                self._names[message.symbol] = message.name
            case PositionAdjusted():
                self._square(message.reason, proceeds=message.cash)
            case CashAdjusted(costs=False) if self._opening is not None:
                self._laid_in += message.cash
            case Reconciled():
                self._square(_AT_START)
                self._begin()
            case ApprovedOrder() | ApprovedReplace() | OrderEvent():
                self._tally.take(message, envelope)
            case _:
                pass

    def _envelope(self) -> Envelope:
        envelope = self.desk.envelope
        assert envelope is not None
        return envelope

    def _square(self, reason: str, *, proceeds: int = 0) -> None:
        held = ((symbol, owner, Lot(own.quantity, own.cost)) for symbol, owner, own in self._ledger.each())
        now = Nanoseconds(self.desk.clock.now())
        self._fills += self._lots.square(held, now, reason, proceeds=proceeds)

    def _begin(self) -> None:
        """With the first match; what filled while nothing ran was told before it, and belongs to this run."""
        if self._opening is not None:
            return
        equity = self._ledger.equity
        self._opening = equity - sum(self._gain(fill) for fill in self._fills if fill.order)
        self._points.append(self.desk.clock.now(), self._opening, equity - self._ledger.cash, 0)
        self._sample()

    def _gain(self, fill: Fill) -> int:
        """What a fill did to the equity, at the newest price."""
        worth = fill.quantity * self._ledger.prices.get(fill.symbol, 0) or fill.amount
        gain = worth - fill.amount if fill.side is Side.BUY else fill.amount - worth
        return gain - fill.commission - fill.tax

    def _book(self, fill: OrderFilled, number: int) -> None:
        ledger = self._ledger
        before = self._figures(fill.order)
        ledger.fold(fill, number)
        realised, commission, tax, quantity, amount = (
            after - was for after, was in zip(self._figures(fill.order), before, strict=True)
        )
        self._realised += realised
        self._commission += commission
        self._tax += tax
        if not (quantity or commission or tax):
            return
        owner = ledger.orders[fill.order].strategy
        own = ledger.lots(owner, fill.symbol)
        self._lots.note(fill.symbol, owner, Lot(own.quantity, own.cost))
        self._fills.append(
            Fill(
                order=fill.order,
                strategy=owner,
                symbol=fill.symbol,
                side=fill.side,
                time=fill.time,
                quantity=Shares(quantity),
                amount=Won(amount),
                commission=Won(commission),
                tax=Won(tax),
                reason=self._reasons.get(fill.order, ""),
            )
        )
        self._sample()

    def _figures(self, order: int) -> tuple[int, ...]:
        ledger, known = self._ledger, self._ledger.orders.get(order)
        traded = (known.filled, known.amount) if known else (0, 0)
        return ledger.realised, ledger.commission, ledger.tax, *traded

    def _sample(self, *, always: bool = False) -> None:
        if self._opening is None and not always:
            return
        equity = self._ledger.equity
        figures = equity, equity - self._ledger.cash, self._laid_in
        if always or figures != self._points[-1][1:] or self._is_another_day():
            self._points.append(self.desk.clock.now(), *figures)

    def _is_another_day(self) -> bool:
        """A day of trading without a change is one of the series too; a night or a holiday is none."""
        return kst(self._traded).date() > kst(self._points[-1].time).date()

    def _story(self) -> Story:
        trips = round_trips(self._fills)
        for trip in trips:
            trip.last = self._ledger.prices.get(trip.symbol, 0) or round(trip.paid / max(trip.bought, 1))
        return Story(
            points=self._points,
            paths=self._paths,
            fills=[fill for fill in self._fills if fill.order],
            trips=trips,
            refusals=self._tally.examples,
            names=self._names,
        )

    def _summary(self, story: Story) -> dict[str, Any]:
        ledger, opening = self._ledger, self._opening or 0
        result = ledger.equity - opening - self._laid_in if self._opening is not None else 0
        return {
            **self._run(),
            **self._market(),
            **self._tally.figures(),
            "positions": [self._position(position) for position in ledger.positions()],
            "cash": ledger.cash,
            "equity": ledger.equity,
            "opening_equity": opening,
            "laid_in": self._laid_in,
            "realised": self._realised,
            "unrealised": ledger.unrealised,
            "fees": self._commission,
            "tax": self._tax,
            "result_won": result,
            "result_percent": round(100 * result / opening, 4) if opening else 0.0,
            "match": self._match(),
            "performance": self._performance(story),
            "strategies": _by_strategy(story.trips),
            "latency": self._tally.latency(self._vitals.time_kind),
            **self._machine(),
        }

    def _run(self) -> dict[str, Any]:
        started, stopping, vitals = self._started, self._stopping, self._vitals
        return {
            "run": vitals.run,
            "config": str(vitals.config),
            "config_digest": vitals.digest,
            "version": started.version if started else "",
            "seed": vitals.seed,
            "time": vitals.time_kind,
            "started": text(started.time if started else self._points[0].time)[:19],
            "ended": text(self.desk.clock.now())[:19],
            "stopped": vitals.stopping or "stopped",
            "exit_code": stopping.code if stopping else 0,
            "complete": started is not None,
        }

    def _market(self) -> dict[str, Any]:
        counts = self._vitals.extras.get(self._receiver, dict)()
        return {
            **{name: counts.get(name) for name in ("ticks", "books", "bars")},
            "out_of_order": self._out_of_order or counts.get("out_of_order", 0),
            "rejected_records": self._rejected,
            "gaps": self._gaps,
            "failures": [
                {"actor": actor, "times": times, "handler": last.handler, "error": last.error, "off": last.off}
                for actor, (times, last) in self._failures.items()
            ],
        }

    def _position(self, position: Position) -> dict[str, Any]:
        return {
            "symbol": position.symbol,
            "name": self._names.get(position.symbol, ""),
            "quantity": position.quantity,
            "cost": position.cost,
            "last": position.last,
            "profit": position.quantity * position.last - position.cost if position.last else 0,
        }

    def _match(self) -> dict[str, Any]:
        days = self._matches.values()
        return {
            "days": len(days),
            "orders": sum(day.orders for day in days),
            "differences": [line for day in days for line in day.differences],
            "unexplained": sum(day.unexplained for day in days),
        }

    def _performance(self, story: Story) -> dict[str, Any]:
        measures = curve(story.points)
        traded = sum(fill.amount for fill in story.fills)
        turnover = traded / measures.start if measures.start else None
        return trades(story.trips)._asdict() | measures._asdict() | {"turnover": turnover}

    def _machine(self) -> dict[str, Any]:
        vitals = self._vitals
        number, head = vitals.journal_head()
        return {
            "mailboxes": msgspec.to_builtins(vitals.mailboxes()),
            "parts": {name: figures() for name, figures in vitals.extras.items()},
            "wall_s": round(vitals.wall_s, 3),
            "cpu_s": round(vitals.cpu_s, 3),
            "memory_mb": round(peak_memory_mb(), 1),
            "longest_block_ms": round(vitals.lag.longest_ms, 1) if vitals.lag else 0.0,
            "journal_number": number,
            "journal_head": head,
            "report": str(vitals.run_folder / "report.html"),
        }


def _by_strategy(trips: Sequence[RoundTrip]) -> dict[str, Any]:
    grouped: defaultdict[str, list[RoundTrip]] = defaultdict(list)
    for trip in trips:
        grouped[trip.strategy].append(trip)
    return {
        name: {"profit": sum(trip.profit for trip in own), **trades(own)._asdict()}
        for name, own in sorted(grouped.items())
    }
