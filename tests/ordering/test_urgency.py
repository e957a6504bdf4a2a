from actors.gateways.pacer import Pacer
from actors.gateways.port import Instruction, SendResult, Urgency
from actors.market.time import SECOND
from actors.trader import Trader
from messages import Action, CancelOrder
from runtime.clock import Clock
from runtime.testing import Stage, in_virtual_time
from tests.account.records import CODE, SELL, accepted, approval
from tests.ordering.fakes import FakeBroker, FakeJournal


class PacedBroker(FakeBroker):
    """Gives turns as the real gateway does, and remembers when each request left."""

    def __init__(self) -> None:
        super().__init__()
        self.clock: Clock
        self.pacer: Pacer
        self.left: list[tuple[int, int, Action]] = []

    def learn(self, order: int, broker_order: str) -> None:
        raise AssertionError((order, broker_order))

    async def turn(self, urgency: Urgency) -> None:
        await self.pacer.turn(urgency)

    def send(self, instruction: Instruction) -> SendResult:
        self.left.append((self.clock.now(), instruction.order, instruction.action))
        return super().send(instruction)


async def trading() -> tuple[Stage, PacedBroker]:
    broker = PacedBroker()
    stage = Stage(Trader(broker, FakeJournal()), name="trader")
    broker.clock, broker.pacer = stage.clock, Pacer(stage.clock)
    await stage.start()
    await stage.advance(2)
    return stage, broker


async def saturate(stage: Stage) -> None:
    """More entries than may go in two seconds, the last of which has asked for its turn already."""
    for number in range(1, 8):
        stage.tell(approval(number, quantity=number))
    await stage.settle()


@in_virtual_time
async def test_a_cancel_does_not_wait_behind_the_turn_an_entry_asked_for() -> None:
    stage, broker = await trading()
    await saturate(stage)
    stage.tell(accepted(1))
    asked = stage.clock.now()
    stage.tell(CancelOrder(order=1, symbol=CODE, strategy="momentum", reason="a test"))
    await stage.advance(0.001)

    time, order, action = broker.left[-1]
    assert (order, action) == (1, Action.CANCEL)
    assert time == asked


@in_virtual_time
async def test_nor_does_an_exit_and_the_entries_go_on_afterwards() -> None:
    stage, broker = await trading()
    await saturate(stage)
    asked = stage.clock.now()
    stage.tell(approval(20, SELL, 5, 9_000))
    await stage.advance(0.001)
    assert broker.left[-1] == (asked, 20, Action.NEW)
    await stage.advance(4.5)

    assert [order for _, order, _ in broker.left] == [1, 2, 20, 3, 4, 5, 6, 7]
    assert all(later - first > SECOND for (first, *_), (later, *_) in zip(broker.left, broker.left[5:], strict=False))
