"""A program evaluated at a point, for its explanation.

>>> from autodiff.core.lowering import lower
>>> evaluated(lower("y = x^2; log(y - 1)"), {"x": 0.5}).values
{0: 0.5, 1: 2.0, 2: 0.25, 3: 1.0, 4: -0.75}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from autodiff.core.evaluate import DomainError, Trace, primal
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
    try:
        trace = primal(lowered, point)
    except DomainError as trouble:
        return Evaluation(None, _known(trouble.values), trouble.node)
    return Evaluation(trace, _known(trace.values))


def as_floats(exact: BallTrace) -> Evaluation:
    """What was evaluated in ball arithmetic, as the nearest float64s."""
    from autodiff.numbers.ball_numbers import shown

    numbers = [None if value is None else shown(value) for value in exact.trace.values]
    return Evaluation(exact.trace._replace(values=numbers), _known(numbers))


def _known(values: Sequence[float | None]) -> dict[int, float]:
    return {node: value for node, value in enumerate(values) if value is not None}
