"""One-sided slopes at a special point that only exact numbers meet, from points a tiny exact step away, in balls.

The value and the slope at the point ± 2^-k are ordinary ones, in balls; where two steps, one the square of the other, agree,
they are the one-sided limits to all digits of a float64.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> from autodiff.api.inputs import parse_point
>>> lowered = lower(parse("abs(sin(x))"))
>>> found = verdict(lowered, parse_point("x=pi"), lowered.graph.find("x"), 0.0)
>>> found.status, found.left, found.right
('corner', -1.0, 1.0)
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from flint import arb, fmpq

from autodiff.core.evaluate import DomainError, Indeterminate
from autodiff.core.lowering import Lowered
from autodiff.nonsmooth.verdict import Verdict
from autodiff.numbers.ball_numbers import Number, as_float, ball, decimal, precision
from autodiff.verify import digits

_STEPS = (500, 1000)
"""Binary orders of the steps; the point's own numbers are exact."""

_BITS = 8192

_SAME = 1e-14
"""Numbers nearer than this part of them are one limit."""

_VANISHING = 1e-30
"""A number that shrinks by this factor with the smaller step tends to 0."""

Side = tuple[float, float]
"""The value and the slope on one side."""


def verdict(lowered: Lowered, point: Mapping[str, float], source: int, value: float) -> Verdict:
    """The verdict on the slope by an input at a special point where the program has this value."""
    sides = [_side(lowered, point, source, sign) for sign in (-1, 1)]
    if any(side is None for side in sides):
        return Verdict("unknown")
    there = [side for side in sides if side]
    left, right = (side[1] if side else None for side in sides)
    values = sides[0][0] if sides[0] else None, sides[1][0] if sides[1] else None
    seen = Verdict("ok", left=left, right=right, values=values)
    if not there:
        return Verdict("unknown")
    if any(not _near(side[0], value) for side in there):
        return Verdict("jump", left=left, right=right, values=values)
    if any(math.isinf(side[1]) for side in there):
        return Verdict("infinite", left=left, right=right, values=values)
    if all(_near(side[1], there[0][1]) for side in there):
        return Verdict("ok", slope=there[-1][1], left=seen.left, right=seen.right, values=values)
    return Verdict("corner", left=left, right=right, values=values)


def _side(lowered: Lowered, point: Mapping[str, float], source: int, sign: int) -> Side | tuple[()] | None:
    """One side; empty where the program has no values there, None where the steps do not agree on it."""
    with precision(_BITS):
        try:
            near, nearer = (_there(lowered, point, source, fmpq(sign, 1) / fmpq(2) ** order) for order in _STEPS)
        except DomainError:
            return ()
        except Indeterminate:
            return None
    if near is None or nearer is None:
        return None
    value, slope = _limit(near[0], nearer[0]), _limit(near[1], nearer[1])
    return None if value is None or slope is None or math.isinf(value) else (value, slope)


def derivatives(lowered: Lowered, point: Mapping[str, float], source: int, order: int, count: int) -> list[str | None]:
    """The derivatives of orders 1, 2, … by an input at a special point, of so many digits; None where the sides differ.

    A side without values is ignored.
    """
    sides = [_texts(lowered, point, source, order, count, sign) for sign in (-1, 1)]
    known = [side for side in sides if side != ()]
    if not known or None in known:
        return [None] * order
    return [texts[0] if len(set(texts)) == 1 else None for texts in zip(*filter(None, known), strict=True)]


def _texts(
    lowered: Lowered, point: Mapping[str, float], source: int, order: int, count: int, sign: int
) -> list[str | None] | tuple[()] | None:
    """The derivatives on one side; empty where the program has no values there, None where balls don't decide."""
    from autodiff.verify import ball_taylor

    start = _STEPS[0] + 4 * count
    with precision(max(_BITS, 8 * start)):
        try:
            steps = ({source: fmpq(sign, 1) / fmpq(2) ** order} for order in (start, 2 * start))
            near, nearer = (ball_taylor.series(lowered, point, source, order, step) for step in steps)
            return [_limit_text(a, b, count) for a, b in zip(near, nearer, strict=True)]
        except DomainError:
            return ()
        except Indeterminate:
            return None


def _limit_text(near: Number, nearer: Number, count: int) -> str | None:
    """What two numbers tend to, as `_limit` has it, with so many digits."""
    sizes = [abs(ball(number)) for number in (near, nearer)]
    if sizes[1] <= arb(_VANISHING) * sizes[0]:
        return "0"
    texts = {decimal(number, count) for number in (near, nearer)}
    return texts.pop() if len(texts) == 1 else None


def _limit(near: float, nearer: float) -> float | None:
    """What two numbers tend to, the second of a step that is the square of the first one's."""
    if abs(nearer) <= _VANISHING * abs(near):
        return 0.0
    if abs(near) <= _VANISHING * abs(nearer):
        return math.copysign(math.inf, nearer)
    return nearer if _near(near, nearer) else None


def _there(lowered: Lowered, point: Mapping[str, float], source: int, step: fmpq) -> Side | None:
    trace, special = digits.values(lowered, point, {source: step}, sources=[source])
    if special:
        return None
    slope = ball(digits.slope(lowered, trace, source))
    value, rate = as_float(trace.values[lowered.result]), float(slope.mid())
    return None if value is None or not slope.is_finite() else (value, rate)


def _near(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= _SAME * max(abs(a), abs(b))
