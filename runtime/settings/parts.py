"""Parts of a config: found by `use`, checked against their constructors, ordered by who needs whom."""

import importlib
import inspect
import sys
from collections.abc import Mapping, Sequence
from random import Random
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from runtime.actor import Actor, Wiring, handlers
from runtime.settings.bounds import NAMES_ACTOR
from runtime.settings.config import Config, PartTable, convert, nearest, show

BUILT_IN = ("clock", "journal", "data", "rng", "vitals")
"""Positional parameters of these names are filled by the system."""
SYSTEM = "system"


class Part(msgspec.Struct, kw_only=True):
    """A table whose class is found and whose keys are converted; nothing is made yet."""

    table: PartTable
    maker: type[Any]
    keywords: dict[str, Any]
    references: dict[str, str]
    """Positional parameter > name of a gateway, or of a built-in part."""

    @property
    def where(self) -> str:
        return f"{self.table.kind}.{self.table.name}"


class _Signature(NamedTuple):
    positional: dict[str, inspect.Parameter]
    keyword: dict[str, inspect.Parameter]
    hints: dict[str, Any]


def plan(config: Config) -> list[Part]:
    """Every part of a config, those first that others need. Raises ConfigError."""
    folder = str(config.path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    for table in config.parts:
        if table.name in (*BUILT_IN, SYSTEM):
            raise config.error(f"{table.kind}.{table.name}", "", "the system has a part of that name", "choose another")
    parts = {table.name: _part(config, table) for table in config.parts}
    actors = [name for name, part in parts.items() if part.table.kind == "actor"]
    for part in parts.values():
        _check_references(config, part, parts)
        _check_names(config, part, actors)
    _check_single(config, parts)
    return _ordered(config, parts)


def generator(config: Config, name: str) -> Random:
    """The random numbers of one part: the same in every run of a seed."""
    return Random(f"{config.system.seed}:{name}")


def make(config: Config, part: Part, built: Mapping[str, Any], name: str | None = None) -> Any:
    """Call the constructor. What it raises as ValueError is the user's; anything else is a bug.

    `built` has what it may name, but for `rng`: that is drawn by `name`, the table's where none is given.
    """
    known = {**built, "rng": generator(config, name or part.table.name)}
    arguments = {parameter: known[target] for parameter, target in part.references.items()}
    try:
        return part.maker(**arguments, **part.keywords)
    except ValueError as error:
        raise config.error(part.where, _key_in(str(error), part), str(error), "mend that key") from None


def _part(config: Config, table: PartTable) -> Part:
    where = f"{table.kind}.{table.name}"
    maker = _find(config, where, table.use)
    if (table.kind == "actor") != issubclass(maker, Actor):
        problem = f"{maker.__name__} is {'no' if table.kind == 'actor' else 'an'} actor"
        raise config.error(where, "use", problem, "move the table to [gateway.*] or [actor.*], or name another class")
    _check_class(config, table, maker)
    signature = _signature(maker)
    part = Part(table=table, maker=maker, keywords={}, references={})
    for key, value in table.keys.items():
        _fill(config, part, signature, key, value)
    _check_complete(config, part, signature)
    return part


def _check_class(config: Config, table: PartTable, maker: type[Any]) -> None:
    where = f"{table.kind}.{table.name}"
    if inspect.isabstract(maker) or getattr(maker, "_is_protocol", False):
        raise config.error(where, "use", f"{maker.__name__} is abstract", "name a class that is complete")
    if table.kind == "gateway" and not (hasattr(maker, "__aenter__") and hasattr(maker, "__aexit__")):
        raise config.error(where, "use", f"{maker.__name__} is no gateway", "name an async context manager")
    if table.replicas > 1 and maker.core:
        raise config.error(where, "replicas", f"{maker.__name__} is a core actor", "leave it out: there is one of each")
    try:
        _signature(maker)
        if issubclass(maker, Actor):
            handlers(maker)
    except (Wiring, NameError, TypeError, ValueError) as error:
        raise config.error(where, "use", f"{maker.__name__} cannot be read: {error}", "mend its annotations") from None


def _fill(config: Config, part: Part, signature: _Signature, key: str, value: object) -> None:
    if key in signature.keyword:
        part.keywords[key] = convert(config, part.where, key, value, signature.hints.get(key, Any))
    elif key in signature.positional and key not in BUILT_IN:
        if not isinstance(value, str):
            raise config.error(
                part.where, key, f"{show(value)} is no part's name", 'give the name of a gateway, e.g. "kiwoom"'
            )
        part.references[key] = value
    else:
        known = tuple(name for name in (*signature.positional, *signature.keyword) if name not in BUILT_IN)
        raise config.error(part.where, key, "unknown key", nearest(key, ("use", *known)))


def _check_complete(config: Config, part: Part, signature: _Signature) -> None:
    for name, parameter in signature.positional.items():
        if name in part.references:
            continue
        if name in BUILT_IN:
            part.references[name] = name
        elif parameter.default is inspect.Parameter.empty:
            raise config.error(part.where, "", f"key {name} is missing", f'add {name} = "NAME OF A GATEWAY"')
    for name, parameter in signature.keyword.items():
        if parameter.default is inspect.Parameter.empty and name not in part.keywords:
            raise config.error(part.where, "", f"key {name} is missing", f"add {name} = ...")


def _check_references(config: Config, part: Part, parts: Mapping[str, Part]) -> None:
    hints = _signature(part.maker).hints
    gateways = tuple(name for name, other in parts.items() if other.table.kind == "gateway")
    for key, target in part.references.items():
        if key in BUILT_IN and target == key:
            continue
        if target not in gateways:
            raise config.error(part.where, key, f"there is no gateway called {target!r}", nearest(target, gateways))
        missing = _missing(hints.get(key), parts[target].maker)
        if missing:
            problem = f"{target} ({parts[target].maker.__name__}) cannot {', '.join(missing)}"
            raise config.error(part.where, key, problem, f"name a gateway that can serve as {key}")


def _check_single(config: Config, parts: Mapping[str, Part]) -> None:
    seen: dict[type[Any], str] = {}
    for name, part in parts.items():
        if part.table.kind == "actor" and part.maker.core and seen.setdefault(part.maker, name) != name:
            problem = f"{seen[part.maker]} is a {part.maker.__name__} too"
            raise config.error(part.where, "use", problem, "keep one: it is a core actor")


def _check_names(config: Config, part: Part, actors: Sequence[str]) -> None:
    hints = _signature(part.maker).hints
    for key, value in part.keywords.items():
        if value and value not in actors and _names_actor(hints.get(key)):
            raise config.error(part.where, key, f"there is no actor called {show(value)}", nearest(str(value), actors))


def _names_actor(hint: Any) -> bool:
    metas = hint.__metadata__ if get_origin(hint) is Annotated else ()
    return any(isinstance(meta, msgspec.Meta) and NAMES_ACTOR in (meta.extra or {}) for meta in metas)


def _missing(wanted: Any, maker: type[Any]) -> list[str]:
    protocols: list[type[Any]] = [
        option for option in (get_args(wanted) or (wanted,)) if getattr(option, "_is_protocol", False)
    ]
    if not protocols:
        return []
    names: list[str] = [name for base in protocols[0].__mro__ if base.__module__ != "typing" for name in vars(base)]
    return [name for name in names if not name.startswith("_") and not hasattr(maker, name)]


def _ordered(config: Config, parts: Mapping[str, Part]) -> list[Part]:
    ordered: dict[str, Part] = {}
    path: list[str] = []

    def visit(name: str) -> None:
        if name in ordered:
            return
        if name in path:
            circle = " > ".join([*path[path.index(name) :], name])
            raise config.error(parts[name].where, "", f"needs itself: {circle}", "break the circle")
        path.append(name)
        for target in parts[name].references.values():
            if target in parts:
                visit(target)
        ordered[path.pop()] = parts[name]

    for name in parts:
        visit(name)
    return list(ordered.values())


def _find(config: Config, where: str, use: str) -> type[Any]:
    module_name, _, class_name = use.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise config.error(where, "use", f"{module_name} needs the package {error.name}", "install it") from None
        raise config.error(
            where, "use", f"no module {module_name}", "check the spelling, or put it beside the config"
        ) from None
    except Exception as error:  # noqa: BLE001 - a user's file may raise anything
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise config.error(where, "use", f"{module_name} cannot be imported: {problem}", "mend it") from None
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        classes = tuple(
            name for name, value in vars(module).items() if inspect.isclass(value) and value.__module__ == module_name
        )
        raise config.error(where, "use", f"{module_name} has no class {class_name}", nearest(class_name, classes))
    return found


def _signature(maker: type[Any]) -> _Signature:
    if maker.__init__ is object.__init__:
        return _Signature({}, {}, {})
    parameters = inspect.signature(maker).parameters
    kinds = inspect.Parameter
    return _Signature(
        {n: p for n, p in parameters.items() if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)},
        {n: p for n, p in parameters.items() if p.kind is kinds.KEYWORD_ONLY},
        get_type_hints(maker.__init__, include_extras=True),
    )


def _key_in(text: str, part: Part) -> str:
    keys: Sequence[str] = [key for key in part.table.keys if key in text]
    return max(keys, key=len, default="")
