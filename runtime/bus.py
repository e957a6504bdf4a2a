"""The bus: numbers each message and lays it into the mailboxes of those who handle its class."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from operator import attrgetter
from typing import NamedTuple, Protocol

from messages import Lane, Message, Overflow
from runtime.actor import Handler, Wiring
from runtime.clock import Clock
from runtime.envelope import Envelope
from runtime.mailbox import Mailbox

RUN_BITS = 40
CAUSE: ContextVar[int] = ContextVar("cause", default=0)
"""Number of the message that spawned the running task."""

Put = Callable[[Envelope], None]


class Tap(Protocol):
    """Takes every journalled message, in number order."""

    def append(self, envelope: Envelope) -> None: ...


class Subscription:
    """Which classes a mailbox takes, and how."""

    def __init__(self, mailbox: Mailbox, handlers: Iterable[Handler]) -> None:
        self.mailbox = mailbox
        self.subjects: frozenset[str] | None = None
        self.latest = {kind: h.latest for h in handlers for declared in h.types for kind in concrete(declared)}

    def takes(self, kind: type[Message], subject: str | None) -> bool:
        """Whether a message of this class, about this subject, is wanted."""
        if kind not in self.latest:
            return False
        return subject is None or self.subjects is None or subject in self.subjects


class Targets(NamedTuple):
    """Mailboxes for one class and subject. Plain ones take prints: their lane is filled in place, the hottest path."""

    plain: tuple[Mailbox, ...]
    puts: tuple[Put, ...]


class Route:
    """Where messages of one class go."""

    def __init__(self, kind: type[Message], subscriptions: Sequence[Subscription]) -> None:
        self.journalled = kind.journalled
        self.subject = attrgetter(kind.key[0]) if kind.selective else None
        self._kind = kind
        self._subscriptions = subscriptions
        self._targets: dict[str | None, Targets] = {}

    def targets(self, subject: str | None) -> Targets:
        found = self._targets.get(subject)
        return found if found is not None else self._find(subject)

    def _find(self, subject: str | None) -> Targets:
        takers = [s for s in self._subscriptions if s.takes(self._kind, subject)]
        plain = tuple(s.mailbox for s in takers if _is_plain(self._kind, latest=s.latest[self._kind]))
        puts = tuple(_put(s.mailbox, self._kind, latest=s.latest[self._kind]) for s in takers if s.mailbox not in plain)
        found = self._targets[subject] = Targets(plain, puts)
        return found


class Bus:
    """One numbered stream of messages, many mailboxes."""

    def __init__(self, clock: Clock) -> None:
        self.current: Envelope | None = None
        """The message being handled."""
        self._number = 0
        self._now = clock.now
        self._tap: Tap | None = None
        self._subscriptions: list[Subscription] = []
        self._routes: dict[type[Message], Route] = {}

    @property
    def number(self) -> int:
        """Of the newest message."""
        return self._number

    def begin(self, run: int, tap: Tap | None) -> None:
        """Number messages of this run from here on, and show the journalled ones to `tap`."""
        self._number = run << RUN_BITS
        self._tap = tap

    def subscribe(self, subscription: Subscription) -> None:
        self._subscriptions.append(subscription)
        self._routes.clear()

    def unsubscribe(self, mailbox: Mailbox) -> None:
        self._subscriptions = [s for s in self._subscriptions if s.mailbox is not mailbox]
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
        cause = CAUSE.get() if current is None else current.number
        envelope = Envelope(number, self._now(), source, cause, message)
        kind = type(message)
        route = self._routes.get(kind) or self._route(kind)
        if route.journalled and self._tap is not None:
            self._tap.append(envelope)
        subject = route.subject
        plain, puts = route.targets(None if subject is None else subject(message))
        for mailbox in plain:
            market = mailbox.market
            if len(market) < mailbox.market_bound:
                market.append(envelope)
                if not mailbox.scheduled:
                    mailbox.ready(mailbox)
            else:
                mailbox.refuse(envelope)
        for put in puts:
            put(envelope)
        return number

    def post(self, mailbox: Mailbox, message: Message, source: str, cause: int) -> None:
        """Lay a message into one mailbox: an actor's own timer."""
        self._number += 1
        mailbox.put_order(Envelope(self._number, self._now(), source, cause, message))

    def takers(self, kind: type[Message]) -> list[str]:
        """Names of the mailboxes that take a class."""
        return [s.mailbox.name for s in self._subscriptions if kind in s.latest]

    def _route(self, kind: type[Message]) -> Route:
        route = self._routes[kind] = Route(kind, self._subscriptions)
        return route


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


def _is_plain(kind: type[Message], *, latest: bool) -> bool:
    return kind.lane is Lane.MARKET and kind.overflow is not Overflow.CONFLATE and not latest


def _put(mailbox: Mailbox, kind: type[Message], *, latest: bool) -> Put:
    if kind.lane is Lane.ORDER:
        return mailbox.put_order
    return mailbox.put_latest if latest else mailbox.put_conflating
