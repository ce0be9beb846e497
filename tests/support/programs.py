"""Random programs, as a strategy over the whole language, and their values.

One to five inputs, shared names, user functions, conditions, depth to 30. Values stay in a moderate range, so that a
difference quotient can be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from mpmath import mpf

import autodiff
from autodiff.core.evaluate import sweep
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered, lower
from tests.support.reference import VALUES

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

    return sweep(graph, lowered.result, leaf, apply, bool).values[lowered.result]
