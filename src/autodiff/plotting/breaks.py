"""Where a curve or its slope breaks: corners, jumps, poles and ends of domain, each as a mark.

>>> from autodiff.plotting.sampler import Sampler
>>> [(mark.kind, mark.x) for mark in marks(Sampler("abs(x - 1)", "x", {}), np.linspace(0.0, 3.0, 100))]
[('corner', 1.0)]

A break is found by halving: between two samples of a smooth curve, the change of the slope halves with the distance, and
what a straight line misses of the value shrinks by 8; at a corner, a jump or a pole they stay. All intervals are halved at
once, by the batch engine; what remains is named by the one-shot answer at the simplest number within.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autodiff.plotting.model import Kind, Mark
from autodiff.plotting.sampler import Sampler, Vector, number

ROUNDS = 12
"""Halvings of every interval: a corner that makes a thousandth of the change of slope makes nearly all of it then."""

DEPTH = 60
"""Halvings of those that remain: to neighbouring numbers."""

NAMED = 200
"""Breaks that are named, the largest."""

UNSURE = 30
"""The same of those where float64 loses digits: most of them are rounding, and each costs some one-shot evaluations."""

EARLY, NEARLY, CLEARLY = 6, 1.06, 4.0
"""From so many halvings on, an interval is given up whose change has shrunk as that of a smooth curve does, within this
factor; after ROUNDS, within the larger one. Single halvings say little: a sample may hit the corner."""

BOTH = 0.05
"""What the mean slope misses of both halves, in parts of the change of the value, where both are followed."""

STEEPER = 5
"""How much the slope grows towards a vertical tangent when the distance is a thousandth, at least."""

TOGETHER = 1e-5
"""Distance of brackets of one break, in parts of the range."""

MOST = 20_000
"""Intervals at a time."""

NOISE = 1e-9
"""Changes beside the largest value or slope that are rounding."""


def marks(sampler: Sampler, grid: Vector) -> list[Mark]:
    """The special points between the samples of a grid, in order."""
    within = float(grid[0]), float(grid[-1])
    named = [_named(sampler, group, within) for group in _grouped(_halved(sampler, grid), within[1] - within[0])]
    return sorted((mark for mark in named if mark is not None), key=lambda mark: mark.x)


# --- halving ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Bracket:
    """Neighbouring numbers between which something breaks, with values and slopes on either side."""

    ends: tuple[float, float]
    values: tuple[float, float]
    slopes: tuple[float, float]


_A, _B, _FA, _FB, _SA, _SB, _MISS, _TILT, _SURE = range(9)
"""Rows of a table of intervals: ends, values, slopes, the change of value and slope at the beginning, whether they are sure."""


def _halved(sampler: Sampler, grid: Vector) -> list[_Bracket]:
    """The intervals in which a break remains after halving."""
    values, slopes, sure = sampler.approximate(grid)
    noise = NOISE * np.array([[np.nanmax(np.abs(column), initial=0.0)] for column in (values, slopes)])
    pairs = [end for column in (grid, values, slopes) for end in (column[:-1], column[1:])]
    table = np.array([*pairs, *np.zeros((2, len(grid) - 1)), sure[:-1] & sure[1:]])
    table = table[:, np.isfinite(table[[_FA, _FB]]).any(axis=0)]
    table[[_MISS, _TILT]] = changes(table)
    for level in range(DEPTH):
        m = table[_A] + (table[_B] - table[_A]) / 2
        moves = (m > table[_A]) & (m < table[_B])
        if not moves.any():
            break
        fm, gm, _ = sampler.approximate(m)
        left, right = table.copy(), table.copy()
        left[[_B, _FB, _SB]] = right[[_A, _FA, _SA]] = m, fm, gm
        first, second = changes(left), changes(right)
        go_left = np.where(np.maximum(first[0], second[0]) > noise[0], first[0] >= second[0], first[1] >= second[1])
        # near to an infinite slope both halves look broken, and one of them is
        both = moves & (np.minimum(first[0], second[0]) > BOTH * np.abs(table[_FB] - table[_FA]) + noise[0])
        halves = np.where(moves, np.where(go_left, left, right), table)
        table = np.concatenate([halves, np.where(go_left, right, left)[:, both]], axis=1)
        if level >= EARLY or both.any():
            table = _pruned(table, level, noise)
    return [_Bracket(*((float(row[k]), float(row[k + 1])) for k in (_A, _FA, _SA))) for row in table.T]


def _pruned(table: Vector, level: int, noise: Vector) -> Vector:
    """The intervals that changed too little for a smooth curve; at the end the largest of them."""
    if level < EARLY:
        return table[:, :MOST]
    now = changes(table)
    least = (NEARLY if level < ROUNDS else CLEARLY) * 0.5 ** (level + 1) * table[[_MISS, _TILT]]
    stays = ((now >= least) & (now > noise)).any(axis=0)
    if level < ROUNDS:
        return table[:, stays][:, :MOST]
    sure = table[_SURE] > 0
    return table[:, _largest(now, stays & sure, NAMED) | _largest(now, stays & ~sure, UNSURE)]


def _largest(change: Vector, among: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """Which of `among` have the largest changes, so many at most."""
    places = np.flatnonzero(among)
    size = np.nan_to_num(change[:, places].max(axis=0), posinf=np.finfo(float).max)
    chosen = np.zeros_like(among)
    chosen[places[np.argsort(-size, kind="stable")[:most]]] = True
    return chosen


def changes(table: Vector) -> Vector:
    """What the mean slope misses of the change of the value, and the change of the slope; infinite where one end has none."""
    f, g, s, t = table[_FA], table[_FB], table[_SA], table[_SB]
    with np.errstate(all="ignore"):
        changes = np.abs([g - f - (s + t) / 2 * (table[_B] - table[_A]), t - s])
    changes[~np.isfinite(changes)] = 0.0
    changes[:, np.isfinite(f) != np.isfinite(g)] = np.inf
    changes[1, np.isfinite(f) & np.isfinite(g) & (np.isfinite(s) != np.isfinite(t))] = np.inf  # on a corner
    return np.asarray(changes)


def _grouped(brackets: list[_Bracket], span: float) -> list[list[_Bracket]]:
    """The brackets of each break: those that are near to each other."""
    groups: list[list[_Bracket]] = []
    for bracket in sorted(brackets, key=lambda bracket: bracket.ends):
        if groups and bracket.ends[0] - groups[-1][-1].ends[1] <= TOGETHER * span:
            groups[-1].append(bracket)
        else:
            groups.append([bracket])
    return groups


# --- naming -----------------------------------------------------------------------------------------------------------


def simplest(low: float, high: float) -> float:
    """The shortest decimal between two numbers, these included.

    >>> simplest(0.29999999999999993, 0.30000000000000004), simplest(-1e-300, 1e-300)
    (0.3, 0.0)
    """
    if low <= 0 <= high:
        return 0.0
    for digits in range(1, 18):
        for text in (f"{(low + high) / 2:.{digits}g}", f"{low:.{digits}g}", f"{high:.{digits}g}"):
            number = float(text)
            if low <= number <= high:
                return number
    return low


_KINDS: Mapping[str, Kind] = {"corner": "corner", "jump": "jump", "infinite": "vertical tangent"}


def _named(sampler: Sampler, group: list[_Bracket], within: tuple[float, float]) -> Mark | None:
    """What a break is; None where it is none, such as a steep but smooth part."""
    x = simplest(group[0].ends[0], group[-1].ends[1])
    answer = sampler.answer(x)
    steepest = max(group, key=lambda bracket: max(map(abs, filter(math.isfinite, bracket.slopes)), default=math.inf))
    highest = max(map(abs, filter(math.isfinite, steepest.values)), default=math.inf)
    if len(group) > 1 and answer.status == "ok" and not abs(number(answer.value)) >= highest:
        # the simplest number is beside it
        x = simplest(*steepest.ends)
        answer = sampler.answer(x)
    (fa, fb), (sa, sb) = steepest.values, steepest.slopes
    if len(group) > 1 and x != simplest(*steepest.ends):
        (fa, sa), (fb, sb) = (group[0].values[0], group[0].slopes[0]), (group[-1].values[1], group[-1].slopes[1])
    value = answer.value if isinstance(answer.value, float) else None
    (left, left_slope), (right, right_slope) = _beside(sampler, x, within)
    kind: Kind | None
    growing = _growing(sampler, x, within)
    if growing == "pole":
        kind = "pole"
    elif (left is None) != (right is None):
        side = left if left is not None else right
        if x in within:  # what is beyond is not looked at
            kind = "jump" if value is not None and side is not None and _differ(value, side) else None
        else:
            kind = None if _overflows(sampler, steepest) else "end"
    elif left is None or right is None:
        kind = None
    elif answer.status in _KINDS:
        kind = _KINDS[answer.status]
    elif _apart(left, right, fa, fb):
        kind = "jump"
    elif growing is not None:
        kind = growing
    elif value is None:
        kind = "hole"
    else:
        slopes_differ = left_slope is not None and right_slope is not None and _differ(left_slope, right_slope)
        kind = "corner" if slopes_differ and _differ(sa, sb) else None
    return None if kind is None else Mark(kind, x, value, left, right, left_slope, right_slope)


def _overflows(sampler: Sampler, bracket: _Bracket) -> bool:
    """Whether the curve ends because it leaves the range of float64."""
    return "overflow" in {sampler.answer(end).status for end in bracket.ends}


def _apart(left: float, right: float, fa: float, fb: float) -> bool:
    size = max(abs(left), abs(right), 1e-300)
    return abs(left - right) > 1e-6 * size and math.isfinite(fa) and math.isfinite(fb) and abs(fa - fb) > 1e-6 * size


def _differ(first: float, second: float) -> bool:
    return not abs(first - second) <= 1e-4 * max(abs(first), abs(second), 1e-300)


def _beside(sampler: Sampler, x: float, within: tuple[float, float]) -> list[tuple[float | None, float | None]]:
    """Value and slope a little to the left of x, and to the right."""
    step = max((within[1] - within[0]) * 1e-9, abs(x) * 1e-12)
    points = np.array([x - step, x + step])
    _, values, slopes = sampler.sure(points)
    inside = (points >= within[0]) & (points <= within[1])
    return [
        (float(v) if ok and math.isfinite(v) else None, float(s) if ok and math.isfinite(s) else None)
        for v, s, ok in zip(values, slopes, inside, strict=True)
    ]


def _growing(sampler: Sampler, x: float, within: tuple[float, float]) -> Kind | None:
    """A pole, towards which the value grows without end, or a vertical tangent, towards which only the slope does.

    Towards a pole, slope times distance does not shrink with the distance.
    """
    distances = (within[1] - within[0]) * np.array([1e-4, 1e-7, 1e-10])
    for side in (-1, 1):
        points = x + side * distances
        if not ((points >= within[0]) & (points <= within[1])).all():
            continue
        values, slopes, _ = sampler.approximate(points)
        if not np.isfinite(values).all():
            continue
        reach, steep = np.abs(slopes) * distances, np.abs(slopes)
        if reach[2] > 0.5 * reach[0] > 0 and reach[1] > 0.5 * reach[0] and abs(values[2]) > abs(values[0]):
            return "pole"
        if steep[2] > STEEPER * steep[1] > STEEPER**2 * steep[0] > 0:
            return "vertical tangent"
    return None
