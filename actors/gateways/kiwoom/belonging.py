"""Whose books a data folder holds: the orders and shares of two accounts must never be taken for one."""

import hashlib
from pathlib import Path
from typing import Final

import structlog

from actors.gateways.kiwoom.login import Login, LoginRefused

_LOG = structlog.get_logger("gateway.kiwoom")
_NAME: Final = "account.txt"


def refuse_another(folder: Path, login: Login) -> None:
    """Raises LoginRefused where the orders of another account, or of another server, are kept in this folder."""
    kept = _kept(folder)
    if kept and kept != _mark(login):
        raise LoginRefused(
            f"{folder} holds the books of another account or server than this login's: name another folder as data, "
            "or set `account` to the one they are of"
        )


def claim(folder: Path, login: Login) -> None:
    """From here on the folder is this account's."""
    if _kept(folder):
        return
    draft = folder / f"{_NAME}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft.write_text(f"{_mark(login)}\n", encoding="ascii")
        draft.replace(folder / _NAME)
    except OSError as error:
        _LOG.warning("whose books these are is not kept", reason=str(error))


def _kept(folder: Path) -> str:
    """Blank where nothing is, or what a crash left of it."""
    path = folder / _NAME
    mark = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
    return mark if len(mark) == hashlib.sha256().digest_size * 2 else ""


def _mark(login: Login) -> str:
    return hashlib.sha256(f"{login.server} {login.account}".encode()).hexdigest()
