import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.exchange.auction import Outcome, match, single_price
from actors.exchange.book import Book, Order

PRICES = list(range(1_000, 1_020))


def gathered(bids: dict[int, int], asks: dict[int, int], buys: int = 0, sells: int = 0) -> Book:
    book = Book(PRICES)
    for price, size in bids.items():
        book.bids.add(Order(True, price - 1_000, size))
    for price, size in asks.items():
        book.asks.add(Order(False, price - 1_000, size))
    for buy, size in ((True, buys), (False, sells)):
        if size:
            book.wait(Order(buy, 0, size))
    return book


def price_of(book: Book, reference: int = 1_005) -> tuple[int, int] | None:
    outcome = single_price(book, reference - 1_000)
    return (PRICES[outcome.level], outcome.size) if outcome else None


def test_the_price_of_most_volume_wins() -> None:
    # demand 1003: 30, 1004: 20, 1005: 10; supply 1003: 5, 1004: 25, 1005: 40
    book = gathered({1_003: 10, 1_004: 10, 1_005: 10}, {1_003: 5, 1_004: 20, 1_005: 15})
    assert price_of(book) == (1_004, 20)


def test_among_equal_volumes_the_smaller_surplus_wins() -> None:
    # 10 trade at 1003, 1004 and 1005; the surplus is 20 at 1003, 0 from 1004 on, 5 at 1005
    book = gathered({1_003: 20, 1_005: 10}, {1_003: 10, 1_005: 5})
    assert price_of(book, 1_009) == (1_004, 10)


def test_among_equal_surpluses_the_price_nearest_to_the_last_wins() -> None:
    book = gathered({1_008: 10}, {1_002: 10})
    assert price_of(book, 1_006) == (1_006, 10)
    assert price_of(book, 1_015) == (1_008, 10)
    assert price_of(book, 1_000) == (1_002, 10)


def test_nothing_trades_where_nothing_meets() -> None:
    assert price_of(gathered({1_003: 10}, {1_004: 10})) is None
    assert price_of(gathered({}, {}, buys=10)) is None


def test_market_orders_meet_a_limit_at_its_price() -> None:
    assert price_of(gathered({}, {1_009: 10}, buys=4)) == (1_009, 4)
    assert price_of(gathered({1_002: 3}, {}, sells=4)) == (1_002, 3)


def test_market_orders_alone_meet_at_the_last_price_or_a_tick_beyond_it_where_one_side_is_larger() -> None:
    assert price_of(gathered({}, {}, buys=7, sells=7), 1_011) == (1_011, 7)
    assert price_of(gathered({}, {}, buys=4, sells=7), 1_011) == (1_010, 4)
    assert price_of(gathered({}, {}, buys=7, sells=4), 1_011) == (1_012, 4)
    assert price_of(gathered({}, {}, buys=4, sells=7), 1_000) == (1_000, 4)
    assert price_of(gathered({}, {}, buys=7, sells=4), 1_019) == (1_019, 4)


@pytest.mark.parametrize(
    ("bids", "asks", "last", "price"),
    [
        ({1_006: 200, 1_005: 200}, {1_005: 200}, 1_004, 1_007),
        ({1_005: 200}, {1_007: 200, 1_005: 200, 1_004: 200}, 1_003, 1_005),
        ({1_004: 200}, {1_006: 200}, 1_007, 1_007),
    ],
)
def test_a_market_purchase_counts_above_every_bid_and_ask_and_the_last_price_as_in_the_exchanges_examples(
    bids: dict[int, int], asks: dict[int, int], last: int, price: int
) -> None:
    outcome = price_of(gathered(bids, asks, buys=200), last)
    assert outcome is not None
    assert outcome[0] == price
    turned = gathered({2_010 - at: size for at, size in asks.items()}, {2_010 - at: size for at, size in bids.items()})
    turned.wait(Order(False, 0, 200))
    assert price_of(turned, 2_010 - last) == (2_010 - price, outcome[1])


@pytest.mark.parametrize(("last", "price"), [(1_002, 1_002), (1_005, 1_004), (1_000, 1_001)])
def test_among_the_prices_of_equal_sums_the_last_one_or_the_nearest_to_it_wins(last: int, price: int) -> None:
    book = gathered({1_005: 200, 1_004: 100}, {1_001: 100, 1_000: 200})
    assert price_of(book, last) == (price, 300)


def test_market_orders_that_find_all_they_want_leave_the_price_at_the_last_one() -> None:
    book = gathered({1_006: 7}, {1_007: 4, 1_019: 11}, buys=4)
    assert price_of(book, 1_018) == (1_018, 4)
    assert price_of(book, 1_002) == (1_007, 4)


def test_market_orders_that_are_left_over_take_the_price_to_the_last_one() -> None:
    assert price_of(gathered({1_002: 3}, {}, sells=4), 1_000) == (1_000, 3)
    assert price_of(gathered({}, {1_009: 3}, buys=4), 1_015) == (1_015, 3)


def test_market_orders_go_first_then_price_then_time() -> None:
    book = gathered({1_006: 5, 1_005: 5}, {1_005: 12}, buys=4)
    late = Order(True, 6, 5)
    book.bids.add(late)
    outcome = single_price(book, 5)
    assert outcome == Outcome(6, 12)
    parts = [(order.index, size) for order, size in match(book, 12) if order.buy]
    assert parts == [(-2, 4), (6, 5), (6, 3)]
    assert late.open == 2


ladder = st.dictionaries(st.integers(1_000, 1_019), st.integers(1, 30), max_size=8)


@settings(max_examples=200, deadline=None)
@given(ladder, ladder, st.integers(0, 40), st.integers(0, 40), st.integers(1_000, 1_019))
def test_an_auction_gives_the_greatest_volume_and_leaves_nothing_crossed(
    bids: dict[int, int], asks: dict[int, int], buys: int, sells: int, reference: int
) -> None:
    book = gathered(bids, asks, buys, sells)

    def volume(price: int) -> int:
        demand = buys + sum(size for at, size in bids.items() if at >= price)
        supply = sells + sum(size for at, size in asks.items() if at <= price)
        return min(demand, supply)

    outcome = single_price(book, reference - 1_000)
    assert (outcome.size if outcome else 0) == max(map(volume, PRICES))
    if outcome:
        assert volume(PRICES[outcome.level]) == outcome.size
        parts = list(match(book, outcome.size))
        assert sum(size for order, size in parts if order.buy) == outcome.size
        assert sum(size for order, size in parts if not order.buy) == outcome.size
        assert not book.crossed
        assert not book.bids.best > outcome.level
        assert book.asks.best >= outcome.level
