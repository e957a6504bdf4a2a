from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from actors.commands.import_data import import_command, import_files
from actors.market.files import exports
from actors.market.files.exports import Form
from actors.market.files.recordings import Terms
from actors.market.storage.history import EVER, History
from actors.market.time import text
from messages import Market, Symbol

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TICKS = [DATA / f"ticks/{code}_20250902_tick_book5.csv.gz" for code in ("133820", "101930")]

PARQUET = pytest.param(
    Form.PARQUET, marks=pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is not installed")
)


def write_bars(path: Path, close: int = 105) -> Path:
    path.write_text(f"date,open,high,low,close,volume\n20250902090000,100,110,90,{close},10\n", encoding="utf-8")
    return path


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    if not all(path.exists() for path in TICKS):
        pytest.skip("the recorded ticks are not here")

    first = import_files(TICKS, tmp_path, Terms())
    before = contents(tmp_path)
    second = import_files(TICKS, tmp_path, Terms())

    assert [(file.taken.ticks, file.taken.books) for file in first.files] == [(3_219, 2_204), (3_229, 2_170)]
    assert [(file.taken.ticks, file.taken.books) for file in second.files] == [(0, 0), (0, 0)]
    assert [file.taken.duplicates for file in second.files] == [3_219 + 2_204, 3_229 + 2_170]
    assert contents(tmp_path) == before


def test_a_bar_with_other_figures_is_a_conflict_and_the_stored_one_stays(tmp_path: Path) -> None:
    import_files([write_bars(tmp_path / "005930.csv")], tmp_path, Terms())

    report = import_files([write_bars(tmp_path / "005930.csv", 106)], tmp_path, Terms())

    assert report.files[0].taken.conflicts == 1
    with History(tmp_path) as history:
        assert [stored.close for stored in history.bar_messages([], 60)] == [105]


def test_the_market_is_noted(tmp_path: Path) -> None:
    import_files([write_bars(tmp_path / "005930.csv")], tmp_path, Terms(), Market.ETF)

    with History(tmp_path) as history:
        assert history.issues() == {"005930": ("", "ETF")}


def test_a_file_that_is_not_there_or_not_known_is_one_line_and_the_others_are_imported(tmp_path: Path) -> None:
    (tmp_path / "000660.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    files = [tmp_path / "none.csv", tmp_path / "000660.csv", write_bars(tmp_path / "005930.csv")]

    report = import_files(files, tmp_path, Terms())

    assert [bool(file.refused) for file in report.files] == [True, True, False]
    assert len(report.lines()) == 3
    assert not report.ok


def test_the_command_maps_columns_and_reports(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command("import")(import_command)
    file = tmp_path / "005930.csv"
    file.write_text("date,open,high,low,last,volume\n20250902090000,1,2,1,2,3\n", encoding="utf-8")
    arguments = [str(file), "--data", str(tmp_path)]

    wrong = CliRunner().invoke(app, [*arguments, "--map", "close"])
    right = CliRunner().invoke(app, [*arguments, "--map", "close=last"])

    assert wrong.exit_code == 2
    assert (right.exit_code, right.output) == (0, "imported 005930.csv: 0 ticks, 0 books, 1 bars from 1 rows\n")


@pytest.mark.parametrize("form", [Form.CSV, PARQUET, Form.SQLITE])
def test_recorded_files_come_back_from_an_export_as_they_were(tmp_path: Path, form: Form) -> None:
    files = [TICKS[0], DATA / "opt10080_raw/114800_20221109_20221114.csv"]
    if not all(path.exists() for path in files):
        pytest.skip("the recorded data is not here")
    import_files(files, tmp_path / "data", Terms())
    with History(tmp_path / "data") as there:
        wanted = [
            one for one in exports.wanted(there.contents(), 0, EVER) if form is not Form.SQLITE or one.intervals[0]
        ]
        written = [exports.save(there, one, tmp_path / f"{one.kind}.{form}", form).file for one in wanted]
        assert import_files(written, tmp_path / "back", Terms()).ok

        with History(tmp_path / "back") as back:
            assert back.bars(Symbol("114800"), 60).tobytes() == there.bars(Symbol("114800"), 60).tobytes()
            if form is not Form.SQLITE:
                assert back.contents() == there.contents()
                assert back.ticks(Symbol("133820")).tobytes() == there.ticks(Symbol("133820")).tobytes()
                assert back.books(Symbol("133820")).tobytes() == there.books(Symbol("133820")).tobytes()


def test_a_parquet_file_of_others_is_read_like_a_csv(tmp_path: Path) -> None:
    file = DATA / "marcap/all_2023-01-18_2023-01-27_tick_change.parquet"
    if not file.exists():
        pytest.skip("the recorded market is not here")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")

    (report,) = import_files([file], tmp_path, Terms()).files

    assert (report.rows, report.taken.bars, sum(count for _, count in report.rejected)) == (16_149, 15_618, 531)
    with History(tmp_path) as history:
        (day,) = history.bars(Symbol("005930"), 86_400)[-1:]
        assert (text(int(day["time"]))[:10], int(day["close"])) == ("2023-01-27", 64_600)


def contents(data: Path) -> list[object]:
    with History(data) as history:
        return [*history.contents()]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command("import")(import_command)
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "005930.csv").write_text(
        "date,open,high,low,close,volume\n20250902090000,1,2,1,2,3\n", encoding="utf-8"
    )

    done = CliRunner().invoke(app, [str(tmp_path / "005930.csv"), "--data", str(tmp_path / "file" / "data")])

    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert done.stderr.startswith(f"kiwoom-actors: {tmp_path / 'file'}")
    assert done.stderr.count(str(tmp_path)) == 1
