"""The bus: numbers each message and lays it into the mailboxes of those who handle its class."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from operator import attrgetter
from typing import Protocol

from messages import Lane, Message, Overflow
from runtime.actor import Handler, Wiring
from runtime.clock import Clock
from runtime.envelope import Envelope
from runtime.mailbox import Mailbox, Newest, Tail

RUN_BITS = 40
CAUSE: ContextVar[int] = ContextVar("cause", default=0)
"""Number of the message that spawned the running task."""

Put = Callable[[Envelope], None]


class Tap(Protocol):
    """Takes every journalled message, in number order."""

    def append(self, envelope: Envelope) -> None: ...


class Subscription:
    """Which classes a mailbox takes, and how."""

    def __init__(self, mailbox: Mailbox, handlers: Iterable[Handler], obeys: Iterable[type[Message]] = ()) -> None:
        self.mailbox = mailbox
        self.obeys = frozenset(obeys)
        self.subjects: frozenset[str] | None = None
        self.latest = {kind: h.latest for h in handlers for declared in h.types for kind in concrete(declared)}

    def takes(self, kind: type[Message], subject: str | None) -> bool:
        """Whether a message of this class, about this subject, is wanted."""
        if kind not in self.latest:
            return False
        return not kind.selective or self.subjects is None or subject in self.subjects


class Targets:
    """Mailboxes for one class and subject. Plain ones take prints: their lane is filled in place, the hottest path."""

    __slots__ = ("appends", "awake", "plain", "puts")

    def __init__(self, plain: tuple[Mailbox, ...], puts: tuple[Put, ...]) -> None:
        self.plain = plain
        self.appends = tuple(mailbox.market.append for mailbox in plain)
        self.puts = puts
        self.awake = -1
        """The bus's `naps` when all plain ones were last seen in the pump's line."""


_NOBODY = Targets((), ())


class Route(dict[object, Targets]):
    """Where messages of one class go, by key; found when first asked for."""

    def __init__(self, kind: type[Message], subscriptions: Sequence[Subscription]) -> None:
        super().__init__()
        self._kind = kind
        self._takers = sorted((s for s in subscriptions if kind in s.latest), key=lambda s: kind not in s.obeys)
        """Who has to act on it hears it first."""
        self.journalled = kind.journalled
        self.key = attrgetter(*kind.key) if kind.key and self._differs() else None
        """None where every key goes the same way, which is `only`."""
        self.only = self[None] if self.key is None else _NOBODY

    def __missing__(self, key: object) -> Targets:
        kind = self._kind
        subject = None if key is None else str(key[0] if isinstance(key, tuple) else key)  # type: ignore[index]
        takers = [s for s in self._takers if s.takes(kind, subject)]
        plain = tuple(s.mailbox for s in takers if _is_plain(kind, latest=s.latest[kind]))
        puts = tuple(_put(s.mailbox, kind, latest=s.latest[kind]) for s in takers if s.mailbox not in plain)
        found = self[key] = Targets(plain, puts)
        return found

    def _differs(self) -> bool:
        kind = self._kind
        chosen = kind.selective and any(s.subjects is not None for s in self._takers)
        return chosen or (
            kind.lane is Lane.MARKET and any(not _is_plain(kind, latest=s.latest[kind]) for s in self._takers)
        )


class _Routes(dict[type[Message], Route]):
    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        super().__init__()
        self._subscriptions = subscriptions

    def __missing__(self, kind: type[Message]) -> Route:
        route = self[kind] = Route(kind, self._subscriptions)
        return route


class Bus:
    """One numbered stream of messages, many mailboxes."""

    def __init__(self, clock: Clock) -> None:
        self.current: Envelope | None = None
        """The message being handled."""
        self.naps = 0
        """How often a mailbox left the pump's line: until the next time, who was in it still is."""
        self._room_until = 0
        """No market lane can be full before the message of this number."""
        self._number = 0
        self._now = clock.now
        self._tap: Tap | None = None
        self._subscriptions: list[Subscription] = []
        self._routes = _Routes(self._subscriptions)

    @property
    def number(self) -> int:
        """Of the newest message."""
        return self._number

    def begin(self, run: int, tap: Tap | None) -> None:
        """Number messages of this run from here on, and show the journalled ones to `tap`."""
        self._number = run << RUN_BITS
        self._room_until = 0
        self._tap = tap

    def subscribe(self, subscription: Subscription) -> None:
        self._subscriptions.append(subscription)
        self._room_until = 0
        self._routes.clear()

    def unsubscribe(self, mailbox: Mailbox) -> None:
        self._subscriptions[:] = [s for s in self._subscriptions if s.mailbox is not mailbox]
        self._routes.clear()

    def listen(self, mailbox: Mailbox, subjects: Iterable[str] | None) -> None:
        """From now on selective messages reach this mailbox only for `subjects`; None is all."""
        wanted = None if subjects is None else frozenset(subjects)
        for subscription in self._subscriptions:
            if subscription.mailbox is mailbox and subscription.subjects != wanted:
                subscription.subjects = wanted
                self._routes.clear()

    def publish(self, message: Message, source: str) -> int:
        """Number a message, hand it to the journal if it belongs there, lay it into the mailboxes."""
        self._number = number = self._number + 1
        current = self.current
        now = self._now()
        if current is None:
            envelope = Envelope(number, now, source, CAUSE.get(), message, now)
        else:
            envelope = Envelope(number, now, source, current.number, message, current.origin)
        route = self._routes[type(message)]
        if route.journalled and self._tap is not None:
            self._tap.append(envelope)
        key = route.key
        targets = route.only if key is None else route[key(message)]
        if targets.plain:
            if number < self._room_until or self._has_room():
                for append in targets.appends:
                    append(envelope)
                if targets.awake != self.naps:
                    self._wake(targets)
            else:
                _lay_where_room(targets.plain, envelope)
        for put in targets.puts:
            put(envelope)
        return number

    def post(self, mailbox: Mailbox, message: Message, source: str, cause: int) -> None:
        """Lay a message into one mailbox: an actor's own timer."""
        self._number += 1
        now = self._now()
        mailbox.put_order(Envelope(self._number, now, source, cause, message, now))

    def _has_room(self) -> bool:
        boxes = (subscription.mailbox for subscription in self._subscriptions)
        room = min(box.market_bound - len(box.market) for box in boxes)
        self._room_until = self._number + room
        return room > 0

    def _wake(self, targets: Targets) -> None:
        targets.awake = self.naps
        for mailbox in targets.plain:
            if not mailbox.scheduled:
                mailbox.ready(mailbox)


def concrete(kind: type[Message]) -> Iterator[type[Message]]:
    """A class and all that derive from it, in the order of their definition."""
    yield kind
    for derived in kind.__subclasses__():
        yield from concrete(derived)


def check_unambiguous(owner: str, handlers: Iterable[Handler]) -> None:
    """Raise Wiring where two handlers of one actor take the same class."""
    seen: dict[type[Message], str] = {}
    for handler in handlers:
        for declared in handler.types:
            for kind in concrete(declared):
                if seen.setdefault(kind, handler.name) != handler.name:
                    raise Wiring(f"{owner}: {seen[kind]} and {handler.name} both handle {kind.__name__}; keep one")


def _lay_where_room(mailboxes: Iterable[Mailbox], envelope: Envelope) -> None:
    for mailbox in mailboxes:
        if len(mailbox.market) >= mailbox.market_bound:
            mailbox.refuse(envelope)
            continue
        mailbox.market.append(envelope)
        if not mailbox.scheduled:
            mailbox.ready(mailbox)


def _is_plain(kind: type[Message], *, latest: bool) -> bool:
    return kind.lane is Lane.MARKET and kind.overflow is not Overflow.CONFLATE and not latest


def _put(mailbox: Mailbox, kind: type[Message], *, latest: bool) -> Put:
    if kind.lane is Lane.ORDER:
        return mailbox.put_order
    return Newest(mailbox).put if latest else Tail(mailbox).put
