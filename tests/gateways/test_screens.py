import pytest

from actors.gateways.kiwoom.screens import MOST_SCREENS, POOLS, Screens, ScreensExhausted


def every_screen(screens: Screens) -> list[str]:
    return [screens.take(pool) for pool, (_, size) in POOLS.items() for _ in range(size)]


def test_pools_are_disjoint_and_stay_within_what_kiwoom_allows() -> None:
    taken = every_screen(Screens())
    assert len(set(taken)) == len(taken) <= MOST_SCREENS
    assert all(len(screen) == 4 and screen.isdecimal() and screen != "0000" for screen in taken)


def test_an_empty_pool_says_so() -> None:
    screens = Screens({"order": (2000, 1)})
    screens.take("order")
    with pytest.raises(ScreensExhausted, match="all 1 order screens are in use"):
        screens.take("order")


def test_a_freed_screen_is_used_again_only_after_the_others() -> None:
    screens = Screens({"tr": (1000, 2)})
    first = screens.take("tr")
    screens.free(first)
    screens.free(first)
    assert [screens.take("tr"), screens.take("tr")] == ["1001", first]


def test_a_screen_of_a_run_before_is_the_last_to_be_used() -> None:
    screens = Screens({"tr": (1000, 3)})
    screens.put_last("tr", "1000")
    screens.put_last("tr", "")
    assert [screens.take("tr") for _ in range(3)] == ["1001", "1002", "1000"]
