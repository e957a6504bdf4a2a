"""What the broker's server refuses before an order goes to the exchange; the codes are Kiwoom's in style."""

from typing import Final

from actors.exchange.issue import Issue
from actors.exchange.records import Refusal
from messages import Kind, Session, Validity

PRICED: Final = (Kind.LIMIT, Kind.CONDITIONAL)
_AT_ONCE = (Kind.LIMIT, Kind.MARKET, Kind.BEST)


def check_terms(issue: Issue | None, kind: Kind, validity: Validity, quantity: int, price: int) -> Refusal | None:
    """Everything about a new order that does not depend on the account; None where it is in order."""
    if issue is None:
        return Refusal(code="00Z500", reason="종목코드가 없습니다")
    return (
        _check_session(issue)
        or _check_kind(kind, validity)
        or _check_quantity(quantity)
        or check_price(issue, kind, price)
    )


def check_price(issue: Issue, kind: Kind, price: int) -> Refusal | None:
    """A price where the kind has one, on a tick, inside the day's limits."""
    if kind not in PRICED:
        return Refusal(code="00Z237", reason="가격을 입력할 수 없는 호가입니다") if price else None
    of = issue.instrument
    if not of.lower_limit <= price <= of.upper_limit:
        return Refusal(code="00Z235", reason=f"상하한가를 벗어난 가격입니다. {of.lower_limit}~{of.upper_limit}원")
    if price not in issue.book.index_of:
        return Refusal(code="00Z236", reason="호가단위에 맞지 않는 가격입니다")
    return None


def _check_session(issue: Issue) -> Refusal | None:
    if issue.halted:
        return Refusal(code="00Z222", reason="거래정지 종목입니다")
    if issue.session is Session.PRE_OPEN:
        return Refusal(code="00Z217", reason="장 시작 전입니다")
    return None if issue.accepts() else Refusal(code="00Z218", reason="장종료되었습니다")


def _check_kind(kind: Kind, validity: Validity) -> Refusal | None:
    if validity is Validity.DAY or kind in _AT_ONCE:
        return None
    return Refusal(code="00Z238", reason="IOC/FOK로 낼 수 없는 호가입니다")


def _check_quantity(quantity: int) -> Refusal | None:
    return None if quantity > 0 else Refusal(code="00Z239", reason="주문수량을 확인하십시오")
