"""A Qt loop that spins comes round without sleep while it runs, and only then."""

import pytest

from runtime.loops.loop import qt_loop
from runtime.loops.qt import QtLoop


@pytest.mark.parametrize("spin", [False, True])
def test_only_a_loop_that_shall_spin_does_and_only_while_it_runs(spin: bool) -> None:
    loop = qt_loop(spin=spin)
    assert isinstance(loop, QtLoop)

    async def main() -> bool:
        return loop.spins

    for _ in range(2):
        assert loop.run_until_complete(main()) is spin
        assert not loop.spins
    loop.close()
