"""Secrets as they are made and written, and the search for them in whatever a program wrote."""

import re
import string
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

_LETTERS: Final = string.ascii_letters + string.digits
_ODD: Final = "\"'\\/&<>%+=?{}[]#@!~`$^*()|;:, 비밀번호키한글é\t"
_CORE: Final = 8


class Secret(NamedTuple):
    """A value to hide, and the part of it no spelling changes."""

    value: str
    core: str
    digits: bool = False
    """An account number: people write it with dashes, dots and blanks."""

    def written(self, rng: Random) -> str:
        """As somebody writes it."""
        if not self.digits:
            return self.value
        places = rng.choice(((), (4,), (8,), (4, 8), (3, 6), (2, 4, 6)))
        mark = rng.choice("-. ")
        return "".join(mark + digit if place in places else digit for place, digit in enumerate(self.value))


def account(rng: Random) -> Secret:
    """Ten digits or, with the last two left out, eight."""
    value = str(rng.randrange(5 * 10**9, 10**10))[: rng.choice((8, 10))]
    return Secret(value, value, digits=True)


def app_key(rng: Random) -> Secret:
    """Letters and digits."""
    value = "PS" + "".join(rng.choices(_LETTERS, k=34))
    return Secret(value, value[6:18])


def token(rng: Random) -> Secret:
    """Three parts with dots, as a bearer token has."""
    parts = ["".join(rng.choices(_LETTERS + "-_", k=rng.randrange(20, 40))) for _ in range(3)]
    core = max((run for part in parts for run in re.findall(r"[A-Za-z0-9]+", part)), key=len)
    return Secret(".".join(parts), core)


def password(rng: Random) -> Secret:
    """Anything that can be typed."""
    core = "".join(rng.choices(_LETTERS, k=_CORE))
    before, after = ("".join(rng.choices(_ODD, k=rng.randrange(5))) for _ in range(2))
    return Secret(f"{before}{core}{after}".strip(), core)


def leaks(folder: Path, secrets: Sequence[Secret]) -> list[str]:
    """File by file, which secrets are in what was written below a folder."""
    found: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for name in (content, path.name.encode()):
            found += [f"{secret.core} in {path.name}" for secret in secrets if _pattern(secret).search(name)]
    return found


def _pattern(secret: Secret) -> re.Pattern[bytes]:
    joint = "[-. ]?" if secret.digits else ""
    return re.compile(joint.join(secret.core).encode())
