"""A flood of control events: is memory bounded, does every message come out somewhere, do orders still get through.

python -m benchmarks.flood [--rate 50000] [--seconds 60] [--folder FOLDER]

Exit code 0 only if every count is exact.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import line
from runtime.life.vitals import peak_memory_mb

BOOKS = 0.6
CODES = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--folder", help="on the disk to be measured")
    options = parser.parse_args()
    every = max(round(options.rate * (1 - BOOKS) / 49), 1)
    before = peak_memory_mb()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        folder = Path(scratch)
        outcomes = line.trade(folder, rate=options.rate, seconds=options.seconds, every=every, books=BOOKS, codes=CODES)
        floor = line.bare_fsyncs(folder)
    feed = outcomes.line
    line.show("slot > ApprovedOrder published", feed.approved, "  wanted: p99 50,000")
    line.show("slot > SendOrder, durable between", feed.sent)
    line.show("  floor: write and fsync", floor)
    balanced = balance(outcomes)
    print(f"{'memory at most':34} {peak_memory_mb():>11.0f} MB, {before:.0f} at the start")
    print(f"{'records sent':34} {feed.emitted:>11,}, at most {feed.fell_behind:,} late")
    print(f"{'longest gap of the loop':34} {outcomes.longest_ms:>11.1f} ms")
    print(f"{'CPU':34} {outcomes.cpu:>11.1f} s of {outcomes.wall:.1f} s")
    sys.exit(outcomes.code or not balanced)


def balance(outcomes: line.Outcomes) -> bool:
    """Whether whatever came in came out, at the slot and at each mailbox."""
    counts = outcomes.line.intake.counts
    given = counts["passed"] + counts["conflated"] + counts["rejected"] + counts["silent"]
    exact = [counts["received"] == given == outcomes.line.emitted]
    print(
        f"{'slot: in = passed + conflated':34} {counts['received']:>11,} = {counts['passed']:,} + "
        f"{counts['conflated']:,}  {_word(good=exact[-1])}"
    )
    for name, box in outcomes.mailboxes.items():
        exact.append(box.offered == box.handled + box.conflated + box.refused + box.depth)
        print(
            f"{name + ': in = out':34} {box.offered:>11,} = {box.handled:,} handled + {box.conflated:,} conflated + "
            f"{box.refused:,} refused  {_word(good=exact[-1])}"
        )
    return all(exact)


def _word(*, good: bool) -> str:
    return "exact" if good else "WRONG"


if __name__ == "__main__":
    main()
