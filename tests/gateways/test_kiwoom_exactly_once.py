"""Records in any order, several times or not at all: from the control's fields to the ledger there is one end."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, combinations, permutations
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from actors.account.ledger import Booked, Ledger
from actors.account.order import Phase
from actors.gateways.kiwoom.orders.chejan import order_record
from actors.gateways.kiwoom.orders.orders import OrderTracker
from actors.gateways.port import BrokerOrder, BrokerPosition, BrokerReport, BrokerState
from actors.market.time import SECOND
from actors.ordering.findings import confirmed
from actors.ordering.reconciliation import compare
from messages import (
    Action,
    Nanoseconds,
    OrderExpired,
    OrderSent,
    OrderUnknown,
    Shares,
    Side,
    Won,
)
from tests.account.records import NOON, about, approval, folded, opened, submitting
from tests.gateways.order_desk import SAMSUNG, M, N, fields, instruction

CASH = 1_000_000
TERMS: dict[str, Any] = {"symbol": SAMSUNG, "side": Side.BUY, "price": 100}


class Line:
    """The gateway's tracker and a ledger behind it; what was said is folded at once."""

    def __init__(self) -> None:
        wish = approval(7, quantity=10, price=100, symbol=SAMSUNG)
        self.ledger = folded([opened(CASH), wish, submitting(7, **TERMS)])
        self.unknown = 0
        self.tracker = OrderTracker(self._hear, lambda _screen: None)
        self.tracker.sending(instruction(), "2000", "new")
        self._hear(OrderSent(**about(7, symbol=SAMSUNG), action=Action.NEW, screen="2000"))

    def ask(self) -> None:
        """Take the order back: on another screen."""
        self.tracker.sending(instruction(Action.CANCEL, quantity=3, original=N), "2001", "ask")

    def take(self, cells: dict[int, str]) -> None:
        self.tracker.record(order_record(cells), NOON)

    def repair(self, state: BrokerState) -> int:
        """Reconcile until nothing is left to find; how many looks it took."""
        for looks in range(1, 5):
            findings = confirmed(compare(self.ledger, state), compare(self.ledger, state))
            booked = [message for finding in findings for message in finding.messages]
            for message in booked:
                assert isinstance(message, Booked)
                self.ledger.fold(message, self.ledger.number + 1)
            if not booked:
                return looks
        raise AssertionError("it never ends")

    def _hear(self, report: BrokerReport) -> None:
        if isinstance(report, OrderUnknown):
            self.unknown += 1
        assert isinstance(report, Booked)
        self.ledger.fold(report, self.ledger.number + 1)


STORY: Sequence[dict[int, str]] = (
    fields("+매수", "접수", N),
    fields("+매수", "체결", N, fill=3, open=7, amount=300),
    fields("+매수", "체결", N, fill=4, open=3, amount=700),
    fields("매수취소", "접수", M, original=N, screen="2001", quantity=3),
    fields("매수취소", "확인", M, original=N, screen="2001", quantity=3, open=0),
    fields("+매수", "체결", N, open=0, amount=700),
)
TRUTH = BrokerState(
    time=Nanoseconds(NOON + 30 * SECOND),
    cash=Won(CASH - 700),
    orderable=Won(CASH - 700),
    positions=(BrokerPosition(symbol=SAMSUNG, quantity=Shares(7), average_price=Won(100), cost=Won(700), last=Won(0)),),
    orders=(
        BrokerOrder(
            broker_order=N,
            symbol=SAMSUNG,
            side=Side.BUY,
            quantity=Shares(10),
            price=Won(100),
            open=Shares(0),
            filled=Shares(7),
            amount=Won(700),
            time=NOON,
            status="체결",
        ),
    ),
)


def told(records: Iterable[dict[int, str]]) -> Line:
    line = Line()
    line.ask()
    for cells in records:
        line.take(cells)
    return line


END = told(STORY).ledger.digest()


def test_all_720_orders_of_the_records_of_one_order_end_alike() -> None:
    ends = {told(order).ledger.digest() for order in permutations(STORY)}

    assert ends == {END}
    order = told(STORY).ledger.orders[7]
    assert (order.phase, order.filled, order.canceled, order.settled) == (Phase.CANCELED, 7, 3, True)


SUBSETS = [*chain.from_iterable(combinations(range(6), size) for size in range(7))]


@pytest.mark.parametrize("late", [False, True])
def test_all_64_subsets_of_lost_records_end_alike_once_the_broker_is_asked(late: bool) -> None:
    looks: list[int] = []
    for lost in SUBSETS:
        line = told(cells for n, cells in enumerate(STORY) if n not in lost)
        looks.append(line.repair(TRUTH))
        for n in lost if late else ():
            line.take(STORY[n])
        assert line.ledger.digest() == END, lost
        assert line.ledger.cash == TRUTH.cash

    assert len(looks) == 64
    assert max(looks) <= 3


@pytest.mark.parametrize("seed", range(20))
def test_records_delivered_up_to_five_times_are_booked_once(seed: int) -> None:
    rng = Random(seed)
    for _ in range(25):
        records = [cells for cells in STORY for _ in range(rng.randint(1, 5))]
        rng.shuffle(records)
        line = told(records)
        assert line.ledger.digest() == END


def stranger_cancels(*shares: int) -> Line:
    line = Line()
    line.take(fields("+매수", "접수", N))
    left = 10
    for n, part in enumerate(shares):
        name, left = f"000090{n}", left - part
        line.take(fields("매수취소", "접수", name, original=N, screen="0000", quantity=part))
        line.take(fields("매수취소", "확인", name, original=N, screen="0000", quantity=part, open=0))
    return line


def test_an_order_a_stranger_took_back_in_part_lives_on_with_the_rest() -> None:
    line = stranger_cancels(3)
    order = line.ledger.orders[7]
    assert (order.phase, order.open, order.canceled) == (Phase.OPEN, 7, 3)
    line.take(fields("+매수", "체결", N, fill=7, open=0, amount=700))

    assert (order.phase, order.filled, order.settled) == (Phase.CANCELED, 7, True)


def test_a_stranger_may_take_it_back_bit_by_bit() -> None:
    order = stranger_cancels(3, 3, 4).ledger.orders[7]

    assert (order.phase, order.canceled, order.settled) == (Phase.CANCELED, 10, True)


def test_what_a_stranger_left_expires_with_the_day() -> None:
    line = stranger_cancels(3)
    line.tracker.expire(NOON)
    order = line.ledger.orders[7]

    assert (order.phase, order.lapsed, order.canceled, order.settled) == (Phase.EXPIRED, 7, 3, True)
    line.ledger.fold(OrderExpired(**about(7, symbol=SAMSUNG), broker_order=N, expired=Shares(7)), 99)
    assert order.settled


class Chain:
    """One order of 100 changed up to five times, some of each number filled, some records lost, twice or swapped."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.ledger = folded(
            [opened(CASH), approval(7, quantity=100, price=100, symbol=SAMSUNG), submitting(7, quantity=100, **TERMS)]
        )
        self.tracker = OrderTracker(self._hear, lambda _screen: None)
        self.tracker.sending(instruction(quantity=100), "2000", "new")
        self.rows: list[BrokerOrder] = []
        self.events: list[tuple[Callable[[], None], bool]] = []
        """What happens, and whether it is a request of ours."""
        self.filled = self.amount = 0

    def play(self, depth: int, *, faults: float) -> None:
        left, before, screen = 100, "", "2000"
        for step in range(depth + 1):
            name, price, text = f"{step + 1:07}", 100 + step, "+매수정정" if step else "+매수"
            if step:
                screen = f"200{step}"
                self._ask(screen, left, price, before)
            original = before or "0000000"
            for status in ("접수", "확인")[: 2 if step else 1]:
                self._record(text, status, name, original=original, quantity=left, price=price, screen=screen)
            if step:
                self._record("+매수", "접수" if not self.rows[-1].filled else "체결", before, **self._cleared())
            left = self._fill(text, name, left, original=original, price=price, screen=screen)
            before = name
        self.rows[-1] = replace(self.rows[-1], open=Shares(left))
        self._deliver(faults)

    def _cleared(self) -> dict[str, int | str]:
        last = self.rows[-1]
        return {
            "open": 0,
            "amount": last.amount,
            "quantity": last.quantity,
            "price": last.price,
            "original": last.original,
        }

    def _ask(self, screen: str, quantity: int, price: int, before: str) -> None:
        asked = instruction(Action.REPLACE, quantity=quantity, price=price, original=before)
        self.events.append((lambda: self.tracker.sending(asked, screen, screen), True))

    def _fill(self, text: str, name: str, left: int, **about: Any) -> int:
        total, amount, price = 0, 0, about["price"]
        for _ in range(self.rng.randint(0, 2)):
            part = self.rng.randint(1, max(1, left // 4))
            total, amount = total + part, amount + part * price
            cells: dict[str, int | str] = {"fill": part, "at": price, "open": left - total, "amount": amount}
            self._record(text, "체결", name, quantity=left, **about, **cells)
        self.filled, self.amount = self.filled + total, self.amount + amount
        row = _row(name, about["original"], quantity=left, price=price, filled=total, amount=amount)
        self.rows.append(row)
        return left - total

    def _record(self, text: str, status: str, name: str, **changes: int | str) -> None:
        cells = fields(text, status, name, **changes)
        self.events.append((lambda: self.tracker.record(order_record(cells), NOON), False))

    def _deliver(self, faults: float) -> None:
        """Requests leave in their order; of the records between them some are late, lost, double."""
        waiting: list[Callable[[], None]] = []
        for event, asks in self.events:
            if asks:
                event()
                continue
            waiting += [event] * self.rng.choices((1, 0, 2), (1 - faults, faults / 2, faults / 2))[0]
            if self.rng.random() > faults:
                self.rng.shuffle(waiting)
                while waiting:
                    waiting.pop()()
        for late in waiting:
            late()

    def _hear(self, report: BrokerReport) -> None:
        assert isinstance(report, Booked)
        self.ledger.fold(report, self.ledger.number + 1)

    def truth(self) -> BrokerState:
        cost, shares = Won(self.amount), Shares(self.filled)
        held = BrokerPosition(symbol=SAMSUNG, quantity=shares, average_price=Won(0), cost=cost, last=Won(0))
        cash = Won(CASH - self.amount)
        positions = (held,) if self.filled else ()
        time = Nanoseconds(NOON + 30 * SECOND)
        return BrokerState(time=time, cash=cash, orderable=cash, positions=positions, orders=tuple(self.rows))

    def repair(self) -> Ledger:
        for _ in range(4):
            findings = confirmed(compare(self.ledger, self.truth()), compare(self.ledger, self.truth()))
            for finding in findings:
                for message in finding.messages:
                    assert isinstance(message, Booked)
                    self.ledger.fold(message, self.ledger.number + 1)
        return self.ledger


@pytest.mark.parametrize("faults", [0.0, 0.3, 0.9])
def test_chains_of_five_changes_among_partial_fills_come_out_right(faults: float) -> None:
    for seed in range(150):
        story = Chain(seed)
        story.play(5, faults=faults)
        order = story.repair().orders[7]
        figures = (order.filled, order.amount, order.open)
        assert figures == (story.filled, story.amount, 100 - story.filled), seed
        assert story.ledger.cash == CASH - story.amount
        assert order.broker_order == "0000006"


def _row(name: str, original: str, *, quantity: int, price: int, filled: int, amount: int) -> BrokerOrder:
    return BrokerOrder(
        broker_order=name,
        original="" if original == "0000000" else original,
        symbol=SAMSUNG,
        side=Side.BUY,
        quantity=Shares(quantity),
        price=Won(price),
        open=Shares(0),
        filled=Shares(filled),
        amount=Won(amount),
        time=NOON,
        status="체결" if filled else "접수",
    )
