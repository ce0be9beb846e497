"""What confirms a slope beside the other mode, and what it means: small steps, really taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from autodiff.explanation.model import Difference, Meaning, Update

Function = Callable[[Mapping[str, float]], "float | None"]
"""The result at a point; None where it does not exist."""

_EPSILON = 2.0**-52

_SURE = 1e-3
"""The bound of a difference, in parts of it, from which on it is judged by the bound's size: a slope may be 0."""

_NEAR = 1e-6
"""A difference so near to the slope, in parts of it, agrees whatever its bound: the function's own rounding is in no bound."""

_SMALLER, _STRAIGHT = 8, 0.1
"""Steps that are tried, each a tenth of the one before, until what really happens is within a tenth of what the slope says."""


def difference(function: Function, point: Mapping[str, float], name: str, slope: float) -> Difference:
    """The central difference by `name` at the step that bounds its error best in parts of itself, beside `slope`.

    Steps are tried beside the input's size, beside 1, and beside the way on which a line would bring the function to 0.

    Its error is that of the function's rounding, magnified by 1/h, plus that of the bend of the function, which a
    second difference of twice the width measures.
    """
    scale = abs(point[name]) or 1.0
    here = function(point)
    sizes = [scale, 1.0, abs(here / slope) if here and slope else 1.0]
    finite = [size for size in dict.fromkeys(sizes) if math.isfinite(size)]
    steps = [size * 10.0 ** (k / 2) * 6.055e-6 for size in finite for k in range(-6, 5, 2)]
    made = (_difference(function, point, name, slope, step) for step in steps)
    found = [one for one in made if one is not None]
    if not found:
        return Difference(
            name, scale * 6.055e-6, None, None, None, "beside this point there are no values on both sides"
        )
    best = min(found, key=_relative)
    return best if _relative(best) < _SURE else min(found, key=lambda made: made.bound or 0.0)


def _relative(made: Difference) -> float:
    return (made.bound or 0.0) / abs(made.quotient) if made.quotient else math.inf


def _difference(
    function: Function, point: Mapping[str, float], name: str, slope: float, step: float
) -> Difference | None:
    at = point[name]
    ends = [at + k * step for k in (-2, -1, 1, 2)]
    if not all(map(math.isfinite, ends)):
        return None
    values = [function({**point, name: end}) for end in ends]
    if None in values or ends[1] == ends[2]:
        return None
    far_low, low, high, far_high = (value for value in values if value is not None)
    quotient = (high - low) / (ends[2] - ends[1])
    wide = (far_high - far_low) / (ends[3] - ends[0])
    size = max(map(abs, (far_low, low, high, far_high)))
    bound = abs(wide - quotient) + 8 * _EPSILON * size / step + 4 * _EPSILON * abs(quotient)
    if not math.isfinite(quotient) or not math.isfinite(bound):
        return None
    return Difference(name, step, quotient, bound, abs(quotient - slope) <= max(bound, _NEAR * abs(slope)))


def meaning(function: Function, point: Mapping[str, float], name: str, slope: float, value: float) -> Meaning:
    """What moving an input a little does: by the slope, and really; by less where the function bends or ends before."""
    at = point[name]
    power = math.floor(math.log10(abs(at))) - 3 if at and math.isfinite(1 / at) else -3
    found = list[Meaning]()
    for less in range(_SMALLER):
        step = 10.0 ** (power - less)
        after = function({**point, name: at + step}) if math.isfinite(at + step) else None
        found.append(Meaning(name, step, slope * step, None if after is None else after - value))
        if not slope or (after is not None and abs(after - value - slope * step) <= _STRAIGHT * abs(slope * step)):
            return found[-1]
    return found[0]


def update(
    function: Function, point: Mapping[str, float], gradient: Mapping[str, float | None], rate: float, value: float
) -> Update:
    """One step of gradient descent for every name that has a slope: old - rate * slope."""
    new = {name: point[name] - rate * slope for name, slope in gradient.items() if slope is not None}
    return Update(rate, {name: (point[name], new[name]) for name in new}, value, function({**point, **new}))


def apart(difference: Difference, slope: float) -> str:
    """How a difference stands to the slope: `9 digits agree`, or how they don't."""
    if difference.quotient == slope:
        return "the same"
    count = digits(difference, slope) or 0
    if not count:
        return "not judged: the step is too coarse here, or its rounding too large"
    agree = f"{count} digit{'s' * (count != 1)} agree{'s' * (count == 1)}"
    if difference.agrees:
        return agree
    return f"{agree}, off by more than its own error of {difference.bound or 0.0:.0e}".replace(" of 0e+00", "")


def digits(difference: Difference, slope: float) -> int | None:
    """To how many digits a difference agrees with the slope; None without a difference."""
    if difference.quotient is None:
        return None
    if difference.quotient == slope:
        return 16
    apart = abs(difference.quotient - slope) / max(abs(slope), abs(difference.quotient))
    return max(0, min(16, int(-math.log10(apart))))
