"""Plots of a program over two variables: contour lines, and arrows of steepest descent.

>>> drawn = surface("x^2 + y^2", ("x", -1.0, 1.0), ("y", -1.0, 1.0))
>>> drawn.values.shape, drawn.levels
((201, 201), [0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from autodiff.plotting.contours import Grid, contours
from autodiff.plotting.model import HIGHEST_SHOWN, SHORTEST_SHOWN, Surface, round_step
from autodiff.plotting.sampler import Sampler, Vector, require_range

GRID, BALLS_GRID = 200, 24
"""Intervals along each axis; the same where functions are computed by balls."""

FEW = 20
"""The same where each value is a one-shot evaluation."""

ARROWS = 12
"""Arrows along each axis."""

LONG = 0.8
"""The part of the arrows, ranked by steepness, from which on all have the full length: some beside a pole are far steeper."""

LEVELS = 10
"""Contour lines, about."""

SERIES = np.array([1.0, 2.0, 5.0, 10.0])
"""Levels that are not even are these times a power of ten."""

STEEP, MILD, LOPSIDED = 6, 2.5, 2
"""How many times as long as its middle half a range of values is that has no even levels; where both ends are left out, how
many times at most it is, and one of its two halves as the other, for these to be even all the same."""

DECADES, MOST_DECADES = 4, 20
"""Levels that span so many powers of ten are powers of ten; those that span more are of no use."""

SMALLEST = 1e-300
"""A level beside which others are 0."""

OFFSETS = (0.137, 0.211)
"""How far the grid is moved along each axis, in parts of an interval."""

FAST = 0.01
"""The part of the picture that may be without lines, for samples that are too far apart, without a note."""


@np.errstate(all="ignore")  # what leaves the range of float64 is not drawn
def surface(
    text: str,
    first: tuple[str, float, float],
    second: tuple[str, float, float],
    at: Mapping[str, float] | None = None,
    path: Sequence[tuple[float, float]] = (),
) -> Surface:
    """The program `text` over two variables, each (name, start, stop).

    at    values of the other inputs; of both variables, too, where a point is to be marked with its gradient
    path  points that a descent went through

    Raises AutodiffError for names or a range that can't be drawn. Needs NumPy.
    """
    for over in (first, second):
        require_range(*over)
    names = (first[0], second[0])
    sampler = Sampler(text, names, at or {})
    xs, ys, (values, slopes), notes = _sampled(sampler, first, second)
    if np.isnan(values).all():
        notes.append("there is no value in this range")
    drawn = contours(sampler, Grid(xs, ys, values, slopes), _levels(values))
    if drawn.unresolved > FAST:
        notes.append("the value changes faster than the samples in a part of the range, where no lines are drawn")
    point, gradient = None, {}
    if at is not None and all(name in at for name in names):
        answer = sampler.answer(*(at[name] for name in names))
        point = (at[names[0]], at[names[1]])
        gradient = {name: slope for name, slope in answer.gradient.items() if slope is not None}
        if len(gradient) < len(answer.gradient):
            notes.append(f"there is no gradient at the point: {answer.why or answer.status}")
    return Surface(
        text,
        names,
        xs,
        ys,
        values,
        drawn.lines,
        drawn.cuts,
        _arrows(xs, ys, *slopes),
        point,
        gradient,
        path,
        tuple(notes),
    )


def _sampled(
    sampler: Sampler, first: tuple[str, float, float], second: tuple[str, float, float]
) -> tuple[Vector, Vector, tuple[Vector, list[Vector]], list[str]]:
    """The axes of the grid, values and slopes on it, and notes: few of them where each is computed one by one."""

    def axes(intervals: int) -> list[Vector]:
        """A little uneven, so that few samples hit a special point such as a whole number, or x = y."""
        lines = [np.linspace(*over[1:], intervals + 1) for over in (first, second)]
        for line, offset in zip(lines, OFFSETS, strict=True):
            line[1:-1] += offset * (line[-1] - line[0]) / intervals
        return lines

    if sampler.compiled.in_blocks:
        xs, ys = axes(BALLS_GRID if sampler.by_balls else GRID)
        sampled = _by_balls(sampler, xs, ys) if sampler.by_balls else sampler.everywhere(*np.meshgrid(xs, ys))
        if sampled is not None:
            return xs, ys, sampled, []
    xs, ys = axes(FEW)
    sampled = sampler.one_by_one(*np.meshgrid(xs, ys))
    note = f"values of this program are computed one by one, so there are few: {FEW + 1} by {FEW + 1}"
    return xs, ys, sampled, [note]


def _by_balls(sampler: Sampler, xs: Vector, ys: Vector) -> tuple[Vector, list[Vector]] | None:
    """The same, each slope of which takes as long as several values: those of the arrows; others by differences."""
    sampled = replace(sampler, sloped=False).everywhere(*np.meshgrid(xs, ys))
    if sampled is None:
        return None
    values, slopes = sampled[0], [*reversed(np.gradient(sampled[0], ys, xs, edge_order=2))]
    wanted = np.isfinite(values) & np.isnan(slopes[0] + slopes[1])
    wanted[_places_of_arrows(xs)] = True
    rows, columns = np.nonzero(wanted)
    _, exact, _ = sampler.approximate(xs[columns], ys[rows])
    for slope, numbers in zip(slopes, exact, strict=True):
        slope[wanted] = numbers
    return values, slopes


def _levels(values: Vector) -> list[float]:
    """Round levels, about LEVELS of them: even, or where most values are in a small part of the range, so that equally much
    of the picture lies between two, and a valley beside a cliff has lines, too.
    """
    known = np.clip(values[np.isfinite(values)], -HIGHEST_SHOWN, HIGHEST_SHOWN)
    if not len(known) or np.ptp(known) < SHORTEST_SHOWN:
        return []
    low, *ranked, high = np.quantile(known, np.linspace(0, 1, LEVELS + 2))
    quarter, three_quarters = np.quantile(known, [0.25, 0.75])
    digits = np.floor(np.log10(np.maximum(np.abs(ranked), SMALLEST)))
    decades = float(np.ptp(digits)) if ranked[0] > 0 or ranked[-1] < 0 else 0.0
    if high - low <= STEEP * (three_quarters - quarter) or decades > MOST_DECADES:
        return _even(float(low), float(high))
    below, above = np.median(ranked) - ranked[0], ranked[-1] - np.median(ranked)
    if ranked[-1] - ranked[0] <= MILD * (three_quarters - quarter) and max(below, above) <= LOPSIDED * min(
        below, above
    ):
        return _even(float(ranked[0]), float(ranked[-1]))
    if decades >= DECADES:
        powers = np.arange(digits.min(), digits.max() + 1, max(1, round(decades / LEVELS)))
        return sorted(float(f"{np.sign(ranked[0]):.0f}e{power:.0f}") for power in powers)
    parts = np.maximum(np.abs(ranked) / 10**digits, 1)
    nearest = SERIES[np.abs(np.log(parts[:, None] / SERIES)).argmin(axis=1)]
    levels = sorted({float(f"{level:.3g}") + 0.0 for level in np.sign(ranked) * nearest * 10**digits})
    return levels if len(levels) >= LEVELS // 2 else _even(float(ranked[0]), float(ranked[-1])) or levels


def _even(low: float, high: float) -> list[float]:
    """The multiples of a round number between two, at most LEVELS + 3."""
    if not high - low >= SHORTEST_SHOWN:
        return []
    step = round_step((high - low) / (LEVELS + 3))
    places = np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    return [float(f"{place * step:.12g}") + 0.0 for place in places if low < place * step < high]


def _arrows(xs: Vector, ys: Vector, u: Vector, v: Vector) -> list[tuple[float, float, float, float]]:
    """Steepest descent at some points of the grid; lengths are those in the picture, and grow slowly with the slope."""
    i, j = _places_of_arrows(xs)
    width, height = xs[-1] - xs[0], ys[-1] - ys[0]
    with np.errstate(all="ignore"):
        dx, dy = -u[i, j], -v[i, j]
        length = np.hypot(dx / width, dy / height)
        steepness = np.hypot(dx, dy)
        kept = np.isfinite(length) & (length >= SHORTEST_SHOWN)
        most = np.quantile(steepness[kept], LONG) if kept.any() else 1.0
        size = 0.8 / ARROWS * np.minimum(steepness / most, 1.0) ** 0.25 / length
    return [
        (float(xs[b]), float(ys[a]), float(du * s), float(dv * s))
        for a, b, du, dv, s in zip(i[kept], j[kept], dx[kept], dy[kept], size[kept], strict=True)
    ]


def _places_of_arrows(xs: Vector) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the grid."""
    step = (len(xs) - 1) // ARROWS
    rows, columns = np.meshgrid(*[np.arange(step // 2, len(xs), step)] * 2, indexing="ij")
    return rows, columns
