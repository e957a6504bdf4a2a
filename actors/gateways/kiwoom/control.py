"""Kiwoom's control as the gateway sees it: `dynamicCall`, eight events, and nothing else."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast


class Signal(Protocol):
    """One event of the control."""

    def connect(self, slot: Callable[..., object], /) -> object: ...

    def disconnect(self, slot: Callable[..., object], /) -> object: ...


class Control(Protocol):
    """The ActiveX control or its twin."""

    OnEventConnect: Signal
    OnReceiveMsg: Signal
    OnReceiveTrData: Signal
    OnReceiveRealData: Signal
    OnReceiveChejanData: Signal
    OnReceiveConditionVer: Signal
    OnReceiveTrCondition: Signal
    OnReceiveRealCondition: Signal

    def dynamicCall(self, signature: str, arguments: list[Any], /) -> Any: ...  # noqa: N802 - Qt's name

    def close(self) -> object: ...


class Calls:
    """The control's methods with their signatures. A call that fails gives None or "": the control never raises."""

    def __init__(self, control: Control) -> None:
        self._call = control.dynamicCall

    def connect(self) -> object:
        return self._call("CommConnect()", [])

    def connected(self) -> bool:
        return self._call("GetConnectState()", []) == 1

    def login_info(self, tag: str) -> str:
        return self._text("GetLoginInfo(QString)", tag)

    def function(self, name: str, parameter: str = "") -> str:
        return self._text("KOA_Functions(QString, QString)", name, parameter)

    def set_input(self, name: str, value: str) -> None:
        self._call("SetInputValue(QString, QString)", [name, value])

    def request(self, name: str, tr: str, following: int, screen: str) -> object:
        return self._call("CommRqData(QString, QString, int, QString)", [name, tr, following, screen])

    def request_many(self, symbols: Sequence[str], name: str, screen: str) -> object:
        arguments = [";".join(symbols), 0, len(symbols), 0, name, screen]
        return self._call("CommKwRqData(QString, int, int, int, QString, QString)", arguments)

    def repeat_count(self, tr: str, record: str) -> int:
        count = self._call("GetRepeatCnt(QString, QString)", [tr, record])
        return count if isinstance(count, int) else 0

    def data(self, tr: str, record: str, index: int, item: str) -> str:
        return self._text("GetCommData(QString, QString, int, QString)", tr, record, index, item)

    def table(self, tr: str, record: str) -> list[list[str]]:
        rows = self._call("GetCommDataEx(QString, QString)", [tr, record])
        listed = cast("list[object]", rows) if isinstance(rows, list) else []
        return [[_cell(cell) for cell in cast("list[object]", row)] for row in listed if row and isinstance(row, list)]

    def register(self, screen: str, symbols: Sequence[str], fids: str, option: str) -> object:
        arguments = [screen, ";".join(symbols), fids, option]
        return self._call("SetRealReg(QString, QString, QString, QString)", arguments)

    def unregister(self, screen: str, symbol: str) -> None:
        self._call("SetRealRemove(QString, QString)", [screen, symbol])

    def drop_screen(self, screen: str) -> None:
        self._call("DisconnectRealData(QString)", [screen])

    def real(self, code: str, fid: int) -> str:
        return self._text("GetCommRealData(QString, int)", code, int(fid))

    def chejan(self, fid: int) -> str:
        return self._text("GetChejanData(int)", int(fid))

    def send_order(self, arguments: list[Any]) -> object:
        signature = "SendOrder(QString, QString, QString, int, QString, int, int, QString, QString)"
        return self._call(signature, arguments)

    def load_conditions(self) -> object:
        return self._call("GetConditionLoad()", [])

    def condition_names(self) -> str:
        return self._text("GetConditionNameList()")

    def send_condition(self, screen: str, name: str, index: int, *, live: bool) -> object:
        """1 where it was taken, unlike every other call."""
        return self._call("SendCondition(QString, QString, int, int)", [screen, name, index, int(live)])

    def stop_condition(self, screen: str, name: str, index: int) -> None:
        self._call("SendConditionStop(QString, QString, int)", [screen, name, index])

    def codes_of_market(self, market: str) -> list[str]:
        return [code for code in self._text("GetCodeListByMarket(QString)", market).split(";") if code]

    def name(self, code: str) -> str:
        return self._text("GetMasterCodeName(QString)", code)

    def construction(self, code: str) -> str:
        return self._text("GetMasterConstruction(QString)", code)

    def state(self, code: str) -> str:
        return self._text("GetMasterStockState(QString)", code)

    def _text(self, signature: str, *arguments: object) -> str:
        value = self._call(signature, list(arguments))
        return value.strip() if isinstance(value, str) else ""


def _cell(value: object) -> str:
    return "" if value is None else str(value).strip()
