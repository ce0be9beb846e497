"""A plot on a terminal, in braille dots by plotille: the curve above its derivatives, with its special points.

○ a point of the curve that is special, or an end that does not belong to it; ● one that does; ┊ a pole; × data;
· where a function of two variables jumps or has a pole
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, pairwise
from typing import Any

from autodiff.libraries import library
from autodiff.plotting.model import Curve, Plot, Surface, round_step
from autodiff.render.plot import words

LABEL = words.WIDEST + 2
"""Columns of the numbers beside an axis."""

NARROWEST = 40

ROUNDED, TINIEST = 20, 1e-290
"""An axis ends at multiples of a round number that is about so small a part of it; not where it is shorter than this."""


def text(plot: Plot | Surface, width: int, height: int = 24, *, unicode: bool = True) -> str:
    """The plot, `width` columns wide and about `height` lines high, and its special points in words."""
    width = max(width, NARROWEST)
    lines = _curves(plot, width, height) if isinstance(plot, Plot) else _contours(plot, width, height)
    page = "\n".join(line.rstrip(" ⠀") for line in lines)
    # for a screen without these signs a cell with dots is a star
    signs = {"○": "o", "●": "@", "┊": ":", "×": "x", "┤": "|", "│": "|", "·": ".", "⠀": " "}
    return page if unicode else "".join(signs.get(sign, "*" if "⠀" < sign <= "⣿" else sign) for sign in page)


def _curves(plot: Plot, width: int, height: int) -> list[str]:
    panels = len(plot.curves)
    room = max(height - 2 - panels, 8 * panels)
    first = room if panels == 1 else room * 3 // (panels + 2)
    lines = []
    for k, curve in enumerate(plot.curves):
        rows = first if k == 0 else (room - first) // (panels - 1)
        lines += _panel(plot, curve, width, max(rows, 5), main=k == 0)
    return [*lines, _axis(plot.start, plot.stop, plot.variable, width), *words.lines(plot)]


def _panel(plot: Plot, exact: Curve, width: int, rows: int, *, main: bool) -> list[str]:
    low, high = _round_ends(exact.low, exact.high)
    curve = replace(exact, low=low, high=high)
    canvas = _canvas(width - LABEL, rows, plot.start, curve.low, plot.stop, curve.high)
    if curve.low < 0 < curve.high:
        _dotted(canvas, plot.start, 0.0, plot.stop, 0.0, 4 * (width - LABEL) // 8)
    if main and plot.tangent is not None:
        for slope in plot.tangent.slopes:
            ends = [plot.tangent.value + slope * (x - plot.tangent.x) for x in (plot.start, plot.stop)]
            _dotted(canvas, plot.start, ends[0], plot.stop, ends[1], 2 * (width - LABEL) // 3)
    for xs, ys in curve.segments:
        _curve(canvas, xs, ys, curve.low, curve.high)
    if main:
        _marks(canvas, plot, curve)
    return [curve.label, *_framed(canvas, *words.end_labels(curve.low, curve.high))]


def _round_ends(low: float, high: float) -> tuple[float, float]:
    """The ends of an axis as round numbers, a twentieth of it further out at most on either side or a little more."""
    if not high - low > TINIEST:
        return low, high
    step = round_step((high - low) / ROUNDED)
    bottom, top = (float(f"{end * step:.12g}") for end in (math.floor(low / step), math.ceil(high / step)))
    return (bottom, top) if bottom <= low and high <= top else (low, high)


def _framed(canvas: Any, low: str, high: str) -> list[str]:
    """The lines of a canvas behind its axis, which has a label at both ends."""
    drawn = canvas.plot().split("\n")
    labels = [high, *[""] * (len(drawn) - 2), low]
    return [f"{label:>{LABEL - 2}} {'┤' if label else '│'}{line}" for label, line in zip(labels, drawn, strict=True)]


def _marks(canvas: Any, plot: Plot, curve: Curve) -> None:
    if plot.points is not None:
        for x, y in zip(*plot.points, strict=True):
            _sign(canvas, x, y, "×", curve)
    for mark in plot.marks:
        if mark.kind == "pole":
            for k in range(canvas.height):
                _sign(canvas, mark.x, curve.low + (k + 0.5) / canvas.height * (curve.high - curve.low), "┊", curve)
        for side in (mark.left, mark.right):
            if mark.kind in ("jump", "end", "hole", "pole") and side is not None:
                _sign(canvas, mark.x, side, "○", curve)
        if mark.value is not None and mark.kind != "pole":
            _sign(canvas, mark.x, mark.value, "●" if mark.kind in ("jump", "end") else "○", curve)
    if plot.tangent is not None:
        _sign(canvas, plot.tangent.x, plot.tangent.value, "●", curve)


def _sign(canvas: Any, x: float, y: float, sign: str, curve: Curve) -> None:
    if canvas.xmin <= x <= canvas.xmax and curve.low <= y <= curve.high:
        canvas.text(x, y, sign)


def _curve(canvas: Any, xs: Sequence[float], ys: Sequence[float], low: float, high: float) -> None:
    """The curve within the picture: a line that leaves it ends at its edge."""
    for x0, y0, x1, y1 in zip(xs[:-1], ys[:-1], xs[1:], ys[1:], strict=True):
        clipped = _clipped(float(x0), float(y0), float(x1), float(y1), low, high)
        if clipped is not None:
            canvas.line(*clipped)
    if len(xs) == 1 and low <= ys[0] <= high:
        canvas.point(float(xs[0]), float(ys[0]))


def _clipped(x0: float, y0: float, x1: float, y1: float, low: float, high: float) -> tuple[float, ...] | None:
    if max(y0, y1) < low or min(y0, y1) > high:
        return None

    def within(x: float, y: float, other_x: float, other_y: float) -> tuple[float, float]:
        if low <= y <= high:
            return x, y
        edge = low if y < low else high
        share = (edge - other_y) / (y - other_y) if y != other_y else 0.0
        return other_x + share * (x - other_x), edge

    return (*within(x0, y0, x1, y1), *within(x1, y1, x0, y0))


def _dotted(canvas: Any, x0: float, y0: float, x1: float, y1: float, dots: int) -> None:
    for k in range(dots + 1):
        x, y = x0 + (x1 - x0) * k / dots, y0 + (y1 - y0) * k / dots
        if canvas.ymin <= y <= canvas.ymax:
            canvas.point(x, y)


def _axis(start: float, stop: float, name: str, width: int) -> str:
    short = words.short(start), words.short(stop)
    left, right = short if short[0] != short[1] else (str(start), str(stop))
    gap = width - LABEL - len(left) - len(right)
    return f"{'':>{LABEL}}{left}{name:^{max(gap, len(name))}}{right}"


def _contours(surface: Surface, width: int, height: int) -> list[str]:
    """Contour lines in braille dots, cuts between them, the path of a descent and the point that is marked."""
    xs, ys = surface.xs, surface.ys
    canvas = _canvas(width - LABEL, max(height - 5, 8), float(xs[0]), float(ys[0]), float(xs[-1]), float(ys[-1]))
    frame = Curve("", (), float(ys[0]), float(ys[-1]))
    for cut in surface.cuts:
        for x, y in cut.tolist():
            _sign(canvas, x, y, "·", frame)
    for line in chain.from_iterable(surface.lines.values()):
        for (x0, y0), (x1, y1) in pairwise(line.tolist()):
            canvas.line(x0, y0, x1, y1)
    for x, y in surface.path:
        _sign(canvas, x, y, "×", frame)
    if surface.point is not None:
        _sign(canvas, *surface.point, "●", frame)
    lines = [surface.variables[1], *_framed(canvas, *words.end_labels(float(ys[0]), float(ys[-1])))]
    return [*lines, _axis(float(xs[0]), float(xs[-1]), surface.variables[0], width), *words.surface_lines(surface)]


def _canvas(width: int, height: int, x0: float, y0: float, x1: float, y1: float) -> Any:
    # a dot more at the upper ends, which are not part of the canvas
    right, top = x1 + (x1 - x0) / width / 2, y1 + (y1 - y0) / height / 4
    return library("plotille", "a plot", "plot").Canvas(width, height, x0, y0, right, top)
