"""One-sided slopes at a special point that only exact numbers meet, from points a tiny exact step away, in balls.

The value and the slope at the point ± 2^-k are ordinary ones, in balls; where two steps, one the square of the other, agree,
they are the one-sided limits to all digits of a float64.

>>> from autodiff.core.lowering import lower
>>> from autodiff.api.inputs import parse_point
>>> lowered = lower("abs(sin(x))")
>>> found = verdict(lowered, parse_point("x=pi"), lowered.graph.find("x"))
>>> found.status, found.left, found.right
('corner', -1.0, 1.0)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from flint import arb, fmpq

from autodiff.core.evaluate import DomainError, Indeterminate
from autodiff.core.lowering import Lowered
from autodiff.nonsmooth.verdict import Verdict, judged
from autodiff.numbers.ball_numbers import Number, ball, decimal, precision, shown
from autodiff.verify import digits

_ORDER = 500
"""The binary order of the first step, far below the smallest number of the program, of the point and on the way, so that a
steep term with a tiny factor shows: cbrt(x)/exp(745). The second step is its square."""

_FARTHER, _RANGE = 4, 1100
"""How many times farther for each binary order of those numbers, of which those of float64 have 1,074."""

_BITS, _TIMES = 1024, (2, 8)
"""How many times the bits of the first step, and so many more, are tried in turn: twice is what the nearer step takes, and a
term of third order, sinh(x) - x, about four times as many.
"""

_SAME, _VANISHING, _ZERO = arb(1e-18), arb(1e-30), arb("1e-1000")
"""Numbers nearer than this part of them are one limit; one that shrinks by this factor with the smaller step tends to 0; a
ball around 0 that is smaller is 0."""

Place: TypeAlias = tuple[Any, Any]
"""The value and the slope at a place beside the point, as balls."""


def verdict(lowered: Lowered, point: Mapping[str, float], source: int) -> Verdict:
    """The verdict on the slope by an input at a special point."""
    order = _order(lowered, point)
    for times in _TIMES:
        with precision(times * (order + _BITS)):
            try:
                here = ball(digits.values(lowered, point)[0].values[lowered.result])
                seen = _compared(here, [_side(lowered, point, source, sign, order) for sign in (-1, 1)])
            except Indeterminate:
                continue
        if seen.status != "unknown":
            return seen
    return Verdict("unknown")


def _compared(here: arb, sides: Sequence[Sequence[Place]]) -> Verdict:
    """What the places on the two sides of a value show."""
    there = [side for side in sides if side]
    limits = [_limit(*(value for value, _ in side)) for side in there]
    slopes = [_limit(*(slope for _, slope in side)) for side in there]
    jumps = [_limit(*(value - here for value, _ in side)) for side in there]
    if not there or None in (*limits, *slopes, *jumps) or any(map(math.isinf, filter(None, limits))):
        return Verdict("unknown")
    left, right = ((slopes[there.index(side)] if side else None) for side in sides)
    values = tuple(limits[there.index(side)] if side else None for side in sides)
    seen = Verdict("ok", left=left, right=right, values=(values[0], values[1]))
    bend = 0.0 if len(there) == 1 else _limit(*(b - a for (_, a), (_, b) in zip(*there, strict=True)))
    return judged(seen, jumps=any(jumps), equal=bend == 0.0, blurred=bend is None)


def _order(lowered: Lowered, point: Mapping[str, float]) -> int:
    with precision(2 * _BITS):
        try:
            values = digits.values(lowered, point)[0].values
        except (DomainError, Indeterminate):
            values = [*point.values(), *lowered.graph.constants.values()]
        parts = [abs(ball(number)).mid().man_exp() for number in values if number is not None]
    orders = [abs(int(exponent) + int(mantissa).bit_length()) for mantissa, exponent in parts if mantissa]
    return _ORDER + _FARTHER * min(_RANGE, max([0, *orders]))


def _side(lowered: Lowered, point: Mapping[str, float], source: int, sign: int, order: int) -> list[Place]:
    """The places on one side; none where the program has no values there. Raises Indeterminate."""
    try:
        return [_there(lowered, point, source, fmpq(sign, 1) / fmpq(2) ** k) for k in (order, 2 * order)]
    except DomainError:
        return []


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

    start = _order(lowered, point) + 4 * count
    best: list[str | None] | None = None
    for times in _TIMES:
        with precision(times * (start + _BITS)):
            try:
                steps = ({source: fmpq(sign, 1) / fmpq(2) ** order} for order in (start, 2 * start))
                near, nearer = (ball_taylor.series(lowered, point, source, order, step) for step in steps)
                best = [_limit_text(a, b, count) for a, b in zip(near, nearer, strict=True)]
            except DomainError:
                return ()
            except Indeterminate:
                continue
        if None not in best or all(_settled(number, count) for number in (*near, *nearer)):
            break
    return best


def _settled(number: Number, count: int) -> bool:
    """Whether more precision changes none of so many digits: a ball of many bits, or no number at all."""
    return not ball(number).is_finite() or ball(number).rel_accuracy_bits() > _BITS // 2 + 4 * count


def _limit_text(near: Number, nearer: Number, count: int) -> str | None:
    """What two numbers tend to, as `_limit` has it, with so many digits."""
    sizes = [abs(ball(number)) for number in (near, nearer)]
    if sizes[1] <= _VANISHING * sizes[0]:
        return "0"
    texts = {decimal(number, count) for number in (near, nearer)}
    return texts.pop() if len(texts) == 1 else None


def _limit(near: arb, nearer: arb) -> float | None:
    """What two numbers tend to, the second of a step that is the square of the first one's; None where that is not seen, or
    beyond float64.
    """
    sizes = [abs(number) for number in (near, nearer)]
    if nearer.contains(0):
        return 0.0 if sizes[1] <= _ZERO else None
    if sizes[1] <= _VANISHING * sizes[0]:
        return 0.0
    if sizes[0] <= _VANISHING * sizes[1]:
        return math.inf if nearer > 0 else -math.inf
    if not abs(near - nearer) <= _SAME * sizes[1]:
        return None
    limit = shown(nearer)
    return limit if math.isfinite(limit) else None


def _there(lowered: Lowered, point: Mapping[str, float], source: int, step: fmpq) -> Place:
    trace, special = digits.values(lowered, point, {source: step}, sources=[source])
    value, slope = ball(trace.values[lowered.result]), ball(digits.slope(lowered, trace, source))
    if source in lowered.graph.movers(special) or not (value.is_finite() and slope.is_finite()):
        raise Indeterminate
    return value, slope
