"""What the market, its data and a halt of ours did to one issue, a line each."""

from collections.abc import Iterable

from messages import (
    DataLost,
    DataRestored,
    FeedLost,
    FeedRestored,
    HaltTrading,
    InstrumentHalted,
    LinkLost,
    LinkRestored,
    Lost,
    MailboxOverflowed,
    MailboxRecovered,
    Message,
    ResumeTrading,
    Symbol,
    Venue,
    ViReleased,
    ViTriggered,
)


def market_event(message: Message, symbol: Symbol) -> str:
    """Blank where it says nothing of that issue, or of all issues."""
    match message:
        case ViTriggered() | ViReleased() | InstrumentHalted():
            return _suspension(message) if message.symbol == symbol else ""
        case DataLost() | DataRestored():
            return _losses(message, symbol)
        case MailboxOverflowed() | MailboxRecovered():
            return _overflow(message, symbol)
        case _:
            return _of_all(message)


def rows_of(rows: Iterable[Lost], symbol: Symbol) -> list[Lost]:
    """The rows about an issue, a venue each."""
    return [row for row in rows if row.symbol == symbol]


def at_venue(venue: Venue) -> str:
    """Nothing for the KRX."""
    return "" if venue is Venue.KRX else f" at {venue.value}"


def _suspension(message: ViTriggered | ViReleased | InstrumentHalted) -> str:
    where = at_venue(message.venue)
    match message:
        case ViTriggered():
            against = [f"{price:,}" for price in (message.static_reference, message.dynamic_reference) if price]
            reached = f"{message.trigger_price:,} against {' and '.join(against)}" if against else ""
            return f"interrupted {message.kind.value}, number {message.count} of the day{where}: {reached}"
        case ViReleased():
            return f"released    the volatility interruption is over{where}"
        case InstrumentHalted():
            if not message.halted:
                return f"resumed     the issue trades again{where}"
            return f"halted      trading of the issue{where}: {message.reason}"


def _losses(message: DataLost | DataRestored, symbol: Symbol) -> str:
    found = ", ".join(f"{row.shares:,} shares{at_venue(row.venue)}" for row in rows_of(message.rows, symbol))
    if not found:
        return ""
    if isinstance(message, DataLost):
        return f"data lost   {found} in prints that never came"
    return f"data whole  again, after {found}"


def _overflow(message: MailboxOverflowed | MailboxRecovered, symbol: Symbol) -> str:
    if isinstance(message, MailboxOverflowed):
        return f"gap         {message.actor} misses prints" if message.subject == symbol else ""
    return f"gap         {message.actor} sees all again" if symbol in message.subjects else ""


def _of_all(message: Message) -> str:
    match message:
        case HaltTrading():
            return f"halt        wanted by {message.by}: {message.reason}"
        case ResumeTrading():
            return f"resume      by {message.by}"
        case FeedLost():
            return f"feed lost   {message.feed}: {message.reason}"
        case FeedRestored():
            return f"feed back   {message.feed}"
        case LinkLost():
            return f"link lost   {message.gateway}: {message.reason}"
        case LinkRestored():
            return f"link back   {message.gateway}"
        case _:
            return ""
