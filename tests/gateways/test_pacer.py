import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.gateways.pacer import Interrupted, Pacer, Window
from actors.gateways.port import Urgency
from runtime.clock import SimulatedClock, SteppedClock
from runtime.loops.loop import VirtualLoop, virtual_loop
from runtime.testing import START, in_virtual_time

SECOND = 1_000_000_000
QUERY_LIMITS = ((5, 1.0), (5, 18.0), (25, 90.0), (50, 180.0), (1_000, 3_600.0))


def clock_now() -> SimulatedClock:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return SimulatedClock(START, loop)


def most_within(times: list[int], seconds: float) -> int:
    span = round(seconds * SECOND)
    return max((sum(1 for time in times if first <= time <= first + span) for first in times), default=0)


async def calls(
    pacer: Pacer, clock: SimulatedClock, urgency: Urgency, delay: float, taken: list[tuple[int, int]]
) -> None:
    await clock.sleep(delay)
    asked = clock.now()
    await pacer.turn(urgency)
    taken.append((asked, clock.now()))


@given(st.lists(st.tuples(st.sampled_from(list(Urgency)), st.floats(0, 400)), max_size=120))
@settings(max_examples=40, deadline=None)
def test_no_schedule_of_calls_ever_breaks_a_limit(schedule: list[tuple[Urgency, float]]) -> None:
    taken: dict[Urgency, list[tuple[int, int]]] = {urgency: [] for urgency in Urgency}

    async def run() -> None:
        clock = clock_now()
        pacer = Pacer(clock)
        await asyncio.gather(*(calls(pacer, clock, urgency, delay, taken[urgency]) for urgency, delay in schedule))

    loop = virtual_loop()
    loop.run_until_complete(run())
    loop.close()
    queries = [time for urgency in (Urgency.QUERY, Urgency.BACKFILL) for _, time in taken[urgency]]
    orders = [time for urgency in (Urgency.CANCEL, Urgency.EXIT, Urgency.ENTRY) for _, time in taken[urgency]]
    assert len(queries) + len(orders) == len(schedule)
    assert all(most_within(queries, seconds) <= count for count, seconds in QUERY_LIMITS)
    assert most_within(orders, 1.0) <= 5


@in_virtual_time
async def test_cancels_and_exits_wait_at_most_a_second_while_backfill_saturates() -> None:
    clock = clock_now()
    pacer = Pacer(clock)
    backfill = [asyncio.create_task(calls(pacer, clock, Urgency.BACKFILL, 0, [])) for _ in range(100)]
    entries = [asyncio.create_task(calls(pacer, clock, Urgency.ENTRY, 0, [])) for _ in range(40)]
    urgent: list[tuple[int, int]] = []
    await asyncio.gather(*(calls(pacer, clock, Urgency.CANCEL, 1.3 * n, urgent) for n in range(4)))
    await asyncio.gather(*(calls(pacer, clock, Urgency.EXIT, 1.3 * n, urgent) for n in range(4)))
    assert max(given - asked for asked, given in urgent) <= 1.1 * SECOND
    for task in backfill + entries:
        task.cancel()


@in_virtual_time
async def test_the_most_urgent_goes_first_and_equals_in_the_order_they_came() -> None:
    clock = clock_now()
    pacer = Pacer(clock, orders=(Window(count=1, seconds=1.0),))
    await pacer.turn(Urgency.ENTRY)
    order: list[str] = []

    async def ask(name: str, urgency: Urgency) -> None:
        await pacer.turn(urgency)
        order.append(name)

    names = [("entry 1", Urgency.ENTRY), ("exit", Urgency.EXIT), ("entry 2", Urgency.ENTRY), ("cancel", Urgency.CANCEL)]
    await asyncio.gather(*(ask(name, urgency) for name, urgency in names))
    assert order == ["cancel", "exit", "entry 1", "entry 2"]


@in_virtual_time
async def test_a_more_urgent_query_ends_a_continuation() -> None:
    clock = clock_now()
    pacer = Pacer(clock)
    async with pacer.session(Urgency.BACKFILL) as session:
        await session.turn()
        await pacer.turn(Urgency.QUERY)
        with pytest.raises(Interrupted):
            await session.turn()


@in_virtual_time
async def test_an_equally_urgent_query_waits_until_a_continuation_is_over() -> None:
    clock = clock_now()
    pacer = Pacer(clock)
    order: list[str] = []

    async def other() -> None:
        await pacer.turn(Urgency.QUERY)
        order.append("other")

    async with pacer.session(Urgency.QUERY) as session:
        await session.turn()
        task = asyncio.create_task(other())
        await clock.sleep(30)
        await session.turn()
        order.append("page 2")
    await task
    assert order == ["page 2", "other"]


@in_virtual_time
async def test_a_cancelled_call_gives_its_place_to_the_next() -> None:
    clock = clock_now()
    pacer = Pacer(clock, orders=(Window(count=1, seconds=1.0),))
    await pacer.turn(Urgency.CANCEL)
    first, second = (asyncio.create_task(pacer.turn(Urgency.CANCEL)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    started = clock.now()
    await second
    assert clock.now() - started == 1.1 * SECOND
    assert pacer.waiting() == 0


@in_virtual_time
async def test_a_restart_remembers_the_queries_of_the_last_hour(tmp_path: Path) -> None:
    clock = clock_now()
    first = Pacer(clock, tmp_path / "pacer")
    for _ in range(4):
        await first.turn(Urgency.QUERY)
    await clock.sleep(2)
    started = clock.now()
    again = Pacer(clock, tmp_path / "pacer")
    await again.turn(Urgency.QUERY)
    assert clock.now() == started
    await again.turn(Urgency.QUERY)
    assert clock.now() - started == pytest.approx(16.1 * SECOND)


@in_virtual_time
async def test_a_torn_or_foreign_history_is_read_as_far_as_it_makes_sense(tmp_path: Path) -> None:
    clock = clock_now()
    await clock.sleep(10)
    now = clock.now()
    (tmp_path / "pacer").write_bytes(f"{now - 5}\nrubbish\n\n{now}{now}\n{now - 4}".encode())
    Pacer(clock, tmp_path / "pacer")
    assert (tmp_path / "pacer").read_text() == f"{now - 5}\n"


@in_virtual_time
async def test_a_hold_stops_queries_and_lets_orders_pass() -> None:
    clock = clock_now()
    pacer = Pacer(clock)
    started = clock.now()
    pacer.hold(7)
    await pacer.turn(Urgency.EXIT)
    assert clock.now() == started
    await pacer.turn(Urgency.QUERY)
    assert clock.now() - started == 7 * SECOND


@in_virtual_time
async def test_entries_without_end_leave_a_place_for_an_exit_and_one_for_a_cancel() -> None:
    clock = clock_now()
    pacer = Pacer(clock)
    entries = [asyncio.create_task(calls(pacer, clock, Urgency.ENTRY, 0, [])) for _ in range(20)]
    await clock.sleep(3)
    urgent: list[tuple[int, int]] = []
    await asyncio.gather(*(calls(pacer, clock, urgency, 0, urgent) for urgency in (Urgency.EXIT, Urgency.CANCEL)))
    assert all(given == asked for asked, given in urgent)
    for task in entries:
        task.cancel()


@in_virtual_time
async def test_who_asks_later_and_is_more_urgent_is_served_earlier() -> None:
    clock = clock_now()
    pacer = Pacer(clock, orders=(Window(count=1, seconds=1.0),))
    served: list[Urgency] = []
    for urgency in (Urgency.ENTRY, Urgency.ENTRY, Urgency.EXIT, Urgency.CANCEL):
        pacer.ask(urgency, lambda urgency=urgency: served.append(urgency))
    await clock.sleep(5)
    assert served == [Urgency.ENTRY, Urgency.CANCEL, Urgency.EXIT, Urgency.ENTRY]


@pytest.mark.parametrize("by", [-3_600, 3_600])
@in_virtual_time
async def test_a_clock_that_is_set_neither_holds_a_cancel_up_nor_lets_it_out_early(by: int) -> None:
    clock = wall()
    pacer = Pacer(clock, orders=(Window(count=1, seconds=1.0),))
    began = time()
    await pacer.turn(Urgency.CANCEL)
    clock.off = by * SECOND
    await pacer.turn(Urgency.CANCEL)
    assert time() - began == pytest.approx(1.1)


@in_virtual_time
async def test_a_clock_set_back_before_the_first_cancel_does_not_hold_it_up(tmp_path: Path) -> None:
    clock = wall()
    pacer = Pacer(clock, tmp_path / "pacer")
    began = time()
    clock.off = -3_600 * SECOND
    await pacer.turn(Urgency.CANCEL)
    assert time() - began == pytest.approx(1.1)


@in_virtual_time
async def test_a_clock_set_forward_forgives_no_query() -> None:
    clock = wall()
    pacer = Pacer(clock)
    for _ in range(5):
        await pacer.turn(Urgency.QUERY)
    began = time()
    clock.off = 200 * SECOND
    await pacer.turn(Urgency.QUERY)
    assert time() - began == pytest.approx(17.0)


@in_virtual_time
async def test_a_restart_with_the_clock_set_back_remembers_the_queries_before_it(tmp_path: Path) -> None:
    clock = clock_now()
    first = Pacer(clock, tmp_path / "pacer")
    for _ in range(5):
        await first.turn(Urgency.QUERY)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    earlier = SimulatedClock(clock.now() - 3_600 * SECOND, loop)
    started = earlier.now()
    await Pacer(earlier, tmp_path / "pacer").turn(Urgency.QUERY)
    assert earlier.now() - started == pytest.approx(17.0 * SECOND, rel=1e-6)


def test_a_restart_waits_out_the_second_in_which_orders_may_have_left(tmp_path: Path) -> None:
    first, again = SteppedClock(START), SteppedClock(START + 1)
    for _ in range(2):
        Pacer(first, tmp_path / "pacer").ask(Urgency.ENTRY, lambda: None)
    served: list[int] = []
    Pacer(again, tmp_path / "pacer").ask(Urgency.CANCEL, lambda: served.append(again.now()))
    again.advance(START + 2 * SECOND)
    assert served[0] - START > SECOND


class Wall(SimulatedClock):
    """Somebody sets it; durations do not mind."""

    name = "wall"
    off = 0

    def now(self) -> int:
        return super().now() + self.off


def wall() -> Wall:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return Wall(START, loop)


def time() -> float:
    return asyncio.get_running_loop().time()
