from actors.gateways.port import KnownOrder
from messages import (
    ExternalOrderSeen,
    OrderAccepted,
    OrderFilled,
    Shares,
    Side,
    Won,
)
from tests.gateways.order_desk import SAMSUNG, Desk, M, N


def known(broker_order: str, filled: int = 0, amount: int = 0) -> KnownOrder:
    return KnownOrder(
        order=7,
        broker_order=broker_order,
        strategy="momentum",
        symbol=SAMSUNG,
        side=Side.BUY,
        quantity=Shares(10),
        price=Won(100),
        filled=Shares(filled),
        amount=Won(amount),
    )


def test_after_a_restart_fills_go_on_where_the_journal_stopped() -> None:
    desk = Desk()
    desk.tracker.know([known(N, 3, 300)])
    desk.record("+매수", "체결", N, fill=3, open=7, amount=300)
    desk.record("+매수", "체결", N, fill=7, open=0, amount=1000)
    assert desk.filled() == [(7, 100, 10, 1000)]


def test_after_a_restart_an_order_without_number_is_found_by_what_it_asked() -> None:
    desk = Desk()
    desk.tracker.know([known("")])
    desk.record("+매수", "체결", N, fill=3, open=7, amount=300, screen="2077")
    desk.record("+매수", "접수", M, screen="2078")
    assert desk.kinds() == [OrderAccepted, OrderFilled, ExternalOrderSeen]


def test_after_a_restart_a_modified_number_counts_from_its_own_start() -> None:
    desk = Desk()
    desk.tracker.know([known(M, 5, 500)])
    desk.record("+매수정정", "체결", M, original=N, quantity=7, fill=2, open=3, amount=400)
    assert desk.filled() == [(2, 100, 7, 700)]
