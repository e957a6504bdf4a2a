import asyncio
import random
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.loops.loop import run, virtual_loop
from runtime.loops.timers import Timers


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=300))
def test_timers_come_in_order_of_time_then_creation_without_the_cancelled(plan: list[tuple[int, bool]]) -> None:
    timers: Timers[int, _Mark] = Timers()
    marks = [_Mark((when, number)) for number, (when, _) in enumerate(plan)]
    for mark in marks:
        timers.add(mark.place[0], mark)
    for mark, (_, cancel) in zip(marks, plan, strict=True):
        if cancel:
            mark.dead = True
            timers.count_cancelled()
    kept = sorted(mark.place for mark in marks if not mark.dead)
    assert list(_places(timers)) == kept


def test_ties_drawn_by_a_seed_are_the_same_each_time_and_not_in_order() -> None:
    orders = [_drawn(seed) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == list(range(20))


class _Mark:
    def __init__(self, place: tuple[int, int]) -> None:
        self.place = place
        self.dead = False

    def cancelled(self) -> bool:
        return self.dead


def _places(timers: Timers[int, _Mark]) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    while timers.next_due() is not None:
        places.append(timers.pop().place)
    return places


def _drawn(seed: int) -> list[int]:
    loop = virtual_loop(random.Random(seed))
    order: list[int] = []
    for number in range(20):
        loop.call_later(1, partial(order.append, number))
    run(lambda: asyncio.sleep(2), loop)
    return order
