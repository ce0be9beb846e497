"""Programs of many equations: what equal roundings add up to is counted, and a long sum needs no balls for that."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

import autodiff
from autodiff.api import scalar_answer
from autodiff.api.inputs import parse_point
from autodiff.core.lowering import Lowered
from autodiff.language import parser
from autodiff.verify import digits
from tests.benchmarks.huge import rosenbrock

TERMS, NUMBER = 60_000, 1.0000000000036
"""From 32,768 on a float64 sum loses all that a term is above 1: 1.6e-12 of the whole."""


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_equal_roundings_of_a_long_sum_are_counted(mode: str) -> None:
    found = autodiff.evaluate(" + ".join(["x*y"] * TERMS), {"x": NUMBER, "y": 1.0}, mode=mode)
    assert found.status == "ok"
    assert found.value == pytest.approx(60000.000000216, rel=1e-13)
    assert found.gradient["y"] == pytest.approx(60000.000000216, rel=1e-13)


def test_what_a_long_sum_lost_is_put_back_without_balls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scalar_answer, "_in_balls", lambda *_: pytest.fail("balls were asked"))
    found = autodiff.evaluate(" - ".join(["7*x", *["x*y"] * TERMS]), {"x": NUMBER, "y": 1.0})
    assert found.value == pytest.approx(float((7 - TERMS) * Fraction(NUMBER)), rel=1e-15)
    assert found.gradient["x"] == 7 - TERMS


def test_a_sum_of_8000_equations_is_sure_without_balls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scalar_answer, "_in_balls", lambda *_: pytest.fail("balls were asked"))
    text, point = rosenbrock(1000)
    typed = parse_point(",".join(f"{name}={number:.1f}" for name, number in point.items()))
    assert autodiff.evaluate(text, typed).status == "ok"


@pytest.mark.parametrize("mode", ["reverse", "both"])
def test_only_the_slopes_that_are_not_sure_are_proven(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    sizes = list[int]()
    proven = digits.proven

    def counted(lowered: Lowered, *rest: Any, **named: Any) -> digits.Proven:
        sizes.append(len(lowered.graph))
        return proven(lowered, *rest, **named)

    monkeypatch.setattr(digits, "proven", counted)
    terms = [f"sin(x{i})*x{i + 1}" for i in range(1, 300)]
    point = {f"x{i}": 0.003 * i for i in range(1, 301)} | parse_point("x0=1.0000000000001")
    found = autodiff.evaluate(f"a = 3*({' + '.join(terms)}); (-(x0 - x0^2) - x0) - a", point, mode=mode)
    assert (found.status, found.checked, found.gradient["x0"]) == ("ok", True, 2e-13)
    assert found.gradient["x7"] == pytest.approx(-3 * (math.cos(0.021) * 0.024 + math.sin(0.018)), rel=1e-13)
    assert found.bits
    assert "float64 would give df/dx0 = " in found.notes[0]
    assert [size < 20 for size in sizes] == [True]


def test_a_slope_is_proven_from_all_terms_that_move_it() -> None:
    terms = [f"{k}*(u + x) - {k}*(x - u)" for k in range(1, 300)]
    found = autodiff.evaluate(f"u = x^2; {' + '.join(terms)} - 89700*u + exp(x) - x*exp(1)", {"x": 1.0}, wrt=["x", "u"])
    assert found.status == "ok"
    assert found.bits
    assert found.gradient["x"] == found.gradient["u"] == 0


def test_a_sum_over_100_000_variables_is_not_too_long() -> None:
    assert len(rosenbrock(100_000)[0]) < parser.LONGEST
