"""장시작시간 and VI발동/해제 strings."""

from actors.exchange.events import PhaseChanged, ViEnded, ViStarted
from actors.gateways.kiwoom.twin import values
from messages import Instrument, Market, ViKind

SESSION_CODE = "09"
"""The code under which announcements of the whole market come."""
_SPECIAL_TIMES = {"8": "888888", "9": "999999"}
_VI_KINDS = {ViKind.STATIC: "정적", ViKind.DYNAMIC: "동적", ViKind.BOTH: "동적+정적"}
_REGULAR = "1"


def session_text(event: PhaseChanged) -> str:
    """215, 20, 214."""
    return announcement(event.code, _SPECIAL_TIMES.get(event.code) or values.hhmmss(event.time), event.remaining)


def announcement(code: str, clock: str, remaining: int = 0) -> str:
    """215, 20, 214."""
    return f"{code}\t{clock}\t{values.left(remaining)}"


def end_of_day() -> str:
    """전체장마감, which comes after everything."""
    return announcement("9", _SPECIAL_TIMES["9"])


def vi_text(event: ViStarted | ViEnded, issue: Instrument, volume: int, value: int, opening: int) -> str:
    """The 19 fields; `volume`, `value` and `opening` are of the day so far."""
    started = event.started if isinstance(event, ViEnded) else event
    is_static, is_dynamic = started.kind is not ViKind.DYNAMIC, started.kind is not ViKind.STATIC
    static = started.static_reference if is_static else 0
    dynamic = started.dynamic_reference if is_dynamic else 0
    price, kind = started.trigger_price, _VI_KINDS[started.kind]
    fields = (
        f"{prefix(issue)}{issue.symbol}",
        issue.name,
        str(volume),
        str(value // 1_000_000),
        "2" if isinstance(event, ViEnded) else "1",
        market_code(issue),
        _REGULAR,
        str(price),
        values.hhmmss(started.time),
        values.hhmmss(event.time if isinstance(event, ViEnded) else started.release),
        kind,
        str(static),
        str(dynamic),
        values.percent(values.change_rate(price, static)),
        values.percent(values.change_rate(price, dynamic)),
        values.percent(values.change_rate(price, opening)),
        str(started.count),
        "1" if started.upward else "2",
        f"{'+' if started.upward else '-'}{kind}",
    )
    return "\t".join(fields)


def market_code(issue: Instrument) -> str:
    """001 코스피, 101 코스닥; funds are listed on the first."""
    return "101" if issue.market is Market.KOSDAQ else "001"


def prefix(issue: Instrument) -> str:
    """A stock or fund, J ELW, Q ETN."""
    return {Market.ELW: "J", Market.ETN: "Q"}.get(issue.market, "A")
