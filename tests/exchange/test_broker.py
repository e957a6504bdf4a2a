import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.exchange.exchange import Exchange
from actors.exchange.records import Refusal
from actors.market import krx
from messages import Kind, Market, Side, Symbol, Won
from tests.exchange.desk import BUY, DATE, DAY, FOK, IOC, MARKET, SELL, Desk, listed


def trade(desk: Desk, price: int, *sizes: int) -> str:
    """Sells to itself: one sell order filled by a buy order for each size."""
    number = desk.order(SELL, sum(sizes), price)
    for size in sizes:
        desk.order(BUY, size, price)
    return number


def test_commission_is_floored_to_ten_won_of_the_orders_whole_amount() -> None:
    desk = Desk(instrument=listed(base=77_000, market=Market.KOSPI), commission=0.0035)
    number = trade(desk, 77_000, 1, 1)
    commissions = [report.commission for report in desk.reports(number) if report.fill]
    assert commissions == [260, 530]  # 269.5 and 539.0


def test_tax_is_floored_to_the_won_and_taken_from_sales_alone() -> None:
    desk = Desk()
    number = trade(desk, 10_010, 7, 3)
    assert [report.tax for report in desk.reports(number) if report.fill] == [105, 150]  # 0.15 % of 70,070 and 100,100
    assert all(not report.tax for report in desk.reports() if report.side is Side.BUY)
    assert desk.state().tax == 150


def test_an_etf_pays_no_tax() -> None:
    desk = Desk(instrument=listed(market=Market.ETF))
    trade(desk, 10_000, 10)
    assert desk.state().tax == 0


def test_cash_is_exact_to_the_won() -> None:
    desk = Desk(cash=1_000_000, held=100)
    trade(desk, 10_000, 30)
    account = desk.state()
    assert (account.bought, account.sold, account.commission, account.tax) == (300_000, 300_000, 80, 450)
    assert account.deposit == 1_000_000
    assert account.deposit_settled == 1_000_000 - 80 - 450
    assert account.realised == 300_000 - 30 * 9_000
    (holding,) = account.holdings
    assert (holding.quantity, holding.bought_today, holding.sold_today) == (100, 30, 30)


def test_an_open_purchase_binds_its_price_and_commission() -> None:
    desk = Desk(cash=1_000_000, held=0)
    number = desk.order(BUY, 50, 10_000)
    assert (desk.state().reserved, desk.state().orderable) == (500_070, 499_930)
    desk.cancel(number, 20)
    assert desk.state().reserved == 300_040
    desk.cancel(number)
    assert desk.state().orderable == 1_000_000


def test_a_market_purchase_binds_the_upper_limit() -> None:
    desk = Desk(cash=1_000_000, held=0)
    assert desk.refused(BUY, 77, kind=MARKET) == "00Z210"
    desk.order(BUY, 76, kind=MARKET)
    assert desk.state().reserved == 76 * 13_000 + 140


def test_a_modification_binds_what_it_adds_from_the_moment_it_is_asked() -> None:
    desk = Desk(cash=1_000_000, held=0)
    number = desk.order(BUY, 50, 10_000)
    answer = desk.exchange.replace(desk.exchange.account, number, 50, 12_000, "0101")
    assert isinstance(answer, str)
    assert desk.state().reserved == 600_090
    desk.wait()
    assert desk.state().reserved == 600_090
    assert isinstance(desk.exchange.replace(desk.exchange.account, answer, 50, 13_000, "0101"), str)
    assert desk.refused(BUY, 40, 10_000) == "00Z210"


def test_no_more_is_sold_than_is_held_and_not_bound_already() -> None:
    desk = Desk(held=10)
    number = desk.order(SELL, 7, 10_500)
    assert desk.refused(SELL, 4, 10_500) == "00Z211"
    desk.cancel(number, 1)
    desk.order(SELL, 4, 10_500)


@pytest.mark.parametrize(
    ("price", "kind", "code"),
    [
        (13_010, Kind.LIMIT, "00Z235"),
        (6_990, Kind.LIMIT, "00Z235"),
        (10_005, Kind.LIMIT, "00Z236"),
        (10_000, Kind.MARKET, "00Z237"),
        (0, Kind.LIMIT, "00Z235"),
    ],
)
def test_a_price_that_cannot_be_is_refused(price: int, kind: Kind, code: str) -> None:
    assert Desk().refused(BUY, 1, price, kind) == code


def test_the_limits_themselves_are_prices() -> None:
    desk = Desk()
    numbers = [desk.order(BUY, 1, 7_000), desk.order(SELL, 1, 13_000)]
    assert [(order.number, order.price) for order in desk.exchange.orders] == list(
        zip(numbers, (7_000, 13_000), strict=True)
    )


def test_terms_that_cannot_be_are_refused() -> None:
    desk = Desk()
    assert desk.refused(BUY, 0, 10_000) == "00Z239"
    assert desk.refused(BUY, 1, 10_000, Kind.CONDITIONAL, IOC) == "00Z238"
    assert desk.refused(BUY, 1, 0, Kind.PRIORITY, FOK) == "00Z238"
    desk.wait_until(15, 32)
    assert desk.refused(BUY, 1, 10_000) == "00Z218"


def test_unknown_accounts_codes_and_orders_are_refused() -> None:
    desk = Desk()
    exchange = desk.exchange
    assert isinstance(exchange.account_state("1"), Refusal)
    assert isinstance(exchange.place("1", BUY, MARKET, IOC, desk.code, 1, 0, ""), Refusal)
    assert isinstance(exchange.place(exchange.account, BUY, MARKET, IOC, Symbol("000000"), 1, 0, ""), Refusal)
    assert isinstance(exchange.cancel(exchange.account, "0000009", 0, ""), Refusal)
    with pytest.raises(ValueError, match="not listed"):
        Exchange(date=DATE, cash=Won(0), commission=0.0, issues=1, positions=((Symbol("000000"), 1, Won(1)),))


def test_more_than_is_open_cannot_be_changed() -> None:
    desk = Desk()
    number = desk.order(BUY, 10, 9_900)
    assert isinstance(desk.exchange.cancel(desk.exchange.account, number, 11, ""), Refusal)
    desk.cancel(number)
    assert isinstance(desk.exchange.cancel(desk.exchange.account, number, 0, ""), Refusal)


moves = st.tuples(st.sampled_from("bscm"), st.integers(-3, 3), st.integers(1, 50), st.integers(0, 50))


@settings(max_examples=40, deadline=None)
@given(st.lists(moves, max_size=25))
def test_whatever_is_asked_the_account_adds_up(asked: list[tuple[str, int, int, int]]) -> None:
    desk = Desk(cash=900_000, held=60)
    numbers: list[str] = []
    exchange, account = desk.exchange, desk.exchange.account
    for what, ticks, size, pick in asked:
        price, number = 10_000 + 10 * ticks, numbers[pick % len(numbers)] if numbers else ""
        if what in "bs":
            side = BUY if what == "b" else SELL
            answer = exchange.place(account, side, Kind.LIMIT, DAY, desk.code, size, price, "0101")
        elif what == "c":
            answer = exchange.cancel(account, number, size % 7, "0101")
        else:
            answer = exchange.replace(account, number, size % 23, price, "0101")
        if isinstance(answer, str):
            numbers.append(answer)
        desk.wait(0.001 * (pick % 3))
    desk.wait()
    _adds_up(desk)


def _adds_up(desk: Desk) -> None:
    account = desk.state()
    open_orders = [order for order in account.orders if order.open]
    bound = 0
    for order in open_orders:
        if order.side is BUY:
            total = order.amount + order.open * order.price
            bound += order.open * order.price + krx.commission(total, 0.00015) - order.commission
    assert account.reserved == bound
    assert account.orderable >= 0
    book = desk.exchange.book(desk.code)
    assert book.bid_total == sum(order.open for order in open_orders if order.side is BUY)
    assert book.ask_total == sum(order.open for order in open_orders if order.side is SELL)
    assert account.holdings[0].quantity == 60
    assert account.holdings[0].sellable == 60 - book.ask_total
    for number in {order.number for order in account.orders}:
        fills = [fill for fill in account.fills if fill.number == number]
        (order,) = (order for order in account.orders if order.number == number)
        assert order.filled == sum(fill.quantity for fill in fills)
        assert order.amount == sum(fill.price * fill.quantity for fill in fills)
