"""The collecting campaign, with a small budget: nothing twice, nothing missing, nothing lost that was stored."""

from pathlib import Path

from actors.campaigns.collecting import Campaign


def test_a_backfill_that_is_killed_again_and_again_is_whole_in_the_end(tmp_path: Path) -> None:
    outcome = Campaign(tmp_path, 1, lambda _: None, history=6).run(2)
    assert outcome.holds, outcome
    assert (outcome.kills, outcome.missing, outcome.duplicates) == (2, 0, 0)
    assert outcome.bars > 0
