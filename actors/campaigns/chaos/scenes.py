"""What must go on for a named point to be passed: most are on the way of every order, some need a scene."""

from typing import Any, Final

import msgspec


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What a life at a point is made of."""

    act: str = ""
    """`fresh`: on an empty folder. `halt`: a person halts and resumes. `settle`: a person decides an order whose answer
    was lost. `stop`: it is stopped in order. `close`: trading ends, hours before the day."""
    before: str = ""
    """The point at which the life before must have ended."""
    trouble: str = ""
    overrides: tuple[str, ...] = ()
    faults: tuple[dict[str, Any], ...] = ()


_RECORDS_LOST: Final = {"kind": "drop", "record": "chejan", "times": 0, "chance": 0.3}
_SCENES: Final = {
    "database: file made": Scene(act="fresh"),
    "database: file in its place": Scene(act="fresh"),
    "database: migration": Scene(act="fresh"),
    "emergency: file made": Scene(act="fresh"),
    "emergency:": Scene(trouble="full"),
    "trader: kept in the emergency file": Scene(trouble="full", overrides=("actor.guardian.stop_loss=0.01",)),
    "database: last commit": Scene(act="stop"),
    "journal: all stored": Scene(act="stop"),
    "journal: run closed": Scene(act="stop"),
    "system: told to stop": Scene(act="stop"),
    "system: an actor stopped": Scene(act="stop"),
    "system: the stop": Scene(act="stop"),
    "system: everything closed": Scene(act="stop"),
    "system: started halted": Scene(act="halt"),
    "latch:": Scene(act="halt"),
    "latch: laid": Scene(overrides=("actor.guardian.max_daily_loss=0.001",)),
    "trader: halted": Scene(act="halt"),
    "trader: an order is settled": Scene(
        act="settle",
        faults=(
            {"kind": "refuse", "record": "SendOrder", "times": 0, "chance": 0.5, "code": -22},
            {"kind": "drop", "record": "opt10075", "nth": 4, "times": 0},
        ),
    ),
    "guardian: matched": Scene(act="halt"),
    "guardian: a loss limit": Scene(overrides=("actor.guardian.max_daily_loss=0.001",)),
    "guardian:": Scene(overrides=("actor.guardian.stop_loss=0.01",)),
    "recovery: an order of before": Scene(before="trader: submission durable, not sent"),
    "end of day:": Scene(act="close"),
    "reconciler: a difference": Scene(faults=(_RECORDS_LOST,)),
    "reconciler: second": Scene(faults=(_RECORDS_LOST,)),
    "gateway: blank order number": Scene(
        faults=({"kind": "blank", "record": "answer", "times": 0, "chance": 0.3},),
    ),
    "gateway: the time for an answer": Scene(
        faults=(
            {"kind": "drop", "record": "answer", "times": 0, "chance": 0.3},
            _RECORDS_LOST,
        )
    ),
}


def scene_of(point: str) -> Scene:
    """The scene for a point, by the longest beginning of its name."""
    found = [prefix for prefix in _SCENES if point.startswith(prefix)]
    return _SCENES[max(found, key=len)] if found else Scene()
