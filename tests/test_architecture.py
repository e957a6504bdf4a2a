"""The import rules of the design, checked on the source itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for package in ("messages", "runtime", "actors") for path in (ROOT / package).rglob("*.py"))
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SOURCES]

LAYERS = {
    "market": 0,
    "analysis": 0,
    "account": 1,
    "limits": 2,
    "exchange": 2,
    "gateways": 3,
    "ordering": 4,
    "learning": 4,
    "strategies": 5,
    "campaigns": 6,
}
"""Families of actors/, lower first: a family imports its own layer's self and lower layers."""
MARKET = {"market": 0, "charts": 1, "storage": 2, "files": 3}
"""What is true whoever trades, lower first: the files directly in actors/market, then its folders."""
RUNTIME = (
    ("envelope", "redaction", "loops", "process"),
    ("clock", "mailbox"),
    ("actor", "logs"),
    ("bus", "settings"),
    ("pump", "disk"),
    ("life",),
    ("outside", "testing"),
    ("system",),
    ("cli",),
)
"""Files and rooms of runtime/, lower first: none imports its neighbour or who stands above it."""
QT_FILES = {
    "runtime.loops.qt",
    "actors.gateways.kiwoom.activex",
    "actors.gateways.kiwoom.twin.twin",
}
APPROVALS = {"ApprovedOrder", "ApprovedReplace"}
LIMIT = 400


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(path: Path, package: str) -> list[str]:
    return [name for name in imports(path) if name.split(".")[0] == package]


def family(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "actors" and len(parts) > 2 else None


def is_actor_file(module: str) -> bool:
    parts = module.split(".")
    return parts[0] == "actors" and len(parts) == 2 and (ROOT / "actors" / f"{parts[1]}.py").exists()


@pytest.mark.parametrize("path", SOURCES, ids=MODULES)
def test_messages_know_nothing_and_the_runtime_knows_no_trading(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    forbidden = {"messages": ("runtime", "actors"), "runtime": ("actors",), "actors": ()}[package]
    for other in forbidden:
        assert not ours(path, other), f"{path} imports {other}"


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m.startswith("actors.") and not m.startswith("actors.commands")]
)
def test_families_import_downward_and_nobody_imports_an_actor(module: str) -> None:
    path = ROOT / Path(*module.split(".")).with_suffix(".py")
    own = family(module)
    for name in ours(path, "actors"):
        target = name.split(".")[1]
        assert target != "commands", f"{module} imports commands"
        actor = ROOT / "actors" / f"{target}.py"
        assert not actor.exists(), f"{module} imports the actor {target}"
        if own is not None and target != own:
            assert LAYERS[target] < LAYERS[own], f"{module} ({own}) imports {target}"


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("actors.market.")])
def test_the_market_imports_downward(module: str) -> None:
    own = MARKET[module.split(".")[-2]]
    for name in ours(ROOT / Path(*module.split(".")).with_suffix(".py"), "actors"):
        parts = name.split(".")
        folder = parts[2] if len(parts) > 2 and parts[2] in MARKET else "market"
        assert MARKET[folder] <= own, f"{module} imports {name}"


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("runtime.") and m != "runtime.__init__"])
def test_the_runtime_imports_downward(module: str) -> None:
    floors = {room: floor for floor, rooms in enumerate(RUNTIME) for room in rooms}
    own = module.split(".")[1]
    for name in ours(ROOT / Path(*module.split(".")).with_suffix(".py"), "runtime"):
        other = name.split(".")[1]
        assert other == own or floors[other] < floors[own], f"{module} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=MODULES)
def test_only_the_loop_and_the_two_controls_import_qt(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    uses_qt = any(name.split(".")[0] in ("PyQt5", "qasync") for name in imports(path))
    assert not uses_qt or module in QT_FILES


@pytest.mark.parametrize("path", SOURCES, ids=MODULES)
def test_only_risk_makes_approvals(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    makers = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in APPROVALS
    }
    assert not makers or path == ROOT / "actors" / "risk.py"


@pytest.mark.parametrize("path", [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))], ids=str)
def test_no_file_is_longer_than_four_hundred_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LIMIT


def test_every_source_file_says_in_one_docstring_what_it_is_for() -> None:
    silent = [str(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert not silent
