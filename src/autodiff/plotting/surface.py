"""Plots of a program over two variables: contour lines, and arrows of steepest descent.

>>> found = surface("x^2 + y^2", ("x", -1.0, 1.0), ("y", -1.0, 1.0))
>>> found.values.shape, len(found.levels)
((201, 201), 10)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from autodiff.plotting.model import HIGHEST_SHOWN, Surface
from autodiff.plotting.sampler import Sampler, Vector, require_range

GRID = 200
"""Intervals along each axis."""

FEW = 24
"""The same where each value is a one-shot evaluation."""

ARROWS = 12
"""Arrows along each axis."""

LEVELS = 10
"""Contour lines."""


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
    intervals = GRID if sampler.compiled.in_blocks else FEW
    xs, ys = np.linspace(*first[1:], intervals + 1), np.linspace(*second[1:], intervals + 1)
    values, slopes, _ = sampler.approximate(*np.meshgrid(xs, ys))
    notes = [] if np.isfinite(values).any() else ["there is no value in this range"]
    if not sampler.compiled.in_blocks:
        notes.append(f"values of this program are computed one by one, so there are few: {FEW + 1} by {FEW + 1}")
    point, gradient = None, {}
    if at is not None and all(name in at for name in names):
        answer = sampler.answer(*(at[name] for name in names))
        point = (at[names[0]], at[names[1]])
        gradient = {name: slope for name, slope in answer.gradient.items() if slope is not None}
        if len(gradient) < len(answer.gradient):
            notes.append(f"there is no gradient at the point: {answer.why or answer.status}")
    return Surface(
        text, names, xs, ys, values, _levels(values), _arrows(xs, ys, *slopes), point, gradient, path, tuple(notes)
    )


def _levels(values: Vector) -> list[float]:
    """Levels that equally much of the picture lies between, so that a valley beside a cliff has lines, too."""
    known = np.clip(values[np.isfinite(values)], -HIGHEST_SHOWN, HIGHEST_SHOWN)
    if not len(known) or known.min() == known.max():
        return []
    shares = np.linspace(0, 1, LEVELS + 2)[1:-1]
    even = known.min() + shares * (known.max() - known.min())
    ranked = np.quantile(known, shares)
    steep = np.ptp(known) > 5 * (np.quantile(known, 0.75) - np.quantile(known, 0.25))
    chosen = np.unique(ranked if steep else even)
    digits = 2 - int(np.floor(np.log10(np.diff(chosen).min() if len(chosen) > 1 else abs(chosen[0]) or 1.0)))
    return [float(level) for level in np.unique(np.round(chosen, digits))]


def _arrows(xs: Vector, ys: Vector, u: Vector, v: Vector) -> list[tuple[float, float, float, float]]:
    """Steepest descent at some points of the grid; lengths are those in the picture, and grow slowly with the slope."""
    step = (len(xs) - 1) // ARROWS
    i, j = np.meshgrid(*[np.arange(step // 2, len(xs), step)] * 2, indexing="ij")
    width, height = xs[-1] - xs[0], ys[-1] - ys[0]
    with np.errstate(all="ignore"):
        dx, dy = -u[i, j], -v[i, j]
        length = np.hypot(dx / width, dy / height)
        steepness = np.hypot(dx, dy)
        kept = np.isfinite(length) & (length > 0)
        size = 0.8 / ARROWS * (steepness / steepness[kept].max(initial=0)) ** 0.25 / length
    return [
        (float(xs[b]), float(ys[a]), float(du * s), float(dv * s))
        for a, b, du, dv, s in zip(i[kept], j[kept], dx[kept], dy[kept], size[kept], strict=True)
    ]
