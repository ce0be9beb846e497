"""Programs of many equations: what equal roundings add up to is counted, and a long sum needs no balls for that."""

from __future__ import annotations

import pytest

import autodiff
from autodiff.api import scalar_answer
from autodiff.api.inputs import parse_point
from autodiff.language import parser
from tests.benchmarks.huge import rosenbrock

TERMS, NUMBER = 60_000, 1.0000000000036
"""From 32,768 on a float64 sum loses all that a term is above 1: 1.6e-12 of the whole."""


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_equal_roundings_of_a_long_sum_are_counted(mode: str) -> None:
    found = autodiff.evaluate(" + ".join(["x*y"] * TERMS), {"x": NUMBER, "y": 1.0}, mode=mode)
    assert found.status == "ok"
    assert found.value == pytest.approx(60000.000000216, rel=1e-13)
    assert found.gradient["y"] == pytest.approx(60000.000000216, rel=1e-13)


def test_a_sum_of_8000_equations_is_sure_without_balls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scalar_answer, "_in_balls", lambda *_: pytest.fail("balls were asked"))
    text, point = rosenbrock(1000)
    typed = parse_point(",".join(f"{name}={number:.1f}" for name, number in point.items()))
    assert autodiff.evaluate(text, typed).status == "ok"


def test_a_sum_over_100_000_variables_is_not_too_long() -> None:
    assert len(rosenbrock(100_000)[0]) < parser.LONGEST
