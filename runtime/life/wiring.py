"""Who says what to whom: checked before a start, printed by `show`."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from messages import Message, RunStarted, RunStopping
from messages import system as system_messages
from runtime.actor import Actor, Handler, Wiring, handlers
from runtime.bus import check_unambiguous, concrete
from runtime.life.overseer import Overseer
from runtime.settings.parts import SYSTEM, Part

SYSTEM_SAYS = (
    RunStarted,
    RunStopping,
    system_messages.ActorFailed,
    system_messages.MailboxOverflowed,
    system_messages.MailboxRecovered,
    system_messages.StopSystem,
    *Overseer.publishes,
)


class Line(msgspec.Struct, frozen=True):
    """One message class: who publishes it, who handles it."""

    name: str
    lane: str
    publishers: tuple[str, ...]
    takers: tuple[str, ...]


def check(parts: Sequence[Part]) -> list[str]:
    """What is wrong with the wiring, a line each; empty when all is well."""
    problems: list[str] = []
    actors = list(_actors(parts))
    for name, _, found in actors:
        try:
            check_unambiguous(name, found)
        except Wiring as error:
            problems.append(f"[actor.{name}]: {error}")
    obeyed = _obeyed(parts)
    for name, publishes, _ in actors:
        problems += [
            f"[actor.{name}]: publishes {kind.__name__}, which nobody carries out; add the actor that does"
            for kind in publishes
            if kind.command and kind not in obeyed and name != SYSTEM
        ]
    problems += _presumptuous(parts)
    return problems + [
        f"[actor.{names[-1]}]: {' and '.join(names)} would both carry out {kind.__name__}; keep one"
        for kind, names in obeyed.items()
        if len(names) > 1
    ]


def notes(parts: Sequence[Part]) -> list[str]:
    """What is worth a look and may be meant: handlers that will never hear anything."""
    actors = list(_actors(parts))
    said = {kind for _, publishes, _ in actors for kind in publishes}
    return [_unsaid(name, handler) for name, _, found in actors for handler in found if not _any_said(handler, said)]


def table(parts: Sequence[Part]) -> list[Line]:
    """Every message class of this config, in the vocabulary's order."""
    actors = list(_actors(parts))
    lines: list[Line] = []
    for kind in concrete(Message):
        publishers = tuple(name for name, publishes, _ in actors if kind in publishes)
        takers = tuple(name for name, _, found in actors if any(kind in _kinds(handler) for handler in found))
        if publishers or (takers and takers != (SYSTEM,) and _is_public(kind)):
            lines.append(Line(kind.__name__, str(kind.lane), publishers, takers))
    return lines


def _presumptuous(parts: Sequence[Part]) -> list[str]:
    return [
        f"[actor.{part.table.name}]: publishes {kind.__name__}, which only a core actor may say"
        for part in parts
        if issubclass(part.maker, Actor) and not part.maker.core
        for kind in part.maker.publishes
        if kind.core
    ]


def _obeyed(parts: Sequence[Part]) -> dict[type[Message], list[str]]:
    obeyed: dict[type[Message], list[str]] = {kind: [SYSTEM] for kind in Overseer.obeys}
    for part in parts:
        if issubclass(part.maker, Actor):
            for kind in part.maker.obeys:
                obeyed.setdefault(kind, []).append(part.table.name)
    return obeyed


def _actors(parts: Sequence[Part]) -> Iterator[tuple[str, tuple[type[Message], ...], tuple[Handler, ...]]]:
    yield SYSTEM, SYSTEM_SAYS, handlers(Overseer)
    for part in parts:
        if issubclass(part.maker, Actor):
            yield part.table.name, part.maker.publishes, handlers(part.maker)


def _kinds(handler: Handler) -> list[type[Message]]:
    return [kind for declared in handler.types for kind in concrete(declared)]


def _any_said(handler: Handler, said: Iterable[type[Message]]) -> bool:
    kinds = _kinds(handler)
    return any(kind in said or not _is_public(kind) for kind in kinds)


def _is_public(kind: type[Message]) -> bool:
    return kind.__module__.startswith("messages.")


def _unsaid(name: str, handler: Handler) -> str:
    kinds = ", ".join(kind.__name__ for kind in handler.types)
    return f"[actor.{name}]: handles {kinds}, which nobody publishes here"
