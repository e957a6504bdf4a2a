"""A halt outlives the process, is seen while it runs, and the end without a journal waits for what is under way."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from messages import HaltTrading, Message, ResumeTrading, RunStarted, StopSystem, TradingHalted
from runtime import system as runtime_system
from runtime.actor import Actor, handles
from runtime.disk import chain
from runtime.disk.errors import DatabaseFull
from runtime.disk.journal import NAME
from runtime.loops.loop import new_loop, run
from runtime.outside.above import take_over
from runtime.outside.door import POLL_SECONDS
from runtime.outside.inbox import send
from runtime.outside.latch import LIFT_TRIES
from runtime.outside.latch import NAME as HALT
from runtime.outside.verbs import Answer, answers
from runtime.process.heartbeat import NAME as HEARTBEAT
from runtime.process.locks import folder_lock
from runtime.settings.config import load
from runtime.system import System

HERE = "tests.runtime.outside.test_halting"


class Bell(Message):
    journalled = False


class Dealer(Actor, publishes=(TradingHalted, HaltTrading, ResumeTrading, StopSystem), obeys=(HaltTrading,)):
    """Halts like a trader; ends after `seconds`, 0 is never; has `work` under way for as many looks."""

    def __init__(self, *, seconds: float = 0.0, halts: bool = False, work: int = 0) -> None:
        self.seconds = seconds
        self.halts = halts
        self.work = work
        self.heard: list[str] = []

    def unfinished(self) -> int:
        self.work -= 1
        return max(self.work, 0)

    @answers("deal")
    async def deal(self, *, by: str) -> Answer:
        self.publish(ResumeTrading(by=by))
        return {"heard": self.heard}

    @answers("stumble")
    def stumble(self) -> Answer:
        raise RuntimeError("over my own feet")

    @handles
    def on_start_of_run(self, _message: RunStarted) -> None:
        self.heard.append("run")
        if self.halts:
            self.publish(HaltTrading(reason="enough", by=self.desk.name))
        if self.seconds:
            self.after(self.seconds, Bell())

    @handles
    def on_bell(self, _bell: Bell) -> None:
        self.publish(StopSystem(reason="done"))

    @handles
    def on_halt(self, message: HaltTrading) -> None:
        self.heard.append(f"halt {message.reason} {message.by} {message.flatten}")
        self.publish(TradingHalted(time=message_time(), reason=message.reason))


def message_time() -> Any:
    return 1


def system(tmp_path: Path, *, time: str = "simulated", fresh: bool = False, **keys: object) -> System:
    lines = "".join(f"{key} = {str(value).lower()}\n" for key, value in keys.items())
    path = tmp_path / "test.toml"
    path.write_text(
        f"[system]\ndata = '{tmp_path / 'data'}'\ntime = '{time}'\nfresh = {str(fresh).lower()}\n"
        f"[actor.one]\nuse = '{HERE}:Dealer'\n{lines}",
        encoding="utf-8",
    )
    return System(load(path))


def play(made: System) -> int:
    return run(made.run, new_loop("virtual" if made.simulated else "asyncio"))


def said(tmp_path: Path) -> list[Message]:
    return [envelope.message for envelope in chain.envelopes(tmp_path / "data" / NAME)]


def dealer(made: System) -> Dealer:
    found = next(seat.actor for seat in made.crew.seats.values() if seat.name == "one")
    assert isinstance(found, Dealer)
    return found


def test_a_halt_of_any_actor_is_latched_and_the_next_start_is_halted_before_anything_else(tmp_path: Path) -> None:
    assert play(system(tmp_path, seconds=1.0, halts=True)) == 3
    assert "reason: enough" in (tmp_path / "data" / HALT).read_text(encoding="utf-8")

    again = system(tmp_path, seconds=1.0)
    assert play(again) == 3
    assert dealer(again).heard == ["halt enough one False", "run"]
    kinds = [type(message) for message in said(tmp_path)]
    assert kinds[-5:].count(HaltTrading) == 1
    assert kinds.index(HaltTrading, kinds.index(StopSystem)) < kinds.index(RunStarted, kinds.index(StopSystem))


def test_a_latch_laid_by_hand_before_a_start_halts_and_may_ask_to_flatten(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / HALT).write_text("halted: x\nby: kim\nflatten: yes\nreason: no trust\n", encoding="utf-8")
    made = system(tmp_path, seconds=1.0)

    assert play(made) == 3
    assert dealer(made).heard[0] == "halt no trust kim True"


def test_a_latch_above_a_run_with_a_folder_of_its_own_halts_that_run(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / HALT).write_text("halted: x\nby: kim\nflatten: yes\nreason: no trust\n", encoding="utf-8")
    made = system(tmp_path, seconds=1.0, fresh=True)

    assert play(made) == 3
    assert dealer(made).heard[0] == "halt no trust kim True"
    assert not (tmp_path / "data" / HALT).exists(), "it is the run's now"
    assert "no trust" in (tmp_path / "data" / "00001" / HALT).read_text(encoding="utf-8")


def test_the_latch_of_a_run_in_the_data_folder_itself_is_not_taken_by_one_below_it(tmp_path: Path) -> None:
    assert play(system(tmp_path, seconds=1.0, halts=True)) == 3
    assert play(system(tmp_path, seconds=1.0, fresh=True)) == 0

    assert (tmp_path / "data" / HALT).exists()
    assert play(system(tmp_path, seconds=1.0)) == 3


def test_a_file_made_above_two_runs_halts_both(tmp_path: Path) -> None:
    data = tmp_path / "data"
    folders = [data / name for name in ("00001", "00002")]
    with ExitStack() as stack:
        for folder in folders:
            stack.enter_context(folder_lock(folder))
        (data / HALT).write_text("halted: x\nby: kim\nflatten: yes\nreason: no trust\n", encoding="utf-8")
        take_over(data, folders[0])

    assert ["no trust" in (folder / HALT).read_text(encoding="utf-8") for folder in folders] == [True, True]
    assert not (data / HALT).exists()


@asynccontextmanager
async def running(made: System) -> AsyncGenerator[Callable[..., Awaitable[dict[str, Any]]]]:
    loop = asyncio.get_running_loop()
    task = loop.create_task(made.run())
    while not any(seat.name == "one" and dealer(made).heard for seat in made.crew.seats.values()):  # noqa: ASYNC110
        await asyncio.sleep(0.001)

    async def ask(verb: str, **arguments: Any) -> dict[str, Any]:
        return await asyncio.to_thread(lambda: send(made.folder, verb, **arguments))

    yield ask
    await task


def test_a_file_made_while_it_runs_halts_at_its_next_look_and_a_resume_removes_it(tmp_path: Path) -> None:
    made = system(tmp_path, time="real")

    async def scene() -> None:
        async with running(made) as ask:
            for _ in range(5):
                dealer(made).heard.clear()
                (made.folder / HALT).touch()
                while not (dealer(made).heard and made.vitals.halted):  # noqa: ASYNC110 - the system's own poll
                    await asyncio.sleep(0.001)
                assert (await ask("deal", by="kim"))["heard"] == ["halt the file HALT a person False"]
                while (made.folder / HALT).exists():  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            assert (await ask("status"))["halted"] == ""
            assert (made.folder / HEARTBEAT).exists()
            await ask("stop")

    run(scene, new_loop("asyncio"))
    assert POLL_SECONDS <= 0.1
    assert play(system(tmp_path, seconds=0.1)) == 0


@pytest.mark.parametrize("times", [3, 1_000], ids=["for an instant", "for good"])
def test_a_latch_that_somebody_holds_open_ends_no_resumed_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """On Windows nobody can remove what another program reads just now."""
    made, left, unlink = system(tmp_path, time="real"), [times], Path.unlink

    def held(path: Path, *, missing_ok: bool = False) -> None:
        if path.name == HALT and left[0]:
            left[0] -= 1
            raise PermissionError(13, "in use by another process", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", held)

    async def scene() -> None:
        async with running(made) as ask:
            (made.folder / HALT).touch()
            while "halt the file HALT a person False" not in dealer(made).heard:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            await ask("deal", by="kim")
            while left[0] and (times - left[0]) < LIFT_TRIES:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            await asyncio.sleep(3 * POLL_SECONDS)
            assert (await ask("status"))["halted"] == ""
            assert (made.folder / HALT).exists() == bool(left[0])
            await ask("stop")

    run(scene, new_loop("asyncio"))


def test_a_file_made_above_a_running_run_halts_it_too(tmp_path: Path) -> None:
    made = system(tmp_path, time="real", fresh=True)

    async def scene() -> list[str]:
        async with running(made) as ask:
            (tmp_path / "data" / HALT).touch()
            async with asyncio.timeout(30.0):
                while len(dealer(made).heard) < 2:  # noqa: ASYNC110 - what is waited for is the system's own poll
                    await asyncio.sleep(0.001)
            await ask("stop")
            return dealer(made).heard

    assert run(scene, new_loop("asyncio")) == ["run", "halt the file HALT a person False"]
    assert (made.folder / HALT).exists()
    assert not (tmp_path / "data" / HALT).exists()


def test_a_part_that_stumbles_over_a_question_goes_on(tmp_path: Path) -> None:
    made = system(tmp_path, time="real")

    async def scene() -> list[dict[str, Any]]:
        async with running(made) as ask:
            return [await ask("stumble"), await ask("deal"), await ask("stop")]

    stumbled, incomplete, stopped = run(scene, new_loop("asyncio"))
    assert stumbled == {"error": "stumble failed: RuntimeError: over my own feet"}
    assert incomplete == {"error": "deal needs by"}
    assert stopped == {"stopping": True}


@pytest.mark.parametrize(("work", "seconds"), [(0, 0.0), (30, 2.9), (10**9, runtime_system.BLIND_SECONDS)])
def test_without_a_journal_the_run_ends_when_nothing_is_under_way_or_after_a_minute(
    tmp_path: Path, work: int, seconds: float
) -> None:
    made = system(tmp_path, work=work)
    ended: list[float] = []

    async def scene() -> int:
        loop = asyncio.get_running_loop()
        task = loop.create_task(made.run())
        await asyncio.sleep(1)
        failed = loop.time()
        made.journal_failed(DatabaseFull("the disk is full"))
        code = await task
        ended.append(loop.time() - failed)
        return code

    assert run(scene, new_loop("virtual")) == 4
    assert seconds <= ended[0] < seconds + 0.5
    assert dealer(made).heard == ["run", "halt the journal failed: the disk is full journal False"]
    assert made.vitals.stopping == "the journal failed: the disk is full"


def test_whoever_asks_need_not_wait_for_what_is_under_way(tmp_path: Path) -> None:
    made = system(tmp_path, time="real", work=10**9)

    async def scene() -> float:
        async with running(made) as ask:
            made.journal_failed(DatabaseFull("the disk is full"))
            asked = monotonic()
            await ask("stop")
        return monotonic() - asked

    assert run(scene, new_loop("asyncio")) < 30
