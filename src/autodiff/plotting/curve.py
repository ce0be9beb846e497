"""Plots of a program over one variable: the curve, its derivatives, its special points, a tangent.

>>> found = plot("abs(x^2 - 1)", ("x", -2.0, 2.0))
>>> [curve.label for curve in found.curves], [(mark.kind, mark.x) for mark in found.marks]
(['f', 'df/dx'], [('corner', -1.0), ('corner', 1.0)])
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodiff.api.derivative import derivative
from autodiff.errors import AutodiffError, shortened
from autodiff.plotting.brackets import brackets, grouped, missed
from autodiff.plotting.marks import named
from autodiff.plotting.model import HIGHEST_SHOWN, SHORTEST_SHOWN, Curve, Mark, Plot, Tangent
from autodiff.plotting.sampler import Sampler, Vector, require_range

GRID, FEW, FEWEST = 2000, 250, 125
"""Intervals that are searched: several for each column of a picture; where each sample is a one-shot evaluation, and special
points between them are not searched for; where functions are computed by balls, and each interval is halved and then, where
the curve bends, has more samples.
"""

OFFSET = 0.137
"""How far the grid is moved, in parts of an interval, so that few samples hit a special point such as a whole number."""

FINER = 8
"""Times that samples are added where the curve bends."""

STRAIGHT = 1e-3
"""What the mean slope may miss of the change between two samples, in parts of the height of the curve."""

NAMED, SOME = 200, 40
"""Up to how many breaks all are named; how many of more than these. At the others the curve is cut."""


SCATTERED = 0.02
"""The part of the intervals that have several breaks from which on not all of these are found."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Ascending xs with values and slopes, and the special points between them. Values are NaN where there is none.

    cuts       more places where the curve may break, because there are too many to name, or it leaves the range of float64
    scattered  there are so many that two samples side by side may be on different pieces
    """

    xs: Vector
    values: Vector
    slopes: Vector
    marks: tuple[Mark, ...] = ()
    cuts: tuple[float, ...] = ()
    scattered: bool = False


def sampled(sampler: Sampler, start: float, stop: float) -> Samples:
    """The curve between `start` and `stop`."""
    intervals = FEW if not sampler.compiled.in_blocks else FEWEST if sampler.by_balls else GRID
    grid = np.linspace(start, stop, intervals + 1)
    grid[1:-1] += OFFSET * (stop - start) / intervals
    if not sampler.compiled.in_blocks:
        return Samples(*sampler.sure(grid))
    samples = [_refined(sampler, grid)]
    groups = grouped(brackets(sampler, grid), stop - start)
    chosen = groups if len(groups) <= NAMED else groups[:: len(groups) // SOME]
    cuts = [group[0].ends[0] for group in groups if len(groups) > NAMED]
    marks = list[Mark]()
    for group in chosen:
        here = named(sampler, group, (start, stop))
        marks += here
        if not here and any(bracket.open for bracket in group):  # beyond float64
            cuts.append(group[0].ends[0])
    near = [_approach(mark.x, side, start, stop) for mark in marks for side in (-1, 1)]
    if near:
        samples.append(sampler.sure(np.setdiff1d(np.concatenate(near), grid)))
    xs, values, slopes = (np.concatenate(parts) for parts in zip(*samples, strict=True))
    order = np.argsort(xs, kind="stable")
    within = tuple(cut for cut in cuts if start < cut < stop)
    several = int(np.count_nonzero(np.bincount(np.searchsorted(grid, cuts)) > 1))
    return Samples(
        xs[order], values[order], slopes[order], tuple(marks), within, scattered=several > SCATTERED * intervals
    )


def _refined(sampler: Sampler, grid: Vector) -> tuple[Vector, Vector, Vector]:
    """Samples of a grid, and more between two where the curve is far from a straight line."""
    xs, values, slopes = sampler.sure(grid)
    for _ in range(FINER):
        height = np.nanmax(values, initial=-np.inf) - np.nanmin(values, initial=np.inf)
        if not 0 < height < np.inf:
            break
        change, _ = missed(*(end for column in (xs, values, slopes) for end in (column[:-1], column[1:])))
        places = np.flatnonzero((change > STRAIGHT * height) & np.isfinite(change))
        if not len(places):
            break
        places = places[np.argsort(-change[places], kind="stable")[: len(grid)]]
        more = sampler.sure((xs[places] + xs[places + 1]) / 2)
        order = np.argsort(np.concatenate([xs, more[0]]), kind="stable")
        xs, values, slopes = (np.concatenate(pair)[order] for pair in zip((xs, values, slopes), more, strict=True))
    return xs, values, slopes


def _approach(x: float, side: int, start: float, stop: float) -> Vector:
    """Points that come near to x from one side, each half as far as the one before."""
    points = x + side * (stop - start) * 0.5 ** np.arange(10, 44)
    return np.asarray(points[(points >= start) & (points <= stop) & (points != x)])


HIGHEST = 3
"""The order of the highest derivative that is drawn."""

SHARE = 0.05
"""Part of the range, at either end of the order of size, that need not be in view where there is a pole."""

ROUNDING, SLOPES_ROUNDING = 2.0**-46, 1e-10
"""Differences of values, and of derivatives, in parts of the largest, that are rounding: such a curve is drawn level."""

GAPS = frozenset({"jump", "pole", "end", "hole"})
"""Marks at which the curve has a gap; its derivatives have one at every mark."""


@np.errstate(all="ignore")  # what leaves the range of float64 is not drawn
def plot(
    text: str,
    over: tuple[str, float, float],
    at: Mapping[str, float] | None = None,
    order: int = 1,
    points: tuple[Sequence[float], Sequence[float]] | None = None,
) -> Plot:
    """The program `text` over (variable, start, stop), with its derivatives up to `order`.

    at      values of the other inputs, and of the variable where a tangent is wanted
    points  (xs, ys) that are shown beside the curve

    Raises AutodiffError for names, a range or an order that can't be drawn. Needs NumPy.
    """
    variable, start, stop = over
    require_range(variable, start, stop)
    if not (isinstance(order, int) and 0 <= order <= HIGHEST):
        raise AutodiffError(f"derivatives up to order {HIGHEST} are drawn, not {shortened(repr(order))}")
    sampler = Sampler(text, (variable,), at or {})
    samples = sampled(sampler, start, stop)
    result = sampler.compiled.lowered.name
    labels = [
        result,
        f"d{result}/d{variable}",
        *(f"d{'²³'[k - 2]}{result}/d{variable}{'²³'[k - 2]}" for k in range(2, order + 1)),
    ]
    columns = [samples.values, samples.slopes][: order + 1]
    for k in range(2, order + 1):
        columns.append(_higher(sampler, k, samples))
    curves: list[Curve] = []
    notes = []
    for k, (label, column) in enumerate(zip(labels, columns, strict=False)):
        segments = _segments(samples, column, derived=k > 0)
        if curves and curves[0].segments and not segments:
            notes.append(f"{label} has no value at any sample, and is left out")
            continue
        low, high = _view(samples, column, [] if k else [*_values(samples.marks), *(points[1] if points else [])])
        curves.append(Curve(label, segments, low, high))
    if not sampler.compiled.in_blocks:
        notes.append(
            "samples of this program are computed one by one, so there are few, and special points between them are not marked"
        )
    if samples.scattered:
        notes.append("the curve breaks about as often as it is sampled: the samples are not joined")
    elif len(samples.cuts) > len(samples.marks):
        places = "is 1 place" if len(samples.cuts) == 1 else f"are {len(samples.cuts)} places"
        notes.append(f"there {places} where the curve may break: it has a gap there, and few have marks")
    tangent = _tangent(sampler, (at or {}).get(variable), notes)
    drawn = Plot(text, variable, start, stop, curves, samples.marks, tangent, points)
    if drawn.empty:
        notes.append(f"there is no value between {start:g} and {stop:g}")
    return replace(drawn, notes=tuple(notes))


def _higher(sampler: Sampler, order: int, samples: Samples) -> Any:
    """A derivative of higher order at the samples: the slope of the formula of the one before; NaN where it is not sure."""
    if sampler.variable not in sampler.compiled.sources:
        return np.where(np.isfinite(samples.slopes), 0.0, np.nan)
    formula = str(derivative(sampler.text, sampler.variable, order=order - 1))
    kept, _, slopes = Sampler(formula, sampler.variables, sampler.fixed).sure(samples.xs)
    column = np.full(len(samples.xs), np.nan)
    column[np.searchsorted(samples.xs, kept)] = slopes
    column[~np.isfinite(samples.slopes)] = np.nan
    return column


def _segments(samples: Samples, column: Any, *, derived: bool) -> list[tuple[Sequence[float], Sequence[float]]]:
    """The curve without its gaps."""
    cuts = sorted([*samples.cuts, *(mark.x for mark in samples.marks if derived or mark.kind in GAPS)])
    here = np.isfinite(column) & ~np.isin(samples.xs, cuts)
    piece = np.searchsorted(np.array(cuts), samples.xs) if cuts else np.zeros(len(samples.xs), dtype=int)
    missing = np.cumsum(~np.isfinite(samples.values))  # a sample without a value parts those beside it
    key = np.arange(len(samples.xs)) if samples.scattered else piece * (len(samples.xs) + 1) + missing
    segments = []
    for group in np.unique(key[here]):
        chosen = here & (key == group)
        segments.append((samples.xs[chosen], column[chosen]))
    return segments


def _values(marks: Sequence[Mark]) -> list[float]:
    """The values at jumps, which may be far from the curve."""
    return [mark.value for mark in marks if mark.kind == "jump" and mark.value is not None]


def _view(samples: Samples, column: Any, others: Sequence[float]) -> tuple[float, float]:
    """The lowest and the highest y that are shown: all of the curve, or most of it where it has no end, and `others`."""
    known = np.isfinite(column)
    if not known.any():
        return -1.0, 1.0
    low, high = float(column[known].min()), float(column[known].max())
    order = np.argsort(column[known], kind="stable")
    # samples are dense beside a special point: what counts is how much of the range has such a value
    share = np.cumsum(np.gradient(samples.xs)[known][order]) if len(samples.xs) > 1 else np.ones(1)
    inner = [float(column[known][order][np.searchsorted(share, part * share[-1])]) for part in (SHARE, 1 - SHARE)]
    boundless = any(mark.kind in ("pole", "vertical tangent") for mark in samples.marks) or not math.isfinite(
        high - low
    )
    steep = high - low > 1e3 * (inner[1] - inner[0]) > 0
    if boundless or (steep and _at_a_gap(samples, column, low, high)):
        room = 0.25 * (inner[1] - inner[0])
        low, high = max(low, inner[0] - room), min(high, inner[1] + room)
    low, high = min([low, *others]), max([high, *others])
    low, high = (min(max(end, -HIGHEST_SHOWN), HIGHEST_SHOWN) for end in (low, high))
    rounding = ROUNDING if column is samples.values else SLOPES_ROUNDING
    flat = high - low <= max(rounding * max(abs(low), abs(high)), SHORTEST_SHOWN)
    pad = max(abs(high) * 0.5, 0.5) if flat else 0.05 * (high - low)
    return low - pad, high + pad


def _at_a_gap(samples: Samples, column: Any, low: float, high: float) -> bool:
    """Whether the curve is lowest or highest at a gap, beside which it may go on; a narrow peak has its end in view."""
    gaps = [*samples.cuts, *(mark.x for mark in samples.marks)]
    for k in np.flatnonzero((column == low) | (column == high)):
        around = slice(max(k - 1, 0), k + 2)
        first, *_, last = samples.xs[around]
        if not np.isfinite(column[around]).all() or any(first <= gap <= last for gap in gaps):
            return True
    return False


def _tangent(sampler: Sampler, x: float | None, notes: list[str]) -> Tangent | None:
    if x is None:
        return None
    answer = sampler.answer(x)
    slope = answer.gradient.get(sampler.variable, 0.0)
    if answer.value is not None and slope is not None:
        return Tangent(x, answer.value, (slope,))
    sides = answer.one_sided.get(sampler.variable)
    if answer.value is not None and answer.status == "corner" and sides is not None and None not in sides:
        return Tangent(x, answer.value, tuple(side for side in sides if side is not None))
    notes.append(f"there is no tangent at {sampler.variable} = {x:g}: {answer.why or answer.status}")
    return None
