"""Processes apart from the terminal: what is typed there does not reach them, and they end when they are asked."""

import asyncio
import os
import signal
import subprocess
import sys
from typing import Final

OWN_GROUP: Final = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""As `creationflags`: what `start_new_session` is elsewhere, which Windows ignores."""

if sys.platform == "win32":
    import ctypes

    UNHEARD: Final = (int(signal.SIGTERM), 0xC000013A)
    """Exit codes of one that was asked before it could listen."""

    def ask_to_end(process: asyncio.subprocess.Process) -> None:
        """One in a group of its own hears Ctrl-Break; without a terminal nothing can be said, and it is ended."""
        if not ctypes.windll.kernel32.GenerateConsoleCtrlEvent(signal.CTRL_BREAK_EVENT, process.pid):
            os.kill(process.pid, signal.SIGTERM)

else:
    UNHEARD: Final = (-signal.SIGTERM,)
    """Exit codes of one that was asked before it could listen."""

    def ask_to_end(process: asyncio.subprocess.Process) -> None:
        """Raises ProcessLookupError where it has ended."""
        process.terminate()
