"""What every message has in common: it is frozen, tagged, and declares how it travels."""

from enum import Enum, StrEnum
from typing import Any, ClassVar, dataclass_transform

import msgspec


class Lane(StrEnum):
    """Which of a mailbox's two lanes a message takes."""

    ORDER = "order"
    MARKET = "market"


class Overflow(Enum):
    """What a full mailbox does with one more message of the class."""

    CONFLATE = "the newest replaces its waiting predecessor"
    GAP = "refused, counted and announced as a gap"
    STOP = "the system halts and stops"


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class MessageType(msgspec.StructMeta):
    """Makes every message class frozen, keyword-only, tagged with its name and unseen by the collector."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> "MessageType":
        policy: dict[str, Any] = {"frozen": True, "kw_only": True, "tag": True, "gc": False}
        return super().__new__(cls, name, bases, namespace, **(policy | config))


class Message(msgspec.Struct, metaclass=MessageType):
    """Something that happened, said once and never changed."""

    lane: ClassVar[Lane] = Lane.ORDER
    key: ClassVar[tuple[str, ...]] = ()
    """The fields that identify the subject."""
    selective: ClassVar[bool] = False
    """Whether an actor may ask for single subjects (the first field of the key) instead of all."""
    journalled: ClassVar[bool] = True
    overflow: ClassVar[Overflow] = Overflow.STOP
    alarm: ClassVar[bool] = False
    """Whether a person should hear of it at once."""
    command: ClassVar[bool] = False
    """Whether somebody has to act on it: a config in which nobody does is refused."""
    core: ClassVar[bool] = False
    """Whether only a core actor may say it: a config in which another one does is refused."""


class Record(msgspec.Struct, metaclass=MessageType, tag=False):
    """A plain value inside a message."""
