"""However a config is broken, `check` passes it or refuses it in lines that say where, what and how to mend it."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from runtime.cli import check

ROOT = Path(__file__).parent.parent
EXAMPLES = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").glob("*.toml"))]
SEEDS = range(1_000)
REFUSAL = re.compile(r"kiwoom-actors: \S+\.toml(:\d+)?: .+[;:] .+")
KEY = re.compile(r"^\w+ *= *[^#\n]+", re.MULTILINE)
HEADER = re.compile(r"^\[[\w.]+\]", re.MULTILINE)
TABLE = re.compile(r"^\[[\w.]+\][^\[]*?(?=^\[|\Z)", re.MULTILINE)
VALUES = (
    *(
        "-1",
        "0",
        "-0.5",
        "nan",
        "inf",
        "-inf",
        "1e308",
        "9" * 30,
        "9" * 5_000,
        "true",
        '""',
        '"x"',
        "[]",
        "{}",
        "[[1]]",
    ),
    *("1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", '"\\u0000"', '"a\\nb"', '"env:NO_SUCH"', '"25:00"', '"24:61"'),
    *(
        '"2026-11-15"',
        '"2026-02-30"',
        '"kiwoom"',
        '"trader"',
        '"system"',
        '["a", 1]',
        "[nan]",
        '{ date = "2026-11-15" }',
    ),
    *(
        '{ finish = "08:00" }',
        "{ issues = -3 }",
        '{ faults = [{ kind = "drop", nth = 0 }] }',
        "{ faults = [{ kid = 1 }] }",
    ),
    *('"builtins:int"', '"os:PathLike"', '".x:Y"', '"actors.gateways.port:Feed"', '"runtime.actor:Actor"', '"a:b:c"'),
    *(
        '"actors.risk:Risk"',
        '"actors.trader:Trader"',
        '"actors.gateways.paper:PaperBroker"',
        f'"{"x" * 400}"',
        "= =",
        "'''",
    ),
)
NAMES = (
    "clock",
    "journal",
    "data",
    "rng",
    "vitals",
    "system",
    "feed",
    "broker",
    "use",
    "replicas",
    "a b",
    "",
    "ü",
    "x" * 300,
)
GARBAGE = (
    "\0",
    "[[actor]]",
    "]",
    "= 3",
    "[actor.risk]",
    "actor = 3",
    "[gateway]",
    "\ufeff",
    "a.b.c = 1",
    "[" * 3_000,
    '"' * 3,
)
Mutation = Callable[[random.Random, str], str | bytes]


def place(rng: random.Random, pattern: re.Pattern[str], text: str) -> re.Match[str]:
    return rng.choice(list(pattern.finditer(text)) or list(re.finditer(r"\Z", text)))


def drop_a_key(rng: random.Random, text: str) -> str:
    found = place(rng, KEY, text)
    return text[: found.start()] + text[found.end() :]


def rename_a_key(rng: random.Random, text: str) -> str:
    found = place(rng, KEY, text)
    value = found[0].partition("=")[2]
    typo = rng.choice([found[0].partition("=")[0].strip()[:-1], f'"{rng.choice(NAMES)}"'])
    return f"{text[: found.start()]}{typo} = {value}{text[found.end() :]}"


def change_a_value(rng: random.Random, text: str) -> str:
    found = place(rng, KEY, text)
    return f"{text[: found.start()]}{found[0].partition('=')[0]}= {rng.choice(VALUES)}{text[found.end() :]}"


def change_a_number(rng: random.Random, text: str) -> str:
    found = place(rng, re.compile(r"(?<== )[\d_.]+"), text)
    return f"{text[: found.start()]}{rng.choice(('-', '9999999', 'x', '0.'))}{found[0]}{text[found.end() :]}"


def repeat_a_key(rng: random.Random, text: str) -> str:
    found = place(rng, KEY, text)
    return f"{text[: found.end()]}\n{found[0]}{text[found.end() :]}"


def drop_a_table(rng: random.Random, text: str) -> str:
    found = place(rng, TABLE, text)
    return text[: found.start()] + text[found.end() :]


def repeat_a_table(rng: random.Random, text: str) -> str:
    found = place(rng, TABLE, text)
    other = found[0].replace("[actor.", "[actor.second_", 1) if rng.random() < 0.7 else found[0]
    return f"{text}\n{other}"


def rename_a_table(rng: random.Random, text: str) -> str:
    found = place(rng, HEADER, text)
    kind = rng.choice(("actor", "gateway", "actr", "system"))
    name = rng.choice((*NAMES, "kiwoom", "paper", "screener"))
    return f'{text[: found.start()]}[{kind}."{name}"]{text[found.end() :]}'


def swap_two_values(rng: random.Random, text: str) -> str:
    one, other = sorted((place(rng, KEY, text), place(rng, KEY, text)), key=lambda match: match.start())
    if one.start() == other.start():
        return text
    first, second = one[0].partition("="), other[0].partition("=")
    middle = text[one.end() : other.start()]
    return f"{text[: one.start()]}{first[0]}={second[2]}{middle}{second[0]}={first[2]}{text[other.end() :]}"


def make_a_circle(rng: random.Random, text: str) -> str:
    circle = (
        f'\n[gateway.one]\nuse = "actors.gateways.paper:PaperBroker"\nfeed = "two"\ncash = {rng.randint(-9, 9)}\n'
        '[gateway.two]\nuse = "actors.gateways.paper:PaperBroker"\nfeed = "one"\ncash = 1\n'
    )
    return text + circle


def insert_garbage(rng: random.Random, text: str) -> str:
    lines = text.splitlines()
    lines.insert(rng.randint(0, len(lines)), rng.choice(GARBAGE))
    return "\n".join(lines)


def cut_off(rng: random.Random, text: str) -> str:
    return text[: rng.randint(0, len(text))]


def foreign_bytes(rng: random.Random, text: str) -> bytes:
    korean = f"# 한글 설정\n{text}".encode(rng.choice(("cp949", "utf-16", "utf-8-sig", "euc-kr")), "replace")
    at = rng.randint(0, len(korean))
    return korean if rng.random() < 0.7 else korean[:at] + rng.randbytes(3) + korean[at:]


MUTATIONS: tuple[Mutation, ...] = (
    *(drop_a_key, rename_a_key, change_a_value, change_a_value, change_a_value, change_a_number, repeat_a_key),
    *(drop_a_table, repeat_a_table, rename_a_table, swap_two_values, make_a_circle, insert_garbage, cut_off),
    foreign_bytes,
)


def mutated(seed: int) -> bytes:
    rng = random.Random(seed)
    text: str | bytes = rng.choice(EXAMPLES)
    for _ in range(rng.randint(1, 2)):
        if isinstance(text, str):
            text = rng.choice(MUTATIONS)(rng, text)
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.timeout(300)
def test_a_thousand_mutated_configs_pass_or_are_refused_in_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mutated.toml"
    refused = 0
    for seed in SEEDS:
        path.write_bytes(mutated(seed))
        try:
            check(path)
        except typer.Exit as ended:
            said = capsys.readouterr().err
            assert ended.exit_code == 2, f"{seed}: {said}"  # noqa: PT017 - not every mutation is refused
            assert said, seed
            assert all(REFUSAL.fullmatch(line) for line in said.splitlines()), f"{seed}: {said}"
            refused += 1
        else:
            capsys.readouterr()
        assert list(tmp_path.iterdir()) == [path], f"{seed}: something was started"

    assert 600 < refused < 950, "the mutations break too little or too much to prove anything"


@pytest.mark.parametrize(
    ("find", "replace", "named"),
    [
        ("max_order_value = 5_000_000", "max_order_value = -1", "[actor.risk] max_order_value"),
        ("max_positions = 10", "max_positions = 1e3", "[actor.risk] max_positions"),
        ("stop_loss = 3.0", "stop_loss = 100.0", "[actor.guardian] stop_loss"),
        ("max_daily_loss = 2.0", "max_daily_loss = nan", "[actor.guardian] actor.guardian.max_daily_loss"),
        ('flatten_at = "15:15"', 'flatten_at = "3pm"', "[actor.guardian] flatten_at"),
        ('use = "actors.risk:Risk"', 'use = "actors.risk:Risk"\nreplicas = 2', "[actor.risk] replicas"),
        ("period = 10.0", "period = 0.0", "[actor.recorder] period"),
        ("top = 30", "top = 0", "[actor.screener] top"),
        ('feed = "kiwoom"\ntop', 'feed = "kiwoom"\nclock = "kiwoom"\ntop', "[actor.screener] clock"),
        ('universe = "screener"', 'universe = "screner"', "did you mean screener?"),
        ('universe = "screener"', 'symbols = ["삼성전자"]', "[actor.momentum] symbols"),
        ('"2026-11-18"', '"2026-11-15"', "no trading day; the next one is 2026-11-16"),
        ('"2026-11-18"', '"2026-02-30"', "[gateway.kiwoom] twin"),
        ("issues = 30", 'issues = 30, finish = "25:00"', "finish = '25:00'"),
        ("issues = 30", "issues = 30, latency_ms = [9, 3]", "the shortest comes first"),
        ("issues = 30", 'issues = 30, faults = [{ kind = "drop", chnce = 1.0 }]', "faults: number 1"),
        ("[gateway.kiwoom]", "[gateway.clock]", "the system has a part of that name"),
        ('control = "twin"\ntwin', 'control = "activex"\n#', 'set time = "real"'),
    ],
)
def test_nonsense_is_named_before_anything_starts(
    find: str, replace: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = (ROOT / "examples" / "demo.toml").read_text(encoding="utf-8")
    assert find in demo
    path = tmp_path / "nonsense.toml"
    path.write_text(demo.replace(find, replace, 1), encoding="utf-8")

    with pytest.raises(typer.Exit) as ended:
        check(path)

    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.exit_code == 2
    assert named in line


def test_a_config_without_risk_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo = (ROOT / "examples" / "demo.toml").read_text(encoding="utf-8")
    path = tmp_path / "fearless.toml"
    path.write_text(re.sub(r"\[actor\.risk\].*?(?=\[actor\.)", "", demo, flags=re.DOTALL), encoding="utf-8")

    with pytest.raises(typer.Exit):
        check(path)

    assert "publishes OrderIntent, which nobody carries out" in capsys.readouterr().err
