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
from actors.commands.guard import Bell, each_day, next_day, say, take_back
from actors.gateways.dead_man import Cleared
from actors.market.calendar import Calendar, UnknownDayError
from actors.market.time import SECOND, at
from runtime.clock import WallClock, text
from runtime.life.exits import CORE_FAILED
from runtime.process.locks import Lock, folder_lock
from tests.exchange.hosted import until

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


def test_a_patience_in_which_a_healthy_system_need_not_beat_is_refused(tmp_path: Path) -> None:
    refused = guarded(tmp_path, "--patience", "2")
    assert refused.exit_code == 2
    assert "greater than or equal to 4" in refused.output


def test_beside_two_running_systems_or_another_guard_it_refuses(tmp_path: Path) -> None:
    with folder_lock(tmp_path / "00001"), folder_lock(tmp_path / "00002"):
        assert "2 systems run there" in guarded(tmp_path, "--once").stderr
    with Lock(tmp_path / "guard.lock", "the guard"):
        assert "is in use by process" in guarded(tmp_path, "--once").stderr


class FakeKeeper:
    """Watches what runs already, and is asked to leave when that has ended."""

    def __init__(self, over: asyncio.Event) -> None:
        self.adopts = True
        self.down = self.overstayed = False
        self.kept: int = 0
        self.told = (False, False)
        """Whether the day was over, and whether it was late."""
        self._over = over

    async def keep(self, over: Callable[[], bool], late: Callable[[], bool]) -> int:
        self.told = over(), late()
        self.adopts = False
        self.kept += 1
        self._over.set()
        return 0


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (at(dt.date(2025, 9, 2), 6), (True, False)),
        (at(dt.date(2025, 9, 2), 7, 25), (True, True)),
        (at(dt.date(2025, 9, 2), 12), (False, False)),
        (at(dt.date(2025, 9, 2), 21), (True, False)),
        (at(dt.date(2025, 9, 7), 12), (True, False)),
    ],
    ids=["before the day", "as it is to begin", "in it", "after it", "on a Sunday"],
)
def test_what_runs_already_is_watched_whatever_the_day_until_one_is_to_begin(
    monkeypatch: pytest.MonkeyPatch, now: int, told: tuple[bool, bool]
) -> None:
    monkeypatch.setattr(WallClock, "now", staticmethod(lambda: now))

    async def scene() -> FakeKeeper:
        over = asyncio.Event()
        keeper = FakeKeeper(over)
        async with asyncio.timeout(30.0):
            await each_day(keeper, Calendar(), over, lambda _: None)
        return keeper

    keeper = asyncio.run(scene())
    assert (keeper.kept, keeper.told) == (1, told)


def test_where_the_calendar_ends_a_person_is_called_and_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    late = at(dt.date(2027, 12, 31), 9)
    monkeypatch.setattr(WallClock, "now", staticmethod(lambda: late))
    said: list[str] = []
    over = asyncio.Event()

    with pytest.raises(UnknownDayError, match=r"are known for 2028-01-01: no other day is run; install"):
        asyncio.run(each_day(FakeKeeper(over), Calendar(), over, said.append))

    (alarm,) = said
    assert "calendar.toml, and start the guard again" in alarm


def test_a_month_before_the_calendar_ends_a_person_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now: list[int] = [at(dt.date(2027, 12, 6), 8)]
    monkeypatch.setattr(WallClock, "now", staticmethod(lambda: now[0]))
    said: list[str] = []

    async def scene() -> int:
        over = asyncio.Event()
        keeper = Falling(over, now, down=False)
        await each_day(keeper, Calendar(), over, said.append)
        return keeper.kept

    assert asyncio.run(scene()) == 2
    (warning,) = said
    assert warning.startswith("trading days are known until 2027-12-31 only: install a version that knows them")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX commands")
def test_an_alarm_that_was_sounded_last_is_heard_though_the_guard_ends(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import pathlib, sys; pathlib.Path(sys.argv[1]).touch()", str(tmp_path / "heard"))

    async def scene() -> None:
        bell = Bell(command)
        bell("look")
        await bell.heard()

    asyncio.run(scene())
    until((tmp_path / "heard").exists, seconds=30)


class Falling(FakeKeeper):
    """Falls after the day, and is asked to leave on the second."""

    def __init__(self, over: asyncio.Event, now: list[int], *, down: bool) -> None:
        super().__init__(over)
        self.adopts = False
        self.down = down
        self._now = now

    async def keep(self, over: Callable[[], bool], late: Callable[[], bool]) -> int:
        assert (over(), late()) == (False, False)
        self.kept += 1
        self._now[0] += 86_400 * SECOND
        if self.kept > 1:
            self._over.set()
        return CORE_FAILED


@pytest.mark.parametrize(("down", "kept"), [(True, 1), (False, 2)])
def test_a_day_that_ended_badly_is_followed_by_the_next_unless_a_person_has_to_come(
    monkeypatch: pytest.MonkeyPatch, *, down: bool, kept: int
) -> None:
    """A core actor may fail after the last session: the code alone does not say that the guard gave up."""
    now: list[int] = [at(dt.date(2026, 11, 18), 8)]
    monkeypatch.setattr(WallClock, "now", staticmethod(lambda: now[0]))

    async def scene() -> int:
        over = asyncio.Event()
        keeper = Falling(over, now, down=down)
        assert await each_day(keeper, Calendar(), over, lambda _: None) == CORE_FAILED
        return keeper.kept

    assert asyncio.run(scene()) == kept


class Lingering(FakeKeeper):
    """Keeps what never ends by itself until it is late."""

    def __init__(self, over: asyncio.Event, now: list[int], *, adopts: bool, slow: int) -> None:
        super().__init__(over)
        self.adopts = adopts
        self._now = now
        self._slow = slow
        self.ended: list[str] = []

    async def keep(self, over: Callable[[], bool], late: Callable[[], bool]) -> int:
        self.adopts = False
        while not late():
            self._now[0] += 60 * SECOND
        assert over()
        self.overstayed = True
        self._now[0] += self._slow * SECOND
        self.ended.append(text(self._now[0])[:16])
        if len(self.ended) > 1:
            self._over.set()
        return 0


@pytest.mark.parametrize(
    ("adopts", "slow", "ended"),
    [
        (False, 0, ["2026-11-20 22:00", "2026-11-23 22:00"]),
        (True, 0, ["2026-11-20 07:20", "2026-11-20 22:00"]),
        (True, 900, ["2026-11-20 07:35", "2026-11-20 22:15"]),
    ],
)
def test_a_run_that_never_ends_is_ended_before_the_next_day_needs_its_place(
    monkeypatch: pytest.MonkeyPatch, *, adopts: bool, slow: int, ended: list[str]
) -> None:
    """A system that lost its link after the close, say: a Friday's must not stand in Monday's way."""
    now: list[int] = [at(dt.date(2026, 11, 20), 7)]
    monkeypatch.setattr(WallClock, "now", staticmethod(lambda: now[0]))

    async def until(instant: int, _over: asyncio.Event) -> None:
        now[0] = max(now[0], instant)

    monkeypatch.setattr(sys.modules[each_day.__module__], "_until", until)

    async def scene() -> list[str]:
        over = asyncio.Event()
        keeper = Lingering(over, now, adopts=adopts, slow=slow)
        await each_day(keeper, Calendar(), over, lambda _: None)
        return keeper.ended

    assert asyncio.run(scene()) == ended


def test_a_guard_whose_terminal_is_gone_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Gone()
    monkeypatch.setattr(sys, "stderr", gone)

    say("nobody hears this")

    assert "nobody hears this" in gone.asked
