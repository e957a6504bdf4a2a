"""Why nothing was bought: what the system knew and said about one issue around one instant."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from actors.commands.market_events import at_venue, market_event, rows_of
from actors.commands.outcomes import outcomes_of
from actors.commands.told import Account, Told
from actors.commands.wording import Prices, describe, plain
from messages import (
    ActorFailed,
    CashAdjusted,
    DataLost,
    DataRestored,
    DayMatched,
    EquityPeaked,
    ExitDelayed,
    ExternalOrderSeen,
    FeedLost,
    FeedRestored,
    HaltConfirmed,
    HaltTrading,
    InstrumentHalted,
    LinkLost,
    LinkRestored,
    MailboxOverflowed,
    MailboxRecovered,
    Message,
    OrderIntent,
    PositionAdjusted,
    ReconciliationWanted,
    ResumeTrading,
    SessionChanged,
    SettleOrder,
    StrategyDisabled,
    Symbol,
    TradingHalted,
    UniverseChanged,
    Venue,
    ViReleased,
    ViTriggered,
)
from runtime.bus import RUN_BITS
from runtime.clock import SECOND, text
from runtime.envelope import Envelope

_SILENCE: Final = 120 * SECOND
"""Longer than a system that runs says nothing: it is matched with the broker each minute."""
_AROUND = (
    CashAdjusted,
    DayMatched,
    EquityPeaked,
    ExitDelayed,
    ExternalOrderSeen,
    HaltConfirmed,
    PositionAdjusted,
    ReconciliationWanted,
    SettleOrder,
    StrategyDisabled,
)
"""What concerns the whole account, or a single issue by its symbol."""


def silence(told: Told, symbol: Symbol, at: int, window: float, prices: Prices) -> list[str]:
    """What stood in the way of an order at `at`, a line each; intents are told `window` seconds before and after."""
    run = _run_at(told.envelopes, at)
    before = [e for e in told.envelopes if e.number >> RUN_BITS < run or (e.number >> RUN_BITS == run and e.time <= at)]
    today = [envelope for envelope in told.envelopes if envelope.number >> RUN_BITS == run]
    lately = [envelope for envelope in today if envelope.time <= at]
    span = round(window * SECOND)
    return [
        f"{prices.name(symbol)} at {text(at)[:19]}, run {run}",
        *_absence(today, run, at),
        *_mistake(told, symbol, at, prices),
        f"  price       {prices.newest(symbol, at)}",
        *_situation(before, run, symbol),
        *_account(told.account(), before, symbol),
        *_asked(today, symbol, at - span, at + span),
        *_strategies(lately),
        *_around(today, symbol, at - span, at + span),
    ]


def _run_at(told: Sequence[Envelope], at: int) -> int:
    """The newest run that was under way then; otherwise the newest that had begun; before all of them the first."""
    spans: dict[int, tuple[int, int]] = {}
    for envelope in told:
        run = envelope.number >> RUN_BITS
        spans[run] = (spans.get(run, (envelope.time, 0))[0], envelope.time)
    under_way = [run for run, (first, last) in spans.items() if first <= at <= last]
    begun = [run for run, (first, _) in spans.items() if first <= at]
    return max(under_way or begun, default=min(spans, default=0))


def _absence(today: Sequence[Envelope], run: int, at: int) -> Iterator[str]:
    """Nothing is bought while nothing runs."""
    if today and at < today[0].time:
        yield f"  running     no: run {run} began at {text(today[0].time)[:19]}"
    elif today and at > today[-1].time + _SILENCE:
        yield f"  running     no: run {run} said nothing after {text(today[-1].time)[:19]}"


def _mistake(told: Told, symbol: Symbol, at: int, prices: Prices) -> Iterator[str]:
    """A code that was typed wrong has no price and no intent either."""
    named = prices.knows(symbol, at) or any(_names(envelope.message, symbol) for envelope in told.envelopes)
    if not named and not told.names(symbol):
        yield f"  issue       {symbol} is named nowhere in this journal and its store; is the code right?"


def _names(message: Message, symbol: Symbol) -> bool:
    if isinstance(message, UniverseChanged):
        return symbol in message.symbols
    return getattr(message, "symbol", None) == symbol


def _situation(before: Sequence[Envelope], run: int, symbol: Symbol) -> Iterator[str]:
    facts = _Facts(symbol)
    today = text(before[-1].time)[:10] if before else ""
    for envelope in before:
        since = text(envelope.time)[:19].removeprefix(today).lstrip()
        if envelope.number >> RUN_BITS == run:
            facts.take(envelope.message, since)
        elif isinstance(envelope.message, StrategyDisabled | ResumeTrading):
            facts.take(envelope.message, since)  # over days and runs, until a person resumes
    for venue, session in facts.sessions.items():
        yield f"  session     {session[0]}{at_venue(venue)} since {session[1]}"
    if not facts.sessions:
        yield "  session     not known"
    for universe, place in facts.universes.items():
        yield f"  universe    {universe}: {place}"
    if not facts.universes:
        yield "  universe    none was published"
    yield from (f"  in the way  {what}" for what in facts.obstacles.values())
    if not facts.obstacles:
        yield "  in the way  no halt, no interruption, no lost link or feed, no gap"


class _Facts:
    """What was in force."""

    def __init__(self, symbol: Symbol) -> None:
        self.sessions: dict[Venue, tuple[str, str]] = {}
        self.universes: dict[str, str] = {}
        self.obstacles: dict[tuple[object, ...], str] = {}
        self._lost: dict[object, tuple[int, str]] = {}
        self._symbol = symbol

    def take(self, message: Message, since: str) -> None:
        match message:
            case SessionChanged(remaining=0):
                self.sessions[message.venue] = message.session.value, since
            case UniverseChanged():
                self.universes[message.universe] = f"{self._place(message)} since {since}"
            case InstrumentHalted() | ViTriggered() | ViReleased():
                self._suspend(message, since)
            case DataLost() | DataRestored():
                self._count_losses(message, since)
            case MailboxOverflowed(subject=subject) if subject == self._symbol:
                self.obstacles["gap", message.actor] = f"{message.actor} misses prints since {since}"
            case MailboxRecovered():
                self.obstacles.pop(("gap", message.actor), None)
            case _:
                self._system(message, since)

    def _place(self, universe: UniverseChanged) -> str:
        symbols = universe.symbols
        if self._symbol not in symbols:
            return f"not among its {len(symbols)} codes"
        return f"place {symbols.index(self._symbol) + 1} of {len(symbols)}"

    def _suspend(self, message: InstrumentHalted | ViTriggered | ViReleased, since: str) -> None:
        if message.symbol != self._symbol:
            return
        venue, where = message.venue, at_venue(message.venue)
        match message:
            case InstrumentHalted():
                halted = f"trading of the issue halted{where} since {since}: {message.reason}"
                self._set(("halted", venue), halted, message.halted)
            case ViTriggered():
                self._set(("vi", venue), f"a {message.kind.value} volatility interruption{where} since {since}", True)
            case ViReleased():
                self._set(("vi", venue), "", False)

    def _count_losses(self, message: DataLost | DataRestored, since: str) -> None:
        for row in rows_of(message.rows, self._symbol):
            key = "lost", row.venue
            if isinstance(message, DataRestored):
                self.obstacles.pop(key, None)
                self._lost.pop(key, None)
                continue
            before, first = self._lost.get(key, (0, since))
            shares = before + row.shares
            self._lost[key] = shares, first
            self.obstacles[key] = f"{shares:,} shares in prints that never came{at_venue(row.venue)} since {first}"

    def _system(self, message: Message, since: str) -> None:
        match message:
            case TradingHalted() | HaltTrading():
                self._set(("halt",), f"trading halted since {since}: {message.reason}", True)
            case ResumeTrading():
                self._set(("halt",), "", False)
                self._enable()
            case StrategyDisabled():
                what = f"{message.strategy} may not enter since {since}: it repeated itself in {message.symbol}"
                self._set(("disabled", message.strategy), f"{what}; `resume` lets it", True)
            case LinkLost():
                self._set(("link", message.gateway), f"order link {message.gateway} lost since {since}", True)
            case LinkRestored():
                self._set(("link", message.gateway), "", False)
            case FeedLost():
                self._set(("feed", message.feed), f"feed {message.feed} lost since {since}", True)
            case FeedRestored():
                self._set(("feed", message.feed), "", False)
            case ActorFailed(off=True):
                self._set(("actor", message.actor), f"{message.actor} is off since {since}: {message.error}", True)
            case _:
                pass

    def _enable(self) -> None:
        for key in [key for key in self.obstacles if key[0] == "disabled"]:
            del self.obstacles[key]

    def _set(self, key: tuple[object, ...], what: str, in_force: bool) -> None:
        if in_force:
            self.obstacles[key] = what
        else:
            self.obstacles.pop(key, None)


def _account(account: Account, before: Sequence[Envelope], symbol: Symbol) -> Iterator[str]:
    if not before:
        yield "  account     not known"
        return
    for envelope in before:
        account.take(envelope)
    ledger = account.ledger
    own = ledger.holdings.get(symbol, {}).values()
    yield f"  position    {ledger.held(symbol):,} shares for {sum(holding.cost for holding in own):,} won"
    for order in ledger.live(symbol):
        price = f"{order.price:,}" if order.price else order.kind.value
        yield f"  open order  {order.side.value} {order.open:,} at {price}, {order.phase.value}"
    yield f"  cash        {ledger.cash:,} won, {ledger.reserved:,} of it bound by open orders"


def _asked(today: Sequence[Envelope], symbol: Symbol, since: int, until: int) -> Iterator[str]:
    outcomes = outcomes_of(today)
    intents = [(e, e.message) for e in today if isinstance(e.message, OrderIntent) and e.message.symbol == symbol]
    within = [(envelope, intent) for envelope, intent in intents if since <= envelope.time <= until]
    span = f"between {text(since)[11:19]} and {text(until)[11:19]}"
    if not within:
        yield f"  intents     no strategy asked for anything in this issue {span}"
        yield from _nearest([envelope.time for envelope, _ in intents], since)
    for envelope, intent in within:
        price = f"{intent.price:,}" if intent.price else intent.kind.value
        words = f"{intent.strategy}: {intent.side.value} {plain(intent.quantity)} at {price}: {intent.reason}"
        outcome = outcomes[envelope.number].words if envelope.number in outcomes else "not answered by risk"
        yield f"  intent      {text(envelope.time)[11:]}  {words} > {outcome}"


def _around(today: Iterable[Envelope], symbol: Symbol, since: int, until: int) -> Iterator[str]:
    for envelope in today:
        if since <= envelope.time <= until:
            words = _words(envelope, symbol)
            if words:
                yield f"  around      {text(envelope.time)[11:]}  {words}"


def _words(envelope: Envelope, symbol: Symbol) -> str:
    message = envelope.message
    if isinstance(message, _AROUND):
        return describe(message, envelope.time) if getattr(message, "symbol", symbol) == symbol else ""
    return market_event(message, symbol)


def _nearest(times: Sequence[int], since: int) -> Iterator[str]:
    earlier, later = [time for time in times if time < since], [time for time in times if time >= since]
    if earlier:
        yield f"              the last one before came at {text(earlier[-1])[11:19]}"
    if later:
        yield f"              the next one came at {text(later[0])[11:19]}"
    if not times:
        yield "              nor at any other time of this run"


def _strategies(lately: Iterable[Envelope]) -> Iterator[str]:
    spoken: dict[str, str] = {}
    for envelope in lately:
        intent = envelope.message
        if isinstance(intent, OrderIntent):
            words = f"{intent.side.value} {intent.symbol} at {text(envelope.time)[11:19]}"
            spoken[intent.strategy] = f"last spoke to {words}"
    yield from (f"  strategy    {name} {words}" for name, words in sorted(spoken.items()))
    if not spoken:
        yield "  strategy    none had asked for anything yet in this run"
