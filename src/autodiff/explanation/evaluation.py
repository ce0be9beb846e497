"""A program evaluated at a point, for its explanation.

>>> from autodiff.core.lowering import lower
>>> evaluated(lower("y = x^2; log(y - 1)"), {"x": 0.5}).values
{0: 0.5, 1: 2.0, 2: 0.25, 3: 1.0, 4: -0.75}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from autodiff.core.evaluate import DomainError, Trace, number, sweep
from autodiff.core.lowering import Lowered

if TYPE_CHECKING:
    from autodiff.verify.digits import BallTrace


class Evaluation(NamedTuple):
    """A program at a point: its trace, or, where it has no value, None and the equation that failed; the values in either case."""

    trace: Trace | None
    values: Mapping[int, float]
    failed: int | None = None


def evaluated(lowered: Lowered, point: Mapping[str, float]) -> Evaluation:
    """The program at a point, whether or not the result has a value there."""
    graph, known = lowered.graph, dict[int, float]()

    def leaf(node: int) -> float:
        known[node] = graph.leaf(node, point)
        return known[node]

    def apply(node: int, args: Sequence[float]) -> float:
        known[node] = number(graph, node, args)
        return known[node]

    try:
        trace = sweep(graph, lowered.result, leaf, apply, bool)
    except DomainError as trouble:
        return Evaluation(None, known, trouble.node)
    return Evaluation(trace, {node: trace.values[node] for node in trace.order})


def as_floats(exact: BallTrace) -> Evaluation:
    """What was evaluated in ball arithmetic, as the nearest float64s."""
    from autodiff.numbers.ball_numbers import shown

    numbers = [None if value is None else shown(value) for value in exact.trace.values]
    trace = exact.trace._replace(values=numbers)
    return Evaluation(trace, {node: value for node, value in enumerate(numbers) if value is not None})
