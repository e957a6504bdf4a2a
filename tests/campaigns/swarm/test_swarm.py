from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from actors.campaigns.swarm.flock import Terms, fly
from actors.campaigns.swarm.seeds import play
from actors.commands.swarm import report
from actors.guardian import Guardian
from actors.limits.activity import Activity
from actors.strategies import base
from runtime.disk.journal import Journal

SABOTAGED = range(60, 90)
"""More than enough: a third of them find it, and the first is the last played."""


def test_whatever_goes_wrong_the_journal_says_what_the_exchange_did(tmp_path: Path) -> None:
    said: list[str] = []
    tally = fly(range(110, 114), Terms(tmp_path), jobs=2, twice=False, say=said.append)

    assert said == ["2 of 4 seeds, 0 failed", "4 of 4 seeds, 0 failed"]
    assert all(tally.counts[name] for name in ("sent", "fills", "crashes", "unknown", "interruptions", "nights"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_trader_that_does_not_wait_for_the_disk_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_journal: Journal, _number: int) -> None:
        pass

    monkeypatch.setattr(Journal, "durable", at_once)
    breaches = (breach for seed in SABOTAGED for breach in play(seed, tmp_path).breaches)

    assert any(breach.startswith("I6") for breach in breaches)


def test_the_same_seed_brings_the_same_records_under_another_hash_seed(tmp_path: Path) -> None:
    said: list[str] = []
    tally = fly(range(7, 8), Terms(tmp_path), jobs=1, twice=True, say=said.append)

    assert (tally.seeds, tally.failed, tally.compared, tally.equal) == (1, [], 1, 1)
    assert said == ["1 of 1 seeds, 0 failed"]
    assert "1 of 1 brought the same records" in report(tally)[-1]


def test_a_journal_goes_on_for_days_and_everyone_remembers(tmp_path: Path) -> None:
    said: list[str] = []
    tally = fly(range(2), Terms(tmp_path, days=4), jobs=1, twice=False, say=said.append)

    assert (tally.seeds, tally.failed, tally.counts["nights"]) == (2, [], 6)


@pytest.mark.parametrize(
    ("owner", "name", "found"),
    [
        (Guardian, "_go_on_from", "the peaks carried over"),
        (Activity, "restore", "disabled at"),
        (base, "restore", "believes it holds"),
    ],
)
def test_who_forgets_the_days_before_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, found: str
) -> None:
    def forget(*_: object) -> None:
        pass

    monkeypatch.setattr(owner, name, forget)
    breaches = chain.from_iterable(play(seed, tmp_path, days=5).breaches for seed in range(101, 110))

    assert any(found in breach for breach in breaches)
