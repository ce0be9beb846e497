"""What an answer differs by from the derivative at a point, in ball arithmetic of many digits.

Two analytic formulas that agree in hundreds of digits at a point of no special meaning are the same; a term that float64
rounds away beside the others still shows.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> program, answer = (lower(parse(text)) for text in ("x", "1 + 1e-17"))
>>> exact_difference(program, program.graph.find("x"), answer, {"x": 2.0}).difference
-1e-17
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from flint import arb

from autodiff.core.evaluate import DomainError, Indeterminate
from autodiff.core.lowering import Lowered
from autodiff.numbers.ball_numbers import ball, is_zero, precision
from autodiff.numbers.balls import BALLS
from autodiff.verify import digits

BITS, MANY_BITS = 1024, 4096
"""The precision of most points, and that of a few."""


class ExactDifference(NamedTuple):
    """The two numbers as float64, and what the derivative is more than the answer.

    None for a difference whose sign the balls do not show; `equal` where they show that it is 0 to half of their digits.
    """

    derivative: float
    answer: float
    difference: float | None
    equal: bool


def exact_difference(
    lowered: Lowered, source: int, answered: Lowered, at: Mapping[str, float], bits: int = BITS
) -> ExactDifference | None:
    """The difference at a point; None where one of both has no float64 there or balls do not decide a condition."""
    with precision(bits):
        try:
            trace, special = digits.values(lowered, at)
            if special and source in lowered.graph.reaching(*special):
                return None
            slope = digits.slope(lowered, trace, source)
            answer = BALLS.evaluate(answered, {n: BALLS.constant(at[n]) for n in answered.inputs}, {})
        except (DomainError, Indeterminate):
            return None
        number = answer.values[answered.result]
        exact = BALLS.plus(slope, BALLS.times(number, BALLS.constant(-1.0)))
        difference, numbers = ball(exact), [ball(slope), ball(number)]
        if not all(n.is_finite() for n in (difference, *numbers)):
            return None
        size = max(abs(n).upper() for n in numbers)
        least = arb(2) ** (-bits // 2)
        equal = is_zero(exact) or (difference.contains(0) and bool(difference.rad() <= least * max(size, least)))
        unequal = not difference.contains(0)
        derivative, value = (float(n.mid()) for n in numbers)
        if not math.isfinite(derivative - value):
            return None
        return ExactDifference(derivative, value, float(difference.mid()) if unequal else None, equal)
