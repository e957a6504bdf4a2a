"""Whose books a data folder holds: the orders and shares of two accounts must never be taken for one."""

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Final

import structlog

from actors.gateways.kiwoom.login import Login, LoginRefused

_LOG = structlog.get_logger("gateway.kiwoom")
_NAME: Final = "account.txt"
_SALT: Final = 16
_DIGEST: Final = 32
_COST: Final = 1 << 12
"""Some hundredths of a second for who knows the account, years for who tries them all."""


def refuse_another(folder: Path, login: Login) -> None:
    """Raises LoginRefused where the orders of another account, or of another server, are kept in this folder."""
    kept = _kept(folder)
    if kept and kept != _mark(login, kept[:-_DIGEST]):
        raise LoginRefused(
            f"{folder} holds the books of another account or server than this login's: name another folder as data, "
            "or set `account` to the one they are of"
        )


def claim(folder: Path, login: Login) -> None:
    """From here on the folder is this account's."""
    if len(_kept(folder)) == _SALT + _DIGEST:
        return
    draft = folder / f"{_NAME}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft.write_text(f"{_mark(login, os.urandom(_SALT)).hex()}\n", encoding="ascii")
        draft.replace(folder / _NAME)
    except OSError as error:
        _LOG.warning("whose books these are is not kept", reason=str(error))


def _kept(folder: Path) -> bytes:
    """Nothing where nothing is, or what a crash left of it; an older mark has no salt."""
    path = folder / _NAME
    text = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
    try:
        mark = bytes.fromhex(text)
    except ValueError:
        return b""
    return mark if len(mark) in (_DIGEST, _SALT + _DIGEST) else b""


def _mark(login: Login, salt: bytes) -> bytes:
    owner = f"{login.server} {login.account}"
    return salt + _digest(owner, salt) if salt else hashlib.sha256(owner.encode()).digest()


@cache
def _digest(owner: str, salt: bytes) -> bytes:
    """An account number has so few digits that any quicker digest of it could be tried out."""
    return hashlib.scrypt(owner.encode(), salt=salt, n=_COST, r=8, p=1, dklen=_DIGEST)
