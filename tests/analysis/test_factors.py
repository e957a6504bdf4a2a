from actors.analysis.factors import TickWindow
from messages import Aggressor
from tests.market.market_data import tick


def test_a_window_is_ready_when_it_is_as_long_as_it_should_be() -> None:
    window = TickWindow(10)
    window.add(tick(0, 1_000, 5, side=Aggressor.SELLER))
    early = (window.change, window.strength)
    window.add(tick(10, 1_010, 10, side=Aggressor.BUYER))

    assert early == (None, None)
    assert (window.change, window.strength, window.value) == (0.01, 200, 15_100)


def test_what_is_older_than_the_window_does_not_count() -> None:
    window = TickWindow(10)
    for second, price, side in ((0, 900, Aggressor.SELLER), (5, 1_000, Aggressor.SELLER), (15, 1_100, Aggressor.BUYER)):
        window.add(tick(second, price, 2, side=side))

    assert (window.change, window.strength, window.value) == (0.1, 100, 4_200)


def test_without_sales_there_is_no_strength() -> None:
    window = TickWindow(1)
    window.add(tick(0, 1_000, 5, side=Aggressor.BUYER))
    window.add(tick(2, 1_000, 5, side=Aggressor.BUYER))

    assert window.strength is None
