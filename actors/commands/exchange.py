"""`exchange`: the simulated KRX and its broker as a process of its own."""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from runtime.cli import fail
from runtime.clock import text
from runtime.life.exits import BAD_CONFIG
from runtime.process import signals

if TYPE_CHECKING:
    from actors.exchange.exchange import Exchange
    from actors.exchange.server import ExchangeServer

RECORD = "exchange.jsonl"
"""Every request and report, in the folder given."""
_TAKEN: Final = (
    *("date", "begin", "finish", "seed", "issues", "history", "intensity"),
    *("cash", "commission", "latency_ms", "account"),
)
"""Settings of the day and its account; all others are those of who connects."""

_EXAMPLE: Final = '\'{"issues": 5, "seed": 7}\''


def exchange(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Of 127.0.0.1; 0 is any free one, which is printed.")
    ] = 0,
    data: Annotated[Path | None, typer.Option(help=f"Folder of the exchange's own record, {RECORD}.")] = None,
    speed: Annotated[float, typer.Option(help="Simulated seconds in a second of the wall, at most.", min=0.001)] = 1.0,
    settings: Annotated[
        str,
        typer.Option("--twin", help=f"The day as JSON, e.g. {_EXAMPLE}: any of {', '.join(_TAKEN)}."),
    ] = "{}",
) -> None:
    """Run the simulated exchange alone, until it is stopped; `twin.exchange` of a config connects to it."""
    from actors.exchange.annals import Annals  # noqa: PLC0415 - no other verb needs so much
    from actors.exchange.server import ExchangeServer  # noqa: PLC0415

    made = _made(settings)
    try:
        with Annals(data / RECORD if data is not None else None) as annals:
            server = ExchangeServer(made, speed=speed, annals=annals, say=_say)
            asyncio.run(_serve(server, port))
    except (ValueError, OSError) as error:
        fail(str(error))


def _made(settings: str) -> "Exchange":
    from actors.gateways.kiwoom.twin.server import make_exchange  # noqa: PLC0415 - no other verb needs so much
    from actors.gateways.kiwoom.twin.settings import TwinSettings  # noqa: PLC0415

    try:
        wanted = msgspec.json.decode(settings, type=TwinSettings)
        _refuse_foreign(msgspec.json.decode(settings, type=dict[str, Any]))
        return make_exchange(wanted)
    except (msgspec.DecodeError, ValueError) as error:
        fail(f"--twin: {error}", BAD_CONFIG)


def _refuse_foreign(given: dict[str, Any]) -> None:
    for key in given:
        if key not in _TAKEN:
            place = "with --speed" if key == "speed" else "in the `twin` of the config that connects to it"
            raise ValueError(f"{key} is none of the exchange's; say it {place}")


async def _serve(server: "ExchangeServer", port: int) -> None:
    taken = await server.open(port)
    world = asyncio.ensure_future(server.run())

    def leave() -> None:
        world.cancel()

    signals.catch(asyncio.get_running_loop(), leave, at_once=False)
    _say(f"127.0.0.1:{taken} from {text(server.now)}")
    with contextlib.suppress(asyncio.CancelledError):
        await world
    server.close()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
