"""The alarm: a command of the user's, run with one line of text when a person should look."""

import asyncio
import subprocess
import time
from collections.abc import Sequence

from runtime.actor import Log
from runtime.logs import clean
from runtime.process.children import OWN_GROUP

SECONDS = 30.0
"""It may take."""
_LONGEST = 2_000
"""Characters of the text: a command line has an end."""
_LOOK = 0.05
_running: list[subprocess.Popen[bytes]] = []
"""Nobody's any more where its process ends first: the alarm is heard all the same."""


async def sound(command: Sequence[str], text: str, log: Log) -> None:
    """Run the command with `text` as its last argument; nothing where there is none."""
    if not command:
        return
    try:
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - no loop that closes ends it
            (*command, _plain(text)), stdin=subprocess.DEVNULL, creationflags=OWN_GROUP, start_new_session=True
        )
    except OSError as error:
        log.error("the alarm command failed", command=command[0], error=str(error))
        return
    _running.append(process)
    until = time.monotonic() + SECONDS
    while process.poll() is None:
        if time.monotonic() > until:
            log.error("the alarm command failed", command=command[0], error=f"it takes over {SECONDS:g} s")
            return
        await asyncio.sleep(_LOOK)
    _running.remove(process)


def _plain(text: str) -> str:
    """One that any command line can take."""
    return clean(text)[:_LONGEST].replace("\0", " ").encode("utf-8", "replace").decode()
