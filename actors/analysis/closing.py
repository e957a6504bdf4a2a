"""A run's summary in words, for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any


def closing(summary: Mapping[str, Any]) -> str:
    """About twenty aligned lines."""
    return "\n".join(_lines(summary))


def _lines(summary: Mapping[str, Any]) -> Iterator[str]:
    measures = summary["performance"]
    yield f"run {summary['run']}  {summary['config']}"
    yield f"  {summary['started']} - {summary['ended']}  ({summary['stopped']})"
    if not summary["complete"]:
        yield "  not the whole run: it never began, or the reporter was replaced on the way"
    yield _line("result", _won(summary["result_won"], "+"), f"{summary['result_percent']:+.2f} %")
    yield _line("equity", _won(summary["equity"]), f"from {summary['opening_equity']:,}, cash {summary['cash']:,}")
    if summary["laid_in"]:
        yield _line("laid in", _won(summary["laid_in"], "+"), "or taken out, without a trade: no part of the result")
    yield _line("realised", _won(summary["realised"], "+"), f"unrealised {summary['unrealised']:+,}")
    yield _line("fees", _won(summary["fees"]), f"tax {summary['tax']:,}")
    fall = f"{-measures['drawdown_percent']:.2f} %"
    yield _line(
        "deepest fall", _won(-measures["drawdown"]), f"{fall}, {measures['exposure']:.0f} % invested on average"
    )
    ends = f"{measures['wins']:,} with a gain, {measures['losses']:,} with a loss"
    yield _line("round trips", f"{measures['closed']:,}", ends)
    for position in summary["positions"]:
        issue = f"{position['name'] or position['symbol']} {position['quantity']:,} at {position['last']:,}"
        yield _line("position", _won(position["profit"], "+"), issue)
    yield _line("intents", f"{summary['intents']:,}", f"{summary['approved']:,} approved")
    for rule, times in summary["refused"].items():
        yield _line("refused", f"{times:,}", rule)
    ends = f"{summary['cancels']:,} canceled, {summary['rejected']:,} rejected, {summary['unknown']:,} unknown"
    yield _line("orders", f"{summary['orders']:,}", f"{summary['fills']:,} fills, {ends}")
    yield from _match(summary["match"])
    yield _line("ticks", _count(summary["ticks"]), f"{_count(summary['books'])} books, {_count(summary['bars'])} bars")
    yield _line("out of order", f"{summary['out_of_order']:,}", f"{summary['gaps']:,} gaps in mailboxes")
    for failure in summary["failures"]:
        off = ", and is off" if failure["off"] else ""
        what = f"{failure['actor']} in {failure['handler']}{off}: {failure['error']}"
        yield _line("failed", f"{failure['times']:,}", what)
    yield from _latency(summary["latency"])
    used = f"{summary['cpu_s']:,.1f} s of CPU, {summary['memory_mb']:,.0f} MiB"
    yield _line(
        "time", f"{summary['wall_s']:,.1f} s", f"{used}, loop blocked {summary['longest_block_ms']:.1f} ms at most"
    )
    yield _line("journal", "", summary["journal_head"])
    yield _line("order digest", "", summary["order_digest"])
    yield _line("report", "", summary["report"])


def _match(match: Mapping[str, Any]) -> Iterator[str]:
    if match["days"]:
        rest = f"differences, {match['unexplained']:,} won unexplained, in {match['orders']:,} orders"
        yield _line("day match", f"{len(match['differences']):,}", rest)


def _latency(latency: Mapping[str, Any]) -> Iterator[str]:
    for name, title in (("to_approval", "to approval"), ("to_sent", "to sent")):
        spread = latency[name]
        if spread["count"]:
            rest = f"p99 {spread['p99']:,.1f}, p99.9 {spread['p99.9']:,.1f} us, {latency['clock']} clock"
            yield _line(title, f"p50 {spread['p50']:,.1f}", rest)


def _line(title: str, figure: str, rest: str) -> str:
    return f"  {title:<13}{figure:>16}  {rest}" if figure else f"  {title:<13}{rest}"


def _won(value: int, sign: str = "") -> str:
    return f"{value:{sign},} won"


def _count(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
