"""Answers of the control that are not what its description says."""

from typing import Any, cast

import pytest

from actors.gateways.kiwoom.control import Calls, Control
from actors.gateways.kiwoom.login import LoginFailed, refuse_failure
from tests.gateways.fake_control import FakeControl


def table_of(answer: Any) -> list[list[str]]:
    control = FakeControl()
    control.on_GetCommDataEx = lambda _tr, _record: answer  # type: ignore[method-assign]
    return Calls(cast("Control", control)).table("opt10075", "미체결")


@pytest.mark.parametrize(
    ("answer", "table"), [(None, []), ([["1", None, " 2 "]], [["1", "", "2"]]), (["0000007", "A005930"], [])]
)
def test_a_cell_of_nothing_is_blank_and_what_is_no_table_has_no_rows(answer: Any, table: list[list[str]]) -> None:
    assert table_of(answer) == table


def test_a_control_that_answers_nothing_to_a_login_has_not_begun_one() -> None:
    with pytest.raises(LoginFailed, match="no return value"):
        refuse_failure(None)
