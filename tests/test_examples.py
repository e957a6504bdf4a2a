"""Every example passes `check`, and those that need nothing but this machine trade to their end."""

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from actors.commands.import_data import import_files
from actors.market.files.recordings import Terms
from messages import Market

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
START_MS = 1_756_771_200_000
"""2025-09-02 09:00 KST."""

Summary = dict[str, Any]


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from actors.commands import main; main()", *map(str, arguments)]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)


def trade(example: str, data: Path, *overrides: str) -> Summary:
    settings = [part for override in (f"system.data={data}", *overrides) for part in ("--set", override)]
    done = command("run", "--json", ROOT / "examples" / example, *settings)
    assert done.returncode == 0, done.stderr
    summary: Summary = json.loads(done.stdout.splitlines()[-1])
    (stored,) = data.rglob("summary.json")
    assert json.loads(stored.read_text(encoding="utf-8")) == summary
    return summary


def assert_it_traded_and_the_books_balance(summary: Summary) -> None:
    assert summary["orders"] > 0
    assert summary["fills"] > 0
    assert summary["intents"] == summary["approved"] + sum(summary["refused"].values())
    worth = sum(position["quantity"] * position["last"] for position in summary["positions"])
    assert summary["equity"] == summary["cash"] + worth
    kept = summary["realised"] + summary["unrealised"] - summary["fees"] - summary["tax"]
    assert summary["result_won"] == kept
    for name, box in summary["mailboxes"].items():
        assert box["offered"] == box["handled"] + box["conflated"] + box["refused"] + box["depth"], name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_passes_check(example: Path) -> None:
    done = command("check", example)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(": ok\n")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_keeps_its_files_apart(example: Path) -> None:
    assert f'data = "var/{example.stem}"' in example.read_text(encoding="utf-8")


def test_live_refuses_to_start_before_the_account_is_confirmed(tmp_path: Path) -> None:
    done = command("run", ROOT / "examples" / "live.toml", "--set", f"system.data={tmp_path}")

    assert done.returncode == 2
    assert "live_confirmation is missing" in done.stderr


@pytest.mark.parametrize(("example", "code"), [("live", 0), ("demo", 0), ("replay", 2), ("backtest", 2)])
def test_only_what_stands_on_qts_loop_may_spin(example: str, code: int) -> None:
    done = command("check", ROOT / "examples" / f"{example}.toml", "--set", "system.spin=true")

    assert done.returncode == code, done.stderr
    assert ("[system] spin: no gateway here needs Qt's loop, which alone spins; remove it" in done.stderr) == bool(code)


@pytest.mark.timeout(180)
def test_the_demo_trades_some_minutes_of_a_day(tmp_path: Path) -> None:
    summary = trade(
        "demo.toml",
        tmp_path,
        'gateway.kiwoom.twin.begin="08:58"',
        'gateway.kiwoom.twin.finish="09:04"',
        "gateway.kiwoom.twin.issues=8",
        "actor.momentum.window=30.0",
        "actor.momentum.rise=0.002",
        "actor.momentum.strength=50.0",
        "actor.momentum.value=100_000",
    )

    assert_it_traded_and_the_books_balance(summary)


def write_csv(path: Path, header: str, rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return path


def rising_prints(folder: Path) -> Path:
    """Ten minutes that rise by a tick each ten seconds and fall back at their end."""
    rows: list[tuple[object, ...]] = []
    for second in range(600):
        price = 50_000 + 100 * (second // 10) if second < 500 else 48_000
        levels = [price + 100, price, 400, 400]
        rows.append((START_MS + 1_000 * second, "133820", price, 100 * (second + 1), *levels))
    return write_csv(folder / "133820_ticks.csv", "recv_ms,code,price,cum_volume,ask1,bid1,ask1_qty,bid1_qty", rows)


def falling_bars(folder: Path) -> Path:
    """Two hours of minutes that lie flat, fall and come back."""
    rows: list[tuple[object, ...]] = []
    for minute in range(120):
        price = 40_000 + 5 * (minute % 3) - (400 + 40 * (minute - 60) if 60 <= minute < 64 else 0)
        stamp = f"20220104{9 + minute // 60:02d}{minute % 60:02d}00"
        rows.append((stamp, price, price + 5, price - 5, price, 50_000))
    return write_csv(folder / "069500_1m.csv", "date,open,high,low,close,volume", rows)


def test_imported_ticks_are_replayed_and_two_runs_are_the_same(tmp_path: Path) -> None:
    source = tmp_path / "import"
    assert import_files([rising_prints(tmp_path)], source, Terms(), Market.KOSPI).ok

    first, second = (
        trade("replay.toml", tmp_path / name, f"gateway.recording.source={source}", "actor.momentum.strength=0.0")
        for name in ("first", "second")
    )

    assert_it_traded_and_the_books_balance(first)
    assert first["ticks"] == 600
    assert first["order_digest"] == second["order_digest"]


def test_imported_minute_bars_are_backtested(tmp_path: Path) -> None:
    source = tmp_path / "import"
    assert import_files([falling_bars(tmp_path)], source, Terms(), Market.ETF).ok

    summary = trade("backtest.toml", tmp_path / "run", f"gateway.recording.source={source}")

    assert_it_traded_and_the_books_balance(summary)
    assert summary["tax"] == 0, "index funds pay none"
    assert summary["bars"] == 120


def test_a_strategy_and_a_gateway_of_ones_own_trade_together(tmp_path: Path) -> None:
    summary = trade("own.toml", tmp_path)

    assert_it_traded_and_the_books_balance(summary)
    assert summary["ticks"] == 2 * 7_200
