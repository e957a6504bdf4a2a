"""A whole simulated day of 30 issues through everything, beside the same day of the exchange alone.

python -m benchmarks.demo_day [--config examples/demo.toml] [--folder FOLDER]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

COMMAND = "import sys; from actors.commands import main; sys.argv[0] = 'kiwoom-actors'; main()"
ISSUES = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="examples/demo.toml")
    parser.add_argument("--folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        summary = _run(options.config, Path(scratch))
    received = summary["parts"].get("receiver", summary)
    print(f"{'prints':34} {summary['ticks'] or received['ticks']:>11,}   wanted: 200,000")
    print(f"{'ten-level books':34} {summary['books'] or received['books']:>11,}   wanted: 400,000")
    print(f"{'shares in prints that were lost':34} {received.get('lost_shares', 0):>11,}   wanted: 0")
    print(f"{'wall':34} {summary['wall_s']:>11.1f} s wanted: 90")
    print(f"{'CPU':34} {summary['cpu_s']:>11.1f} s")
    print(f"{'longest gap of the loop':34} {summary['longest_block_ms']:>11.1f} ms wanted: 50")
    print(f"{'memory at most':34} {summary['memory_mb']:>11.0f} MB")
    print(f"{'  floor: the exchange alone, books':34}")
    alone = [sys.executable, "-m", "benchmarks.exchange_day", "--issues", str(ISSUES), "--books"]
    subprocess.run(alone, check=True)  # noqa: S603 - our own benchmark


def _run(config: str, data: Path) -> dict[str, Any]:
    symbols = json.dumps([f"9{number:04d}0" for number in range(1, ISSUES + 1)])
    overrides = [f"system.data={json.dumps(data.as_posix())}", f"actor.receiver.symbols={symbols}"]
    arguments = [part for override in overrides for part in ("--set", override)]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", COMMAND, "run", "--json", config, *arguments], stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
