"""The command line: the runtime's verbs and the trading ones, a file each."""

import sys

from runtime.process.interrupted import INTERRUPTED, in_one_line

with in_one_line():
    from actors.commands import advice
    from actors.commands.chaos import chaos
    from actors.commands.exchange import exchange
    from actors.commands.guard import guard
    from actors.commands.halt import halt, resume
    from actors.commands.history import history
    from actors.commands.import_data import import_command
    from actors.commands.orders import orders, positions, settle
    from actors.commands.swarm import swarm
    from actors.commands.why import why
    from runtime import cli
    from runtime.cli import app

cli.notes.append(advice.notes)
app.command("import")(import_command)
app.command()(why)
app.add_typer(history, name="history")
for verb in (halt, resume, orders, positions, settle, guard, exchange, chaos, swarm):
    app.command()(verb)


def main() -> None:
    """Entry point of `kiwoom-actors`."""
    try:
        app()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            sys.stderr.write("kiwoom-actors: interrupted\n")
        raise
