"""Latency of the live path on the Qt loop: slot to ApprovedOrder, and to SendOrder with a durable record between.

python -m benchmarks.live_path [--rate 1000] [--seconds 20] [--every 20] [--spin] [--folder FOLDER]
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
    parser.add_argument("--spin", action="store_true", help="on a loop that never sleeps, as with [system] spin = true")
    parser.add_argument("--folder", help="on the disk to be measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        folder = Path(scratch)
        outcomes = line.trade(
            folder, rate=options.rate, seconds=options.seconds, every=options.every, spin=options.spin
        )
        line.show("slot > ApprovedOrder published", outcomes.line.approved, "  wanted: 60, 200")
        line.show("slot > SendOrder, durable between", outcomes.line.sent, "  wanted: 1,500, 10,000")
        line.show("  floor: write and fsync", line.bare_fsyncs(folder))
    line.show("  floor: one turn of the loop", run(_turns, qt_loop()))
    print(f"{'  floor: parse one trade':34} {_parsing():>11.2f} us")
    refused = dict(outcomes.line.refused) or "none"
    print(f"{'refused':34} {refused}")
    print(f"{'longest gap of the loop':34} {outcomes.longest_ms:>11.1f} ms")
    print(f"{'CPU':34} {outcomes.cpu:>11.1f} s of {outcomes.wall:.1f} s")
    sys.exit(outcomes.code)


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
