"""The reporter's figures of a scripted day, exact to the won."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest

from actors.reporter import Reporter
from messages import ActorFailed
from runtime.life.vitals import Vitals
from runtime.loops.loop import virtual_loop
from runtime.testing import Stage, in_virtual_time
from tests.scripted_day import CASH, SAMSUNG, STRATEGY, Empty, play

KEYS: Final = frozenset(
    {"run", "config_digest", "version", "seed", "started", "ended", "ticks", "books", "bars", "out_of_order"}
    | {"intents", "approved", "refused", "orders", "fills", "cancels", "positions", "cash", "realised", "unrealised"}
    | {"fees", "tax", "result_won", "result_percent", "mailboxes", "latency", "wall_s", "cpu_s", "memory_mb"}
    | {"longest_block_ms", "journal_head", "order_digest"}
)


async def reported(folder: Path, *, run: int = 1, started: bool = True) -> Vitals:
    vitals = Vitals(folder=folder, config=Path("demo.toml"), digest="c0ffee", seed=7, time_kind="simulated")
    vitals.run = run
    vitals.journal_head = lambda: (99, "beef")
    vitals.add("receiver", lambda: {"ticks": 11, "books": 22, "bars": 33, "out_of_order": 1})
    stage = Stage(Reporter(vitals, Empty()), name="reporter")
    stage.bus.begin(run, None)
    vitals.mailboxes = lambda: {"reporter": stage.seat.mailbox.statistics(stage.clock.now())}
    await stage.start()
    if started:
        await play(stage, run)
    await stage.stop()
    return vitals


@pytest.fixture(scope="module")
def vitals(tmp_path_factory: pytest.TempPathFactory) -> Vitals:
    loop = virtual_loop()
    found = loop.run_until_complete(reported(tmp_path_factory.mktemp("report")))
    loop.close()
    return found


def test_the_summary_has_every_key_and_is_what_stands_in_the_file(vitals: Vitals) -> None:
    stored: dict[str, Any] = json.loads((vitals.run_folder / "summary.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(vitals.summary))
    assert stored.keys() >= KEYS


def test_the_account_is_exact_to_the_won(vitals: Vitals) -> None:
    summary = vitals.summary
    assert summary["cash"] == CASH - 700_100 + 718_790 - 1_000_150 + 989_020 - 216_030
    assert summary["fees"] == 100 + 110 + 150 + 140 + 30
    assert summary["tax"] == 1_100 + 840
    assert summary["realised"] == 20_000 - 10_000
    assert summary["unrealised"] == 3 * 100
    assert summary["equity"] == summary["cash"] + 3 * 72_100
    assert summary["result_won"] == 10_000 + 300 - 530 - 1_940
    assert summary["result_percent"] == pytest.approx(100 * summary["result_won"] / CASH)
    assert summary["positions"] == [
        {"symbol": SAMSUNG, "name": "삼성<전자>", "quantity": 3, "cost": 216_000, "last": 72_100, "profit": 300}
    ]


def test_orders_are_counted_by_what_became_of_them(vitals: Vitals) -> None:
    names = ("intents", "approved", "refused", "orders", "fills", "cancels", "rejected", "unknown")
    assert [vitals.summary[name] for name in names] == [7, 6, {"max_order_value": 1}, 6, 5, 1, 0, 0]


def test_market_counts_come_from_the_receiver_and_disorder_from_the_end_of_the_feed(vitals: Vitals) -> None:
    names = ("ticks", "books", "bars", "out_of_order")
    assert [vitals.summary[name] for name in names] == [11, 22, 33, 2]


def test_latency_is_measured_from_the_price_that_risk_weighed(vitals: Vitals) -> None:
    latency = vitals.summary["latency"]
    assert latency["clock"] == "simulated"
    assert latency["to_approval"] == {"count": 6, "p50": 0.0, "p99": 0.0, "p99.9": 0.0, "max": 0.0}


def test_round_trips_and_strategies_add_up_to_the_result(vitals: Vitals) -> None:
    performance, strategy = vitals.summary["performance"], vitals.summary["strategies"][STRATEGY]
    assert (performance["wins"], performance["losses"]) == (1, 1)
    assert performance["average_win"] == 18_690
    assert performance["average_loss"] == -11_130
    assert strategy["profit"] == vitals.summary["result_won"]


def test_two_runs_of_the_same_day_share_a_digest_whatever_their_number(vitals: Vitals, tmp_path: Path) -> None:
    @in_virtual_time
    async def again() -> None:
        other = await reported(tmp_path, run=5)
        assert other.summary["run"] == 5
        assert other.summary["order_digest"] == vitals.summary["order_digest"]

    again()


def test_a_run_in_which_nothing_happened_is_reported_too(tmp_path: Path) -> None:
    @in_virtual_time
    async def idle() -> None:
        summary = (await reported(tmp_path, started=False)).summary
        assert (summary["orders"], summary["result_won"], summary["complete"]) == (0, 0, False)

    idle()
    assert (tmp_path / "runs" / "00001" / "report.html").exists()


def test_the_terminal_gets_aligned_lines_with_thousands_separators(vitals: Vitals) -> None:
    lines = vitals.closing.splitlines()
    assert "  result             +7,830 won  +0.08 %" in lines
    assert "  refused                     1  max_order_value" in lines
    assert len({line.index("won  ") for line in lines[2:6]}) == 1


def test_an_actor_that_failed_is_named_with_its_error(tmp_path: Path) -> None:
    @in_virtual_time
    async def scene() -> None:
        vitals = Vitals(folder=tmp_path, config=Path("demo.toml"), digest="c0ffee", seed=7, time_kind="simulated")
        stage = Stage(Reporter(vitals, Empty()), name="reporter")
        await stage.start()
        for failures in (1, 2, 3):
            said = ActorFailed(
                actor="momentum", handler="on_tick", error="KeyError: 7", failures=failures, off=failures == 3
            )
            stage.tell(said)
        await stage.stop()

        assert (
            "  failed                      3  momentum in on_tick, and is off: KeyError: 7"
            in vitals.closing.splitlines()
        )
        assert vitals.summary["failures"][0]["off"]

    scene()


class Page(HTMLParser):
    """Keeps what a browser would load, and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [value for name, value in attrs if name in ("src", "href", "srcset", "data") and value]
        if tag not in ("meta", "link", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)


@pytest.fixture(scope="module")
def source(vitals: Vitals) -> str:
    return (vitals.run_folder / "report.html").read_text(encoding="utf-8")


def test_the_page_is_whole_and_loads_nothing(source: str) -> None:
    page = Page()
    page.feed(source)
    page.close()
    assert not page.open
    assert not page.loaded
    own = source.replace(source[source.index("<script>") : source.rindex("<script>")], "")
    assert "http" not in own
    assert "url(" not in own


def test_names_and_reasons_are_shown_and_never_become_markup(source: str) -> None:
    page = Page()
    page.feed(source)
    text = " ".join(page.text)
    assert "삼성<전자>" in text
    assert "breakout <1>" in text
    assert "<b>too & big</b>" in text
    assert "SK하이닉스" in text
    series = source[source.index('id="series">') : source.index("<script>", source.index('id="series">'))]
    assert "<1>" not in series


def test_every_traded_issue_has_its_path_and_its_trades(source: str) -> None:
    start = source.index('id="series">') + len('id="series">')
    series = json.loads(source[start : source.index("</script>", start)])
    samsung, hynix = series["issues"]
    assert samsung["prices"] == [71_000, 71_000, 72_000, 72_100]
    assert [mark[1:3] for mark in samsung["buys"]] == [[70_000, 10], [72_000, 3]]
    assert [mark[0] for mark in hynix["sells"]] == [180]
    assert series["equity"]["won"][-1] == CASH + 7_830
