"""What the bus adds to a message: its number, when it was said, by whom, and because of what."""

from typing import final

import msgspec

from messages import Message


@final
class Envelope(msgspec.Struct, gc=False, frozen=True):
    """A message on its way. Positional on purpose: one is made for every message said."""

    number: int
    """run x 2^40 + sequence: never used twice, over restarts too."""
    time: int
    """Nanoseconds since the epoch, by the system's clock."""
    source: str
    """Name of the part that said it."""
    cause: int
    """Number of the message being handled when this was said; 0 at an origin."""
    message: Message
    origin: int = 0
    """When the first message of the chain of causes was said: a price, a timer, a record of the broker."""
