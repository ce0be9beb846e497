"""A hard point on a page: the slopes from the left and from the right, followed from the input to the result."""

from __future__ import annotations

from collections.abc import Iterator

from autodiff.errors import columns, printable
from autodiff.explaining.model import (
    Beside,
    Side,
)
from autodiff.render.labels import fitted
from autodiff.render.page import (
    MARGIN,
    Line,
    Page,
    Piece,
    ended,
    wrapped,
)


def both_sides(page: Page) -> Iterator[Line]:
    it = page.it
    bad = any(side.status != "ok" for side in it.sides)
    titles = {"corner": "3 CORNER", "jump": "3 JUMP", "infinite": "3 INFINITE", "unknown": "3 UNKNOWN"}
    yield from page.headed(
        titles.get(it.status, "3 BOTH SIDES"), "slopes from the left and from the right, one input at a time"
    )
    for side in it.sides:
        yield from followed(page, side)
    for words in filter(None, [it.why if bad else "", *it.notes]):
        for line in wrapped(printable(words), page.width - MARGIN, 0):
            yield (" " * MARGIN, ""), (line, "bad" if words is it.why else "")


def followed(page: Page, side: Side) -> Iterator[Line]:
    """Both sides of one input, place by place."""
    trace = side.trace or (Beside(page.it.result, side.left, side.right),)
    slopes = [f"d{row.name}/d{side.name}" for row in trace]
    wide = min(max(map(columns, slopes)), page.width - 36)
    yield (" " * MARGIN, ""), (f"{'':<{wide}}   {' left':<14}{' right':<14}", "dim")
    for row, slope in zip(trace, slopes, strict=True):
        words = fitted(slope, wide)
        gap = " " * (wide - columns(words) + 3)
        line: list[Piece] = [
            (" " * MARGIN, ""),
            (words, f"@{row.name}"),
            (f"{gap}{ended(row.left):<14}{ended(row.right)}", ""),
        ]
        if row is trace[-1]:
            line.append((f"   {judged(side)}", "good" if side.status == "ok" else "bad"))
        yield tuple(line)


def judged(side: Side) -> str:
    if side.status == "ok":
        return "only one side" if side.left is None or side.right is None else "equal: the slope"
    return {"corner": "they differ", "jump": "a jump", "infinite": "infinite"}.get(side.status, side.status)
