"""One system at a time has a login, and what it asked is remembered for the next."""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from actors.gateways.kiwoom.login import Server
from actors.gateways.kiwoom.ocx import OcxGateway
from actors.gateways.kiwoom.twin.settings import TwinSettings
from runtime.clock import Clock, SteppedClock, WallClock
from runtime.process.locks import AlreadyRunning, name_lock
from runtime.testing import START
from tests.gateways.fake_control import FakeControl


@pytest.mark.parametrize(
    ("keys", "clock", "names"),
    [
        ({"control": "activex"}, WallClock(), ("kiwoom", "mock")),
        ({"twin": TwinSettings(exchange="127.0.0.1:7")}, SteppedClock(START), ("twin", "127.0.0.1:7")),
    ],
    ids=["Kiwoom", "an exchange beside"],
)
def test_a_second_system_is_refused_before_its_login_cuts_the_first(
    keys: dict[str, Any], clock: Clock, names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    gateway = OcxGateway(clock, tmp_path, Random(1), **keys)
    opened: list[str] = []
    gateway._open_control = lambda: opened.append("control")  # type: ignore[method-assign]
    with name_lock("the login", *names), pytest.raises(AlreadyRunning, match="stop that one first"):
        asyncio.run(gateway.__aenter__())
    assert not opened


def test_a_start_without_a_control_leaves_the_way_free_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    gateway = OcxGateway(SteppedClock(START), tmp_path, Random(1), twin=TwinSettings(exchange="127.0.0.1:7"))
    for _ in range(2):
        with pytest.raises(ConnectionError):
            asyncio.run(gateway.__aenter__())


@pytest.mark.parametrize(("second", "asked"), [("mock", [2]), ("real", [1, 1])])
def test_what_a_login_asked_is_remembered_for_its_server_whatever_the_data_folder(
    second: Server, asked: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    async def log_in(folder: str, server: Server) -> None:
        keys: dict[str, Any] = {"control": "activex", "server": server, "live_confirmation": "0011"}
        gateway, control = OcxGateway(WallClock(), tmp_path / folder, Random(1), **keys), FakeControl()
        control.server = "1" if server == "mock" else "0"
        gateway._open_control = lambda: control  # type: ignore[method-assign]
        async with gateway:
            pass

    asyncio.run(log_in("collect", "mock"))
    asyncio.run(log_in("live", second))
    kept = [path.read_text(encoding="ascii") for path in tmp_path.rglob("*pacer.txt")]
    assert sorted(text.count("\n") for text in kept) == asked
