"""An order tracker with what it said, and records as the control gives them."""

from actors.gateways.kiwoom.orders.chejan import order_record
from actors.gateways.kiwoom.orders.orders import OrderTracker
from actors.gateways.port import BrokerReport, Instruction
from messages import (
    Action,
    Kind,
    OrderFilled,
    Shares,
    Side,
    Symbol,
    Validity,
    Won,
)

N, M = "0000001", "0000002"
SAMSUNG = Symbol("005930")


def instruction(
    action: Action = Action.NEW, *, quantity: int = 10, price: int = 100, original: str = ""
) -> Instruction:
    return Instruction(
        order=7,
        action=action,
        request=0 if action is Action.NEW else 8,
        strategy="momentum",
        symbol=SAMSUNG,
        side=Side.BUY,
        kind=Kind.LIMIT if price else Kind.MARKET,
        validity=Validity.DAY,
        quantity=Shares(quantity),
        price=Won(price),
        broker_order=original,
    )


def fields(text: str, status: str, name: str, **changes: int | str) -> dict[int, str]:
    """A record as the control gives it; `fill` is quantity at price 100 unless `at` says another."""
    quantity, fill = changes.get("quantity", 10), int(changes.get("fill", 0))
    cells = {9201: "8000000011", 9203: name, 9001: "A005930", 912: "JJ", 913: status, 900: str(quantity), 901: "100"}
    cells |= {902: str(changes.get("open", quantity)), 903: str(changes.get("amount", 0)), 904: "0000000"}
    cells |= {905: text, 907: "2", 908: "100000", 914: "", 915: "", 938: "0", 939: "0", 919: "0", 920: "2000"}
    if fill:
        cells |= {909: "55", 914: str(changes.get("at", 100)), 915: str(fill)}
    if "original" in changes:
        cells[904] = str(changes["original"])
    for fid, key in ((920, "screen"), (901, "price"), (907, "side"), (9001, "code")):
        if key in changes:
            cells[fid] = str(changes[key])
    return cells


class Desk:
    """A tracker with what it said and the screens it gave back."""

    def __init__(self) -> None:
        self.said: list[BrokerReport] = []
        self.released: list[str] = []
        self.tracker = OrderTracker(self.said.append, self.released.append)

    def record(self, text: str, status: str, name: str, **changes: int | str) -> None:
        self.tracker.record(order_record(fields(text, status, name, **changes)), 5)

    def kinds(self) -> list[type[BrokerReport]]:
        return [type(message) for message in self.said]

    def filled(self) -> list[tuple[int, int, int, int]]:
        return [(m.quantity, m.price, m.filled, m.amount) for m in self.said if isinstance(m, OrderFilled)]


def sent() -> Desk:
    desk = Desk()
    desk.tracker.sending(instruction(), "2000", "new")
    return desk


def living() -> Desk:
    desk = sent()
    desk.tracker.answered("2000", "new", N, 1)
    desk.record("+매수", "접수", N)
    desk.said.clear()
    return desk


def filled_a_bit() -> Desk:
    desk = living()
    desk.record("+매수", "체결", N, fill=3, open=7, amount=300)
    return desk


def ask(desk: Desk, action: Action, quantity: int = 10, price: int = 100) -> None:
    desk.tracker.sending(instruction(action, quantity=quantity, price=price, original=N), "2001", "ask")
