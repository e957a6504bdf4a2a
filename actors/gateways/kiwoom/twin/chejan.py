"""Chejan records: what OnReceiveChejanData lets the consumer read of orders and balances."""

from collections.abc import Mapping
from typing import Final

from actors.exchange.events import OrderReport, Report
from actors.exchange.port import ExchangePort
from actors.exchange.records import AccountState
from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.twin import values
from actors.gateways.kiwoom.twin.account_queries import order_words
from actors.gateways.kiwoom.twin.announcements import prefix
from actors.gateways.kiwoom.twin.board import Board
from actors.gateways.kiwoom.twin.outbox import Event
from messages import Action, Instrument, Side

_NAME_WIDTH: Final = 40
_NO_ORIGINAL: Final = "0000000"
_NO_DATE: Final = "00000000"
_CASH: Final = "00"
_UNEXPLAINED_949: Final = "3"
_UNEXPLAINED_970: Final = "10"
_STATUSES: Final = {
    Report.ACCEPTED: codes.ACCEPTED,
    Report.FILLED: codes.FILLED,
    Report.REPLACED: codes.CONFIRMED,
    Report.REJECTED: codes.REFUSED,
}


class Lot:
    """Shares of an issue as the records tell of them."""

    def __init__(self, quantity: int = 0, cost: int = 0) -> None:
        self.quantity = quantity
        self.cost = cost
        self.selling = self.net = self.realised = 0

    def fill(self, side: Side, price: int, size: int) -> int:
        """Book one fill; what it realised. The cost of what is sold leaves in proportion."""
        if side is Side.BUY:
            self.quantity, self.cost, self.net = self.quantity + size, self.cost + price * size, self.net + size
            return 0
        cost = self.cost * size // self.quantity
        self.quantity, self.cost, self.net = self.quantity - size, self.cost - cost, self.net - size
        self.realised += price * size - cost
        return price * size - cost


class Chejan:
    """Writes records of one account in the order of its reports."""

    def __init__(self, exchange: ExchangePort, board: Board) -> None:
        self._exchange = exchange
        self._board = board
        self._lots = _lots(exchange)
        self._selling: dict[str, int] = {}
        self._realised = 0

    def order(self, report: OrderReport) -> Event:
        """주문체결; call it once for each report, in their order."""
        self.follow(report)
        return _event(codes.CHEJAN_ORDER, codes.CHEJAN_ORDER_FIDS, self._order_fields(report), report.symbol)

    def balance(self, report: OrderReport) -> Event:
        """현물잔고 after a fill."""
        return _event(codes.CHEJAN_BALANCE, codes.CHEJAN_BALANCE_FIDS, self._balance_fields(report), report.symbol)

    def follow(self, report: OrderReport) -> None:
        """Count a report, whether Kiwoom tells of it or not."""
        lot = self._lots.setdefault(report.symbol, Lot())
        if report.side is Side.SELL and report.action is not Action.CANCEL:
            rest = 0 if report.report is Report.ACCEPTED and report.action is Action.REPLACE else report.open
            lot.selling += rest - self._selling.get(report.number, 0)
            self._selling[report.number] = rest
        if report.report is Report.FILLED:
            self._realised += lot.fill(report.side, report.fill_price, report.fill_quantity)

    def _market_fields(self, issue: Instrument) -> dict[int, str]:
        marks, statistics = self._board.tapes[issue.symbol].marks, self._exchange.statistics(issue.symbol)
        last = marks[statistics.last]
        return {10: last, 27: marks[statistics.ask], 28: marks[statistics.bid], 10010: last}

    def _order_fields(self, report: OrderReport) -> dict[int, str]:
        issue, filled = self._board.issues[report.symbol], report.filled
        is_fill = report.report is Report.FILLED
        return {
            **self._market_fields(issue),
            9201: report.account,
            9203: report.number,
            9001: f"{prefix(issue)}{issue.symbol}",
            912: "JJ",
            913: _status(report),
            302: issue.name.ljust(_NAME_WIDTH),
            900: str(report.quantity),
            901: str(report.price),
            902: str(_open(report)),
            903: str(report.amount),
            904: report.original or _NO_ORIGINAL,
            905: order_words(report.action, report.side),
            906: codes.HOGA_NAMES[codes.HOGA[report.kind, report.validity]],
            907: "1" if report.side is Side.SELL else "2",
            908: values.hhmmss(report.time),
            909: report.fill,
            910: str(report.amount // filled) if filled else "",
            911: str(filled) if filled else "",
            914: str(report.fill_price) if is_fill else "",
            915: str(report.fill_quantity) if is_fill else "",
            938: str(report.commission),
            939: str(report.tax),
            919: report.reason if report.report is Report.REJECTED else "0",
            920: report.tag,
            922: _CASH,
            923: _NO_DATE,
            949: _UNEXPLAINED_949,
            969: "0",
            819: "1" if report.report is Report.CLEARED else "0",
        }

    def _balance_fields(self, report: OrderReport) -> dict[int, str]:
        issue, lot = self._board.issues[report.symbol], self._lots[report.symbol]
        last = self._board.last(issue.symbol)
        return {
            **self._market_fields(issue),
            9201: report.account,
            9001: f"{prefix(issue)}{issue.symbol}",
            917: _CASH,
            916: _NO_DATE,
            302: issue.name.ljust(_NAME_WIDTH),
            930: str(lot.quantity),
            931: str(lot.cost // lot.quantity if lot.quantity else 0),
            932: str(lot.cost),
            933: str(lot.quantity - lot.selling),
            945: str(lot.net),
            946: "1" if report.side is Side.SELL else "2",
            950: str(self._realised),
            951: "0",
            307: str(issue.base_price),
            8019: "0.00",
            957: "0",
            958: "0",
            918: _NO_DATE,
            990: str(lot.realised),
            991: "0.00",
            992: "0",
            993: "0.00",
            959: "0",
            924: "0",
            25: values.direction(last, issue),
            11: values.signed(last - issue.base_price),
            12: values.percent(values.change_rate(last, issue.base_price)),
            306: f"-{issue.lower_limit}",
            305: f"+{issue.upper_limit}",
            970: _UNEXPLAINED_970,
        }


def _event(kind: str, fids: tuple[int, ...], fields: Mapping[int, str], symbol: str) -> Event:
    data = {int(fid): fields.get(fid, "") for fid in fids}
    return Event("chejan", "OnReceiveChejanData", (kind, len(fids), ";".join(map(str, data))), data, symbol)


def _status(report: OrderReport) -> str:
    if report.report is Report.CLEARED:
        return codes.FILLED if report.filled else codes.ACCEPTED
    if report.report is Report.CANCELED:
        return codes.CANCELED if report.action is Action.NEW else codes.CONFIRMED
    return _STATUSES[report.report]


def _open(report: OrderReport) -> int:
    """A cancellation or modification is open as a whole until it is confirmed."""
    return report.quantity if report.report is Report.ACCEPTED else report.open


def _lots(exchange: ExchangePort) -> dict[str, Lot]:
    state = exchange.account_state(exchange.account)
    assert isinstance(state, AccountState)
    return {held.symbol: Lot(held.quantity, held.cost) for held in state.holdings}
