"""The pump empties the mailboxes: the one place where handlers are called."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from math import inf
from random import Random
from time import perf_counter
from typing import Any

from messages import Message
from runtime.bus import Bus
from runtime.envelope import Envelope
from runtime.mailbox import ORDER_STREAK, Mailbox

TURN_MESSAGES = 2_048
TURN_SECONDS = 0.002
WARM_SECONDS = 0.005
STEPPED_TURN = 256
"""Messages of a turn where time is stepped and no clock may decide who is next."""
SLICE = 32
"""Messages of one mailbox before the next one gets its turn and the time is looked at."""
PATIENT_SLICE = 4
"""The same for one that is patient: each of its messages may take long."""
BACKLOG = 64
"""As many messages waiting for a patient one lengthen its slice by one: it may lag behind, not for ever."""

Handling = Callable[[Any], Coroutine[Any, Any, None] | None]


class Pump:
    """Calls handlers, one message at a time, until every mailbox is empty.

    In real time it gives way to the loop after 2,048 messages or 2 ms, in `stepped` time after 256 messages. With
    `rng` (simulated time) it does not, and the generator chooses which mailbox is next.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, rng: Random | None = None, *, stepped: bool = False) -> None:
        self.bus: Bus
        self.failed: Callable[[Mailbox, Envelope, Exception], None]
        """Told of a handler that raised."""
        self.waits: Callable[[Mailbox, Envelope, Coroutine[Any, Any, None]], None]
        """Given the coroutine of an `async def` handler; calls `resume` when it is done."""
        self.recovered: Callable[[Mailbox], None]
        """Told when a mailbox that refused messages is empty again."""
        self.keep_warm: Callable[[], None] | None = None
        """Told after work, when nothing waits: the next message is not near."""
        self._cold_at = 0.0
        self._loop = loop
        self._rng = rng
        self._messages, self._seconds = (STEPPED_TURN, inf) if stepped else (TURN_MESSAGES, TURN_SECONDS)
        self._handlers: dict[Mailbox, dict[type[Message], Handling]] = {}
        self._urgent: deque[Mailbox] = deque()
        """Mailboxes with something in the order lane: an intent does not stand behind other actors' prices."""
        self._ready: deque[Mailbox] = deque()
        self._patient: deque[Mailbox] = deque()
        self._kept_waiting = 0
        self._hurries = 0
        self._scheduled = False

    @property
    def resting(self) -> bool:
        """No handler is due to be called; one may be waiting for the outside."""
        return not self._scheduled

    @property
    def idle(self) -> bool:
        """Nothing waits and no handler is under way."""
        return not self._scheduled and not any(box.scheduled for box in self._handlers)

    def attach(self, mailbox: Mailbox, handlers: dict[type[Message], Handling]) -> None:
        """Call these handlers for what this mailbox takes; a second call replaces them."""
        self._handlers[mailbox] = handlers

    def detach(self, mailbox: Mailbox) -> None:
        """Nobody sits there any more; its mailbox is empty."""
        self._handlers.pop(mailbox, None)

    def ready(self, mailbox: Mailbox) -> None:
        """A mailbox has something: put it in line, before those that have prices only if it is for its order lane."""
        hurries = bool(mailbox.orders) and not (mailbox.hurried or mailbox.patient or self._rng is not None)
        if hurries:
            mailbox.hurried = True
            self._urgent.append(mailbox)
        if not hurries or (mailbox.market and not mailbox.scheduled):
            mailbox.scheduled = True
            mailbox.hurried = mailbox.hurried or mailbox.patient or self._rng is not None
            self._line_up(mailbox)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self.turn)

    def resume(self, mailbox: Mailbox) -> None:
        """The waiting handler of a mailbox is done."""
        mailbox.release()
        self.bus.naps += 1
        if mailbox.orders:
            self.ready(mailbox)
        if mailbox.market and not mailbox.scheduled:
            self.ready(mailbox)

    def turn(self) -> None:
        """Drain mailboxes until none is ready or the turn is used up."""
        left = self._messages
        deadline = perf_counter() + self._seconds
        urgent, ready, patient = self._urgent, self._ready, self._patient
        worked = False
        while urgent or ready or (patient and not worked):
            worked = self._rng is None
            left -= self._serve_orders() if urgent and self._may_hurry() else self._drain(self._next())
            if worked and (left <= 0 or perf_counter() > deadline):
                break
        self._serve_patient()
        self._scheduled = bool(urgent or ready or patient)
        if self._scheduled:
            self._loop.call_soon(self.turn)
        elif self.keep_warm is not None and (now := perf_counter()) >= self._cold_at:
            self._cold_at = now + WARM_SECONDS
            self.keep_warm()

    def _may_hurry(self) -> bool:
        """Orders that beget orders must not keep prices from everybody."""
        self._hurries += 1
        if self._hurries > ORDER_STREAK and self._ready:
            self._hurries = 0
        return self._hurries > 0

    def _serve_patient(self) -> None:
        """One of them every other turn at least, whatever waits besides."""
        self._kept_waiting = self._kept_waiting + 1 if self._patient else 0
        if self._kept_waiting > 1:
            self._kept_waiting = 0
            self._drain(self._patient.popleft())

    def _line_up(self, mailbox: Mailbox) -> None:
        (self._patient if mailbox.patient else self._ready).append(mailbox)

    def _next(self) -> Mailbox:
        line = self._ready or self._patient
        if self._rng is not None:
            line.rotate(-self._rng.randrange(len(line)))
        return line.popleft()

    def _serve_orders(self) -> int:
        """What presses in the first; what else its mailbox has keeps its own place in line."""
        mailbox = self._urgent.popleft()
        if mailbox.held:
            return 0
        mailbox.hurried = False
        mailbox.note_depth()
        done = self._handle(mailbox, min(mailbox.pressing, SLICE))
        if mailbox.orders and not mailbox.hurried:
            mailbox.hurried = True
            self._urgent.append(mailbox)
        return done

    def _drain(self, mailbox: Mailbox) -> int:
        if mailbox.held:
            return 0
        mailbox.note_depth()
        done = self._handle(mailbox, PATIENT_SLICE + len(mailbox.orders) // BACKLOG if mailbox.patient else SLICE)
        if mailbox.held:
            return done
        if mailbox.orders or mailbox.market:
            self._line_up(mailbox)
        else:
            mailbox.scheduled = False
            mailbox.hurried = False
            self.bus.naps += 1
            if mailbox.gaps:
                self.recovered(mailbox)
        return done

    def _handle(self, mailbox: Mailbox, limit: int) -> int:
        """Up to so many messages, one after the other."""
        orders, market = mailbox.orders, mailbox.market
        done = 0
        while done < limit and (orders or market) and not mailbox.held:
            if orders:
                done += 1
                self._call(mailbox, mailbox.get_nowait())
            else:
                mailbox.streak = 0
                done += self._prints(mailbox, min(len(market), limit - done))
        self.bus.current = None
        return done

    def _call(self, mailbox: Mailbox, envelope: Envelope) -> None:
        self.bus.current = envelope
        message = envelope.message
        try:
            work = self._handlers[mailbox][type(message)](message)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is the supervisor's
            self.failed(mailbox, envelope, error)
        else:
            if work is not None:
                self._wait(mailbox, envelope, work)

    def _prints(self, mailbox: Mailbox, count: int) -> int:
        """The hottest loop: the market lane, until something comes into the order lane."""
        bus, handlers, orders, take = self.bus, self._handlers[mailbox], mailbox.orders, mailbox.market.popleft
        done = 0
        for done in range(1, count + 1):  # noqa: B007
            item = take()
            bus.current = envelope = item if type(item) is Envelope else item.take()
            message = envelope.message
            try:
                work = handlers[type(message)](message)
            except Exception as error:  # noqa: BLE001
                self.failed(mailbox, envelope, error)
                break
            if work is not None:
                self._wait(mailbox, envelope, work)
                break
            if orders:
                break
        mailbox.taken += done
        return done

    def _wait(self, mailbox: Mailbox, envelope: Envelope, work: Coroutine[Any, Any, None]) -> None:
        mailbox.hold()
        self.bus.current = None
        self.waits(mailbox, envelope, work)
