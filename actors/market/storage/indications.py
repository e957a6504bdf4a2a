"""Expected prices, best quotes, after-hours books and index values: whole numbers, a kind each, all stored alike."""

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec
import numpy as np

from actors.market.storage.blocks import VENUES, WHEN, Array
from messages import AfterHoursBook, BestQuote, ExpectedPrice, IndexTick, Symbol, Venue

Kind = Literal["expected_prices", "best_quotes", "after_hours_books", "index_ticks"]
Indication = ExpectedPrice | BestQuote | AfterHoursBook | IndexTick


class Layout(NamedTuple):
    """The class of a kind's messages, and which fields a row of it has beside when and where."""

    made: type[Indication]
    figures: tuple[str, ...]


LAYOUTS: Final[dict[Kind, Layout]] = {
    "expected_prices": Layout(ExpectedPrice, ("price", "size")),
    "best_quotes": Layout(BestQuote, ("ask", "bid")),
    "after_hours_books": Layout(AfterHoursBook, ("ask_total", "bid_total")),
    "index_ticks": Layout(IndexTick, ("hundredths", "volume", "value")),
}
KINDS: Final[tuple[Kind, ...]] = tuple(LAYOUTS)
DTYPES: Final[dict[Kind, "np.dtype[np.void]"]] = {
    kind: np.dtype([*WHEN, *((name, "<i8") for name in layout.figures)]) for kind, layout in LAYOUTS.items()
}
SCHEMA: Final = """
    CREATE VIEW expected_prices AS SELECT json_extract(value, '$[0]') AS number,
        json_extract(value, '$[1][0]') AS symbol, json_extract(value, '$[1][2]') AS time,
        json_extract(value, '$[1][3]') AS received, json_extract(value, '$[1][1]') AS venue,
        json_extract(value, '$[1][4]') AS price, json_extract(value, '$[1][5]') AS size
        FROM loose, json_each(loose.rows) WHERE kind = 'expected_prices';
    CREATE VIEW best_quotes AS SELECT json_extract(value, '$[0]') AS number,
        json_extract(value, '$[1][0]') AS symbol, json_extract(value, '$[1][2]') AS time,
        json_extract(value, '$[1][3]') AS received, json_extract(value, '$[1][1]') AS venue,
        json_extract(value, '$[1][4]') AS ask, json_extract(value, '$[1][5]') AS bid
        FROM loose, json_each(loose.rows) WHERE kind = 'best_quotes';
    CREATE VIEW after_hours_books AS SELECT json_extract(value, '$[0]') AS number,
        json_extract(value, '$[1][0]') AS symbol, json_extract(value, '$[1][2]') AS time,
        json_extract(value, '$[1][3]') AS received, json_extract(value, '$[1][1]') AS venue,
        json_extract(value, '$[1][4]') AS ask_total, json_extract(value, '$[1][5]') AS bid_total
        FROM loose, json_each(loose.rows) WHERE kind = 'after_hours_books';
    CREATE VIEW index_ticks AS SELECT json_extract(value, '$[0]') AS number,
        json_extract(value, '$[1][0]') AS symbol, json_extract(value, '$[1][2]') AS time,
        json_extract(value, '$[1][3]') AS received, json_extract(value, '$[1][1]') AS venue,
        json_extract(value, '$[1][4]') AS hundredths, json_extract(value, '$[1][5]') AS volume,
        json_extract(value, '$[1][6]') AS value
        FROM loose, json_each(loose.rows) WHERE kind = 'index_ticks'
    """
_KIND_OF: Final[dict[type[Indication], Kind]] = {layout.made: kind for kind, layout in LAYOUTS.items()}
_PLACES: Final = {venue.value: place for place, venue in enumerate(VENUES)}
_decoders: Final = {
    kind: msgspec.json.Decoder(list[tuple[int, tuple[(str, str, *(int,) * (2 + len(layout.figures)))]]]).decode  # type: ignore[misc]
    for kind, layout in LAYOUTS.items()
}


def kind_of(message: Indication) -> Kind:
    """Which kind its rows are."""
    return _KIND_OF[type(message)]


def fields(message: Indication) -> tuple[Any, ...]:
    """Code, venue, time, received and the figures; the code of an index is its own, its venue the KRX."""
    figures = (getattr(message, name) for name in LAYOUTS[kind_of(message)].figures)
    where = (message.index, Venue.KRX) if isinstance(message, IndexTick) else (message.symbol, message.venue)
    return (*where, message.time, message.received, *figures)


def unpacked(kind: Kind, text: str) -> tuple[Sequence[str], Array]:
    """The code of each row of a batch of JSON, and the rows. Raises msgspec.DecodeError."""
    numbers, rows = zip(*_decoders[kind](text), strict=True)
    symbols, venues, *columns = zip(*rows, strict=True)
    array = np.empty(len(numbers), DTYPES[kind])
    array["number"], array["venue"] = numbers, [_PLACES[name] for name in venues]
    for name, column in zip(("time", "received", *LAYOUTS[kind].figures), columns, strict=True):
        array[name] = column
    return symbols, array


def messages(kind: Kind, symbol: Symbol, array: Array) -> list[Indication]:
    """The messages an array of a kind holds."""
    made, figures = LAYOUTS[kind]
    return [
        made(**_subject(made, symbol, venue), time=time, received=received, **dict(zip(figures, row, strict=True)))
        for _, time, received, venue, *row in array.tolist()
    ]


def _subject(made: type[Indication], symbol: Symbol, venue: int) -> dict[str, Any]:
    return {"index": str(symbol)} if made is IndexTick else {"symbol": symbol, "venue": VENUES[venue]}
