"""What an actor says is looked at before it is said, and what keeps it warm can end nothing."""

import math
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from messages import Evidence, Message, Nanoseconds, Won
from runtime.actor import Actor, Wiring, handles
from runtime.testing import Stage, in_virtual_time

EVIDENCE = Evidence(last=Won(1), ask=Won(1), bid=Won(1), time=Nanoseconds(1))


class Measured(Message):
    count: int = 1
    figure: float = 1.5
    word: str = "값"
    evidence: Evidence = EVIDENCE


class Tell(Message):
    pass


class Speaker(Actor, publishes=(Measured,)):
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
    "fields",
    [
        {"count": 1.5},
        {"count": "1"},
        {"figure": math.nan},
        {"figure": -math.inf},
        {"word": "half \udcff a character"},
        {"word": None},
        {"evidence": msgspec.structs.replace(EVIDENCE, last=math.nan)},
        {"evidence": None},
    ],
    ids=str,
)
@in_virtual_time
async def test_what_could_not_be_read_back_from_the_journal_is_not_said(fields: dict[str, Any]) -> None:
    stage = Stage(Speaker(Measured(**fields)))
    await stage.start()
    with pytest.raises((Wiring, UnicodeEncodeError)):
        stage.tell(Tell())

    assert stage.said == []


@pytest.mark.parametrize("fields", [{}, {"count": -(2**63)}, {"count": 2**63 - 1}, {"word": ""}], ids=str)
@in_virtual_time
async def test_what_can_be_is_said_as_it_is(fields: dict[str, Any]) -> None:
    message = Measured(**fields)
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
