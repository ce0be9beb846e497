"""Sample a program over one variable: its curve, and the special points where the curve or its slope breaks.

>>> found = sampled(Sampler("abs(x - 1)", ("x",), {}), 0.0, 3.0)
>>> [(mark.kind, mark.x) for mark in found.marks]
[('corner', 1.0)]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodiff.plotting.brackets import brackets, grouped, missed
from autodiff.plotting.marks import named
from autodiff.plotting.model import Mark
from autodiff.plotting.sampler import Sampler, Vector

GRID = 2000
"""Intervals that are searched: several for each column of a picture."""

FEW = 250
"""Intervals where each sample is a one-shot evaluation; special points between them are not searched for then."""

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
    intervals = GRID if sampler.compiled.in_blocks else FEW
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
        places = places[np.argsort(-change[places], kind="stable")[:GRID]]
        more = sampler.sure((xs[places] + xs[places + 1]) / 2)
        order = np.argsort(np.concatenate([xs, more[0]]), kind="stable")
        xs, values, slopes = (np.concatenate(pair)[order] for pair in zip((xs, values, slopes), more, strict=True))
    return xs, values, slopes


def _approach(x: float, side: int, start: float, stop: float) -> Vector:
    """Points that come near to x from one side, each half as far as the one before."""
    points = x + side * (stop - start) * 0.5 ** np.arange(10, 44)
    return np.asarray(points[(points >= start) & (points <= stop) & (points != x)])
