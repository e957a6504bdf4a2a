"""What `check` and `run` remark on in a config that trades; nothing of it is an error."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from actors.commands import app
from actors.commands.guard import remark
from runtime.settings.config import load
from runtime.settings.parts import plan

EXAMPLES = Path(__file__).parents[2] / "examples"


def notes(example: str, *overrides: str) -> list[str]:
    path = EXAMPLES / example
    settings = [word for override in overrides for word in ("--set", override)]
    result = CliRunner().invoke(app, ["check", str(path), *settings])
    assert result.exit_code == 0, result.stderr
    *found, ok = result.stdout.splitlines()
    assert ok.endswith(": ok")
    return [line.removeprefix(f"{path}: note: ") for line in found]


@pytest.mark.parametrize("until", ["", "15:11", "15:20"])
def test_entries_after_everything_is_sold_are_remarked_on(until: str) -> None:
    (note,) = notes("own.toml", 'actor.guardian.flatten_at="15:10"', f'actor.risk.entries_until="{until}"')

    assert note.startswith("[actor.risk] entries_until: ")
    assert "sold at once" in note
    assert "from 15:10 on" in note


@pytest.mark.parametrize("until", ["09:30", "15:10"])
def test_entries_that_end_before_are_not(until: str) -> None:
    assert notes("own.toml", 'actor.guardian.flatten_at="15:10"', f'actor.risk.entries_until="{until}"') == []


def test_a_real_server_without_its_confirmation_is_remarked_on() -> None:
    (note,) = notes("live.toml")

    assert note.startswith("[gateway.kiwoom] live_confirmation: ")
    assert notes("live.toml", 'gateway.kiwoom.live_confirmation="1234"') == []


@pytest.mark.parametrize("example", ["backtest", "collect", "demo", "mock", "own", "paper", "replay"])
def test_of_the_other_examples_there_is_nothing_to_say(example: str) -> None:
    assert notes(f"{example}.toml") == []


def test_the_guard_says_so_before_it_waits_for_the_next_day(capsys: pytest.CaptureFixture[str]) -> None:
    remark(plan(load(EXAMPLES / "live.toml")))

    assert "guard: note: [gateway.kiwoom] live_confirmation: blank" in capsys.readouterr().err
