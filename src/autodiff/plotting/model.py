"""What a plot shows, as plain data.

Coordinates are those of the program; a segment is a curve without a gap; marks are the special points that lie on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from autodiff import display

HIGHEST_SHOWN, SHORTEST_SHOWN = 1e307, 1e-305
"""The largest number in view: an axis some times as long, and differences of two levels, stay in the range of float64.
The shortest axis: what differs less is a flat line, since parts of a shorter one are subnormal, or 0."""

ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Round distances are these times a power of ten."""


def round_step(least: float) -> float:
    """The smallest round distance that is not below `least`, a positive number."""
    scale = 10.0 ** math.floor(math.log10(least))
    return next(part * scale for part in ROUND if part * scale >= least)


Kind = Literal["corner", "jump", "pole", "end", "hole", "vertical tangent"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A special point of a curve.

    x            where it is
    value        of the curve there; None where it has none
    left, right  the values beside it, None where the curve does not come near
    left_slope, right_slope  the slopes beside it, None where there is none
    """

    kind: Kind
    x: float
    value: float | None = None
    left: float | None = None
    right: float | None = None
    left_slope: float | None = None
    right_slope: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A function of one variable: `label` names it, `segments` are (xs, ys), `low` and `high` bound what is shown of y."""

    label: str
    segments: Sequence[tuple[Sequence[float], Sequence[float]]]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tangent:
    """The tangent at x: value and slope there; two slopes at a corner."""

    x: float
    value: float
    slopes: tuple[float, ...]


class _Picture:
    """How a plot of either kind shows itself."""

    __slots__ = ()
    __str__ = display.text
    _repr_svg_ = display.svg
    to_html, to_markdown = display.html, display.markdown


@dataclass(frozen=True, slots=True)
class Plot(_Picture):
    """A program over one variable: the curve and its derivatives, from order 0 on.

    start, stop  the range of the variable
    points       data of the user beside the curve: (xs, ys)
    notes        sentences about what is drawn, and what is not
    """

    program: str
    variable: str
    start: float
    stop: float
    curves: Sequence[Curve]
    marks: Sequence[Mark] = ()
    tangent: Tangent | None = None
    points: tuple[Sequence[float], Sequence[float]] | None = None
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def empty(self) -> bool:
        """Whether there is no value in the range."""
        drawn = any(len(xs) for xs, _ in self.curves[0].segments)
        return not drawn and all(mark.value is None for mark in self.marks)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `autodiff plot --format json`."""
        return {
            "program": self.program,
            "variable": self.variable,
            "range": [self.start, self.stop],
            "curves": [
                {
                    "label": curve.label,
                    "shown": [curve.low, curve.high],
                    "segments": [{"x": list(map(float, xs)), "y": list(map(float, ys))} for xs, ys in curve.segments],
                }
                for curve in self.curves
            ],
            "marks": [{key: value for key, value in asdict(mark).items() if value is not None} for mark in self.marks],
            "tangent": None if self.tangent is None else asdict(self.tangent),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Surface(_Picture):
    """A program over two variables: `values[i][j]` at (xs[j], ys[i]), NaN where it has none.

    lines   the contour lines of each level that has any: arrays of points (x, y)
    cuts    lines where the function jumps or has a pole, the same
    arrows  (x, y, dx, dy) of steepest descent, the longest as long as the distance between two of them
    point   (x, y) that is marked, with its gradient
    path    points that a descent went through
    """

    program: str
    variables: tuple[str, str]
    xs: Any
    ys: Any
    values: Any
    lines: Mapping[float, Sequence[Any]]
    cuts: Sequence[Any]
    arrows: Sequence[tuple[float, float, float, float]]
    point: tuple[float, float] | None = None
    gradient: Mapping[str, float] = field(default_factory=dict)
    path: Sequence[tuple[float, float]] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def empty(self) -> bool:
        """Whether there is no value in the range."""
        return not any(value == value for row in self.values for value in row)

    @property
    def levels(self) -> list[float]:
        """The values of the contour lines."""
        return list(self.lines)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `autodiff plot --format json`."""
        return {
            "program": self.program,
            "variables": list(self.variables),
            "x": list(map(float, self.xs)),
            "y": list(map(float, self.ys)),
            "values": [[float(v) if v == v and abs(v) < float("inf") else None for v in row] for row in self.values],
            "levels": self.levels,
            "cuts": [[list(map(float, point)) for point in cut] for cut in self.cuts],
            "arrows": [list(map(float, arrow)) for arrow in self.arrows],
            "point": None if self.point is None else list(self.point),
            "gradient": dict(self.gradient),
            "path": [list(point) for point in self.path],
            "notes": list(self.notes),
        }
