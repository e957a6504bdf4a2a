"""A run's report as one HTML page that opens without a network."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any, Final, NamedTuple

import msgspec
from plotly.offline import get_plotlyjs  # pyright: ignore[reportUnknownVariableType]

from actors.analysis.charts import Story, series, traded
from actors.analysis.performance import RoundTrip
from messages import Symbol
from runtime.clock import text
from runtime.logs import clean

TRIPS: Final = 1_000


class Column(NamedTuple):
    """Of a table."""

    title: str
    style: str = ""


_N = "number"


def page(summary: Mapping[str, Any], story: Story) -> str:
    """The whole document."""
    template = Template((resources.files("actors.analysis") / "report.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(f"run {summary['run']} · {summary['started']}"),
        body=clean("\n".join(_sections(summary, story))),
        series=clean(_embedded(series(story))),
        plotly=get_plotlyjs(),  # pyright: ignore[reportUnknownArgumentType]
    )


def _embedded(values: dict[str, Any]) -> str:
    return msgspec.json.encode(values).decode().replace("<", "\\u003c")


def _sections(summary: Mapping[str, Any], story: Story) -> Iterable[str]:
    issues = traded(story)
    yield _header(summary)
    yield _tiles(summary)
    yield f'<h2>Equity <span class="dim">and below its high, won{_without(summary["laid_in"])}</span></h2>'
    yield '<div class="card"><div class="chart tall"></div></div>'
    if issues:
        yield "<h2>Traded issues</h2>"
    profits = Counter[Symbol]()
    for trip in story.trips:
        profits[trip.symbol] += trip.profit
    for index, symbol in enumerate(issues):
        yield _chart(story, index, symbol, profits[symbol])
    yield _table("Round trips", _TRIPS, (_trip(story, trip) for trip in story.trips[-TRIPS:]), _more(story.trips))
    yield _table("Positions", _POSITIONS, (_position(row) for row in summary["positions"]))
    yield _table("Differences with the broker", _MATCH, _differences(summary["match"]), _matched(summary["match"]))
    yield _table("Refused by risk", _REFUSED, _refusals(summary, story))
    yield _table("Latency", _LATENCY, _latencies(summary["latency"]), _clock(summary["latency"]))
    yield _table("Mailboxes", _MAILBOXES, (_mailbox(*item) for item in summary["mailboxes"].items()))
    yield _footer(summary)


def _header(summary: Mapping[str, Any]) -> str:
    won = summary["result_won"]
    partial = (
        "" if summary["complete"] else " · not the whole run: it never began, or the reporter was replaced on the way"
    )
    return (
        f"<header><div><h1>Run {summary['run']} · {escape(summary['config'])}</h1>"
        f'<p class="dim">{escape(summary["started"])} – {escape(summary["ended"])} KST · '
        f"{escape(summary['stopped'])}{partial}</p></div>"
        f'<div class="result"><strong class="{_tone(won)}">{won:+,} won</strong>'
        f'<span class="dim">{summary["result_percent"]:+.2f} % of {summary["opening_equity"]:,}</span></div></header>'
    )


def _tiles(summary: Mapping[str, Any]) -> str:
    measures = summary["performance"]
    tiles = (
        ("Equity", f"{summary['equity']:,}"),
        ("Cash", f"{summary['cash']:,}"),
        ("Realised", f"{summary['realised']:+,}"),
        ("Unrealised", f"{summary['unrealised']:+,}"),
        ("Fees and tax", f"{summary['fees'] + summary['tax']:,}"),
        ("Deepest fall", f"{-measures['drawdown']:,}"),
        ("Fall, percent", f"{-measures['drawdown_percent']:.2f} %"),
        ("Round trips", f"{measures['closed']:,}"),
        ("Gained", _known(measures["win_rate"], "{:.0f} %")),
        ("Profit factor", _known(measures["profit_factor"], "{:.2f}")),
        ("Yearly", _known(measures["yearly_percent"], "{:+.1f} %")),
        ("Sharpe ratio", _known(measures["sharpe"], "{:.2f}")),
        ("Invested", f"{measures['exposure']:.0f} %"),
        ("Turnover", _known(measures["turnover"], "{:.2f} ×")),
        ("Orders", f"{summary['orders']:,}"),
        ("Fills", f"{summary['fills']:,}"),
    )
    cells = "".join(f"<div><span>{title}</span><b>{value}</b></div>" for title, value in tiles)
    return f'<section class="tiles">{cells}</section>'


def _chart(story: Story, index: int, symbol: Symbol, profit: int) -> str:
    name, code = escape(story.names.get(symbol, "")), escape(symbol)
    heading = f'{name or code} <span class="dim">{code if name else ""}</span>'
    return (
        f'<div class="card"><h3>{heading}<span class="{_tone(profit)}">{profit:+,} won</span></h3>'
        f'<div class="chart" data-issue="{index}"></div></div>'
    )


_TRIPS = (
    *(Column(title) for title in ("Issue", "Strategy", "Opened", "Closed")),
    *(Column(title, _N) for title in ("Held", "Shares", "Bought at", "Sold at", "Costs", "Profit", "%")),
    Column("Why", "wide"),
)
_POSITIONS = (Column("Issue"), *(Column(title, _N) for title in ("Shares", "Cost", "Average", "Last", "Profit")))
_MATCH = (Column("Journal, live records and the broker's statement", "wide"),)
_REFUSED = (Column("Rule"), Column("Times", _N), Column("Newest"), Column("Figures", "wide"), Column("Limit", _N))
_LATENCY = (Column("Microseconds"), *(Column(title, _N) for title in ("Orders", "p50", "p99", "p99.9", "Longest")))
_MAILBOXES = (
    Column("Mailbox"),
    *(Column(title, _N) for title in ("Offered", "Handled", "Conflated", "Refused", "Waiting", "High water")),
)


def _table(title: str, columns: Sequence[Column], rows: Iterable[Sequence[str]], note: str = "") -> str:
    head = "".join(f'<th class="{column.style}">{escape(column.title)}</th>' for column in columns)
    body = "".join(_row(columns, row) for row in rows)
    grid = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else '<p class="none">None</p>'
    return f'<h2>{title} <span class="dim">{escape(note)}</span></h2><div class="card scroll">{grid}</div>'


def _row(columns: Sequence[Column], row: Sequence[str]) -> str:
    cells = (
        f'<td class="{_style(column, cell)}">{escape(cell)}</td>' for column, cell in zip(columns, row, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"


def _style(column: Column, cell: str) -> str:
    signed = column.style == _N and cell[:1] in "+-" and cell[:1]
    return f"{column.style} {'up' if cell[0] == '+' else 'down'}" if signed else column.style


def _trip(story: Story, trip: RoundTrip) -> tuple[str, ...]:
    return (
        _title(story.names, trip.symbol),
        trip.strategy,
        _moment(trip.opened),
        _moment(trip.closed, trip.opened) if trip.closed else "open",
        _span(trip.seconds) if trip.closed else "",
        f"{trip.bought:,}",
        _average(trip.paid, trip.bought),
        _average(trip.received, trip.sold),
        f"{trip.commission + trip.tax:,}",
        f"{trip.profit:+,}",
        f"{trip.percent:+.2f}",
        "; ".join(trip.reasons),
    )


def _more(trips: Sequence[RoundTrip]) -> str:
    return f"the last {TRIPS:,} of {len(trips):,}" if len(trips) > TRIPS else "profit after fees and tax"


def _position(row: Mapping[str, Any]) -> tuple[str, ...]:
    average = _average(row["cost"], row["quantity"])
    figures = (f"{row['quantity']:,}", f"{row['cost']:,}", average, f"{row['last']:,}", f"{row['profit']:+,}")
    return (_title({row["symbol"]: row["name"]}, row["symbol"]), *figures)


def _differences(match: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    return ((line,) for line in match["differences"])


def _matched(match: Mapping[str, Any]) -> str:
    if not match["days"]:
        return "the run saw no end of a day"
    return f"{match['orders']:,} orders at the end of the day, {match['unexplained']:,} won unexplained"


def _refusals(summary: Mapping[str, Any], story: Story) -> Iterable[tuple[str, ...]]:
    for rule, times in summary["refused"].items():
        newest = story.refusals[rule]
        figures = ", ".join(f"{name} {_plain(value)}" for name, value in newest.figures.items())
        where = f"{newest.strategy} {newest.side.value} {_title(story.names, newest.symbol)}"
        yield rule, f"{times:,}", where, figures, _plain(newest.limit)


def _latencies(latency: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for name, title in (
        ("to_approval", "newest price received > approved"),
        ("to_sent", "newest price received > sent"),
    ):
        spread = latency[name]
        yield title, f"{spread['count']:,}", *(f"{spread[share]:,.1f}" for share in ("p50", "p99", "p99.9", "max"))


def _clock(latency: Mapping[str, Any]) -> str:
    return f"by the {latency['clock']} clock of this run"


def _mailbox(name: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    fields = ("offered", "handled", "conflated", "refused", "depth", "high_water")
    return (name, *(f"{row[field]:,}" for field in fields))


def _footer(summary: Mapping[str, Any]) -> str:
    data = f"{_count(summary['ticks'])} ticks, {_count(summary['books'])} books, {_count(summary['bars'])} bars"
    time = f"{summary['wall_s']:,.1f} s by the wall, {summary['cpu_s']:,.1f} s of CPU"
    most = f"at most {summary['memory_mb']:,.0f} MiB and {summary['longest_block_ms']:.1f} ms of a blocked loop"
    lines = (
        f"{data}, {summary['out_of_order']:,} out of order · {time} · {most}",
        f"version {summary['version']} · config {summary['config_digest']} · seed {summary['seed']}",
        f"journal head {summary['journal_head']} · order digest {summary['order_digest']}",
    )
    return "<footer>" + "".join(f"<p>{escape(line)}</p>" for line in lines) + "</footer>"


def _title(names: Mapping[str, str], symbol: str) -> str:
    name = names.get(symbol, "")
    return f"{name} {symbol}" if name else symbol


def _without(laid_in: int) -> str:
    return f", without {laid_in:+,} laid in or taken out" if laid_in else ""


def _tone(won: int) -> str:
    return "up" if won > 0 else "down" if won < 0 else ""


def _known(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _count(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _moment(time: int, beside: int = 0) -> str:
    words = text(time)
    return words[11:19] if words[:10] == text(beside)[:10] else words[5:19]


def _average(amount: int, shares: int) -> str:
    return f"{amount / shares:,.0f}" if shares else ""


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
