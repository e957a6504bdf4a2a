"""dynamicCall as PyQt does it: signatures, counts and conversions; what does not fit gives None."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, cast

from actors.exchange.faults import FaultKind
from actors.gateways.kiwoom.twin.orders import Submission
from actors.gateways.kiwoom.twin.reading import Reading
from actors.gateways.kiwoom.twin.server import Server
from actors.gateways.kiwoom.twin.values import long

MOST_ARGUMENTS: Final = 8
"""More must come as one list."""
_NOT_CONNECTED: Final = -106
_FOLDER: Final = "C:\\OpenAPI"


class Call(NamedTuple):
    """A method: its arguments' types (s, i), what it does, and its answer before login."""

    types: str
    run: Callable[..., Any]
    offline: Any = None
    """None where it works without a login."""
    refusable: bool = False
    """Whether a fault script may make it answer a code."""
    give_up: Callable[[], None] | None = None
    """What it does where it is refused before it begins."""


class Calls:
    """The control's methods by signature."""

    def __init__(self, server: Server, reading: Reading) -> None:
        self._server = server
        self._table = _table(server, reading)
        self._parsed: dict[str, tuple[str, int]] = {}

    def call(self, signature: str, arguments: Sequence[Any]) -> Any:
        """The method's answer; None for an unknown method or a wrong count of arguments."""
        name, count = self._parsed.get(signature) or self._parse(signature)
        call = self._table.get(name)
        if call is None or count != len(arguments) or count != len(call.types):
            return None
        if call.offline is not None and not self._server.connected:
            return _given_up(call, call.offline)
        values = [
            _text(value) if kind == "s" else long(value) for kind, value in zip(call.types, arguments, strict=True)
        ]
        fault = self._server.outbox.strikes(name) if call.refusable else None
        if fault is not None and fault.kind is FaultKind.REFUSE:
            return _given_up(call, fault.code)
        answer = call.run(*values)
        return answer if fault is None else fault.code

    def _parse(self, signature: str) -> tuple[str, int]:
        name, _, rest = signature.partition("(")
        types = [part for part in rest.rstrip().removesuffix(")").split(",") if part.strip()]
        parsed = self._parsed[signature] = (name.strip(), len(types))
        return parsed


def arguments_of(given: Sequence[Any]) -> Sequence[Any] | None:
    """Positional arguments, or one list of them; None where PyQt would refuse."""
    if len(given) == 1 and isinstance(given[0], (list, tuple)):
        return cast("Sequence[Any]", given[0])
    return given if len(given) <= MOST_ARGUMENTS else None


def _given_up(call: Call, answer: Any) -> Any:
    if call.give_up is not None:
        call.give_up()
    return answer


def _table(server: Server, reading: Reading) -> Mapping[str, Call]:
    return _session(server) | _queries(server, reading) | _real(server, reading) | _master(server)


def _session(server: Server) -> dict[str, Call]:
    return {
        "CommConnect": Call("", server.connect, refusable=True),
        "CommTerminate": Call("", _nothing),
        "GetConnectState": Call("", lambda: int(server.connected)),
        "GetLoginInfo": Call("s", server.master.login_info, ""),
        "GetAPIModulePath": Call("", lambda: _FOLDER),
        "KOA_Functions": Call("ss", server.master.function, ""),
    }


def _queries(server: Server, reading: Reading) -> dict[str, Call]:
    queries, conditions = server.queries, server.conditions
    return {
        "SetInputValue": Call("ss", queries.set_input),
        "CommRqData": Call("ssis", queries.request, _NOT_CONNECTED, refusable=True, give_up=queries.forget_inputs),
        "CommKwRqData": Call("siiiss", queries.request_many, _NOT_CONNECTED, refusable=True),
        "GetRepeatCnt": Call("ss", reading.repeat_count, 0),
        "GetCommData": Call("ssis", reading.comm_data, ""),
        "GetCommDataEx": Call("ss", reading.comm_data_table),
        "SendOrder": Call("sssisiiss", partial(_submit, server), _NOT_CONNECTED, refusable=True),
        "GetChejanData": Call("i", reading.chejan_data, ""),
        "GetConditionLoad": Call("", conditions.load, 0),
        "GetConditionNameList": Call("", conditions.names, ""),
        "SendCondition": Call("ssii", conditions.search, 0),
        "SendConditionStop": Call("ssi", conditions.stop),
    }


def _real(server: Server, reading: Reading) -> dict[str, Call]:
    registrations = server.registrations
    return {
        "SetRealReg": Call("ssss", registrations.set_real, _NOT_CONNECTED, refusable=True),
        "SetRealRemove": Call("ss", registrations.remove),
        "DisconnectRealData": Call("s", registrations.disconnect),
        "GetCommRealData": Call("si", reading.comm_real_data, ""),
    }


def _master(server: Server) -> dict[str, Call]:
    master = server.master
    return {
        "GetCodeListByMarket": Call("s", master.codes_of_market, ""),
        "GetMasterCodeName": Call("s", master.name, ""),
        "GetMasterListedStockCnt": Call("s", master.listed_long, 0),
        "GetMasterConstruction": Call("s", master.construction, ""),
        "GetMasterListedStockDate": Call("s", master.listed_since, ""),
        "GetMasterLastPrice": Call("s", master.last_price, ""),
        "GetMasterStockState": Call("s", master.state, ""),
    }


def _submit(server: Server, *given: Any) -> int:
    return server.order(Submission(*given))


def _nothing() -> None:
    """Not supported any more, as Kiwoom says."""


def _text(value: object) -> str:
    return "" if value is None else str(value)
