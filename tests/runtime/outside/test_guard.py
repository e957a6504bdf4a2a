"""The guard restarts what falls, kills what hangs, leaves down what keeps falling, and then takes back its orders."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from messages import Nanoseconds, RunStopping
from runtime.bus import RUN_BITS
from runtime.clock import WallClock
from runtime.disk.journal import Journal
from runtime.envelope import Envelope
from runtime.life.exits import BAD_CONFIG, FAILED
from runtime.outside.adopted import Adopted
from runtime.outside.guard import GAVE_UP, Guard, Terms
from runtime.outside.latch import Latch
from runtime.process.heartbeat import NAME

ROOT = Path(__file__).parents[3]
CHILD = """
import os, pathlib, sys, time
folder, script = pathlib.Path(sys.argv[1]), sys.argv[2].split()
(folder / "starts").open("a").write("x")
step = script[min(len((folder / "starts").read_text()), len(script)) - 1]
beats, _, end = step.partition(",")
for _ in range(int(beats)):
    (folder / "heartbeat").touch()
    os.utime(folder / "heartbeat")
    time.sleep(0.05)
if end == "hang":
    time.sleep(60)
if end == "killed":
    os.kill(os.getpid(), 9)
sys.exit(int(end))
"""
ON_WINDOWS = sys.platform == "win32"
KILLED = 9 if ON_WINDOWS else -9
"""Windows knows no signals, only a code that whoever ends a process chooses."""
PATIENCE = 8.0 if ON_WINDOWS else 1.6
"""Windows takes longer to start a process."""
TERMS = Terms(patience=PATIENCE, birth=5.0, pauses=(0.05,), most=3, again=0.05, late=0.3, stop=2.0)


class Watch:
    """A guard whose child does, life by life, `beats,end`; and all it said and did."""

    def __init__(
        self,
        folder: Path,
        script: str,
        *,
        refusals: int = 0,
        trouble: Exception | None = None,
        terms: Terms = TERMS,
        latch: Latch | None = None,
        command: Sequence[str] = (),
        place: Callable[[], Path] | None = None,
    ) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.alarms: list[str] = []
        self.acts: list[float] = []
        self._refusals = refusals
        self._trouble = trouble or ConnectionRefusedError("nobody there")
        self.guard = Guard(
            command or [sys.executable, "-c", CHILD, str(folder), script],
            place or (lambda: folder),
            latch=latch or Latch(folder),
            say=self.lines.append,
            alarm=self.alarms.append,
            dead_man=self._act,
            terms=terms,
        )

    async def _act(self) -> str:
        self.acts.append(monotonic())
        if len(self.acts) <= self._refusals:
            raise self._trouble
        return "3 orders taken back"

    def keep(self, over: Callable[[], bool] = lambda: False, late: Callable[[], bool] = lambda: False) -> int:
        return asyncio.run(self.guard.keep(over, late))

    @property
    def starts(self) -> int:
        return len((self.folder / "starts").read_text())


@pytest.mark.parametrize("code", [0, 2, 3])
def test_a_run_that_ended_by_itself_or_cannot_be_is_left_alone(tmp_path: Path, code: int) -> None:
    watch = Watch(tmp_path, f"2,{code}")

    assert watch.keep() == code
    assert (watch.starts, watch.acts) == (1, [])
    stays = ["the config will not do: the system stays down until you start it"]
    assert (watch.alarms, watch.guard.down) == ((stays, True) if code == BAD_CONFIG else ([], False))


def test_what_falls_is_started_again_and_soon_enough_nothing_is_taken_back(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "3,killed 3,1 3,4 3,0")

    assert watch.keep() == 0
    assert (watch.starts, watch.acts) == (4, [])
    assert [line.split(" and ")[0] for line in watch.alarms] == [
        f"the system ended with code {KILLED}",
        "the system ended with code 1",
        "the system ended with code 4",
    ]


def test_a_broker_out_of_reach_is_tried_again_and_again_with_one_alarm(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "1,5 " * (TERMS.most + 3) + "3,0")

    assert watch.keep() == 0
    assert watch.starts == TERMS.most + 4
    assert watch.alarms == ["the broker is out of reach, the system is started again in 0.05 s"]
    assert Latch(tmp_path).read() is None


def test_the_night_between_two_days_is_no_heartbeat_that_is_missing(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "3,0 3,0")

    assert watch.keep() == 0
    sleep(PATIENCE + 0.5)
    assert watch.keep() == 0

    assert (watch.starts, watch.acts, watch.alarms) == (2, [], [])


def test_what_still_runs_when_it_is_late_is_stopped_and_a_person_is_called(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "400,0")

    watch.keep(over=lambda: True, late=(tmp_path / NAME).exists)

    assert watch.guard.overstayed
    assert watch.alarms == ["its day is over and the system runs on: it is stopped"]
    assert watch.starts == 1


def test_a_clock_that_is_wrong_for_a_moment_stops_nothing(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "20,0")
    looks = iter([False, True, *[False] * 1_000])

    assert watch.keep(late=lambda: next(looks)) == 0
    assert (watch.guard.overstayed, watch.alarms) == (False, [])


def test_what_hangs_is_killed_and_started_again(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "3,hang 3,0")

    assert watch.keep() == 0
    assert watch.acts == []
    assert any("no heartbeat for" in line for line in watch.lines)


def test_when_no_restart_brings_the_heartbeat_back_orders_are_taken_back_once_patience_ends(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "3,killed 0,hang", terms=TERMS._replace(birth=PATIENCE + 0.9, most=1))
    beats: list[float] = []

    async def scene() -> None:
        task = asyncio.get_running_loop().create_task(watch.guard.keep(lambda: False))
        mark = 0
        while not watch.acts:
            found = (tmp_path / NAME).stat().st_mtime_ns if (tmp_path / NAME).exists() else 0
            if found != mark:
                mark = found
                beats.append(monotonic())
            await asyncio.sleep(0.005)
        watch.guard.leave()
        await task

    asyncio.run(scene())
    assert TERMS.patience - 0.4 < watch.acts[0] - beats[-1] < TERMS.patience + 10


def test_what_keeps_falling_stays_down_halted_and_a_person_is_called(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "0,1")

    assert watch.keep() == GAVE_UP
    assert watch.starts == 4
    assert len(watch.acts) == 1
    assert watch.alarms[-2].startswith("the system ended 4 times within a minute, the last time with code 1")
    assert watch.alarms[-1].endswith("3 orders taken back")
    latched = Latch(tmp_path).read()
    assert latched is not None
    assert latched.by == "guard"


def test_a_dead_man_without_a_way_to_the_broker_tries_again(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "0,1", refusals=3)

    assert watch.keep() == GAVE_UP
    assert len(watch.acts) == 4
    assert sum("no way to the broker" in line for line in watch.lines) == 3
    assert len([line for line in watch.alarms if "dead-man" in line]) == 1


def test_a_failure_after_the_day_is_left_for_tomorrow(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "1,4")

    assert watch.keep(lambda: True) == 4
    assert watch.starts == 1


def test_asked_to_leave_it_stops_the_system_and_starts_no_other(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "100,0")

    async def scene() -> int:
        task = asyncio.get_running_loop().create_task(watch.guard.keep(lambda: False))
        while not (tmp_path / NAME).exists():  # noqa: ASYNC110 - the child is another process
            await asyncio.sleep(0.01)
        watch.guard.leave()
        return await task

    assert asyncio.run(scene()) == 0, "it ended as it was asked to"
    assert (watch.starts, watch.acts) == (1, [])


def test_a_system_that_was_killed_leaves_no_exit_code_of_its_own(tmp_path: Path) -> None:
    assert Watch(tmp_path, "2,killed").keep(lambda: True) == (KILLED if ON_WINDOWS else FAILED)


def test_what_stays_down_is_halted_where_the_next_start_looks(tmp_path: Path) -> None:
    run = tmp_path / "00001"
    run.mkdir()
    watch = Watch(run, "1,1 " * 9, latch=Latch(tmp_path))

    assert watch.keep() == GAVE_UP
    assert Latch(tmp_path).read() is not None
    assert Latch(run).read() is None


def test_a_dead_man_whom_the_broker_answers_nonsense_tries_again(tmp_path: Path) -> None:
    trouble = asyncio.IncompleteReadError(b"", 4)
    watch = Watch(tmp_path, "0,1", refusals=2, trouble=trouble, terms=TERMS._replace(most=0))

    assert watch.keep() == GAVE_UP
    assert len(watch.acts) == 3
    assert len([line for line in watch.alarms if "dead-man" in line]) == 1


def test_a_system_that_cannot_even_be_started_counts_as_one_that_fell(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "0,0", command=[str(tmp_path / "nothing")])

    assert watch.keep() == GAVE_UP
    assert len(watch.acts) == 1
    assert any("cannot be started" in line for line in watch.lines)


def test_a_data_folder_out_of_reach_does_not_end_the_watch(tmp_path: Path) -> None:
    looks: list[int] = []

    def folder() -> Path:
        looks.append(1)
        if len(looks) in (3, 4):
            raise PermissionError(13, "not now")
        return tmp_path

    watch = Watch(tmp_path, "20,0", place=folder)

    assert watch.keep() == 0
    assert len(looks) > 4


HELD = """
import os, pathlib, sys, time
from runtime.process.locks import folder_lock
folder, beats, end = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
with folder_lock(folder):
    for _ in range(beats):
        (folder / "heartbeat").touch()
        os.utime(folder / "heartbeat")
        print("beat", flush=True)
        time.sleep(0.05)
        if list(folder.glob("inbox/*.command.json")):
            sys.exit()
    time.sleep(60 if end == "hang" else 0)
    os.kill(os.getpid(), 9 if end == "killed" else 0)
"""


@contextmanager
def held(folder: Path, beats: int, end: str) -> Generator[int]:
    """A system that runs already, and how it will end."""
    with subprocess.Popen(
        [sys.executable, "-c", HELD, str(folder), str(beats), end], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"beat"
        yield process.pid
        process.kill()


@pytest.mark.parametrize(("beats", "end"), [(5, "killed"), (3, "hang")])
def test_a_system_that_runs_already_is_watched_and_followed_by_one_of_its_own(
    tmp_path: Path, beats: int, end: str
) -> None:
    watch = Watch(tmp_path, "3,0")
    with held(tmp_path, beats, end) as number:
        watch.guard.adopt(Adopted(tmp_path))
        assert watch.keep() == 0

    assert watch.starts == 1
    assert watch.lines[0] == f"a system runs as process {number} already: it is watched from here on"
    assert any("no heartbeat" in line for line in watch.lines) == (end == "hang")
    assert watch.acts == []


class Undying(Adopted):
    """Another user's, say."""

    ended: int | None = None

    @property
    def pid(self) -> int:
        return 1

    @property
    def returncode(self) -> int | None:
        return self.ended

    def kill(self) -> None:
        raise PermissionError(1, "Operation not permitted")

    terminate = kill


def test_what_hangs_and_cannot_be_killed_is_told_once_and_its_orders_are_taken_back(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "3,0", terms=TERMS._replace(patience=0.6, death=0.05))
    running = Undying(tmp_path)
    watch.guard.adopt(running)

    async def scene() -> None:
        task = asyncio.get_running_loop().create_task(watch.guard.keep(lambda: True))
        (tmp_path / NAME).touch()
        while not watch.acts:  # noqa: ASYNC110 - the guard tells nobody
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        running.ended = 1
        await task

    asyncio.run(scene())
    assert len(watch.acts) == 1
    assert [line.split(":")[0] for line in watch.alarms] == ["the system hangs and cannot be killed", "dead-man"]


def test_a_system_that_runs_already_is_stopped_with_its_new_guard(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "3,0")

    async def scene() -> int:
        task = asyncio.get_running_loop().create_task(watch.guard.keep(lambda: False))
        await asyncio.sleep(0.1)
        watch.guard.leave()
        return await task

    with held(tmp_path, 10_000, "done"):
        watch.guard.adopt(Adopted(tmp_path))
        asyncio.run(scene())
    assert not (tmp_path / "starts").exists()


@pytest.mark.parametrize(("code", "closed"), [(0, True), (5, True), (0, False)])
def test_how_a_system_of_somebody_else_ended_is_told_by_its_journal(tmp_path: Path, code: int, *, closed: bool) -> None:
    async def live() -> None:
        journal = Journal(tmp_path, clock=WallClock(), reserve=4_096)
        async with journal:
            number = (journal.run << RUN_BITS) + 1
            stopping = RunStopping(time=Nanoseconds(1), reason="over", code=code)
            journal.append(Envelope(number, 1, "system", 0, stopping))
            await journal.durable(number)
            if not closed:
                shutil.copytree(tmp_path, tmp_path / "cut")

    asyncio.run(live())
    assert Adopted(tmp_path if closed else tmp_path / "cut").returncode == (code if closed else FAILED)
    assert Adopted(tmp_path / "nothing").returncode == FAILED


def test_a_config_that_was_broken_meanwhile_leaves_no_order_alone_and_calls_a_person(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "3,killed 0,2", refusals=1)

    assert watch.keep() == BAD_CONFIG
    assert len(watch.acts) == 2
    assert watch.alarms[1] == "the config will not do any more: the system stays down until you start it"
    assert watch.alarms[-1].endswith("3 orders taken back")
