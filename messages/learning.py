"""Progress of training, for whoever watches."""

from typing import ClassVar

from messages.base import Lane, Message, Overflow


class TrainingProgressed(Message):
    """One epoch ended."""

    lane: ClassVar = Lane.MARKET
    journalled: ClassVar = False
    overflow: ClassVar = Overflow.CONFLATE
    key: ClassVar = ("run",)
    run: str
    epoch: int
    loss: float
    value: float


class PolicyTrained(Message):
    """A policy was trained and stored."""

    run: str
    path: str
    digest: str
