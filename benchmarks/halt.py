"""The kill switch by the wall: from the file HALT to the last entry that leaves, and to the confirmation.

python -m benchmarks.halt --times 100

A system with hundreds of entries a second is halted by a file, again and again, and resumed by a person's verb.
Exit code 0 only if it was, each time.
"""

import argparse
import asyncio
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

from benchmarks.shop import CONFIG, Eager
from runtime import logs
from runtime.loops.loop import new_loop, run
from runtime.outside.inbox import NoSystem, send
from runtime.outside.latch import NAME
from runtime.settings.config import load
from runtime.system import System

Times = tuple[float, float]
"""Seconds from the file to the last entry that left, and to the confirmation."""


def operate(folder: Path, times: int, found: list[Times], over: threading.Event) -> None:
    """A person in another thread, who halts and resumes until the system is `over`."""
    with suppress(NoSystem):
        for _ in range(times):
            before = Eager.entries
            _wait(lambda before=before: Eager.entries >= before + 50, over)
            laid = perf_counter()
            (folder / NAME).touch()
            _wait(lambda laid=laid: Eager.confirmed >= laid, over)
            if over.wait(0.1):
                return
            found.append((max(Eager.last - laid, 0.0), Eager.confirmed - laid))
            while "error" in send(folder, "resume", by="halt", patience=20.0, seconds=30.0):
                sleep(0.1)
        send(folder, "stop")


def _wait(condition: Callable[[], bool], over: threading.Event) -> None:
    while not condition() and not over.wait(0.005):
        continue


def main() -> None:
    """Halt so many times and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=10, help="how often it is halted")
    times = parser.parse_args().times
    found, code = measure(times)
    sys.exit(show(found, times, code))


def measure(times: int) -> tuple[list[Times], int]:
    """What each halt took, and the system's exit code."""
    found: list[Times] = []
    over = threading.Event()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        path = Path(name) / "halt.toml"
        path.write_text(CONFIG.format(data=folder.as_posix()), encoding="utf-8")
        logs.configure(folder / "logs", console=False)
        system = System(load(path))

        async def both() -> int:
            person = asyncio.get_running_loop().run_in_executor(None, operate, folder, times, found, over)
            code = await system.run()
            over.set()
            await person
            return code

        return found, run(both, new_loop("asyncio"))


def show(found: Sequence[Times], times: int, code: int) -> int:
    """Print the figures; 1 where the system failed or was halted less often than asked for."""
    print(f"halts {len(found)} of {times}, entries {Eager.entries}, exit code {code}")
    for title, seconds in zip(("file to last entry", "file to confirmed"), zip(*found, strict=True), strict=False):
        print(f"{title:20} ms: median {1e3 * median(seconds):.1f}, longest {1e3 * max(seconds):.1f}")
    return int(bool(code) or len(found) < times)


if __name__ == "__main__":
    main()
