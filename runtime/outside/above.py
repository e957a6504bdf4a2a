"""A halt that was laid above runs which have folders of their own: it is meant for whichever runs there are."""

from pathlib import Path

from runtime.disk import folders
from runtime.disk.journal import NAME
from runtime.outside.latch import Latch


def take_over(data: Path, folder: Path) -> None:
    """Bring the latch of the data folder into the run's, and into those of all that run beside it. Raises OSError.

    Where the data folder is itself a run's, its latch is that run's, and stays.
    """
    if data == folder:
        return
    above = Latch(data)
    halt = above.read()
    if halt is None or (data / NAME).exists():
        return
    for place in (folder, *folders.held(data)):
        Latch(place).lay(halt)
    if above.read() == halt:
        above.path.unlink(missing_ok=True)
