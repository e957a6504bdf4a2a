"""Condition searches a person saved in Kiwoom's HTS: listed, asked once, or followed while issues enter and leave."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from actors.gateways.kiwoom.control import Calls
from actors.gateways.kiwoom.queries.queries import QueryRefused
from actors.gateways.kiwoom.real_time.records import MalformedError, identity
from actors.gateways.kiwoom.screens import Screens, ScreensExhausted
from actors.gateways.pacer import Pacer
from actors.gateways.port import Found, Urgency
from actors.market.time import SECOND
from messages import Condition, ConditionEntered, ConditionLeft, Nanoseconds, Symbol
from runtime.clock import Clock

_LOG = structlog.get_logger("gateway.kiwoom")
_MINUTE: Final = 60 * SECOND
_MOST_LIVE: Final = 100
"""Issues of a search over which Kiwoom follows it no more."""
_POOL: Final = "condition"
_MARKS: Final = {"I": ConditionEntered, "D": ConditionLeft}


class Conditions:
    """Asks the control: a search once a minute at most, counted with the queries, followed on a screen of its own."""

    def __init__(  # noqa: PLR0917 - the gateway hands on what it has
        self,
        calls: Calls,
        clock: Clock,
        pacer: Pacer,
        screens: Screens,
        timeout: float,
        say: Callable[[ConditionEntered | ConditionLeft], None],
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._pacer = pacer
        self._screens = screens
        self._timeout = timeout
        self._say = say
        self._known: dict[str, Condition] = {}
        self._loaded: asyncio.Future[int] | None = None
        self._asked: dict[str, int] = {}
        self._waiting: dict[str, asyncio.Future[tuple[Symbol, ...]]] = {}
        self._followed: dict[str, str] = {}
        self._cut: set[str] = set()
        self.rejected = 0
        """Events that make no sense."""

    async def names(self) -> tuple[Condition, ...]:
        """Everything that is saved, by its index. Raises QueryRefused or TimeoutError."""
        if not self._known:
            await self._load()
        return tuple(sorted(self._known.values(), key=lambda condition: condition.index))

    async def search(self, name: str, *, live: bool) -> Found:
        """The issues that match now, after a wait where it was asked within the minute.

        Raises QueryRefused or TimeoutError.
        """
        condition = await self._named(name)
        if name in self._waiting:
            raise QueryRefused(f"the condition search {name!r} is being asked already")
        screen = self._followed.get(name) or self._screen()
        try:
            found = await self._ask(condition, screen, live=live)
        except BaseException:
            self._let_go(name, screen)
            raise
        followed = live and len(found) <= _MOST_LIVE
        if followed:
            self._followed[name] = screen
        else:
            self._let_go(name, screen)
        if live and not followed:
            _LOG.warning("a condition search finds too many issues to be followed", condition=name, issues=len(found))
        return Found(symbols=found, live=followed)

    def stop(self) -> None:
        """Follow nothing any more."""
        for name, screen in list(self._followed.items()):
            self._let_go(name, screen)

    def loaded(self, code: int) -> None:
        """OnReceiveConditionVer: 1 is success."""
        waiting, self._loaded = self._loaded, None
        if waiting is not None:
            waiting.set_result(code)

    def answered(self, listed: str, name: str, *, more: bool) -> None:
        """OnReceiveTrCondition; a code may carry a price behind `^`."""
        waiting = self._waiting.get(name)
        if waiting is None or waiting.done():
            return
        cells = (cell.partition("^")[0] for cell in listed.split(";") if cell.strip())
        found = tuple(dict.fromkeys(symbol for cell in cells if (symbol := self._issue(cell))))
        if more and name not in self._cut:
            self._cut.add(name)
            _LOG.warning(
                "a condition search is cut: narrow it, the rest is not told", condition=name, issues=len(found)
            )
        waiting.set_result(found)

    def changed(self, code: str, mark: str, name: str) -> None:
        """OnReceiveRealCondition."""
        kind, symbol = _MARKS.get(mark.strip()), self._issue(code)
        if symbol and kind is None:
            self.rejected += 1
        elif symbol and kind is not None:
            self._say(kind(symbol=symbol, condition=name, time=Nanoseconds(self._clock.now())))

    def _issue(self, text: str) -> Symbol | None:
        try:
            return identity(text)[0]
        except MalformedError:
            self.rejected += 1
            return None

    def _screen(self) -> str:
        try:
            return self._screens.take(_POOL)
        except ScreensExhausted as error:
            raise QueryRefused(f"a condition search: {error}") from error

    async def _named(self, name: str) -> Condition:
        known = await self.names()
        if name not in self._known:
            there = ", ".join(condition.name for condition in known) or "none at all"
            raise QueryRefused(f"there is no condition search {name!r}; the HTS has saved {there}")
        return self._known[name]

    async def _load(self) -> None:
        loaded = self._loaded or self._ask_for_list()
        try:
            code = await self._clock.wait(loaded, self._timeout)
        except TimeoutError:
            self._loaded = None
            raise
        if code != 1:
            raise QueryRefused("the condition searches could not be loaded")
        pairs = (part.partition("^") for part in self._calls.condition_names().split(";"))
        self._known = {
            name: Condition(index=int(index), name=name) for index, _, name in pairs if name and index.isdecimal()
        }

    def _ask_for_list(self) -> asyncio.Future[int]:
        if self._calls.load_conditions() != 1:
            raise QueryRefused("GetConditionLoad refused: log in, and save a condition search in the HTS")
        self._loaded = asyncio.get_running_loop().create_future()
        return self._loaded

    async def _ask(self, condition: Condition, screen: str, *, live: bool) -> tuple[Symbol, ...]:
        name = condition.name
        waiting = self._waiting[name] = asyncio.get_running_loop().create_future()
        try:
            await self._turn(name)
            if self._calls.send_condition(screen, name, condition.index, live=live) != 1:
                raise QueryRefused(f"SendCondition {name!r} refused: asked too often, or ten are followed already")
            return await self._clock.wait(waiting, self._timeout)
        finally:
            del self._waiting[name]

    async def _turn(self, name: str) -> None:
        while (again := self._asked.get(name, -_MINUTE) + _MINUTE - self._clock.now()) > 0:
            await self._clock.sleep(again / SECOND)
        await self._pacer.turn(Urgency.QUERY)
        self._asked[name] = self._clock.now()

    def _let_go(self, name: str, screen: str) -> None:
        """Stopped whatever it was: of a search without an answer nobody knows whether Kiwoom follows it."""
        self._followed.pop(name, None)
        self._calls.stop_condition(screen, name, self._known[name].index)
        self._calls.drop_screen(screen)
        self._screens.free(screen)
