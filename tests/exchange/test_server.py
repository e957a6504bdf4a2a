"""The exchange in another process: same calls, same day, and what its clients do to its time."""

import asyncio
import math
import select
import socket
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest

from actors.exchange import annals, server
from actors.exchange.client import ExchangeLost, RemoteExchange
from actors.exchange.events import BookChanged, DayEnded, ExchangeEvent, OrderReport, Report
from actors.exchange.records import AccountState, Refusal
from actors.exchange.wire import VERSION, Hello, Question, frame, raw
from messages import Kind, Side, Symbol, Validity
from tests.exchange.hosted import hosted, market, until

CODE = Symbol("900010")


def slices(client: RemoteExchange, count: int) -> list[ExchangeEvent]:
    """The events of the next slices, handled one by one."""
    events: list[ExchangeEvent] = []
    for _ in range(count):
        client.wait()
        events += client.take()
        client.handled()
    return events


def buy(client: RemoteExchange, quantity: int = 10, price: int = 0) -> str:
    kind = Kind.LIMIT if price else Kind.MARKET
    number = client.place(client.account, Side.BUY, kind, Validity.DAY, CODE, quantity, price, "4000")
    assert isinstance(number, str), number
    return number


def questioned(call: bytes, arguments: bytes) -> bytes:
    body = b"\x93\xa8Question" + call + arguments
    return len(body).to_bytes(4, "big") + body


def reports(events: Iterable[ExchangeEvent]) -> list[OrderReport]:
    return [event for event in events if isinstance(event, OrderReport)]


def state_of(client: RemoteExchange) -> AccountState:
    state = client.account_state(client.account)
    assert isinstance(state, AccountState)
    return state


def test_a_follower_sees_the_day_that_the_exchange_alone_would_have() -> None:
    alone = market()
    with hosted() as host, host.client(follows=True) as client:
        began = client.now
        client.begin()
        seen = slices(client, 100)
        alone.advance(began)
        expected = [event for step in range(100) for event in alone.advance(began + (step + 1) * server.SLICE)]
        assert client.now == began + 100 * server.SLICE
        assert seen == expected
        last = [event for event in seen if isinstance(event, BookChanged)][-1]
        if last.time == client.now:
            assert client.book(last.symbol) == alone.book(last.symbol)
        assert client.charts(CODE, 86_400)[:-1] == alone.charts(CODE, 86_400)[:-1]
        assert client.issues() == alone.issues()
        assert client.instrument(CODE) == alone.instrument(CODE)
        assert client.instrument(Symbol("000000")) is None


def test_an_order_goes_its_way_and_every_step_of_it_is_reported() -> None:
    with hosted() as host, host.client(follows=True) as client:
        client.begin()
        slices(client, 3)
        number = buy(client)
        told = reports(slices(client, 30))
        assert [report.number for report in told] == [number] * len(told)
        assert (told[0].report, told[-1].report, told[-1].open) == (Report.ACCEPTED, Report.FILLED, 0)
        (holding,) = state_of(client).holdings
        assert holding.quantity == 10 == sum(fill.quantity for fill in client.fills)
        assert [order.number for order in client.orders] == [number]


def test_a_refusal_is_an_answer() -> None:
    with hosted() as host, host.client() as client:
        assert client.account_state("123") == Refusal(code="00Z340", reason="계좌번호가 없습니다")
        refused = client.place(client.account, Side.SELL, Kind.MARKET, Validity.DAY, CODE, 10, 0, "")
        assert isinstance(refused, Refusal)


def test_the_world_waits_for_a_follower_that_has_not_begun_and_for_one_that_is_behind() -> None:
    with hosted() as host, host.client() as onlooker, host.client(follows=True) as client:
        began = client.now
        assert onlooker.now == began == onlooker.now
        client.begin()
        until(lambda: onlooker.now == began + server.AHEAD * server.SLICE)
        client.collect()
        assert client.waiting <= server.AHEAD
        slices(client, 5)
        until(lambda: onlooker.now == began + (5 + server.AHEAD) * server.SLICE)


def test_the_world_goes_on_when_its_follower_is_gone_or_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.05)
    with hosted() as host, host.client() as onlooker:
        with host.client(follows=True) as client:
            client.begin()
            silent = onlooker.now
            until(lambda: onlooker.now > silent + 10 * server.SLICE)
        gone = onlooker.now
        until(lambda: onlooker.now > gone + 10 * server.SLICE)


def test_a_world_on_hold_stands_still_until_it_is_released_or_the_holder_is_gone() -> None:
    with hosted() as host, host.client() as onlooker:
        with host.client() as holder:
            held = holder.hold()
            assert [onlooker.now for _ in range(3)] == [held] * 3
            holder.release()
            until(lambda: onlooker.now > held)
            holder.hold()
        gone = onlooker.now
        until(lambda: onlooker.now > gone)


def test_what_nobody_was_there_to_hear_is_not_said_again() -> None:
    with hosted() as host, host.client() as another:
        with host.client(follows=True) as trader:
            trader.begin()
            slices(trader, 3)
            buy(trader)
        until(lambda: len(another.fills) > 0)
        until(lambda: not another.orders[0].open)
        with host.client(follows=True) as restarted:
            restarted.begin()
            assert reports(slices(restarted, 20)) == []
            assert sum(fill.quantity for fill in state_of(restarted).fills) == 10


def test_a_second_connection_takes_back_all_that_is_open() -> None:
    with hosted() as host, host.client(follows=True) as trader, host.client() as second:
        trader.begin()
        slices(trader, 3)
        low = trader.statistics(CODE).instrument.lower_limit
        numbers = [buy(trader, price=low) for _ in range(3)]
        slices(trader, 3)
        for number in numbers:
            assert isinstance(second.cancel(second.account, number, 0, ""), str)
        slices(trader, 5)
        assert [state_of(second).orders[at].open for at in range(3)] == [0] * 3
        assert [order.original for order in second.orders[3:]] == numbers
        assert isinstance(second.cancel("123", numbers[0], 0, ""), Refusal)


def test_a_day_can_be_ended_and_what_is_open_dies_with_it() -> None:
    with hosted() as host, host.client(follows=True) as trader, host.client() as onlooker:
        trader.begin()
        slices(trader, 3)
        buy(trader, price=trader.statistics(CODE).instrument.lower_limit)
        slices(trader, 3)
        assert onlooker.finish() <= onlooker.now
        told = slices(trader, 5)
        assert [report.report for report in reports(told)] == [Report.EXPIRED]
        assert sum(isinstance(event, DayEnded) for event in told) == 1
        refused = trader.place(trader.account, Side.BUY, Kind.MARKET, Validity.DAY, CODE, 1, 0, "")
        assert isinstance(refused, Refusal)


def test_the_pace_can_be_changed() -> None:
    with hosted(speed=0.5) as host, host.client() as client:
        before = client.now
        client.pace(500)
        until(lambda: client.now > before + 10 * server.SLICE)
        with pytest.raises(ExchangeLost, match=r"-1\.0 simulated seconds a second"):
            client.pace(-1)


def test_the_record_on_disk_has_every_request_and_every_report(tmp_path: Path) -> None:
    path = tmp_path / "exchange.jsonl"
    with hosted(path=path) as host, host.client(follows=True) as client:
        client.begin()
        number = buy(client)
        told = reports(slices(client, 30))
        client.cancel(client.account, number, 0, "")
    entries = list(annals.read(path))
    requests = [entry for entry in entries if isinstance(entry, annals.Request)]
    assert [(request.call, request.answer) for request in requests][:1] == [("place", number)]
    assert isinstance(requests[1].answer, Refusal)
    assert [entry for entry in entries if isinstance(entry, OrderReport)][: len(told)] == told
    notes = [entry.text for entry in entries if isinstance(entry, annals.Note)]
    assert notes[:2] == ["the day begins", "a follower came"]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (frame(Hello(VERSION + 1, follows=False)), f"this exchange speaks version {VERSION}, not {VERSION + 1}"),
        (frame(Question("time", raw(()))), "a client says hello first"),
        (b"GET / HTTP/1.1\r\n\r\n", "a frame of 1195725856 bytes"),
        (b"\x00\x00\x00\x00", "a frame of 0 bytes"),
        (b"\x00\x00\x00\x01\xc1", "MessagePack data is malformed"),
        (frame(Hello(VERSION, follows=False)) + frame(Question("sell_all", raw(()))), "no call 'sell_all'"),
        (frame(Hello(VERSION, follows=False)) + frame(Question("cancel", raw((1, 2)))), "cancel: "),
        (frame(Hello(VERSION, follows=False)) + frame(Question("book", raw(("000000",)))), "book: "),
        (frame(Hello(VERSION, follows=False)) + frame(Question("charts", raw((CODE, 0)))), "charts: no bars of 0 "),
        (frame(Hello(VERSION, follows=False)) + frame(Question("pace", raw((math.nan,)))), "pace: nan simulated"),
        (frame(Hello(VERSION, follows=False)) + questioned(b"\xa4\xff\xfe\xff\xff", b"\x90"), "'utf-8' codec can't"),
        (frame(Hello(VERSION, follows=False)) + questioned(b"\xa4time", b"\x91" * 100_000 + b"\x90"), "recursion"),
    ],
)
def test_what_is_not_understood_costs_its_sender_the_connection_and_nobody_else(said: bytes, line: str) -> None:
    with hosted() as host, host.client() as client:
        with socket.create_connection(("127.0.0.1", host.port), 5) as stranger:
            stranger.sendall(said)
            answer = b""
            while more := stranger.recv(1 << 16):
                answer += more
        assert line.encode() in answer
        until(lambda: any(line in said for said in host.said))
        before = client.now
        until(lambda: client.now > before)


def test_one_that_asks_and_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MOST_UNREAD", 1 << 20)
    with hosted() as host, host.client() as client:
        client.place(client.account, Side.BUY, Kind.MARKET, Validity.DAY, CODE, 1, 0, "long" * (1 << 18))
        with socket.create_connection(("127.0.0.1", host.port), 5) as stranger:
            stranger.sendall(frame(Hello(VERSION, follows=False)) + 20 * frame(Question("orders", raw(()))))
            until(lambda: "a client reads nothing: cut off" in host.said)
        assert len(client.orders) == 1


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan])
def test_a_pace_that_is_none_is_refused_from_the_start(speed: float) -> None:
    with pytest.raises(ValueError, match=f"{speed} simulated seconds a second"):
        server.ExchangeServer(market(), speed=speed, annals=annals.Annals(), say=print)


def test_a_port_that_is_none_is_one_line() -> None:
    with pytest.raises(OSError, match=r"^port 70000 of 127.0.0.1 can't be had: [^\n]+$"):
        asyncio.run(_open_another(70_000))


def test_a_client_says_in_one_line_why_it_has_no_exchange() -> None:
    with hosted() as host:
        client = host.client()
    with client, pytest.raises(ExchangeLost, match=f"the exchange at {host.address} is gone"):
        client.account_state(client.account)
    with pytest.raises(ExchangeLost, match=f"no exchange at {host.address}: "):
        RemoteExchange(host.address)


def test_what_is_read_takes_memory_of_its_own_size_only() -> None:
    with hosted() as host, host.client(follows=True) as client:
        client.begin()
        select.select([client], [], [], 5)
        tracemalloc.start()
        try:
            client.collect()
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert client.waiting
    assert most < 100_000


def test_a_port_can_be_had_once() -> None:
    with hosted() as host, pytest.raises(OSError, match=r"^port \d+ of 127.0.0.1 can't be had: [^\n]+$"):
        asyncio.run(_open_another(host.port))


async def _open_another(port: int) -> None:
    await server.ExchangeServer(market(), speed=1, annals=annals.Annals(), say=print).open(port)
