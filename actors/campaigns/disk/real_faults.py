"""Faults of the operating system itself: another process's lock, and calls that strace makes fail."""

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from actors.campaigns.disk.aftermath import GOOD, LOST, REFUSED_START, UNTOUCHED, command, judge, parsed, process
from actors.campaigns.disk.orders_at_risk import ENTRY, EXIT, FILL, NO_ENTRY, ORDERS
from actors.campaigns.outcomes import Outcomes
from runtime.disk.journal import NAME

_CALLS: Final = "pwrite64,write,fsync,fdatasync,ftruncate,openat"
_FEW: Final = 16
"""Orders in a run that strace slows down."""
_AFTER: Final = 10.0
"""Seconds a run goes on after the lock."""
STILL_BLIND: Final = "STILL BLIND"
_DATABASE: Final = (NAME, f"{NAME}-wal", f"{NAME}-shm")


def locked(folder: Path, seconds: float, seed: int) -> Outcomes:
    """Another connection holds the write lock from the middle of a run on."""
    outcomes = Outcomes(GOOD)
    data = folder / "data"
    wanted = command(data, seed, pause=(seconds + _AFTER) / ORDERS)
    with subprocess.Popen(wanted, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:  # noqa: S603
        assert running.stdout is not None
        said = [running.stdout.readline()]
        _hold(data / NAME, seconds)
        said += running.stdout.readlines()
    done = parsed(said)
    assert any(kind == NO_ENTRY for kind, _ in done), "nobody noticed the lock"
    ending = judge(data, done) if done[-1][0] in (ENTRY, EXIT, FILL) else STILL_BLIND
    outcomes.add(f"locked for {seconds:g} s", ending, f"seed {seed}")
    shutil.rmtree(data)
    return outcomes


def _hold(path: Path, seconds: float) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")


def every_call(folder: Path, most: int, seed: int) -> Outcomes:
    """The k-th call on any file of the journal fails, until none is left; then all calls on the database from it on."""
    outcomes = Outcomes(GOOD)
    for error in ("EIO", "ENOSPC", "EROFS", "EMFILE"):
        for persistent in (False, True):
            kind = f"{error} at the k-th call{' and all after it' if persistent else ''}"
            for k in range(1, most + 1):
                ending = _inject(folder / "data", error, k, seed, persistent=persistent)
                shutil.rmtree(folder / "data", ignore_errors=True)
                if ending == UNTOUCHED:
                    break
                outcomes.add(kind, ending, f"call {k}")
    return outcomes


def _inject(folder: Path, error: str, k: int, seed: int, *, persistent: bool) -> str:
    folder.mkdir()
    names = _DATABASE if persistent else (*_DATABASE, "journal.emergency")
    paths = [part for name in names for part in ("-P", str(folder / name))]
    log = folder.with_name("strace")
    when = f"when={k}+" if persistent else f"when={k}"
    tracer = ["strace", "-f", "-qq", "-o", str(log), *paths]
    tracer += ["-e", f"trace={_CALLS}", "-e", f"inject={_CALLS}:error={error}:{when}"]
    ran = process([*tracer, *command(folder, seed, orders=_FEW)])
    fired = "(INJECTED)" in log.read_text(encoding="utf-8", errors="replace")
    if not ran.done:
        return REFUSED_START if ran.code == 3 and fired else LOST
    return judge(folder, ran.done, exits=persistent) if fired else UNTOUCHED


@contextmanager
def disk_of(folder: Path, mebibytes: int) -> Generator[bool]:
    """A small file system at `folder` while this is entered; false where this user may not mount one."""
    folder.mkdir(parents=True)
    options = f"size={mebibytes}m"
    mounted = sys.platform == "linux" and not subprocess.call(  # noqa: S603 - fixed words
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],  # noqa: S607
        stderr=subprocess.DEVNULL,
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.call(["umount", "-l", str(folder)])  # noqa: S603, S607


def traceable() -> bool:
    """Whether strace is there and may trace."""
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False, stderr=subprocess.DEVNULL)  # noqa: S607
    return done.returncode == 0
