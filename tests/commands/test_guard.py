"""`guard CONFIG`: which days it runs, whom it refuses, and how it takes back orders."""

import asyncio
import datetime as dt
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from actors.commands import app
from actors.commands.guard import each_day, next_day, say, take_back
from actors.gateways.dead_man import Cleared
from actors.market.calendar import Calendar
from actors.market.time import at
from runtime.locks import Lock, folder_lock

DEMO = Path(__file__).parent.parent.parent / "examples" / "demo.toml"


class FakeCanceller:
    def __init__(self, *left: str) -> None:
        self.accounts: list[str] = []
        self._left = left

    async def cancel_all(self, account: str) -> Cleared:
        self.accounts.append(account)
        return Cleared(canceled=3, left=self._left)


class Gone(io.StringIO):
    asked = ""

    def write(self, text: str) -> int:
        self.asked = text
        raise OSError(5, f"no terminal for {text}")


def guarded(tmp_path: Path, *words: str) -> Result:
    settings = ("--set", f"system.data={tmp_path}", "--set", "system.fresh=false")
    return CliRunner().invoke(app, ["guard", str(DEMO), *settings, *words])


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ((2026, 11, 18, 3, 0), (2026, 11, 18)),
        ((2026, 11, 18, 14, 0), (2026, 11, 18)),
        ((2026, 11, 18, 23, 0), (2026, 11, 19)),
        ((2026, 11, 21, 9, 0), (2026, 11, 23)),
        ((2026, 12, 31, 9, 0), (2027, 1, 4)),
    ],
)
def test_a_trading_day_that_is_not_over_or_else_the_next_one(moment: tuple[int, ...], day: tuple[int, ...]) -> None:
    year, month, date, hour, minute = moment
    found = next_day(Calendar(), at(dt.date(year, month, date), hour, minute))

    assert found.date == dt.date(*day)


def test_every_gateway_that_can_takes_back_and_says_what_is_left() -> None:
    one, two = FakeCanceller(), FakeCanceller("0000001: buy 5 005930")
    line = asyncio.run(take_back([("kiwoom", "", one), ("other", "80", two)]))

    assert line == "kiwoom: 3 orders taken back, other: 3 orders taken back, still open: 0000001: buy 5 005930"
    assert (one.accounts, two.accounts) == ([""], ["80"])
    assert "look at the broker's own screen" in asyncio.run(take_back([]))


def test_a_bad_config_is_one_line(tmp_path: Path) -> None:
    result = guarded(tmp_path, "--set", "actor.risk.max_positions=-1")

    assert result.exit_code == 2
    assert "max_positions" in result.stderr


def test_beside_two_running_systems_or_another_guard_it_refuses(tmp_path: Path) -> None:
    with folder_lock(tmp_path / "00001"), folder_lock(tmp_path / "00002"):
        assert "2 systems run there" in guarded(tmp_path, "--once").stderr
    with Lock(tmp_path / "guard.lock", "the guard"):
        assert "is in use by process" in guarded(tmp_path, "--once").stderr


class FakeKeeper:
    """Watches what runs already, and is asked to leave when that has ended."""

    def __init__(self, over: asyncio.Event) -> None:
        self.adopts = True
        self.kept = 0
        self._over = over

    async def keep(self, over: Callable[[], bool]) -> int:
        assert isinstance(over(), bool)
        self.adopts = False
        self.kept += 1
        self._over.set()
        return 0


def test_what_runs_already_is_watched_whatever_the_day() -> None:
    async def scene() -> int:
        over = asyncio.Event()
        keeper = FakeKeeper(over)
        async with asyncio.timeout(5.0):
            await each_day(keeper, Calendar(), over)
        return keeper.kept

    assert asyncio.run(scene()) == 1


def test_a_guard_whose_terminal_is_gone_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Gone()
    monkeypatch.setattr(sys, "stderr", gone)

    say("nobody hears this")

    assert "nobody hears this" in gone.asked
