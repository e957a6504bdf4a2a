"""The alarm: a command of the user's, run with one line of text when a person should look."""

import asyncio
from collections.abc import Sequence

from runtime.actor import Log
from runtime.logs import clean

SECONDS = 30.0
"""It may take."""


async def sound(command: Sequence[str], text: str, log: Log) -> None:
    """Run the command with `text` as its last argument; nothing where there is none."""
    if not command:
        return
    try:
        process = await asyncio.create_subprocess_exec(*command, clean(text))
        await asyncio.wait_for(process.wait(), SECONDS)
    except (OSError, TimeoutError) as error:
        log.error("the alarm command failed", command=command[0], error=str(error))
