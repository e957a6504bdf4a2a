"""A control that remembers what was called and answers what it was told to."""

import asyncio
from collections.abc import Callable
from typing import Any

from actors.gateways.kiwoom import codes


class FakeSignal:
    def __init__(self) -> None:
        self.slots: list[Callable[..., object]] = []

    def connect(self, slot: Callable[..., object], /) -> None:
        self.slots.append(slot)

    def disconnect(self, slot: Callable[..., object], /) -> None:
        self.slots.remove(slot)

    def emit(self, *args: object) -> None:
        for slot in list(self.slots):
            slot(*args)


class FakeControl:
    """`tables` has the rows of each TR page by page, `single` the single items; a TR in `silent` is never answered."""

    def __init__(self) -> None:
        self.OnEventConnect = FakeSignal()
        self.OnReceiveMsg = FakeSignal()
        self.OnReceiveTrData = FakeSignal()
        self.OnReceiveRealData = FakeSignal()
        self.OnReceiveChejanData = FakeSignal()
        self.OnReceiveConditionVer = FakeSignal()
        self.OnReceiveTrCondition = FakeSignal()
        self.OnReceiveRealCondition = FakeSignal()
        self.calls: list[tuple[str, list[Any]]] = []
        self.login = 0
        self.connected = 1
        self.server = "1"
        self.accounts = "8000000011;8000000022;"
        self.order_code: int | None = 0
        self.query_codes: list[int] = []
        self.single: dict[str, str] = {}
        self.tables: dict[str, list[list[list[str]]]] = {}
        self.silent: set[str] = set()
        self.boards: dict[str, str] = {}
        self.functions: dict[tuple[str, str], str] = {}
        self.chejan: dict[int, str] = {}
        self.real: dict[int, str] = {}
        self.order_number = "0000001"
        self.closed = False
        self._page: list[list[str]] = []

    def dynamicCall(self, signature: str, arguments: list[Any], /) -> Any:  # noqa: N802 - Qt's name
        name = signature.partition("(")[0]
        self.calls.append((name, arguments))
        answer = getattr(self, f"on_{name}", None)
        return answer(*arguments) if answer is not None else None

    def close(self) -> None:
        self.closed = True

    def called(self, name: str) -> list[list[Any]]:
        return [arguments for called, arguments in self.calls if called == name]

    def on_CommConnect(self) -> int:  # noqa: N802 - the control's name, as are those below
        asyncio.get_running_loop().call_soon(self.OnEventConnect.emit, self.login)
        return 0

    def on_GetConnectState(self) -> int:  # noqa: N802
        return self.connected

    def on_GetLoginInfo(self, tag: str) -> str:  # noqa: N802
        return self.accounts if tag == "ACCNO" else ""

    def on_KOA_Functions(self, name: str, parameter: str) -> str:  # noqa: N802
        return self.server if name == "GetServerGubun" else self.functions.get((name, parameter), "")

    def on_GetCodeListByMarket(self, market: str) -> str:  # noqa: N802
        return self.boards.get(market, "")

    def on_SetRealReg(self, *_: str) -> int:  # noqa: N802
        return 0

    def on_CommRqData(self, name: str, tr: str, following: int, screen: str) -> int:  # noqa: N802
        if self.query_codes:
            return self.query_codes.pop(0)
        if tr not in self.silent:
            asyncio.get_running_loop().call_soon(self._answer, name, tr, following, screen)
        return 0

    def on_CommKwRqData(self, _codes: str, _next: int, _count: int, _kind: int, name: str, screen: str) -> int:  # noqa: N802
        return self.on_CommRqData(name, "OPTKWFID", 0, screen)

    def on_GetCommData(self, tr: str, _name: str, row: int, item: str) -> str:  # noqa: N802
        table = codes.TRS.get(tr.lower())
        if table is not None and item in table.multi and item not in table.single:
            return f"  {self._page[row][table.multi.index(item)]}" if row < len(self._page) else ""
        return self.order_number if item == "주문번호" else self.single.get(item, "")

    def on_GetCommDataEx(self, _tr: str, _record: str) -> list[list[str]] | None:  # noqa: N802
        return self._page or None

    def on_GetRepeatCnt(self, _tr: str, _record: str) -> int:  # noqa: N802
        return len(self._page)

    def on_GetChejanData(self, fid: int) -> str:  # noqa: N802
        return self.chejan.get(fid, "")

    def on_GetCommRealData(self, _code: str, fid: int) -> str:  # noqa: N802
        return self.real.get(fid, "")

    def on_SendOrder(self, *_: Any) -> int | None:  # noqa: N802
        return self.order_code

    def _answer(self, name: str, tr: str, following: int, screen: str) -> None:
        pages = self.tables.setdefault(tr, [])
        self._page = pages.pop(0) if pages else []
        self.OnReceiveTrData.emit(screen, name, tr, "", "2" if pages else "0", 0, "", "", "")
        del following
