"""The command line: the runtime's verbs and the trading ones, a file each."""

from actors.commands.import_data import import_command
from actors.commands.why import why
from runtime.cli import app

app.command("import")(import_command)
app.command()(why)


def main() -> None:
    """Entry point of `kiwoom-actors`."""
    app()
