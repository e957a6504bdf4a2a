import importlib.util

import pytest

from actors.gateways.kiwoom import activex


@pytest.mark.skipif(importlib.util.find_spec("PyQt5.QAxContainer") is not None, reason="this machine has QAxContainer")
def test_where_there_is_no_control_one_line_says_what_to_use_instead() -> None:
    with pytest.raises(activex.NoControlError) as refused:
        activex.open_control()
    assert 'control = "twin"' in str(refused.value)
    assert "\n" not in str(refused.value)
