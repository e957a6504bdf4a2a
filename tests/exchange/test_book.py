from hypothesis import given, settings
from hypothesis import strategies as st

from actors.exchange.book import Book, Order

PRICES = list(range(1_000, 1_040))


class Tape:
    """Plays orders into a book as continuous trading does, and remembers the fills."""

    def __init__(self) -> None:
        self.book = Book(PRICES)
        self.fills: list[tuple[Order, Order, int, int]] = []
        self.entered = self.canceled = 0

    def enter(self, buy: bool, index: int, size: int) -> Order:
        order = Order(buy, index, size)
        self.entered += size
        self.book.other(buy).take(order, index, -1, len(PRICES), self.fill)
        if order.open:
            self.book.own(buy).add(order)
        return order

    def cancel(self, order: Order) -> None:
        self.canceled += order.open
        self.book.own(order.buy).remove(order)

    def fill(self, resting: Order, incoming: Order, index: int, size: int) -> None:
        self.fills.append((resting, incoming, index, size))


def test_the_earlier_order_of_a_price_trades_first() -> None:
    tape = Tape()
    first, second = tape.enter(False, 10, 5), tape.enter(False, 10, 5)
    tape.enter(True, 10, 7)
    assert (first.open, second.open) == (0, 3)


def test_the_better_price_trades_before_the_earlier_order() -> None:
    tape = Tape()
    early, better = tape.enter(False, 12, 5), tape.enter(False, 11, 5)
    tape.enter(True, 12, 6)
    assert (better.open, early.open) == (0, 4)
    assert [(fill[2], fill[3]) for fill in tape.fills] == [(11, 5), (12, 1)]


def test_a_reduced_order_keeps_its_place() -> None:
    tape = Tape()
    first, second = tape.enter(False, 10, 5), tape.enter(False, 10, 5)
    tape.book.reduce(first, 3)
    tape.enter(True, 10, 3)
    assert (first.open, second.open) == (0, 4)


def test_matching_stops_before_the_price_that_interrupts() -> None:
    tape = Tape()
    tape.enter(False, 10, 5)
    tape.enter(False, 20, 5)
    order = Order(True, 30, 10)
    stopped = tape.book.asks.take(order, 30, -1, 20, tape.fill)
    assert (stopped, order.open, tape.book.asks.best) == (True, 5, 20)


def test_a_cancellation_of_the_last_order_uncovers_the_next_price() -> None:
    tape = Tape()
    order = tape.enter(True, 10, 5)
    tape.enter(True, 7, 5)
    tape.cancel(order)
    assert (tape.book.bid, tape.book.ask) == (1_007, 0)


def test_levels_are_best_first_and_padded() -> None:
    tape = Tape()
    for index in range(12):
        tape.enter(True, index, index + 1)
    assert tape.book.bids.levels(PRICES, 0)[0] == tuple(range(1_011, 1_001, -1))
    assert tape.book.bids.levels(PRICES, 15) == ((1_010, *range(1_009, 1_001, -1), 1_001), (8, *range(10, 1, -1)))
    assert tape.book.asks.levels(PRICES, 0) == ((0,) * 10, (0,) * 10)
    assert tape.book.bids.levels(PRICES, tape.book.bids.total) == ((0,) * 10, (0,) * 10)


steps = st.tuples(st.sampled_from("bscr"), st.integers(0, 39), st.integers(1, 20), st.integers(0, 200))


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=80))
def test_whatever_comes_the_book_is_never_crossed_and_no_share_is_lost(moves: list[tuple[str, int, int, int]]) -> None:
    tape, orders = Tape(), list[Order]()
    for what, index, size, pick in moves:
        living = [order for order in orders if order.open]
        if what in "bs":
            orders.append(tape.enter(what == "b", index, size))
        elif living and what == "c":
            tape.cancel(living[pick % len(living)])
        elif living and living[pick % len(living)].open > 1:
            tape.book.reduce(living[pick % len(living)], 1)
            tape.canceled += 1
        assert not tape.book.crossed
    traded = sum(fill[3] for fill in tape.fills)
    resting = sum(order.open for order in orders)
    assert tape.entered == 2 * traded + resting + tape.canceled
    assert resting == tape.book.bids.total + tape.book.asks.total
    assert resting == sum(tape.book.bids.sizes) + sum(tape.book.asks.sizes)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=30), st.integers(1, 200))
def test_a_sweep_serves_by_price_then_time(asks: list[tuple[int, int]], size: int) -> None:
    tape = Tape()
    resting = [tape.enter(False, index, quantity) for index, quantity in asks]
    rank = {id(order): (order.index, place) for place, order in enumerate(resting)}
    tape.enter(True, 39, size)
    served = [rank[id(fill[0])] for fill in tape.fills]
    assert served == sorted(served)
    untouched = [rank[id(order)] for order, (_, quantity) in zip(resting, asks, strict=True) if order.open == quantity]
    assert not untouched or not served or min(untouched) > max(served)
