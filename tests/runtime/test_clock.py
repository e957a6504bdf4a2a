import asyncio
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.clock import KST, SECOND, Clock, SimulatedClock, SteppedClock, WallClock, kst, nanoseconds, text
from runtime.loops.loop import run, virtual_loop

NINE = nanoseconds(datetime(2026, 11, 20, 9, 0, tzinfo=KST))


def test_nine_in_seoul_is_midnight_utc_and_reads_so() -> None:
    assert datetime(2026, 11, 20, tzinfo=UTC).timestamp() * SECOND == NINE
    assert text(NINE + 123_999_999) == "2026-11-20 09:00:00.123"
    assert text(NINE) == "2026-11-20 09:00:00.000"


def test_a_datetime_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        nanoseconds(datetime(2026, 11, 20, 9, 0))


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)))
def test_every_microsecond_survives_the_way_to_nanoseconds_and_back(moment: datetime) -> None:
    aware = moment.replace(tzinfo=KST)
    assert kst(nanoseconds(aware)) == aware


def test_due_timers_run_in_time_order_with_now_at_their_time() -> None:
    clock = SteppedClock(NINE)
    seen: list[tuple[str, int]] = []
    for name, when in (("late", 30), ("first", 10), ("second", 10), ("never", 31)):
        clock.call_at(NINE + when, lambda name=name: seen.append((name, clock.now() - NINE)))
    clock.advance(NINE + 30)
    assert seen == [("first", 10), ("second", 10), ("late", 30)]
    assert clock.now() == NINE + 30


def test_a_timer_set_by_a_timer_runs_in_the_same_advance_when_due() -> None:
    clock = SteppedClock(0)
    seen: list[int] = []

    def again() -> None:
        seen.append(clock.now())
        clock.call_at(clock.now() + 10, again)

    clock.call_at(10, again)
    clock.advance(35)
    assert seen == [10, 20, 30]


def test_a_stepped_clock_does_not_run_back() -> None:
    clock = SteppedClock(NINE)
    with pytest.raises(ValueError, match="run back"):
        clock.advance(NINE - 1)


def test_cancelled_alarms_never_run_and_leave_the_heap() -> None:
    clock = SteppedClock(0)
    alarms = [clock.call_at(10, lambda: pytest.fail("cancelled")) for _ in range(1000)]
    for alarm in alarms:
        alarm.cancel()
        alarm.cancel()
    assert len(clock._timers) <= 101  # pyright: ignore[reportPrivateUsage]
    clock.advance(10)
    assert len(clock._timers) == 0  # pyright: ignore[reportPrivateUsage]


def test_cancelling_what_already_ran_is_nothing() -> None:
    clock = SteppedClock(0)
    seen: list[int] = []
    alarm = clock.call_at(1, lambda: seen.append(1))
    clock.advance(1)
    alarm.cancel()
    clock.advance(2)
    assert seen == [1]


def test_what_comes_from_outside_is_heard_in_the_order_asked_and_when_nobody_has_work() -> None:
    async def main() -> None:
        clock, heard, work = SteppedClock(NINE), list[str](), [3]
        clock.idle = lambda: not work[0]
        loop = asyncio.get_running_loop()
        first, second = loop.create_future(), loop.create_future()

        async def ask(answer: asyncio.Future[str]) -> None:
            heard.append(await clock.outside(answer))
            work[0] = 1

        asked = [asyncio.ensure_future(ask(answer)) for answer in (first, second)]
        second.set_result("second")
        await _settle()
        assert clock.held
        first.set_result("first")
        await _settle()
        assert heard == []
        work[0] = 0
        await _settle()
        assert heard == ["first"]
        assert clock.held
        work[0] = 0
        await asyncio.gather(*asked)
        assert heard == ["first", "second"]
        assert not clock.held

    run(main, virtual_loop())


def test_what_the_world_outside_refuses_is_raised_and_time_goes_on() -> None:
    async def main(clock: Clock) -> None:
        refused = asyncio.get_running_loop().create_future()
        refused.set_exception(OSError("no disk"))
        with pytest.raises(OSError, match="no disk"):
            await clock.outside(refused)

    stepped = SteppedClock(NINE)
    run(lambda: main(stepped), virtual_loop())
    assert not stepped.held
    run(lambda: main(WallClock()), virtual_loop())


def test_a_sleeper_wakes_once_the_stepped_clock_passed_its_time() -> None:
    async def main() -> None:
        clock = SteppedClock(NINE)
        sleeper = asyncio.ensure_future(clock.sleep(1.5))
        await _settle()
        clock.advance(NINE + 1_499_999_999)
        await _settle()
        assert not sleeper.done()
        clock.advance(NINE + 1_500_000_000)
        await _settle()
        assert sleeper.done()

    run(main, virtual_loop())


@pytest.mark.parametrize("late", [False, True])
def test_a_wait_gives_the_result_or_times_out_and_leaves_the_future_alone(*, late: bool) -> None:
    async def main() -> None:
        clock = SteppedClock(0)
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(clock.wait(answer, 2))
        await _settle()
        if late:
            clock.advance(2 * SECOND)
            with pytest.raises(TimeoutError):
                await waiting
            assert not answer.done()
        else:
            answer.set_result("here")
            assert await waiting == "here"
        assert clock._timers.next_due() is None  # pyright: ignore[reportPrivateUsage]

    run(main, virtual_loop())


def test_a_cancelled_wait_leaves_the_future_and_no_timer() -> None:
    async def main() -> None:
        clock = SteppedClock(0)
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(clock.wait(answer, 2))
        await _settle()
        waiting.cancel()
        await _settle()
        assert waiting.cancelled()
        assert not answer.cancelled()
        assert clock._timers.next_due() is None  # pyright: ignore[reportPrivateUsage]

    run(main, virtual_loop())


def test_a_wait_raises_what_the_future_raises() -> None:
    async def main() -> None:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        answer.set_exception(ConnectionError("gone"))
        with pytest.raises(ConnectionError, match="gone"):
            await SteppedClock(0).wait(answer, 2)

    run(main, virtual_loop())


def test_simulated_time_is_exact_after_a_year_of_steps() -> None:
    loop = virtual_loop()
    clock = SimulatedClock(NINE, loop)

    async def main() -> None:
        for _ in range(366):
            await clock.sleep(86_400)
        await clock.sleep(0.000_000_001)

    run(main, loop)
    assert clock.now() - NINE == 366 * 86_400 * SECOND + 1


def test_a_simulated_timer_runs_exactly_at_its_nanosecond() -> None:
    loop = virtual_loop()
    clock = SimulatedClock(NINE, loop)
    seen: list[int] = []

    async def main() -> None:
        for when in (NINE + 7, NINE + 3, NINE - 5):
            clock.call_at(when, lambda: seen.append(clock.now() - NINE))
        await clock.sleep(1)

    run(main, loop)
    assert seen == [0, 3, 7]


def test_a_wall_timer_is_never_early_and_can_be_cancelled() -> None:
    async def main() -> None:
        clock: Clock = WallClock()
        rung: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        when = clock.now() + 5_000_000
        clock.call_at(when, lambda: pytest.fail("cancelled")).cancel()
        clock.call_at(when, lambda: rung.set_result(clock.now()))
        assert await clock.wait(rung, 30) >= when

    asyncio.run(main())


def test_setting_the_wall_clock_moves_its_timers_but_not_its_time_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = virtual_loop()
    ahead = [0]
    monkeypatch.setattr(time, "time_ns", lambda: NINE + loop.elapsed + ahead[0])
    clock = WallClock()
    seen: list[float] = []

    async def main() -> None:
        clock.call_at(NINE + 3600 * SECOND, lambda: seen.append(loop.time()))
        nothing: asyncio.Future[None] = loop.create_future()
        ahead[0] = 1800 * SECOND
        with pytest.raises(TimeoutError):
            await clock.wait(nothing, 600)
        assert loop.time() == 600
        await clock.sleep(3600)

    run(main, loop)
    assert seen == [1800]


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
