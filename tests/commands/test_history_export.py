import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from actors.commands.history import history
from actors.commands.import_data import import_files
from actors.market.files.recordings import Terms
from actors.market.storage.history import History
from messages import Market

THERE = "file: " if sys.platform == "win32" else "file: File exists"
"""Windows says it in its own language."""
BARS = """symbol,date,open,high,low,close,volume
005930,20250902090000,100,110,90,105,10
005930,20250902090100,105,110,90,100,20
000660,20250903090000,200,210,190,205,30
000660,20250903090100,205,210,190,200,40
"""
TICKS = """date,price,size
20250902090000,100,10
20250902090001,101,20
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "bars.csv").write_text(BARS, encoding="utf-8")
    (tmp_path / "005930.csv").write_text(TICKS, encoding="utf-8")
    assert import_files([tmp_path / "bars.csv", tmp_path / "005930.csv"], tmp_path / "data", Terms()).ok
    return tmp_path / "data"


def export(data: Path, to: Path, *options: str) -> Result:
    return CliRunner().invoke(history, ["export", str(data), "--to", str(to), *options])


def refused(done: Result, code: int, line: str) -> None:
    assert (done.exit_code, done.stdout) == (code, "")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_gets_a_file_for_each_kind(data: Path, tmp_path: Path) -> None:
    done = export(data, tmp_path / "out")

    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"exported {tmp_path / 'out' / 'ticks.csv'}: 2 ticks of 1 code",
        f"exported {tmp_path / 'out' / 'bars.csv'}: 4 bars of 2 codes",
    ]
    assert (tmp_path / "out" / "bars.csv").read_text(encoding="utf-8").splitlines()[:2] == [
        "symbol,venue,interval,time,open,high,low,close,volume,value,bought,sold,prints",
        "000660,KRX,60,20250903090000,200,210,190,205,30,0,0,0,0",
    ]


def test_one_index_is_exported_by_its_code(data: Path, tmp_path: Path) -> None:
    columns = "symbol,venue,number,time,received,hundredths,volume,value\n"
    rows = ["001,KRX,7,1756771201000000000,1756771201000000007,265432,1000,9000\n"]
    other = "101,KRX,8,1756771201000000000,1756771201000000008,80000,500,700\n"
    (tmp_path / "indices.csv").write_text("".join((columns, *rows, other)), encoding="utf-8")
    assert import_files([tmp_path / "indices.csv"], data, Terms()).ok
    done = export(data, tmp_path / "one.csv", "--symbol", "001")

    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "one.csv").read_text(encoding="utf-8") == "".join((columns, *rows))
    refused(export(data, tmp_path / "none.csv", "--symbol", "abc"), 2, "--symbol: 'abc' is no index; 001 is one")


def test_only_what_is_asked_for_is_exported(data: Path, tmp_path: Path) -> None:
    days = ("--since", "2025-09-02", "--until", "2025-09-02")

    done = export(data, tmp_path / "a.csv", "--kind", "bars", *days)
    one = export(data, tmp_path / "b.csv", "--symbol", "A000660")

    assert done.stdout == f"exported {tmp_path / 'a.csv'}: 2 bars of 1 code\n"
    assert one.stdout == f"exported {tmp_path / 'b.csv'}: 2 bars of 1 code\n"


def test_importing_an_export_twice_changes_nothing_and_notes_the_market(data: Path, tmp_path: Path) -> None:
    export(data, tmp_path / "out")
    files = sorted((tmp_path / "out").iterdir())

    first = import_files(files, tmp_path / "back", Terms(), Market.ETF)
    second = import_files(files, tmp_path / "back", Terms())

    assert [(file.taken.bars, file.taken.ticks, file.rows) for file in first.files] == [(4, 0, 4), (0, 2, 2)]
    assert [file.taken.duplicates for file in second.files] == [4, 2]
    with History(tmp_path / "back") as back, History(data) as there:
        assert back.contents() == there.contents()
        assert back.issues() == {"005930": ("", "ETF"), "000660": ("", "ETF")}


def test_an_export_that_was_damaged_is_refused_whole_and_says_where(data: Path, tmp_path: Path) -> None:
    export(data, tmp_path / "bars.csv", "--kind", "bars", "--force")
    whole = (tmp_path / "bars.csv").read_text(encoding="utf-8")
    damages = {
        "row 2 has 12 cells, not 13": whole.replace("000660,KRX,60,20250903090100,", "000660,KRX,60,"),
        "among rows 1 to 4: 'KRZ' is no venue": whole.replace("KRX", "KRZ"),
        "among rows 1 to 4: invalid literal": whole.replace("205,30", "205,x"),
        "among rows 1 to 4: '5930' is no code": whole.replace("005930", "5930"),
    }

    for line, text in damages.items():
        (tmp_path / "bars.csv").write_text(text, encoding="utf-8")
        (file,) = import_files([tmp_path / "bars.csv"], tmp_path / "back", Terms()).files
        assert line in file.refused
        with History(tmp_path / "back") as back:
            assert back.contents() == []


def test_what_is_there_is_not_overwritten_unless_asked(data: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mine", encoding="utf-8")

    refused(export(data, tmp_path / "a.csv", "--kind", "bars"), 1, "a.csv: there already; --force replaces it")
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "mine"

    assert export(data, tmp_path / "a.csv", "--kind", "bars", "--force").exit_code == 0
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").startswith("symbol,")


def test_the_store_itself_is_never_replaced(data: Path) -> None:
    refused(export(data, data / "market.sqlite", "--kind", "bars", "--force"), 2, "that is what is exported")


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        (["--symbol", "123456"], 1, "nothing is stored of 123456"),
        (["--symbol", "Samsung"], 2, "--symbol: 'Samsung' is no code"),
        (["--since", "2026-01-01"], 1, "nothing of that is stored"),
        (["--kind", "books"], 1, "nothing of that is stored"),
        (["--interval", "3600", "--kind", "bars"], 1, "nothing of that is stored"),
        (["--since", "2025-09-03", "--until", "2025-09-02"], 2, "--since lies after --until"),
        (["--format", "parquet"], 2, "that name is for csv, not for --format parquet"),
        ([], 2, "one file holds one of ticks, bars; say --kind or --interval, or name a folder"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(data: Path, tmp_path: Path, options: list[str], code: int, line: str) -> None:
    refused(export(data, tmp_path / "a.csv", *options), code, line)
    assert not (tmp_path / "a.csv").exists()


def test_a_range_between_two_rows_has_nothing(data: Path, tmp_path: Path) -> None:
    (tmp_path / "far.csv").write_text(BARS.replace("000660,20250903", "005930,20250905"), encoding="utf-8")
    assert import_files([tmp_path / "far.csv"], data, Terms()).ok
    days = ("--symbol", "005930", "--since", "2025-09-04", "--until", "2025-09-04")

    refused(export(data, tmp_path / "a.csv", *days), 1, "nothing of that is stored between these days")
    assert not (tmp_path / "a.csv").exists()


def test_a_target_that_cannot_be_written_is_said(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    refused(export(data, tmp_path / "file"), 2, "a file's name ends in .csv, .csv.gz, .parquet, .sqlite")
    refused(export(data, tmp_path / "file" / "a.csv", "--kind", "bars"), 1, THERE)
    refused(export(data, tmp_path / "file" / "a.sqlite"), 1, THERE)


def test_a_folder_without_a_store_is_said(tmp_path: Path) -> None:
    refused(export(tmp_path, tmp_path / "a.csv"), 1, "no such file")


def test_a_table_for_each_code_has_bars_of_one_length_only(data: Path, tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text("date,open,high,low,close,volume\n20250902,1,2,1,2,3\n", encoding="utf-8")
    assert import_files([tmp_path / "days.csv"], data, Terms(symbol="005930")).ok

    refused(export(data, tmp_path / "a.sqlite"), 2, "one file holds one of bars_60, bars_86400")
    refused(export(data, tmp_path / "a.sqlite", "--kind", "ticks"), 2, "holds bars only")
    assert export(data, tmp_path / "out", "--format", "sqlite").exit_code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"bars_60.sqlite", "bars_86400.sqlite"}


def test_without_pyarrow_one_line_says_how_to_get_it(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "b.parquet").write_bytes(b"PAR1")

    refused(export(data, tmp_path / "a.parquet", "--kind", "bars"), 1, "pip install kiwoom-actors[parquet]")
    (file,) = import_files([tmp_path / "b.parquet"], tmp_path / "back", Terms()).files
    assert "pip install kiwoom-actors[parquet]" in file.refused


def test_a_damaged_parquet_file_is_refused_in_a_line(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    assert export(data, tmp_path / "a.parquet", "--kind", "bars").exit_code == 0
    whole = (tmp_path / "a.parquet").read_bytes()

    for damaged in (whole[:200], whole[:40] + bytes(200) + whole[240:]):
        (tmp_path / "a.parquet").write_bytes(damaged)
        (file,) = import_files([tmp_path / "a.parquet"], tmp_path / "back", Terms()).files
        assert "cannot be read to its end" in file.refused
        assert "\n" not in file.refused


def test_the_list_shows_what_nobody_certified_too(data: Path) -> None:
    done = CliRunner().invoke(history, ["list", str(data)])

    assert done.stdout.splitlines() == [
        "000660  1 min  2025-09-03 - 2025-09-03          2 bars, not certified",
        "005930  1 min  2025-09-02 - 2025-09-02          2 bars, not certified",
        "005930  ticks  2025-09-02 - 2025-09-02          2 ticks",
    ]
