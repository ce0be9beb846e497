"""The engine over an algebra and its compiled fast path for floats are one: values, partials, both modes, special points."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

import autodiff
from autodiff.core import jvp, linearize, rules, special_points, vjp
from autodiff.core.algebra import Floats
from autodiff.core.evaluate import DomainError, primal
from autodiff.core.lowering import lower
from autodiff.core.primitive import UNDEFINED, ZERO
from tests.support.programs import programs


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(programs())
def test_floats_by_the_engine_are_floats_by_compiled_texts(made: tuple[str, dict[str, float]]) -> None:
    lowered, floats = lower(autodiff.parse(made[0])), Floats()
    sources = list(lowered.graph.inputs)
    try:
        trace = primal(lowered, made[1])
    except DomainError as trouble:
        with pytest.raises(DomainError) as other:
            floats.evaluate(lowered, made[1])
        assert vars(other.value) == vars(trouble)  # noqa: PT017 - two exceptions are compared
        return
    assert floats.evaluate(lowered, made[1]) == trace
    compiled, general = linearize.linearize(lowered, trace, sources), floats.linearize(lowered, trace, sources)
    assert {node: dict(edges) for node, edges in general.items()} == {node: dict(e) for node, e in compiled.items()}
    seeds = {node: 1.0 + k for k, node in enumerate(sources)}
    assert floats.jvp(compiled, seeds) == jvp.jvp(compiled, seeds)
    assert floats.vjp(compiled, {lowered.result: 1.0} if lowered.result in compiled else {}) == vjp.vjp(
        lowered.result, compiled, []
    )


@pytest.mark.parametrize(
    ("program", "at", "count"),
    [("abs(x)*sqrt(y)", (0.0, 0.0), 2), ("abs(x)*sqrt(y)", (1.0, 1.0), 0), ("floor(x) + (x < y)", (2.0, 2.0), 2),
     ("max(x, y)^0.5", (0.0, 0.0), 2), ("if(x > 0, abs(y), y)", (1.0, 0.0), 1), ("mod(x, y)", (6.0, 3.0), 1)],
)  # fmt: skip
def test_special_points_of_the_engine_are_those_of_the_compiled_tests(
    program: str, at: tuple[float, float], count: int
) -> None:
    lowered, point = lower(autodiff.parse(program)), dict(zip(("x", "y"), at, strict=True))
    trace = primal(lowered, point)
    assert len(special_points.special_points(lowered, trace)) == count
    assert Floats().special_points(lowered, trace) == special_points.special_points(lowered, trace)


def test_what_no_derivative_flows_through_is_the_same_in_the_algorithm_and_in_the_formula() -> None:
    for row in rules.rows():
        for mark in (ZERO, UNDEFINED):
            assert [p == mark for p in row.partials] == [f == mark for f in row.formula], row.signature
