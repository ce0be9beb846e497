"""Special points and tangents in words, beside their signs in the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autodiff.plotting.model import SHORTEST_SHOWN, Mark, Plot, Surface

LISTED = 8
"""Special points that have a line each."""

WIDEST = 9
"""Columns of a number at an axis."""


def short(number: float) -> str:
    """A number beside a picture: six digits."""
    return f"{number + 0.0:.6g}"


def apart(numbers: Sequence[float]) -> dict[float, str]:
    """Numbers beside a picture, with as many digits as tell them apart."""
    for digits in range(6, 18):
        texts = {number: f"{number + 0.0:.{digits}g}" for number in numbers}
        if len(set(texts.values())) == len(texts):
            break
    return texts


def label(number: float, span: float = 0.0, digits: int = 4) -> str:
    """A number at an axis that is `span` long: so many digits, fewer where that is wider than WIDEST."""
    shown = 0.0 if abs(number) < 1e-9 * span else number + 0.0
    return next(text for figures in range(digits, 0, -1) if len(text := f"{shown:.{figures}g}") <= WIDEST)


def end_labels(low: float, high: float) -> tuple[str, str]:
    """The numbers at the ends of an axis; the upper one is what is to be added where so wide a text can't tell them apart."""
    span = high - low
    for digits in range(4, WIDEST + 1):
        texts = label(low, span, digits), label(high, span, digits)
        if all(abs(float(text) - end) <= 0.02 * span for text, end in zip(texts, (low, high), strict=True)):
            return texts
    return label(low, span), f"+{span:.2g}"


def lines(plot: Plot) -> Iterator[str]:
    """What the picture shows, a line each."""
    if plot.tangent is not None:
        slopes = " and ".join(map(short, plot.tangent.slopes))
        many = "s" * (len(plot.tangent.slopes) > 1)
        yield f"tangent{many} at {plot.variable} = {short(plot.tangent.x)}: value {short(plot.tangent.value)}, slope{many} {slopes}"
    for mark in plot.marks[:LISTED]:
        yield f"{mark.kind} at {plot.variable} = {short(mark.x)}{_beside(mark)}"
    if len(plot.marks) > LISTED:
        yield f"and {len(plot.marks) - LISTED} more special points"
    for note in plot.notes:
        yield f"note: {note}"


def surface_lines(surface: Surface) -> Iterator[str]:
    """What the contours show, a line each."""
    if surface.levels:
        yield f"lines at {', '.join(apart(surface.levels).values())}"
    else:
        same = len({value for row in surface.values for value in row if value == value}) < 2
        flat = "is the same everywhere" if same else f"differs by less than {SHORTEST_SHOWN:g}"
        yield f"no lines: the value {'only jumps' if surface.cuts else flat}"
    if surface.cuts:
        yield "dotted where the value jumps or has a pole"
    if surface.point is not None:
        slopes = ", ".join(f"{name} {short(slope)}" for name, slope in surface.gradient.items())
        yield f"gradient at {', '.join(map(short, surface.point))}: {slopes or 'none'}"
    for note in surface.notes:
        yield f"note: {note}"


def _beside(mark: Mark) -> str:
    if mark.kind == "corner" and mark.left_slope is not None and mark.right_slope is not None:
        return f": slopes {short(mark.left_slope)} and {short(mark.right_slope)}"
    limits = [short(limit) for limit in (mark.left, mark.right) if limit is not None]
    if mark.kind == "jump" and len(set(limits)) == 2:
        return f": from {limits[0]} to {limits[1]}"
    if mark.kind in ("jump", "hole"):
        return (
            f": {'no value' if mark.value is None else short(mark.value)}, near {limits[0]}" if limits else ": no limit"
        )
    return ""
