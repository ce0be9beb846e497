"""Values with a bound of their rounding error, so that noise never decides whether two numbers differ.

    bounded(lowered, {"x": 0.1})     Ball(value=…, error=…)

The bound is carried along the equations: what the arguments' errors become through the table's slopes, plus what the
row's own `bound` allows. It is of first order; whoever compares leaves a margin.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from autodiff.core import templates
from autodiff.core.evaluate import DomainError, number, sweep
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import Primitive


@dataclass(frozen=True, slots=True)
class Ball:
    """A number and how far from it the true one may be."""

    value: float
    error: float


class Noise(Exception):
    """Rounding decides here: a condition or a domain within it, or an error without a bound."""


def bounded(lowered: Lowered, point: Mapping[str, float]) -> Ball:
    """The result at `point`. Raises DomainError where there is none, Noise where rounding decides that."""
    graph = lowered.graph

    def leaf(node: int) -> Ball:
        if node in graph.inputs:
            return Ball(point[graph.inputs[node]], 0.0)
        return Ball(graph.constants[node], _written_error(graph.constants[node]))

    def apply(node: int, args: Sequence[Ball]) -> Ball:
        row = graph.rows[node]
        assert row is not None
        values = [a.value for a in args]
        try:
            value = number(graph, node, values)
        except DomainError:
            if any(_inside(row, moved) for moved in _moved(args)):
                raise Noise from None
            raise
        return Ball(value, _error(row, args, values, value))

    return sweep(graph, lowered.result, leaf, apply, _holds)[0][lowered.result]


def _written_error(value: float) -> float:
    """What a literal such as 0.1 lost when it became a float."""
    exact = value == int(value) or Fraction(repr(value)) == Fraction(value)
    return 0.0 if exact else math.ulp(value) / 2


def _holds(condition: Ball) -> bool:
    if condition.error:
        raise Noise
    return bool(condition.value)


def _moved(args: Sequence[Ball]) -> list[list[float]]:
    """The arguments at the ends of their bounds; none when they are exact."""
    if not any(a.error for a in args):
        return []
    return [[a.value + side * a.error for a in args] for side in (-1, 1)]


def _inside(row: Primitive, values: Sequence[float]) -> bool:
    return all(inside(*values) for inside, _ in templates.domain(row))


@lru_cache(maxsize=1024)
def _bound(row: Primitive) -> templates.Number:
    """How many units in the last place a row's value may be off, at its arguments and value; made once per row."""
    return templates.compiled(row.ulp_error[0], (*row.params, "w"))


def _error(row: Primitive, args: Sequence[Ball], values: Sequence[float], value: float) -> float:
    if row.is_predicate:
        return _fuzzy(row, args, values, value)
    error = _bound(row)(*values, value) * math.ulp(value)
    if row.jump:
        error += max((abs(templates.value(row)(*moved) - value) for moved in _moved(args)), default=0.0)
    for k, arg in enumerate(args):
        if arg.error:
            error += abs(templates.partial(row, k)(*values, value)) * arg.error
    if not math.isfinite(error):
        raise Noise
    return error


def _fuzzy(row: Primitive, args: Sequence[Ball], values: Sequence[float], value: float) -> float:
    """1 where a condition may be either, 0 where it is sure."""
    near = len(args) == 2 and abs(values[0] - values[1]) <= args[0].error + args[1].error
    turned = any(templates.value(row)(*moved) != value for moved in _moved(args))
    return float(turned or (near and any(a.error for a in args)))
