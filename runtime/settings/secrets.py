"""Secrets in a config are names of secrets: `env:NAME` or `keyring:NAME`."""

import os
from typing import cast

from runtime import logs

KEYRING_SERVICE = "kiwoom-actors"


class MissingSecret(Exception):
    """A secret a config names is not there."""

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(problem)
        self.mend = mend


def resolve(value: object) -> object:
    """The value with every `env:` and `keyring:` string in it looked up and kept out of all logs."""
    if isinstance(value, list):
        return [resolve(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {key: resolve(item) for key, item in cast("dict[object, object]", value).items()}
    if not isinstance(value, str):
        return value
    scheme, colon, name = value.partition(":")
    if not colon or scheme not in ("env", "keyring"):
        return value
    secret = _environment(name) if scheme == "env" else _keyring(name)
    logs.hide(secret)
    return secret


def _environment(name: str) -> str:
    secret = os.environ.get(name)
    if not secret:
        raise MissingSecret(
            f"the environment has no {name}",
            f"set it before starting (Windows: set {name}=...; elsewhere: export {name}=...)",
        )
    return secret


def _keyring(name: str) -> str:
    try:
        import keyring  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingSecret("keyring is not installed", "pip install 'kiwoom-actors[keyring]'") from None
    try:
        secret = keyring.get_password(KEYRING_SERVICE, name)
    except Exception as error:  # noqa: BLE001 - each backend has errors of its own: none found, locked, refused
        problem = f"the keyring cannot be asked for {name}: {' '.join(str(error).split())}"
        raise MissingSecret(problem, 'unlock it, or use "env:NAME"') from None
    if not secret:
        raise MissingSecret(f"the keyring has no {name}", f"store it: keyring set {KEYRING_SERVICE} {name}")
    return secret
