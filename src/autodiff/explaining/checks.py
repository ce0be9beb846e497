"""What confirms a slope beside the other mode, and what it means: small steps, really taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from autodiff.explaining.model import Difference, Meaning, Update

Function = Callable[[Mapping[str, float]], "float | None"]
"""The result at a point; None where it does not exist."""

_EPSILON = 2.0**-52


def difference(function: Function, point: Mapping[str, float], name: str, slope: float) -> Difference:
    """The central difference by `name` at the step that bounds its error best, beside `slope`.

    Its error is that of the function's rounding, magnified by 1/h, plus that of the bend of the function, which a
    second difference of twice the width measures.
    """
    scale = abs(point[name]) or 1.0
    found = [
        made
        for k in range(-6, 5, 2)
        if (made := _difference(function, point, name, slope, scale * 10.0 ** (k / 2) * 6.055e-6)) is not None
    ]
    if not found:
        return Difference(
            name, scale * 6.055e-6, None, None, None, "beside this point there are no values on both sides"
        )
    return min(found, key=lambda made: made.bound or 0.0)


def _difference(
    function: Function, point: Mapping[str, float], name: str, slope: float, step: float
) -> Difference | None:
    at = point[name]
    ends = [at + k * step for k in (-2, -1, 1, 2)]
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
    return Difference(name, step, quotient, bound, abs(quotient - slope) <= bound)


def meaning(function: Function, point: Mapping[str, float], name: str, slope: float, value: float) -> Meaning:
    """What moving an input a little does: by the slope, and really."""
    at = point[name]
    step = 10.0 ** (math.floor(math.log10(abs(at))) - 3) if at and math.isfinite(1 / at) else 1e-3
    after = function({**point, name: at + step})
    return Meaning(name, step, slope * step, None if after is None else after - value)


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
