"""Random programs: forward = reverse = central difference, whatever is nested in whatever.

The programs are made by a strategy over the whole language: one to five inputs, shared names, user functions,
conditions, depth to 30. Values stay in a moderate range, so that a difference quotient can be trusted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

import autodiff
from autodiff.core import rules
from autodiff.core.evaluate import Outside, primal, sweep
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered, lower

from .reference import VALUES

INPUTS = ["x", "y", "z", "w", "θ"]
SAFE = ["sin({})", "cos({})", "tanh({})", "atan({})", "sigmoid({})", "softplus({})", "asinh({})", "erf({})", "gelu({})", "silu({})", "exp(-({})^2)", "sqrt(1 + ({})^2)", "ln(2 + sin({}))", "1/(2 + cos({}))", "sinc({})", "({})^2", "-({})", "σ({})", "gaussian({})", "sech({})", "logit(0.1 + 0.8*sigmoid({}))", "2^sin({})", "(1.5 + sin({}))^1.7", "cbrt(3 + sin({}))"]  # fmt: skip
PAIRS = ["({}) + ({})", "({}) - ({})", "({})*({})", "({})({})", "({})/(2 + sin({}))", "hypot(1 + ({})^2, {})", "max({}, {})", "min({}, {})", "atan2({}, 2 + cos({}))", "if({0} < {1}, ({0})*2, sin({1}))", "if({0} > 0 and {1} < 1, {0}, cos({1}))", "(2 + sin({}))^sin({})", "mod({}, 5 + sin({}))", "xlogy({}, 2 + sin({}))", "log(3 + sin({}), 5 + cos({}))"]  # fmt: skip


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, dict[str, float]]:
    """A program, and a point for its inputs."""
    names = INPUTS[: draw(st.integers(1, 5))]
    point = {name: draw(st.floats(-2, 2).map(lambda v: round(v, 3))) for name in names}
    lines = [f"f(t) = {draw(st.sampled_from(SAFE)).format('t')}", "g(a, b) = f(a)*b + a"]
    for i in range(draw(st.integers(1, 6))):
        parts = [*names, *(f"v{j}" for j in range(i)), "1.5", "pi"]
        text = draw(st.sampled_from(parts))
        for _ in range(draw(st.integers(1, 5))):
            other = draw(st.sampled_from(parts))
            kind = draw(st.sampled_from(["one", "two", "two", "f", "g"]))
            if kind == "one":
                text = draw(st.sampled_from(SAFE)).format(text)
            elif kind == "f":
                text = f"f({text})"
            else:
                pair = "g({}, {})" if kind == "g" else draw(st.sampled_from(PAIRS))
                text = pair.format(*draw(st.permutations([text, other])))
        lines.append(f"v{i} = {text}")
    return "\n".join(lines), point


def value_at(text: str, point: dict[str, float]) -> float | None:
    """The program's value at the inputs' part of a point, with the digits that `eval` prints; None where it has none."""
    inputs = lower(autodiff.parse(text)).inputs
    value: float | None = autodiff.evaluate(text, {name: point[name] for name in inputs}, wrt=[]).value
    return value


def value_in_digits(lowered: Lowered, point: dict[str, mpf]) -> mpf:
    """The program's value in high precision, from mpmath's functions; nothing of the table is used."""
    graph: Graph = lowered.graph

    def leaf(node: int) -> mpf:
        return mpf(graph.constants[node]) if node in graph.constants else point[graph.inputs[node]]

    def apply(node: int, args: Sequence[mpf]) -> mpf:
        row = graph.rows[node]
        assert row is not None
        return mpf(VALUES[f"{row.name} {row.arity}"](*args))

    return sweep(graph, lowered.result, leaf, apply, bool)[0][lowered.result]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(programs())
def test_forward_equals_reverse_equals_central_difference(made: tuple[str, dict[str, float]]) -> None:
    text, point = made
    lowered = lower(autodiff.parse(text))
    lowered.graph.check()
    point = {name: value for name, value in point.items() if name in lowered.inputs}
    try:
        primal(lowered, point)
    except Outside:
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
    """The strategy is no toy: it makes deep programs, with conditions and user functions."""
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
def test_the_notes_own_examples(text: str, at: dict[str, float], name: str, slope: float, mode: str) -> None:
    found = autodiff.evaluate(text, at, mode=mode).gradient[name]
    assert found is not None
    assert abs(found - slope) <= 2 * math.ulp(slope)
