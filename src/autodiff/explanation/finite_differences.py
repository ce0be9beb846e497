"""Central differences, the effect of a small step, and one step of gradient descent: the program at points beside the point."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

from autodiff.core.evaluate import DomainError, Indeterminate, primal
from autodiff.core.lowering import Lowered
from autodiff.errors import AutodiffError, quoted
from autodiff.explanation.context import WIDE, Analysis
from autodiff.explanation.model import Difference, Meaning, Update

Function = Callable[[Mapping[str, float]], "float | None"]
"""The result at a point; None where it does not exist."""

_EPSILON = 2.0**-52

_SURE = 1e-3
"""The bound of a difference, in parts of it, from which on it is judged by the bound's size: a slope may be 0."""

_NEAR = 1e-6
"""A difference so near to the slope, in parts of it, agrees whatever its bound: the function's own rounding is in no bound."""

_WIDEST = 1e3
"""How much wider than the input, or than 1, the way may be that a step is chosen by: far away the function is another one."""

_SMALLER, _STRAIGHT = 8, 0.1
"""Steps that are tried, each a tenth of the one before, until the actual change is within a tenth of the slope's prediction."""


_ROUNDING, _SHOWN = 16, 1e-5
"""Units of the last place that a value may be off, and the part of a change that its five digits show."""

FEW = 8
"""Names for which steps are taken; one where the program is long."""

EXACT = 500
"""Equations up to which steps are taken in ball arithmetic where float64 loses digits."""

_NONE: Mapping[int, float] = {}


def value(lowered: Lowered, point: Mapping[str, float], assigned: Mapping[int, float] = _NONE) -> float | None:
    """The result at a point, None where it has none; the equations in `assigned` have those values.

    >>> from autodiff.core.lowering import lower
    >>> value(lower("y = x^2; sin(y)"), {"x": 0.0})
    0.0
    """
    try:
        number: float = primal(lowered, point, assigned).values[lowered.result]
    except DomainError:
        return None
    return number


def differences(analysis: Analysis) -> tuple[Difference, ...]:
    """A central difference beside each slope that is sure."""
    function, every = _function(analysis), not _bits(analysis)
    sure = _sure(analysis)
    tried = ((difference(function, _point(analysis, n), n, slope, here, every=every), slope) for n, slope, here in sure)
    return tuple(_judged(analysis, row, slope) if row.agrees is False else row for row, slope in tried)


_TINY = (1e-25, 1e-27)
"""Steps, in parts of the input, that are so small that the bend of the function does not count; in ball arithmetic alone."""


def _judged(analysis: Analysis, row: Difference, slope: float) -> Difference:
    """A difference that seems to contradict the slope, judged by much smaller steps in ball arithmetic.

    It agrees after all if these do; it contradicts the slope only if these agree with each other and not with the slope.
    """
    quotients = [_exact_quotient(analysis, row.name, step) for step in _TINY]
    near = [q is not None and abs(q - slope) <= _NEAR * max(abs(slope), abs(q)) for q in quotients]
    if any(near):
        return row._replace(agrees=None, why="the step is too coarse here")
    first, second = quotients
    sure = first is not None and second is not None and abs(first - second) <= _NEAR * abs(first - slope)
    return row if sure else row._replace(agrees=None, why="the step is too coarse here, or its rounding too large")


def _exact_quotient(analysis: Analysis, name: str, size: float) -> float | None:
    """The difference quotient at a step of that size, in ball arithmetic; None where that is undecided."""
    step = size * (abs(_point(analysis, name)[name]) or 1.0)
    change = _exact_change(analysis, name, -step, step) if step else None  # beside 1e-320 there is no such step
    return None if change is None else change / (2 * step)


def _exact_change(analysis: Analysis, name: str, start: float, stop: float) -> float | None:
    """What the result changes by while an input goes from `start` to `stop` beside the point, in ball arithmetic.

    None where that is undecided, and without python-flint.
    """
    node = analysis.wanted[name]
    if node not in analysis.graph.inputs or len(analysis.graph) > EXACT:
        return None
    try:  # only a doubtful difference needs them
        from autodiff.numbers.ball_numbers import ball, precision, rational, shown
        from autodiff.verify import digits
    except ImportError:
        return None
    point, result = _point(analysis, name), analysis.lowered.result
    with precision(_TINY_BITS):
        try:
            before, after = (
                ball(digits.values(analysis.lowered, point, {node: rational(step)})[0].values[result])
                for step in (start, stop)
            )
        except (Indeterminate, DomainError):
            return None
        change, size = after - before, max(abs(before).upper(), abs(after).upper())
        if change.contains(0):  # 0 as far as half of the digits show, or not known
            return 0.0 if change.rad() <= size / 2 ** (_TINY_BITS // 2) else None
        return shown(change)


_TINY_BITS = 1024
"""The precision of those changes."""


def meanings(analysis: Analysis) -> tuple[Meaning, ...]:
    """What a little more of each name does, by its slope and really."""
    function = _function(analysis)
    every = (
        meaning(function, _point(analysis, n), n, slope, here, partial(_exact_change, analysis, n, 0.0))
        for n, slope, here in _sure(analysis)
    )
    return tuple(row for row in every if math.isfinite(row.expected))


def _sure(analysis: Analysis) -> list[tuple[str, float, float]]:
    """The first few names with a slope that is no convention and at no special point; each with it and the result's value."""
    if analysis.answer is None or analysis.answer.value is None:
        return []
    here, verdicts = analysis.answer.value, analysis.answer.verdicts
    smooth = (n for n in analysis.wanted if n not in verdicts or verdicts[n].status == "ok")
    known = ((name, analysis.answer.gradient[name]) for name in smooth)
    most = FEW if len(analysis.graph) <= WIDE else 1
    return [(name, slope, here) for name, slope in known if slope is not None][:most]


def _function(analysis: Analysis) -> Function:
    """The result at a point, in more digits where float64 loses its own; assigned names have the point's values."""
    assigned = {name: node for name, node in analysis.wanted.items() if node not in analysis.graph.inputs}
    bits = _bits(analysis)

    def function(point: Mapping[str, float]) -> float | None:
        moved = {node: point[name] for name, node in assigned.items() if name in point}
        if not bits:
            return value(analysis.lowered, point, moved)
        from autodiff.verify import digits  # most answers need none

        return digits.value(analysis.lowered, point, bits, moved)

    return function


def _bits(analysis: Analysis) -> int:
    """The precision of balls where float64 loses digits: a value takes up to seconds then. 0 elsewhere."""
    return analysis.exact.bits if analysis.exact is not None and len(analysis.graph) <= EXACT else 0


def _point(analysis: Analysis, name: str) -> Mapping[str, float]:
    """The point, with the value of an assigned name, by which its statement is replaced."""
    at = {} if analysis.answer is None else analysis.answer.at
    return at if name in at else {**at, name: analysis.values[analysis.wanted[name]]}


def difference(
    function: Function, point: Mapping[str, float], name: str, slope: float, here: float, *, every: bool = True
) -> Difference:
    """The central difference by `name` at the step that bounds its error best in parts of itself, beside `slope`.

    `here` is the function's value at the point. Without `every` one step of each size is tried, up to one that decides.

    Steps are tried beside the input's size, beside 1, and beside the way on which a line would bring the function to 0.

    Its error is that of the function's rounding, magnified by 1/h, plus that of the bend of the function, which a
    second difference of twice the width measures.
    """
    scale = abs(point[name]) or 1.0
    sizes = [scale, 1.0, min(abs(here / slope), _WIDEST * max(scale, 1.0)) if here and slope else 1.0]
    finite = [size for size in dict.fromkeys(sizes) if math.isfinite(size)]
    steps = [size * 10.0 ** (k / 2) * 6.055e-6 for size in finite for k in (range(-6, 5, 2) if every else (0,))]
    known = list[Difference]()
    for step in steps:
        tried = _difference(function, point, name, slope, step)
        if tried is not None:
            known.append(tried)
            if not every and (tried.bound or 0.0) <= _NEAR * max(abs(tried.quotient or 0.0), abs(slope)):
                break
    if not known:
        return Difference(
            name, scale * 6.055e-6, None, None, None, "beside this point there are no values on both sides"
        )
    best = min(known, key=_relative)
    return best if _relative(best) < _SURE else min(known, key=lambda difference: difference.bound or 0.0)


def _relative(difference: Difference) -> float:
    return (difference.bound or 0.0) / abs(difference.quotient) if difference.quotient else math.inf


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


def meaning(
    function: Function,
    point: Mapping[str, float],
    name: str,
    slope: float,
    value: float,
    exact_change: Callable[[float], float | None],
) -> Meaning:
    """What moving an input a little does: by the slope, and really; by less where the function bends or ends before.

    `exact_change` gives the change at a step where the difference of two numbers of float64 is rounding; where it gives
    None, the real change is left out.
    """
    at = point[name]
    power = math.floor(math.log10(abs(at))) - 3 if at and math.isfinite(1 / at) else -3
    tried = list[Meaning]()
    for less in range(_SMALLER):
        step = 10.0 ** (power - less)
        after = function({**point, name: at + step}) if math.isfinite(at + step) else None
        change = None if after is None else after - value
        if after is not None and change is not None:
            rounding = _ROUNDING * _EPSILON * max(abs(value), abs(after))
            if rounding > _SHOWN * abs(change):
                change = exact_change(step)
        tried.append(Meaning(name, step, slope * step, change))
        if not slope or (change is not None and abs(change - slope * step) <= _STRAIGHT * abs(slope * step)):
            return tried[-1]
    return tried[0]


def update(
    function: Function, point: Mapping[str, float], gradient: Mapping[str, float | None], rate: float, value: float
) -> Update:
    """One step of gradient descent for every name that has a slope: old - rate * slope. Raises AutodiffError beyond float64."""
    new = {name: point[name] - rate * slope for name, slope in gradient.items() if slope is not None}
    for name, number in new.items():
        if not math.isfinite(number):
            raise AutodiffError(
                f"the step of {quoted(name)} by the learning rate {rate:g} leads beyond 1.8e308",
                hint="give a smaller rate",
            )
    return Update(rate, {name: (point[name], new[name]) for name in new}, value, function({**point, **new}))


def agreement(difference: Difference, slope: float) -> str:
    """How a difference compares with the slope: `9 digits agree`, that it does not, or why that is not judged."""
    if difference.quotient == slope:
        return "the same"
    count = digits(difference, slope) or 0
    if difference.agrees is None or not count:
        return f"not judged: {difference.why or 'the step is too coarse here, or its rounding too large'}"
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
