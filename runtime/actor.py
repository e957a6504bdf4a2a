"""An actor: named handlers over a mailbox, and the few verbs it may use."""

import inspect
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable
from pathlib import Path
from random import Random
from types import UnionType
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

from messages import Message
from runtime.clock import Clock
from runtime.envelope import Envelope

A = TypeVar("A", bound="Actor")
M = TypeVar("M", bound=Message)
R = TypeVar("R", None, Coroutine[Any, Any, None])
_MARK = "_handles_latest"
_LONGEST = 2_000
"""Characters of an error."""


class Wiring(Exception):
    """Parts do not fit together; one line for the user."""


def words(error: BaseException) -> str:
    """What an error says, as any journal and any terminal can take it; whoever raised it may have said anything."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - its own __str__ may raise anything
        text = "what it says cannot be read"
    return text.encode("utf-8", "backslashreplace").decode()[:_LONGEST]


class Log(Protocol):
    """What an actor may do with its log."""

    def debug(self, event: str, **details: object) -> Any: ...
    def info(self, event: str, **details: object) -> Any: ...
    def warning(self, event: str, **details: object) -> Any: ...
    def error(self, event: str, **details: object) -> Any: ...


class Office(Protocol):
    """What the runtime does for the actor at a desk."""

    @property
    def envelope(self) -> Envelope | None: ...
    def publish(self, message: Message) -> int: ...
    def spawn(self, work: Coroutine[Any, Any, None]) -> None: ...
    def every(self, seconds: float, message: Message) -> None: ...
    def after(self, seconds: float, message: Message) -> None: ...
    def listen(self, subjects: Iterable[str] | None) -> None: ...
    async def recall(self, past: AsyncIterable[Message | Envelope | int]) -> int: ...


class Desk(NamedTuple):
    """What lies before an actor when it starts."""

    name: str
    clock: Clock
    rng: Random
    log: Log
    data: Path
    """The run's data folder."""
    office: Office

    @property
    def envelope(self) -> Envelope | None:
        """Of the message now being handled; None in spawned work."""
        return self.office.envelope


class Handler(NamedTuple):
    """A method of an actor that takes messages of these classes."""

    name: str
    types: tuple[type[Message], ...]
    latest: bool


def handles(method: Callable[[A, M], R]) -> Callable[[A, M], R]:
    """Make a method take every message of its annotation, subclasses included."""
    setattr(method, _MARK, False)
    return method


def latest(method: Callable[[A, M], R]) -> Callable[[A, M], R]:
    """Like `handles`, but a waiting message gives way to a newer one of the same key."""
    setattr(method, _MARK, True)
    return method


class Actor:
    """An agent that reacts to messages. Subclasses say what they publish: `class Risk(Actor, publishes=(...))`."""

    desk: Desk
    publishes: ClassVar[tuple[type[Message], ...]] = ()
    obeys: ClassVar[tuple[type[Message], ...]] = ()
    """The commands it carries out, where others only listen: each command has one actor that obeys it."""
    weighs: ClassVar[tuple[type[Message], ...]] = ()
    """What it decides by the market: every price that waits for it is handled before."""
    core: ClassVar[bool] = False
    """A core actor's failure ends the process; any other is replaced by a new instance."""
    patient: ClassVar[bool] = False
    """Served when nobody else waits: who only writes down must not stand between a price and its order."""

    def __init_subclass__(
        cls,
        *,
        publishes: tuple[type[Message], ...] = (),
        obeys: tuple[type[Message], ...] = (),
        weighs: tuple[type[Message], ...] = (),
        core: bool | None = None,
    ) -> None:
        super().__init_subclass__()
        cls.publishes = tuple(dict.fromkeys((*cls.publishes, *publishes)))
        cls.obeys = tuple(dict.fromkeys((*cls.obeys, *obeys)))
        cls.weighs = tuple(dict.fromkeys((*cls.weighs, *weighs)))
        if core is not None:
            cls.core = core

    def on_start(self) -> Coroutine[Any, Any, None] | None:
        """Called once, after every mailbox exists and before the first message."""

    def on_stop(self) -> Coroutine[Any, Any, None] | None:
        """Called once, after the last message."""

    def keep_warm(self) -> None:
        """Run what has to be quick, for nothing and without a trace: what has not run for long is slow.

        Called on the wall's clock, when nothing waits, each 5 ms at most. One that fails is not called again.
        """

    def publish(self, message: Message) -> int:
        """Say something to whoever handles it; never waits. Returns the message's number."""
        return self.desk.office.publish(message)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let work go on beside the handlers; it ends with the actor, its failure is the actor's."""
        self.desk.office.spawn(work)

    def every(self, seconds: float, message: Message) -> None:
        """Post a message to this actor again and again."""
        self.desk.office.every(seconds, message)

    def after(self, seconds: float, message: Message) -> None:
        """Post a message to this actor once."""
        self.desk.office.after(seconds, message)

    def listen(self, subjects: Iterable[str] | None) -> None:
        """Take selective messages (prices, books, bars) only for these subjects; None takes all."""
        self.desk.office.listen(subjects)

    async def recall(self, past: AsyncIterable[Message | Envelope | int]) -> int:
        """Rebuild state in `on_start`: run the past through the handlers, and let nothing they say or arm go out.

        What was recalled as an envelope is not handled again when it also waits in the mailbox, nor is what a bare
        number stands for, whose effect is known otherwise. Returns how many messages the handlers would have said.
        """
        return await self.desk.office.recall(past)


def handlers(actor: type[Actor]) -> tuple[Handler, ...]:
    """The handlers of a class, its bases' included. Raises Wiring where an annotation is not a message."""
    found: list[Handler] = []
    for name, method in inspect.getmembers(actor, inspect.isfunction):
        mark = getattr(method, _MARK, None)
        if mark is not None:
            found.append(Handler(name, _message_types(actor, name, method), mark))
    return tuple(found)


def _message_types(actor: type[Actor], name: str, method: Callable[..., object]) -> tuple[type[Message], ...]:
    hints = get_type_hints(method)
    hints.pop("return", None)
    annotation: object = next(iter(hints.values()), None)
    union = get_origin(annotation) in (Union, UnionType)
    options: tuple[object, ...] = get_args(annotation) if union else (annotation,)
    types = tuple(option for option in options if isinstance(option, type) and issubclass(option, Message))
    if len(types) != len(options):
        raise Wiring(f"{actor.__name__}.{name} is annotated {annotation}: a handler takes one message class")
    return types
