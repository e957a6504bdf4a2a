from actors.market.wants import Wants
from messages import Nanoseconds, Reconciled, Symbol, Won
from tests.market.market_data import CODE, OTHER


def matched(*ordered: str) -> Reconciled:
    codes = tuple(map(Symbol, ordered))
    return Reconciled(
        time=Nanoseconds(0), cash=Won(0), positions=(), open_orders=len(codes), differences=(), ordered=codes
    )


def test_an_order_an_earlier_run_left_open_is_watched_at_its_venue_until_a_match_no_longer_has_it() -> None:
    wants = Wants([CODE])

    wants.fold(matched(f"{OTHER}_NX"), 1)
    open_still = wants.codes
    wants.fold(matched(), 2)

    assert open_still == [f"{OTHER}_NX", CODE]
    assert wants.codes == [CODE]
