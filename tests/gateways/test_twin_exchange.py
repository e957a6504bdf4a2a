"""The twin over an exchange in another process: its time, its reports, and what a restart finds."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from actors.exchange.client import ExchangeLost
from actors.gateways.kiwoom.twin.twin import TwinSettings, open_control
from runtime.clock import SteppedClock, WallClock
from runtime.loops.loop import qt_loop, run
from tests.exchange.hosted import Host, hosted, market, until
from tests.gateways.twin_consumer import Consumer

FAST = 500.0


def settings_over(host: Host) -> TwinSettings:
    return msgspec.convert({"exchange": host.address}, TwinSettings)


def on_qt(host: Host, act: Callable[[Consumer], Awaitable[None]]) -> Consumer:
    """A consumer of a twin on Qt's loop, closed after `act`."""

    async def live() -> Consumer:
        settings = settings_over(host)
        clock = SteppedClock(settings.start)
        consumer = Consumer(open_control(settings, clock, random.Random(1)), clock)
        try:
            consumer.call("CommConnect")
            await consumer.rest(1)
            await act(consumer)
        finally:
            consumer.twin.close()
        return consumer

    return run(live, qt_loop())


async def buys(consumer: Consumer) -> None:
    assert consumer.order(quantity=10) == 0
    await consumer.rest(3)


async def rests(consumer: Consumer) -> None:
    await consumer.rest(3)


def test_a_day_of_another_process_moves_the_clock_and_fills_orders() -> None:
    with hosted(speed=FAST) as host:
        consumer = on_qt(host, buys)
        with host.client() as client:
            assert sum(fill.quantity for fill in client.fills) == 10
    assert consumer.named("OnEventConnect") == [(0,)]
    assert len(consumer.numbers) == 1
    order_statuses = [status for _, status, _ in consumer.statuses() if status]
    assert order_statuses[0] == "접수"
    assert order_statuses[-1] == "체결"
    assert [status for status in consumer.statuses() if status[0] == "잔고"][-1] == ("잔고", "", "10")


def test_a_restart_finds_the_world_where_it_is_by_now_and_hears_nothing_of_before() -> None:
    with hosted(speed=FAST) as host:
        before = on_qt(host, buys)
        with host.client() as client:
            left = client.now
            until(lambda: client.now > left + 10_000_000_000)
        after = on_qt(host, rests)
        assert after.clock.now() > left + 10_000_000_000 > before.clock.now()
        assert after.records == []


def test_orders_of_a_process_that_is_gone_are_reported_to_the_next() -> None:
    async def rests_low(consumer: Consumer) -> None:
        low = consumer.twin.server.exchange.issues()[0].lower_limit
        assert consumer.order(quantity=10, price=int(low), hoga="00") == 0
        await consumer.rest(1)

    async def takes_back(consumer: Consumer) -> None:
        consumer.order(kind=3, quantity=10, price=0, hoga="00", original="0000001")
        await consumer.rest(1)

    with hosted(speed=FAST) as host:
        on_qt(host, rests_low)
        consumer = on_qt(host, takes_back)
    assert ("매수취소", "확인", "0") in consumer.statuses()


def test_on_the_wall_clock_slices_come_as_they_are_made() -> None:
    async def live(host: Host) -> Consumer:
        clock = WallClock()
        consumer = Consumer(open_control(settings_over(host), clock, random.Random(1)), clock)
        try:
            consumer.call("CommConnect")
            await asyncio.sleep(0.5)
            consumer.order(quantity=1)
            await asyncio.sleep(0.5)
        finally:
            consumer.twin.close()
        return consumer

    with hosted(speed=20) as host:
        consumer = run(lambda: live(host), qt_loop())
    assert consumer.statuses()[-1] == ("잔고", "", "1")


def test_an_exchange_that_goes_away_is_told_in_one_line() -> None:
    failures: list[BaseException] = []

    async def live(host: Host) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))
        settings = settings_over(host)
        clock = SteppedClock(settings.start)
        consumer = Consumer(open_control(settings, clock, random.Random(1)), clock)
        consumer.call("CommConnect")
        await consumer.rest(1)
        await asyncio.to_thread(host.end)
        await asyncio.sleep(0.2)
        consumer.twin.close()

    host = Host(market(), FAST, None)
    host.begin()
    run(lambda: live(host), qt_loop())
    assert [type(failure) for failure in failures] == [ExchangeLost]


def test_settings_of_the_exchange_itself_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"cash = 1: the exchange at 127\.0\.0\.1:7 has its own"):
        msgspec.convert({"exchange": "127.0.0.1:7", "cash": 1}, TwinSettings)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"exchange": "192.168.0.1:7"}, TwinSettings)
    with pytest.raises(ExchangeLost, match=r"no exchange at 127\.0\.0\.1:7: "):
        _ = msgspec.convert({"exchange": "127.0.0.1:7"}, TwinSettings).start
