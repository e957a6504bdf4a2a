import asyncio

import pytest

from runtime.loops.loop import Deadlock, NotSimulated, run, virtual_loop


def test_a_day_of_virtual_timers_is_the_same_each_time() -> None:
    days = [_a_day(), _a_day()]
    assert days[0] == days[1]
    assert days[0][-2:] == [(86_400.0, "slow"), (86_400.0, "quick")]
    assert len(days[0]) == 8640 + 24


def test_virtual_timers_due_together_run_in_order_of_creation() -> None:
    loop = virtual_loop()
    order: list[int] = []
    for number in range(50):
        loop.call_at(1.0, order.append, number)
    run(lambda: asyncio.sleep(2), loop)
    assert order == list(range(50))


def test_a_due_virtual_timer_is_not_starved_by_a_chain_of_callbacks() -> None:
    loop = virtual_loop()
    due: list[float] = []

    async def main() -> None:
        loop.call_later(0, lambda: due.append(loop.time()))
        while not due:  # noqa: ASYNC110 - the chain is the point
            await asyncio.sleep(0)

    run(main, loop)
    assert due == [0.0]


def test_waiting_for_what_never_comes_is_a_deadlock_that_names_who_waits() -> None:
    async def main() -> None:
        await asyncio.create_task(asyncio.Event().wait(), name="receiver")

    with pytest.raises(Deadlock, match="receiver"):
        run(main, virtual_loop())


@pytest.mark.parametrize("outside", ["thread", "socket", "server", "process"])
def test_virtual_time_refuses_what_no_seed_decides(outside: str) -> None:
    async def main() -> None:
        match outside:
            case "thread":
                await asyncio.to_thread(int)
            case "socket":
                await asyncio.open_connection("127.0.0.1", 1)
            case "server":
                await asyncio.start_server(_answer, "127.0.0.1", 0)
            case _:
                await asyncio.create_subprocess_exec("true")

    with pytest.raises(NotSimulated, match="simulated time has no"):
        run(main, virtual_loop())


def test_cancelled_virtual_timers_leave_nothing_behind() -> None:
    loop = virtual_loop()

    async def main() -> int:
        for _ in range(2000):
            await asyncio.wait_for(asyncio.sleep(0), 30)
        return len(loop._timers)  # pyright: ignore[reportPrivateUsage]

    assert run(main, loop) <= 102


def _a_day() -> list[tuple[float, str]]:
    loop = virtual_loop()
    seen: list[tuple[float, str]] = []

    async def beat(name: str, seconds: float, times: int) -> None:
        for _ in range(times):
            await asyncio.sleep(seconds)
            seen.append((loop.time(), name))

    async def main() -> None:
        await asyncio.gather(beat("quick", 10, 8640), beat("slow", 3600, 24))

    run(main, loop)
    return seen


def _answer(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    pytest.fail("nobody can call")
