"""Name the special point between two numbers: a corner, a jump, a pole, a hole, an end or a vertical tangent.

>>> sampler = Sampler("sin(x)/x", ("x",), {})
>>> (mark,) = named(sampler, [Bracket((0.0, 5e-324), known=True)], (-1.0, 1.0))
>>> mark.kind, mark.x, mark.left
('hole', 0.0, 1.0)

The point is the simplest number there, and its sides are those of one-sided expansions. Where they don't decide, or show
nothing although the curve breaks (a pole at pi/2 lies between two numbers of float64), samples that come near do.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autodiff.api.answer import Answer
from autodiff.core.evaluate import Indeterminate
from autodiff.language.exact_float import decimal
from autodiff.nonsmooth.expand import OneSidedDomainError, beside
from autodiff.nonsmooth.verdict import DEPTHS, Verdict, same, side
from autodiff.numbers.one_sided_terms import CONSTANT
from autodiff.plotting.brackets import Bracket, missed
from autodiff.plotting.model import Kind, Mark
from autodiff.plotting.sampler import Sampler, Vector

NEAR, FARTHER = np.array([1.0, 1.13, 1.25, 1.38, 1.63, 2.0]), 2.0**10
"""Distances at which a side is sampled, in parts of the least; this many times farther it is sampled again, and once more."""

LEAST = 2.0**-52
"""The least of these distances, in parts of the range, or where that is more some units in the last place."""

SHRINKS = 0.5
"""What is left of the differences between values when the distance is 1/FARTHER, at most, where there is a limit."""

SURE = 1e-10
"""Differences of values, in parts of the largest, that are taken for rounding."""

BENDS = 1e-4
"""The same of slopes at a corner."""


SHORT = 12
"""Digits of a number that may have been meant as a decimal."""

_KINDS: Mapping[str, Kind] = {"corner": "corner", "jump": "jump", "infinite": "vertical tangent"}
"""Kinds of special points by the status of the one-shot answer."""


@dataclass(frozen=True, slots=True)
class SideLimits:
    """What value and slope tend to on one side, maybe infinite, None where there is no limit; and how far these may be off.

    undefined  there are no values on this side
    overflows  the values are beyond float64
    """

    value: float | None = None
    slope: float | None = None
    error_bound: float = 0.0
    slope_error: float = 0.0
    undefined: bool = False
    overflows: bool = False

    def meets(self, value: float) -> bool:
        return self.value is not None and same(self.value, value, self.error_bound)


def simplest(low: float, high: float) -> float:
    """The shortest decimal between two numbers, these included.

    >>> simplest(0.29999999999999993, 0.30000000000000004), simplest(-1e-300, 1e-300)
    (0.3, 0.0)
    """
    if low <= 0 <= high:
        return 0.0
    for digits in range(1, 18):
        for text in (f"{low / 2 + high / 2:.{digits}g}", f"{low:.{digits}g}", f"{high:.{digits}g}"):
            number = float(text)
            if low <= number <= high:
                return number
    return low


def named(sampler: Sampler, group: Sequence[Bracket], within: tuple[float, float]) -> list[Mark]:
    """What breaks are near to each other; none where there is a steep but smooth part."""
    least = LEAST * (within[1] - within[0])
    marks: list[Mark] = []
    for bracket in sorted((bracket for bracket in group if bracket.known), key=lambda b: b.ends[1] - b.ends[0]):
        apart = 64 * max(math.ulp(bracket.ends[0]), least)  # farther than rounding moves one place
        if not any(bracket.ends[0] - apart <= mark.x <= bracket.ends[1] + apart for mark in marks):
            marks += filter(None, [_mark(sampler, bracket, within)])
    others = [bracket for bracket in group if not bracket.known]
    if marks or not others:
        return sorted(marks, key=lambda mark: mark.x)
    low, high = others[0].ends[0], others[-1].ends[1]
    wider = Bracket((low - max(4 * math.ulp(low), least), high + max(4 * math.ulp(high), least)))
    steepest = max(others, key=lambda bracket: bracket.steepness)
    mark = _mark(sampler, steepest, within) or _mark(sampler, wider, within)  # float64 may move a break a little
    return [mark] if mark is not None else []


def _mark(sampler: Sampler, bracket: Bracket, within: tuple[float, float]) -> Mark | None:
    x = min(max(simplest(*bracket.ends), within[0]), within[1])
    meant, answer = _answer(sampler, x)
    signs = [sign for sign, end in ((-1.0, within[0]), (1.0, within[1])) if x != end]
    step = max(8 * math.ulp(x), LEAST * (within[1] - within[0]), bracket.ends[1] - bracket.ends[0])
    beyond = answer.status == "domain"
    kind: Kind | None = None
    value, sides = answer.value, dict[float, SideLimits]()
    if answer.status != "ok" or answer.verdicts:
        known = _judged(answer.verdicts.get(sampler.variable))
        for sign in signs:
            expanded = known.get(sign) or _expanded(sampler, meant, sign, step)
            sides[sign] = expanded or _sampled(sampler, x, sign, step, beyond=beyond)
        kind = _kind(value, list(sides.values()))
        if known and kind is not None and kind != "end":
            kind = _KINDS.get(answer.status)  # which knows what is rounding
        if kind is None and len(signs) < len(known) and _kind(value, list(known.values())) != "jump":
            sides, kind = (
                known,
                _kind(value, list(known.values())),
            )  # at an end of the range: what is beyond it is not drawn
    if kind is None and not answer.verdicts and (bracket.known or _broken(sampler, bracket)):
        sides = {sign: _sampled(sampler, x, sign, step, beyond=beyond) for sign in signs}
        kind, value = _between_numbers(sampler.exact(x), step, list(sides.values()))
    if kind is None:
        return None
    left, right = (sides.get(sign, SideLimits()) for sign in (-1.0, 1.0))
    return Mark(kind, x, value, *map(_finite, (left.value, right.value, left.slope, right.slope)))


def _answer(sampler: Sampler, x: float) -> tuple[float, Answer]:
    """The one-shot answer at x, read as the decimal that it is if that is short and a special point: 0.3 as three tenths."""
    plain = sampler.answer(x)
    if plain.status not in ("ok", "overflow") or plain.verdicts or float(f"{x:.{SHORT}g}") != x:
        return x, plain
    meant = decimal(repr(x), x)
    typed = sampler.answer(meant)
    return (meant, typed) if typed.status != plain.status or typed.verdicts else (x, plain)


def _broken(sampler: Sampler, bracket: Bracket) -> bool:
    """Whether value or slope at the ends differ by more than rounding, computed to all digits."""
    (f, s), (g, t) = (sampler.exact(end) for end in bracket.ends)
    if math.isnan(f) or math.isnan(g):
        return not (math.isnan(f) and math.isnan(g))
    miss, tilt = missed(*bracket.ends, f, g, s, t)
    smallest = sys.float_info.min  # below it float64 has steps that look like jumps
    return not (miss <= SURE * max(abs(f), abs(g)) + smallest and tilt <= BENDS * max(abs(s), abs(t)) + smallest)


def _between_numbers(
    here: tuple[float, float], step: float, sides: Sequence[SideLimits]
) -> tuple[Kind | None, float | None]:
    """What is near to x, between two numbers of float64, and the value there.

    Value and slope at x, which are `here`, are then those of one side: else the curve is steep there, but smooth.
    """
    value, slope = here
    first, last = sides[0], sides[-1]
    meet = first.value is not None and last.meets(first.value)
    kind = _kind(first.value if meet else None if math.isnan(value) else value, sides)
    if math.isnan(value):
        return kind, None
    if kind == "pole":
        return (kind, None) if 16 * step * abs(slope) > abs(value) else (None, None)
    if kind == "jump":
        return (kind, value) if _one_of(value, first.value, last.value) else (None, None)
    if kind == "corner":
        return (kind, first.value) if _one_of(slope, first.slope, last.slope) else (None, None)
    return kind, first.value if meet else last.value if first.undefined else first.value


def _one_of(number: float, first: float | None, second: float | None) -> bool:
    """Whether a number is one of two, up to a small part of their difference."""
    if first is None or second is None:
        return False
    return min(abs(number - first), abs(number - second)) <= 0.01 * abs(first - second)


def _finite(number: float | None) -> float | None:
    return number + 0.0 if number is not None and math.isfinite(number) else None


def _kind(value: float | None, sides: Sequence[SideLimits]) -> Kind | None:
    """What kind of point has these sides; one that is not in the range is not among them."""
    there = [limits for limits in sides if not limits.undefined]
    if any(limits.value is not None and math.isinf(limits.value) for limits in there):
        return "pole"
    if any(limits.overflows for limits in there):
        return None
    if not there:
        return None if value is None or len(sides) < 2 else "end"
    if len(there) < len(sides):
        return "end"
    if any(limits.value is None for limits in there):
        return "hole" if value is None else "jump"
    first, last = there[0], there[-1]
    if not first.meets(last.value or 0.0) and not last.meets(first.value or 0.0):
        return "jump"
    if value is None:
        return "hole"
    if not first.meets(value):
        return "jump"
    if len(there) < 2 or first.slope is None or last.slope is None:
        return None
    if math.isinf(first.slope) or math.isinf(last.slope):
        return "vertical tangent"
    return None if same(first.slope, last.slope, first.slope_error + last.slope_error) else "corner"


# --- the sides of a point -----------------------------------------------------------------------------------------------


def _judged(verdict: Verdict | None) -> dict[float, SideLimits]:
    """The sides as the one-shot answer has them, where it decides."""
    if verdict is None or verdict.status not in _KINDS:
        return {}
    sides = zip((-1.0, 1.0), verdict.values, (verdict.left, verdict.right), strict=True)
    return {sign: SideLimits(value, slope, undefined=value is None) for sign, value, slope in sides}


def _expanded(sampler: Sampler, x: float, sign: float, step: float) -> SideLimits | None:
    """One side as the expansion of the program in a series has it; None where that, or the rounding of x, does not decide."""
    lowered, node = sampler.compiled.lowered, sampler.compiled.sources.get(sampler.variable)
    if node is None:
        return SideLimits(sampler.exact(x)[0], 0.0)
    try:
        seen = side(lowered, sampler.over(x), node, sign)
        rounded = math.isfinite(seen.slope) and abs(seen.slope) * step > abs(seen.value) > 0
        return None if rounded else SideLimits(seen.value, sign * seen.slope, 0.0, seen.error_bound)
    except OneSidedDomainError:
        return SideLimits(undefined=True)
    except Indeterminate:
        pass
    try:
        series = beside(lowered, sampler.over(x), {node: sign}, DEPTHS[1])
    except (Indeterminate, OneSidedDomainError):
        return None
    if series.terms and series.terms[0].certain and series.low < CONSTANT:
        return SideLimits(math.copysign(math.inf, float(series.terms[0].coefficient)))
    return None


def _sampled(sampler: Sampler, x: float, sign: float, step: float, *, beyond: bool) -> SideLimits:
    """One side as samples show it; `beyond`, where x is at the end of a domain."""
    xs = x + sign * step * np.concatenate([NEAR * times for times in (1.0, FARTHER, FARTHER**2)])
    values, (slopes,), sure = sampler.approximate(xs)
    for k in np.flatnonzero((~sure & (np.arange(len(xs)) < len(NEAR))) | np.isnan(values)):
        values[k], slopes[k] = sampler.exact(float(xs[k]))
    near = values[: len(NEAR)]
    if np.isnan(near).any():
        if any(sampler.answer(float(place)).status == "overflow" for place in xs[: len(NEAR)]):
            return SideLimits(math.inf) if beyond else SideLimits(overflows=True)
        return SideLimits(undefined=True)
    if _settle(values, SURE):
        limit, error_bound = _extrapolated(near), 4 * float(np.ptp(near)) + SURE * float(np.abs(near).max())
        slope, off = _slope(slopes)
        ends = (max(limit - error_bound, -sys.float_info.max), min(limit + error_bound, sys.float_info.max))
        return SideLimits(simplest(*ends), slope, error_bound, off)
    if (np.diff(np.abs(values)) <= 0).all() and abs(near[0]) > abs(near[-1]) and len(set(np.sign(values))) == 1:
        return SideLimits(math.copysign(math.inf, near[0]))
    return SideLimits()


def _slope(slopes: Vector) -> tuple[float | None, float]:
    """What slopes tend to, maybe infinite, None where to nothing, and how far that may be off."""
    near, farther, _ = np.split(slopes, 3)
    if _settle(slopes, BENDS):
        return _extrapolated(near), float(np.ptp(near) + BENDS * np.abs(near).max())
    if np.abs(near).min() > 2 * np.abs(farther).max():
        return math.copysign(math.inf, near[0]), 0.0
    return None, 0.0


def _settle(numbers: Vector, part: float) -> bool:
    """Whether numbers at three distances tend to a limit: they differ less and less, as do the groups, or hardly any more."""
    groups = np.split(numbers, 3)
    nearest, near, far = (float(np.ptp(group)) for group in groups)
    first, second, third = (float(group[0]) for group in groups)
    shrinks = nearest <= SHRINKS * near <= SHRINKS**2 * far and abs(second - first) <= SHRINKS * abs(third - second)
    return shrinks or nearest <= part * float(np.abs(groups[0]).max())


def _extrapolated(near: Vector) -> float:
    """What numbers at the distances NEAR come to at 0, on a straight line."""
    ahead = float(near[0]) + (float(near[0]) - float(near[-1]))
    return ahead if math.isfinite(ahead) else float(near[0])
