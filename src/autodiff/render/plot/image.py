"""A plot as SVG, PNG or PDF, by Matplotlib: light or dark, readable in print and without colours.

An SVG for which no theme is asked is light on paper and follows the theme of the screen.

The same plot gives the same file, byte for byte.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from autodiff.libraries import library
from autodiff.plotting.model import Curve, Plot, Surface
from autodiff.render.plot import words

FORMATS = ("svg", "png", "pdf")

WIDTH, NARROW, HEIGHT, BELOW = 6.0, 3.8, 3.8, 1.7
"""Inches: of a picture, of one for a narrow screen, and of the panel of each derivative."""

ALIKE, TITLE = 2.0, 0.3
"""How many times as long one axis may be as the other where both have the same scale; inches of what is above and below."""

MOST_LABELS, LABEL_LINES, LABEL_HEIGHT = 8, 8, 13.0
"""Corners up to which each has its slopes beside it, lines that these labels may take, and points from one to the next."""

TINY = 1e-285
"""Numbers that Matplotlib takes for 0."""

TITLE_LETTERS = 10.5
"""Characters of a title that fit an inch."""

BESIDE = 1e-6
"""How near to a special point its neighbouring sample is, in parts of the range."""

ROOM, EDGE = 40.0, 12.0
"""The distance between two labels of lines, and to the edge, at least, in points of the screen."""

PARTS = (0.5, 0.35, 0.65, 0.2, 0.8, 0.1, 0.9)
"""Where on a line its label is tried, in parts of it."""

ALONG = 3
"""Points of a line on either side of a label that say which way the label slants."""


class Colours(NamedTuple):
    page: str
    ink: str
    faint: str
    curve: str
    derivative: str
    tangent: str
    data: str


THEMES = {
    "light": Colours("#ffffff", "#1a1a1a", "#b8b8b8", "#0b5cad", "#a63d00", "#3f7d20", "#6b2fa0"),
    "dark": Colours("#16181d", "#e8e8e8", "#565b66", "#6cb6ff", "#ffa657", "#8ddb8c", "#d2a8ff"),
}
"""Blue, orange, green and violet of a contrast of at least 4.5 to the page."""

LINES = b"*{stroke-linejoin: round; stroke-linecap: butt}"
"""The style that Matplotlib gives an SVG, and so all of a page that has it inside."""


def image(plot: Plot, form: str, theme: str | None = None, width: float = WIDTH) -> bytes:
    """The curve above its derivatives, with special points, tangent and data, as the bytes of a file."""
    colours = THEMES[theme or "light"]
    below = len(plot.curves) - 1
    ratios = {"height_ratios": [HEIGHT, *[BELOW] * below]}
    panels = {"nrows": 1 + below, "sharex": True, "squeeze": False, "gridspec_kw": ratios}
    with figures(colours, HEIGHT + BELOW * below, width, **panels) as (figure, axes):
        for k, (axis, curve) in enumerate(zip(axes[:, 0], plot.curves, strict=True)):
            _panel(axis, plot, curve, colours, main=k == 0)
        titled(figure, plot.program, colours)
        axes[-1, 0].set_xlabel(plot.variable)
        _apart(figure, axes[0, 0])
        return in_bytes(figure, form, "; ".join(words.lines(plot)) or plot.program, theme)


def surface_image(surface: Surface, form: str, theme: str | None = None) -> bytes:
    """Contour lines with their values, arrows of steepest descent, and the path of one."""
    colours = THEMES[theme or "light"]
    across, upward = (float(axis[-1] - axis[0]) for axis in (surface.xs, surface.ys))
    alike = 1 / ALIKE <= upward / across <= ALIKE
    height = min(WIDTH * upward / across, WIDTH) + TITLE if alike else WIDTH * 0.85
    with figures(colours, height) as (figure, axis):
        axis.set(
            xlim=(surface.xs[0], surface.xs[-1]), ylim=(surface.ys[0], surface.ys[-1]),
            xlabel=surface.variables[0], ylabel=surface.variables[1], aspect="equal" if alike else "auto",
        )  # fmt: skip
        for cut in surface.cuts:
            axis.plot(*cut.T, color=colours.ink, linewidth=0.8, linestyle=":")
        if surface.arrows:
            x, y, dx, dy = zip(*surface.arrows, strict=True)
            axis.quiver(
                x, y, dx, dy, color=colours.derivative, angles="xy", scale_units="xy", scale=1, width=0.002, pivot="mid"
            )
        if surface.path:
            axis.plot(*zip(*surface.path, strict=True), color=colours.tangent, marker="o", markersize=3, linewidth=1.5)
        if surface.point is not None:
            axis.plot(*surface.point, marker="o", color=colours.ink, markersize=6)
        titled(figure, surface.program, colours)
        if surface.levels:
            _levels(figure, axis, surface, colours)
        return in_bytes(figure, form, surface.program, theme)


def _levels(figure: Any, axis: Any, surface: Surface, colours: Colours) -> None:
    """The lines with their values, where these have room, along the lines."""
    drawn = [(level, line) for level, lines in surface.lines.items() for line in sorted(lines, key=len, reverse=True)]
    for level, line in drawn:
        axis.plot(*line.T, color=colours.curve, linewidth=1, linestyle="-" if level >= 0 else "--")
    figure.get_layout_engine().execute(figure)
    figure.set_layout_engine("none")  # what is added inside the axes does not move them
    axis.apply_aspect()
    texts, placed = words.apart(surface.levels), list[Any]()
    for level, line in drawn:
        points = axis.transData.transform(line)
        (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
        for part in PARTS if max(right - left, top - bottom) >= ROOM else ():
            at = int(part * (len(line) - 1))
            x, y = points[at]
            inside = axis.bbox.x0 + EDGE < x < axis.bbox.x1 - EDGE and axis.bbox.y0 + EDGE < y < axis.bbox.y1 - EDGE
            if inside and all(math.hypot(x - other_x, y - other_y) >= ROOM for other_x, other_y in placed):
                placed.append((x, y))
                across, upward = points[min(at + ALONG, len(line) - 1)] - points[max(at - ALONG, 0)]
                slant = math.degrees(math.atan2(upward, across))
                axis.text(
                    *line[at], texts[level], rotation=(slant + 90) % 180 - 90, ha="center", va="center",
                    rotation_mode="anchor", fontsize=9, color=colours.ink, bbox=_behind(colours),
                )  # fmt: skip
                break


def _behind(colours: Colours) -> dict[str, Any]:
    """The page behind a text, so that no line crosses it."""
    return {"facecolor": colours.page, "edgecolor": "none", "pad": 0.6}


def titled(figure: Any, program: str, colours: Colours) -> None:
    """The program above the picture, on one line that fits its width."""
    line, longest = program.strip().replace("\n", "; "), int(TITLE_LETTERS * figure.get_figwidth())
    cut = line if len(line) <= longest else f"{line[: longest - 1]}…"
    figure.suptitle(cut, color=colours.ink, fontsize=11)


def _panel(axis: Any, plot: Plot, curve: Curve, colours: Colours, *, main: bool) -> None:
    span = curve.high - curve.low
    axis.set(xlim=(plot.start, plot.stop), ylim=(curve.low, curve.high), ylabel=curve.label)
    axis.axhline(0, color=colours.faint, linewidth=0.8, zorder=0)
    colour = colours.curve if main else colours.derivative
    single = [(float(xs[0]), float(ys[0])) for xs, ys in curve.segments if len(xs) == 1]
    if single:
        axis.plot(*zip(*single, strict=True), color=colour, linestyle="none", marker=".", markersize=2)
    for xs, ys in curve.segments:
        if len(xs) > 1:
            shown = [min(max(float(y), curve.low - span), curve.high + span) for y in ys]
            axis.plot(xs, shown, color=colour, linewidth=1.6)
    if max(abs(curve.low), abs(curve.high)) < TINY:
        _tiny(axis, curve.low, curve.high)
    for mark in plot.marks:
        if mark.kind == "pole":
            axis.axvline(mark.x, color=colours.ink, linewidth=0.8, linestyle=":")
    if not main:
        _breaks(axis, plot, curve, colour, colours.page)
        return
    if plot.points is not None:
        _dots(axis, zip(*plot.points, strict=True), marker="x", color=colours.data, markersize=5)
    if plot.tangent is not None:
        _tangent(axis, plot, colours)
    labelled = sum(mark.kind == "corner" for mark in plot.marks) <= MOST_LABELS
    for mark in plot.marks:
        _mark(axis, mark, colours, labelled=labelled)


def _breaks(axis: Any, plot: Plot, curve: Curve, colour: str, page: str) -> None:
    """Open dots where a derivative ends on one side, or both, of a point where there is none."""
    near = BESIDE * (plot.stop - plot.start)
    broken = [mark.x for mark in plot.marks if mark.kind in ("corner", "jump", "hole")]
    ends = [(float(xs[k]), float(ys[k])) for xs, ys in curve.segments for k in (0, -1)]
    dots = [(x, y) for x, y in ends if any(abs(x - at) < near for at in broken)]
    _dots(axis, dots, marker="o", markersize=4, markerfacecolor=page, markeredgecolor=colour)


def _dots(axis: Any, places: Iterable[tuple[float, float]], **style: Any) -> None:
    """Dots where they are in the panel, whole at its edges, too."""
    (left, right), (low, high) = axis.get_xlim(), axis.get_ylim()
    inside = [(x, y) for x, y in places if left <= x <= right and low <= y <= high]
    if inside:
        axis.plot(*zip(*inside, strict=True), linestyle="none", clip_on=False, **style)


def _tiny(axis: Any, low: float, high: float) -> None:
    """An axis of numbers that Matplotlib takes for 0: it has no ticks for them, and shows more."""
    ticks = [low + part * (high - low) for part in (0.1, 0.5, 0.9)]
    axis.set_autoscaley_on(False)
    axis.viewLim.intervaly = low, high
    axis.yaxis.set_ticks(ticks)
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:.3g}")


def _tangent(axis: Any, plot: Plot, colours: Colours) -> None:
    """Tangents, with their slopes on the side where the curve and they are not."""
    assert plot.tangent is not None
    x, y, slopes = plot.tangent.x, plot.tangent.value, plot.tangent.slopes
    for slope in slopes:
        axis.axline((x, y), slope=slope, color=colours.tangent, linewidth=1.2, linestyle="--")
    _dots(axis, [(x, y)], marker="o", color=colours.tangent, markersize=5)
    if any(mark.kind == "corner" and mark.x == x for mark in plot.marks):
        return  # which has both slopes beside it
    right = (plot.stop - x) > 0.25 * (plot.stop - plot.start)
    above = (slopes[0] <= 0) == right if len(slopes) == 1 else slopes[0] > slopes[-1]
    _with_room(axis, y, above=above)
    axis.annotate(
        f"slope {' and '.join(map(words.short, slopes))}", (x, y), xytext=(9 if right else -9, 9 if above else -9),
        textcoords="offset points", ha="left" if right else "right", va="bottom" if above else "top",
        color=colours.tangent, fontsize=10, bbox=_behind(colours),
    )  # fmt: skip


def _mark(axis: Any, mark: Any, colours: Colours, *, labelled: bool) -> None:
    hollow = {"marker": "o", "markersize": 6, "markerfacecolor": colours.page, "markeredgecolor": colours.curve}
    full = {"marker": "o", "markersize": 6, "color": colours.curve}
    for side in (mark.left, mark.right):
        if mark.kind in ("jump", "end", "hole", "pole") and side is not None:
            _dots(axis, [(mark.x, side)], zorder=3, **hollow)
    if mark.value is not None:
        style = full if mark.kind in ("jump", "end") else hollow
        _dots(axis, [(mark.x, mark.value)], zorder=4, **style)
    if (
        labelled
        and mark.kind == "corner"
        and mark.left_slope is not None
        and mark.right_slope is not None
        and mark.value is not None
    ):
        text = f"slopes {words.label(mark.left_slope)} and {words.label(mark.right_slope)}"
        above = mark.left_slope > mark.right_slope
        _with_room(axis, mark.value, above=above)
        low, high = axis.get_xlim()
        part = (mark.x - low) / (high - low)
        axis.annotate(
            text, (mark.x, mark.value), xytext=(0, 9 if above else -9), textcoords="offset points",
            ha="left" if part < _SIDE else "right" if part > 1 - _SIDE else "center",
            va="bottom" if above else "top", fontsize=9, color=colours.ink, bbox=_behind(colours),
        )  # fmt: skip


_SIDE = 0.12
"""The share of the width of a panel on either side where a label beside a mark begins, or ends, at it."""

_LABEL = 0.1
"""The share of the height of a panel that a label beside its upper or lower end needs."""


def _with_room(axis: Any, value: float, *, above: bool) -> None:
    """Make room for a label above or below a value that is near the end of the panel."""
    low, high = axis.get_ylim()
    room = _LABEL * (high - low)
    if above and high - value < room:
        axis.set_ylim(low, value + room)
    if not above and value - low < room:
        axis.set_ylim(value - room, high)


def _apart(figure: Any, axis: Any) -> None:
    """Move labels that lie on each other away from the curve, line by line, and make room for them."""
    if len(axis.texts) < 2:
        return
    figure.get_layout_engine().execute(figure)
    placed = list[Any]()
    for label in list(axis.texts):
        x, y = label.xyann
        for _ in range(LABEL_LINES):
            label.xyann = x, y
            if not any(label.get_window_extent().overlaps(other) for other in placed):
                placed.append(label.get_window_extent())
                break
            y += math.copysign(LABEL_HEIGHT, y)
        else:
            label.remove()
    box, (low, high) = axis.bbox, axis.get_ylim()
    scale = 1.5 * (high - low) / box.height  # more than that, since the labels move with the view
    below, above = (max(0.0, *over) for over in zip(*((box.y0 - b.y0, b.y1 - box.y1) for b in placed), strict=True))
    axis.set_ylim(low - scale * below, high + scale * above)


def load() -> None:
    """Load Matplotlib for a command, without the lists of properties that it writes into the help texts of its classes: they
    take a fifth of the time of a plot, and no command shows them. Raises AutodiffError where it is not installed.
    """
    artist = library("matplotlib.artist", "a picture", "plot")
    describe, artist.kwdoc = artist.kwdoc, lambda _: ""
    try:
        library("matplotlib.figure", "a picture", "plot")
    finally:
        artist.kwdoc = describe


@contextmanager
def figures(colours: Colours, height: float = HEIGHT, width: float = WIDTH, **panels: Any) -> Iterator[tuple[Any, Any]]:
    """A figure of Matplotlib in these colours, which no window and no global list holds, and its axes."""
    matplotlib = library("matplotlib", "a picture", "plot")
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "figure.facecolor": colours.page, "axes.facecolor": colours.page, "savefig.facecolor": colours.page,
        "text.color": colours.ink, "axes.labelcolor": colours.ink, "axes.edgecolor": colours.ink,
        "xtick.color": colours.ink, "ytick.color": colours.ink, "font.size": 10, "svg.hashsalt": "autodiff",
        "axes.spines.top": False, "axes.spines.right": False, "text.parse_math": False,
    }  # fmt: skip
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots(**panels)


def in_bytes(figure: Any, form: str, description: str, theme: str | None = None) -> bytes:
    """The figure as a file; without a `theme` it is drawn in the light one, and an SVG follows the screen's."""
    stream = io.BytesIO()
    described = {"svg": {"Date": None, "Description": description}, "png": {"Description": description}}
    metadata = described.get(form, {"CreationDate": None, "Subject": description})
    figure.savefig(stream, format=form, metadata=metadata, dpi=160)
    if form != "svg":
        return stream.getvalue()
    rules = [
        f'.autodiff[style*="{part}: {light}"]{{{part}:{dark}!important}}'
        for light, dark in zip(THEMES["light"], THEMES["dark"], strict=True)
        for part in ("fill", "stroke")
    ]
    follows = f"@media screen and (prefers-color-scheme:dark){{{''.join(rules)}}}" if theme is None else ""
    shapes = stream.getvalue().replace(b"<svg ", b'<svg class="autodiff" ', 1)
    # each shape has the class itself: what `<use>` shows a second time has no ancestors for a rule
    classed = shapes.replace(b' style="', b' class="autodiff" style="')
    fits = "svg.autodiff{max-width: 100%; height: auto}"
    return classed.replace(LINES, b".autodiff" + LINES[1:] + (fits + follows).encode(), 1)
