"""Which real data is wanted, by screen: 200 screens, 100 codes a screen, whole types by any of their FIDs."""

from collections.abc import Iterable
from typing import Final

from actors.gateways.kiwoom import codes

MOST_SCREENS: Final = 200
MOST_CODES: Final = 100
MOST_FIDS: Final = 100
ALL: Final = "ALL"
WHOLE_MARKET: Final = ""
"""The code under which announcements and interruptions are registered."""


TRADE: Final = 1
BOOK: Final = 2
QUOTE: Final = 4
EXPECTED: Final = 8
SESSION: Final = 16
VI: Final = 32
AFTER: Final = 128
"""Real types, each a bit."""
ELSEWHERE: Final = 64
"""On a bare code: it is registered under another venue's code."""
_SUFFIXES: Final = ("_NX", "_AL")

_NAMES: Final = {
    TRADE: codes.TRADE,
    BOOK: codes.BOOK,
    QUOTE: codes.BEST_QUOTE,
    EXPECTED: codes.EXPECTED,
    AFTER: codes.AFTER_HOURS,
}
ISSUE_TYPES: Final = TRADE | BOOK | QUOTE | EXPECTED | AFTER
_FIDS: Final = {kind: frozenset(codes.REAL_TYPES[name].fids) for kind, name in _NAMES.items()}
_SESSION_FIDS: Final = frozenset({codes.Fid.SESSION, codes.Fid.REMAINING})


class Registrations:
    """Screens with their codes; an issue on several screens is sent once, until the last of them lets go."""

    def __init__(self) -> None:
        self.wanted: dict[str, int] = {}
        """Code to the bits of its types; absent where nothing is wanted."""
        self._screens: dict[str, dict[str, int]] = {}

    def use(self, screen: str) -> bool:
        """Take a screen for something else than registration; False where it is none or one too many."""
        if not self._may_use(screen):
            return False
        self._replace(screen, {})
        return True

    def register(self, screen: str, wanted: Iterable[str], kinds: int, *, add: bool) -> int:
        """Put codes on a screen, beside or in place of what it has; Kiwoom's return value."""
        if not self._may_use(screen):
            return -105
        before = self._screens.get(screen, {}) if add else {}
        after = before | {code: before.get(code, 0) | kinds for code in wanted}
        if len(after) > MOST_CODES:
            return -204
        self._replace(screen, after)
        return 0

    def set_real(self, screen: str, wanted: str, fids: str, option: str) -> int:
        """SetRealReg."""
        listed = [code for code in wanted.replace(" ", "").split(";") if code]
        numbers = [int(fid) for fid in fids.replace(" ", "").split(";") if fid.isdecimal()]
        if len(listed) > MOST_CODES:
            return -204
        if len(numbers) > MOST_FIDS:
            return -206
        if not numbers or option not in ("0", "1"):
            return -105
        kinds = kinds_of(numbers) if listed else _announcements(numbers)
        return self.register(screen, listed or [WHOLE_MARKET], kinds, add=option == "1")

    def remove(self, screen: str, code: str) -> None:
        """SetRealRemove: `ALL` in place of either."""
        screens = list(self._screens) if screen == ALL else [screen]
        for name in screens:
            listed = self._screens.get(name)
            if listed is not None:
                self._replace(name, {} if code == ALL else {key: bits for key, bits in listed.items() if key != code})

    def disconnect(self, screen: str) -> None:
        """DisconnectRealData: the screen is free again."""
        if screen in self._screens:
            self._replace(screen, {})
            del self._screens[screen]

    def clear(self) -> None:
        """The connection is lost, and everything with it."""
        self._screens.clear()
        self.wanted.clear()

    def _may_use(self, screen: str) -> bool:
        if len(screen) != 4 or not screen.isdecimal() or screen == "0000":
            return False
        return screen in self._screens or len(self._screens) < MOST_SCREENS

    def _replace(self, screen: str, after: dict[str, int]) -> None:
        before = self._screens.get(screen, {})
        self._screens[screen] = after
        for code in before | after:
            self._note(code)
            if code.endswith(_SUFFIXES):
                self._note(code.partition("_")[0])

    def _note(self, code: str) -> None:
        bits = ELSEWHERE if any(code + suffix in self.wanted for suffix in _SUFFIXES) else 0
        for listed in self._screens.values():
            bits |= listed.get(code, 0)
        if bits:
            self.wanted[code] = bits
        else:
            self.wanted.pop(code, None)


def kinds_of(fids: Iterable[int]) -> int:
    """The types that any of the FIDs belongs to."""
    asked = frozenset(fids)
    bits = 0
    for kind, members in _FIDS.items():
        if asked & members:
            bits |= kind
    return bits


def _announcements(fids: Iterable[int]) -> int:
    return SESSION if _SESSION_FIDS & frozenset(fids) else 0
