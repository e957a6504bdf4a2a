"""What the broker delivers is held against the prints, while both are whole."""

from msgspec.structs import replace
from structlog.testing import capture_logs

from actors.checker import Checker
from actors.market.time import SECOND
from messages import (
    Aggressor,
    FeedLost,
    Message,
    Nanoseconds,
    Session,
    SessionChanged,
    Symbol,
    Tick,
    ViKind,
    ViReleased,
    ViTriggered,
    Won,
)
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import instrument
from tests.market.market_data import CODE, NINE, OTHER, tick

BUY, SELL = Aggressor.BUYER, Aggressor.SELLER
NOW = Nanoseconds(NINE)


def printed(
    second: float, volume: int, size: int, side: Aggressor, strength: float, *, price: int = 10_000, code: Symbol = CODE
) -> Tick:
    return replace(tick(second, price, size, side=side, volume=volume, symbol=code), strength=strength)


WHOLE = (printed(0, 10, 10, BUY, 0.0), printed(1, 30, 20, SELL, 50.0), printed(2, 40, 10, BUY, 100.0))


def triggered(price: int, static: int) -> ViTriggered:
    return ViTriggered(
        symbol=CODE,
        time=Nanoseconds(NINE + 3 * SECOND),
        kind=ViKind.STATIC,
        trigger_price=Won(price),
        static_reference=Won(static),
        dynamic_reference=Won(0),
        upward=True,
        count=1,
    )


async def counted(*messages: Message) -> tuple[dict[str, int], list[str]]:
    """What it counted, and whom it warned of."""
    checker = Checker()
    with capture_logs() as logged:
        stage = Stage(checker)
        await stage.start()
        stage.tell(*messages)
        await stage.settle()
        await stage.stop()
    return checker.counts, [f"{line['event']}: {line['symbol']}" for line in logged if line["log_level"] == "warning"]


@in_virtual_time
async def test_each_delivered_strength_is_compared_and_an_issues_first_difference_is_a_warning() -> None:
    wrong = [replace(print_, strength=1.0) for print_ in WHOLE[1:]]
    other = [replace(print_, symbol=OTHER) for print_ in (WHOLE[0], *wrong)]
    counts, warned = await counted(*WHOLE, *other)
    assert (counts["strengths"], counts["strengths_differ"]) == (4, 2)
    assert warned == [f"체결강도 differs: {OTHER}"]


@in_virtual_time
async def test_an_issue_is_judged_by_an_unbroken_run_of_prints_from_its_first_on() -> None:
    first, second, third = WHOLE
    after = printed(3, 60, 20, SELL, 50.0)
    cut = FeedLost(feed="kiwoom", time=NOW, reason="cut")
    for messages in (
        (second, third),
        (first, second, after),
        (first, second, second, third),
        (first, second, first, third),
        (second, first, third),
        (first, third, second, after),
        (first, second, cut, replace(third, strength=1.0)),
    ):
        counts, warned = await counted(*messages)
        assert (counts["strengths_differ"], warned) == (0, [])


@in_virtual_time
async def test_a_new_day_begins_anew() -> None:
    next_day = [
        replace(print_, time=print_.time + 86_400 * SECOND, received=print_.received + 86_400 * SECOND)
        for print_ in WHOLE
    ]
    counts, warned = await counted(*WHOLE, *next_day)
    assert (counts["strengths"], counts["strengths_differ"], warned) == (4, 0, [])


@in_virtual_time
async def test_references_of_an_interruption_are_compared() -> None:
    first = replace(WHOLE[0], open=Won(10_000))
    counts, warned = await counted(instrument(CODE), first, triggered(11_000, 10_000))
    assert (counts["interruptions"], counts["interruptions_differ"], warned) == (1, 0, [])
    counts, warned = await counted(instrument(CODE), first, triggered(11_000, 9_000))
    assert (counts["interruptions"], counts["interruptions_differ"]) == (1, 1)
    assert warned == [f"an interruption differs: {CODE}"]


@in_virtual_time
async def test_the_auction_after_an_interruption_is_the_next_reference() -> None:
    first = replace(WHOLE[0], open=Won(10_000))
    again = replace(triggered(12_650, 11_500), time=Nanoseconds(NINE + 300 * SECOND))
    over = ViReleased(symbol=CODE, time=Nanoseconds(NINE + 123 * SECOND))
    auction = printed(124, 50, 40, Aggressor.NONE, 0.0, price=11_500)
    counts, _ = await counted(instrument(CODE), first, triggered(11_000, 10_000), over, auction, again)
    assert (counts["interruptions"], counts["interruptions_differ"]) == (2, 0)


@in_virtual_time
async def test_in_the_closing_auction_the_dynamic_bands_are_narrower() -> None:
    first = replace(WHOLE[0], open=Won(10_000))
    closing = SessionChanged(session=Session.CLOSING_AUCTION, time=NOW)
    narrow = replace(triggered(10_400, 0), kind=ViKind.DYNAMIC, dynamic_reference=Won(10_000))
    for before, differ in ((closing, 0), (replace(closing, session=Session.CONTINUOUS), 1)):
        counts, _ = await counted(instrument(CODE), before, first, narrow)
        assert counts["interruptions_differ"] == differ
