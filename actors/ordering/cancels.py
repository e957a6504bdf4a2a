"""What becomes of a wish to take an order back, wherever the order is on its way."""

from collections.abc import Callable
from typing import Final

from actors.account.ledger import Ledger
from actors.account.order import Order
from actors.gateways.port import Urgency
from actors.market.time import SECOND
from actors.ordering import requests
from actors.ordering.outbox import Item
from actors.ordering.sender import Sender
from messages import Action, CancelRejected, Message, Nanoseconds, OrderCanceled, OrderFilled, OrderSubmitting, Purpose
from runtime.actor import Log
from runtime.clock import Clock

_LONG: Final = 5 * SECOND
"""After which the broker's silence about an order that shall be canceled is suspicious."""


class Cancels:
    """Takes back what was not sent yet, and asks the broker for the rest, once at a time.

    `say` publishes; `suspect` hears that the broker should be asked what it knows.
    """

    def __init__(
        self,
        ledger: Ledger,
        sender: Sender,
        clock: Clock,
        log: Log,
        *,
        say: Callable[[Message], int],
        suspect: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._sender = sender
        self._clock = clock
        self._log = log
        self._say = say
        self._suspect = suspect
        self._wanted: dict[int, int] = {}
        """Shares that the newest cancel asks for, by order."""
        self._refused: dict[int, tuple[int, int]] = {}
        """The same where it was refused, and when."""
        self._orphans: dict[int, str] = {}
        """Entries nobody watches, and why they are taken back."""

    def ask(self, number: int, request: int, reason: str) -> None:
        """Take the order of this number back; `request` is the number of who asked."""
        order = self._ledger.orders.get(number)
        if order is None:
            self._log.warning("cancel of an order that is not ours", order=number)
        elif not order.live:
            self._say(CancelRejected(**requests.event(order, self._now()), reason=f"it is {order.phase}"))
        elif self._sender.withdraw(number):
            fields = requests.event(order, self._now())
            self._say(OrderCanceled(**fields, broker_order="", canceled=order.open, reason=f"never sent: {reason}"))
        else:
            self._at_broker(order, request)

    def disown(self, strategy: str, request: int) -> None:
        """Take the entries of a strategy back that is off, again at each match until they are gone."""
        for order in self._ledger.live():
            if order.strategy == strategy and order.purpose is Purpose.ENTRY:
                self._orphans[order.number] = f"{strategy} is off"
        self.ask_again(request)

    def ask_again(self, request: int) -> None:
        """For what was disowned and is still open."""
        for number, reason in tuple(self._orphans.items()):
            order = self._ledger.orders.get(number)
            if order is None or not order.live:
                del self._orphans[number]
            else:
                self.ask(number, request, reason)

    def hear(self, message: Message, number: int) -> None:
        """Of an order that trades while its cancel is on its way more is asked for than is open, which is refused."""
        match message:
            case OrderSubmitting() if message.action is Action.CANCEL:
                self._wanted[message.order] = message.quantity
            case CancelRejected() if message.order in self._wanted:
                self._refused[message.order] = self._wanted.pop(message.order), self._now()
                self._ask_rest(message.order, number)
            case OrderFilled() if message.order in self._refused:
                self._ask_rest(message.order, number)
            case _:
                pass

    def _ask_rest(self, order: int, request: int) -> None:
        wanted, since = self._refused[order]
        known = self._ledger.orders.get(order)
        if known is None or not known.live or not 0 <= self._now() - since < _LONG:
            del self._refused[order]
        elif known.open < wanted:
            del self._refused[order]
            self.ask(order, request, "the rest of what has partly filled")

    def _at_broker(self, order: Order, request: int) -> None:
        if not order.canceling and not self._sender.outbox.waits(order.number, Action.CANCEL):
            self._sender.outbox.put(Item(requests.cancel(order, request=request), Urgency.CANCEL, self._now()))
        elif not order.broker_order and not 0 <= self._now() - order.time <= _LONG:
            self._suspect()

    def _now(self) -> Nanoseconds:
        return Nanoseconds(self._clock.now())
