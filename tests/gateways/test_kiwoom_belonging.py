"""The books in a data folder are of one account: another one's orders and shares are never mixed with them."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors.gateways.kiwoom.login import LoginRefused
from runtime.testing import in_virtual_time
from tests.gateways.kiwoom_bench import Bench

REAL: dict[str, Any] = {"server": "real", "live_confirmation": "0011"}
OTHER_FIRST = "8000000022;8000000011;"


async def life(folder: Path, keys: dict[str, Any], changes: dict[str, Any], *, trades: bool = True) -> None:
    """One connection, with orders or only for prices."""
    bench = Bench(folder, **keys)
    vars(bench.control).update(changes)
    async with bench.gateway:
        if trades:
            await bench.gateway.open(bench.reports.append, ())


def played(scene: Callable[[], Any]) -> None:
    in_virtual_time(scene)()


@pytest.mark.parametrize(
    ("keys", "changes"),
    [({}, {"accounts": OTHER_FIRST}), (REAL, {"server": "0"}), ({"account": "0022"}, {})],
    ids=["listed first today", "on the other server", "named"],
)
def test_another_account_is_refused_in_one_line_before_it_trades(
    keys: dict[str, Any], changes: dict[str, Any], tmp_path: Path
) -> None:
    async def scene() -> None:
        await life(tmp_path, {}, {})
        with pytest.raises(LoginRefused, match="of another account") as refused:
            await life(tmp_path, keys, changes)
        assert "80000000" not in str(refused.value)

    played(scene)


def test_the_same_account_goes_on_whichever_is_listed_first(tmp_path: Path) -> None:
    async def scene() -> None:
        await life(tmp_path, {}, {})
        await life(tmp_path, {"account": "8000000011"}, {"accounts": OTHER_FIRST})

    played(scene)
    assert "80000000" not in (tmp_path / "account.txt").read_text()


def test_who_only_reads_prices_claims_no_folder(tmp_path: Path) -> None:
    async def scene() -> None:
        await life(tmp_path, {}, {}, trades=False)
        await life(tmp_path, {}, {"accounts": OTHER_FIRST})

    played(scene)


@pytest.mark.parametrize("left", ["", "\x00\x00", "half a li"])
def test_what_a_crash_left_of_the_mark_refuses_nobody(left: str, tmp_path: Path) -> None:
    (tmp_path / "account.txt").write_text(left)

    async def scene() -> None:
        await life(tmp_path, {}, {})
        with pytest.raises(LoginRefused):
            await life(tmp_path, {}, {"accounts": OTHER_FIRST})

    played(scene)


def test_a_mark_of_before_salts_counts_and_gets_one(tmp_path: Path) -> None:
    mark = tmp_path / "account.txt"
    older = hashlib.sha256(b"mock 8000000011").hexdigest()
    mark.write_text(f"{older}\n")

    async def scene() -> None:
        with pytest.raises(LoginRefused):
            await life(tmp_path, {}, {"accounts": OTHER_FIRST})
        assert mark.read_text() == f"{older}\n"
        await life(tmp_path, {}, {})
        with pytest.raises(LoginRefused):
            await life(tmp_path, {}, {"accounts": OTHER_FIRST})

    played(scene)
    assert len(mark.read_text()) == 97, "16 bytes of salt and 32 of digest"


def test_two_folders_of_one_account_do_not_show_that_they_are(tmp_path: Path) -> None:
    async def scene() -> None:
        await life(tmp_path / "a", {}, {})
        await life(tmp_path / "b", {}, {})

    played(scene)
    first, second = ((tmp_path / name / "account.txt").read_text() for name in "ab")
    assert first != second
