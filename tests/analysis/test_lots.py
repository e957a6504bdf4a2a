"""What no order brought or took, as fills, by hand."""

from actors.analysis.lots import Lot, Lots
from actors.analysis.performance import round_trips
from messages import Nanoseconds, Symbol

CODE = Symbol("005930")
TIME = Nanoseconds(7)
Told = tuple[str, str, int, int]


def told(lots: Lots, *held: tuple[str, Lot], proceeds: int = 0) -> list[Told]:
    fills = lots.square([(CODE, owner, lot) for owner, lot in held], TIME, "by hand", proceeds=proceeds)
    return [(fill.strategy, fill.side.value, fill.quantity, fill.amount) for fill in fills]


def test_what_is_held_at_the_start_was_bought_at_its_cost_and_is_told_once() -> None:
    lots = Lots()

    assert told(lots, ("a", Lot(10, 1_000)), ("", Lot(5, 600))) == [("a", "buy", 10, 1_000), ("", "buy", 5, 600)]
    assert told(lots, ("a", Lot(10, 1_000)), ("", Lot(5, 600))) == []


def test_what_a_fill_has_left_is_known() -> None:
    lots = Lots()
    lots.note(CODE, "a", Lot(10, 1_000))

    assert told(lots, ("a", Lot(10, 1_000))) == []


def test_shares_that_went_share_what_they_brought() -> None:
    lots = Lots()
    told(lots, ("a", Lot(30, 3_000)), ("", Lot(10, 900)))

    assert told(lots, ("a", Lot(20, 2_000)), proceeds=2_400) == [("a", "sell", 10, 1_200), ("", "sell", 10, 1_200)]


def test_shares_that_were_taken_away_went_at_their_cost() -> None:
    lots = Lots()
    told(lots, ("a", Lot(30, 3_000)))

    assert told(lots, ("a", Lot(20, 2_000))) == [("a", "sell", 10, 1_000)]


def test_a_split_and_a_merger_leave_the_cost_of_the_trip() -> None:
    lots = Lots()
    fills = list(lots.square([(CODE, "a", Lot(10, 1_000))], TIME, "start"))
    fills += lots.square([(CODE, "a", Lot(50, 1_000))], TIME, "split")
    fills += lots.square([(CODE, "a", Lot(5, 1_000))], TIME, "merger")
    (trip,) = round_trips(fills)

    assert (trip.bought, trip.sold, trip.paid, trip.closed) == (5, 0, 1_000, 0)
