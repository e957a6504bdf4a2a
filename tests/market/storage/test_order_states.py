from msgspec import structs

from actors.market.storage.order_states import OrderStates
from messages import (
    Action,
    CancelRejected,
    Kind,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderReplaced,
    OrderSent,
    OrderSubmitting,
    OrderUnknown,
    Purpose,
    ReplaceRejected,
    Shares,
    Side,
    Validity,
    Won,
)
from tests.market.market_data import CODE, NINE

NUMBER = 7
NOW = Nanoseconds(NINE)

INTENT = OrderIntent(
    symbol=CODE,
    side=Side.BUY,
    quantity=Shares(5),
    price=Won(10_000),
    purpose=Purpose.ENTRY,
    strategy="s",
    reason="because",
)
SUBMITTING = OrderSubmitting(
    order=NUMBER,
    symbol=CODE,
    strategy="s",
    time=NOW,
    action=Action.NEW,
    side=Side.BUY,
    quantity=Shares(5),
    kind=Kind.LIMIT,
    price=Won(10_000),
    validity=Validity.DAY,
)
SENT = OrderSent(order=NUMBER, symbol=CODE, strategy="s", time=NOW, action=Action.NEW)
ACCEPTED = OrderAccepted(order=NUMBER, symbol=CODE, strategy="s", time=NOW, broker_order="0000001")
CANCELED = OrderCanceled(
    order=NUMBER, symbol=CODE, strategy="s", time=NOW, broker_order="0000001", canceled=Shares(3), reason="tired"
)
REFUSED = OrderRefused(order=NUMBER, symbol=CODE, strategy="s", side=Side.BUY, rule="cash", figures={}, limit=1)


def filled(quantity: int, open_: int) -> OrderFilled:
    return OrderFilled(
        order=NUMBER,
        symbol=CODE,
        strategy="s",
        time=NOW,
        broker_order="0000001",
        side=Side.BUY,
        price=Won(10_000),
        quantity=Shares(quantity),
        filled=Shares(5 - open_),
        amount=Won(10_000 * (5 - open_)),
        open=Shares(open_),
    )


def states(*events: OrderEvent | OrderRefused) -> list[str]:
    """The state after the intent and after each event."""
    orders = OrderStates()
    orders.wanted(NUMBER, NOW, INTENT)
    seen = [orders.taken()[0][10]]
    for event in events:
        orders.take(NOW, event)
        seen.append(orders.taken()[0][10])
    return seen


def test_an_order_goes_from_wanted_to_filled() -> None:
    assert states(SUBMITTING, SENT, ACCEPTED, filled(2, 3), filled(3, 0)) == [
        "wanted",
        "submitting",
        "sent",
        "open",
        "open",
        "filled",
    ]


def test_an_acceptance_that_overtakes_the_answer_stays() -> None:
    assert states(SUBMITTING, ACCEPTED, SENT)[-1] == "open"


def test_a_fill_after_the_end_changes_figures_and_not_the_state() -> None:
    assert states(ACCEPTED, CANCELED, filled(2, 3))[-2:] == ["canceled", "canceled"]


def test_an_order_whose_answer_was_lost_is_unknown() -> None:
    unknown = OrderUnknown(order=NUMBER, symbol=CODE, strategy="s", time=NOW, reason="lost")

    assert states(SUBMITTING, unknown)[-1] == "unknown"


def test_an_acceptance_after_the_last_fill_opens_nothing_again() -> None:
    assert states(SUBMITTING, filled(5, 0), ACCEPTED)[-2:] == ["filled", "filled"]


def test_an_order_whose_change_was_lost_stands_again_once_that_is_told() -> None:
    unknown = OrderUnknown(order=NUMBER, symbol=CODE, strategy="s", time=NOW, reason="lost")
    refused = ReplaceRejected(order=NUMBER, symbol=CODE, strategy="s", time=NOW, reason="late")

    assert states(ACCEPTED, unknown, refused)[-2:] == ["unknown", "open"]


def test_a_replaced_order_has_its_new_number_price_and_quantity() -> None:
    orders = OrderStates()
    orders.wanted(NUMBER, NOW, INTENT)
    for event in (
        ACCEPTED,
        filled(2, 3),
        OrderReplaced(
            order=NUMBER,
            symbol=CODE,
            strategy="s",
            time=NOW,
            broker_order="0000002",
            original="0000001",
            quantity=Shares(3),
            price=Won(9_990),
        ),
        CancelRejected(order=NUMBER, symbol=CODE, strategy="s", time=NOW, reason="too late"),
    ):
        orders.take(NOW, event)

    ((_, *row),) = orders.taken()
    assert row[6:15] == [5, 9_990, "0000002", "open", 2, 20_000, 0, 0, "too late"]


def test_what_could_not_be_stored_counts_as_changed_again() -> None:
    orders = OrderStates()
    orders.wanted(NUMBER, NOW, INTENT)
    rows = orders.taken()

    orders.give_back(rows)

    assert orders.taken() == rows
    assert orders.taken() == []


def test_a_refused_order_that_could_not_be_stored_is_not_forgotten_before_it_is() -> None:
    orders = OrderStates()
    orders.wanted(NUMBER, NOW, INTENT)
    orders.take(NOW, REFUSED)
    rows = orders.taken()

    orders.give_back(rows)

    assert orders.taken() == rows
    assert len(orders) == 0


def test_of_what_was_refused_all_day_long_nothing_is_kept_once_it_is_stored() -> None:
    orders = OrderStates()
    for number in range(1_000):
        orders.wanted(number, NOW, INTENT)
        orders.take(NOW, structs.replace(REFUSED, order=number))

    assert [row[10] for row in orders.taken()] == ["refused"] * 1_000
    assert len(orders) == 0


def test_what_is_said_before_the_stored_orders_are_read_is_booked_all_the_same() -> None:
    earlier, later = OrderStates(), OrderStates()
    earlier.wanted(NUMBER, NINE, INTENT)

    later.take(NINE, ACCEPTED)
    later.load(earlier.taken())

    assert [(row[0], row[10]) for row in later.taken()] == [(NUMBER, "open")]


def test_an_order_of_which_a_part_was_canceled_is_still_open_and_can_be_filled() -> None:
    states = OrderStates()
    states.wanted(NUMBER, NINE, INTENT)
    states.take(NINE, structs.replace(CANCELED, canceled=Shares(2), open=Shares(3)))
    (partly,) = states.taken()
    states.take(NINE, filled(3, 0))
    (wholly,) = states.taken()

    assert (partly[10], wholly[10]) == ("open", "filled")
