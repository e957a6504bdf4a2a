"""The real control: KHOPENAPI in a hidden Qt widget, on Windows."""

import importlib
import logging
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

from actors.gateways.kiwoom.control import Control

PROGRAM: Final = "KHOPENAPI.KHOpenAPICtrl.1"
EVENTS: Final = tuple(Control.__annotations__)
_LOG: Final = logging.getLogger("gateway.kiwoom.control")


class NoControlError(OSError):
    """Kiwoom's control cannot be had here; the text says what to do."""


def open_control(program: str = PROGRAM, events: Sequence[str] = EVENTS) -> Any:
    """The control, ready for CommConnect; it has `dynamicCall` and these events. Raises NoControlError."""
    widget = _widget_class()
    _guard()
    control = widget(program)
    if control.isNull():
        raise NoControlError(
            f"{program} cannot be made: install Kiwoom Open API+ (영웅문 OpenAPI) and use a 32-bit Python on Windows"
        )
    missing = [event for event in events if not hasattr(control, event)]
    if missing:
        mend = "close all programs that use it, log in once by hand and let it update"
        raise NoControlError(f"{program} knows no {', '.join(missing)}: it is too old; {mend}")
    return control


def _widget_class() -> Any:
    try:
        return importlib.import_module("PyQt5.QAxContainer").QAxWidget
    except ImportError as error:
        raise NoControlError(
            f'control = "activex" needs Windows and PyQt5 with QAxContainer ({error}); use control = "twin" elsewhere'
        ) from None


def _guard() -> None:
    """An exception that leaves a slot would end the process without a word, and Qt's own warnings go nowhere."""
    from PyQt5.QtCore import qInstallMessageHandler  # noqa: PLC0415 - only where the control is

    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _report
    qInstallMessageHandler(_qt_said)


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _LOG.error("an exception left a slot", exc_info=(kind, error, trace))


def _qt_said(kind: object, context: object, text: str | None) -> None:
    del kind, context
    _LOG.warning("Qt: %s", text)
