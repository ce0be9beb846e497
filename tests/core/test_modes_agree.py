"""Random programs: forward = reverse = central difference, whatever is nested in whatever.

The programs are made by a strategy over the whole language: one to five inputs, shared names, user functions,
conditions, depth to 30. Values stay in a moderate range, so that a difference quotient can be trusted.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from mpmath import mp, mpf

import autodiff
from autodiff.core import rules
from autodiff.core.evaluate import DomainError, primal
from autodiff.core.lowering import lower
from tests.support import graphs
from tests.support.programs import programs, value_in_digits


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(programs())
def test_forward_equals_reverse_equals_central_difference(made: tuple[str, dict[str, float]]) -> None:
    text, point = made
    lowered = lower(autodiff.parse(text))
    graphs.check(lowered.graph)
    point = {name: value for name, value in point.items() if name in lowered.inputs}
    try:
        primal(lowered, point)
    except DomainError:
        return
    answer = autodiff.evaluate(text, point, mode="both")
    if answer.status != "ok":
        return
    assert answer.checked or answer.verdicts
    assert answer.forward is not None
    with mp.workdps(40):
        step = mpf(10) ** -14
        for name, slope in answer.gradient.items():
            assert slope is not None
            high = value_in_digits(lowered, {n: mpf(v) + step * (n == name) for n, v in point.items()})
            low = value_in_digits(lowered, {n: mpf(v) - step * (n == name) for n, v in point.items()})
            true = float((high - low) / (2 * step))
            size = 1e-9 * (1 + abs(true))
            assert abs(slope - true) <= size, (text, point, name, slope, true)
            onward = answer.forward[name]
            assert onward is not None
            assert math.isclose(onward, slope, rel_tol=1e-12, abs_tol=1e-13)


def test_the_strategy_reaches_depth_and_conditions() -> None:
    """The strategy makes deep programs, with conditions and user functions."""
    texts: list[str] = []

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(programs())
    def collect(made: tuple[str, dict[str, float]]) -> None:
        texts.append(made[0])

    collect()
    assert sum("if(" in t for t in texts) > 20
    assert max(t.count("(") for t in texts) > 30
    assert any(row.branches for row in rules.rows())


@pytest.mark.parametrize(
    ("text", "at", "name", "slope"),
    [
        *(("x^2", {"x": x}, "x", 2 * x) for x in (2, 3, 4, 5)),
        ("y = x^2; z = sin(y)", {"x": 4}, "x", 8 * math.cos(16)),
        ("y = x^2; z = sin(y); u = e^z", {"x": 4}, "x", -5.744685762849454),
        ("exp(sin(x^2))", {"x": 4}, "x", -5.744685762849454),
        ("z = w*x + b; p = sigmoid(z); L = -(y*ln(p) + (1-y)*ln(1-p))", {"w": 0.4, "b": -2.5, "x": 7.8, "y": 1}, "w", -2.7282953211241487),
        ("z = w*x + b; p = sigmoid(z); L = -(y*ln(p) + (1-y)*ln(1-p))", {"w": 0.4, "b": -2.5, "x": 7.8, "y": 1}, "b", -0.3497814514261729),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_textbook_examples_have_their_slopes(
    text: str, at: dict[str, float], name: str, slope: float, mode: str
) -> None:
    found = autodiff.evaluate(text, at, mode=mode).gradient[name]
    assert found is not None
    assert abs(found - slope) <= 2 * math.ulp(slope)
