"""Both modes side by side on a page, and forward mode alone: values, tangents, adjoints, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator

from autodiff.errors import columns
from autodiff.render.labels import fitted
from autodiff.render.page import (
    MARGIN,
    Line,
    Page,
    ends,
    many,
    signed,
    wrapped,
)


def both_modes(page: Page) -> Iterator[Line]:
    it = page.it
    yield from page.headed(f"{page.third} BOTH", "the same slopes on the way up and on the way down")
    names = list(it.rows[0].tangents)
    wide = max(4, min(max(columns(row.name) for row in it.rows), 16))
    product = len(names) == 1 and page.width >= 70
    fits = max(1, (page.width - MARGIN - wide - 4 - 28 - 14 * product) // 14)
    names, more = names[:fits], len(names) - fits
    heads = ["value", *(f"↓ d/d{fitted(n, 8)}" for n in names), f"↑ d{fitted(it.result, 6)}/d·"]
    heads += ["product"] * product
    yield (" " * MARGIN, ""), (f"{'node':<{wide}}   " + " ".join(f" {head:<12}" for head in heads), "dim")
    yield (" " * MARGIN, ""), ("─" * (page.width - MARGIN), "dim")
    for row in ends(it.rows):
        if isinstance(row, int):
            yield ((f"   ⋮ {row:,} more", "dim"),)
            continue
        numbers = [row.value, *(row.tangents[n] for n in names), row.adjoint]
        if product:
            tangent, adjoint = row.tangents[names[0]], row.adjoint
            numbers.append(None if tangent is None or adjoint is None else tangent * adjoint)
        words = f"{fitted(row.name, wide)}"
        pad = " " * (wide - columns(words))
        yield (
            (" " * MARGIN, ""),
            (words, f"@{row.name}"),
            (pad + "   " + " ".join(f"{signed(n) if n is not None else ' —':<13}" for n in numbers), ""),
        )
    yield from reading(page, more)


def reading(page: Page, more: int) -> Iterator[Line]:
    cost = page.it.cost
    said = [
        "Read down: forward mode carries d/d· beside each value (a dual number), one sweep per input.",
        f"Read up:   reverse mode carries d{page.it.result}/d· back from the result, one sweep for all inputs.",
        f"Cost:      {many(cost.inputs, 'input')}, 1 output: forward {many(cost.forward_sweeps, 'sweep')} and "
        f"{many(cost.forward_products, 'product')}, reverse {many(cost.reverse_sweeps, 'sweep')} and "
        f"{many(cost.reverse_products, 'product')}.",
        "           With 1000 inputs: forward 1000 sweeps, reverse 1.",
    ]
    if more > 0:
        said.append(
            f"           {many(more, 'more column')} of tangents not shown; --format json has all that were made."
        )
    for words in said:
        for line in wrapped(words, page.width - MARGIN, 11):
            yield (" " * MARGIN, ""), (line, "dim")


def trace(page: Page) -> Iterator[Line]:
    it = page.it
    yield from page.headed(f"{page.third} TANGENTS", "forward mode: each number and its slope, on the way up")
    names = list(it.rows[0].tangents)
    wide = min(max(columns(row.name) for row in it.rows), 20)
    fits = max(1, (page.width - MARGIN - wide - 18) // 14)
    heads = ["value", *(f"d/d{fitted(n, 9)}" for n in names[:fits])]
    yield (" " * MARGIN, ""), (f"{'':<{wide}}   " + " ".join(f" {head:<12}" for head in heads), "dim")
    yield (" " * MARGIN, ""), ("─" * (page.width - MARGIN), "dim")
    for row in ends(it.rows):
        if isinstance(row, int):
            yield ((f"   ⋮ {row:,} more", "dim"),)
            continue
        words = fitted(row.name, wide)
        numbers = [row.value, *(row.tangents[n] for n in names[:fits])]
        yield (
            (" " * MARGIN, ""),
            (words, f"@{row.name}"),
            (
                " " * (wide - columns(words))
                + "   "
                + " ".join(f"{signed(n) if n is not None else ' —':<13}" for n in numbers),
                "",
            ),
        )
    if len(names) > fits:
        yield (" " * MARGIN, ""), (f"{many(len(names) - fits, 'more column')}; --format json has them", "dim")
