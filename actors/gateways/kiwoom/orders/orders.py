"""Requests and their answers in, order events out, beside what the records tell."""

from collections.abc import Sequence
from typing import Final

from actors.gateways.kiwoom.orders.news import NO_REASON, News
from actors.gateways.kiwoom.orders.tracking import Request
from actors.gateways.port import Instruction, KnownOrder
from messages import Action, OrderUnknown

_NO_ANSWER: Final = "no answer came"


class OrderTracker(News):
    """Follows every order of one account through answers, texts and records, in whatever order they come."""

    def know(self, known: Sequence[KnownOrder]) -> None:
        """Bind records of these orders to their numbers; one without the broker's number by its screen and terms."""
        self.owners.know(known)

    def sending(self, instruction: Instruction, screen: str, name: str) -> None:
        """A request is about to be handed over on this screen, under this RQName."""
        self.owners.sending(instruction, screen, name)

    def not_sent(self, screen: str) -> None:
        """The interface refused the request of this screen: nothing should follow, and what does is no stranger's."""
        request = self.owners.request(screen)
        if request is not None:
            self.owners.give_up(request)
            self.sort_out()

    def doubted(self, screen: str) -> None:
        """The interface does not know whether the request of this screen was sent."""
        request = self.owners.request(screen)
        if request is not None:
            request.unknown = True
            self.sort_out()

    def spare(self) -> None:
        """Give back the screen least needed."""
        self.owners.spare()

    def learn(self, order: int, name: str) -> None:
        """The broker's lists have told which number an order got whose answer was lost, or blank that it has none."""
        tracked = self.owners.order(order)
        if tracked is None:
            return
        self.owners.learn(tracked, name)
        if name:
            tracked.accepted = True
            if name not in tracked.numbers:
                tracked.add(name, tracked.quantity, tracked.price)
        self.sort_out()

    def answered(self, screen: str, name: str, number: str, now: int) -> None:
        """OnReceiveTrData of a request; a number of noughts or none is a refusal, whose reason may come after it.

        Where the text says that the order was taken nobody knows: records tell, or the broker's lists. What the lists
        told, long after an answer should have come, stands against another number: an order must not live twice here.
        """
        request = self.owners.request(screen, name)
        if request is None or (request.number and not request.listed):
            return
        if number.strip("0"):
            if request.number in ("", number):
                self.bind(request, number, now)
            return
        request.refused = not request.is_taken
        if request.refused and request.message:
            self.refuse(request, request.message, now)
        self.sort_out()

    def messaged(self, screen: str, name: str, text: str, now: int) -> None:
        """OnReceiveMsg of a request."""
        request = self.owners.request(screen, name)
        if request is None:
            return
        request.message = text
        if request.refused and request.is_taken:
            request.refused = False
        elif request.refused:
            self.refuse(request, text, now)
            self.sort_out()

    def overdue(self, screen: str, name: str, now: int) -> None:
        """The time for an answer to this request is over."""
        request = self.owners.request(screen, name)
        if request is None:
            return
        if request.refused:
            self.refuse(request, NO_REASON, now)
        elif request.number or request.unknown:
            return
        elif request.instruction.action is Action.CANCEL:
            self.refuse(request, _silence(request), now)
        elif request.instruction.action is Action.NEW and self.owners.of(request).numbers:
            request.number, request.listed = [*self.owners.of(request).numbers][-1], True
        else:
            request.unknown = True
            self.say(OrderUnknown, self.owners.of(request), now, reason=_silence(request))
        self.sort_out()


def _silence(request: Request) -> str:
    return f"no number came: {request.message}" if request.message else _NO_ANSWER
