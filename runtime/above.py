"""A halt that was laid above a run which has a folder of its own: it is meant for whichever run there is."""

from pathlib import Path

from runtime.latch import Latch


def take_over(data: Path, folder: Path) -> None:
    """Bring the latch of the data folder into that of the run. Raises OSError."""
    above = Latch(data)
    halt = above.read() if data != folder else None
    if halt is not None:
        Latch(folder).lay(halt)
        above.path.unlink(missing_ok=True)
