"""A second check of a slope of the table: difference quotients of the row's own values.

Both sweeps take their slopes from one table, so that they agree on a wrong one. A row's value is written independently
of its slope, so a difference quotient of the value finds a wrong slope.

>>> from autodiff.core.rules import TABLE
>>> sin = TABLE["sin", 1]
>>> contradicts(sin, 0, [0.0], slope=1.0)
False
>>> contradicts(sin.replaced(partials=("1.00001*cos(u)",)), 0, [0.0], slope=1.00001)
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import nan
from typing import TypeAlias

from autodiff.core import templates
from autodiff.core.primitive import Primitive
from autodiff.core.templates import StaticArgs

_STEPS = tuple(2.0**-k for k in (11, 13, 15, 17, 20, 23, 26))
"""Widths, in parts of the argument, tried one after the other until one decides."""

_FINE, _FAR = tuple(2.0**-k for k in (23, 21, 19)), 2.0**20
"""The widths where a row jumps, and how far from 0: over many steps, which are 1 or an argument wide, stairs look like a slope."""

_CONTRADICTIONS = 3
"""How many widths must contradict a slope, and give one quotient in its place."""

_BEND = 2.0**-9
"""How far, in parts of the whole, slopes may differ over a width, and values from a line, for the width to decide."""

_ROUNDING, _TINY = 2.0**-46, 1e-321
"""The relative and the absolute error that are allowed for in a value; larger ones differ from width to width."""

_NEARLY = 2.0**-36
"""How far a slope may be from another evaluation of its rule, such as NumPy's, in parts of the slopes around it."""

_LEAST, _LARGEST = 1e-290, 1e290
"""Beyond these, near the ends of float64, no verdict is given."""


Curve: TypeAlias = Callable[[float], tuple[float, float]]
"""A number → the value there, and the slope that a rule gives there; NaN where there is none."""


def contradicts(row: Primitive, k: int, args: Sequence[float], slope: float, static_args: StaticArgs = ()) -> bool:
    """Whether the values of `row` beside `args` contradict `slope`, its rule's in argument k; False if that is undecided.

    The rule is that for the constants of `static_args`, of which argument k is none.
    """
    here, places = args[k], range(row.arity)
    rule = templates.partials(row, tuple(place == k for place in places), static_args)

    def curve(x: float) -> tuple[float, float]:
        given = (*args[:k], x, *args[k + 1 :])
        if not all(inside(*given) for inside, _ in templates.domain(row)):
            return nan, nan
        value = templates.value(row)(*given)
        return value, next((rate for _, rate in rule(places, *given, value)), 0.0)

    rule_slope = curve(here)[1]
    if slope != rule_slope and abs(slope - rule_slope) > _NEARLY * max(
        abs(curve(x)[1]) for x in _ends(here, _STEPS[0])
    ):
        return True
    decided = all(map(ordinary, args)) and not (row.jump and abs(here) > _FAR)
    return decided and values_contradict(curve, here, _FINE if row.jump else _STEPS)


def values_contradict(curve: Curve, here: float, steps: Sequence[float] = _STEPS) -> bool:
    """Whether the values of `curve` around `here` contradict its slopes; False where that is undecided.

    By Simpson's rule the mean of a slope over a width is what its value and the values at both ends say up to the fourth
    power of the width; what they say up to the second is allowed as error (M. Abramowitz, I. A. Stegun, Handbook of
    Mathematical Functions, 25.4.5).
    """
    quotients: list[float] = []
    for quotient, mean, error in _widths(curve, here, steps):
        if abs(quotient - mean) <= error:
            return False
        quotients.append(quotient)
        if len(quotients) == _CONTRADICTIONS:
            return max(quotients) - min(quotients) <= abs(quotient - mean) / 16
    return False


def _widths(curve: Curve, here: float, steps: Sequence[float]) -> Iterator[tuple[float, float, float]]:
    """The quotient, the mean slope and how far they may be apart, for each width that decides."""
    w, middle = curve(here)
    for step in steps:
        ends = _ends(here, step)
        (low, left), (high, right) = map(curve, ends)
        width, mean = ends[1] - ends[0], (left + 4 * middle + right) / 6
        if not (width > 0 and all(map(ordinary, (low, w, high, left, middle, right)))):
            continue
        size, slopes = max(abs(low), abs(w), abs(high)), max(abs(left), abs(middle), abs(right))
        rounding = _ROUNDING * size + _TINY
        if abs(right - left) > _BEND * slopes or abs(high - 2 * w + low) > _BEND * abs(high - low) + rounding:
            continue
        if abs(mean * width) > 4 * size + _TINY:
            continue  # so small a step hides what happens within it: sin(1e22), mod(1e22, 3)
        quotient = (high - low) / width
        error = abs((left + right) / 2 - middle) + _ROUNDING * slopes + _TINY + 2 * rounding / width
        if abs(quotient - mean) <= error or error <= abs(quotient - mean) / 16:
            yield quotient, mean, error


def _ends(here: float, step: float) -> tuple[float, float]:
    return here - step * (abs(here) or 1.0), here + step * (abs(here) or 1.0)


def ordinary(x: float) -> bool:
    """Whether x is far from both ends of float64."""
    return x == 0 or _LEAST < abs(x) < _LARGEST
