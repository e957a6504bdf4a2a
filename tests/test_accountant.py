from msgspec.structs import replace

from actors.accountant import Accountant
from messages import AccountChanged, LedgerCarried, LedgerFolded, Nanoseconds
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import CODE, OTHER, SELL, approval, filled, held, listed, opened, unknown
from tests.ordering.fakes import FakeJournal
from tests.test_risk import tick

NOW = Nanoseconds(START)


async def counting(journal: FakeJournal | None = None, commission: float = 0.00015) -> Stage:
    stage = Stage(Accountant(journal or FakeJournal(), commission=commission), name="accountant")
    await stage.start()
    return stage


@in_virtual_time
async def test_the_figures_are_exact_to_the_won() -> None:
    stage = await counting()
    stage.tell(opened(10_000_000, time=NOW), listed(), approval(1, quantity=37, price=77_000))
    stage.tell(filled(37, 2_849_000, 1, last=37, asked=37, commission=420))
    stage.tell(
        approval(2, SELL, 12, 80_000), filled(12, 960_000, 2, SELL, last=12, asked=12, commission=140, tax=1_440)
    )
    stage.tell(approval(3, quantity=10, price=78_000), unknown(3), tick(79_000))
    await stage.advance(0.5)

    account = stage.heard(AccountChanged)[-1]
    assert account.cash == 10_000_000 - 2_849_000 - 420 + 960_000 - 140 - 1_440
    assert account.reserved == 780_000 + 110
    assert account.realised == 960_000 - 12 * 77_000
    assert account.unrealised == 25 * 2_000
    assert (account.commission, account.tax) == (560, 1_440)
    assert account.equity == account.cash + 25 * 79_000
    (position,) = account.positions
    assert (position.quantity, position.cost, position.last) == (25, 1_925_000, 79_000)


@in_virtual_time
async def test_at_most_two_accounts_a_second_however_many_prices_come() -> None:
    stage = await counting()
    stage.tell(opened(time=NOW), approval(), filled(10, 100_000, last=10))
    for price in range(10_000, 10_100):
        stage.tell(tick(price))
        await stage.advance(0.01)

    assert len(stage.heard(AccountChanged)) == 2


@in_virtual_time
async def test_prices_of_what_is_not_held_say_nothing() -> None:
    stage = await counting()
    stage.tell(opened(time=NOW))
    await stage.advance(1)
    before = len(stage.said)
    stage.tell(tick(symbol=OTHER))
    await stage.advance(5)

    assert len(stage.said) == before


@in_virtual_time
async def test_the_last_share_gone_is_told_at_once_and_the_end_once_more() -> None:
    stage = await counting()
    stage.tell(opened(time=NOW), approval(), filled(10, 100_000, last=10), approval(2, SELL))
    assert not stage.heard(AccountChanged)
    stage.tell(filled(10, 101_000, 2, SELL, last=10))
    (account,) = stage.heard(AccountChanged)
    assert (account.cash, account.realised, account.positions) == (1_001_000, 1_000, ())
    await stage.stop()

    assert len(stage.heard(AccountChanged)) == 2


@in_virtual_time
async def test_what_earlier_runs_did_counts() -> None:
    stage = await counting(FakeJournal(opened(time=NOW), approval(), filled(10, 100_000, last=10)))
    stage.tell(tick(10_500))
    await stage.stop()

    account = stage.heard(AccountChanged)[-1]
    assert [(p.symbol, p.quantity) for p in account.positions] == [(CODE, 10)]
    assert account.unrealised == 5_000


@in_virtual_time
async def test_each_reconciliation_is_answered_with_a_digest() -> None:
    stage = await counting()
    number = stage.tell(opened(time=NOW))

    assert [folding.reconciliation for folding in stage.heard(LedgerFolded)] == [number]


@in_virtual_time
async def test_a_reconciliation_that_the_start_has_read_beyond_is_not_answered() -> None:
    earlier = FakeJournal(opened(time=NOW), approval(), filled(10, 100_000, last=10))
    stage = await counting(earlier)
    told = len(stage.heard(LedgerFolded))
    stage.bus.begin(0, None)  # numbers as they were when the journal was read
    stage.tell(opened(time=NOW))

    assert len(stage.heard(LedgerFolded)) == told


TOMORROW = Nanoseconds(NOW + 86_400 * 10**9)


@in_virtual_time
async def test_the_account_is_carried_over_once_a_day_before_its_first_order() -> None:
    stage = await counting()
    first = stage.tell(opened(time=NOW))
    stage.tell(opened(time=NOW, start=False), approval(), filled(10, 100_000, last=10), opened(time=NOW, start=False))
    second = stage.tell(opened(900_000, held(10, 100_000), time=TOMORROW, start=False))
    stage.tell(opened(900_000, held(10, 100_000), time=TOMORROW, start=False))

    states = stage.heard(LedgerCarried)
    assert [(state.day, state.reconciliation) for state in states] == [("2025-09-02", first), ("2025-09-03", second)]
    assert [(h.symbol, h.owner, h.quantity, h.cost) for h in states[1].holdings] == [(CODE, "momentum", 10, 100_000)]


@in_virtual_time
async def test_the_first_look_of_a_day_on_which_orders_came_before_carries_nothing_over() -> None:
    stage = await counting(FakeJournal(opened(time=NOW), approval(), filled(10, 100_000, last=10)))
    stage.tell(opened(900_000, held(10, 100_000), time=NOW))

    assert not stage.heard(LedgerCarried)


@in_virtual_time
async def test_a_start_on_a_day_that_was_carried_over_does_not_do_it_again() -> None:
    earlier = await counting()
    earlier.tell(opened(time=NOW))
    (state,) = earlier.heard(LedgerCarried)
    stage = await counting(FakeJournal(opened(time=NOW), replace(state, reconciliation=1)))
    stage.tell(opened(time=NOW))

    assert not stage.heard(LedgerCarried)
