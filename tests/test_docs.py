"""The docs name what there is: every key with its default, every file and every function they point at."""

import enum
import importlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.exchange.faults import Fault
from actors.gateways.kiwoom.twin.settings import TwinSettings
from runtime.actor import Actor
from runtime.settings.config import SystemSettings
from runtime.settings.parts import BUILT_IN

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
CONFIG = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
GATEWAYS = (
    "actors.gateways.kiwoom.ocx:OcxGateway",
    "actors.gateways.paper:PaperBroker",
    "actors.gateways.replay:ReplayGateway",
)
ACTOR_FILES = [*(ROOT / "actors").glob("*.py"), *(ROOT / "actors" / "strategies").glob("*.py")]


def shipped() -> Iterator[str]:
    """Every class a config may name."""
    yield from GATEWAYS
    for path in sorted(ACTOR_FILES):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name, found in vars(importlib.import_module(module)).items():
            own = inspect.isclass(found) and found.__module__ == module
            if own and issubclass(found, Actor) and name != "Strategy":
                yield f"{module}:{name}"


def documented(heading: str) -> dict[str, str]:
    """Key > default, as the first table under a heading has them."""
    (section,) = re.findall(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)", CONFIG, re.MULTILINE | re.DOTALL)
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE))


def default(value: Any, *, positional: bool = False) -> str:
    if value in (inspect.Parameter.empty, msgspec.NODEFAULT):
        return "a gateway" if positional else "required"
    return "none" if value is None else f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:_}"
    plain = value.value if isinstance(value, enum.Enum) else value
    return json.dumps(plain, ensure_ascii=False)


@pytest.mark.parametrize("use", list(shipped()))
def test_every_key_of_a_part_is_in_the_docs_with_its_default(use: str) -> None:
    module, _, name = use.partition(":")
    parameters = inspect.signature(getattr(importlib.import_module(module), name)).parameters
    keys = {
        key: default(parameter.default, positional=parameter.kind is not parameter.KEYWORD_ONLY)
        for key, parameter in parameters.items()
        if key not in BUILT_IN
    }

    assert documented(use) == keys


@pytest.mark.parametrize(
    ("heading", "settings"),
    [("`[system]`", SystemSettings), ("actors.gateways.kiwoom.twin.settings:TwinSettings", TwinSettings)],
)
def test_every_key_of_the_settings_is_in_the_docs_with_its_default(
    heading: str, settings: type[msgspec.Struct]
) -> None:
    keys = {field.name: default(field.default) for field in msgspec.structs.fields(settings)}

    assert documented(heading) == keys


def test_every_key_of_a_fault_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "kiwoom.md").read_text(encoding="utf-8")

    assert [name for name in Fault.__struct_fields__ if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_file_the_docs_name_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:actors|runtime|messages|tests|docs|examples)/[\w./]*\w)`", text))
    linked = {link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link}
    missing = [name for name in sorted(named) if not (ROOT / name).exists()]
    missing += [link for link in sorted(linked) if not (page.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_function_the_docs_name_is_there(page: Path) -> None:
    """Written as `path/file.py` `Class.method`."""
    pattern = r"`([a-z_]+(?:/[a-z_]+)+\.py)` `(\w+)(?:\.(\w+))?(?:\(\))?`"
    for path, name, method in re.findall(pattern, page.read_text(encoding="utf-8")):
        found = getattr(importlib.import_module(path.removesuffix(".py").replace("/", ".")), name)
        assert not method or hasattr(found, method), f"{path} {name}.{method}"


def test_every_rule_of_risk_is_in_the_docs_by_its_name() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "actors" / "limits").glob("*.py")]
    said = re.findall(
        r"""(?:rule=|_(?:no|rate|loss|over)\(|^[A-Z_]+(?:: Final)? = )"([a-z' -]+)\"""",
        "\n".join(sources),
        re.MULTILINE,
    )
    (section,) = re.findall(r"^#### What risk refuses\n(.*?)(?=^##)", CONFIG, re.MULTILINE | re.DOTALL)
    listed = [
        name for names in re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE) for name in re.findall("`(.*?)`", names)
    ]

    assert sorted(listed) == sorted({*said})
