"""What a person reads of orders and positions, on a terminal that is narrow."""

from pathlib import Path
from typing import Any

import pytest

from tests.commands.test_operate import answering, typed

LONG: dict[str, Any] = {
    "order": "12:1234567",
    "broker": "0001234",
    "symbol": "005930",
    "strategy": "mean_reversion",
    "side": "sell",
    "kind": "limit",
    "price": 1_071_000,
    "quantity": 12_345,
    "filled": 2_345,
    "open": 10_000,
    "phase": "submitting",
}


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of eighty columns."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.usefixtures("narrow")
def test_no_figure_is_cut_off_where_the_terminal_is_narrow(tmp_path: Path) -> None:
    with answering(tmp_path, lambda _: {"orders": [LONG]}):
        shown = typed("orders", tmp_path).stdout

    for words in ("12:1234567", "0001234", "005930", "mean_reversion", "1,071,000", "12,345", "2,345", "submitting"):
        assert words in shown
    assert "…" not in shown
