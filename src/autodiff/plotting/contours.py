"""Lines of equal value on a grid, without the cells where the value is not known to pass from one sample to the next.

>>> sampler, axis = Sampler("floor(x) + y", ("x", "y"), {}), np.linspace(-1.9, 1.8, 30)
>>> grid = Grid(axis, axis, *sampler.everywhere(*np.meshgrid(axis, axis)))
>>> found = contours(sampler, grid, [0.5])
>>> sorted({round(float(y), 1) for line in found.lines[0.5] for y in line[:, 1]})
[-0.5, 0.5, 1.5]

Between two samples of a smooth function, the change of the value is about the mean slope times the distance, and what that
misses shrinks by 8 when the distance is halved; at a jump or a pole it stays. The edges of the grid that may have one are
halved, all at once; lines do not go through a cell with such an edge, and what is left of it is the cut that is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autodiff.libraries import library
from autodiff.plotting.sampler import Sampler, Vector

HALVINGS, EARLY = 24, 1
"""Halvings of an edge, and after how many one is given up whose misfit has shrunk."""

REMAINS = 0.3
"""The part of the misfit that remains, at least, where there is a jump or a pole; at a corner it is halved each time."""

VISIBLE, COARSELY = 0.02, 0.2
"""Jumps below this part of the distance between two levels are not searched for: no line shows them. The same where functions
are computed by balls.
"""

UNRESOLVED = 0.5
"""The part of the change along an edge from which on a misfit, larger than the distance of two levels, says that the samples
are too far apart to draw a line between them."""


JUST_ABOVE = 1e-9
"""How far above its level a line is drawn, in parts of the distance between two: the level may be the height of a plateau."""

SCRAP = 4
"""Cells that a line crosses, at least, where both its ends are at cells without lines."""

NEAR = 3
"""Cells beside a jump or a pole where samples may be too far apart without a note."""


class Grid(NamedTuple):
    """Values and slopes along both axes at (xs[j], ys[i]), NaN where there is none."""

    xs: Vector
    ys: Vector
    values: Vector
    slopes: Sequence[Vector]


class Contours(NamedTuple):
    """Lines of each level that has any, arrays of points (x, y), and the same where the function jumps or has a pole.

    unresolved  the part of the cells that have no lines because samples are too far apart
    """

    lines: dict[float, list[Vector]]
    cuts: list[Vector]
    unresolved: float


@np.errstate(all="ignore")
def contours(sampler: Sampler, grid: Grid, levels: Sequence[float]) -> Contours:
    """The lines of these levels, ascending; cuts are searched for where rows are computed in blocks."""
    if not levels:
        return Contours({}, [], 0.0)
    spacing = (
        float(np.diff(levels).min()) if len(levels) > 1 else float(np.nanmax(grid.values) - np.nanmin(grid.values))
    )
    corner = np.array([*np.meshgrid(grid.xs, grid.ys), grid.values, *(np.nan_to_num(slope) for slope in grid.slopes)])
    edges = ((corner[:, :, :-1], corner[:, :, 1:]), (corner[:, :-1], corner[:, 1:]))
    visible = VISIBLE * spacing
    if sampler.by_balls:  # most slopes are differences
        visible = COARSELY * spacing
        for first, second in edges:
            _sharpen(sampler, corner, (_misfit(first, second) > visible) & np.isfinite(first[2] + second[2]))
    places, coarse = list[Vector](), list[NDArray[np.bool_]]()
    for first, second in edges:
        misfit, change = _misfit(first, second), np.abs(second[2] - first[2])
        coarse.append(np.isfinite(change) & (misfit > np.maximum(UNRESOLVED * change, spacing)))
        candidates = np.isfinite(change) & (misfit > visible)
        place = np.full((2, *change.shape), np.nan)
        if sampler.compiled.in_blocks and candidates.any():
            place[:, candidates] = _breaks(sampler, first[:, candidates], second[:, candidates])
        places.append(place)
    broken, unresolved = _cells(*(~np.isnan(place[0]) for place in places)), _cells(*coarse)
    lines = {
        level: drawn for level in levels if (drawn := _lines(grid, level + JUST_ABOVE * spacing, broken | unresolved))
    }
    return Contours(lines, _chained(*places), float(np.mean(unresolved & ~_widened(broken))))


def _misfit(first: Vector, second: Vector) -> Vector:
    """What the slopes at both ends of edges say wrong of the change of the value; infinite where an end has no value."""
    dx, dy = second[0] - first[0], second[1] - first[1]
    start, stop = (end[3] * dx + end[4] * dy for end in (first, second))
    misfit = np.abs(second[2] - first[2] - (start + stop) / 2) + np.abs(stop - start) / 8
    return np.where(np.isnan(misfit), np.inf, misfit)


def _breaks(sampler: Sampler, first: Vector, second: Vector) -> Vector:
    """Where between two ends a jump or a pole is: x and y, NaN where there is none."""
    places = np.full((2, first.shape[1]), np.nan)
    remaining = np.arange(first.shape[1])
    least = REMAINS * _misfit(first, second)
    for halving in range(HALVINGS):
        middle = _exact(sampler, *(first[:2] + second[:2]) / 2)
        before, after = _misfit(first, middle), _misfit(middle, second)
        first, second = np.where(before >= after, first, middle), np.where(before >= after, middle, second)
        if halving >= EARLY:
            kept = np.maximum(before, after) >= least
            first, second, least, remaining = first[:, kept], second[:, kept], least[kept], remaining[kept]
            if not len(remaining):
                break
    places[:, remaining] = (first[:2] + second[:2]) / 2
    return places


def _sharpen(sampler: Sampler, corner: Vector, edges: NDArray[np.bool_]) -> None:
    """Compute the slopes at both ends of these edges."""
    ends = np.zeros(corner.shape[1:], bool)
    for end in (ends[: edges.shape[0], : edges.shape[1]], ends[-edges.shape[0] :, -edges.shape[1] :]):
        end |= edges
    corner[:, ends] = _exact(sampler, *corner[:2, ends])


def _exact(sampler: Sampler, x: Vector, y: Vector) -> Vector:
    """x, y, value and slopes, as the rows of an array."""
    value, slopes, _ = sampler.approximate(x, y)
    return np.array([x, y, value, *(np.nan_to_num(slope) for slope in slopes)])


def _cells(across: NDArray[np.bool_], upward: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells that have an edge of these."""
    return np.asarray(across[:-1] | across[1:] | upward[:, :-1] | upward[:, 1:])


def _widened(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells and those near to them."""
    for axis in (0, 1):
        cells = np.any([np.roll(cells, shift, axis) for shift in range(-NEAR, NEAR + 1)], axis=0)
    return cells


def _lines(grid: Grid, level: float, without: NDArray[np.bool_]) -> list[Vector]:
    """The lines of a level, parted where they go through a cell that has none; not the scraps between two such cells."""
    contourpy = library("contourpy", "a contour", "plot")  # comes with Matplotlib
    generator = contourpy.contour_generator(grid.xs, grid.ys, grid.values, line_type="ChunkCombinedNan")
    points = generator.lines(level)[0][0]  # of all lines, a NaN between two
    if points is None:
        return []
    x, y = ((points[:-1] + points[1:]) / 2).T
    apart = np.isnan(x)
    columns = np.clip(np.searchsorted(grid.xs, x) - 1, 0, len(grid.xs) - 2)
    rows = np.clip(np.searchsorted(grid.ys, y) - 1, 0, len(grid.ys) - 2)
    shown = np.concatenate([[False], ~(apart | without[rows, columns]), [False]]).astype(int)
    starts, stops = np.flatnonzero(np.diff(shown) > 0), np.flatnonzero(np.diff(shown) < 0)
    end = np.concatenate([[True], apart, [True]])
    kept = (stops - starts >= SCRAP) | (end[starts] & end[stops + 1])
    return [points[start : stop + 1] for start, stop in zip(starts[kept], stops[kept], strict=True)]


def _chained(across: Vector, upward: Vector) -> list[Vector]:
    """Lines through the places on the edges of the grid: two of one cell are joined, of more the first and the others."""
    neighbours = dict[tuple[float, float], list[tuple[float, float]]]()
    sides = np.stack([across[:, :-1], upward[:, :, :-1], across[:, 1:], upward[:, :, 1:]])
    for row, column in zip(*np.nonzero((~np.isnan(sides[:, 0])).sum(axis=0) >= 2), strict=True):
        hub, *others = [(float(x), float(y)) for x, y in sides[:, :, row, column] if x == x]
        for other in others:
            neighbours.setdefault(hub, []).append(other)
            neighbours.setdefault(other, []).append(hub)
    chains = list[Any]()
    for start in sorted(neighbours, key=lambda place: (len(neighbours[place]) != 1, place)):
        while neighbours[start]:
            chain = [start]
            while neighbours[chain[-1]]:
                following = neighbours[chain[-1]].pop()
                neighbours[following].remove(chain[-1])
                chain.append(following)
            chains.append(np.array(chain))
    return chains
