import pytest

from actors.market.venues import spell, split
from messages import Symbol, Venue


@pytest.mark.parametrize(("code", "venue"), [("005930", Venue.KRX), ("005930_NX", Venue.NXT), ("005930_AL", Venue.SOR)])
def test_a_code_names_its_venue_as_kiwoom_spells_it(code: str, venue: Venue) -> None:
    assert split(code) == (Symbol("005930"), venue)
    assert spell(Symbol("005930"), venue) == code


@pytest.mark.parametrize("code", ["005930_", "005930_nx", "005930_NX_AL", "005930_KRX"])
def test_a_venue_that_is_none_is_one_line(code: str) -> None:
    with pytest.raises(ValueError, match=f"^'{code}' names no venue: write the code alone, with _NX, or with _AL$"):
        split(code)
