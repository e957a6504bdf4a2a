"""Parts answer verbs; what is asked wrongly gets one clear line."""

import asyncio
from enum import StrEnum

import pytest

from runtime.outside.verbs import Answer, Declined, answers, ask, known


class Taste(StrEnum):
    SWEET = "sweet"


class Cook:
    """Answers at once and later."""

    @answers("taste")
    def taste(self, *, what: Taste, much: int = 1) -> Answer:
        return {"what": what, "much": much}

    @answers("boil")
    async def boil(self) -> Answer:
        await asyncio.sleep(0)
        raise Declined("no water")

    def unasked(self) -> Answer:
        raise AssertionError


class Waiter:
    @answers("taste")
    def taste(self) -> Answer:
        return {}


def asked(verb: str, **arguments: object) -> Answer:
    return asyncio.run(ask(known([Cook(), Waiter()]), verb, arguments))


def test_the_first_part_that_knows_a_verb_answers_with_checked_arguments() -> None:
    assert asked("taste", what="sweet") == {"what": Taste.SWEET, "much": 1}


@pytest.mark.parametrize(
    ("verb", "arguments", "line"),
    [
        ("dance", {}, "unknown command 'dance'; known: boil, taste"),
        ("taste", {"what": "sour"}, "taste: Invalid enum value 'sour'"),
        ("taste", {"what": "sweet", "much": "two"}, "taste: Expected `int`, got `str`"),
        ("taste", {"what": "sweet", "salt": 1}, "taste knows no 'salt'; known: what, much"),
        ("taste", {}, "taste needs what"),
        ("boil", {}, "no water"),
    ],
)
def test_what_will_not_do_is_one_line(verb: str, arguments: dict[str, object], line: str) -> None:
    with pytest.raises(Declined) as refusal:
        asked(verb, **arguments)

    assert str(refusal.value) == line
