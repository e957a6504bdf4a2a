"""What may not show in any line: registered secrets and account numbers, and whatever looks like one."""

import html
import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote, quote_plus

import msgspec

MASK = "***"
_SHORT = 6
_DEPTH = 12
_BRIEF = 64
"""Characters up to which a text and what became of it are remembered: names and codes come again and again."""
_REMEMBERED = 4_096
_PLAIN = 8
"""Characters from which a hidden value is taken out of a stored word too: shorter ones are codes as well."""

_SECRET_KEY = re.compile(
    r"(?i)password|passwd|passphrase|secret|token|app_?key|api_?key|authorization|credential|비밀번호"
)
_ACCOUNT_KEY = re.compile(r"(?i)account|acct|acnt|accno|계좌")
_DIGITS = re.compile(r"\d(?:[-. ]?\d){5,}")
_NAMED_SECRET = re.compile(
    r"(?i)((?:password|passwd|passphrase|secret|secretkey|token|app_?key|api_?key|authorization|비밀번호)"
    r"[\"']?\s*[:=]\s*[\"']?(?:bearer\s+|basic\s+)?)[^\s\"',;&)}\]]+"
)
_BEARER = re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]{8,}")
_NAMED_ACCOUNT = re.compile(
    r"(?i)((?:account|acct|acnt|accno|계좌)[^\d\n]{0,16})\d{4}[-. ]?\d{4}(?:[-. ]?\d{2})?(?!\d)"
)

_SECRET_WORDS = ("pass", "secret", "token", "key", "auth", "bearer", "비밀번호")
_ACCOUNT_WORDS = ("acc", "acnt", "계좌")
"""One of them is in whatever the expressions above find: a look for words costs a tenth."""


class Redaction:
    """The registered values, in every spelling a line may carry them in."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Hide nothing any more."""
        self._aliases: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._long: re.Pattern[str] | None = None
        self._pieces: tuple[bytes, ...] = ()
        self._cleaned: dict[str, str] = {}

    def add(self, value: str, alias: str = MASK) -> None:
        """Hide a value from now on: digits with dashes between them too, under six characters whole words only."""
        if not value.strip():
            return
        for form in _forms(value):
            self._aliases[_bare(form)] = alias
        longest_first = sorted(self._aliases, key=lambda form: (-len(form), form))
        self._pattern = _either(longest_first)
        self._long = _either([form for form in longest_first if len(form) >= _PLAIN])
        self._pieces = tuple(dict.fromkeys((*self._pieces, *map(_bared, _pieces(value)))))
        self._cleaned.clear()

    def clean(self, text: str) -> str:
        """The text without registered values and without what stands beside a telling name."""
        if len(text) > _BRIEF:
            return self._clean(text)
        cleaned = self._cleaned.get(text)
        if cleaned is None:
            if len(self._cleaned) >= _REMEMBERED:
                self._cleaned.clear()
            cleaned = self._cleaned[text] = self._clean(text)
        return cleaned

    def clean_values(self, text: str) -> str:
        """The text without registered values."""
        return text if self._pattern is None else self._pattern.sub(self._alias, text)

    def clean_stored(self, body: bytes) -> bytes:
        """JSON whose texts have no registered values; numbers, keys and single short words stay as they are."""
        bare = _bared(body)
        for piece in self._pieces:
            if piece in bare:
                return msgspec.json.encode(self._stored(msgspec.json.decode(body)))
        return body

    def _stored(self, value: Any) -> Any:
        match value:
            case dict():
                return {key: self._stored(inner) for key, inner in cast("dict[str, Any]", value).items()}
            case list():
                return [self._stored(inner) for inner in cast("list[Any]", value)]
            case str():
                pattern = self._pattern if " " in value else self._long
                return value if pattern is None else pattern.sub(self._alias, value)
            case _:
                return value

    def clean_object(self, value: object, depth: int = 0) -> Any:
        """The value as plain strings, numbers, lists and dicts, every string in it cleaned."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.clean(str(value))
        if isinstance(value, int | float):
            return _kept_number(value, self.clean_values(str(value)))
        if depth > _DEPTH:
            return MASK
        if isinstance(value, Mapping):
            return self.clean_mapping(cast("Mapping[object, object]", value), depth)
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean_object(item, depth + 1) for item in cast("list[object]", value)]
        if isinstance(value, msgspec.Struct):
            fields = {field: getattr(value, field) for field in value.__struct_fields__}
            return self.clean_mapping({"type": type(value).__name__} | fields, depth)
        return self.clean(text_of(value))

    def clean_mapping(self, mapping: Mapping[Any, object], depth: int = 0) -> dict[str, Any]:
        """As `clean_object`; the values of telling keys go whole."""
        return {self.clean(text_of(key)): self._under(text_of(key), value, depth) for key, value in mapping.items()}

    def _clean(self, text: str) -> str:
        text = self.clean_values(text)
        folded = text.casefold()
        if any(word in folded for word in _SECRET_WORDS):
            text = _BEARER.sub(rf"\1{MASK}", _NAMED_SECRET.sub(rf"\1{MASK}", text))
        if any(word in folded for word in _ACCOUNT_WORDS):
            text = _NAMED_ACCOUNT.sub(rf"\1{MASK}", text)
        return text

    def _under(self, key: str, value: object, depth: int) -> Any:
        names_secret, names_account = _telling(key)
        if names_secret and value is not None and not isinstance(value, bool):
            return MASK
        cleaned = self.clean_object(value, depth + 1)
        if names_account and isinstance(cleaned, str | int | float):
            return _kept_number(cleaned, _DIGITS.sub(MASK, str(cleaned)))
        return cleaned

    def _alias(self, found: re.Match[str]) -> str:
        return self._aliases.get(_bare(found.group()), MASK)


@lru_cache(maxsize=1_024)
def _telling(key: str) -> tuple[bool, bool]:
    return _SECRET_KEY.search(key) is not None, _ACCOUNT_KEY.search(key) is not None


def names_secret(key: str) -> bool:
    """Whether a key says that its value is one."""
    return _telling(key)[0]


def _kept_number(value: Any, cleaned: str) -> Any:
    return value if cleaned == str(value) else cleaned


def text_of(value: object) -> str:
    """A string for any object; never raises."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "backslashreplace")
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - whatever a foreign object does, the line goes on
        return f"<{type(value).__name__}>"


_SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: repr(text)[1:-1],
    lambda text: ascii(text)[1:-1],
    lambda text: repr(text.encode("utf-8", "backslashreplace"))[2:-1],
    lambda text: repr(text.encode("cp949", "backslashreplace"))[2:-1],
    lambda text: quote(text, errors="replace"),
    lambda text: quote(text, safe="", errors="replace"),
    lambda text: quote_plus(text, errors="replace"),
    html.escape,
)
"""How a text is written inside of another."""


def _forms(value: str) -> list[str]:
    """As it is, up to two spellings deep (JSON inside of a repr), and what no spelling changes where it is no word."""
    plain = [value, value.strip(), *(run for run in re.findall(r"[A-Za-z0-9]{8,}", value) if _is_no_word(run))]
    once = [spell(form) for form in plain for spell in _SPELLINGS]
    twice = [spell(form) for form in dict.fromkeys(once) for spell in _SPELLINGS]
    return list(dict.fromkeys((*plain, *once, *twice)))


def _is_no_word(run: str) -> bool:
    return not run.isdecimal() and not (run.isalpha() and (run[1:].islower() or run.isupper()))


def _pieces(value: str) -> list[bytes]:
    """One of these is in any text the value is in, whatever its spelling: the longest run that none changes."""
    runs = re.findall(r"[A-Za-z0-9]{3,}", _bare(value))
    return [max(runs, key=len).encode()] if runs else [form.encode("utf-8", "replace") for form in _forms(value)]


def _bare(form: str) -> str:
    bare = re.sub(r"[-. ]", "", form)
    return bare if bare.isdecimal() and len(bare) >= _SHORT else form


def _bared(text: bytes) -> bytes:
    return text.translate(None, b"-. ")


def _either(forms: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(_expression, forms))) if forms else None


def _expression(form: str) -> str:
    if len(form) < _SHORT:
        return rf"(?<!\w){re.escape(form)}(?!\w)"
    return "[-. ]?".join(form) if form.isdecimal() else re.escape(form)
