"""`chaos`: kill the system over and over, and prove that no order was lost or doubled."""

import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from runtime.cli import fail


def chaos(
    data: Annotated[Path, typer.Option(help="Folder of the campaign: its days, certificate.json, certificate.md.")],
    *,
    kills: Annotated[int, typer.Option(help="How often the system is killed, at least.", min=1)] = 50,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 1,
    speed: Annotated[float, typer.Option(help="Simulated seconds a second.", min=1)] = 30.0,
    recovery_depth: Annotated[int, typer.Option(help="Kills in a row during a recovery; 0 draws them.", min=0)] = 0,
    points: Annotated[bool, typer.Option("--points", help="Kill at each named point, --kills times.")] = False,
    only: Annotated[int, typer.Option(help="Run this day alone, as a failure says.", min=-1)] = -1,
) -> None:
    """Kill and restart the whole system against an exchange of its own; exit 0 only if every invariant held."""
    from actors.campaigns.chaos import campaign as campaigns  # noqa: PLC0415
    from actors.campaigns.chaos import certificate  # noqa: PLC0415 - no other verb needs so much
    from actors.campaigns.chaos.plan import Plan  # noqa: PLC0415
    from actors.campaigns.processes import ProcessFailed  # noqa: PLC0415

    names = campaigns.points()
    plan = Plan(seed, points=names, depth=recovery_depth)
    made = certificate.Certificate(seed=seed, command=f"kiwoom-actors {' '.join(sys.argv[1:])}")
    campaign = campaigns.Campaign(plan, made, data, speed=speed, say=_say)
    signal.signal(signal.SIGTERM, _leave)
    try:
        if only >= 0:
            campaign.day(only, kills, names[only % campaigns.POINT_DAYS] if points else "")
        elif points:
            campaign.run_points(names, kills)
        else:
            campaign.run(kills)
        made.finished = True
    except (ProcessFailed, OSError) as error:
        fail(str(error))
    finally:
        if data.is_dir():
            certificate.write(made, data)
    _say((data / "certificate.md").read_text(encoding="utf-8"))
    raise typer.Exit(0 if made.holds else 1)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _leave(number: int, frame: object) -> NoReturn:
    """Whoever is asked to end takes its processes with it."""
    del frame
    raise SystemExit(128 + number)
