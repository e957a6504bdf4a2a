"""The secrets campaign: what it finds where nothing is hidden, and that nothing is found where it is."""

import logging
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from random import Random

import pytest

import messages
from actors.campaigns.secrecy import secrets
from actors.campaigns.secrecy.leaks import Secret, account, leaks, token
from messages import Message
from runtime import logs

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _forget() -> Generator[None]:
    logs.forget()
    yield
    logs.forget()


def without_the_handlers_of_the_test_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])


def test_no_planted_secret_shows_in_any_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_the_handlers_of_the_test_runner(monkeypatch)
    outcomes = secrets.plant(tmp_path, 300, seed=1)
    assert outcomes.failures == []
    assert outcomes.count(secrets.HIDDEN) == 300


@pytest.mark.parametrize("way", [way for way in (*secrets.SAID, *secrets.WRITTEN) if way != "refusal of a config"])
def test_the_search_finds_what_nobody_hid(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_the_handlers_of_the_test_runner(monkeypatch)
    secret = Secret("Qq81zzT0pw9", "Qq81zzT0pw9")
    secrets.plant_one(way, tmp_path, f"refused: {secret.value}")
    assert leaks(tmp_path, [secret])


def test_an_account_number_is_found_in_any_of_its_spellings(tmp_path: Path) -> None:
    rng = Random(1)
    for _ in range(50):
        secret = account(rng)
        (tmp_path / "out").write_text(f"x{secret.written(rng)}y", encoding="utf-8")
        assert leaks(tmp_path, [secret])
        assert not leaks(tmp_path, [token(rng)])


def test_no_message_has_a_field_for_an_account_or_a_secret() -> None:
    telling = ("account", "acct", "password", "secret", "token", "key_", "credential", "계좌")
    for name in messages.__all__:
        kind = getattr(messages, name)
        if isinstance(kind, type) and issubclass(kind, Message):
            fields = [field for field in kind.__struct_fields__ if any(word in field for word in telling)]
            assert not fields, name


def test_the_journal_keeps_numbers_and_codes_that_look_like_something_hidden() -> None:
    logs.hide("8012345611", "account 1")
    logs.hide("005930")
    body = b'{"type":"X","symbol":"005930","cash":8012345611,"reason":"refused for 8012-3456-11, pin 005930"}'
    kept = b'{"type":"X","symbol":"005930","cash":8012345611,"reason":"refused for account 1, pin ***"}'
    assert logs.without_secrets(body) == kept


def test_a_whole_run_writes_its_account_number_nowhere(tmp_path: Path) -> None:
    secret = Secret("8031237711", "8031237711", digits=True)
    settings = (
        f"system.data={tmp_path / 'data'}",
        "system.fresh=false",
        f'gateway.kiwoom.twin.account="{secret.value}"',
        'gateway.kiwoom.twin.begin="08:59"',
        'gateway.kiwoom.twin.finish="09:01"',
        "gateway.kiwoom.twin.issues=3",
    )
    program = [sys.executable, "-c", "from actors.commands import main; main()", "run", "--json", "examples/demo.toml"]
    command = program + [part for setting in settings for part in ("--set", setting)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=50)
    (tmp_path / "said").write_bytes(done.stdout + done.stderr)
    assert (tmp_path / "data" / "runs" / "00001" / "summary.json").exists()
    assert leaks(tmp_path, [secret]) == []
