"""Both modes side by side on a page, and forward mode alone: values, tangents, adjoints, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from autodiff.errors import columns
from autodiff.explanation.model import Row
from autodiff.render.text.labels import fitted
from autodiff.render.text.layout import MARGIN, NARROW, STACKED, Line, Page, ends, many, signed
from autodiff.render.text.wrap import folded


def both_modes(page: Page) -> Iterator[Line]:
    it = page.it
    yield from page.headed(f"{page.third} BOTH", "the same slopes on the way up and on the way down")
    names = list(it.rows[0].tangents)
    product = len(names) == 1 and page.width >= STACKED

    def made(some: Sequence[str]) -> Grid:
        heads = ["value", *(f"↓ d/d{fitted(n, 8)}" for n in some), f"↑ d{fitted(it.result, 6)}/d·"]
        rows = ends([(row.name, _numbers(row, some, product=product)) for row in it.rows])
        return Grid("node", (*heads, "product") if product else tuple(heads), rows)

    yield from _fitting(page, names, made)
    yield from reading(page, len(names))


def _numbers(row: Row, names: Sequence[str], *, product: bool) -> list[float | None]:
    tangents = [row.tangents[name] for name in names]
    numbers = [row.value, *tangents, row.adjoint]
    if product:
        numbers.append(None if tangents[0] is None or row.adjoint is None else tangents[0] * row.adjoint)
    return numbers


class Grid(NamedTuple):
    """A table of numbers: over its names, over each column, and the rows, between which some may be left out."""

    corner: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, Sequence[float | None]] | int]

    @property
    def each(self) -> int:
        """The columns that a number takes."""
        numbers = [number for row in self.rows if not isinstance(row, int) for number in row[1]]
        return max(14, *(len(_cell(number)) + 1 for number in numbers), *(len(head) + 2 for head in self.heads))

    def wide(self, page: Page) -> int:
        """The columns that the table takes, its names in full."""
        last = max((len(_cell(row[1][-1])) for row in self.rows if not isinstance(row, int)), default=0)
        last = max(last, len(self.heads[-1]) + 1)
        return MARGIN + _names(self) + 3 + self.each * (len(self.heads) - 1) + last


def _cell(number: float | None) -> str:
    return " —" if number is None else signed(number)


def _names(grid: Grid) -> int:
    """The columns for the names of the places; long ones lose their middle."""
    return max(len(grid.corner), *(min(columns(row[0]), 16) for row in grid.rows if not isinstance(row, int)))


def _fitting(page: Page, names: Sequence[str], made: Callable[[Sequence[str]], Grid]) -> Iterator[Line]:
    """The table with as many columns of tangents as there is room for; where there is none, place below place."""
    for some in range(len(names), 0, -1):
        grid = made(names[:some])
        if grid.wide(page) <= page.width:
            yield from _beside(page, grid)
            break
    else:
        some = min(len(names), 3)
        yield from _below(page, made(names[:some]))
    if len(names) > some:
        said = f"{many(len(names) - some, 'more column')} of tangents; --format json has all that were made"
        yield from (((" " * MARGIN, ""), (words, "dim")) for words in folded(said, page.width - MARGIN))


def _beside(page: Page, grid: Grid) -> Iterator[Line]:
    wide, each = _names(grid), grid.each
    heads = "".join(f" {head:<{each - 1}}" for head in grid.heads)
    yield (" " * MARGIN, ""), (f"{grid.corner:<{wide}}   {heads}".rstrip(), "dim")
    yield (" " * MARGIN, ""), ("─" * (page.width - MARGIN), "dim")
    for row in grid.rows:
        if isinstance(row, int):
            yield ((f"   ⋮ {row:,} more", "dim"),)
            continue
        words = fitted(row[0], wide)
        gap = " " * (wide - columns(words) + 3)
        numbers = "".join(f"{_cell(number):<{each}}" for number in row[1])
        yield (" " * MARGIN, ""), (words, f"@{row[0]}"), (f"{gap}{numbers}", "")


def _below(page: Page, grid: Grid) -> Iterator[Line]:
    wide = max(map(columns, grid.heads))
    for row in grid.rows:
        if isinstance(row, int):
            yield ((f"   ⋮ {row:,} more", "dim"),)
            continue
        yield (" " * MARGIN, ""), (fitted(row[0], page.width - MARGIN), f"@{row[0]}")
        for head, number in zip(grid.heads, row[1], strict=True):
            pad = " " * (wide - columns(head) + 2)
            yield (" " * (MARGIN + 2), ""), (f"{head}{pad}", "dim"), (_cell(number), "")


def reading(page: Page, shown: int) -> Iterator[Line]:
    cost = page.it.cost
    said = [
        "Read down: forward mode carries d/d· beside each value (a dual number), one sweep per input.",
        f"Read up:   reverse mode carries d{page.it.result}/d· back from the result, one sweep for all inputs.",
        f"Cost:      {many(cost.inputs, 'input')}, 1 output: forward {many(cost.forward_sweeps, 'sweep')} and "
        f"{many(cost.forward_products, 'product')}, reverse {many(cost.reverse_sweeps, 'sweep')} and "
        f"{many(cost.reverse_products, 'product')}.",
        "           With 1000 inputs: forward 1000 sweeps, reverse 1.",
    ]
    if len(page.it.wrt) > shown:
        said.append(f"           {many(len(page.it.wrt) - shown, 'more column')} of tangents not made.")
    hang = 11 if page.width >= NARROW else 2
    for words in said:
        start = hang if words.startswith(" ") else 0
        plain = words if hang > 2 else " ".join(words.split())
        for line in folded(plain, page.width - MARGIN, hang, start):
            yield (" " * MARGIN, ""), (line, "dim")


def trace(page: Page) -> Iterator[Line]:
    it = page.it
    yield from page.headed(f"{page.third} TANGENTS", "forward mode: each number and its slope, on the way up")

    def made(some: Sequence[str]) -> Grid:
        rows = [(row.name, [row.value, *(row.tangents[n] for n in some)]) for row in it.rows]
        return Grid("", ("value", *(f"d/d{fitted(n, 9)}" for n in some)), ends(rows))

    yield from _fitting(page, list(it.rows[0].tangents), made)
