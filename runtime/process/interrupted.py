"""Ctrl-C before there is a run to stop: one line and the usual exit code, however much is yet to be imported."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

INTERRUPTED: Final = 130


@contextmanager
def in_one_line() -> Generator[None]:
    """End the process where Ctrl-C meets what is done within."""
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write("kiwoom-actors: interrupted; nothing had been started\n")
        raise SystemExit(INTERRUPTED) from None
