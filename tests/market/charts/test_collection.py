import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

import msgspec
import pytest

from actors.market.calendar import Calendar
from actors.market.charts import collection
from actors.market.charts.certificate import DAILY, Chart, grid
from actors.market.charts.collection import Taken
from actors.market.charts.comparison import Proof
from actors.market.charts.spans import Span
from actors.market.charts.standing import standing_of
from actors.market.storage import store
from actors.market.time import SECOND, at
from messages import Bar, Shares, Symbol, Won
from tests.fake_archive import bar

CALENDAR = Calendar()
CHART = Chart(Symbol("005930"), 60)
FIRST, SECOND_DAY = dt.date(2022, 1, 4), dt.date(2022, 1, 5)
NOW = at(dt.date(2022, 1, 6), 8)
WANTED = Span(at(FIRST), at(dt.date(2022, 1, 6)))


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for migration in store.MIGRATIONS:
            made.executescript(migration)
        collection.want(made, CHART, WANTED.since)
        yield made


def chart(price: int = 10_000) -> list[Bar]:
    times = [time for day in CALENDAR.days(FIRST, SECOND_DAY) for time in grid(day, 60)]
    return [bar("005930", 60, time, price + place) for place, time in enumerate(times)]


def take(connection: sqlite3.Connection, bars: Sequence[Bar], *, until: int = NOW, **proof: object) -> Taken:
    since = bars[0].time if bars else until
    shown = Proof(span=Span(since, until), rows=len(bars))._replace(**proof)  # type: ignore[arg-type]
    return collection.take(connection, CALENDAR, CHART, bars, shown, WANTED, NOW)


def count(connection: sqlite3.Connection, table: str, where: str = "1") -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])  # noqa: S608


def reasons(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT DISTINCT reason FROM set_aside ORDER BY 1")]


def test_pages_that_adjoin_prove_the_time_between_them(connection: sqlite3.Connection) -> None:
    bars = chart()
    newer, older = bars[400:], bars[:400]
    assert take(connection, newer).fresh == 364
    assert take(connection, older, until=newer[0].time, first=False, last=True).fresh == 400
    assert collection.spans(connection, CHART) == [Span(bars[0].time, WANTED.until)]
    assert collection.gaps(connection, CALENDAR, CHART, WANTED) == []
    known = collection.certificates(connection, CHART)
    assert [(made.expected, made.present, made.missing) for made in known.values()] == [(382, 382, 0)] * 2


def test_a_page_that_comes_twice_changes_nothing(connection: sqlite3.Connection) -> None:
    bars = chart()
    take(connection, bars, last=True)
    before = [tuple(connection.execute(f"SELECT * FROM {name}")) for name in ("bars", "certificates", "spans")]  # noqa: S608
    assert take(connection, bars, last=True) == Taken(alike=764)
    after = [tuple(connection.execute(f"SELECT * FROM {name}")) for name in ("bars", "certificates", "spans")]  # noqa: S608
    assert after == before


def test_of_two_pages_that_disagree_the_first_stays_and_the_other_is_kept(connection: sqlite3.Connection) -> None:
    bars = chart()
    take(connection, bars, last=True)
    other = bar("005930", 60, bars[300].time, 9_000)
    vanished, appeared = bars[500], bar("005930", 60, at(FIRST, 15, 25), 7_777)
    page = sorted([*bars[:300], other, *bars[301:500], *bars[501:], appeared], key=lambda one: one.time)
    taken = take(connection, page, last=True)
    assert taken.conflicts == (other.time, appeared.time, vanished.time)
    assert (taken.fresh, taken.factor) == (0, 1.0)
    assert count(connection, "bars") == 764
    assert count(connection, "bars", f"time={other.time} AND close={bars[300].close}") == 1
    assert reasons(connection) == ["appeared", "conflict", "vanished"]


def test_a_row_that_is_on_a_page_twice_is_stored_once(connection: sqlite3.Connection) -> None:
    bars = chart()
    twin = bar("005930", 60, bars[10].time, 12_345)
    taken = take(connection, [*bars[:11], bars[10], twin, *bars[11:]], last=True)
    assert (taken.fresh, taken.conflicts) == (764, (twin.time,))


def test_bars_that_no_page_proved_give_way_and_are_kept(connection: sqlite3.Connection) -> None:
    bars = chart()
    store.write_bars(connection, [bar("005930", 60, bars[3].time, 1), bars[4], bar("005930", 60, at(FIRST, 15, 25), 5)])
    taken = take(connection, bars, last=True)
    assert (taken.fresh, taken.alike, taken.replaced, taken.conflicts) == (763, 1, 2, ())
    assert count(connection, "bars") == 764
    assert reasons(connection) == ["unproven"]


@pytest.mark.parametrize("factor", [0.99, 0.02, 10.0])
def test_adjusted_prices_set_the_older_ones_aside_and_want_them_anew(
    connection: sqlite3.Connection, factor: float
) -> None:
    bars = chart()
    take(connection, bars, last=True)
    seen = [_times(one, factor) if one.time < at(SECOND_DAY) else one for one in bars]
    taken = take(connection, seen[300:])
    assert taken.factor == pytest.approx(factor, rel=0.01)  # pyright: ignore[reportUnknownMemberType]
    assert taken.fresh == 82
    assert count(connection, "set_aside", "reason='adjusted'") == 382
    assert collection.gaps(connection, CALENDAR, CHART, WANTED) == [Span(bars[0].time, bars[300].time)]
    assert count(connection, "certificates", f"day='{FIRST}' AND missing=300") == 1


@pytest.mark.parametrize("bars", [1, 2])
def test_an_adjustment_shows_in_few_bars_where_there_are_no_others(connection: sqlite3.Connection, bars: int) -> None:
    stored, newer = chart()[:bars], chart()[bars]
    take(connection, stored, until=newer.time + 10 * SECOND, last=True)
    taken = take(connection, [*(_times(one, 0.5) for one in stored), newer], last=True)
    assert (taken.factor, taken.conflicts) == (pytest.approx(0.5, rel=0.01), ())  # pyright: ignore[reportUnknownMemberType]
    assert count(connection, "bars", "close > 6000") == 1


def test_few_bars_that_differ_by_a_won_or_in_one_price_are_conflicts(connection: sqlite3.Connection) -> None:
    (one,) = chart()[:1]
    take(connection, [one], last=True)
    for other in (_times(one, 1.0003), msgspec.structs.replace(one, high=Won(one.high + 500))):
        taken = take(connection, [other], last=True)
        assert (taken.factor, taken.conflicts) == (1.0, (one.time,))


def test_after_an_adjustment_the_rest_is_collected_like_anything_else(connection: sqlite3.Connection) -> None:
    bars = chart()
    take(connection, bars)
    seen = [_times(one, 0.5) for one in bars]
    take(connection, seen[700:])
    assert collection.gaps(connection, CALENDAR, CHART, WANTED) == [Span(WANTED.since, seen[700].time)]
    take(connection, seen[:700], until=seen[700].time, first=False, last=True)
    assert count(connection, "bars") == 764
    assert count(connection, "adjustments") == 1
    assert not count(connection, "bars", "close > 6000")


def test_a_page_from_an_older_date_that_disagrees_is_not_believed(connection: sqlite3.Connection) -> None:
    bars = chart()
    take(connection, bars[300:])
    seen = [_times(one, 2.0) for one in bars[:301]]
    assert take(connection, seen, until=bars[300].time + 1, dated=True).mistrusted
    assert count(connection, "bars") == 464


def test_what_cannot_be_read_is_missing_and_asked_for_twice(connection: sqlite3.Connection) -> None:
    bars = chart()
    hole = Span(bars[99].time + 1, bars[101].time)
    for reads, gaps in ((1, [hole]), (2, [])):
        take(connection, [*bars[:100], *bars[101:]], holes=(hole,), last=True)
        assert collection.gaps(connection, CALENDAR, CHART, WANTED) == gaps, reads
    assert [made.missing for made in collection.certificates(connection, CHART).values()] == [1, 0]


def test_pages_that_do_not_adjoin_prove_what_lies_between_when_it_is_the_same_again(
    connection: sqlite3.Connection,
) -> None:
    bars = chart()
    between = Span(bars[299].time + 1, bars[400].time)
    for gaps in ([between], []):
        take(connection, bars[400:])
        take(connection, bars[:300], until=bars[400].time, first=False, last=True)
        assert collection.gaps(connection, CALENDAR, CHART, WANTED) == gaps
    assert [made.idle for made in collection.certificates(connection, CHART).values()] == [82, 18]


def test_a_thin_issue_may_rest_between_two_pages_as_long_as_within_one(connection: sqlite3.Connection) -> None:
    bars = chart()
    take(connection, bars[400:])
    take(connection, bars[5:380:19], until=bars[400].time, first=False, last=True)
    assert collection.gaps(connection, CALENDAR, CHART, WANTED) == []


def test_an_unfinished_bar_and_what_is_not_wanted_are_not_stored(connection: sqlite3.Connection) -> None:
    today = dt.date(2022, 1, 6)
    open_hours = at(today, 10, 30) + 10 * SECOND
    bars = [*chart(), bar("005930", 60, at(today, 10, 29), 1), bar("005930", 60, at(today, 10, 30), 1)]
    everything = Span(at(SECOND_DAY), at(today, 23))
    proof = Proof(span=Span(bars[0].time, open_hours), rows=len(bars))
    taken = collection.take(connection, CALENDAR, CHART, bars, proof, everything, open_hours)
    assert taken.fresh == 382 + 1
    assert collection.spans(connection, CHART) == [Span(at(SECOND_DAY), at(today, 10, 30))]


def test_an_empty_answer_does_not_end_a_chart(connection: sqlite3.Connection) -> None:
    take(connection, [], last=True, rows=0)
    assert collection.gaps(connection, CALENDAR, CHART, WANTED) == [WANTED]


def test_what_is_not_offered_any_more_is_not_asked_again(connection: sqlite3.Connection) -> None:
    bars = chart()
    take(connection, bars[400:], last=True)
    assert collection.gaps(connection, CALENDAR, CHART, WANTED) == []
    assert standing_of(connection, CALENDAR, CHART, WANTED).missing == 400


def test_a_day_bar_is_a_day(connection: sqlite3.Connection) -> None:
    days = Chart(CHART.symbol, DAILY)
    collection.want(connection, days, None)
    bars = [bar("005930", DAILY, at(date), 10_000) for date in (FIRST, SECOND_DAY)]
    proof = Proof(span=Span(bars[0].time, NOW), rows=2, last=True)
    assert collection.take(connection, CALENDAR, days, bars, proof, Span(0, WANTED.until), NOW).fresh == 2
    known = collection.certificates(connection, days)
    assert [(day, made.expected, made.present) for day, made in known.items()] == [
        ("2022-01-04", 1, 1),
        ("2022-01-05", 1, 1),
    ]


def _times(one: Bar, factor: float) -> Bar:
    prices = {name: Won(round(getattr(one, name) * factor)) for name in ("open", "high", "low", "close")}
    return msgspec.structs.replace(one, **prices)


def test_a_bar_that_ended_while_its_page_was_on_the_way_is_unfinished(connection: sqlite3.Connection) -> None:
    today = dt.date(2022, 1, 6)
    asked, came = at(today, 10, 30) + 9 * SECOND, at(today, 10, 30) + 11 * SECOND
    bars = [*chart(), bar("005930", 60, at(today, 10, 28), 1), bar("005930", 60, at(today, 10, 29), 1)]
    proof = Proof(span=Span(bars[0].time, asked), rows=len(bars))
    collection.take(connection, CALENDAR, CHART, bars, proof, Span(WANTED.since, at(today, 23)), came)
    assert count(connection, "bars", f"time={bars[-2].time}") == 1
    assert count(connection, "bars", f"time={bars[-1].time}") == 0
    assert collection.spans(connection, CHART)[-1].until == at(today, 10, 29)


def test_a_bar_of_our_own_changes_nothing_that_pages_prove(connection: sqlite3.Connection) -> None:
    bars = [one for place, one in enumerate(chart()) if place != 7]
    take(connection, bars, last=True)
    known = collection.certificates(connection, CHART)
    fuller = msgspec.structs.replace(bars[3], volume=Shares(bars[3].volume + 1))
    idle = bar("005930", 60, chart()[7].time, 5)
    store.write_bars(connection, [fuller, idle])
    assert list(collection.derive_all(connection, CALENDAR, CHART)) == list(known.values())
