"""Which of our orders a record is about: by the broker's number, by the screen it was sent on, never by a guess."""

from collections.abc import Callable, Sequence

from actors.gateways.kiwoom.orders.chejan import OrderRecord
from actors.gateways.kiwoom.orders.tracking import Request, Tracked, fits, from_instruction, from_journal, resembles
from actors.gateways.kiwoom.screens import is_of
from actors.gateways.port import Instruction, KnownOrder
from messages import Action


class Owners:
    """The requests under way by screen, the orders by our number, and whose the broker's numbers are.

    `release` gets each screen that is not needed any more.
    """

    def __init__(self, release: Callable[[str], None]) -> None:
        self._release = release
        self._requests: dict[str, Request] = {}
        self._orders: dict[int, Tracked] = {}
        self._numbers: dict[str, Tracked] = {}
        self._unbound: list[Tracked] = []
        """Orders whose number never came, though records of them may."""

    @property
    def orders(self) -> Sequence[Tracked]:
        return tuple(self._orders.values())

    def know(self, known: Sequence[KnownOrder]) -> None:
        """Orders from before this connection."""
        for order in known:
            tracked = self._orders[order.order] = from_journal(order)
            if order.broker_order:
                self._numbers |= dict.fromkeys((*order.earlier, order.broker_order), tracked)
            else:
                self._unbound.append(tracked)

    def sending(self, instruction: Instruction, screen: str, name: str) -> None:
        """A request is about to be handed over on this screen, under this RQName."""
        self._requests[screen] = Request(instruction, screen, name)
        tracked = self._orders.get(instruction.order)
        if tracked is None:
            tracked = self._orders[instruction.order] = from_instruction(instruction)
        if instruction.broker_order:
            self._numbers.setdefault(instruction.broker_order, tracked)
        tracked.screens.append(screen)

    def request(self, screen: str, name: str | None = None) -> Request | None:
        """What is under way on a screen, under this RQName where one is given."""
        request = self._requests.get(screen)
        return request if request is None or name in (None, request.name) else None

    def asking(self, number: str) -> Request | None:
        """The request that the broker gave this number."""
        return next((one for one in self._requests.values() if one.number == number), None)

    def of(self, request: Request) -> Tracked:
        """The order a request is about."""
        return self._orders[request.instruction.order]

    def order(self, number: int) -> Tracked | None:
        """By our number; None where it was never handed over."""
        return self._orders.get(number)

    def named(self, number: str) -> Tracked | None:
        """The order that bears a number of the broker's."""
        return self._numbers.get(number)

    def name(self, tracked: Tracked, number: str) -> None:
        self._numbers[number] = tracked

    def request_for(self, record: OrderRecord) -> Request | None:
        """The request under way that a record under a new number is about: the screen tells, or the number it changes.

        A new order that bears no screen may be anybody's.
        """
        if record.screen in self._requests:
            request = self._requests[record.screen]
            return request if fits(request, record) else None
        if record.screen.strip("0") or record.action is Action.NEW:
            return None
        return next((request for request in self._requests.values() if fits(request, record)), None)

    def heard(self, record: OrderRecord) -> None:
        """A record of a new order under a number that is known: what stands or traded no answer refuses any more."""
        request = self._requests.get(record.screen) or self.asking(record.number)
        if request is None or request.instruction.action is not Action.NEW:
            return
        if fits(request, record) or (request.listed and request.number == record.number):
            request.number, request.listed, request.refused = record.number, False, False

    def may_tell(self, record: OrderRecord) -> bool:
        """Whether an answer that is still to come may tell that a record without a screen is ours."""
        if record.screen.strip("0") or record.action is not Action.NEW:
            return False
        awaited = (request for request in self._requests.values() if not request.unknown and not request.refused)
        return any(fits(request, record) for request in awaited)

    def heir(self, record: OrderRecord) -> Tracked | None:
        """The order that a record under a new number changes, or that it is although its own number never came."""
        tracked = self._numbers.get(record.original) or self._lost(record)
        if tracked is not None:
            self._numbers[record.number] = tracked
        return tracked

    def spare(self) -> None:
        """Give back the screen least needed: of an order known by its number, or by what its records will say."""
        requests = [one for one in self._requests.values() if one.number or one.unknown]
        request = min(requests, key=lambda one: not one.number, default=None)
        if request is not None:
            self.give_up(request)

    def give_up(self, request: Request) -> None:
        """Nothing about it is waited for any more."""
        if not request.number and request.instruction.action is Action.NEW:
            self.let_go(request)
        else:
            self.settle(request)

    def let_go(self, request: Request) -> None:
        """Of a new order nothing more is expected; should it live all the same, its records bear this screen."""
        tracked = self.of(request)
        tracked.screen = request.screen
        if tracked not in self._unbound:
            self._unbound.append(tracked)
        self.settle(request)

    def learn(self, tracked: Tracked, number: str) -> None:
        """The broker's lists, or a person, told its number, or that it has none.

        Records on its screen would know better even then; and an answer, however late, may refuse what the lists
        showed.
        """
        asked = [one for one in self._requests.values() if self.of(one) is tracked and (one.listed or not one.number)]
        for request in asked:
            if request.instruction.action is not Action.NEW:
                continue
            if not number or request.refused:
                tracked.screen = request.screen
                self.settle(request)
            elif request.unknown:
                request.number, request.listed = number, True
        self._unbound = [one for one in self._unbound if one is not tracked]
        if number:
            self._numbers[number] = tracked
        elif tracked.screen:
            self._unbound.append(tracked)

    def change_asked(self, number: str) -> bool:
        """Whether a change of the order of this number is under way."""
        asked = (request.instruction for request in self._requests.values() if not request.number)
        return any(one.action is Action.REPLACE and one.broker_order == number for one in asked)

    def cancel_asked(self, number: str) -> bool:
        """Whether we have asked the order of this number back, and no confirmation came."""
        asked = (request.instruction for request in self._requests.values())
        return any(one.action is Action.CANCEL and one.broker_order == number for one in asked)

    def settle(self, request: Request) -> None:
        """Nothing more will come about it."""
        del self._requests[request.screen]
        self.of(request).screens.remove(request.screen)
        self._release(request.screen)

    def settle_number(self, number: str) -> None:
        """The change or cancellation of this number is done."""
        for request in [one for one in self._requests.values() if one.number == number]:
            if request.instruction.action is not Action.NEW:
                self.settle(request)

    def finish(self, tracked: Tracked) -> None:
        """Nothing of it is open any more."""
        for screen in list(tracked.screens):
            request = self._requests[screen]
            if request.number or request.instruction.action is Action.NEW:
                self.settle(request)

    def _lost(self, record: OrderRecord) -> Tracked | None:
        """By its screen, or by what it asked for where only the screen of ours is not known, and of one order alone."""
        alike = [one for one in self._unbound if resembles(one, record)]
        sure = [one for one in alike if one.screen == record.screen and record.screen.strip("0")]
        unsure = [one for one in alike if not one.screen and is_of("order", record.screen)]
        found = sure[-1] if sure else unsure[0] if len(unsure) == 1 else None
        if found is not None:
            self._unbound.remove(found)
        return found
