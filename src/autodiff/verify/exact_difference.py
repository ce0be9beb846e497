"""What an answer differs by from the derivative at a point, in ball arithmetic of many digits.

Two analytic formulas that agree in hundreds of digits at a point of no special meaning are the same; a term that float64
rounds away beside the others still shows.

>>> from autodiff.core.lowering import lower
>>> program, answer = (lower(text) for text in ("x", "1 + 1e-17"))
>>> exact_difference(program, program.graph.find("x"), answer, {"x": 2.0}).difference
-1e-17
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from flint import arb, fmpq

from autodiff.core.evaluate import DomainError, Indeterminate
from autodiff.core.lowering import Lowered
from autodiff.language.exact_float import decimal
from autodiff.numbers.ball_numbers import Number, ball, is_zero, precision, rational, shown
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
            numbers = _numbers(lowered, source, answered, {n: BALLS.constant(value) for n, value in at.items()})
        except (DomainError, Indeterminate):
            return None
        if numbers is None:
            return None
        exact = BALLS.plus(numbers[0], BALLS.times(numbers[1], BALLS.constant(-1.0)))
        difference, slope, answer = map(ball, (exact, *numbers))
        if not all(n.is_finite() for n in (difference, slope, answer)):
            return None
        size = max(abs(slope).upper(), abs(answer).upper())
        least = arb(2) ** (-bits // 2)
        equal = is_zero(exact) or (difference.contains(0) and bool(difference.rad() <= least * max(size, least)))
        unequal = not difference.contains(0)
        derivative, value = float(slope.mid()), float(answer.mid())
        if not math.isfinite(derivative - value):
            return None
        return ExactDifference(derivative, value, float(difference.mid()) if unequal else None, equal)


def _numbers(
    lowered: Lowered,
    source: int,
    answered: Lowered,
    at: Mapping[str, Number],
    known: Mapping[int, Number] = MappingProxyType({}),
) -> tuple[Number, Number] | None:
    """The derivative and the answer, whose equations in `known` have these values; None at a special point of the derivative.

    Raises DomainError and Indeterminate.
    """
    trace = BALLS.evaluate(lowered, {n: at[n] for n in lowered.inputs if n in at})
    special = BALLS.special_points(lowered, trace)
    if source in lowered.graph.movers(special):
        return None
    slope = digits.slope(lowered, trace, source)
    answer = BALLS.evaluate(answered, {n: at[n] for n in answered.inputs}, known)
    return slope, answer.values[answered.result]


# --- where an equality holds: at a number such as sqrt(2), which no float64 is ------------------------------------------

_BITS, _HALVINGS = 512, 200

_WIDTH, _NEAR = fmpq(1, 2**20), fmpq(1, 2**30)
"""Half of the interval in which the equality is proven to hold, and of that in which the answer must differ at all, in parts
of the number."""

_EQUAL = arb(2) ** -300
"""How small the difference of both sides is at its extremum, in parts of them, where the two are equal there."""

Interval = tuple[fmpq, fmpq]


def equality_difference(
    lowered: Lowered, source: int, answered: Lowered, at: Mapping[str, float], name: str, known: Mapping[int, float]
) -> tuple[float, ExactDifference] | None:
    """Where the equations in `known` have these values, since both of their sides are equal, and the difference there.

    That is beside the number that `at` has for `name`. None where this is not proven, or nothing is decided there.

    >>> from autodiff.core.lowering import lower
    >>> program, answer = lower("x^2"), lower("2x + if(x^2 == 2, 1, 0)")
    >>> node = next(node for node, row in enumerate(answer.graph.rows) if row is not None and row.is_predicate)
    >>> x = program.graph.find("x")
    >>> equality_difference(program, x, answer, {"x": 1.414213562373095}, "x", {node: True})[0]
    1.4142135623730951
    """
    sides, rows = answered.graph.args[next(iter(known))], answered.graph.rows
    conditions = {node for node in known if (row := rows[node]) is not None and row.is_predicate}
    values = {node: bool(value) if node in conditions else rational(value) for node, value in known.items()}
    with precision(_BITS):
        point = {other: BALLS.constant(decimal(repr(value), value)) for other, value in at.items()}
        near = rational(at[name])

        def difference(low: fmpq, high: fmpq) -> ExactDifference | None:
            numbers = _numbers(lowered, source, answered, {**point, name: _between(low, high)}, values)
            slope, answer = map(ball, numbers or (arb.nan(), arb.nan()))
            apart = slope - answer
            if not apart.is_finite() or apart.contains(0):
                return None
            return ExactDifference(float(slope.mid()), float(answer.mid()), float(apart.mid()), False)

        try:
            if difference(*_beside(near, _NEAR)) is None:
                return None
            interval = _equal_within([answered._replace(result=side) for side in sides], point, name, near)
            exact = None if interval is None else difference(*interval)
            return None if interval is None or exact is None else (shown(sum(interval) / 2), exact)
        except (DomainError, Indeterminate):
            return None


def _beside(near: fmpq, width: fmpq) -> Interval:
    return near - abs(near) * width, near + abs(near) * width


def _between(low: fmpq, high: fmpq) -> arb:
    return arb(low).union(arb(high))


def _equal_within(sides: Sequence[Lowered], point: Mapping[str, Number], name: str, near: fmpq) -> Interval | None:
    """An interval in which the sides, the second of which may be 0, are equal: they cross there, or touch each other."""

    def smooth(part: Lowered, x: Number) -> tuple[arb, arb]:
        """Value and slope; Indeterminate where a jump or a corner may be within x."""
        trace = BALLS.evaluate(part, {**point, name: x}, {})
        if BALLS.special_points(part, trace):
            raise Indeterminate
        source = part.graph.find(name)
        value = ball(trace.values[part.result])
        return value, arb(0) if source is None else ball(digits.slope(part, trace, source))

    def gap(x: Number) -> arb:
        first, *second = (ball(BALLS.evaluate(part, {**point, name: x}, {}).values[part.result]) for part in sides)
        return first - sum(second, arb(0))

    def rate(x: Number) -> arb:
        first, *second = (smooth(part, x)[1] for part in sides)
        return first - sum(second, arb(0))

    low, high = _beside(near, _WIDTH)
    whole = [smooth(part, _between(low, high)) for part in sides]
    if not all(value.is_finite() and slope.is_finite() for value, slope in whole):
        return None
    if (crossing := _halved(gap, low, high)) is not None:
        return crossing
    turning = _halved(rate, low, high)
    size = max(abs(value).upper() for value, _ in whole)
    return turning if turning is not None and abs(gap(turning[0])).upper() <= _EQUAL * size else None


def _halved(function: Callable[[Number], arb], low: fmpq, high: fmpq) -> Interval | None:
    """The interval, made small, in which a continuous function is proven to change its sign."""
    below, above = function(low), function(high)
    if not ((below < 0 and above > 0) or (below > 0 and above < 0)):
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        value = function(middle)
        if value.contains(0):
            return (middle, middle) if value.is_zero() else (low, high)
        low, high = (middle, high) if (value < 0) == (below < 0) else (low, middle)
    return low, high
