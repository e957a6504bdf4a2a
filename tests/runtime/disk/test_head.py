"""The head that is said at the close proves the whole run."""

from pathlib import Path

from structlog.testing import capture_logs

from runtime.disk.chain import verify
from runtime.disk.journal import NAME
from tests.runtime.test_system import actor, play, system


def test_the_head_said_at_the_close_leaves_nothing_unseen(tmp_path: Path) -> None:
    with capture_logs() as lines:
        assert play(system(tmp_path, actor("one", "Worker", seconds=5))) == 0
    heads = [line["head"] for line in lines if line["event"] == "journal head"]
    first, last = (verify(tmp_path / "data" / NAME, head) for head in (heads[0], heads[-1]))
    assert first.ok
    assert "records after the head" in first.unseen
    assert (last.ok, last.unseen) == (True, "")
