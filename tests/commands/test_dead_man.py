"""The guard beside a system that hangs: what is open at the exchange is taken back, and the next life knows of it."""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from actors.campaigns.chaos.lives import CONFIG
from actors.campaigns.chaos.plan import Plan
from actors.campaigns.chaos.reckoning import Reckoning, Truth
from actors.campaigns.processes import PROGRAM, ExchangeProcess, toml
from actors.exchange.client import RemoteExchange
from actors.exchange.records import AccountState, OrderRecord
from tests.exchange.hosted import until

STARTED = "started the system as process "
EVERYTHING = 1 << 62

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals"),
    pytest.mark.timeout(120),
]


def test_orders_of_a_system_that_hangs_are_taken_back_and_the_next_life_knows(tmp_path: Path) -> None:
    day = Plan(5).day(0, 1)
    data, said = tmp_path / "system", tmp_path / "said"
    with ExchangeProcess(tmp_path / "exchange", day.exchange | {"begin": "10:00:00"}, 10.0) as process:
        exchange = process.client
        twin = {"exchange": process.address, "server": "real"}
        keys = ("--set", f"system.data={data}", "--set", f"gateway.kiwoom.twin={toml(twin)}")
        with said.open("w") as output:
            guard = subprocess.Popen(
                [*PROGRAM, "guard", str(CONFIG), "--once", "--patience", "6", *keys],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            until(lambda: len(live(exchange)) > 4, seconds=60)
            stood = {order.number for order in live(exchange)}
            until(lambda: stopped(said) and taken_back(said) is not None, seconds=60)
            assert taken_back(said) != "0"
            assert not stood & {order.number for order in live(exchange)}

            resume(said)
            reckoning = Reckoning(data)
            until(lambda: agrees(reckoning, exchange), seconds=40)
        finally:
            resume(said)
            guard.send_signal(signal.SIGTERM)
            code = guard.wait(40)
        assert code == 0, said.read_text(encoding="utf-8")


def lines(said: Path, beginning: str) -> list[str]:
    """What the guard said with these words first; it names itself before."""
    told = (line.partition("guard: ")[2] or line for line in said.read_text(encoding="utf-8").splitlines())
    return [line for line in told if line.startswith(beginning)]


def started(said: Path) -> list[int]:
    """The processes of the system, oldest first."""
    return [int(line.removeprefix(STARTED)) for line in lines(said, STARTED)]


def stopped(said: Path) -> bool:
    """Like a machine that does not get to any of them; again and again, for each that is started."""
    for process in started(said):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGSTOP)
    return True


def resume(said: Path) -> None:
    for process in started(said):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def taken_back(said: Path) -> str | None:
    """How many orders, once it is said."""
    found = (re.search(r"kiwoom: (\d+) orders taken back", line) for line in lines(said, "dead-man: "))
    return next((match[1] for match in found if match), None)


def truth_of(exchange: RemoteExchange) -> Truth:
    state = exchange.account_state(exchange.account)
    assert isinstance(state, AccountState)
    return Truth(state.orders, state.fills, state)


def live(exchange: RemoteExchange) -> list[OrderRecord]:
    return [order for order in truth_of(exchange).orders if order.open]


def agrees(reckoning: Reckoning, exchange: RemoteExchange) -> bool:
    truth = truth_of(exchange)
    reckoning.read(EVERYTHING)
    return not reckoning.unsettled(truth)
