"""A config that is wrong anywhere is refused in one line with where, what and how to mend it."""

import re
import sys
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any, Literal, Protocol, Self

import msgspec
import pytest

from messages import HaltTrading, Nanoseconds, RunStarted, StopSystem
from runtime.actor import Actor, handles
from runtime.settings.config import Config, ConfigError, convert, describe, load
from runtime.settings.parts import make, plan

HERE = "tests.runtime.settings.test_config"
GOOD = f"""
[system]
data = "var/test"
seed = 7

[gateway.wire]
use = "{HERE}:Wire"
speed = 2.5

[actor.listener]
use = "{HERE}:Listener"
wire = "wire"
limit = 5_000_000
names = ["a", "b"]
"""


class Port(Protocol):
    def listen(self) -> None: ...


class Wire:
    def __init__(self, *, speed: float = 1.0) -> None:
        if speed < 0:
            raise ValueError(f"speed {speed} is negative")
        self.speed = speed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def listen(self) -> None:
        """What makes it a Port."""


class DeafWire:
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


class Shut:
    """No context manager."""


class Listener(Actor, publishes=(StopSystem,)):
    def __init__(self, wire: Port, rng: Random, *, limit: int, names: list[str], key: str = "") -> None:
        self.wire = wire
        self.rng = rng
        self.limit = limit
        self.names = names
        self.key = key

    @handles
    def on_start_of_run(self, message: RunStarted) -> None: ...


class Ambiguous(Actor):
    @handles
    def one(self, message: HaltTrading) -> None: ...

    @handles
    def two(self, message: HaltTrading) -> None: ...


def read(tmp_path: Path, text: str, *overrides: str) -> Config:
    path = tmp_path / "test.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, overrides)


def refusal(tmp_path: Path, text: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        plan(read(tmp_path, text, *overrides))
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_keys_fill_the_constructor_and_positionals_name_other_parts(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    wire, listener = plan(config)
    built = {"wire": make(config, wire, {})}
    actor = make(config, listener, built)
    assert (actor.wire, actor.limit, actor.names) == (built["wire"], 5_000_000, ["a", "b"])
    assert config.system.seed == 7


def test_parts_come_after_those_they_need(tmp_path: Path) -> None:
    head, _, tail = GOOD.partition("[gateway.wire]")
    gateway, _, actor = tail.partition("[actor.listener]")
    swapped = f"{head}[actor.listener]{actor}\n[gateway.wire]{gateway}"
    assert [part.table.name for part in plan(read(tmp_path, swapped))] == ["wire", "listener"]


@pytest.mark.parametrize(
    ("find", "replace", "expected"),
    [
        ('data = "var/test"', "", "[system]: missing or without `data`"),
        ("seed = 7", "sede = 7", "[system] sede: unknown key; did you mean seed?"),
        ("seed = 7", 'seed = "x"', "[system] seed: 'x' will not do"),
        ("[gateway.wire]", "[getaway.wire]", "[getaway]: no such table; did you mean gateway?"),
        (f'use = "{HERE}:Wire"', "", "[gateway.wire] use: None names no class"),
        (f"{HERE}:Wire", "nowhere:Wire", "no module nowhere"),
        (f"{HERE}:Wire", f"{HERE}:Wier", "has no class Wier; did you mean Wire?"),
        (f"{HERE}:Wire", f"{HERE}:Listener", "Listener is an actor"),
        (f"{HERE}:Listener", f"{HERE}:Wire", "Wire is no actor"),
        ("speed = 2.5", "speed = 'fast'", "[gateway.wire] speed: 'fast' will not do"),
        ("speed = 2.5", "sped = 2.5", "did you mean speed?"),
        ('wire = "wire"', "", "key wire is missing"),
        ('wire = "wire"', 'wire = "wrie"', "there is no gateway called 'wrie'; did you mean wire?"),
        ('wire = "wire"', "wire = 3", "3 is no part's name"),
        ("limit = 5_000_000", "", "key limit is missing"),
        ("limit = 5_000_000", "limit = 1.5", "[actor.listener] limit: 1.5 will not do"),
        ('names = ["a", "b"]', 'names = ["a", 1]', "[actor.listener] names:"),
        ("limit = 5_000_000", "limit = 1\nreplicas = 0", "replicas: 0 will not do"),
        ("[actor.listener]", "[actor.wire]", "a gateway is called wire too"),
        ("seed = 7", "seed = = 7", "not valid TOML"),
        (f"{HERE}:Wire", f"{HERE}:DeafWire", "unknown key"),
        (f"{HERE}:Wire", f"{HERE}:Shut", "Shut is no gateway"),
        (f"{HERE}:Wire", f"{HERE}:Port", "Port is abstract"),
        (f"{HERE}:Wire", "builtins:int", "is no gateway"),
        (f"{HERE}:Wire", ".relative:Wire", "cannot be imported"),
        ('wire = "wire"', 'wire = "wire"\nrng = "wire"', "[actor.listener] rng: unknown key"),
        ("[gateway.wire]", "[gateway.journal]", "the system has a part of that name"),
        ("[actor.listener]", '[actor."a/b"]', "will not do as a name"),
        ("seed = 7", "seed = -7", "[system] seed: -7 will not do"),
        ("speed = 2.5", "speed = inf", "inf is no number that a setting can have"),
        ("limit = 5_000_000", f"limit = {'9' * 30}", "too large a number"),
        ("limit = 5_000_000", f"limit = {'9' * 5000}", "a number cannot be read"),
        ('"var/test"', '"a\\u0000b"', "has characters that do not print"),
        ('"var/test"', '""', "[system] data: names no folder"),
        ("limit = 5_000_000", 'limit = 1\nkey = "env:NO_SUCH_SECRET"', "the environment has no NO_SUCH_SECRET"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_mend(tmp_path: Path, find: str, replace: str, expected: str) -> None:
    assert find in GOOD
    line = refusal(tmp_path, GOOD.replace(find, replace))
    assert expected in line
    assert "test.toml" in line


def test_the_line_of_the_mistake_is_given(tmp_path: Path) -> None:
    line = refusal(tmp_path, GOOD.replace("limit = 5_000_000", "limit = 1.5"))
    number = GOOD.splitlines().index("limit = 5_000_000") + 1
    assert f"test.toml:{number}:" in line


def test_a_gateway_that_cannot_do_what_is_asked_is_refused(tmp_path: Path) -> None:
    deaf = GOOD.replace(f"{HERE}:Wire", f"{HERE}:DeafWire").replace("speed = 2.5", "")
    assert "wire (DeafWire) cannot listen" in refusal(tmp_path, deaf)


def test_what_a_constructor_refuses_names_the_key(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD.replace("2.5", "-1.0"))
    with pytest.raises(ConfigError, match=r"\[gateway.wire\] speed: speed -1.0 is negative"):
        make(config, plan(config)[0], {})


def test_set_overrides_a_key_and_changes_the_digest(tmp_path: Path) -> None:
    plain = read(tmp_path, GOOD)
    changed = read(tmp_path, GOOD, "actor.listener.limit=3", "system.seed=8", "gateway.wire.speed=0.5")
    assert plan(changed)[1].keywords["limit"] == 3
    assert changed.system.seed == 8
    assert plain.digest != changed.digest


@pytest.mark.parametrize("override", ["nonsense", "seed=3", "nowhere.key=3", "actor.nobody.key=3"])
def test_an_override_that_hits_nothing_is_refused(tmp_path: Path, override: str) -> None:
    assert "--set" in refusal(tmp_path, GOOD, override) or override == "actor.nobody.key=3"


def test_a_secret_is_looked_up_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SECRET", "swordfish")
    text = GOOD.replace("limit = 5_000_000", 'limit = 1\nkey = "env:TEST_SECRET"')
    config = read(tmp_path, text)
    assert plan(config)[1].keywords["key"] == "swordfish"
    assert "swordfish" not in repr(config.parts)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "test.toml"
    path.write_bytes('[system]\ndata = "한글"'.encode("cp949"))
    with pytest.raises(ConfigError, match="is not UTF-8; save the file as UTF-8"):
        load(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "none.toml")


def test_two_handlers_for_one_class_are_refused() -> None:
    from runtime.actor import Wiring, handlers
    from runtime.bus import check_unambiguous

    with pytest.raises(Wiring, match="one and two both handle HaltTrading"):
        check_unambiguous("ambiguous", handlers(Ambiguous))


def test_a_handler_for_what_is_no_message_is_refused() -> None:
    from runtime.actor import Wiring, handlers

    class Wrong(Actor):
        @handles  # type: ignore[arg-type]
        def on_number(self, number: Nanoseconds) -> None: ...

    with pytest.raises(Wiring, match="takes one message class"):
        handlers(Wrong)


def test_a_secret_in_the_system_table_is_looked_up_for_use_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SECRET", "swordfish")
    text = GOOD.replace("seed = 7", 'alarm = ["tell", "env:TEST_SECRET"]')
    assert read(tmp_path, text).system.alarm == ("tell", "swordfish")


class Locked:
    """A keyring that cannot be asked."""

    @staticmethod
    def get_password(_service: str, _name: str) -> str:
        raise RuntimeError("no backend\nwas found")


def test_a_keyring_that_cannot_be_asked_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Locked)  # type: ignore[arg-type]
    line = refusal(tmp_path, GOOD.replace("limit = 5_000_000", 'limit = 1\nkey = "keyring:kiwoom"'))
    assert "[actor.listener] key: the keyring cannot be asked for kiwoom: no backend was found" in line


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Nested(msgspec.Struct):
    depth: int = 0


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (tuple[Colour, ...], 'a list: "red" or "blue"'),
        (Literal["mock", "real"], '"mock" or "real"'),
        (Nested | None, "a table"),
        (tuple[int, int], "a list: int, int"),
        (float, "float"),
    ],
)
def test_what_is_wanted_is_told_as_it_is_written(wanted: Any, words: str) -> None:
    assert describe(wanted) == words


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    """A table within a table."""

    date: str = ""
    deeper: tuple["Inner", ...] = ()


@pytest.mark.parametrize(
    ("value", "mend"), [({"dat": "x"}, "did you mean date?"), ({"deeper": [{"dat": "x"}]}, "give a table")]
)
def test_an_unknown_key_of_a_table_within_a_table_gets_its_near_spelling(
    tmp_path: Path, value: object, mend: str
) -> None:
    with pytest.raises(ConfigError, match=rf"unknown field `dat`.*; {re.escape(mend)}"):
        convert(read(tmp_path, GOOD), "gateway.wire", "twin", value, Inner | None)
