"""`halt DATA` and `resume DATA`: the kill switch by hand."""

import getpass
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime import folders
from runtime.cli import DataFolder, ask, fail, write
from runtime.clock import WallClock, text
from runtime.latch import Halt, Latch
from runtime.locks import is_held

_GRACE = 5.0
"""Seconds beyond those the system was given to answer."""
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def halt(
    folder: DataFolder,
    *,
    flatten: Annotated[bool, typer.Option("--flatten", help="Sell what is held as well.")] = False,
    reason: Annotated[str, typer.Option(help="For the journal and whoever reads it.")] = "asked for",
    seconds: Annotated[float, typer.Option(help="How long to wait until everything is taken back.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Stop entries at once, take back what is open, and stay halted over restarts until a person resumes.

    Exit code 0 once nothing is open any more, 1 while something is.
    """
    place = folders.current(folder)
    latched = _lay(place, Halt(text(WallClock.now()), person(), reason, flatten))
    if not is_held(place):
        _say({"halted": latched.reason, "by": latched.by, "running": False}, _at_rest(place, latched), as_json=as_json)
        return
    answer = ask(place, "halt", seconds=seconds + _GRACE, patience=seconds)
    _say({**answer, "running": True}, _progress(answer), as_json=as_json)
    raise typer.Exit(1 if answer["open"] else 0)


def resume(
    folder: DataFolder,
    *,
    seconds: Annotated[float, typer.Option(help="How long to wait for the match with the broker.")] = 90.0,
    as_json: Json = False,
) -> None:
    """Lift the halt of a running system and enable every strategy, after a match with the broker that agrees."""
    place = folders.current(folder)
    if not is_held(place) and Latch(place).read() is not None:
        fail(f"nothing runs on {place} that could be matched with the broker: start it, it starts halted, then resume")
    answer = ask(place, "resume", seconds=seconds + _GRACE, by=person(), patience=seconds)
    _say(answer, f"resumed by {answer['by']}; matched with the broker at {answer['reconciled']}", as_json=as_json)


def _lay(place: Path, wanted: Halt) -> Halt:
    try:
        place.mkdir(parents=True, exist_ok=True)
        return Latch(place).lay(wanted)
    except OSError as error:
        fail(f"not halted: {place}: {error.strerror}; stop the process, and take back its orders at the broker")


def _at_rest(place: Path, latched: Halt) -> str:
    return f"no system runs on {place}: the next start there is halted, and waits for `resume` ({latched.reason})"


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
