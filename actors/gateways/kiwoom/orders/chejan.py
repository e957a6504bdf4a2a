"""One record about an order, as OnReceiveChejanData gives it field by field."""

from collections.abc import Callable, Mapping
from typing import Final

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.codes import Fid
from actors.gateways.kiwoom.real_time.records import MOST_SHARES, MalformedError, identity, number, seconds_of
from actors.market.time import SECOND
from messages import Action, Record, Shares, Side, Symbol, Won

FIDS: Final = (
    *(Fid.ACCOUNT, Fid.ORDER, Fid.CODE, Fid.STATUS, Fid.QUANTITY, Fid.ORDER_PRICE, Fid.OPEN, Fid.AMOUNT),
    *(Fid.ORIGINAL, Fid.ORDER_TEXT, Fid.SIDE, Fid.ORDER_TIME, Fid.FILL, Fid.FILL_PRICE, Fid.FILL_QUANTITY),
    *(Fid.COMMISSION, Fid.TAX, Fid.REASON, Fid.SCREEN),
)
"""What the slot must read while the event lasts."""
_MOST_WON: Final = 10**15
_STATUSES: Final = (codes.ACCEPTED, codes.CONFIRMED, codes.FILLED, codes.CANCELED, codes.REFUSED)


class OrderRecord(Record):
    """One 주문체결 record; amounts are of this order number, today."""

    account: str
    number: str
    original: str
    """Blank for a new order."""
    symbol: Symbol
    side: Side
    action: Action
    status: str
    quantity: Shares
    price: Won
    open: Shares
    amount: Won
    fill: str
    fill_price: Won
    fill_quantity: Shares
    """0 where 915 is blank: then it is no fill, whatever the status says."""
    commission: Won
    tax: Won
    seconds: int | None
    """Into the Korean day; None where the record has no time, or none that can be."""
    screen: str
    reason: str


def order_record(fields: Mapping[int, str]) -> OrderRecord:
    """The record these fields make. Raises MalformedError, but not for a time or costs: a fill counts without them."""
    text: dict[int, str] = {fid: fields.get(fid, "").strip() for fid in FIDS}
    status = text[Fid.STATUS]
    if status not in _STATUSES or not text[Fid.ORDER].isalnum() or not text[Fid.ORDER].strip("0"):
        raise MalformedError("an order record without number or status")
    original = text[Fid.ORIGINAL]
    return OrderRecord(
        account=text[Fid.ACCOUNT],
        number=text[Fid.ORDER],
        original=original if original.strip("0") else "",
        symbol=identity(text[Fid.CODE])[0],
        side=_side(text),
        action=_action(text[Fid.ORDER_TEXT]),
        status=status,
        quantity=Shares(_whole(text[Fid.QUANTITY], MOST_SHARES)),
        price=Won(_optional(text[Fid.ORDER_PRICE], MOST_SHARES)),
        open=Shares(_whole(text[Fid.OPEN], MOST_SHARES)),
        amount=Won(_whole(text[Fid.AMOUNT], _MOST_WON)),
        fill=text[Fid.FILL],
        fill_price=Won(_optional(text[Fid.FILL_PRICE], MOST_SHARES)),
        fill_quantity=Shares(_optional(text[Fid.FILL_QUANTITY], MOST_SHARES)),
        commission=Won(_if_readable(_won, text[Fid.COMMISSION]) or 0),
        tax=Won(_if_readable(_won, text[Fid.TAX]) or 0),
        seconds=_if_readable(seconds_of, text[Fid.ORDER_TIME]),
        screen=text[Fid.SCREEN],
        reason="" if text[Fid.REASON].strip("0") == "" else text[Fid.REASON],
    )


def time_of(record: OrderRecord, day: int, now: int) -> int:
    """The record's own time on the day that begins at `day`, or `now` where it has none."""
    return now if record.seconds is None else day + record.seconds * SECOND


def _side(text: Mapping[int, str]) -> Side:
    mark, words = text[Fid.SIDE], text[Fid.ORDER_TEXT]
    if mark == "1" or (not mark and "매도" in words):
        return Side.SELL
    if mark == "2" or (not mark and "매수" in words):
        return Side.BUY
    raise MalformedError("an order record without a side")


def _action(words: str) -> Action:
    if "취소" in words:
        return Action.CANCEL
    return Action.REPLACE if "정정" in words else Action.NEW


def _whole(text: str, limit: int) -> int:
    value = abs(number(text))
    if value > limit or not text.isascii() or "_" in text:
        raise MalformedError("not an amount")
    return value


def _won(text: str) -> int:
    return _whole(text, _MOST_WON)


def _if_readable(read: Callable[[str], int], text: str) -> int | None:
    try:
        return read(text)
    except ValueError:
        return None


def _optional(text: str, limit: int) -> int:
    return _whole(text, limit) if text else 0
