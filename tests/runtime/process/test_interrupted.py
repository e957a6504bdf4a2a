"""Ctrl-C while the program is still being imported is one line."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys

class Impatient:
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1]:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Impatient())
from actors.commands import main
main()
"""


@pytest.mark.parametrize("module", ["actors.commands.chaos", "runtime.system"])
def test_an_import_that_is_interrupted_is_one_line(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, module], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )

    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "kiwoom-actors: interrupted; nothing had been started\n"
