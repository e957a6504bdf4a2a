"""Where runs keep their files: the data folder itself, or one below it for each run."""

from pathlib import Path

from runtime.journal import NAME

_DIGITS = 5


def fresh(data: Path) -> Path:
    """A folder below `data` that no run has used; it is not made yet."""
    newest = max((int(folder.name) for folder in _numbered(data)), default=0)
    return data / f"{newest + 1:0{_DIGITS}d}"


def current(data: Path) -> Path:
    """The folder of the newest run: `data` where it has a journal, else the newest one below that has."""
    if (data / NAME).exists():
        return data
    used = [folder for folder in _numbered(data) if (folder / NAME).exists()]
    return max(used, key=lambda folder: int(folder.name), default=data)


def _numbered(data: Path) -> list[Path]:
    return [folder for folder in data.glob("[0-9]*") if folder.name.isdecimal() and folder.is_dir()]
