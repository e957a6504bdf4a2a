"""Ways around risk, each of which ends at a wall."""

import asyncio
from pathlib import Path

import msgspec
import pytest
import typer

from actors.gateways.port import Instruction, Urgency
from actors.ordering.outbox import Item
from actors.ordering.requests import UnapprovedError, change, place
from actors.trader import Trader
from messages import Nanoseconds, OrderSubmitting, Shares, Tick, Won
from runtime.actor import Actor, Wiring, handles
from runtime.cli import check
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import accepted, approval
from tests.ordering.fakes import FakeBroker, FakeJournal
from tests.test_risk import tick

ROOT = Path(__file__).parent.parent.parent
APPROVER = """
from actors.strategies.base import Strategy
from messages import ApprovedOrder


class Approver(Strategy, publishes=(ApprovedOrder,)):
    pass
"""


class Presumptuous(Actor):
    """Says what it does not declare."""

    @handles
    def on_tick(self, _tick: Tick) -> None:
        self.publish(approval())


async def trading() -> tuple[Stage, FakeBroker]:
    broker = FakeBroker()
    stage = Stage(Trader(broker, FakeJournal()), name="trader")
    await stage.start()
    await stage.advance(0.1)
    return stage, broker


def slip_in(stage: Stage, instruction: Instruction) -> None:
    """Lay a request into the trader's outbox past its front door."""
    assert isinstance(stage.actor, Trader)
    outbox = stage.actor._sender.outbox  # pyright: ignore[reportPrivateUsage]
    outbox.put(Item(instruction, Urgency.EXIT, START))


def test_a_strategy_that_would_approve_orders_itself_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = (ROOT / "examples" / "demo.toml").read_text(encoding="utf-8")
    (tmp_path / "approver.py").write_text(APPROVER, encoding="utf-8")
    path = tmp_path / "bypass.toml"
    path.write_text(f'{demo}\n[actor.approver]\nuse = "approver:Approver"\n', encoding="utf-8")

    with pytest.raises(typer.Exit):
        check(path)

    assert "ApprovedOrder, which only a core actor may say" in capsys.readouterr().err


@in_virtual_time
async def test_an_approval_by_who_does_not_declare_it_is_not_said() -> None:
    stage = Stage(Presumptuous())
    await stage.start()
    with pytest.raises(Wiring, match="does not declare"):
        stage.tell(tick())

    assert not stage.said


@in_virtual_time
async def test_an_order_nobody_approved_stops_the_trader_before_the_wire() -> None:
    stage, broker = await trading()
    stage.tell(approval())
    await stage.settle()
    slip_in(stage, place(approval()))
    with pytest.raises(UnapprovedError):
        await stage.settle()

    assert len(broker.sent) == 1


@pytest.mark.parametrize("terms", [{"quantity": Shares(11)}, {"price": Won(10_010)}, {"symbol": "900020"}])
def test_an_approval_covers_its_own_terms_and_no_others(terms: dict[str, object]) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage, broker = await trading()
        broker.gate = asyncio.Event()
        stage.tell(approval())
        assert isinstance(stage.actor, Trader)
        outbox = stage.actor._sender.outbox  # pyright: ignore[reportPrivateUsage]
        (item,) = outbox.drain(Urgency.ENTRY)
        outbox.put(on_other_terms(item, terms))
        broker.gate.set()
        with pytest.raises(UnapprovedError):
            await stage.settle()
        assert not broker.sent
        assert len(stage.heard(OrderSubmitting)) == 1

    scene()


@in_virtual_time
async def test_a_change_nobody_approved_stops_the_trader_too() -> None:
    stage, broker = await trading()
    stage.tell(approval())
    await stage.settle()
    stage.tell(accepted())
    assert isinstance(stage.actor, Trader)
    order = stage.actor._sender._ledger.orders[1]  # pyright: ignore[reportPrivateUsage]
    slip_in(stage, change(order, request=99, quantity=Shares(10), price=Won(13_000)))
    with pytest.raises(UnapprovedError):
        await stage.settle()

    assert len(broker.sent) == 1


def on_other_terms(item: Item, terms: dict[str, object]) -> Item:
    return Item(msgspec.structs.replace(item.instruction, **terms), item.urgency, Nanoseconds(item.since))
