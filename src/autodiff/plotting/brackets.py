"""Search a range for the places where a curve may break: brackets of neighbouring numbers, each around one place.

>>> sampler, grid = Sampler("abs(x - 1)/(x - 2)", ("x",), {}), np.linspace(0.0, 3.0, 8)
>>> groups = grouped(brackets(sampler, grid), 3.0)
>>> [[round(bracket.ends[0], 9) for bracket in group if bracket.known] for group in groups]
[[0.0], [1.0], [2.0], [3.0]]

The ends of the range are among them; two searches find the others. The equations of a program have conditions (a domain, a
corner, a jump, a choice), and the curve may break where the two sides of a comparison are equal: at the zeros of their
difference. Other places, such as poles of tan, are found by halving: between two samples of a smooth curve, the change of the
slope halves with the distance, and what a straight line misses of the value shrinks by 8; at a corner, a jump or a pole they
stay. All intervals are halved at once, by the batch engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from autodiff.batch.compile import compiled
from autodiff.codegen.emitter import UnfoldedEmitter
from autodiff.core import rules
from autodiff.core.lowering import Lowered
from autodiff.plotting.sampler import Sampler, Vector

Number = TypeVar("Number", float, Vector)

DEPTH = 60
"""Halvings to neighbouring numbers; beside 0, where float64 has many more numbers, to a 1e-18th of an interval."""

CONDITIONS = 40
"""Comparisons whose zeros are searched for."""

FLAT, ROUNDING = 1e-12, 2.0**-50
"""How small the least difference of a comparison's sides is where they meet without crossing, in parts of those around, and
of the largest."""

ROUNDS = 12
"""Halvings of every interval: a corner that makes a thousandth of the change of slope makes nearly all of it then."""

EARLY, NEARLY, CLEARLY = 4, 1.06, 4.0
"""From so many halvings on, an interval is given up whose change has shrunk as that of a smooth curve does, within this
factor; after ROUNDS, within the larger one. Single halvings say little: a sample may hit the corner; where functions are
computed by balls, one has to do."""

BOTH = 0.05
"""What the mean slope misses of both halves, in parts of the change of the value, where both are followed."""

PER_INTERVAL, UNSURE = 4, 30
"""Intervals that are followed inside each of the grid, the largest; and in the end those of all where float64 loses
digits: most of them are rounding, and each costs some one-shot evaluations."""

BY_BALLS = 5000
"""Samples of functions computed by balls after which no more than UNSURE intervals are followed: of waves shorter than an
interval each looks like a break, and takes a hundred samples."""

NEGLIGIBLE = 1e-9
"""Changes beside the values or slopes around that are rounding."""

TOGETHER = 1e-5
"""Distance of brackets of one break, in parts of the range."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """Neighbouring numbers between which the curve may break.

    known      a condition of the program is the reason
    steepness  the larger slope at the ends
    open       one end has no value in float64
    """

    ends: tuple[float, float]
    known: bool = False
    steepness: float = 0.0
    open: bool = False


def brackets(sampler: Sampler, grid: Vector) -> Iterator[Bracket]:
    """Where the curve may break between the samples of a grid."""
    differences = _differences(sampler.compiled.lowered, sampler.variable)
    zeros = [ends for difference in differences for ends in _zeros(sampler, difference, grid)]
    both_ends = [(end, end) for end in (float(grid[0]), float(grid[-1]))] if differences else []
    yield from (Bracket(ends, known=True) for ends in (*zeros, *both_ends))
    yield from _halved(sampler, grid)


def grouped(located: Iterable[Bracket], span: float) -> list[list[Bracket]]:
    """The brackets of each break: those that are near to each other."""
    groups: list[list[Bracket]] = []
    for bracket in sorted(located, key=lambda bracket: bracket.ends):
        if groups and bracket.ends[0] - groups[-1][-1].ends[1] <= TOGETHER * span:
            groups[-1].append(bracket)
        else:
            groups.append([bracket])
    return groups


# --- conditions ---------------------------------------------------------------------------------------------------------


def _differences(lowered: Lowered, variable: str) -> list[Lowered]:
    """The differences of what is compared in the program, and in the conditions that the table has for its equations."""
    emitter = UnfoldedEmitter()
    graph = emitter.graph
    emitter.copied(lowered.graph, [lowered.result])
    for row, args in list(zip(graph.rows, graph.args, strict=True)):
        if row is not None and any(a not in graph.constants for a in args):
            for text in (*(condition.text for condition in row.domain), *row.special_conditions):
                emitter.text(text, row.params, args)
    compared = [
        args
        for row, args in zip(graph.rows, graph.args, strict=True)
        if row is not None and row.is_predicate and len(args) == 2 and not row.conditions
    ]
    nodes = dict.fromkeys(emitter.emit(rules.TABLE["-", 2], args) for args in compared)
    active = [node for node in nodes if variable in {graph.inputs.get(leaf) for leaf in graph.reaching(node)}]
    return [lowered._replace(graph=graph, result=node, assigned={}) for node in active[:CONDITIONS]]


def _zeros(sampler: Sampler, difference: Lowered, grid: Vector) -> list[tuple[float, float]]:
    """Brackets of the zeros of a function, those where it does not change its sign included."""
    function = compiled(difference, [sampler.variable], exact=False)
    if not function.in_blocks:
        return []

    def value_and_slope(xs: Vector) -> tuple[Vector, Vector]:
        value, gradient, _ = function.approximate(**sampler.over(xs))
        return np.array(value), np.array(gradient[sampler.variable])

    values, slopes = value_and_slope(grid)
    turning = (
        _changing(slopes) & (np.sign(values[:-1]) == np.sign(values[1:])) & (np.sign(values[:-1]) * slopes[:-1] < 0)
    )
    turns = _bisected(lambda xs: value_and_slope(xs)[1] > 0, grid[:-1][turning], grid[1:][turning])
    around = np.maximum(np.abs(values[:-1]), np.abs(values[1:]))[turning]
    rounding = ROUNDING * np.max(np.abs(values), initial=0.0, where=np.isfinite(values))
    touching = np.abs(value_and_slope(turns[1])[0]) <= FLAT * around + rounding
    finer = np.unique(np.concatenate([grid, *(ends[~touching] for ends in turns)]))
    values = value_and_slope(finer)[0]
    crossing = _changing(values)
    low, high, first, last = finer[:-1][crossing], finer[1:][crossing], values[:-1][crossing], values[1:][crossing]
    rising = np.sign(last - first)
    below, zero = _bisected(lambda xs: rising * value_and_slope(xs)[0] >= 0, low, high)
    last_zero, above = _bisected(lambda xs: rising * value_and_slope(xs)[0] > 0, low, high)
    zero, last_zero = np.where(first == 0, low, zero), np.where(last == 0, high, last_zero)
    # a part of the range where the function is 0, as floor(x) is, has ends; in a shorter one it is 0 by rounding
    flat = last_zero - zero > TOGETHER * (grid[-1] - grid[0])
    ahead, behind = (zero > last_zero) | (flat & (first != 0)), flat & (first == 0)
    starts = np.where(ahead, below, np.where(behind, last_zero, zero))
    stops = np.where(ahead, zero, np.where(behind, above, last_zero))
    ends = (np.concatenate([turn[touching], z]).tolist() for turn, z in zip(turns, (starts, stops), strict=True))
    return list(zip(*ends, strict=True))


def _changing(values: Vector) -> NDArray[np.bool_]:
    """Whether the sign changes between two neighbours."""
    return np.asarray(np.isfinite(values[:-1] + values[1:]) & (np.sign(values[:-1]) != np.sign(values[1:])))


def _bisected(holds: Callable[[Vector], NDArray[np.bool_]], low: Vector, high: Vector) -> tuple[Vector, Vector]:
    """The intervals, at whose ends a condition changes, halved to neighbouring numbers."""
    if not len(low):
        return low, high
    before = holds(low)
    for _ in range(DEPTH):
        middle = low + (high - low) / 2
        same = holds(middle) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return low, high


# --- halving ------------------------------------------------------------------------------------------------------------

_A, _B, _FA, _FB, _SA, _SB, _MISS, _TILT, _SURE, _ORIGIN, _WIDTH = range(11)
"""Rows of a table of intervals: ends, values, slopes, the change of value and slope at the beginning, whether they are sure,
the interval of the grid and its width."""


def _halved(sampler: Sampler, grid: Vector) -> Iterator[Bracket]:
    """The intervals in which a break remains after halving."""
    values, (slopes,), sure = sampler.approximate(grid)
    usual = np.array(
        [
            [np.median(np.abs(column[np.isfinite(column)])) if np.isfinite(column).any() else 0.0]
            for column in (values, slopes)
        ]
    )
    pairs = [end for column in (grid, values, slopes) for end in (column[:-1], column[1:])]
    table = np.array(
        [*pairs, *np.zeros((2, len(grid) - 1)), sure[:-1] & sure[1:], np.arange(len(grid) - 1), np.diff(grid)]
    )
    table = table[:, np.isfinite(table[[_FA, _FB]]).any(axis=0)]
    table[[_MISS, _TILT]] = _changes(table)
    early = 0 if sampler.by_balls else EARLY
    count = 0
    for level in range(DEPTH):
        m = table[_A] + (table[_B] - table[_A]) / 2
        moves = (m > table[_A]) & (m < table[_B])
        count += len(m)
        if not moves.any():
            break
        fm, (gm,), _ = sampler.approximate(m)
        left, right = table.copy(), table.copy()
        left[[_B, _FB, _SB]] = right[[_A, _FA, _SA]] = m, fm, gm
        first, second = _changes(left), _changes(right)
        rounding = _rounding(table, usual)
        go_left = np.where(np.maximum(first[0], second[0]) > rounding[0], first[0] >= second[0], first[1] >= second[1])
        # near to an infinite slope both halves look broken, and one of them is
        both = moves & (np.minimum(first[0], second[0]) > BOTH * np.abs(table[_FB] - table[_FA]) + rounding[0])
        halves = np.where(moves, np.where(go_left, left, right), table)
        table = np.concatenate([halves, np.where(go_left, right, left)[:, both]], axis=1)
        if level >= early or both.any():
            table = _pruned(table, level, usual, early)
        if sampler.by_balls and count > BY_BALLS:
            table = table[:, np.argsort(-_changes(table)[0], kind="stable")[:UNSURE]]
    for row in table.T:
        steepness = float(np.max(np.abs(row[[_SA, _SB]]), initial=0.0, where=np.isfinite(row[[_SA, _SB]])))
        open_end = bool(np.isnan(row[[_FA, _FB]]).any())
        yield Bracket((float(row[_A]), float(row[_B])), steepness=steepness, open=open_end)


def _rounding(table: Vector, usual: Vector) -> Vector:
    """Changes of value and slope of each interval that are rounding.

    A sample beside a pole has a huge value, which says nothing about other intervals.
    """
    sizes = np.abs(np.nan_to_num(table[[_FA, _FB, _SA, _SB]], nan=0.0))
    return np.asarray(NEGLIGIBLE * np.maximum(np.array([sizes[:2].max(axis=0), sizes[2:].max(axis=0)]), usual))


def _pruned(table: Vector, level: int, usual: Vector, early: int) -> Vector:
    """The intervals without those that changed too little for a break; the largest of each interval of the grid."""
    now = _changes(table)
    size = np.nan_to_num(now[0] + (table[_B] - table[_A]) * now[1], posinf=np.finfo(float).max)
    if level >= early:
        shrunk = (table[_B] - table[_A]) / table[_WIDTH]
        least = (NEARLY if level < ROUNDS else CLEARLY) * shrunk * table[[_MISS, _TILT]]
        stays = ((now >= least) & (now > _rounding(table, usual))).any(axis=0)
        table, size = table[:, stays], size[stays]
    order = np.lexsort([-size, table[_ORIGIN]])
    table, size = table[:, order], size[order]
    first = np.searchsorted(table[_ORIGIN], table[_ORIGIN])
    table, size = (column[..., np.arange(len(size)) - first < PER_INTERVAL] for column in (table, size))
    unsure = np.flatnonzero(table[_SURE] == 0) if level >= ROUNDS else np.arange(0)
    return np.delete(table, unsure[np.argsort(-size[unsure], kind="stable")[UNSURE:]], axis=1)


def _changes(table: Vector) -> Vector:
    """What the mean slope misses of the change of the value, and the change of the slope; infinite where one end has none."""
    f, g, s, t = table[_FA], table[_FB], table[_SA], table[_SB]
    with np.errstate(all="ignore"):
        changes = np.array(missed(*table[:_SA], *np.nan_to_num(table[[_SA, _SB]], nan=0.0)))
    changes[np.isnan(changes)] = 0.0
    changes[:, np.isfinite(f) != np.isfinite(g)] = np.inf
    changes[1, np.isfinite(f) & np.isfinite(g) & (np.isfinite(s) != np.isfinite(t))] = np.inf  # on a corner
    return changes


def missed(a: Number, b: Number, f: Number, g: Number, s: Number, t: Number) -> tuple[Number, Number]:
    """What the mean slope misses of the change of the value from a to b, and the change of the slope."""
    return abs(g - f - (s + t) / 2 * (b - a)), abs(t - s)
