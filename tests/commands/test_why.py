"""`why` over a small journal: an order from tick to won, and a silence explained."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from actors.commands.why import NothingKnown, of_order, of_symbol, why
from actors.market.storage import store
from messages import (
    DataLost,
    DataRestored,
    ExternalOrderSeen,
    HaltTrading,
    InstrumentHalted,
    Lost,
    Session,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    Tick,
    UniverseChanged,
    Venue,
    ViKind,
    ViReleased,
    ViTriggered,
    Won,
)
from runtime.actor import Actor
from runtime.bus import RUN_BITS
from runtime.disk.journal import NAME, Journal
from runtime.envelope import Envelope
from runtime.loops.loop import virtual_loop
from runtime.testing import Stage
from tests.market.storage import writing
from tests.scripted_day import HYNIX, SAMSUNG, Desk, at, play, price

RUN = 1 << RUN_BITS
FIRST = 5
"""Place of the first intent: after the start, the reconciliation and two instruments."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    loop = virtual_loop()
    loop.run_until_complete(_record(folder))
    loop.close()
    return folder


async def _record(folder: Path) -> None:
    stage = Stage(Actor())
    async with Journal(folder, clock=stage.clock, reserve=4096) as journal:
        stage.bus.begin(journal.run, journal)
        await play(stage, journal.run)
        await stage.advance(60)
        stage.tell(
            SessionChanged(session=Session.CONTINUOUS, time=at(300)),
            UniverseChanged(universe="screener", time=at(300), symbols=(HYNIX,)),
            _interruption(),
            HaltTrading(reason="a person", by="inbox"),
            DataLost(time=at(300), rows=(_lost(SAMSUNG, 100), _lost(HYNIX, 7), _lost(SAMSUNG, 5, Venue.NXT))),
            DataLost(time=at(300), rows=(_lost(SAMSUNG, 20),)),
            DataRestored(time=at(300), rows=(_lost(HYNIX, 7), _lost(SAMSUNG, 5, Venue.NXT))),
            InstrumentHalted(symbol=HYNIX, time=at(300), halted=True, reason="a rumour"),
            InstrumentHalted(symbol=HYNIX, time=at(300), halted=False),
            ViTriggered(**_terms(HYNIX)),
            ViReleased(symbol=HYNIX, time=at(300)),
            _stranger("sell 3 at 71000: 0 filled, 3 open, 접수"),
            _stranger("sell 3 at 71000: 3 filled, 0 open, 체결"),
        )
        prompt = _prompted(stage)
        await journal.durable(stage.bus.number)
    _store(folder, prompt)


def _prompted(stage: Stage) -> tuple[int, Tick]:
    """An intent in answer to a print."""
    tick, _ = price(HYNIX, 240, 195_000)
    number = stage.tell(tick)
    stage.bus.current = Envelope(number, stage.clock.now(), "receiver", 0, tick)
    Desk(stage).intent(HYNIX, Side.BUY, 2, 195_000, "a dip")
    return number, tick


def _stranger(description: str) -> ExternalOrderSeen:
    return ExternalOrderSeen(symbol=SAMSUNG, time=at(300), broker_order="0000901", description=description)


def _interruption() -> ViTriggered:
    return ViTriggered(**_terms(SAMSUNG))


def _terms(symbol: Symbol) -> dict[str, Any]:
    prices = {"trigger_price": Won(78_100), "static_reference": Won(71_000), "dynamic_reference": Won(0)}
    return {"symbol": symbol, "time": at(300), "kind": ViKind.STATIC, "upward": True, "count": 1, **prices}


def _lost(symbol: Symbol, shares: int, venue: Venue = Venue.KRX) -> Lost:
    return Lost(symbol=symbol, venue=venue, shares=Shares(shares), total=Shares(shares))


def _store(folder: Path, prompt: tuple[int, Tick]) -> None:
    with closing(sqlite3.connect(folder / store.FILE)) as connection:
        for script in store.MIGRATIONS:
            connection.executescript(script)
        (first, _), (second, _) = price(SAMSUNG, 0, 71_000), price(SAMSUNG, 180, 72_100)
        writing.write_ticks(connection, [(RUN + 10, first), (RUN + 20, second), prompt])
        store.write_issues(connection, [(SAMSUNG, "삼성전자", "KOSPI")])
        connection.commit()


def test_an_order_is_told_from_intent_to_won(data: Path) -> None:
    lines = of_order(data, f"1:{FIRST}")
    text = "\n".join(lines)
    assert lines[0] == f"order 1:{FIRST} ({RUN + FIRST}) in 삼성전자 005930 of KRX"
    words = ["intent", "approved", "submitting", "sent", "accepted", "filled"]
    assert [line.split()[3] for line in lines if " ms  " in line] == words
    assert "momentum wants to buy 10 at 70,000 (limit, day): breakout <1>" in text
    assert "on last 70,000, ask 70,000, bid 70,000, received 1.000 ms before" in text
    assert lines[-5:] == [
        "  end         filled: 10 of 10 filled",
        "  amount      700,000 won, 70,000.00 a share on average",
        "  costs       commission 100 won, tax 0 won",
        "  cash        -700,100 won",
        "  realised    +0 won before costs",
    ]


def test_an_intent_that_answered_a_print_names_it(data: Path) -> None:
    lines = next(lines for n in range(99, 1, -1) if (lines := _known(data, f"1:{n}")))
    assert ": 195,000 x 1 (buyer) at 09:04:59, ask 195,000, bid 195,000, volume 1" in lines[1]
    assert lines[-1] == "  end         risk never answered"


def test_a_sale_tells_what_it_realised(data: Path) -> None:
    orders = [lines for n in range(1, 100) if (lines := _known(data, f"1:{n}"))]
    sale = next(lines for lines in orders if "sell 10 at 72,000" in "\n".join(lines))
    assert sale[-2:] == ["  cash        +718,790 won", "  realised    +20,000 won before costs"]


def _known(data: Path, name: str) -> list[str]:
    try:
        return of_order(data, name)
    except NothingKnown:
        return []


@pytest.mark.parametrize("name", [f"{FIRST}", f"{RUN + FIRST}", f"{FIRST:07}"])
def test_an_order_is_found_by_any_of_its_numbers(data: Path, name: str) -> None:
    assert of_order(data, name) == of_order(data, f"1:{FIRST}")


def test_an_order_that_nobody_here_placed_is_told_as_such(data: Path) -> None:
    assert of_order(data, "0000901") == [
        "the broker's order 0000901 in 삼성전자 005930: placed by nobody here",
        "  2025-09-02 09:05:00  sell 3 at 71000: 0 filled, 3 open, 접수",
        "  2025-09-02 09:05:00  sell 3 at 71000: 3 filled, 0 open, 체결",
    ]


def test_a_refused_order_tells_rule_figures_and_limit(data: Path) -> None:
    refused = next(lines for n in range(1, 100) if "refused" in "\n".join(lines := _known(data, f"1:{n}")))
    assert any("by max_order_value: value 6,000,000, why <b>too & big</b>; limit 5,000,000" in line for line in refused)
    assert refused[-1] == "  end         refused: it never reached the broker, no won moved"


def test_a_silence_is_explained_by_what_was_known_and_in_force(data: Path) -> None:
    lines = of_symbol(data, SAMSUNG, "09:05:30", window=120)
    assert lines == [
        "삼성전자 005930 at 2025-09-02 09:05:30, run 1",
        "  price       72,100 x 1 (buyer) at 09:03:59, ask 72,100, bid 72,100, volume 1, 91.0 s before",
        "  session     continuous since 09:05:00",
        "  universe    screener: not among its 1 codes since 09:05:00",
        "  in the way  a static volatility interruption since 09:05:00",
        "  in the way  trading halted since 09:05:00: a person",
        "  in the way  120 shares in prints that never came since 09:05:00",
        "  position    3 shares for 216,000 won",
        "  cash        9,791,530 won, 0 of it bound by open orders",
        "  intents     no strategy asked for anything in this issue between 09:03:30 and 09:07:30",
        "              the last one before came at 09:03:00",
        "  strategy    momentum last spoke to buy 000660 at 09:05:00",
        "  around      09:05:00.000  interrupted static, number 1 of the day: 78,100 against 71,000",
        "  around      09:05:00.000  halt        wanted by inbox: a person",
        "  around      09:05:00.000  data lost   100 shares, 5 shares at NXT in prints that never came",
        "  around      09:05:00.000  data lost   20 shares in prints that never came",
        "  around      09:05:00.000  data whole  again, after 5 shares at NXT",
        "  around      09:05:00.000  stranger    0000901, not ours: sell 3 at 71000: 0 filled, 3 open, 접수",
        "  around      09:05:00.000  stranger    0000901, not ours: sell 3 at 71000: 3 filled, 0 open, 체결",
    ]


def test_what_is_over_stands_in_no_way_any_more_but_is_told_around_its_time(data: Path) -> None:
    lines = of_symbol(data, HYNIX, "09:05:30", window=120)
    assert [line for line in lines if line.startswith("  in the way")] == [
        "  in the way  trading halted since 09:05:00: a person"
    ]
    around = [line.partition("09:05:00.000  ")[2] for line in lines if line.startswith("  around")]
    assert around == [
        "halt        wanted by inbox: a person",
        "data lost   7 shares in prints that never came",
        "data whole  again, after 7 shares",
        "halted      trading of the issue: a rumour",
        "resumed     the issue trades again",
        "interrupted static, number 1 of the day: 78,100 against 71,000",
        "released    the volatility interruption is over",
    ]
    assert not [line for line in of_symbol(data, HYNIX, "09:09", window=60) if line.startswith("  around")]


def test_intents_in_the_window_come_with_what_risk_said(data: Path) -> None:
    text = "\n".join(of_symbol(data, SAMSUNG, "2025-09-02 09:02:00", window=60))
    assert "momentum: buy 100 at 70,000: a reason > refused by max_order_value" in text
    assert "momentum: sell 10 at 72,000: target > approved, 10 filled" in text
    assert "no halt, no interruption" in text
    assert "universe    none was published" in text


def test_a_print_of_hours_ago_is_the_newest_all_the_same(data: Path) -> None:
    text = "\n".join(of_symbol(data, SAMSUNG, "14:00"))
    assert "price       72,100 x 1 (buyer) at 09:03:59, ask 72,100, bid 72,100, volume 1, 17,761.0 s before" in text


def test_an_issue_nobody_spoke_of_has_no_price_and_no_intent(data: Path) -> None:
    text = "\n".join(of_symbol(data, Symbol("999999"), "09:02"))
    assert "none is stored" in text
    assert "nor at any other time of this run" in text
    assert "  issue       999999 is named nowhere in this journal and its store; is the code right?" in text
    assert "named nowhere" not in "\n".join(of_symbol(data, SAMSUNG, "09:02"))


def test_before_anything_was_said_the_account_is_not_known_rather_than_empty(data: Path) -> None:
    lines = of_symbol(data, SAMSUNG, "07:00")
    assert "  account     not known" in lines
    assert not [line for line in lines if line.startswith(("  cash", "  position"))]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["77:1"], "no order 77:1 in "),
        (["nonsense"], "no order nonsense in "),
        (["005930", "--at", "25:99"], "'25:99' is no time"),
        (["005930", "--at", "9999-12-31 23:59"], "'9999-12-31 23:59' is no time"),
        (["005930", "--at", "0001-01-01 00:00"], "'0001-01-01 00:00' is no time"),
        (["005930", "--at", "09:30", "--window", "nan"], "--window nan: seconds from 0 to 86400"),
        (["005930", "--at", "09:30", "--window", "-1"], "--window -1: seconds from 0 to 86400"),
    ],
)
def test_what_is_not_known_is_one_line(data: Path, arguments: list[str], reason: str) -> None:
    app = typer.Typer()
    app.command()(why)
    result = CliRunner().invoke(app, [*arguments, "--data", str(data)])
    assert result.exit_code == 1
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_folder_without_a_journal_is_one_line_too(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(why)
    result = CliRunner().invoke(app, ["1", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert f"{NAME}: no such file" in result.stderr


def test_without_a_market_store_the_way_is_told_all_the_same(data: Path, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes((data / NAME).read_bytes())
    lines = of_order(tmp_path, f"1:{FIRST}")
    assert "  price       none is stored" in lines
