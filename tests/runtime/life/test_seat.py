"""What an actor says is looked at before it is said, and what keeps it warm can end nothing."""

import math
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from messages import Evidence, Message, Nanoseconds, Side, Won
from runtime.actor import Actor, Wiring, handles
from runtime.testing import Stage, in_virtual_time

EVIDENCE = Evidence(last=Won(1), ask=Won(1), bid=Won(1), time=Nanoseconds(1))


class Measured(Message):
    count: int = 1
    figure: float = 1.5
    word: str = "값"
    evidence: Evidence = EVIDENCE


class Told(Message):
    """Plain: a look at its types tells almost all."""

    count: int = 1
    word: str = "값"
    side: Side = Side.BUY
    certain: bool = True


class Tell(Message):
    pass


class Speaker(Actor, publishes=(Measured, Told)):
    """Says what it was given; keeping it warm fails from the second time on."""

    def __init__(self, said: Message) -> None:
        self.said = said
        self.warmed = 0

    @handles
    def on_tell(self, _: Tell) -> None:
        self.publish(self.said)

    def keep_warm(self) -> None:
        self.warmed += 1
        if self.warmed == 2:
            raise RuntimeError("cold")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Measured, {"count": 1.5}),
        (Measured, {"figure": math.nan}),
        (Measured, {"figure": -math.inf}),
        (Measured, {"word": "half \udcff a character"}),
        (Measured, {"evidence": msgspec.structs.replace(EVIDENCE, last=math.nan)}),
        (Measured, {"evidence": None}),
        (Told, {"count": "1"}),
        (Told, {"count": True}),
        (Told, {"word": None}),
        (Told, {"word": "half \udcff a character"}),
        (Told, {"side": "sideways"}),
        (Told, {"certain": 1}),
    ],
    ids=str,
)
@in_virtual_time
async def test_what_could_not_be_read_back_from_the_journal_is_not_said(
    kind: type[Message], fields: dict[str, Any]
) -> None:
    stage = Stage(Speaker(kind(**fields)))
    await stage.start()
    with pytest.raises((Wiring, UnicodeEncodeError)):
        stage.tell(Tell())

    assert stage.said == []


@pytest.mark.parametrize("kind", [Measured, Told])
@pytest.mark.parametrize("fields", [{}, {"count": -(2**63)}, {"count": 2**63 - 1}, {"word": ""}], ids=str)
@in_virtual_time
async def test_what_can_be_is_said_as_it_is(kind: type[Message], fields: dict[str, Any]) -> None:
    message = kind(**fields)
    stage = Stage(Speaker(message))
    await stage.start()
    stage.tell(Tell())

    assert stage.said == [message]


@in_virtual_time
async def test_keeping_an_actor_warm_says_nothing_and_a_failure_of_it_is_told_once_and_fails_nobody() -> None:
    speaker = Speaker(Measured())
    stage = Stage(speaker)
    stage.seat.keep_warm()
    await stage.start()
    stage.tell(Tell())
    with capture_logs() as lines:
        for _ in range(4):
            stage.seat.keep_warm()

    assert speaker.warmed == 2, "not before it has started, and not after it failed"
    assert [line["event"] for line in lines] == ["is kept warm no longer"]
    assert stage.said == [Measured()]
    assert stage.failures == []


@in_virtual_time
async def test_who_has_said_goodbye_is_kept_warm_no_longer() -> None:
    speaker = Speaker(Told())
    stage = Stage(speaker)
    await stage.start()
    await stage.stop()
    stage.seat.keep_warm()

    assert speaker.warmed == 0
