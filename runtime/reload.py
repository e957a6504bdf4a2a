"""Swap what changed in the config while the system runs: leaf actors only."""

from typing import TYPE_CHECKING, Any

from runtime import wiring
from runtime.config import ConfigError, load
from runtime.parts import Part, make, plan

if TYPE_CHECKING:
    from runtime.seat import Seat
    from runtime.system import System


def reload(system: "System") -> dict[str, Any]:
    """Read the config file again and replace changed leaf actors; names what needs a restart instead."""
    try:
        fresh = load(system.config.path, system.config.overrides)
        parts = {part.table.name: part for part in plan(fresh)}
        for part in parts.values():
            if _is_leaf(part):
                make(fresh, part, {**system.built, "rng": system.rng(part.table.name)})
    except ConfigError as error:
        return {"error": str(error)}
    if problems := wiring.check(list(parts.values())):
        return {"error": "; ".join(problems)}
    current = {part.table.name: part for part in system.plan}
    changed = [name for name in (*current, *(n for n in parts if n not in current)) if _differs(current, parts, name)]
    swapped = [name for name in changed if _is_leaf(current.get(name)) and _is_leaf(parts.get(name))]
    for name in swapped:
        _swap(system, current.get(name), parts.get(name))
    restart = [name for name in changed if name not in swapped]
    if fresh.system != system.config.system:
        restart.append("system")
    return {"swapped": swapped, "needs_restart": restart}


def _differs(current: dict[str, Part], fresh: dict[str, Part], name: str) -> bool:
    before, after = current.get(name), fresh.get(name)
    return before is None or after is None or before.table != after.table


def _is_leaf(part: Part | None) -> bool:
    return part is None or (part.table.kind == "actor" and not part.maker.core)


def _swap(system: "System", before: Part | None, after: Part | None) -> None:
    if before is not None:
        for seat in _seats(system, before.table.name):
            seat.retire()
            del system.seats[seat.mailbox]
        system.plan.remove(before)
    if after is not None:
        for seat in system.add(after, system.built):
            seat.begin()
        system.plan.append(after)


def _seats(system: "System", name: str) -> "list[Seat]":
    return [seat for seat in system.seats.values() if seat.name.partition("/")[0] == name]
