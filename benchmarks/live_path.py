"""Latency of the live path on the Qt loop: slot to ApprovedOrder, and to SendOrder with a durable record between.

Once on a loop that sleeps between prints, and once on one that never does (`[system] spin`).

python -m benchmarks.live_path [--rate 1000] [--seconds 20] [--every 20] [--folder FOLDER]
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from actors.gateways.kiwoom.real_time import records
from benchmarks import line
from runtime.loops.loop import qt_loop, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--every", type=int, default=20, help="ticks to an order")
    parser.add_argument("--folder", help="on the disk to be measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        codes = [_measure(Path(scratch) / name, options, spin=name == "spinning") for name in ("sleeping", "spinning")]
        line.show("floor: write and fsync", line.bare_fsyncs(Path(scratch)))
    line.show("floor: one turn of the loop", run(_turns, qt_loop()))
    print(f"{'floor: parse one trade':34} {_parsing():>11.2f} us")
    sys.exit(max(codes))


def _measure(folder: Path, options: argparse.Namespace, *, spin: bool) -> int:
    folder.mkdir()
    done = line.trade(folder, rate=options.rate, seconds=options.seconds, every=options.every, spin=spin)
    print(
        f"{folder.name}: {done.cpu:.1f} s of CPU in {done.wall:.1f} s, the loop away {done.longest_ms:.1f} ms at most"
    )
    line.show("  slot > ApprovedOrder published", done.line.approved, "  wanted: 60, 200")
    line.show("  slot > SendOrder, durably", done.line.sent, "  wanted: 1,500, 10,000")
    if done.line.refused:
        print(f"{'  refused':34} {dict(done.line.refused)}")
    return done.code


async def _turns() -> list[int]:
    taken: list[int] = []
    for _ in range(2_000):
        start = time.perf_counter_ns()
        await asyncio.sleep(0)
        taken.append(time.perf_counter_ns() - start)
        await asyncio.sleep(0.0005)
    return taken


def _parsing(count: int = 50_000) -> float:
    record = "090001\t+70000\t+100\t+0.14\t+70100\t+70000\t+10\t1000\t70\t+70000\t+70600\t+70000\t2" + "\t0" * 5
    record += "\t101.20" + "\t0" * 23
    start = time.process_time()
    for _ in range(count):
        records.parse_trade("005930", record, 0, 0)
    return (time.process_time() - start) / count * 1e6


if __name__ == "__main__":
    main()
