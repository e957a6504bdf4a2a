"""The columns of prices and bars outside of a market store: the same names and values in CSV and Parquet."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from actors.market.files.columns import code, index, instant
from actors.market.storage import indications, loose, store
from actors.market.storage.blocks import BAR, LEVELS, SIDES, TICK, VENUES, Array
from actors.market.storage.loose import EVER
from messages import Symbol

Kind = loose.Kind | Literal["bars"]
Table = dict[str, Any]
"""A sequence, or an array, for each column."""

DTYPES: Final[dict[Kind, "np.dtype[np.void]"]] = {**store.DTYPES, "bars": BAR}
APPLICATION: Final = 0x4B57_4143
"""Marks a SQLite file with a table per code as ours; its user version is the seconds of its bars."""
WHEN: Final = ("time", "received")
"""Columns that hold an instant."""
TEXT: Final = ("symbol", "venue", "side")
_LEVELS: Final = tuple(
    f"{side}{level}{what}" for side in ("ask", "bid") for what in ("", "_size") for level in range(1, LEVELS + 1)
)
"""In the order of blocks.BOOK's `levels`."""
COLUMNS: Final[dict[Kind, tuple[str, ...]]] = {
    "ticks": ("symbol", "venue", *(name for name in TICK.names or () if name != "venue")),
    "books": ("symbol", "venue", "number", "time", "received", "ask_total", "bid_total", *_LEVELS),
    "bars": ("symbol", "venue", "interval", *(BAR.names or ())),
    **{
        kind: ("symbol", "venue", "number", "time", "received", *layout.figures)
        for kind, layout in indications.LAYOUTS.items()
    },
}
_VENUE_NAMES: Final = [venue.value for venue in VENUES]
_SIDE_NAMES: Final = [side.value for side in SIDES]
_VENUES: Final = {name: place for place, name in enumerate(_VENUE_NAMES)}
_SIDES: Final = {name: place for place, name in enumerate(_SIDE_NAMES)}


class Stretch(NamedTuple):
    """Rows of one code: of store.DTYPES by arrival, or of blocks.BAR by time."""

    kind: Kind
    symbol: Symbol
    rows: Array
    interval: int = 0
    """Seconds of a bar."""
    venue: int = 0
    """Of all bars; rows of other kinds have their own."""


def kind_of(names: Sequence[str]) -> Kind | None:
    """Which kind these columns are, in any order; None where they are somebody else's."""
    return next((kind for kind, columns in COLUMNS.items() if sorted(names) == sorted(columns)), None)


def table(stretch: Stretch) -> Table:
    """The columns of a stretch: code, venue and side as text, all else as numbers, instants in nanoseconds."""
    rows, count = stretch.rows, len(stretch.rows)
    found: Table = {name: rows[name] for name in rows.dtype.names or () if name != "levels"}
    found["symbol"] = [str(stretch.symbol)] * count
    if stretch.kind == "bars":
        return found | {"venue": [_VENUE_NAMES[stretch.venue]] * count, "interval": np.full(count, stretch.interval)}
    found["venue"] = [_VENUE_NAMES[venue] for venue in rows["venue"].tolist()]
    if stretch.kind == "ticks":
        return found | {"side": [_SIDE_NAMES[side] for side in rows["side"].tolist()]}
    if stretch.kind != "books":
        return found
    return found | {name: rows["levels"].reshape(count, -1)[:, place] for place, name in enumerate(_LEVELS)}


def stretches(kind: Kind, columns: Mapping[str, Sequence[Any]]) -> Iterator[Stretch]:
    """What `table` gave, a stretch for each run of rows of one code; numbers may be text, and a bar's time a date.

    Raises ValueError, OverflowError or TypeError for what no export says.
    """
    symbols = columns["symbol"]
    venues = [_place(_VENUES, venue, "venue") for venue in columns["venue"]]
    rows = _rows(kind, columns, venues)
    keys = zip(symbols, venues, columns["interval"], strict=True) if kind == "bars" else ((s, 0, 0) for s in symbols)
    first = 0
    for (symbol, venue, interval), run in groupby(keys):
        last = first + sum(1 for _ in run)
        subject = index(str(symbol)) if kind == "index_ticks" else code(str(symbol))
        yield Stretch(kind, subject, rows[first:last], int(interval), venue)
        first = last


def _rows(kind: Kind, columns: Mapping[str, Sequence[Any]], venues: Sequence[int]) -> Array:
    rows = np.empty(len(venues), DTYPES[kind])
    for name in rows.dtype.names or ():
        if name == "venue":
            rows[name] = venues
        elif name == "side":
            rows[name] = [_place(_SIDES, side, "side") for side in columns[name]]
        elif name == "levels":
            for place, level in enumerate(_LEVELS):
                rows[name][:, place // LEVELS, place % LEVELS] = columns[level]
        elif name == "time" and kind == "bars":
            rows[name] = [instant(time) if isinstance(time, str) else time for time in columns[name]]
        else:
            rows[name] = columns[name]
    for name in WHEN:
        if name in columns and len(rows) and not 0 <= rows[name].min() <= rows[name].max() < EVER:
            raise ValueError(f"{name} out of range")
    return rows


def _place(places: Mapping[str, int], name: Any, what: str) -> int:
    if name not in places:
        raise ValueError(f"{name!r} is no {what}; there are {', '.join(places)}")
    return places[name]
