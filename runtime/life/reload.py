"""Swap what changed in the config while the system runs: leaf actors only."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from runtime.life import wiring
from runtime.life.crew import Crew
from runtime.life.ending import in_time
from runtime.life.seat import Seat
from runtime.settings.config import Config, ConfigError, load
from runtime.settings.parts import Part, make, plan

PATIENCE = 2.0
"""Seconds that an old actor has for what waits for it and for its goodbye."""
_BIRTH = 1.0
"""Seconds in which a new one that cannot start is found out."""
_LOOK = 0.001


class _Change(NamedTuple):
    fresh: dict[str, Part]
    swapped: list[str]
    restart: list[str]


async def reload(crew: Crew) -> dict[str, Any]:
    """Read the config file again and swap changed leaf actors, one after the other.

    Names them, what needs a restart instead, and under `failed` who cannot start.
    """
    async with crew.swapping:
        try:
            config = load(crew.config.path, crew.config.overrides)
            change = _compare(crew, config, plan(config))
            _rehearse(crew, config, change)
        except ConfigError as error:
            return {"error": str(error)}
        if problems := wiring.check(list(change.fresh.values())) or wiring.check(_after(crew, change)):
            return {"error": "; ".join(problems)}
        answer = await _carry_out(crew, change)
        if not change.restart:
            crew.vitals.digest = config.digest
        crew.log.info("reloaded", **answer, digest=config.digest)
        return answer


def _compare(crew: Crew, config: Config, parts: Iterable[Part]) -> _Change:
    current, fresh = _by_name(crew.plan), _by_name(parts)
    names = (*current, *(name for name in fresh if name not in current))
    changed = [name for name in names if _differs(current.get(name), fresh.get(name))]
    swapped = [name for name in changed if _is_leaf(current.get(name)) and _can_sit(fresh.get(name), changed)]
    restart = [name for name in changed if name not in swapped]
    if config.system != crew.config.system:
        restart.append("system")
    return _Change(fresh, swapped, restart)


def _rehearse(crew: Crew, config: Config, change: _Change) -> None:
    for name in change.swapped:
        if name in change.fresh:
            make(config, change.fresh[name], crew.built)


def _after(crew: Crew, change: _Change) -> list[Part]:
    """Every part that will run then, in the order of the file."""
    kept = [part for part in crew.plan if part.table.name not in change.swapped]
    parts = [*kept, *(change.fresh[name] for name in change.swapped if name in change.fresh)]
    places = {name: place for place, name in enumerate(change.fresh)}
    return sorted(parts, key=lambda part: places.get(part.table.name, len(places)))


def _by_name(parts: Iterable[Part]) -> dict[str, Part]:
    return {part.table.name: part for part in parts}


def _differs(before: Part | None, after: Part | None) -> bool:
    return before is None or after is None or before.table != after.table


def _is_leaf(part: Part | None) -> bool:
    return part is None or (part.table.kind == "actor" and not part.maker.core)


def _can_sit(part: Part | None, changed: Sequence[str]) -> bool:
    """A gateway that is new or changed is not there yet."""
    return part is None or (_is_leaf(part) and not any(target in changed for target in part.references.values()))


async def _carry_out(crew: Crew, change: _Change) -> dict[str, Any]:
    swapped: list[str] = []
    failed: list[str] = []
    after = _by_name(_after(crew, change))
    for name in change.swapped:
        if crew.vitals.stopping:
            break
        sitting = await _swap(crew, name, after)
        swapped.append(name)
        failed += [seat.name for seat in sitting if seat.off and not crew.vitals.stopping]
    answer = {"swapped": swapped, "needs_restart": change.restart}
    return answer | {"failed": failed} if failed else answer


async def _swap(crew: Crew, name: str, after: dict[str, Part]) -> list[Seat]:
    """From one instant on the new one hears what the old one does not; it starts when the old one has stopped."""
    leaving = [seat for seat in crew.seats.values() if _actor_of(seat) == name]
    coming = crew.add(after[name]) if name in after else []
    for seat in leaving:
        crew.bus.unsubscribe(seat.mailbox)
    if not await in_time(_part_with(leaving), PATIENCE):
        crew.log.error("the swap took too long; what is left is cut off", part=name)
    for seat in leaving:
        _clear_away(crew, seat)
    _put_in_order(crew, name, after)
    crew.supervisor.forgive(seat.name for seat in coming)
    for seat in coming:
        if not crew.vitals.stopping:
            seat.begin()
    await in_time(_births(coming), _BIRTH)
    return coming


async def _part_with(seats: Sequence[Seat]) -> None:
    for seat in seats:
        seat.leaving = True
        while seat.mailbox.qsize() or seat.busy:  # noqa: ASYNC110 - the pump tells nobody
            await asyncio.sleep(_LOOK)
        await seat.stop()


async def _births(seats: Sequence[Seat]) -> None:
    while not all(seat.started or seat.off for seat in seats):  # noqa: ASYNC110 - the seat tells nobody
        await asyncio.sleep(_LOOK)


def _clear_away(crew: Crew, seat: Seat) -> None:
    if left := seat.mailbox.qsize():
        crew.log.warning("left unhandled at a swap", actor=seat.name, messages=left)
    seat.retire()
    del crew.seats[seat.mailbox]
    crew.pump.detach(seat.mailbox)


def _put_in_order(crew: Crew, name: str, after: dict[str, Part]) -> None:
    """The order of the file is the order of the stop."""
    running = {part.table.name for part in crew.plan} - {name}
    crew.plan[:] = [part for part in after.values() if part.table.name in {*running, name}]
    places = {part.table.name: place for place, part in enumerate(crew.plan)}
    seats = sorted(crew.seats.items(), key=lambda item: places.get(_actor_of(item[1]), -1))
    crew.seats.clear()
    crew.seats.update(seats)


def _actor_of(seat: Seat) -> str:
    return seat.name.partition("/")[0]
