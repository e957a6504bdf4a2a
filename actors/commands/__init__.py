"""The command line: the runtime's verbs and the trading ones, a file each."""

from actors.commands.why import why
from runtime.cli import app

app.command()(why)


def main() -> None:
    """Entry point of `kiwoom-actors`."""
    app()
