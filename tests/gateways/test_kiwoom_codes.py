import re
from pathlib import Path

import pytest

from actors.gateways.kiwoom import codes
from actors.gateways.port import Outcome
from messages import Action, Kind, Market, Session, Side, Validity, Venue

REFERENCE = Path(__file__).parents[2].parent / "shared" / "kiwoom" / "kiwoom-ocx.md"


def test_every_code_of_kiwooms_table_has_a_meaning_and_what_to_do() -> None:
    if not REFERENCE.exists():
        pytest.skip("the API reference is not beside the repository")
    section = REFERENCE.read_text("utf-8").partition("## 7. Error codes")[2].partition("## 8.")[0]
    listed = {int(code) for code in re.findall(r"-\d+(?=[ /|])", section)} | {0, 1}
    assert listed == set(codes.ERRORS)
    assert all(error.mend for error in codes.ERRORS.values() if error.outcome is not Outcome.SENT)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, Outcome.SENT),
        (-200, Outcome.LATER),
        (-308, Outcome.LATER),
        (-300, Outcome.NEVER),
        (-307, Outcome.UNKNOWN),
        (-301, Outcome.HALT),
        (-106, Outcome.UNKNOWN),
        (-999, Outcome.UNKNOWN),
        (7, Outcome.UNKNOWN),
        (None, Outcome.UNKNOWN),
        ("0", Outcome.UNKNOWN),
    ],
)
def test_a_return_value_says_what_to_do(code: object, outcome: Outcome) -> None:
    assert codes.error_of(code).outcome is outcome


def test_only_what_counts_calls_is_asked_again_by_itself() -> None:
    again = {code for code, error in codes.ERRORS.items() if error.outcome is Outcome.LATER}
    assert again == {-13, -200, -209, -210, -211, -308, -311}


@pytest.mark.parametrize("venue", list(Venue))
@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("side", list(Side))
def test_every_request_has_an_order_type_that_reads_back(venue: Venue, action: Action, side: Side) -> None:
    kind = codes.ORDER_TYPES[codes.order_type(venue, action, side)]
    assert (kind.venue, kind.action) == (venue, action)
    assert kind.side in (side, None)


def test_the_order_types_that_are_easily_mistaken() -> None:
    assert codes.order_type(Venue.SOR, Action.REPLACE, Side.BUY) == 15
    assert codes.order_type(Venue.NXT, Action.REPLACE, Side.SELL) == 25
    assert codes.order_type(Venue.KRX, Action.CANCEL, Side.SELL) == 4


def test_order_kinds_read_back_and_what_kiwoom_lacks_is_absent() -> None:
    assert all(codes.KINDS[code] == pair for pair, code in codes.HOGA.items())
    assert codes.HOGA[Kind.MARKET, Validity.IOC] == "13"
    assert (Kind.CONDITIONAL, Validity.IOC) not in codes.HOGA


def test_letters_of_the_session_code_count() -> None:
    assert codes.SESSIONS["3"].session is Session.CONTINUOUS
    assert codes.SESSIONS["a"].session is Session.AFTER_HOURS_CLOSE
    assert codes.SESSIONS["R"].venue is Venue.NXT
    assert codes.SESSIONS["s"].venue is None


@pytest.mark.parametrize(
    ("text", "code"), [("A005930", "005930"), (" Q500001 ", "500001"), ("094480_AL", "094480"), ("0000J0", "0000J0")]
)
def test_codes_lose_prefix_suffix_and_blanks(text: str, code: str) -> None:
    assert codes.bare_code(text) == code


def test_tables_hold_what_the_gateway_reads() -> None:
    assert codes.REAL_TYPES[codes.TRADE].fids[:9] == (20, 10, 11, 12, 27, 28, 15, 13, 14)
    assert codes.REAL_TYPES[codes.BOOK].fids[61:65] == (121, 122, 125, 126)
    assert codes.REAL_TYPES[codes.SESSION].fids == (215, 20, 214)
    assert codes.TRS["opt10080"].rows == 900
    assert codes.TRS["optkwfid"].multi[:4] == ("종목코드", "종목명", "현재가", "기준가")
    assert codes.MARKETS["10"] is Market.KOSDAQ
    assert len(codes.CHEJAN_ORDER_FIDS) == 35
    assert len(codes.CHEJAN_BALANCE_FIDS) == 34
