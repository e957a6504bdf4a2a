"""What waits to be sent, the most urgent first."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from actors.gateways.port import Instruction, Urgency
from messages import Action


@dataclass(slots=True)
class Item:
    """A request that waits."""

    instruction: Instruction
    urgency: Urgency
    since: int
    """When it was approved or asked for."""
    attempts: int = 0
    not_before: int = 0
    """The instant an overloaded broker may be asked again."""

    @property
    def order(self) -> int:
        return self.instruction.order


class Outbox:
    """Bounded; within one urgency the oldest goes first. One taker."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._items: list[Item] = []
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def full(self) -> bool:
        """Whether it takes no more entries; what lowers exposure always finds room."""
        return len(self._items) >= self._bound

    def put(self, item: Item) -> None:
        self._items.append(item)
        self._news.set()

    def nudge(self) -> None:
        """Something happened that may let a waiting item go."""
        self._news.set()

    def withdraw(self, order: int, action: Action) -> Item | None:
        """Take out what is asked about an order, if it still waits."""
        for item in self._items:
            if item.order == order and item.instruction.action is action:
                self._items.remove(item)
                return item
        return None

    def drain(self, urgency: Urgency) -> list[Item]:
        """Take out everything of one urgency."""
        gone = [item for item in self._items if item.urgency is urgency]
        self._items = [item for item in self._items if item.urgency is not urgency]
        return gone

    def waits(self, order: int, action: Action) -> bool:
        return any(item.order == order and item.instruction.action is action for item in self._items)

    def ready(self, now: int, can_go: Callable[[Item], bool]) -> Item | None:
        """The most urgent item that can go now and is not backed off."""
        able = (item for item in self._items if item.not_before <= now and can_go(item))
        return min(able, key=lambda item: item.urgency, default=None)

    def next_due(self, now: int) -> int | None:
        """When the first back-off ends; None where there is none."""
        return min((item.not_before for item in self._items if item.not_before > now), default=None)

    def next_too_old(self, now: int, age: int) -> int | None:
        """When the first item that no cancel is gets older than `age`; None where there is none."""
        times = (item.since + age + 1 for item in self._items if item.urgency is not Urgency.CANCEL)
        return min((time for time in times if time > now), default=None)

    def take(self, item: Item) -> None:
        self._items.remove(item)

    async def news(self) -> None:
        """Return when something was put or nudged since the last call."""
        await self._news.wait()
        self._news.clear()
