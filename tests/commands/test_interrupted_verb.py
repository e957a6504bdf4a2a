"""Ctrl-C in the middle of a verb is one line and the usual exit code."""

import sys
from typing import Any

import pytest

from actors import commands


class Impatient:
    """Who presses Ctrl-C while a verb imports what it alone needs."""

    def find_spec(self, name: str, *_: Any) -> None:
        if name == "actors.campaigns.swarm.flock":
            raise KeyboardInterrupt


def test_a_verb_that_is_interrupted_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "actors.campaigns.swarm.flock", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Impatient(), *sys.meta_path])
    monkeypatch.setattr(sys, "argv", ["kiwoom-actors", "swarm", "--seeds", "1"])
    with pytest.raises(SystemExit) as end:
        commands.main()

    assert end.value.code == 130
    assert capsys.readouterr().err == "kiwoom-actors: interrupted\n"
