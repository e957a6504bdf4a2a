"""A run opens, starts, supervises, drains and stops in order."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar, Self

import pytest

from messages import (
    ActorFailed,
    HaltTrading,
    Message,
    ResumeTrading,
    RunStarted,
    RunStopping,
    StopSystem,
    TradingHalted,
)
from runtime.actor import Actor, handles
from runtime.disk import chain
from runtime.disk.journal import NAME
from runtime.envelope import Envelope
from runtime.life.reload import reload
from runtime.loops.loop import new_loop, run
from runtime.outside.inbox import send
from runtime.settings.config import load
from runtime.system import System

HERE = "tests.runtime.test_system"
HEAD = """
[system]
data = '{data}'
time = "{time}"
"""

log: list[str] = []


class Gate:
    """A gateway that says when it opens and closes."""

    async def __aenter__(self) -> Self:
        log.append("gate open")
        return self

    async def __aexit__(self, *_: object) -> None:
        log.append("gate closed")


class Worker(Actor, publishes=(StopSystem, HaltTrading)):
    """Stops the system after `seconds`; fails on every halt."""

    made: ClassVar[int] = 0

    def __init__(self, *, seconds: float = 60.0, word: str = "work", halts: int = 0) -> None:
        type(self).made += 1
        self.seconds = seconds
        self.word = word
        self.halts = halts

    def on_start(self) -> None:
        log.append(f"{self.desk.name} starts")

    def on_stop(self) -> None:
        log.append(f"{self.desk.name} stops")

    @handles
    def on_run(self, _: RunStarted) -> None:
        log.append(f"{self.desk.name} runs")
        for _index in range(self.halts):
            self.publish(HaltTrading(reason=self.word, by="test"))
        self.after(self.seconds, StopSystem(reason="enough"))

    @handles
    def on_stop_due(self, message: StopSystem) -> None:
        if message.reason == "enough":
            self.publish(StopSystem(reason="done"))

    @handles
    def on_stopping(self, _: RunStopping) -> None:
        log.append(f"{self.desk.name} told to stop")


class Fragile(Actor):
    """Fails on every halt."""

    @handles
    def on_halt(self, message: HaltTrading) -> None:
        log.append(f"fragile {message.reason}")
        raise RuntimeError("broken")


class FragileCore(Fragile, core=True):
    """The same, where it matters."""


class Slow(Actor, obeys=(HaltTrading,)):
    """Its handler waits for the outside."""

    @handles
    async def on_halt(self, message: HaltTrading) -> None:
        await asyncio.sleep(0.01)
        log.append(f"slow {message.reason}")


class Failures(Actor, publishes=(TradingHalted,)):
    @handles
    def on_failure(self, message: ActorFailed) -> None:
        log.append(f"{message.actor} failed {message.failures}{' off' if message.off else ''}")


@pytest.fixture(autouse=True)
def _forget() -> None:
    log.clear()


def system(tmp_path: Path, tables: str, *, time: str = "simulated") -> System:
    path = tmp_path / "test.toml"
    path.write_text(HEAD.format(data=tmp_path / "data", time=time) + tables, encoding="utf-8")
    return System(load(path))


def play(made: System) -> int:
    return run(made.run, new_loop("virtual" if made.simulated else "asyncio"))


def actor(name: str, maker: str, **keys: object) -> str:
    lines = "".join(f"{key} = {value!r}\n".replace("'", '"') for key, value in keys.items())
    return f'\n[actor.{name}]\nuse = "{HERE}:{maker}"\n{lines}'


GATE = f'\n[gateway.gate]\nuse = "{HERE}:Gate"\n'


def test_it_starts_in_order_and_stops_in_reverse(tmp_path: Path) -> None:
    made = system(tmp_path, GATE + actor("one", "Worker") + actor("two", "Worker", seconds=1e6))
    assert play(made) == 0
    assert log[:3] == ["gate open", "one starts", "two starts"]
    assert sorted(log[3:7]) == ["one runs", "one told to stop", "two runs", "two told to stop"]
    assert log[7:] == ["two stops", "one stops", "gate closed"]


def test_a_simulated_hour_takes_no_time_and_leaves_a_whole_journal(tmp_path: Path) -> None:
    assert play(system(tmp_path, actor("one", "Worker", seconds=3600))) == 0
    verdict = chain.verify(tmp_path / "data" / NAME)
    assert verdict.ok
    kinds = [type(e.message) for e in chain.envelopes(tmp_path / "data" / NAME)]
    assert kinds == [RunStarted, StopSystem, RunStopping]


def test_the_same_seed_writes_the_same_journal(tmp_path: Path) -> None:
    heads: list[str] = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        tables = actor("one", "Worker", halts=3) + actor("two", "Slow") + actor("three", "Worker", seconds=9)
        path = folder / "test.toml"
        path.write_text(HEAD.format(data=folder / "data", time="simulated") + tables, encoding="utf-8")
        made = System(load(path))
        play(made)
        heads.append(
            "".join(
                str(e.message) for e in chain.envelopes(folder / "data" / NAME) if not isinstance(e.message, RunStarted)
            )
        )
    assert heads[0] == heads[1]


def test_a_leaf_is_replaced_and_stays_off_after_three_failures(tmp_path: Path) -> None:
    made = system(tmp_path, actor("fragile", "Fragile") + actor("watch", "Failures") + actor("one", "Worker", halts=5))
    assert play(made) == 0
    assert log.count("fragile work") == 3
    assert [line for line in log if line.startswith("fragile failed")] == [
        "fragile failed 1",
        "fragile failed 2",
        "fragile failed 3 off",
    ]


def test_a_failing_core_actor_ends_the_process_with_its_own_code(tmp_path: Path) -> None:
    made = system(tmp_path, actor("fragile", "FragileCore") + actor("one", "Worker", halts=1))
    assert play(made) == 4
    assert "fragile failed in on_halt: broken" in made.vitals.stopping


def test_what_a_waiting_handler_has_not_seen_waits_for_it_in_order(tmp_path: Path) -> None:
    made = system(tmp_path, actor("slow", "Slow") + actor("one", "Worker", halts=3, seconds=0.0))
    assert play(made) == 0
    assert [line for line in log if line.startswith("slow")] == ["slow work"] * 3


def test_replicas_have_mailboxes_of_their_own(tmp_path: Path) -> None:
    made = system(tmp_path, actor("team", "Slow", replicas=3) + actor("one", "Worker"))
    play(made)
    assert sorted(seat.name for seat in made.crew.seats.values()) == ["one", "system", "team/1", "team/2", "team/3"]


def test_reload_swaps_changed_leaves_and_names_what_needs_a_restart(tmp_path: Path) -> None:
    made = system(
        tmp_path, GATE + actor("one", "Worker") + actor("core", "FragileCore") + actor("two", "Worker", seconds=5)
    )
    path = tmp_path / "test.toml"
    answers: list[dict[str, object]] = []

    async def change() -> None:
        await asyncio.sleep(1)
        text = path.read_text(encoding="utf-8").replace("seconds = 5", "seconds = 7").replace("FragileCore", "Fragile")
        path.write_text(text + actor("three", "Slow"), encoding="utf-8")
        answers.append(await reload(made.crew))

    async def both() -> int:
        task = asyncio.get_running_loop().create_task(change())
        code = await made.run()
        await task
        return code

    assert run(both, new_loop("virtual")) == 0
    assert answers == [{"swapped": ["two", "three"], "needs_restart": ["core"]}]


@asynccontextmanager
async def running(made: System) -> AsyncGenerator[Callable[[str], "asyncio.Future[object]"]]:
    loop = asyncio.get_running_loop()
    task = loop.create_task(made.run())
    while "one runs" not in log:  # noqa: ASYNC110 - what is waited for is in another loop's hands
        await asyncio.sleep(0.001)
    yield lambda verb: loop.run_in_executor(None, lambda: send(made.folder, verb))
    await task


def test_a_running_system_answers_status_and_stops_when_asked(tmp_path: Path) -> None:
    made = system(tmp_path, actor("one", "Worker"), time="real")

    async def ask() -> list[object]:
        async with running(made) as command:
            return [await command(verb) for verb in ("status", "dance", "stop")]

    status, dance, stop = run(ask, new_loop("asyncio"))
    assert isinstance(status, dict)
    assert status["run"] == 1
    assert dance == {"error": "unknown command 'dance'; known: reload, status, stop"}
    assert stop == {"stopping": True}
    assert log[-1] == "one stops"


def test_a_reload_that_will_not_do_changes_nothing(tmp_path: Path) -> None:
    made = system(tmp_path, actor("one", "Picky", grade=1) + actor("two", "Worker", seconds=5) + actor("slow", "Slow"))
    path = tmp_path / "test.toml"
    answers: list[dict[str, object]] = []

    async def change() -> None:
        await asyncio.sleep(1)
        path.write_text(path.read_text(encoding="utf-8").replace("grade = 1", "grade = 7"), encoding="utf-8")
        answers.append(await reload(made.crew))

    async def both() -> int:
        task = asyncio.get_running_loop().create_task(change())
        code = await made.run()
        await task
        return code

    assert run(both, new_loop("virtual")) == 0
    assert "grade 7 is too high" in str(answers[0]["error"])


class Picky(Actor):
    """Takes no grade over 5."""

    def __init__(self, *, grade: int) -> None:
        if grade > 5:
            raise ValueError(f"grade {grade} is too high")


class Stillborn(Actor):
    """Cannot start."""

    def on_start(self) -> None:
        raise RuntimeError("no start")


class StillbornCore(Stillborn, core=True):
    """The same, where it matters."""


class Clinging(Actor):
    """Cannot stop."""

    def on_stop(self) -> None:
        raise RuntimeError("no end")


class Unlucky(Actor):
    """Can be made once, and fails then."""

    made: ClassVar[int] = 0

    def __init__(self) -> None:
        type(self).made += 1
        if self.made > 2:  # the rehearsal does not count here, the first instance does
            raise RuntimeError("no second chance")

    @handles
    def on_halt(self, _: HaltTrading) -> None:
        raise RuntimeError("broken")


class Babbler(Actor):
    """Says what it never declared."""

    @handles
    def on_run(self, _: RunStarted) -> None:
        self.publish(StopSystem(reason="because"))


@pytest.mark.parametrize(
    ("maker", "failures"),
    [("Stillborn", 3), ("Babbler", 1), ("Clinging", 1), ("Unlucky", 3)],
)
def test_however_a_leaf_fails_the_others_go_on(tmp_path: Path, maker: str, failures: int) -> None:
    Unlucky.made = 1
    made = system(tmp_path, actor("one", "Worker", halts=1) + actor("bad", maker) + actor("watch", "Failures"))
    assert play(made) == 0
    assert log[-1] == "one stops"
    assert sum(line.startswith("bad failed") for line in log) == failures
    names = [e.message.actor for e in chain.envelopes(tmp_path / "data" / NAME, types=(ActorFailed,))]  # type: ignore[attr-defined]
    assert names == ["bad"] * failures


def test_a_core_actor_that_cannot_start_ends_the_process_in_order(tmp_path: Path) -> None:
    made = system(tmp_path, GATE + actor("one", "Worker") + actor("bad", "StillbornCore") + actor("two", "Worker"))
    assert play(made) == 4
    assert "two starts" not in log
    assert log[-2:] == ["one stops", "gate closed"]
    assert chain.verify(tmp_path / "data" / NAME).ok


def test_messages_of_the_runtime_are_understood_by_the_journal() -> None:
    assert all(issubclass(kind, Message) for kind in chain.KINDS.values())


class Rememberer(Actor, publishes=(HaltTrading,)):
    """Rebuilds what it heard from the past, and would say something each time."""

    async def on_start(self) -> None:
        self.heard: list[str] = []
        self.unsaid = await self.recall(self._past())
        log.append(f"recalled {self.heard}, unsaid {self.unsaid}")

    async def _past(self) -> AsyncIterator[Message | Envelope]:
        for envelope in chain.envelopes(self.desk.data / NAME, types=(StopSystem,)):
            yield envelope

    @handles
    def on_stop_due(self, message: StopSystem) -> None:
        self.heard.append(message.reason)
        self.publish(HaltTrading(reason="heard", by="test"))
        self.after(1.0, StopSystem(reason="again"))


def test_an_actor_relives_the_past_in_silence(tmp_path: Path) -> None:
    play(system(tmp_path, actor("one", "Worker")))
    log.clear()
    play(system(tmp_path, actor("rememberer", "Rememberer") + actor("one", "Worker")))
    assert log[0] == "recalled ['done'], unsaid 1"
    halts = list(chain.envelopes(tmp_path / "data" / NAME, types=(HaltTrading,)))
    assert [envelope.source for envelope in halts] == ["rememberer"]


class Halter(Actor, publishes=(TradingHalted, ResumeTrading, StopSystem)):
    """Halts, and perhaps resumes, before it stops the system."""

    def __init__(self, *, resume: bool = False) -> None:
        self.resume = resume

    @handles
    def on_run(self, message: RunStarted) -> None:
        self.publish(TradingHalted(time=message.time, reason="daily loss"))
        if self.resume:
            self.publish(ResumeTrading(by="a person"))
        self.publish(StopSystem(reason="done"))


@pytest.mark.parametrize(("resume", "code"), [("false", 3), ("true", 0)])
def test_a_run_that_ends_halted_says_so_with_its_own_code(tmp_path: Path, resume: str, code: int) -> None:
    tables = f'\n[actor.halter]\nuse = "{HERE}:Halter"\nresume = {resume}\n'
    assert play(system(tmp_path, tables)) == code
