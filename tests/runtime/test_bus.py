"""Messages are numbered once, routed by class and subject, and every one is accounted for."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messages import (
    Aggressor,
    HaltTrading,
    Message,
    Nanoseconds,
    OrderBook,
    OrderFilled,
    Session,
    SessionChanged,
    Shares,
    Symbol,
    Tick,
    Won,
)
from runtime.actor import Handler
from runtime.bus import Bus, Subscription
from runtime.clock import SteppedClock
from runtime.envelope import Envelope
from runtime.mailbox import ORDER_STREAK, Mailbox, OrderLaneFull
from runtime.pump import WARM_SECONDS, Pump


def tick(symbol: str = "005930", price: int = 100) -> Tick:
    return Tick(
        symbol=Symbol(symbol),
        time=Nanoseconds(0),
        received=Nanoseconds(0),
        price=Won(price),
        size=Shares(1),
        side=Aggressor.BUYER,
        volume=Shares(1),
        value=Won(price),
        ask=Won(price),
        bid=Won(price),
        open=Won(price),
        high=Won(price),
        low=Won(price),
        strength=100.0,
    )


def book(symbol: str = "005930", total: int = 1) -> OrderBook:
    return OrderBook(
        symbol=Symbol(symbol),
        time=Nanoseconds(0),
        received=Nanoseconds(0),
        ask_prices=(),
        ask_sizes=(),
        bid_prices=(),
        bid_sizes=(),
        ask_total=Shares(total),
        bid_total=Shares(0),
    )


def session() -> SessionChanged:
    return SessionChanged(session=Session.CONTINUOUS, time=Nanoseconds(0))


@dataclass
class Listener:
    """A mailbox and all it was given, in order."""

    mailbox: Mailbox
    heard: list[Message] = field(default_factory=list[Message])

    def hear(self, message: Message) -> None:
        self.heard.append(message)


class Hall:
    """A bus, a pump and any number of listeners, without actors."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = SteppedClock(1_000)
        self.bus = Bus(self.clock)
        self.bus.begin(3, None)
        self.pump = Pump(self.loop)
        self.pump.bus = self.bus
        self.overflows: list[str] = []
        self.recoveries: list[str] = []
        self.failures: list[str] = []
        self.pump.recovered = self._recovered
        self.pump.failed = lambda _box, _envelope, error: self.failures.append(str(error))

    def _recovered(self, mailbox: Mailbox) -> None:
        self.recoveries += sorted(mailbox.gaps)
        mailbox.gaps.clear()

    def listener(self, *types: type[Message], latest: bool = False, bound: int = 100, orders: int = 1000) -> Listener:
        mailbox = Mailbox(
            "listener",
            self.pump.ready,
            lambda _box, message: self.overflows.append(type(message).__name__),
            market_bound=bound,
            order_bound=orders,
        )
        listener = Listener(mailbox)
        subscription = Subscription(mailbox, [Handler("hear", types, latest)])
        self.bus.subscribe(subscription)
        self.pump.attach(mailbox, dict.fromkeys(subscription.latest, listener.hear))
        return listener

    def drain(self) -> None:
        while not self.pump.idle:
            self.pump.turn()

    def close(self) -> None:
        self.loop.close()


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall()
    yield hall
    hall.close()


def test_numbers_start_at_the_run_and_grow_by_one(hall: Hall) -> None:
    numbers = [hall.bus.publish(tick(), "feed") for _ in range(3)]
    assert numbers == [(3 << 40) + 1, (3 << 40) + 2, (3 << 40) + 3]


def test_a_message_reaches_every_mailbox_that_handles_its_class_and_no_other(hall: Hall) -> None:
    ticks, books = hall.listener(Tick), hall.listener(OrderBook)
    hall.bus.publish(tick(), "feed")
    hall.drain()
    assert (len(ticks.heard), len(books.heard)) == (1, 0)


def test_a_handler_of_a_base_class_takes_all_that_derive_from_it(hall: Hall) -> None:
    everything = hall.listener(Message)
    for message in (tick(), book(), session()):
        hall.bus.publish(message, "feed")
    hall.drain()
    assert {type(message) for message in everything.heard} == {Tick, OrderBook, SessionChanged}


def test_a_listener_hears_only_the_symbols_it_asked_for(hall: Hall) -> None:
    some, everything = hall.listener(Tick, SessionChanged), hall.listener(Tick)
    hall.bus.listen(some.mailbox, ["000660"])
    for symbol in ("005930", "000660", "035720"):
        hall.bus.publish(tick(symbol), "feed")
    hall.bus.publish(session(), "feed")
    hall.drain()
    assert [getattr(m, "symbol", "session") for m in some.heard] == ["session", "000660"]
    assert len(everything.heard) == 3


def test_asking_again_replaces_what_was_asked_before(hall: Hall) -> None:
    listener = hall.listener(Tick)
    for subjects, expected in ((["000660"], 0), (["005930"], 1), ([], 1), (None, 2)):
        hall.bus.listen(listener.mailbox, subjects)
        hall.bus.publish(tick(), "feed")
        hall.drain()
        assert len(listener.heard) == expected


def test_the_cause_of_a_message_is_the_one_being_handled(hall: Hall) -> None:
    sent: list[Envelope] = []

    class Tap:
        def append(self, envelope: Envelope) -> None:
            sent.append(envelope)

    hall.bus.begin(1, Tap())
    box = hall.listener(Tick).mailbox
    halt = HaltTrading(reason="test", by="test")

    def handle(_: Message) -> None:
        hall.bus.publish(halt, "risk")

    hall.pump.attach(box, {Tick: handle})
    number = hall.bus.publish(tick(), "feed")
    hall.drain()
    hall.bus.publish(halt, "person")
    assert [envelope.cause for envelope in sent] == [number, 0]


def test_market_data_is_never_journalled(hall: Hall) -> None:
    sent: list[Envelope] = []

    class Tap:
        def append(self, envelope: Envelope) -> None:
            sent.append(envelope)

    hall.bus.begin(1, Tap())
    for message in (tick(), book(), session()):
        hall.bus.publish(message, "feed")
    assert [type(envelope.message) for envelope in sent] == [SessionChanged]


def test_orders_overtake_prices_but_let_one_through_after_a_streak(hall: Hall) -> None:
    listener = hall.listener(Tick, SessionChanged)
    hall.bus.publish(tick(), "feed")
    for _ in range(ORDER_STREAK + 1):
        hall.bus.publish(session(), "feed")
    hall.drain()
    kinds = [type(message) for message in listener.heard]
    assert kinds == [SessionChanged] * ORDER_STREAK + [Tick, SessionChanged]


def test_what_is_weighed_by_prices_stands_behind_them_and_nothing_else_does(hall: Hall) -> None:
    judge = hall.listener(Tick, SessionChanged, HaltTrading, latest=True)
    judge.mailbox.weighs = frozenset({SessionChanged})
    for message in (tick("005930"), HaltTrading(reason="test", by="test"), session(), tick("000660"), session()):
        hall.bus.publish(message, "feed")
    hall.drain()
    assert [type(message) for message in judge.heard] == [HaltTrading, Tick, Tick, SessionChanged, SessionChanged]


def test_what_is_weighed_comes_with_its_prices_in_one_turn_of_its_mailbox(hall: Hall) -> None:
    order: list[str] = []

    def say(who: str, message: Message) -> None:
        order.append(f"{who} {type(message).__name__}")

    judge = hall.listener(Tick, SessionChanged, latest=True)
    judge.mailbox.weighs = frozenset({SessionChanged})
    other = hall.listener(SessionChanged)
    for listener, name in ((judge, "judge"), (other, "other")):
        hear = partial(say, name)
        hall.pump.attach(listener.mailbox, {Tick: hear, SessionChanged: hear})
    for message in (tick("005930"), tick("000660"), session()):
        hall.bus.publish(message, "feed")
    hall.drain()
    assert order == ["judge Tick", "judge Tick", "judge SessionChanged", "other SessionChanged"]


def test_what_has_to_be_quick_is_kept_warm_when_nothing_waits_and_not_more_often_than_it_cools(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("runtime.pump.perf_counter", lambda: now)
    order: list[str] = []
    hall.pump.keep_warm = lambda: order.append("warm")
    listener = hall.listener(Tick)
    hall.pump.attach(listener.mailbox, {Tick: lambda message: order.append(str(message.price))})
    for turns, later in ((2, 0.0), (1, 0.9), (1, 0.2)):
        now += later * WARM_SECONDS
        for price in range(turns):
            hall.bus.publish(tick(price=price), "feed")
        hall.drain()

    assert order == ["0", "1", "warm", "0", "0", "warm"]


def test_a_print_that_an_order_begets_for_its_own_mailbox_does_not_lie_there(hall: Hall) -> None:
    listener = hall.listener(Tick, SessionChanged)

    def answer(message: Message) -> None:
        listener.hear(message)
        hall.bus.publish(tick(price=len(listener.heard)), "listener")

    hall.pump.attach(listener.mailbox, {Tick: listener.hear, SessionChanged: answer})
    hall.bus.publish(tick(), "feed")
    hall.drain()
    for _ in range(3):
        hall.bus.publish(session(), "feed")
    hall.drain()

    assert listener.mailbox.empty()
    assert len(listener.heard) == 7


def test_latest_keeps_only_the_newest_of_each_subject_in_the_old_place(hall: Hall) -> None:
    listener = hall.listener(Tick, latest=True)
    for symbol, price in (("A", 1), ("B", 2), ("A", 3)):
        hall.bus.publish(tick(symbol, price), "feed")
    hall.drain()
    assert [(m.symbol, m.price) for m in listener.heard if isinstance(m, Tick)] == [("A", 3), ("B", 2)]
    assert listener.mailbox.statistics(0).conflated == 1


def test_a_full_lane_replaces_books_and_refuses_prints_with_one_alarm_a_symbol(hall: Hall) -> None:
    listener = hall.listener(Tick, OrderBook, bound=2)
    for message in (book(total=1), tick(), book(total=2), tick(), tick()):
        hall.bus.publish(message, "feed")
    assert hall.overflows == ["Tick"]
    hall.drain()
    assert [m.ask_total for m in listener.heard if isinstance(m, OrderBook)] == [2]
    assert hall.recoveries == ["005930"]
    counts = listener.mailbox.statistics(0)
    assert (counts.offered, counts.handled, counts.conflated, counts.refused) == (5, 2, 1, 2)


def test_a_full_order_lane_is_an_error_of_the_whole_system(hall: Hall) -> None:
    hall.listener(SessionChanged, orders=2)
    hall.bus.publish(session(), "feed")
    hall.bus.publish(session(), "feed")
    with pytest.raises(OrderLaneFull):
        hall.bus.publish(session(), "feed")


def test_a_failing_handler_loses_only_its_own_message(hall: Hall) -> None:
    listener = hall.listener(Tick)

    def handle(message: Message) -> None:
        if isinstance(message, Tick) and message.price == 2:
            raise ValueError("bad tick")
        listener.hear(message)

    hall.pump.attach(listener.mailbox, {Tick: handle})
    for price in (1, 2, 3):
        hall.bus.publish(tick(price=price), "feed")
    hall.drain()
    assert [m.price for m in listener.heard if isinstance(m, Tick)] == [1, 3]
    assert hall.failures == ["bad tick"]
    assert listener.mailbox.statistics(0).handled == 3


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(["tick", "book", "session"]), max_size=60), st.integers(1, 8), st.booleans())
def test_in_equals_handled_plus_conflated_plus_refused(kinds: list[str], bound: int, latest: bool) -> None:
    hall = Hall()
    listener = hall.listener(Tick, OrderBook, SessionChanged, latest=latest, bound=bound)
    make = {"tick": tick, "book": book, "session": session}
    for index, kind in enumerate(kinds):
        hall.bus.publish(make[kind](), "feed")
        if index % 7 == 0:
            hall.pump.turn()
    hall.drain()
    counts = listener.mailbox.statistics(0)
    assert counts.offered == len(kinds) == counts.handled + counts.conflated + counts.refused
    assert counts.handled == len(listener.heard)
    hall.close()


def test_an_order_event_carries_no_float() -> None:
    assert float not in set(OrderFilled.__annotations__.values())


def test_a_patient_listener_is_served_after_the_others_and_gets_everything(hall: Hall) -> None:
    order: list[str] = []
    patient, other = hall.listener(SessionChanged), hall.listener(SessionChanged)
    patient.mailbox.patient = True
    hall.pump.attach(patient.mailbox, {SessionChanged: lambda _: order.append("patient")})
    hall.pump.attach(other.mailbox, {SessionChanged: lambda _: order.append("other")})
    for _ in range(10):
        hall.bus.publish(session(), "feed")
    hall.drain()
    assert order == ["other"] * 10 + ["patient"] * 10


def test_a_patient_listener_is_served_where_each_turn_begins_with_something_new(hall: Hall) -> None:
    patient, busy = hall.listener(SessionChanged), hall.listener(Tick)
    patient.mailbox.patient = True
    hall.bus.publish(session(), "feed")
    for _ in range(3):
        hall.bus.publish(tick(), "feed")
        hall.pump.turn()
    assert len(busy.heard) == 3
    assert len(patient.heard) == 1


def test_the_further_a_patient_listener_is_behind_the_more_it_is_served(hall: Hall) -> None:
    patient = hall.listener(SessionChanged)
    patient.mailbox.patient = True
    for _ in range(640):
        hall.bus.publish(session(), "feed")
    hall.pump.turn()
    assert len(patient.heard) >= 10
    hall.drain()
    assert len(patient.heard) == 640


def test_a_patient_listener_is_served_even_while_others_never_rest(hall: Hall) -> None:
    patient, busy = hall.listener(SessionChanged), hall.listener(Tick)
    patient.mailbox.patient = True

    def again(_: Message) -> None:
        hall.bus.publish(tick(), "busy")

    hall.pump.attach(busy.mailbox, {Tick: again})
    hall.bus.publish(tick(), "feed")
    hall.bus.publish(session(), "feed")
    for _ in range(3):
        hall.pump.turn()
    assert len(patient.heard) == 1
