"""`halt DATA` and `resume DATA`: the kill switch by hand."""

import getpass
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.cli import DataFolder, Unanswered, answer_of, ask, fail, write
from runtime.clock import WallClock, text
from runtime.disk import folders
from runtime.outside.latch import Halt, Latch

_GRACE = 5.0
"""Seconds beyond those the system was given to answer."""
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def halt(
    folder: DataFolder,
    *,
    flatten: Annotated[bool, typer.Option("--flatten", help="Sell what is held as well.")] = False,
    reason: Annotated[str, typer.Option(help="For the journal and whoever reads it.")] = "asked for",
    seconds: Annotated[float, typer.Option(min=0, help="To wait until everything is taken back.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Stop entries at once, take back what is open, and stay halted over restarts until a person resumes.

    Exit code 0 once nothing is open any more, 1 while something is.
    """
    if _is_missing(folder):
        fail(f"not halted: {folder}: no such folder; give what `data` says in the config's [system]")
    wanted = Halt(text(WallClock.now()), person(), reason, flatten)
    places = _running_on(folder)
    laid = [_lay(place, wanted) for place in places or [folder]]
    if not places:
        first = {"halted": laid[0].reason, "by": laid[0].by, "running": False}
        _say(first, _at_rest(folder, laid[0]), as_json=as_json)
        return
    done = [_confirm(place, seconds, as_json=as_json) for place in places]
    raise typer.Exit(0 if all(done) else 1)


def resume(
    folder: DataFolder,
    *,
    seconds: Annotated[float, typer.Option(min=0, help="To wait for the match with the broker.")] = 90.0,
    as_json: Json = False,
) -> None:
    """Lift the halt of a running system and enable every strategy, after a match with the broker that agrees."""
    if not _running_on(folder) and any(Latch(place).read() for place in (folder, folders.current(folder))):
        fail(f"nothing runs on {folder} that could be matched with the broker: start it, it starts halted, then resume")
    answer = ask(folder, "resume", seconds=seconds + _GRACE, by=person(), patience=seconds)
    _say(answer, f"resumed by {answer['by']}; matched with the broker at {answer['reconciled']}", as_json=as_json)


def _running_on(folder: Path) -> list[Path]:
    """All of them: the kill switch asks for no choice. Who may not look at a lock still lays the latch."""
    try:
        return folders.held(folder)
    except OSError:
        return [folders.current(folder)]


def _lay(place: Path, wanted: Halt) -> Halt:
    """A full disk takes the name of the file still, and the name is what halts."""
    latch = Latch(place)
    try:
        return latch.lay(wanted)
    except OSError as error:
        if not _exists(latch.path):
            fail(f"not halted: {place}: {error.strerror}; stop the process, and take back its orders at the broker")
        found = latch.read() or wanted
        lost = " and nothing is flattened" if wanted.flatten and not found.flatten else ""
        sys.stderr.write(f"kiwoom-actors: {latch.path}: {error.strerror}: it halts, but says not why{lost}\n")
        return found


def _is_missing(folder: Path) -> bool:
    """Not where one may not look."""
    try:
        return not folder.is_dir()
    except OSError:
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _confirm(place: Path, seconds: float, *, as_json: bool) -> bool:
    """Whether everything is taken back."""
    try:
        answer = answer_of(place, "halt", seconds=seconds + _GRACE, patience=seconds)
    except Unanswered as error:
        fail(f"halted by {Latch(place).path}, but not confirmed: {error}")
    _say({**answer, "running": True}, _progress(answer), as_json=as_json)
    return not answer["open"]


def _at_rest(place: Path, latched: Halt) -> str:
    left = "what is open at the broker stays open until then"
    said = (
        f"no system runs on {place}: the next start there is halted, and waits for `resume`; {left} ({latched.reason})"
    )
    if not folders.looks_fresh(place):
        return said
    hint = f"if runs have folders of their own there (`fresh = true`), none starts in this one: halt {place.parent}"
    return f"{said}\n{hint}"


def _progress(answer: dict[str, Any]) -> str:
    still = answer["open"]
    lines = [f"halted by {answer['by']}: {answer['halted']}"]
    lines.append(f"{answer['canceled']} orders taken back, {len(still)} still open")
    lines += [f"  {row['order']} {row['side']} {row['symbol']} {row['open']}: {row['phase']}" for row in still]
    if answer["positions"]:
        lines.append(f"{answer['positions']} positions held and guarded, {len(answer['selling'])} on sale")
    return "\n".join(lines)


def _say(answer: dict[str, Any], words: str, *, as_json: bool) -> None:
    if as_json:
        write(answer)
    else:
        sys.stdout.write(words + "\n")


def person() -> str:
    """Who sits at the keyboard, for the journal."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "a person"
