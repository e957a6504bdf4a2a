"""The command line of the runtime: run, check, show, audit, and commands to a running system."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, TypeVar

import structlog
import typer
from rich.console import Console
from rich.table import Table

from runtime import logs
from runtime.clock import KST
from runtime.disk import chain, folders
from runtime.disk.database import quarantine
from runtime.disk.errors import DatabaseError
from runtime.disk.journal import NAME
from runtime.disk.reading import reading
from runtime.life import wiring
from runtime.life.exits import BAD_CONFIG, FAILED, code_of
from runtime.loops.loop import MissingLibrary, new_loop
from runtime.loops.loop import run as run_loop
from runtime.outside import inbox
from runtime.process import terminal
from runtime.process.locks import AlreadyRunning, is_held
from runtime.settings.config import Config, ConfigError, load
from runtime.settings.parts import Part, plan
from runtime.system import DISTRIBUTION, System

ConfigPath = Annotated[Path, typer.Argument(help="A config file; examples/ has one for each way of running.")]
DataFolder = Annotated[Path, typer.Argument(help="The data folder of the system: the key data of its system table.")]
Overrides = Annotated[list[str], typer.Option("--set", metavar="TABLE.KEY=VALUE", help="Override a key of the config.")]

_OTHERWISE = "make room, or be the user it runs as; SIGTERM to its process stops it in order"

T = TypeVar("T")

notes: Final[list[Callable[[Sequence[Part]], list[str]]]] = [wiring.notes]
"""What says what of a config is worth a look; who knows of trading adds its own."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
audit = typer.Typer(no_args_is_help=True, help="Prove the journal.")
app.add_typer(audit, name="audit")


def fail(line: str, code: int = FAILED) -> NoReturn:
    """End with one line on stderr."""
    sys.stderr.write(f"kiwoom-actors: {logs.clean(line)}\n")
    raise typer.Exit(code)


def placed(place: Path, error: Exception) -> str:
    """What is wrong, with the path it is wrong at said once."""
    said = (
        f"{error.filename or place}: {error.strerror}" if isinstance(error, OSError) and error.strerror else str(error)
    )
    return said if str(place) in said else f"{place}: {said}"


@app.callback(invoke_without_command=True)
def program(
    *, show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False
) -> None:
    """Automated trading of Korean stocks over Kiwoom Securities."""
    terminal.escape()
    if show_version:
        sys.stdout.write(f"{DISTRIBUTION} {version(DISTRIBUTION)}\n")
        raise typer.Exit


@app.command()
def run(
    config: ConfigPath,
    overrides: Overrides = [],  # noqa: B006 - typer's way
    *,
    json_summary: Annotated[
        bool, typer.Option("--json", help="Print nothing on stdout but the summary, one line.")
    ] = False,
) -> None:
    """Run a config: live, mock, paper, replay or backtest, as the file says.

    Exit codes: 0 done, 1 failed, 2 bad config or usage, 3 done, but trading was halted, 4 a core actor failed,
    5 the broker is out of reach.
    """
    system = _system(_load(config, overrides))
    _configure_logs(system)
    try:
        for note in _notes(system.crew.plan):
            structlog.get_logger("system").warning(note)
        code = run_loop(system.run, _loop(system))
    except (ConfigError, AlreadyRunning, DatabaseError, MissingLibrary, OSError) as error:
        reason = _reason(error, system.folder)
        structlog.get_logger("system").info("cannot run", reason=reason)
        fail(reason, code_of(error))
    _report(system, json_summary=json_summary)
    raise typer.Exit(code)


@app.command()
def check(config: ConfigPath, overrides: Overrides = []) -> None:  # noqa: B006
    """Build and wire a config without starting anything; says what is wrong, a line each."""
    loaded = _load(config, overrides)
    parts = _system(loaded).crew.plan
    for note in _notes(parts):
        sys.stdout.write(f"{config}: note: {note}\n")
    sys.stdout.write(f"{config}: {len(parts)} parts, digest {loaded.digest}: ok\n")


@app.command()
def show(config: ConfigPath, overrides: Overrides = []) -> None:  # noqa: B006
    """Print, message class by message class, who publishes it and who handles it."""
    grid = Table("message", "lane", "published by", "handled by", title=str(config), title_justify="left")
    for line in wiring.table(_plan(_load(config, overrides))):
        grid.add_row(line.name, line.lane, ", ".join(line.publishers), ", ".join(line.takers))
    Console().print(grid)


@audit.command("verify")
def audit_verify(
    folder: DataFolder,
    head: Annotated[
        str, typer.Option(help="A hash kept elsewhere: `journal` of a run's last lines, `journal head` of its log.")
    ] = "",
) -> None:
    """Prove the journal of a data folder from its first record to its last; exit 0 only if it holds."""
    path = folders.current(folder) / NAME
    try:
        reading(path).close()
        verdict = chain.verify(path, head or None)
    except (DatabaseError, OSError) as error:
        fail(str(error))
    runs = f"{verdict.runs:,} run{'s' if verdict.runs != 1 else ''}"
    sys.stdout.write(f"{verdict.records:,} records of {runs}, head {verdict.head} at {verdict.number}\n")
    hint = "" if head else "; give one with --head"
    unseen = verdict.unseen and verdict.unseen + hint
    sys.stdout.writelines(f"{line}\n" for line in (verdict.problem, unseen) if line)
    raise typer.Exit(0 if verdict.ok else FAILED)


@audit.command("quarantine")
def audit_quarantine(folder: DataFolder) -> None:
    """Set a broken journal aside: the next start goes on without it, from what the broker knows. Nothing is deleted."""
    current = folders.current(folder)
    try:
        if is_held(current):
            fail(f"a system runs on {current}; stop it first")
        if not (current / NAME).exists():
            fail(f"{current / NAME}: no such file")
        aside = quarantine(current / NAME, datetime.now(KST).strftime("%Y%m%d-%H%M%S"))
    except OSError as error:
        fail(f"{current}: {error.strerror}; be the user it belongs to")
    sys.stdout.write(f"{aside}: set aside; the next start begins a new journal, and no number is used twice\n")


@app.command()
def status(folder: DataFolder) -> None:
    """Print how a running system does, as JSON."""
    write(ask(folder, "status"))


@app.command()
def stop(folder: DataFolder) -> None:
    """Stop a running system in order."""
    write(ask(folder, "stop"))


@app.command()
def reload(folder: DataFolder) -> None:
    """Swap leaf actors whose tables changed in the config file; names what needs a restart."""
    write(ask(folder, "reload"))


class Unanswered(Exception):
    """A system that cannot be asked, or will not; one line for the user."""


def ask(folder: Path, verb: str, *, seconds: float = 10.0, **arguments: Any) -> dict[str, Any]:
    """The answer of the system that runs on a data folder, or on one below it; ends with one line on a refusal."""
    try:
        return answer_of(_running_on(folder), verb, seconds=seconds, **arguments)
    except Unanswered as error:
        fail(str(error))


def answer_of(place: Path, verb: str, *, seconds: float = 10.0, **arguments: Any) -> dict[str, Any]:
    """The answer of the system that runs in this very folder. Raises Unanswered."""
    try:
        answer = inbox.send(place, verb, seconds=seconds, **arguments)
    except inbox.NoSystem as error:
        raise Unanswered(str(error)) from error
    except OSError as error:
        raise Unanswered(f"{place}: {error.strerror}, so nobody could be asked; {_OTHERWISE}") from error
    if "error" in answer:
        raise Unanswered(str(answer["error"]))
    return answer


def _running_on(folder: Path) -> Path:
    try:
        running = folders.held(folder)
    except OSError as error:
        raise Unanswered(f"{folder}: {error.strerror}; {_OTHERWISE}") from error
    if len(running) > 1:
        raise Unanswered(f"{len(running)} systems run there, name one of them: {', '.join(map(str, running))}")
    return running[0] if running else folders.current(folder)


def write(answer: dict[str, Any]) -> None:
    """An answer for machines."""
    sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")


def _notes(parts: Sequence[Part]) -> list[str]:
    return [note for remark in notes for note in remark(parts)]


def _load(path: Path, overrides: list[str]) -> Config:
    return _or_bad_config(lambda: load(path, overrides))


def _plan(config: Config) -> list[Part]:
    return _or_bad_config(lambda: plan(config))


def _system(config: Config) -> System:
    system = _or_bad_config(lambda: System(config))
    problems = wiring.check(system.crew.plan)
    for problem in problems:
        sys.stderr.write(f"kiwoom-actors: {config.path}: {problem}\n")
    if problems:
        raise typer.Exit(BAD_CONFIG)
    _or_bad_config(system.rehearse)
    return system


def _configure_logs(system: System) -> None:
    try:
        logs.configure(system.folder / "logs", console=True, level=system.config.system.log_level, now=system.now)
    except OSError as error:
        fail(f"{error}; name another folder as data, or mend this one")


def _reason(error: Exception, folder: Path) -> str:
    """Python's own words for a full disk do not say where it is."""
    nameless = isinstance(error, OSError) and error.filename is None and error.strerror
    return f"{folder}: {error}" if nameless and not isinstance(error, ConnectionError | TimeoutError) else str(error)


def _or_bad_config(work: Callable[[], T]) -> T:
    try:
        return work()
    except ConfigError as error:
        fail(str(error), BAD_CONFIG)


def _loop(system: System) -> Any:
    return new_loop(system.loop, widgets=sys.platform == "win32", spin=system.config.system.spin)


def _report(system: System, *, json_summary: bool) -> None:
    summary = json.dumps(system.vitals.summary, ensure_ascii=False) if json_summary else system.vitals.closing
    if not summary and not json_summary:
        return
    try:
        sys.stdout.write(summary + "\n")
        sys.stdout.flush()
    except OSError as error:
        structlog.get_logger("system").warning("nobody reads the summary; it is in the run's folder", error=str(error))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer fails once more
