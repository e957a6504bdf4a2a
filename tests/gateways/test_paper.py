from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.gateways.paper_queue import PaperOrder, PaperQueue
from messages import (
    Action,
    Aggressor,
    Bar,
    CancelRejected,
    Nanoseconds,
    OrderAccepted,
    OrderBook,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    Session,
    SessionChanged,
    Side,
    Tick,
    Validity,
    Venue,
)
from runtime.testing import in_virtual_time
from tests.gateways.paper_desk import BOOK, Desk, wish
from tests.market.market_data import NINE, bar, book, tick


@in_virtual_time
async def test_a_market_order_walks_the_book_and_each_share_shown_is_taken_once() -> None:
    desk = await Desk().open()
    await desk.give(BOOK)

    await desk.order(Side.BUY, 8)
    await desk.order(Side.BUY, 2)

    assert desk.fills() == [(10_010, 5), (10_020, 3), (10_020, 2)]


@in_virtual_time
async def test_a_limit_order_waits_behind_the_size_shown_and_fills_by_the_size_of_prints() -> None:
    desk = await Desk().open()
    await desk.give(BOOK)
    await desk.order(Side.BUY, 5, 10_000)

    await desk.give(tick(1, 10_000, 3, side=Aggressor.SELLER))
    await desk.give(tick(2, 10_000, 10, side=Aggressor.BUYER))
    behind = desk.fills()
    await desk.give(tick(3, 10_000, 3, side=Aggressor.SELLER))
    await desk.give(tick(4, 9_990, 2, side=Aggressor.SELLER))
    await desk.give(tick(5, 9_990, 9, side=Aggressor.SELLER))

    assert behind == []
    assert desk.fills() == [(10_000, 2), (10_000, 2), (10_000, 1)]


@in_virtual_time
async def test_a_resting_order_fills_before_its_print_is_passed_on() -> None:
    desk = await Desk().open()
    await desk.give(BOOK)
    await desk.order(Side.BUY, 1, 10_000)

    passed = await desk.give(tick(1, 9_990, 5))

    assert desk.fills() == [(10_000, 1)], "at its own price: who sold lower met it first"
    assert passed == (tick(1, 9_990, 5),)


@in_virtual_time
async def test_fees_and_tax_are_to_the_won() -> None:
    desk = await Desk(cash=100_000_000).open()
    await desk.give(book(0, [(10_010, 5_000)], [(10_000, 5_000)]))

    await desk.order(Side.BUY, 1_000, 10_010)
    await desk.order(Side.SELL, 1_000, 10_000)

    bought, sold = [report for report in desk.reports if isinstance(report, OrderFilled)]
    assert (bought.commission, bought.tax) == (1_500, 0)
    assert (sold.commission, sold.tax) == (1_500, 15_000)
    state = await desk.broker.state()
    assert (state.cash, state.positions) == (100_000_000 - 10_010_000 + 10_000_000 - 18_000, ())


@in_virtual_time
async def test_what_the_account_or_the_exchange_cannot_carry_is_rejected() -> None:
    desk = await Desk(cash=100_000).open()
    await desk.give(BOOK)

    await desk.order(Side.SELL, 1)
    await desk.order(Side.BUY, 11, 10_000)
    await desk.order(Side.BUY, 1, 10_003)
    await desk.order(Side.BUY, 1, 13_010)
    await desk.order(Side.BUY, 0, 10_000)
    await desk.give(SessionChanged(session=Session.CLOSED_FOR_DAY, time=Nanoseconds(NINE)))
    await desk.order(Side.BUY, 1, 10_000)

    assert desk.kinds() == [OrderRejected] * 6


@in_virtual_time
async def test_open_buy_orders_bind_cash() -> None:
    desk = await Desk(cash=100_000).open()
    await desk.give(BOOK)

    await desk.order(Side.BUY, 6, 10_000)
    await desk.order(Side.BUY, 6, 10_000)

    assert desk.kinds() == [OrderAccepted, OrderRejected]
    assert (await desk.broker.state()).orderable == 100_000 - 60_000


@in_virtual_time
async def test_cancel_replace_and_expiry_end_an_order_once() -> None:
    desk = await Desk().open()
    await desk.give(BOOK)
    await desk.order(Side.BUY, 5, 9_990)
    await desk.order(Side.BUY, 3, 9_980, action=Action.REPLACE, broker_order="0000001")
    await desk.order(Side.BUY, 0, action=Action.CANCEL, broker_order="0000001")
    await desk.order(Side.BUY, 0, action=Action.CANCEL, broker_order="0000002")
    await desk.order(Side.BUY, 2, 9_980)
    await desk.give(SessionChanged(session=Session.CLOSED_FOR_DAY, time=Nanoseconds(NINE)))

    assert desk.kinds() == [OrderAccepted, OrderReplaced, CancelRejected, OrderCanceled, OrderAccepted, OrderExpired]


@in_virtual_time
async def test_the_hours_of_another_venue_are_not_those_of_paper() -> None:
    desk = await Desk().open()
    await desk.give(BOOK)
    await desk.order(Side.BUY, 5, 9_990)
    closed = SessionChanged(venue=Venue.NXT, session=Session.CLOSED_FOR_DAY, time=Nanoseconds(NINE))
    await desk.give(closed)

    assert desk.kinds() == [OrderAccepted]


@in_virtual_time
async def test_ioc_takes_what_is_there_and_fok_all_or_nothing() -> None:
    desk = await Desk().open()
    await desk.give(BOOK)

    await desk.order(Side.BUY, 9, 10_010, validity=Validity.IOC)
    await desk.order(Side.BUY, 9, 10_020, validity=Validity.FOK)
    await desk.order(Side.BUY, 7, 10_020, validity=Validity.FOK)

    assert desk.kinds() == [
        OrderAccepted,
        OrderFilled,
        OrderCanceled,
        OrderAccepted,
        OrderCanceled,
        OrderAccepted,
        OrderFilled,
    ]


@in_virtual_time
async def test_in_an_auction_the_book_does_not_trade_and_the_print_does_at_its_price() -> None:
    desk = await Desk().open()
    await desk.give(SessionChanged(session=Session.OPENING_AUCTION, time=Nanoseconds(NINE)), BOOK)
    await desk.order(Side.BUY, 3, 10_020)
    waiting = desk.fills()

    await desk.give(tick(1, 10_010, 100))

    assert waiting == []
    assert desk.fills() == [(10_010, 3)]


@in_virtual_time
async def test_on_bars_a_market_order_fills_at_the_next_open_and_a_limit_when_the_bar_goes_through_it() -> None:
    desk = await Desk().open()
    await desk.give(bar(-1, 10_000, 10_000, 10_000, 10_000))
    await desk.order(Side.BUY, 10)
    await desk.order(Side.BUY, 10, 9_900)

    await desk.give(bar(0, 10_050, 10_100, 9_900, 9_950))
    await desk.give(bar(1, 9_950, 9_960, 9_890, 9_900))
    await desk.order(Side.BUY, 10, 9_980)
    await desk.give(bar(0, 9_950, 9_960, 9_890, 9_900))

    assert desk.fills() == [(10_050, 10), (9_900, 10), (9_950, 10)]


@in_virtual_time
async def test_an_order_sent_during_a_bar_waits_for_the_next_one_and_takes_a_part_of_its_volume() -> None:
    desk = await Desk().open()
    await desk.clock.sleep(30)
    await desk.order(Side.BUY, 100)

    await desk.give(bar(0, 10_000, 10_000, 10_000, 10_000))
    await desk.give(bar(1, 10_100, 10_100, 10_100, 10_100, volume=60))
    await desk.give(bar(2, 10_200, 10_200, 10_200, 10_200, volume=1_000))

    assert desk.fills() == [(10_100, 30), (10_200, 70)]


PRICES = st.sampled_from(range(950, 1_051, 10))
SIZES = st.integers(1, 20)


def made_tick(price: int, size: int, side: Aggressor) -> Tick:
    return tick(1, price, size, side=side)


def made_book(middle: int, sizes: list[int]) -> OrderBook:
    asks = [(middle + 10 + 10 * n, size) for n, size in enumerate(sizes)]
    return book(1, asks, [(middle - 10 * n, size) for n, size in enumerate(sizes)])


def made_bar(opened: int, other: int, volume: int) -> Bar:
    return bar(1, opened, max(opened, other), min(opened, other), opened, volume=volume)


def made_order(side: Side, quantity: int, price: int, validity: Validity) -> PaperOrder:
    return PaperOrder(wish(side, quantity, price, validity=validity), "1", price, NINE)


EVENTS = st.one_of(
    st.builds(made_tick, PRICES, SIZES, st.sampled_from(list(Aggressor))),
    st.builds(made_book, PRICES, st.lists(SIZES, min_size=1, max_size=4)),
    st.builds(made_bar, PRICES, PRICES, SIZES),
)
ORDERS = st.builds(
    made_order,
    st.sampled_from(list(Side)),
    SIZES,
    st.one_of(st.just(0), PRICES),
    st.sampled_from([Validity.DAY, Validity.IOC]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(EVENTS, ORDERS), max_size=30), st.booleans())
def test_nothing_fills_beyond_its_price_its_quantity_or_the_volume_there_is(events: list[Any], auction: bool) -> None:
    queue = PaperQueue(0.5)
    queue.auction = auction
    shown = 0
    for event in events:
        if isinstance(event, PaperOrder):
            fills = list(queue.arrive(event))
            shown -= sum(fill.quantity for fill in fills)
            assert shown >= 0
        else:
            fills, most = traded(queue, event)
            assert sum(fill.quantity for fill in fills) <= most
            shown = most - sum(fill.quantity for fill in fills) if isinstance(event, OrderBook) else shown
        assert all(fill.quantity > 0 and fill.order.takes(fill.price) for fill in fills)
    assert all(order.open + order.filled == order.instruction.quantity for order in queue.orders)


def traded(queue: PaperQueue, event: Tick | OrderBook | Bar) -> tuple[list[Any], int]:
    if isinstance(event, Tick):
        return list(queue.take_tick(event)), event.size
    if isinstance(event, Bar):
        return list(queue.take_bar(event)), event.volume // 2
    return list(queue.take_book(event)), event.ask_total + event.bid_total
