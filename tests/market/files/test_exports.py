import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.market.files import exports, imports
from actors.market.files.columns import Unrecognised
from actors.market.files.exports import Form
from actors.market.files.layout import COLUMNS
from actors.market.files.recordings import Terms
from actors.market.storage import blocks, indications, store
from actors.market.storage.blocks import BAR, BOOK, TICK, VENUES, Array
from actors.market.storage.history import EVER, Content, History
from actors.market.time import SECOND
from messages import Symbol
from tests.market.market_data import CODE, NINE, OTHER

CODES = (CODE, OTHER, Symbol("00088K"))
PARQUET = pytest.param(
    Form.PARQUET, marks=pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is not installed")
)
moments = st.lists(st.integers(0, 20), max_size=12)
numbers = st.integers(0, 10**9)


@contextmanager
def memory() -> Generator[sqlite3.Connection, None, None]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for script in store.MIGRATIONS:
            connection.executescript(script)
        yield connection


@st.composite
def rows_of(draw: st.DrawFn, dtype: "np.dtype[np.void]") -> Array:
    """By arrival, several of one instant, no two with one number, any figures in the rest."""
    instants = sorted(draw(moments))
    rows = np.zeros(len(instants), dtype)
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    for name in dtype.names or ():
        rows[name] = generator.integers(0, draw(numbers) + 1, rows[name].shape)
    if dtype == TICK:
        rows["side"] %= len(blocks.SIDES)
        rows["strength"] = generator.random(len(rows)) * 200
    rows["venue"] %= len(VENUES)
    rows["number"] = np.arange(len(rows), dtype=np.int64) * 3 + draw(st.sampled_from([1, store.OWN_NUMBERS]))
    rows["received"] = NINE + np.array(instants, np.int64) * SECOND
    return rows


@st.composite
def charts(draw: st.DrawFn) -> Array:
    times = sorted(draw(st.sets(st.integers(0, 300), max_size=12)))
    bars = np.zeros(len(times), BAR)
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    for name in BAR.names or ():
        bars[name] = generator.integers(1, 10**6, len(times))
    bars["low"] = np.minimum(np.minimum(bars["open"], bars["close"]), bars["low"])
    bars["high"] = np.maximum(np.maximum(bars["open"], bars["close"]), bars["high"])
    bars["time"] = NINE + np.array(times, np.int64) * 60 * SECOND
    return bars


def everything(history: History) -> list[tuple[Content, list[bytes]]]:
    found: list[tuple[Content, list[bytes]]] = []
    for content in history.contents():
        if content.kind == "bars":
            arrays = [history.bars(content.symbol, content.interval, venue=venue) for venue in VENUES]
        else:
            arrays = [(history.ticks if content.kind == "ticks" else history.books)(content.symbol)]
        found.append((content, [array.tobytes() for array in arrays]))
    return found


def moved(source: sqlite3.Connection, target: sqlite3.Connection, form: Form) -> list[exports.Saved]:
    history = History.over(source)
    with tempfile.TemporaryDirectory() as folder:
        wanted = list(exports.wanted(history.contents(), 0, EVER))
        saved = [exports.save(history, one, Path(folder) / f"{one.kind}.{form}", form) for one in wanted]
        for one in saved:
            imports.load(one.file, Terms())(target)
        assert {path.name for path in Path(folder).iterdir()} == {f"{one.kind}.{form}" for one in wanted}
    return saved


@pytest.mark.parametrize("form", [Form.CSV, Form.CSV_GZ, PARQUET])
@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(CODES), st.tuples(rows_of(TICK), rows_of(BOOK), charts(), charts())))
def test_what_is_exported_and_imported_is_the_same(
    form: Form, day: dict[Symbol, tuple[Array, Array, Array, Array]]
) -> None:
    with memory() as source, memory() as target:
        for symbol, (ticks, books, minutes, nextrade) in day.items():
            store.write_blocks(source, "ticks", symbol, ticks)
            store.write_blocks(source, "books", symbol, books)
            store.write_bar_rows(source, symbol, 60, minutes)
            store.write_bar_rows(source, symbol, 600, minutes)
            store.write_bar_rows(source, symbol, 60, nextrade, 1)

        saved = moved(source, target, form)

        assert sum(one.rows for one in saved) == sum(content.count for content in History.over(source).contents())
        assert everything(History.over(target)) == everything(History.over(source))


@pytest.mark.parametrize("form", [Form.CSV, PARQUET])
@pytest.mark.parametrize("kind", indications.KINDS)
@settings(max_examples=5, deadline=None)
@given(st.data())
def test_indications_are_exported_and_imported_as_they_are(
    kind: indications.Kind, form: Form, data: st.DataObject
) -> None:
    with memory() as source, memory() as target:
        subjects = [Symbol("001"), Symbol("101")] if kind == "index_ticks" else CODES
        for symbol in subjects:
            rows = data.draw(rows_of(indications.DTYPES[kind]))
            store.write_blocks(source, kind, symbol, rows)

        moved(source, target, form)
        moved(source, target, form)

        for symbol in subjects:
            there, back = (History.over(one).indications(kind, symbol) for one in (source, target))
            assert back.tobytes() == there.tobytes()


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(CODES), charts()), st.sampled_from([1, 60, 3_600, 86_400]))
def test_a_table_for_each_code_keeps_prices_volumes_and_length(day: dict[Symbol, Array], interval: int) -> None:
    kept = ["time", "open", "high", "low", "close", "volume"]
    with memory() as source, memory() as target:
        for symbol, bars in day.items():
            bars["time"] = NINE - 9 * 3_600 * SECOND + (bars["time"] - NINE) // 60 * interval
            store.write_bar_rows(source, symbol, interval, bars)

        moved(source, target, Form.SQLITE)

        for symbol, bars in day.items():
            assert History.over(target).bars(symbol, interval)[kept].tolist() == bars[kept].tolist()


def test_a_table_for_each_code_is_what_the_seed_s_programs_read(tmp_path: Path) -> None:
    with memory() as source:
        bars = np.zeros(2, BAR)
        bars["time"] = NINE + np.array([0, 60], np.int64) * SECOND
        for name in ("open", "high", "low", "close", "volume"):
            bars[name] = [7, 8]
        store.write_bar_rows(source, CODE, 60, bars)
        store.write_issues(source, [(CODE, "삼성전자", "KOSPI")])
        history = History.over(source)
        exports.save(history, next(exports.wanted(history.contents(), 0, EVER)), tmp_path / "a.sqlite", Form.SQLITE)

    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as connection:
        assert connection.execute("SELECT * FROM company_info").fetchall() == [(CODE, "삼성전자", "20250902090100")]
        assert connection.execute('SELECT * FROM "005930" ORDER BY date').fetchall() == [
            ("20250902090000", 7, 7, 7, 7, 7),
            ("20250902090100", 8, 8, 8, 8, 8),
        ]


def test_the_same_export_twice_is_the_same_file(tmp_path: Path) -> None:
    with memory() as source:
        rows = np.zeros(3, TICK)
        rows["received"] = NINE
        store.write_blocks(source, "ticks", CODE, rows)
        history = History.over(source)
        (wanted,) = exports.wanted(history.contents(), 0, EVER)
        first, second = (
            exports.save(history, wanted, tmp_path / name, Form.CSV_GZ) for name in ("a.csv.gz", "b.csv.gz")
        )

    assert first.file.read_bytes() == second.file.read_bytes()


def test_an_export_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with memory() as source:
        store.write_blocks(source, "ticks", CODE, np.ones(10, TICK))
        source.execute("UPDATE blocks SET data = X'00'")
        history = History.over(source)
        (wanted,) = exports.wanted(history.contents(), 0, EVER)
        with pytest.raises(Exception, match="block"):
            exports.save(history, wanted, tmp_path / "a.csv", Form.CSV)

    assert list(tmp_path.iterdir()) == []


def test_cells_that_no_export_writes_are_refused(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    library = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    row: dict[str, list[Any]] = {name: [1] for name in COLUMNS["bars"]} | {"symbol": ["005930"], "venue": ["KRX"]}

    for name, cell, reason in (("close", None, "1 cells of close are empty"), ("close", 1.5, "1.500000 was truncated")):
        library.write_table(arrow.table(row | {name: [cell]}), tmp_path / "a.parquet")
        with memory() as target, pytest.raises(Unrecognised, match=reason):
            imports.load(tmp_path / "a.parquet", Terms())(target)


def test_a_bar_that_a_chart_disproves_is_a_conflict_and_not_imported(tmp_path: Path) -> None:
    data = tmp_path / "market.sqlite"
    with closing(sqlite3.connect(data, isolation_level=None)) as connection:
        for migration in store.MIGRATIONS:
            connection.executescript(migration)
        connection.execute("INSERT INTO spans VALUES (60, ?, ?, ?)", (CODE, NINE, NINE + 120 * SECOND))
        file = tmp_path / f"{CODE}.csv"
        file.write_text(
            "date,open,high,low,close,volume\n20250902090100,5,5,5,5,1\n20250902090200,5,5,5,5,1\n", encoding="utf-8"
        )
        taken = imports.load(file, Terms())(connection).taken
        assert (taken.bars, taken.conflicts) == (1, 1)
        assert History.over(connection).bars(CODE, 60)["time"].tolist() == [NINE + 120 * SECOND]
