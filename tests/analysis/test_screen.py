"""What the screen shows where there is little room."""

from rich.console import Console

from actors.analysis.screen import Issue, View, line, screen
from runtime.mailbox import Statistics
from runtime.testing import START

QUIET = Statistics(offered=9, handled=9, conflated=0, refused=0, depth=0, high_water=8, oldest=0.0)


def view(*orders: str) -> View:
    return View(
        time=START,
        progress=0.5,
        ticks=1_234_567,
        pace=2_000.0,
        equity=101_010_000,
        result=-1_010_000,
        cash=50_500_000,
        fills=1_113,
        issues=[Issue("TIGER 미국테크TOP10 INDXX 381170", 100_500, -1.25, 3_000_000_000_000, 1_235, -1_400_000)],
        positions=1,
        orders=orders,
        mailboxes={"risk": QUIET},
        longest_block_ms=12.0,
        halted="",
        news=(),
    )


def test_no_figure_is_cut_off_where_the_terminal_is_narrow() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(screen(view()))
    text = captured.get()

    for words in ("2025-09-02 09:00:00", "1,234,567", "101,010,000", "-1,010,000 won", "50,500,000", "1,113 fills"):
        assert words in text
    for words in ("100,500", "-1.25 %", "3,000,000", "1,235", "-1,400,000", "TIGER"):
        assert words in text


def test_all_open_orders_are_counted_and_a_few_are_shown() -> None:
    many = view(*(f"buy 기아 000270 5 at {price} open" for price in range(100, 120)))
    console = Console(width=140)
    with console.capture() as captured:
        console.print(screen(many))

    assert "20 open orders" in line(many)
    assert "at 107 open · and 12 more" in captured.get().replace("\n", " ")
    assert "at 108" not in captured.get()
