"""The monitor's lines and screen of a scripted day; nothing of it on stdout."""

from pathlib import Path

import pytest
from rich.console import Console

from actors.analysis.screen import Issue, View, line, screen
from actors.monitor import Monitor
from messages import ActorFailed, ExitDelayed, HaltConfirmed, HaltTrading, Nanoseconds, ResumeTrading, Shares
from runtime.life.vitals import Vitals
from runtime.mailbox import Statistics
from runtime.testing import START, Stage, in_virtual_time
from tests.scripted_day import CASH, SAMSUNG, Empty, play

WAITING = Statistics(offered=9, handled=2, conflated=0, refused=0, depth=7, high_water=8, oldest=0.5)


def vitals(folder: Path) -> Vitals:
    found = Vitals(folder=folder, config=Path("demo.toml"), digest="", seed=7, time_kind="simulated")
    found.add("receiver", lambda: {"ticks": 1_234})
    found.add("exchange", lambda: {"begins": START, "ends": START + 7_200 * 1_000_000_000})
    found.mailboxes = lambda: {"recorder": WAITING}
    return found


@in_virtual_time
async def test_simulated_time_gives_a_line_an_hour_while_something_is_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(Monitor(vitals(tmp_path), Empty()))
    await stage.start()
    await play(stage)
    await stage.advance(3 * 3_600)
    captured = capsys.readouterr()
    assert captured.out == ""
    started, stopping, hour = captured.err.splitlines()
    assert started == "2025-09-02 09:00:00  run 1 started, seed 7"
    assert stopping == "2025-09-02 09:04:00  stopping: the feed ended"
    assert hour.startswith("2025-09-02 10:00:00   50 %  1,234 ticks ")
    assert f"  equity {CASH + 7_830:,} (+7,830)  1 positions, 0 open orders, 5 fills  7 wait for recorder" in hour


@in_virtual_time
async def test_trouble_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monitor = Monitor(vitals(tmp_path), Empty())
    stage = Stage(monitor)
    await stage.start()
    stage.tell(ActorFailed(actor="momentum", handler="on_tick", error="ValueError: [red]", failures=1, off=False))
    stage.tell(HaltTrading(reason="daily loss", by="guardian"), HaltTrading(reason="again", by="guardian"))
    assert monitor.view().halted == "daily loss"
    stage.tell(HaltConfirmed(time=Nanoseconds(START), reason="daily loss"))
    delayed = ExitDelayed(symbol=SAMSUNG, strategy="momentum", left=Shares(3), attempts=4, reason="stop loss")
    stage.tell(delayed, ResumeTrading(by="a person"))
    assert monitor.view().halted == ""
    words = [text.partition("  ")[2] for text in capsys.readouterr().err.splitlines()]
    assert words == [
        "momentum failed in on_tick: ValueError: [red]",
        "trading halted: daily loss",
        "halted: nothing it takes back is open any more",
        "still 3 of 005930 to sell: stop loss",
        "trading resumed by a person",
    ]


@in_virtual_time
async def test_held_issues_come_first_with_their_profit(tmp_path: Path) -> None:
    monitor = Monitor(vitals(tmp_path), Empty(), codes=1)
    stage = Stage(monitor)
    await stage.start()
    await play(stage)
    (issue,) = monitor.view().issues
    assert issue == Issue(name="삼성<전자> 005930", price=72_100, percent=3.0, value=72_100, held=3, profit=300)


def test_a_screen_shows_everything_and_obeys_no_markup_in_names() -> None:
    view = View(
        time=START,
        progress=0.5,
        ticks=1_000,
        pace=20.0,
        equity=1_010_000,
        result=10_000,
        cash=500_000,
        fills=3,
        issues=[Issue("[bold]기아 000270", 100_500, -1.25, 3_000_000_000, 5, -400)],
        positions=1,
        orders=["buy 기아 000270 5 at 100,000 open"],
        mailboxes={"risk": WAITING},
        longest_block_ms=12.0,
        halted="a person",
        news=["news"],
    )
    console = Console(width=140)
    with console.capture() as captured:
        console.print(screen(view))
    text = captured.get()
    for words in (
        "[bold]기아 000270",
        "-1.25 %",
        "3,000",
        "-400",
        "risk 7/8",
        "HALTED: a person",
        "open  buy",
        "+10,000 won",
    ):
        assert words in text
    assert line(view).endswith("7 wait for risk  HALTED: a person")


def test_a_refresh_too_quick_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="refresh"):
        Monitor(vitals(tmp_path), Empty(), refresh=0.01)
