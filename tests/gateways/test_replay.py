import asyncio
import gzip
import random
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from actors.commands.import_data import import_files
from actors.gateways.replay import ReplayGateway
from actors.market.files.recordings import Terms
from actors.market.time import text
from actors.receiver import Receiver
from messages import Bar, FeedEnded, Market, Message, OrderBook, Session, SessionChanged, Symbol, Tick
from runtime.clock import SimulatedClock
from runtime.loops.loop import VirtualLoop
from runtime.settings.config import ConfigError
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import STARTED

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TICKS = [DATA / f"ticks/{code}_20250902_tick_book5.csv.gz" for code in ("133820", "101930")]
CODES = ["101930", "133820"]


def needed(*paths: Path) -> None:
    if not all(path.exists() for path in paths):
        pytest.skip("the recorded data is not here")


def clock() -> SimulatedClock:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return SimulatedClock(0, loop)


async def played(gateway: ReplayGateway, symbols: Sequence[str], seconds: float = 30_000) -> list[Message]:
    async with gateway:
        return (await stage_of(gateway, symbols, seconds)).said


async def stage_of(gateway: ReplayGateway, symbols: Sequence[str], seconds: float = 30_000) -> Stage:
    stage = Stage(Receiver(gateway, symbols=symbols), start=0)
    await stage.start()
    stage.tell(STARTED)
    begins = gateway.begins()
    assert begins
    await stage.advance(begins / 1e9 + seconds)
    return stage


def digest(said: list[Message]) -> str:
    return sha256(b"".join(map(msgspec.json.encode, said))).hexdigest()


@in_virtual_time
async def test_two_replays_of_a_recorded_day_give_the_same_messages() -> None:
    needed(*TICKS)
    source = [str(path) for path in TICKS]
    first = await played(ReplayGateway(clock(), source=source), CODES)

    second = await played(ReplayGateway(clock(), source=source), CODES)

    counts = {kind: sum(isinstance(message, kind) for message in first) for kind in (Tick, OrderBook, FeedEnded)}
    assert counts == {Tick: 3_219 + 3_229, OrderBook: 2_204 + 2_170, FeedEnded: 1}
    assert digest(first)[:16] == digest(second)[:16]


@in_virtual_time
async def test_the_clock_moves_with_the_recording_and_nothing_comes_before_its_time() -> None:
    needed(*TICKS)
    async with ReplayGateway(clock(), source=str(TICKS[0])) as gateway:
        stage = await stage_of(gateway, ["133820"])

    ticks = [
        (envelope.time, envelope.message.received) for envelope in stage.envelopes if isinstance(envelope.message, Tick)
    ]
    assert all(0 <= time - received < 100_000_000 for time, received in ticks)
    assert [(text(s.time)[11:16], s.session) for s in stage.heard(SessionChanged)] == [
        ("08:30", Session.OPENING_AUCTION),
        ("09:00", Session.CONTINUOUS),
        ("15:20", Session.CLOSING_AUCTION),
        ("15:30", Session.CLOSED_FOR_DAY),
    ]


@in_virtual_time
async def test_a_shuffled_file_with_bad_rows_is_played_in_order_and_counted(tmp_path: Path) -> None:
    needed(*TICKS)
    header, *lines = gzip.decompress(TICKS[0].read_bytes()).decode().splitlines()
    random.Random(3).shuffle(lines)
    path = tmp_path / "133820.csv"
    path.write_text("\n".join([header, *lines[100:], "1756771216836,133820,x"]), encoding="utf-8")

    said = await played(ReplayGateway(clock(), source=str(path)), ["133820"])

    ticks = [message.received for message in said if isinstance(message, Tick)]
    (ended,) = [message for message in said if isinstance(message, FeedEnded)]
    assert ticks == sorted(ticks)
    assert ended.rejected == 1
    assert ended.out_of_order > 1_000


@in_virtual_time
async def test_bars_come_at_their_end_after_a_tick_that_carries_the_close() -> None:
    path = DATA / "minute/226490_1m_20211208_20220905.csv.gz"
    needed(path)
    gateway = ReplayGateway(
        clock(), source=str(path), bars=60, since="2021-12-08", until="2021-12-09", market=Market.ETF
    )

    said = await played(gateway, ["226490"], 200_000)

    bars = [message for message in said if isinstance(message, Bar)]
    ticks = [message for message in said if isinstance(message, Tick)]
    assert text(bars[0].time) == "2021-12-08 09:00:00.000"
    assert [tick.price for tick in ticks] == [bar.close for bar in bars]
    assert all(tick.received == bar.time + 60_000_000_000 for tick, bar in zip(ticks, bars, strict=True))
    assert sum(tick.size for tick in ticks) == 0
    assert [message.session for message in said if isinstance(message, SessionChanged)] == 2 * [
        Session.OPENING_AUCTION,
        Session.CONTINUOUS,
        Session.CLOSING_AUCTION,
        Session.CLOSED_FOR_DAY,
    ]


@in_virtual_time
async def test_only_watched_codes_are_played() -> None:
    needed(*TICKS)

    said = await played(ReplayGateway(clock(), source=[str(path) for path in TICKS]), ["101930"])

    assert {message.symbol for message in said if isinstance(message, Tick)} == {Symbol("101930")}


def test_what_was_imported_plays_like_the_files(tmp_path: Path) -> None:
    needed(*TICKS)
    import_files(TICKS, tmp_path, Terms())

    @in_virtual_time
    async def play() -> None:
        files = await played(ReplayGateway(clock(), source=[str(path) for path in TICKS]), CODES)
        stored = await played(ReplayGateway(clock(), source=str(tmp_path)), CODES)
        assert digest(files) == digest(stored)

    play()


@in_virtual_time
async def test_nothing_to_replay_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "005930.csv"
    path.write_text("date,open,high,low,close,volume\n", encoding="utf-8")

    async with ReplayGateway(clock(), source=str(path), bars=60) as gateway:
        with pytest.raises(ConfigError, match="nothing to replay"):
            gateway.begins()
    with pytest.raises(ConfigError, match="cannot be replayed"):
        ReplayGateway(clock(), source=str(tmp_path / "none.csv")).begins()
    with pytest.raises(ConfigError, match=r"nothing can be replayed: .*market\.sqlite: no such file"):
        ReplayGateway(clock(), source=str(tmp_path)).begins()
