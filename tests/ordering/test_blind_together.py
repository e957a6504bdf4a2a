"""The trader on the real journal while the disk refuses: what left was written, and the next start knows it all."""

import asyncio
import random
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from actors.account.ledger import Ledger
from actors.account.recovery import replay
from actors.trader import Trader
from messages import (
    Action,
    HaltTrading,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderSubmitting,
)
from runtime.clock import SimulatedClock
from runtime.disk.chain import envelopes
from runtime.disk.errors import DatabaseFull
from runtime.disk.journal import NAME, Journal
from runtime.loops.loop import VirtualLoop
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import OTHER, SELL, accepted, approval, canceled, filled
from tests.ordering.fakes import FakeBroker
from tests.test_trader import take_back


class Disk:
    """Takes everything until it is full."""

    full = False

    def look(self) -> None:
        if self.full:
            raise DatabaseFull("the disk is full")


class Desk:
    """A trader, its journal, its broker, and the disk."""

    def __init__(self, stage: Stage, journal: Journal, broker: FakeBroker, disk: Disk) -> None:
        self.stage, self.journal, self.broker, self.disk = stage, journal, broker, disk

    def numbers(self, *kinds: type) -> list[int]:
        return [envelope.number for envelope in self.stage.envelopes if isinstance(envelope.message, kinds)]


@asynccontextmanager
async def trading(folder: Path, seed: int = 1) -> AsyncGenerator[Desk]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    disk, broker, rng = Disk(), FakeBroker(), Random(seed)
    journal = Journal(
        folder, clock=SimulatedClock(START, loop), fault=disk.look, delay=lambda: rng.uniform(0, 0.02), reserve=1 << 16
    )
    async with journal:
        stage = Stage(Trader(broker, journal), name="trader")
        stage.bus.begin(journal.run, journal)
        await stage.start()
        await stage.advance(1)
        yield Desk(stage, journal, broker, disk)
        await stage.stop()


async def next_start(folder: Path) -> tuple[list[int], Ledger]:
    """What a start finds on a copy of the folder, as a kill would leave it."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    copy = Path(shutil.copytree(folder, folder.with_name("killed")))
    ledger = Ledger()
    async with Journal(copy, clock=SimulatedClock(START, loop), reserve=1 << 16) as journal:
        await replay(journal, ledger)
    return [envelope.number for envelope in envelopes(copy / NAME)], ledger


@in_virtual_time
async def test_blind_the_trader_takes_back_and_sells_and_the_next_start_knows(tmp_path: Path) -> None:
    async with trading(tmp_path / "data") as desk:
        desk.stage.tell(approval())
        await desk.stage.advance(1)
        desk.stage.tell(accepted())
        await desk.stage.advance(1)
        desk.disk.full = True
        desk.stage.tell(approval(2, symbol=OTHER))
        await desk.stage.advance(1)
        assert [rejected.order for rejected in desk.stage.heard(OrderRejected)] == [2]
        assert [halt.by for halt in desk.stage.heard(HaltTrading)] == ["journal"]

        desk.broker.report(filled(4, 40_000, last=4))
        desk.broker.report(canceled(quantity=6))
        await desk.stage.advance(1)
        desk.stage.tell(approval(3, SELL, 4, 9_900))
        await desk.stage.advance(1)
        assert [(i.order, i.action) for i in desk.broker.sent] == [
            (1, Action.NEW),
            (1, Action.CANCEL),
            (3, Action.NEW),
        ]
        assert desk.journal.failure is not None
        found, ledger = await next_start(tmp_path / "data")
        assert set(desk.numbers(OrderFilled, OrderCanceled, OrderRejected)) <= set(found)
        written = {
            (e.message.order, e.message.action)
            for e in desk.stage.envelopes
            if isinstance(e.message, OrderSubmitting) and e.number in found
        }
        assert written >= {(1, Action.CANCEL), (3, Action.NEW)}
        assert ledger.orders[1].filled == 4
        assert not ledger.orders[1].live
        assert ledger.orders[3].live


@in_virtual_time
async def test_a_disk_with_room_again_gets_everything_and_the_halt_stands(tmp_path: Path) -> None:
    async with trading(tmp_path / "data") as desk:
        desk.disk.full = True
        desk.stage.tell(approval())
        await desk.stage.advance(2)
        desk.disk.full = False
        await desk.stage.advance(2)
        assert desk.journal.failure is None
        assert desk.journal.durable_number == desk.stage.envelopes[-1].number
        desk.stage.tell(approval(2, symbol=OTHER))
        await desk.stage.advance(1)
        assert not desk.broker.sent


@pytest.mark.parametrize("seed", range(10))
def test_whenever_the_disk_fills_up_nothing_leaves_unwritten(seed: int, tmp_path: Path) -> None:
    @in_virtual_time
    async def scene() -> None:
        rng = random.Random(seed)
        async with trading(tmp_path / "data", seed) as desk:
            when = rng.randrange(12)
            for order in range(1, 13):
                desk.disk.full = order > when
                desk.stage.tell(approval(order, *((SELL,) if rng.randrange(2) else ()), quantity=order))
                if rng.randrange(3) == 0:
                    desk.stage.tell(take_back(order))
                await desk.stage.advance(rng.choice((0.0, 0.005, 0.5)))
            await desk.stage.advance(10)
            sent = {(i.order, i.action) for i in desk.broker.sent}
            said = desk.numbers(OrderFilled, OrderRejected, OrderCanceled)
            found, ledger = await next_start(tmp_path / "data")
            messages = [e.message for e in envelopes(tmp_path / "killed" / NAME)]
            written = {(m.order, m.action) for m in messages if isinstance(m, OrderSubmitting)}
            assert sent <= written
            assert set(said) <= set(found)
            assert all(order in ledger.orders for order, _ in sent)

    scene()
