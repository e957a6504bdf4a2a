"""An actor's place in the running system: its mailbox, its timers, its tasks."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine, Iterable
from contextvars import copy_context
from enum import EnumType
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

import msgspec

from messages import Message
from runtime.actor import Actor, Desk, Log, Wiring, handlers, words
from runtime.bus import CAUSE, Bus, Subscription, check_unambiguous
from runtime.clock import Clock, TimerHandle
from runtime.envelope import Envelope
from runtime.mailbox import Mailbox
from runtime.pump import Pump

Failed = Callable[["Seat", str, Exception], None]


async def _at_once() -> None:
    """Nothing to wait for."""


_ENCODER = msgspec.msgpack.Encoder()
FLOOD = 1_000
"""Messages a leaf may publish while it handles one."""


class Shard:
    """One of several replicas: the subjects whose stable hash falls to it."""

    def __init__(self, index: int, count: int) -> None:
        self._index = index
        self._count = count

    def mine(self, subject: str) -> bool:
        return crc32(subject.encode()) % self._count == self._index


class Seat:
    """Holds one actor, replaces it after a failure, ends what it began.

    `settled` returns when an actor that starts late finds in the journal's file all that was said before.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Actor],
        *,
        bus: Bus,
        pump: Pump,
        clock: Clock,
        rng: Random,
        log: Log,
        data: Path,
        failed: Failed,
        mailbox: Mailbox,
        shard: Shard | None = None,
        settled: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self.name = name
        self.mailbox = mailbox
        self.off = self.started = self.leaving = False
        self.actor = make()
        self._make = make
        self._bus = bus
        self._pump = pump
        self._clock = clock
        self._rng = rng
        self._log = log
        self._data = data
        self._last_sound: Message | None = None
        self._warm = True
        self._muted = False
        self._discarded = 0
        self._answering = self._said = 0
        self._failed = failed
        self._shard = shard
        self._settled = settled
        self._holder: asyncio.Task[None] | None = None
        """Whose end lets the mailbox go: one that an earlier instance left behind does not."""
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._timers: dict[int, TimerHandle] = {}
        self._timer = 0
        found = handlers(type(self.actor))
        check_unambiguous(name, found)
        self._subscription = Subscription(mailbox, found, obeys=type(self.actor).obeys)
        self._names = {kind: h.name for h in found for kind in Subscription(mailbox, [h]).latest}
        self._publishes = frozenset(type(self.actor).publishes)
        self._trusted = self._publishes if self.actor.core else frozenset[type[Message]]()
        """What needs no second look: a core actor that says nonsense ends the process anyway."""
        bus.subscribe(self._subscription)
        mailbox.hold()
        mailbox.patient = self.actor.patient
        mailbox.weighs = frozenset(type(self.actor).weighs)
        self._sit()

    @property
    def envelope(self) -> Envelope | None:
        return self._bus.current

    @property
    def busy(self) -> bool:
        """A handler that waits is under way."""
        return self.mailbox.held

    async def start(self) -> None:
        """Start the actor; what others say meanwhile waits in its mailbox. One that cannot start has failed."""
        try:
            work = self.actor.on_start()
            if work is not None:
                await work
        except Exception as error:  # noqa: BLE001 - whatever an actor raises is the supervisor's
            self._failed(self, "on_start", error)
            return
        self.started = True
        self._pump.resume(self.mailbox)

    async def stop(self) -> None:
        """Let the actor say goodbye, then end its timers and tasks."""
        self.leaving = True
        try:
            if self.started and not self.off:
                work = self.actor.on_stop()
                if work is not None:
                    await work
        except Exception as error:  # noqa: BLE001 - the others shall stop in order all the same
            self._failed(self, "on_stop", error)
        await self.clear()

    async def clear(self) -> None:
        tasks = self._drop()
        await asyncio.gather(*tasks, return_exceptions=True)

    def publish(self, message: Message) -> int:
        if type(message) in self._trusted and not self._muted:
            return self._bus.publish(message, self.name)
        if type(message) not in self._publishes:
            raise Wiring(
                f"{self.name} publishes {type(message).__name__}, which {type(self.actor).__name__} does not declare"
            )
        if self._muted:
            self._discarded += 1
            return 0
        self._count_said()
        if type(message).command or type(message).journalled:
            _refuse_unsound(self.name, message)
            self._last_sound = message
        return self._bus.publish(message, self.name)

    def _count_said(self) -> None:
        """A leaf that floods must not fill the mailboxes of those the order path depends on."""
        current = self._bus.current
        if current is None or current.number != self._answering:
            self._answering, self._said = current.number if current else 0, 0
        self._said += 1
        if self._said > FLOOD:
            raise Wiring(f"{self.name} says more than {FLOOD} things about one message")

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._task(work, getattr(work, "__name__", "work"), self._cause())

    def every(self, seconds: float, message: Message) -> None:
        self._arm(seconds, message, self._cause(), again=True)

    def after(self, seconds: float, message: Message) -> None:
        self._arm(seconds, message, self._cause(), again=False)

    def listen(self, subjects: Iterable[str] | None) -> None:
        if subjects is not None and self._shard is not None:
            subjects = [subject for subject in subjects if self._shard.mine(subject)]
        self._bus.listen(self.mailbox, subjects)

    async def recall(self, past: AsyncIterable[Message | Envelope | int]) -> int:
        self._muted, self._discarded = True, 0
        known: set[int] = set()
        try:
            async for item in past:
                if not isinstance(item, Message):
                    known.add(item if isinstance(item, int) else item.number)
                if not isinstance(item, int):
                    await self._relive(item.message if isinstance(item, Envelope) else item)
        finally:
            self._muted = False
        self.mailbox.forget(known)
        return self._discarded

    async def _relive(self, message: Message) -> None:
        name = self._names.get(type(message))
        work = getattr(self.actor, name)(message) if name else None
        if work is not None:
            await work

    def wait_for(self, envelope: Envelope, work: Coroutine[Any, Any, None]) -> None:
        """Run the rest of an `async def` handler; the mailbox is held meanwhile."""
        self._hold_for(self._task(work, self.handler_of(envelope), envelope.number))

    def handler_of(self, envelope: Envelope) -> str:
        return self._names.get(type(envelope.message), "?")

    def keep_warm(self) -> None:
        """Let the actor run what has to be quick, and look at its newest message as if it were said again."""
        if self.off or self.leaving or not (self.started and self._warm):
            return
        try:
            if self._last_sound is not None:
                _refuse_unsound(self.name, self._last_sound)
            self.actor.keep_warm()
        except Exception as error:  # noqa: BLE001 - it was for nothing, and must not end anything
            self._warm = False
            self._log.error("is kept warm no longer", error=words(error))

    def replace(self) -> None:
        """A new instance takes over the mailbox."""
        self._drop()
        self.started = False
        try:
            self.actor = self._make()
        except Exception as error:  # noqa: BLE001 - a failure like any other
            self._failed(self, "__init__", error)
            return
        self._sit()
        self.begin()

    def begin(self) -> None:
        """Start the actor while the system runs; what others say meanwhile waits in its mailbox."""
        self.mailbox.hold()
        self._hold_for(self._task(self._begin(), "on_start", 0))

    async def _begin(self) -> None:
        await self._settled()
        work = self.actor.on_start()
        if work is not None:
            await work
        self.started = True

    def retire(self) -> None:
        """The actor stays off: its mailbox takes nothing more."""
        self.off = True
        self._drop()
        self._bus.unsubscribe(self.mailbox)
        self.mailbox.clear()

    def _sit(self) -> None:
        self.actor.desk = Desk(self.name, self._clock, self._rng, self._log, self._data, self)
        names = self._names.items()
        self._pump.attach(self.mailbox, {kind: getattr(self.actor, name) for kind, name in names})

    def _cause(self) -> int:
        current = self._bus.current
        return CAUSE.get() if current is None else current.number

    def _arm(self, seconds: float, message: Message, cause: int, *, again: bool) -> None:
        if type(message) not in self._names:
            raise Wiring(f"{self.name} posts {type(message).__name__} to itself but has no handler for it")
        if self._muted:
            return
        self._timer += 1
        self._wind(self._timer, seconds, message, cause, again=again)

    def _wind(self, timer: int, seconds: float, message: Message, cause: int, *, again: bool) -> None:
        ring = partial(self._ring, timer, seconds, message, cause, again=again)
        self._timers[timer] = self._clock.call_later(seconds, ring)

    def _ring(self, timer: int, seconds: float, message: Message, cause: int, *, again: bool) -> None:
        if again:
            self._wind(timer, seconds, message, cause, again=True)
        else:
            self._timers.pop(timer, None)
        self._bus.post(self.mailbox, message, self.name, cause)

    def _task(self, work: Coroutine[Any, Any, None], name: str, cause: int) -> asyncio.Task[None]:
        context = copy_context()
        context.run(CAUSE.set, cause)
        task = asyncio.get_running_loop().create_task(work, name=f"{self.name}.{name}", context=context)
        self._tasks[task] = name
        task.add_done_callback(self._done)
        return task

    def _hold_for(self, task: asyncio.Task[None]) -> None:
        self._holder = task
        task.add_done_callback(self._let_go)

    def _let_go(self, task: asyncio.Task[None]) -> None:
        if task is self._holder:
            self._pump.resume(self.mailbox)

    def _done(self, task: asyncio.Task[None]) -> None:
        name = self._tasks.pop(task, None)
        error = None if task.cancelled() else task.exception()
        if name is None and error is not None:
            self._log.warning("what was being ended failed", work=task.get_name(), error=words(error))
        elif name is not None and isinstance(error, Exception):
            self._failed(self, name, error)

    def _drop(self) -> list[asyncio.Task[None]]:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        tasks = list(self._tasks)
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        return tasks


def _refuse_unsound(name: str, message: Message) -> None:
    """What could not be read back from the journal, such as a price that is no number, must not be acted upon."""
    if _is_plain(message):
        return
    try:
        msgspec.json.decode(msgspec.json.encode(message), type=type(message))
    except (msgspec.ValidationError, OverflowError) as error:
        raise Wiring(f"{name} publishes a {type(message).__name__} that will not do: {error}") from None


def _is_plain(message: Message) -> bool:
    """Whether the types of its fields tell already that it is sound, and it can be written."""
    if tuple(map(type, msgspec.structs.astuple(message))) != _kinds(type(message)):
        return False
    try:
        _ENCODER.encode(message)
    except (OverflowError, UnicodeEncodeError):
        return False
    return True


@cache
def _kinds(message: type[Message]) -> tuple[Any, ...]:
    """The types of its fields; None, which no value has, for one whose values may be unsound."""
    kinds = (_kind(field.type) for field in msgspec.structs.fields(message))
    return tuple(kind if kind in (int, str, bool) or isinstance(kind, EnumType) else None for kind in kinds)


def _kind(annotation: Any) -> Any:
    while (under := getattr(annotation, "__supertype__", None)) is not None:
        annotation = under
    return annotation
