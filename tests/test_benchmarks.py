"""A benchmark that judges says so with its exit code too."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import flood, halt, shop, soak
from benchmarks.soak import Sample


def sample(minute: int, **figures: Any) -> Sample:
    plain: dict[str, Any] = dict.fromkeys(Sample._fields, 0)
    plain |= {"time": f"{8 + minute // 60:02}:{minute % 60:02}:00", "simulated_h": minute / 60}
    plain |= {"memory_mb": 100.0, "threads": 3}
    return Sample(**(plain | figures))


@pytest.mark.parametrize(
    ("figure", "grows"),
    [("memory_mb", 2.0), ("handles", 1), ("tasks", 1), ("threads", 1)],
)
def test_a_soak_that_holds_ever_more_is_missed_and_a_flat_one_met(figure: str, grows: float) -> None:
    flat = [sample(minute) for minute in range(0, 480, 10)]
    steps = [getattr(one, figure) + round(one.simulated_h * grows, 3) for one in flat]

    assert soak.show(flat, 8)
    assert not soak.show([one._replace(**{figure: step}) for one, step in zip(flat, steps, strict=True)], 8)


def test_a_soak_of_a_few_samples_proves_nothing() -> None:
    assert not soak.show([sample(minute) for minute in range(3)], 8)


def test_a_flood_whose_counts_differ_by_one_is_wrong() -> None:
    def outcomes(*, handled: int, passed: int) -> Any:
        box = SimpleNamespace(offered=5, handled=handled, conflated=1, refused=1, depth=1)
        counts = {"received": 9, "passed": passed, "conflated": 1, "rejected": 0, "silent": 0}
        line = SimpleNamespace(intake=SimpleNamespace(counts=counts), emitted=9)
        return SimpleNamespace(line=line, mailboxes={"risk": box})

    assert flood.balance(outcomes(handled=2, passed=8))
    assert not flood.balance(outcomes(handled=1, passed=8))
    assert not flood.balance(outcomes(handled=2, passed=7))


@pytest.mark.parametrize(("found", "code", "ends"), [(2, 0, 0), (1, 0, 1), (0, 0, 1), (2, 4, 1)])
def test_a_kill_switch_that_was_not_measured_each_time_is_a_failure(found: int, code: int, ends: int) -> None:
    assert halt.show([(0.02, 0.05)] * found, 2, code) == ends


def test_what_the_kill_switch_is_tried_on_is_there_once_when_its_file_is_run_as_a_program() -> None:
    assert re.findall(r"benchmarks\.(\w+):", halt.CONFIG) == ["shop", "shop"]
    assert halt.Eager is shop.Eager
