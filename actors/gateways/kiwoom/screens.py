"""Screen numbers from disjoint pools, as Kiwoom drops what a screen did before when it is used for something else."""

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES_A_SCREEN: Final = 100
MOST_SCREENS: Final = 200
POOLS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "tr": (1000, 20),
        "order": (2000, 100),
        "real": (4000, 66),
        "vi": (5000, 2),
        "session": (5100, 2),
        "condition": (6000, 10),
    }
)
"""First number and size of each pool."""


def is_of(pool: str, screen: str) -> bool:
    """Whether a screen number is one of this pool's: no other program of the account is likely to use those."""
    first, size = POOLS[pool]
    return screen.isdecimal() and first <= int(screen) < first + size


class ScreensExhausted(RuntimeError):
    """Every screen of a pool is in use."""


class Screens:
    """Hands out four-digit screen numbers, the one longest unused first."""

    def __init__(self, pools: Mapping[str, tuple[int, int]] = POOLS) -> None:
        assert sum(size for _, size in pools.values()) <= MOST_SCREENS
        self._free = {
            pool: deque(f"{number:04d}" for number in range(first, first + size))
            for pool, (first, size) in pools.items()
        }
        self._taken: dict[str, str] = {}

    def take(self, pool: str) -> str:
        """A screen nobody uses. Raises ScreensExhausted."""
        if not self._free[pool]:
            count = sum(1 for taken in self._taken.values() if taken == pool)
            raise ScreensExhausted(f"all {count} {pool} screens are in use: free some, or ask for less at a time")
        screen = self._free[pool].popleft()
        self._taken[screen] = pool
        return screen

    def put_last(self, pool: str, screen: str) -> None:
        """It was used by a run before: of all that are free it is used last."""
        if screen in self._free[pool]:
            self._free[pool].remove(screen)
            self._free[pool].append(screen)

    def free(self, screen: str) -> None:
        """Give a screen back; one that is not taken is left alone."""
        pool = self._taken.pop(screen, None)
        if pool is not None:
            self._free[pool].append(screen)

    def taken(self, pool: str) -> tuple[str, ...]:
        """The screens of a pool in use, in the order they were taken."""
        return tuple(screen for screen, owner in self._taken.items() if owner == pool)
