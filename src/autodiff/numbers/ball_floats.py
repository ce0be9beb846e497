"""The float64 nearest to a function of the table that has no algorithm in float64, and to its partials, from balls.

>>> from autodiff.core.rules import TABLE
>>> value(TABLE["besselj", 2], 0.0, 1.0), partial(TABLE["besselj", 2], 1, 0.0, 1.0)
(0.7651976865579666, -0.4400505857449335)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from autodiff.core.evaluate import Indeterminate
from autodiff.core.primitive import Primitive
from autodiff.core.templates import domain
from autodiff.numbers.ball_numbers import Number, as_float, ball, precision, rational, shown
from autodiff.numbers.balls import BALLS

_START, _MOST = 96, 12_288
"""Bits to begin with, and those at which a number is given up."""

_TIE = 80
"""Bits of a number that lies in the middle of two float64, so that no precision parts them."""


@lru_cache(maxsize=65_536)
def value(row: Primitive, *args: float) -> float:
    """The float64 nearest to the row's value; NaN outside its domain, where the formula may have one."""
    if not all(inside(*args) for inside, _ in domain(row)):
        return math.nan
    return _nearest(lambda: BALLS.apply(row, [rational(a) for a in args]), *args)


@lru_cache(maxsize=65_536)
def partial(row: Primitive, k: int, *args: float) -> float:
    """The float64 nearest to the row's partial in argument k, at these arguments."""

    def number() -> Number:
        given = [rational(a) for a in args]
        return BALLS.partial(row, k, [*given, BALLS.apply(row, given)])

    return _nearest(number, *args)


def _nearest(number: Callable[[], Number], *args: float) -> float:
    if not all(map(math.isfinite, args)):
        return math.nan
    bits = _START
    while bits <= _MOST:
        with precision(bits):
            try:
                exact = number()
            except Indeterminate:
                return math.nan
            nearest = as_float(exact)
            if nearest is None and bits > _START and ball(exact).rel_accuracy_bits() > _TIE:
                nearest = shown(exact)
        if nearest is not None:
            return nearest
        bits *= 2
    return math.nan
