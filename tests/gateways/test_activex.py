import importlib.util
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from actors.gateways.kiwoom import activex

ROOT = Path(__file__).parents[2]
STAND_IN = "FAKEKH.Ctrl.1"
HAS_CONTAINER = importlib.util.find_spec("PyQt5.QAxContainer") is not None
ON_WINDOWS = pytest.mark.skipif(not HAS_CONTAINER, reason="only Windows has QAxContainer")
START = f"""
    import asyncio
    from actors.gateways.kiwoom import activex
    from runtime.loops.loop import qt_loop, run
    PROGRAM = {STAND_IN!r}
"""


@pytest.mark.skipif(HAS_CONTAINER, reason="this machine has QAxContainer")
def test_where_there_is_no_control_one_line_says_what_to_use_instead() -> None:
    with pytest.raises(activex.NoControlError) as refused:
        activex.open_control()
    assert 'control = "twin"' in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_control_that_lacks_an_event_is_too_old_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        OnEventConnect = OnReceiveMsg = OnReceiveTrData = OnReceiveRealData = OnReceiveChejanData = None
        OnReceiveTrCondition = OnReceiveRealCondition = None

        def __init__(self, _program: str) -> None: ...

        def isNull(self) -> bool:  # noqa: N802 - Qt's name
            return False

    monkeypatch.setattr(activex, "_widget_class", lambda: Old)
    monkeypatch.setattr(activex, "_guard", lambda: None)

    with pytest.raises(activex.NoControlError, match=r"knows no OnReceiveConditionVer: it is too old"):
        activex.open_control()


@ON_WINDOWS
def test_a_control_that_is_not_installed_is_named_in_one_line() -> None:
    script = """
        async def main():
            try:
                activex.open_control("NO.SUCH.CONTROL")
            except activex.NoControlError as error:
                print(error)
        run(main, qt_loop(widgets=True))
    """
    (line,) = _printed(script)
    assert "NO.SUCH.CONTROL" in line
    assert "32-bit" in line


def _is_registered(program: str) -> bool:
    if sys.platform != "win32":
        return False
    import winreg

    try:
        winreg.CloseKey(winreg.OpenKey(winreg.HKEY_CLASSES_ROOT, program))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _is_registered(STAND_IN), reason=f"the stand-in control {STAND_IN} is not registered here")
def test_a_control_takes_nine_arguments_is_heard_on_our_loop_and_outlives_a_failing_slot() -> None:
    script = """
        ORDER = "SendOrder(QString, QString, QString, int, QString, int, int, QString, QString)"
        async def main():
            control = activex.open_control(PROGRAM, activex.EVENTS[:5])  # the stand-in searches by no condition
            connected = asyncio.get_running_loop().create_future()
            control.OnEventConnect.connect(connected.set_result)
            control.dynamicCall("CommConnect()", [])
            print(await asyncio.wait_for(connected, 5))
            control.OnReceiveMsg.connect(lambda *said: print(said[0]))
            control.OnReceiveMsg.connect(lambda *said: 1 / 0)
            print(control.dynamicCall(ORDER, ["one", "0101", "8012345611", 1, "005930", 10, 70000, "00", ""]))
            await asyncio.sleep(0.3)
            control.close()
            await asyncio.sleep(0.05)
            print("closed")
        run(main, qt_loop(widgets=True))
    """
    assert _printed(script) == ["0", "0", "0101", "closed"]


def _printed(script: str) -> list[str]:
    program = dedent(START) + dedent(script)
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
