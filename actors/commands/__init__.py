"""The command line: the runtime's verbs and the trading ones, a file each."""

from runtime.cli import app


def main() -> None:
    """Entry point of `kiwoom-actors`."""
    app()
