"""A part that fails, floods, sleeps or garbles is isolated and counted; the others trade on."""

import json
import os
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from messages import ActorFailed, OrderFilled
from runtime.disk import chain
from tests.test_process import DEMO, HANGS, PROGRAM, ROOT, arguments, run

pytestmark = pytest.mark.timeout(3 * HANGS)

OWN = (ROOT / "examples" / "own.toml").read_text(encoding="utf-8")


def trade(folder: Path, text: str, *overrides: str) -> dict[str, Any]:
    config = folder / "hostile.toml"
    config.write_text(text, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'examples'}"}
    done = subprocess.run(
        [*PROGRAM, *arguments(folder / "data", *overrides, config=config)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=HANGS,
    )
    assert done.returncode == 0, done.stderr
    assert chain.verify(folder / "data" / "journal.sqlite").ok
    return json.loads(done.stdout)


def failures(folder: Path) -> dict[str, int]:
    found = [e.message for e in chain.envelopes(folder / "data" / "journal.sqlite", types=(ActorFailed,))]
    return {m.actor: m.failures for m in found if isinstance(m, ActorFailed)}


def test_hostile_strategies_fail_alone_and_the_others_trade_on(tmp_path: Path) -> None:
    tables = "".join(
        f'\n[actor.{name.lower()}]\nuse = "tests.hostile:{name}"\n'
        for name in ("Raiser", "Dreamer", "Sleeper", "Flooder", "Babbler")
    )
    summary = trade(tmp_path, OWN + tables, "gateway.walk.hours=1.0", "actor.breakout.minutes=2")

    assert failures(tmp_path) == {"raiser": 3, "dreamer": 3, "babbler": 3, "flooder": 3, "sleeper": 1}
    assert summary["intents"] == summary["approved"] + sum(summary["refused"].values()) >= 3_000
    fills = [e.message for e in chain.envelopes(tmp_path / "data" / "journal.sqlite", types=(OrderFilled,))]
    assert any(isinstance(fill, OrderFilled) and fill.strategy == "breakout" for fill in fills)


def test_garbled_records_are_counted_and_the_run_goes_on(tmp_path: Path) -> None:
    demo = (ROOT / DEMO).read_text(encoding="utf-8")
    summary = trade(
        tmp_path,
        demo.replace("actors.gateways.kiwoom.ocx:OcxGateway", "tests.hostile:GarbledGateway"),
        'gateway.kiwoom.twin.begin="08:59"',
        'gateway.kiwoom.twin.finish="09:02"',
        "gateway.kiwoom.twin.issues=5",
    )

    assert summary["rejected_records"] > 50
    assert summary["ticks"] > 100
    assert failures(tmp_path) == {}


def test_codes_that_do_not_exist_are_said_and_do_no_harm(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        'gateway.kiwoom.twin.begin="08:59"',
        'gateway.kiwoom.twin.finish="09:00:30"',
        "gateway.kiwoom.twin.issues=3",
        'actor.receiver.symbols=["999999", "ABCDEF"]',
    )

    assert done.returncode == 0, done.stderr
    assert "999999" in done.stderr


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", bytes(range(256)) * 30], ids=["empty", "wrong", "garbage"])
@pytest.mark.parametrize("name", ["prints.csv", "prints.csv.gz", "market.sqlite"])
def test_a_recording_that_is_none_is_refused_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    from actors.gateways.replay import ReplayGateway
    from runtime.clock import SimulatedClock
    from runtime.loops.loop import VirtualLoop
    from runtime.settings.config import ConfigError

    (tmp_path / name).write_bytes(content)
    with closing(VirtualLoop()) as loop, pytest.raises(ConfigError) as refused:
        ReplayGateway(SimulatedClock(0, loop), source=str(tmp_path / name)).begins()

    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
