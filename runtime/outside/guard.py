"""The process beside the system: starts it, feels its pulse, starts it again, and knows when to leave it down."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from runtime.actor import words
from runtime.clock import WallClock, text
from runtime.life.exits import BAD_CONFIG, CORE_FAILED, DONE, FAILED, STOPPED_BY_RISK, UNREACHABLE
from runtime.outside import inbox
from runtime.outside.adopted import Adopted
from runtime.outside.latch import Halt, Latch
from runtime.process.children import OWN_GROUP, UNHEARD, ask_to_end
from runtime.process.heartbeat import Pulse

GAVE_UP = CORE_FAILED
Process = asyncio.subprocess.Process | Adopted
ENDS = (DONE, BAD_CONFIG, STOPPED_BY_RISK)
"""Exit codes of a system that is not started again."""
_LOOK = 0.1
_MINUTE = 60.0


def _never() -> bool:
    return False


class Terms(NamedTuple):
    """How patient the guard is; seconds."""

    patience: float = 10.0
    """After the last beat, until the dead-man acts. A system that hangs is killed after half of it."""
    birth: float = 60.0
    """Until the first beat of a system that was just started."""
    pauses: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
    """Before it is started again, by how often it ended within a minute."""
    most: int = 5
    """Ends within a minute, after which it stays down; where the broker is out of reach none is counted."""
    again: float = 5.0
    """Until a dead-man that found no way to the broker tries once more."""
    death: float = 5.0
    """Until one that was killed is gone; one that hangs in the kernel, or is another user's, is not."""
    late: float = 5.0
    """That it must be late for: a clock may be wrong for a moment."""
    stop: float = 330.0
    """That an orderly stop may take."""


class Guard:
    """Keeps one system running.

    `folder` names the folder of the newest run, `latch` is what halts the next one, `say` takes a line for people,
    `alarm` one for the person to be called, and `dead_man` takes back what is open and says what came of it.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Callable[[], Path],
        *,
        latch: Latch,
        say: Callable[[str], None],
        alarm: Callable[[str], None],
        dead_man: Callable[[], Awaitable[str]],
        terms: Terms = Terms(),  # noqa: B008 - a value
    ) -> None:
        self._command = command
        self._folder = folder
        self._latch = latch
        self._say = say
        self._alarm = alarm
        self._dead_man = dead_man
        self._terms = terms
        self._place = folder()
        self._pulse = Pulse(self._place)
        self._adopted: Adopted | None = None
        self._late: Callable[[], bool] = _never
        self._late_since = 0.0
        self.overstayed = False
        """Whether the last one kept had to be stopped because it was late."""
        self._acted = False
        """Since the last beat."""
        self._try_at = 0.0
        self._asked = asyncio.Event()
        self._ends: deque[float] = deque()
        self._lives = 0
        """Systems that were started or taken over."""
        self.down = False
        """Whether a person has to come before anything is started again."""
        self._kill_at = 0.0
        self._tries = 0
        """In a row that ended because the broker is out of reach."""

    def leave(self) -> None:
        """Stop the system in order, and do not start it again."""
        self._asked.set()

    def adopt(self, running: Adopted) -> None:
        """Watch this one first, as if it had been started here: the guard before may have been killed."""
        self._adopted = running

    @property
    def adopts(self) -> bool:
        """Whether the next one to be watched runs already."""
        return self._adopted is not None

    async def keep(self, over: Callable[[], bool], late: Callable[[], bool] = _never) -> int:
        """Run it until it ends by itself or is asked to, gives up, or fails after the day; the last exit code.

        One that was killed has none: DONE where it was asked to leave before it could hear of it, FAILED otherwise.
        One that runs on when it is `late` is stopped in order, and a person is called: the next day needs its place.
        """
        self._late, self._late_since, self.overstayed, self._tries = late, 0.0, False, 0
        if not self.adopts:
            self._pulse, self._acted = Pulse(self._folder_now()), False
        while True:
            code = await self._once()
            if code == BAD_CONFIG:
                await self._refuse()
            if code in ENDS or self._asked.is_set() or over():
                return self._exit_code(code)
            if code == UNREACHABLE:
                await self._try_again()
            else:
                self._ends.append(time.monotonic())
                if self._too_often():
                    await self._give_up(code)
                    return GAVE_UP
                await self._restart(code)
            if self._asked.is_set():
                return self._exit_code(code)

    async def _refuse(self) -> None:
        """Before the first life nobody has left anything open that this guard knows of."""
        outlook = "the system stays down until you start it"
        if self._lives > 1:
            await self._stay_down("the config will not do any more", outlook)
        else:
            self.down = True
            self._call(f"the config will not do: {outlook}")

    def _exit_code(self, code: int) -> int:
        if self._asked.is_set() and code in UNHEARD:
            return DONE
        return code if code >= 0 else FAILED

    async def _restart(self, code: int) -> None:
        self._tries = 0
        pause = self._pause_after(len(self._ends))
        self._call(f"the system ended with code {code} and is started again in {pause:g} s")
        await self._pause(pause)

    async def _try_again(self) -> None:
        """A line that is cut comes back: no number of tries is too many, and one alarm is enough."""
        self._tries += 1
        pause = self._pause_after(self._tries)
        words = f"the broker is out of reach, the system is started again in {pause:g} s"
        if self._tries == 1:
            self._call(words)
        else:
            self._say(words)
        await self._pause(pause)

    def _pause_after(self, ends: int) -> float:
        return self._terms.pauses[min(ends, len(self._terms.pauses)) - 1]

    async def _once(self) -> int:
        adopted, self._adopted = self._adopted, None
        process = adopted or await self._start()
        if process is None:
            return FAILED
        self._lives += 1
        self._kill_at = 0.0
        self._introduce(process)
        began, known = time.monotonic(), self._pulse.beats - (adopted is not None)
        leaving: asyncio.Task[None] | None = None
        while process.returncode is None:
            if leaving is None and self._must_end():
                leaving = asyncio.get_running_loop().create_task(self._end(process))
            born = self._pulse.beats > known
            age = await self._watch(process if born else None)
            limit = self._terms.patience / 2 if born else self._terms.birth
            if min(age, time.monotonic() - began) > limit:
                self._kill(process, f"no heartbeat for {age:.1f} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _LOOK)
        if leaving is not None:
            leaving.cancel()
        return process.returncode

    def _must_end(self) -> bool:
        if self._asked.is_set():
            return True
        if not self._late():
            self._late_since = 0.0
            return False
        now = time.monotonic()
        self._late_since = self._late_since or now
        self.overstayed = now - self._late_since >= self._terms.late
        if self.overstayed:
            self._call("its day is over and the system runs on: it is stopped")
        return self.overstayed

    async def _start(self) -> asyncio.subprocess.Process | None:
        try:
            return await asyncio.create_subprocess_exec(*self._command, creationflags=OWN_GROUP, start_new_session=True)
        except OSError as error:
            self._say(f"the system cannot be started: {error}")
            return None

    def _introduce(self, process: Process) -> None:
        with suppress(ProcessLookupError, ValueError):
            if isinstance(process, Adopted):
                self._say(f"a system runs as process {process.pid} already: it is watched from here on")
            else:
                self._say(f"started the system as process {process.pid}")

    def _folder_now(self) -> Path:
        """The last one known while the data folder is out of reach."""
        with suppress(OSError):
            self._place = self._folder()
        return self._place

    async def _watch(self, process: Process | None) -> float:
        """Seconds since the last beat. Past the patience the dead-man acts, once, and nothing is started meanwhile."""
        beats, age = self._pulse.beats, self._pulse.feel(self._folder_now())
        self._acted = self._acted and self._pulse.beats == beats
        late = self._pulse.beats and age + 2 * _LOOK >= self._terms.patience
        if late and not self._acted and time.monotonic() >= self._try_at:
            if process is not None and process.returncode is None:
                self._kill(process, f"no heartbeat for {age:.1f} s")
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), self._terms.death)
            await self._act(f"no heartbeat for {age:.1f} s")
        return age

    async def _act(self, why: str) -> None:
        try:
            came = await self._dead_man()
        except Exception as error:  # noqa: BLE001 - whatever the broker says, nobody else is there to act
            said = f"{type(error).__name__}: {words(error)}"
            self._say(f"dead-man: {why}: no way to the broker, again in {self._terms.again:g} s: {said}")
            self._try_at = time.monotonic() + self._terms.again
            return
        self._acted = True
        self._call(f"dead-man: {why}: {came}")

    async def _give_up(self, code: int) -> None:
        """Nothing trades here again before a person has looked."""
        reason = f"the system ended {len(self._ends)} times within a minute, the last time with code {code}"
        try:
            self._latch.lay(Halt(text(WallClock.now()), "guard", reason))
        except OSError as error:
            self._say(f"the halt could not be written{' whole' if self._latch.path.exists() else ''}: {error}")
        await self._stay_down(reason, "it stays down, and starts halted when you start it")

    async def _stay_down(self, reason: str, outlook: str) -> None:
        """A person is called, and nothing that is open is left alone."""
        self.down = True
        self._call(f"{reason}: {outlook}")
        while not self._acted and not self._asked.is_set():
            if time.monotonic() >= self._try_at:
                await self._act(reason)
            await asyncio.sleep(_LOOK)

    async def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._asked.is_set():
            await self._watch(None)
            await asyncio.sleep(min(_LOOK, seconds))

    def _kill(self, process: Process, why: str) -> None:
        """Not at every look: what cannot be killed would fill the terminal, and one alarm is enough."""
        if time.monotonic() < self._kill_at:
            return
        tell = self._say if self._kill_at else self._call
        try:
            self._say(f"killing process {process.pid}: {why}")
            process.kill()
        except (ProcessLookupError, ValueError):
            return
        except OSError as error:
            tell(f"the system hangs and cannot be killed: {error}")
        self._kill_at = time.monotonic() + self._terms.again

    async def _end(self, process: Process) -> None:
        """In order where it still listens, and in the end all the same."""
        try:
            await asyncio.to_thread(inbox.send, self._folder_now(), "stop")
        except (inbox.NoSystem, OSError):
            with suppress(OSError, ValueError):
                process.terminate() if isinstance(process, Adopted) else ask_to_end(process)
        await asyncio.sleep(self._terms.stop)
        self._kill(process, f"it did not stop within {self._terms.stop:g} s")

    def _too_often(self) -> bool:
        while self._ends and self._ends[0] < time.monotonic() - _MINUTE:
            self._ends.popleft()
        return len(self._ends) > self._terms.most

    def _call(self, words: str) -> None:
        self._say(words)
        self._alarm(words)
