"""What is registered for real-time data: two tiers, a hundred codes a screen, changed a portion at a time."""

from collections.abc import Collection
from functools import partial
from typing import Final

import structlog

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.control import Calls
from actors.gateways.kiwoom.screens import CODES_A_SCREEN, Screens, ScreensExhausted
from actors.gateways.port import Outcome
from messages import Symbol
from runtime.clock import Clock, TimerHandle

_LOG = structlog.get_logger("gateway.kiwoom")
_TRADE_FIDS: Final = "20;10;15;228"
_BOOK_FIDS: Final = "20;10;15;228;21;41;61"
_QUOTE_FIDS: Final = ";27"
_AFTER_HOURS_FIDS: Final = ";131"
_SESSION_FIDS: Final = "215;20;214"
_INDEX_FIDS: Final = "10;15;20"
_PAUSE: Final = 0.1
"""Seconds between two calls, so that a changed universe is no storm in the busy minutes after the open."""
_REMOVED_AT_ONCE: Final = 10
"""Codes, each a call of its own."""
_AGAIN: Final = 1.0
_AGAIN_AT_MOST: Final = 60.0
"""Seconds after a refusal, doubling with each."""


class Tier:
    """The codes registered with one set of FIDs, and the screens they are on."""

    def __init__(self, calls: Calls, screens: Screens, fids: str) -> None:
        self._calls = calls
        self._screens = screens
        self._fids = fids
        self._places: dict[str, list[Symbol]] = {}
        self._where: dict[Symbol, str] = {}
        self._wanted: dict[Symbol, None] = {}
        self._refused: dict[Symbol, int] = {}
        """How many of these may go together at most, the longest untried first."""
        self.blamed = False
        """Whether the last refusal was of one code alone: the others need not wait for it."""

    def want(self, symbols: Collection[Symbol]) -> None:
        """The order stays: what comes first is registered first."""
        self._wanted = dict.fromkeys(symbols)
        self._refused = {symbol: most for symbol, most in self._refused.items() if symbol in self._wanted}

    @property
    def registered(self) -> tuple[Symbol, ...]:
        return tuple(self._where)

    def step(self, *, retry: bool = True) -> bool:
        """Take out what is not wanted, or register one portion; False when nothing is left to do.

        What was refused comes last, and only with `retry`. Raises ScreensExhausted, and ConnectionError where the
        control refuses.
        """
        surplus = [symbol for symbol in self._where if symbol not in self._wanted][:_REMOVED_AT_ONCE]
        if surplus:
            for symbol in surplus:
                self._remove(symbol)
            return True
        missing = self._unrefused() or (self._widest() if retry else [])
        if missing:
            self._add(missing)
        return len(missing) > 0

    def _unrefused(self) -> list[Symbol]:
        return [symbol for symbol in self._wanted if symbol not in self._where and symbol not in self._refused]

    def _widest(self) -> list[Symbol]:
        """A code that is at fault is found by halves, of which the good ones are not kept waiting for it."""
        most = max(self._refused.values(), default=0)
        return [symbol for symbol, bound in self._refused.items() if bound == most][:most]

    def _remove(self, symbol: Symbol) -> None:
        screen = self._where.pop(symbol)
        self._calls.unregister(screen, symbol)
        self._places[screen].remove(symbol)
        if not self._places[screen]:
            del self._places[screen]
            self._calls.drop_screen(screen)
            self._screens.free(screen)

    def _add(self, missing: list[Symbol]) -> None:
        screen = next((name for name, held in self._places.items() if len(held) < CODES_A_SCREEN), "")
        option = "1" if screen else "0"
        screen = screen or self._screens.take("real")
        held = self._places.setdefault(screen, [])
        portion = missing[: CODES_A_SCREEN - len(held)]
        error = codes.error_of(self._calls.register(screen, portion, self._fids, option))
        alone = [self._refused.pop(symbol, 0) for symbol in portion] == [1]
        if error.outcome is not Outcome.SENT:
            self._undo(screen)
            self._refused.update(dict.fromkeys(portion, max(1, len(portion) // 2)))
            self.blamed = alone
            raise ConnectionError(f"SetRealReg: {error.code} {error.meaning}; {error.mend}")
        held.extend(portion)
        self._where.update(dict.fromkeys(portion, screen))

    def _undo(self, screen: str) -> None:
        if not self._places[screen]:
            del self._places[screen]
            self._screens.free(screen)


class Registrations:
    """Brings what is registered to what is wanted, one call a turn."""

    def __init__(
        self, calls: Calls, clock: Clock, screens: Screens, *, quotes: bool = False, after_hours: bool = False
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._screens = screens
        more = _QUOTE_FIDS * quotes + _AFTER_HOURS_FIDS * after_hours
        self._trades = Tier(calls, screens, _TRADE_FIDS + more)
        self._books = Tier(calls, screens, _BOOK_FIDS + more)
        self._timer: TimerHandle | None = None
        self._again = {self._trades: _AGAIN, self._books: _AGAIN}
        self._resting: dict[Tier, TimerHandle | None] = {}
        """After a refusal; one that has no screen rests until it is told anew what is wanted."""
        self.wanted: set[str] = set()
        """Codes with trades or books, as they are at any time."""
        self.refused = 0

    def watch(self, trades: Collection[Symbol], books: Collection[Symbol]) -> None:
        """Want exactly these; a code with a book has its trades too."""
        self._trades.want([*trades, *books])
        self._books.want(books)
        self.wanted.clear()
        self.wanted.update(trades, books)
        self._resting = {tier: timer for tier, timer in self._resting.items() if timer is not None}
        self._step_after(0.0)

    def sessions(self) -> None:
        """Register the announcements of the market's sessions. Raises ConnectionError."""
        self._register_alone((), _SESSION_FIDS, "the sessions")

    def indices(self, listed: Collection[str]) -> None:
        """Register indices (001, 101) by their codes. Raises ConnectionError."""
        if listed:
            self._register_alone(tuple(listed), _INDEX_FIDS, "the indices")

    def _register_alone(self, listed: tuple[str, ...], fids: str, what: str) -> None:
        error = codes.error_of(self._calls.register(self._screens.take("session"), listed, fids, "0"))
        if error.outcome is not Outcome.SENT:
            raise ConnectionError(f"SetRealReg of {what}: {error.code} {error.meaning}; {error.mend}")

    def close(self) -> None:
        """Drop every registration."""
        self._trades.want(())
        self._books.want(())
        self.wanted.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for timer in self._resting.values():
            if timer is not None:
                timer.cancel()
        for pool in ("real", "session", "vi"):
            for screen in self._screens.taken(pool):
                self._calls.drop_screen(screen)

    @property
    def registered(self) -> tuple[tuple[Symbol, ...], tuple[Symbol, ...]]:
        """Codes with trades, and codes with books."""
        return self._trades.registered, self._books.registered

    def _step_after(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._clock.call_later(seconds, self._step)

    def _step(self) -> None:
        self._timer = None
        if any(self._call(tier) for tier in self._again):
            self._step_after(_PAUSE)

    def _call(self, tier: Tier) -> bool:
        """One call at most; False when this tier has none to make now."""
        rests = tier in self._resting
        if rests and (self._resting[tier] is None or not tier.blamed):
            return False
        try:
            moved = tier.step(retry=not rests)
        except (ConnectionError, ScreensExhausted) as error:
            self.refused += 1
            _LOG.warning("registration refused", reason=str(error))
            self._rest(tier, error)
            return isinstance(error, ConnectionError)
        if moved or not rests:
            self._again[tier] = _AGAIN
        return moved

    def _rest(self, tier: Tier, error: Exception) -> None:
        before = self._resting.pop(tier, None)
        if before is not None:
            before.cancel()
        if isinstance(error, ScreensExhausted):
            self._resting[tier] = None
            return
        self._resting[tier] = self._clock.call_later(self._again[tier], partial(self._wake, tier))
        self._again[tier] = min(2 * self._again[tier], _AGAIN_AT_MOST)

    def _wake(self, tier: Tier) -> None:
        self._resting.pop(tier, None)
        self._step_after(0.0)
