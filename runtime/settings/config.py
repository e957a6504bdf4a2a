"""A TOML file becomes parts: a table names a class, its keys fill the constructor."""

import difflib
import hashlib
import json
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

import msgspec

from runtime import logs
from runtime.redaction import MASK, names_secret
from runtime.settings import secrets
from runtime.settings.bounds import Count, StopSeconds

Table = dict[str, Any]
KINDS = ("gateway", "actor")
RUNTIME_KEYS = ("use", "replicas")
"""Keys of a part's table that are the runtime's, not the constructor's."""
_LARGEST = 1 << 20
_INTEGERS = range(-(1 << 63), 1 << 63)
_SHOWN = 60
_NAME = 255
_UNKNOWN = re.compile(r"Object contains unknown field `(\w+)`")
"""What msgspec says of a table's key; of one deeper down it says where that is, too."""


class ConfigError(Exception):
    """Something in a config file is wrong: one line with where it is and how to mend it."""


class SystemSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The [system] table."""

    time: Literal["real", "sped-up", "simulated"] = "real"
    """real: the wall clock. sped-up: an exchange moves the clock. simulated: no wall time, no threads."""
    data: str
    """Folder of journal, market store, reports and logs; made if missing; relative to the working directory."""
    fresh: bool = False
    """Whether each run gets a folder of its own below `data`: for brokers that forget between two runs."""
    spin: bool = False
    """Whether Qt's loop never sleeps: a core at work all day, for a shorter way from a price to its order."""
    seed: Count = 1
    """Of every random number in the system."""
    alarm: tuple[str, ...] = ()
    """A command and its arguments, run with one line of text on a halt, an unknown order, a difference, a restart."""
    stop_timeout: StopSeconds = 10.0
    """Seconds an orderly stop may take."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """Of the console; the audit log always has everything from info up."""


class PartTable(msgspec.Struct, frozen=True, kw_only=True):
    """One [gateway.NAME] or [actor.NAME] table, not yet built."""

    kind: str
    name: str
    use: str
    replicas: int
    keys: dict[str, Any]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A config file, read and checked for its shape; parts are checked when they are built."""

    path: Path
    text: str
    system: SystemSettings
    parts: tuple[PartTable, ...]
    overrides: tuple[str, ...] = ()
    """As `--set` gave them; a reload applies them again."""
    digest: str
    """SHA-256 of the file's tables with overrides applied and secrets unread, first 16 hex digits."""

    def error(self, table: str, key: str, problem: str, mend: str) -> ConfigError:
        """One line: file, line, table, key, what is wrong, what to do."""
        place = f"{self.path}:{_line(self.text, table, key)}: [{table}]" + (f" {key}" if key else "")
        return ConfigError(f"{place}: {problem}; {mend}")


def load(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read a config file. `overrides` are `table.key=value`, as `--set` gives them. Raises ConfigError."""
    text = _read(path)
    tables = _parse(path, text)
    for override in overrides:
        _override(path, tables, override)
    _refuse_nonsense(path, text, tables)
    unknown = [name for name in tables if name not in ("system", *KINDS)]
    if unknown:
        hint = nearest(unknown[0], ("system", *KINDS))
        raise ConfigError(f"{path}:{_line(text, unknown[0], '')}: [{unknown[0]}]: no such table; {hint}")
    draft = Config(
        path=path,
        text=text,
        system=SystemSettings(data=""),
        parts=(),
        overrides=tuple(overrides),
        digest=_digest(tables),
    )
    return msgspec.structs.replace(draft, system=_system(draft, tables), parts=_parts(draft, tables))


def convert(config: Config, table: str, key: str, value: object, wanted: Any) -> Any:
    """A TOML value as the annotation wants it, `env:` and `keyring:` secrets looked up. Raises ConfigError."""
    try:
        return msgspec.convert(_resolved(key, value), wanted)
    except secrets.MissingSecret as error:
        raise config.error(table, key, str(error), error.mend) from None
    except (msgspec.ValidationError, TypeError) as error:
        problem = f"{_shown(key, value)} will not do: {logs.clean(str(error))}"
        raise config.error(table, key, problem, _meant(str(error), wanted) or f"give {describe(wanted)}") from None


def _meant(problem: str, wanted: Any) -> str:
    """A hint for a key that a table within a table does not have."""
    unknown = _UNKNOWN.fullmatch(problem)
    options = (option for option in (wanted, *get_args(wanted)) if isinstance(option, type))
    tables = [option for option in options if issubclass(option, msgspec.Struct)]
    return nearest(unknown[1], tables[0].__struct_fields__) if unknown and tables else ""


def describe(wanted: Any) -> str:
    """A type as a user reads it."""
    if get_origin(wanted) is Annotated:
        return next((meta.description for meta in wanted.__metadata__ if isinstance(meta, msgspec.Meta)), "") or "it"
    inner = [describe(option) for option in get_args(wanted) if option not in (type(None), Ellipsis)]
    if get_origin(wanted) is Literal:
        return " or ".join(map(json.dumps, get_args(wanted)))
    if get_origin(wanted) in (Union, UnionType):
        return " or ".join(inner)
    if inner:
        return f"a list: {', '.join(inner)}"
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return " or ".join(json.dumps(member.value) for member in wanted)
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return "a table"
    text = wanted.__name__ if isinstance(wanted, type) else str(wanted)
    return re.sub(r"(typing|collections\.abc|builtins)\.", "", text)


def show(value: object) -> str:
    """A value as it is written, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _resolved(key: str, value: object) -> object:
    found = secrets.resolve(value)
    if names_secret(key) and isinstance(found, str):
        logs.hide(found)
    return found


def _shown(key: str, value: object) -> str:
    return MASK if names_secret(key) else show(value)


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint: the closest known name, or all of them."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known) or 'nothing'}"


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigError(f"{path}: over 1 MiB, which no config is; give a config file")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; examples/ has one for each way of running") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}; mend that line") from None
    except ValueError as error:
        raise ConfigError(f"{path}: a number cannot be read: {error}; mend it") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deep to be a config; flatten it") from None


def _override(path: Path, tables: dict[str, Any], override: str) -> None:
    name, equals, value = override.partition("=")
    shown = logs.clean(override)
    steps = name.strip().split(".")
    if not equals or len(steps) < 2:
        raise ConfigError(
            f"--set {shown}: not of the form table.key=value; e.g. --set actor.risk.max_order_value=5000000"
        )
    table: Table | None = tables
    for step in steps[:-1]:
        if table is not None and step in ("system", *KINDS):
            table.setdefault(step, {})
        table = _table(table.get(step)) if table is not None else None
    if table is None:
        raise ConfigError(f"--set {shown}: {path} has no table [{'.'.join(steps[:-1])}]; add it there first")
    table[steps[-1]] = _toml_value(value.strip())


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _system(config: Config, tables: dict[str, Any]) -> SystemSettings:
    given = _table(tables.get("system"))
    if given is None or "data" not in given:
        raise config.error("system", "", "missing or without `data`", 'begin with [system] and data = "var/NAME"')
    values = {key: _system_key(config, key, value) for key, value in given.items()}
    if not values["data"] or any(len(part.encode()) > _NAME for part in Path(values["data"]).parts):
        raise config.error("system", "data", "names no folder", 'give one, e.g. data = "var/NAME"')
    return SystemSettings(**values)


def _system_key(config: Config, key: str, value: object) -> Any:
    fields = {field.name: field.type for field in msgspec.structs.fields(SystemSettings)}
    if key not in fields:
        raise config.error("system", key, "unknown key", nearest(key, tuple(fields)))
    return convert(config, "system", key, value, fields[key])


def _parts(config: Config, tables: dict[str, Any]) -> tuple[PartTable, ...]:
    parts: list[PartTable] = []
    for kind in KINDS:
        group = _table(tables.get(kind, {}))
        if group is None:
            raise config.error(kind, "", "is a value", f"write tables such as [{kind}.NAME]")
        parts += [_part(config, kind, name, table) for name, table in group.items()]
    names = [part.name for part in parts]
    for name in names:
        if names.count(name) > 1:
            raise config.error(f"actor.{name}", "", f"a gateway is called {name} too", "give one of them another name")
    return tuple(parts)


def _part(config: Config, kind: str, name: str, given: object) -> PartTable:
    where = f"{kind}.{name}"
    table = _table(given)
    if table is None:
        raise config.error(kind, name, "is a value", f"write a table [{where}] with a key `use`")
    if re.fullmatch(r"\w[\w-]*", name) is None:
        raise config.error(where, "", "will not do as a name", "use letters, digits, _ and - alone")
    use = table.get("use")
    if not isinstance(use, str) or use.count(":") != 1:
        raise config.error(where, "use", f"{show(use)} names no class", 'write use = "module.path:ClassName"')
    replicas = table.get("replicas", 1)
    if type(replicas) is not int or not 1 <= replicas <= 64 or (kind == "gateway" and replicas != 1):
        raise config.error(where, "replicas", f"{show(replicas)} will not do", "give 1 to 64, for an actor")
    keys = {key: value for key, value in table.items() if key not in RUNTIME_KEYS}
    return PartTable(kind=kind, name=name, use=use, replicas=replicas, keys=keys)


def _refuse_nonsense(path: Path, text: str, tables: Table) -> None:
    for steps, value, problem, mend in _nonsense((), tables):
        table, key = ".".join(steps[:2] if steps[0] in KINDS else steps[:1]), steps[-1]
        place = f"{path}:{_line(text, table, key)}: [{table}] {show('.'.join(steps))[1:-1]}"
        raise ConfigError(f"{place}: {_shown(key, value)} {problem}; {mend}")


def _nonsense(steps: tuple[str, ...], value: object) -> Iterator[tuple[tuple[str, ...], object, str, str]]:
    """Values that no setting can have, whatever its type."""
    if isinstance(value, dict):
        for key, inner in cast("Table", value).items():
            if not key.isprintable():
                yield (*steps, key), key, "has characters that do not print", "write the key plainly"
            yield from _nonsense((*steps, key), inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _nonsense(steps, inner)
    elif isinstance(value, str) and not value.isprintable():
        yield steps, value, "has characters that do not print", "write it plainly, on one line"
    elif isinstance(value, float) and not math.isfinite(value):
        yield steps, value, "is no number that a setting can have", "give an ordinary number"
    elif isinstance(value, int) and value not in _INTEGERS:
        yield steps, value, "is too large a number", "give one of at most 64 bits"


def _table(value: object) -> Table | None:
    return cast("Table", value) if isinstance(value, dict) else None


def _digest(tables: dict[str, Any]) -> str:
    encoded = msgspec.json.encode(tables, order="deterministic", enc_hook=str)
    return hashlib.sha256(encoded).hexdigest()[:16]


def _line(text: str, table: str, key: str) -> int:
    """Where a key of a table, or the table itself, stands; 1 when it cannot be found."""
    header = re.compile(rf"^\s*\[\s*{re.escape(table)}\s*\]")
    wanted = re.compile(rf"^\s*[\"']?{re.escape(key)}[\"']?\s*=") if key else None
    found = 1
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("["):
            inside = bool(header.match(line))
            found = number if inside else found
        elif inside and wanted is not None and wanted.match(line):
            return number
    return found
