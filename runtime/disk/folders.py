"""Where runs keep their files: the data folder itself, or one below it for each run."""

from pathlib import Path

from runtime.disk.journal import NAME
from runtime.process.locks import is_held

_DIGITS = 5


def fresh(data: Path) -> Path:
    """A folder below `data` that no run has used; it is not made yet."""
    newest = max((int(folder.name) for folder in _numbered(data)), default=0)
    return data / f"{newest + 1:0{_DIGITS}d}"


def looks_fresh(folder: Path) -> bool:
    """Whether it may be the folder of one run of several: its name says so, though a person may have given it."""
    return len(folder.name) == _DIGITS and folder.name.isdecimal()


def current(data: Path) -> Path:
    """The folder of the newest run: `data` where it has a journal or cannot be looked into, else the newest below."""
    try:
        if (data / NAME).exists():
            return data
        used = [folder for folder in _numbered(data) if (folder / NAME).exists()]
    except OSError:
        return data
    return used[-1] if used else data


def held(data: Path) -> list[Path]:
    """Where systems run now, `data` and the folders below it, oldest first. Raises OSError."""
    return [folder for folder in (data, *_numbered(data)) if is_held(folder)]


def _numbered(data: Path) -> list[Path]:
    found = (folder for folder in data.glob("[0-9]*") if folder.name.isdecimal() and folder.is_dir())
    return sorted(found, key=lambda folder: int(folder.name))
