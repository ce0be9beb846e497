"""A hard point on a page: the slopes from the left and from the right, followed from the input to the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autodiff.errors import columns, printable
from autodiff.explanation.model import Beside, Side
from autodiff.render.text.labels import fitted
from autodiff.render.text.layout import MARGIN, Line, Page, Piece, ended
from autodiff.render.text.wrap import folded


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
        for line in folded(printable(words), page.width - MARGIN):
            yield (" " * MARGIN, ""), (line, "bad" if words is it.why else "")


def followed(page: Page, side: Side) -> Iterator[Line]:
    """Both sides of one input, place by place."""
    trace = side.trace or (Beside(page.it.result, side.left, side.right),)
    slopes = [f"d{row.name}/d{side.name}" for row in trace]
    names = max(map(columns, slopes))
    longest = max(len(ended(slope)) for row in trace for slope in (row.left, row.right))
    each = max(14 if names + 28 <= page.width - MARGIN - 3 else 6, longest + 2)
    wide = min(names, page.width - MARGIN - 3 - 2 * each)
    if wide < min(names, 12):
        yield from below(page, side, trace)
        return
    yield (" " * MARGIN, ""), (f"{'':<{wide}}   {' left':<{each}}{' right':<{each}}", "dim")
    verdict = (judged(side), "good" if side.status == "ok" else "bad")
    for row, slope in zip(trace, slopes, strict=True):
        words = fitted(slope, wide)
        gap = " " * (wide - columns(words) + 3)
        line: list[Piece] = [
            (" " * MARGIN, ""),
            (words, f"@{row.name}"),
            (f"{gap}{ended(row.left):<{each}}{ended(row.right)}", ""),
        ]
        fits = sum(columns(words) for words, _ in line) + 3 + columns(verdict[0]) <= page.width
        if row is trace[-1] and fits:
            line += [("   ", ""), verdict]
        yield tuple(line)
        if row is trace[-1] and not fits:
            yield (" " * (MARGIN + wide + 4), ""), verdict


def below(page: Page, side: Side, trace: Sequence[Beside]) -> Iterator[Line]:
    """The same with both sides below each place, where a page has no room beside it."""
    for row in trace:
        yield (" " * MARGIN, ""), (fitted(f"d{row.name}/d{side.name}", page.width - MARGIN), f"@{row.name}")
        yield (" " * (MARGIN + 2), ""), (f"left  {ended(row.left)}", "")
        yield (" " * (MARGIN + 2), ""), (f"right {ended(row.right)}", "")
    yield (" " * (MARGIN + 2), ""), (judged(side), "good" if side.status == "ok" else "bad")


def judged(side: Side) -> str:
    if side.status == "ok":
        return "only one side" if side.left is None or side.right is None else "equal: the slope"
    return {"corner": "they differ", "jump": "a jump", "infinite": "infinite"}.get(side.status, side.status)
