import gzip
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.market.files import recordings
from actors.market.files.columns import code_in, instant, number
from actors.market.files.recordings import Terms, Unrecognised
from actors.market.time import text

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
TERMS = Terms()


def recorded(name: str) -> recordings.Recording:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the recorded data {name} is not here")
    return recordings.read(path, TERMS)


def written(tmp_path: Path, name: str, *lines: str) -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("code", "counts", "volume", "half_ticks"),
    [("133820", (3_229, 3_219, 2_204), 1_022_348, 62), ("101930", (3_256, 3_229, 2_170), 61_238, 16)],
)
def test_a_recorded_day_gives_its_prints_and_every_changed_book(
    code: str, counts: tuple[int, int, int], volume: int, half_ticks: int
) -> None:
    recording = recorded(f"ticks/{code}_20250902_tick_book5.csv.gz")

    (prints,) = recording.ticks.values()
    grid = 100 if code == "101930" else np.where(prints["price"] < 2_000, 1, 5)
    assert (recording.rows, len(prints), len(*recording.books.values())) == counts
    assert prints["size"].sum() == prints["volume"][-1] == volume
    assert not recording.rejected
    assert np.count_nonzero(prints["price"] % grid) == half_ticks


@pytest.mark.parametrize(
    ("name", "bars", "interval"),
    [
        ("minute/226490_1m_20211208_20220905.csv.gz", 56_992, 60),
        ("daily/069500_adj_to_20220905.csv.gz", 4_922, 86_400),
        ("daily/161890_opt10081_one_page_600_desc.csv.gz", 600, 86_400),
        ("opt10080_raw/114800_20221109_20221114.csv", 900, 60),
    ],
)
def test_recorded_bars_keep_their_number_and_find_their_interval(name: str, bars: int, interval: int) -> None:
    recording = recorded(name)

    ((found, array),) = recording.bars.items()
    assert (len(array), found[1]) == (bars, interval)
    assert (np.diff(array["time"]) > 0).all()
    assert not recording.out_of_order


def test_a_row_with_a_wrong_time_makes_no_other_bar_shorter(tmp_path: Path) -> None:
    times = [f"202509020{9 + minute // 60}{minute % 60:02}00" for minute in range(0, 60, 3)]
    stray = "20250902091201"
    rows = [f"{time},100,110,90,105,10" for time in sorted([*times, stray])]
    path = written(tmp_path, "005930.csv", "date,open,high,low,close,volume", *rows)

    ((found, array),) = recordings.read(path, TERMS).bars.items()

    assert (found, len(array)) == (("005930", 180), 21)


def test_a_normal_day_of_a_liquid_fund_has_382_minutes_and_the_first_of_the_year_opens_at_ten() -> None:
    recording = recorded("minute/069500_1m_20211206_20220905.csv.gz")

    (bars,) = recording.bars.values()
    days = [text(int(time)) for time in bars["time"]]
    assert sum(day.startswith("2021-12-07") for day in days) == 382
    opening = [day for day in days if day.startswith("2022-01-03")]
    assert (len(opening), opening[0]) == (322, "2022-01-03 10:00:00.000")


def test_two_downloads_in_one_table_are_conflicts_and_the_first_stays() -> None:
    recording = recorded("daily/069500_opt10081_two_runs_concat_MESSY.csv.gz")

    assert (len(*recording.bars.values()), recording.conflicts, recording.out_of_order) == (3_806, 3_564, 1)


def test_a_repeated_row_is_a_duplicate() -> None:
    assert recorded("daily/005930_adj_1999_2022.csv.gz").duplicates == 1


def test_a_file_without_a_header_is_refused_in_one_line() -> None:
    with pytest.raises(Unrecognised, match="its columns are 1985-01-04") as refusal:
        recorded("daily/005930_unadjusted_rltrader_v1_MESSY.csv.gz")

    assert "\n" not in str(refusal.value)


def test_shuffled_rows_are_put_in_order_and_counted(tmp_path: Path) -> None:
    original = DATA / "ticks/133820_20250902_tick_book5.csv.gz"
    if not original.exists():
        pytest.skip("the recorded ticks are not here")
    header, *lines = gzip.decompress(original.read_bytes()).decode().splitlines()
    random.Random(7).shuffle(lines)

    shuffled = recordings.read(written(tmp_path, "133820.csv", header, *lines), TERMS)

    straight = recordings.read(original, TERMS)
    assert (shuffled.ticks["133820"]["volume"] == straight.ticks["133820"]["volume"]).all()  # type: ignore[index]
    assert shuffled.out_of_order > 1_000


def test_rows_that_make_no_sense_are_counted_with_row_number_and_reason(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "005930.csv",
        "date,open,high,low,close,volume",
        "20250902090000,100,110,90,105,10",
        "20250902090100,100,90,110,105,10",
        "20250902090200,0,0,0,105,0",
        "2025090209x300,100,110,90,105,10",
        "20250902090400,100,110",
        "20250902090500,100,110,90,+-,10",
        "20250902090600,100,110,90,99999999999999999999,10",
        '20250902090700,"1,000","+1,100",-900,"1,000",7',
    )

    recording = recordings.read(path, TERMS)

    assert len(*recording.bars.values()) == 2
    assert (recording.rows, recording.rejected.total()) == (8, 6)
    assert recording.examples[0] == "row 3: not between low and high: 100 90 110 105"


def test_korean_columns_in_cp949_are_known(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_bytes("종목코드,일자,시가,고가,저가,종가,거래량\nA005930,20250902,1,3,1,2,5\n".encode("cp949"))

    ((key, array),) = recordings.read(path, TERMS).bars.items()

    assert (key, array["close"].tolist()) == (("005930", 86_400), [2])


def test_columns_of_other_names_are_mapped(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", "when,o,open,high,low,volume", "2025-09-02T09:00:00,2,1,3,1,5")
    terms = Terms(symbol="005930", mapping={"date": "when", "close": "o"})

    assert recordings.read(path, terms).bars["005930", 60]["close"].tolist() == [2]  # type: ignore[index]


def test_a_mapping_to_no_column_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "005930.csv", "date,open,high,low,close,volume")

    with pytest.raises(Unrecognised, match="no column is called 'last'"):
        recordings.read(path, Terms(mapping={"close": "last"}))


def test_a_database_with_a_table_per_code_gives_bars_and_names(tmp_path: Path) -> None:
    path = tmp_path / "kiwoom.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE company_info (st_code TEXT, nm_code TEXT, last_update TEXT)")
        connection.execute("INSERT INTO company_info VALUES ('069500', 'KODEX 200', '20221209153000')")
        connection.execute('CREATE TABLE "069500" (date TEXT, open INT, high INT, low INT, close INT, volume INT)')
        connection.execute("INSERT INTO \"069500\" VALUES ('20211201090000', 10, 12, 9, 11, 100)")
        connection.commit()

    recording = recordings.read(path, TERMS)

    assert recording.names == {"069500": "KODEX 200"}
    assert recording.bars["069500", 60]["volume"].tolist() == [100]  # type: ignore[index]


def test_a_broken_gzip_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "005930.csv.gz"
    path.write_bytes(gzip.compress(b"date,open,high,low,close,volume\n" * 50)[:40])

    with pytest.raises(Unrecognised, match="cannot be read to its end"):
        recordings.read(path, TERMS)


@given(st.text(max_size=30))
def test_a_cell_is_a_number_a_time_or_a_value_error(cell: str) -> None:
    for reader in (number, instant):
        try:
            assert isinstance(reader(cell), int)
        except ValueError as error:
            assert str(error)  # noqa: PT017


def test_the_code_is_found_in_a_file_name() -> None:
    assert code_in("069500_1m_20211206_20220905") == "069500"
    assert code_in("A005930") == "005930"
    assert code_in("all_2022") is None


def test_a_recording_that_begins_in_mid_session_has_the_sizes_it_names(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "005930.csv",
        "date,price,qty,cum_volume",
        "20250902100000,100,5,1000005",
        "20250902100001,100,-3,1000008",
        "20250902100100,100,2,1000100",
    )

    (prints,) = recordings.read(path, TERMS).ticks.values()

    assert prints["size"].tolist() == [5, 3, 2]
    assert prints["volume"].tolist() == [1_000_005, 1_000_008, 1_000_100]


def test_a_time_of_day_kept_as_a_number_has_lost_its_first_zero(tmp_path: Path) -> None:
    rows = ("2025-09-02,90000,100,5", "2025-09-02,10:00:01,100,2", "20250902,0,100,1", "20250902,10000150,100,1")
    path = written(tmp_path, "005930.csv", "date,time,price,qty", *rows)

    recording = recordings.read(path, TERMS)

    (prints,) = recording.ticks.values()
    assert recording.rejected.total() == 2, "too few digits, or too many, are no time of day"
    assert [text(int(time)) for time in prints["time"]] == ["2025-09-02 09:00:00.000", "2025-09-02 10:00:01.000"]


def test_figures_and_times_that_no_column_holds_are_rejected(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "005930.csv",
        "date,price,qty",
        "99991231090000,100,5",
        "19600101090000,100,5",
        "9999999999999999999,100,5",
        "20250902090000,1000000000000000,1000000000000000",
        "20250902090001,100,5",
    )

    recording = recordings.read(path, TERMS)

    assert [array["price"].tolist() for array in recording.ticks.values()] == [[100]]
    assert recording.rejected.total() == 4


def test_a_code_that_trades_seldom_has_bars_of_the_length_of_all_others(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "all.csv",
        "code,date,open,high,low,close,volume",
        *(f"{code},202509020{minute:03}00,5,5,5,5,1" for code, minute in (("005930", 900), ("005930", 901))),
        *(f"{code},202509020{minute:03}00,5,5,5,5,1" for code, minute in (("000660", 900), ("000660", 907))),
        "000150,20250902090000,5,5,5,5,1",
        "069500,20250902,5,5,5,5,1",
        "069500,20250903,5,5,5,5,1",
    )

    lengths = dict(recordings.read(path, TERMS).bars.keys())

    assert lengths == {"005930": 60, "000660": 60, "000150": 60, "069500": 86_400}
