"""The backward pass on a page: the chain rule, factor by factor, with the running product and what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from autodiff.errors import columns
from autodiff.explanation.model import Block, Factor, Slope, Step, Text
from autodiff.render.text.labels import fitted
from autodiff.render.text.layout import (
    ENDS,
    MARGIN,
    STACKED,
    STEPS,
    Line,
    Page,
    Piece,
    eight_of,
    ends,
    few,
    middle_out,
    signed,
)
from autodiff.render.text.numbers import eight
from autodiff.render.text.wrap import folded

_ANSWER, _WHICH = " ◀ answer", 17


class Columns(NamedTuple):
    """The widths of the table's columns: label, rule, local slope, each of the two numbers, and what the product is.

    `which` is 0 where that is left out, `slope` where there is no room for a table at all.
    """

    label: int
    rule: int
    slope: int
    number: int
    which: int


def backward(page: Page) -> Iterator[Line]:
    blocks = page.it.blocks
    yield from page.headed(f"{page.third} BACKWARD", road(page))
    wide = sizes(page)
    yield from table_head(page, wide)
    if not blocks[0].path:
        yield from step_lines(page, wide, start(page))
        yield from chain(page, wide, blocks[0].steps, ENDS)
        return
    mine: dict[str, list[Block]] = {}
    for block in blocks:
        mine.setdefault(block.to, []).append(block)
    for name in ends(list(mine), 3):
        if isinstance(name, int):
            yield ((f"   ⋮ {name:,} more names, each with its own paths", "dim"),)
        else:
            yield from paths(page, wide, name, mine[name], STEPS // sum(len(mine[n]) for n in list(mine)[:6]))


def road(page: Page) -> str:
    """How the chain rule goes here, in a sentence."""
    it = page.it
    first = it.blocks[0]
    if first.path:
        led = {block.to for block in it.blocks}
        slope = next(s for s in it.slopes if s.name in led and s.paths > 1)
        return f"so {page.slope(slope.name)} is the SUM over the {slope.paths:,} paths"
    forked = [step for step in first.steps if not step.label.isdigit()]
    if not forked:
        product = "each step multiplies by one local slope"
        return f"start from d{it.result}/d{it.result} = 1; {product}"
    shared = len([step for step in first.steps if step.label.isdigit()])
    at = forked[0].factor.of
    names = [s.name for s in it.slopes if s.paths]
    begin = f"steps 1-{shared} are shared; " if shared > 1 else "step 1 is shared; " if shared else ""
    return f"{begin}at {at} the road forks, to {page.listed(names, 6)}"


def start(page: Page) -> Step:
    it = page.it
    one = None if it.at is None else 1.0
    words = page.slope(it.result)
    return Step("0", Factor(it.result, it.result, "start", Text(words, words, ""), one), one, True)


def sizes(page: Page) -> Columns:
    """What the steps of this page need."""
    steps = [step for block in page.it.blocks for step in block.steps[:200]]
    label = max((columns(step.label) for step in steps), default=1)
    rule = min(max((len(step.factor.rule) for step in steps), default=5), 22)
    known = (number for step in steps for number in (step.factor.value, step.so_far))
    number = 0 if page.it.at is None else max(13, 1 + max((len(signed(n)) for n in known), default=0))
    rule = max(rule, 5)
    slope = max(11, *(columns(local(page, step.factor)) for step in steps))
    which = reached(page, steps)
    room = page.width - MARGIN - label - rule - 2 * number - 6
    if page.width < 90 or room - which - 1 < min(slope, 20):
        which, room = 0, room - 2
    else:
        room -= which + 1
    fits = page.width >= STACKED and room >= min(slope, 16)
    return Columns(label, rule, min(slope, room) if fits else 0, number, which)


def reached(page: Page, steps: Sequence[Step]) -> int:
    """The columns for what the products are, and for the mark of an answer."""
    names = [min(columns(which_is(page, step)), 24) + len(_ANSWER) * step.answer for step in [start(page), *steps]]
    totals = [len(f"path {s.listed} total") for s in page.it.slopes if s.paths > 1]
    return max(*names, *totals, _WHICH)


def local(page: Page, factor: Factor) -> str:
    words = page.formula(factor.slope)
    if factor.rule == "start":
        return words
    left = f"d{factor.of}/d{factor.by}{held(factor)}"
    return f"{left} = {words}" if words else left


def held(factor: Factor) -> str:
    """`, s fixed`: what this slope holds still, though it changes too."""
    if not factor.fixed:
        return ""
    return f", {factor.fixed[0] if len(factor.fixed) == 1 else 'the others'} fixed"


def table_head(page: Page, wide: Columns) -> Iterator[Line]:
    if not wide.slope:
        return
    label, rule, slope, number, which = wide
    words = f"{'':{label}}  {'rule':<{rule}}  {'local slope':<{slope}}"
    if page.it.at is not None:
        words += f"   {'its value':<{number - 1}} {'so far':<{number - 1}}"
    if which:
        words += " which is" if page.it.at is not None else "  which is"
    yield (" " * MARGIN, ""), (words, "dim")
    yield (" " * MARGIN, ""), ("─" * (page.width - MARGIN), "dim")


def chain(page: Page, wide: Columns, steps: Sequence[Step], most: int, total: str = "") -> Iterator[Line]:
    """The lines of a chain, so many at either end; `total` says what the last product is."""
    for row in ends(steps, max(1, min(most, ENDS))):
        if isinstance(row, int):
            yield ((f"   ⋮ {row:,} more steps", "dim"),)
        else:
            yield from step_lines(page, wide, row, total if row is steps[-1] else "")


def step_lines(page: Page, wide: Columns, step: Step, total: str = "") -> Iterator[Line]:
    if not wide.slope:
        yield from stacked(page, step, total)
        return
    label, rule, slope, number, which = wide
    factor = step.factor
    whole = local(page, factor)
    words = whole if columns(whole) <= slope else fitted(f"d{factor.of}/d{factor.by}{held(factor)} = …", slope)
    line: list[Piece] = [
        (" " * MARGIN, ""),
        (f"{step.label:<{label}}  ", "dim"),
        (f"{fitted(factor.rule, rule):<{rule}}  ", ""),
    ]
    line.append((words, f"@{factor.by}"))
    gap = " " * (slope - columns(words))
    if page.it.at is not None:
        line.append((f"{gap}  {signed(factor.value):<{number}}{signed(step.so_far):<{number}}", ""))
    if which:
        name = fitted(which_is(page, step, total), 24)
        line.append((f"{'' if page.it.at is not None else gap + ' '} {name}", "dim"))
    if step.answer:
        line.append((_ANSWER if which else "◀", "answer"))
    yield tuple(line)
    if words != whole:
        indent = MARGIN + label + rule + 4
        rest = few(whole.partition(" = ")[2], page.width - indent, 3)
        yield from (((" " * indent, ""), (line, f"@{factor.by}")) for line in rest)


def which_is(page: Page, step: Step, total: str = "") -> str:
    """What the product so far is: a slope, a path's part of one, or nothing with a name of its own."""
    return total or (page.slope(step.factor.by) if step.whole else "")


def stacked(page: Page, step: Step, total: str) -> Iterator[Line]:
    """A step on several lines: rule; local slope = number; the product so far, what it is, and whether it is the answer."""
    factor, room = step.factor, page.width - 6
    label = f"{step.label}  "
    for i, line in enumerate(few(factor.rule, room - len(label) + 3, 2)):
        yield (" " * MARGIN, ""), (" " * len(label) if i else label, "dim"), (line, "")
    *above, last = few(local(page, factor), room, 4, 2)
    yield from (((" " * 6, ""), (line, f"@{factor.by}")) for line in above)
    if page.it.at is None or factor.rule == "start":
        yield (" " * 6, ""), (last, f"@{factor.by}")
        return
    number = eight_of(factor.value)
    number = "" if last.endswith(f"= {number}") else f" = {number}"
    beside = columns(last) + len(number) <= room
    yield (" " * 6, ""), (last, f"@{factor.by}"), (number if beside else "", "")
    if not beside:
        yield (" " * 7, ""), (number, "")
    pieces = [(f"so far {eight_of(step.so_far)}", ""), (which_is(page, step, total), "dim")]
    yield from flowing([*pieces, *([("◀ answer", "answer")] if step.answer else [])], room)


def flowing(pieces: Sequence[Piece], room: int) -> Iterator[Line]:
    """Pieces beside each other, those that have no room below."""
    line: list[Piece] = [(" " * 6, "")]
    used = 0
    for words, style in pieces:
        for row in filter(None, few(words, room, 3, 2)):
            if used and used + 2 + columns(row) > room:
                yield tuple(line)
                line, used = [(" " * 6, "")], 0
            line.append((f"  {row}" if used else row, style))
            used += columns(row) + 2 * bool(used)
    yield tuple(line)


def paths(page: Page, wide: Columns, name: str, blocks: Sequence[Block], most: int) -> Iterator[Line]:
    slope = next(s for s in page.it.slopes if s.name == name)
    several = len({block.to for block in page.it.blocks}) > 1
    if several:
        times = f": {slope.paths:,} path{'s' * (slope.paths != 1)}"
        yield (" " * MARGIN, ""), (f"to {fitted(name, page.width - MARGIN - len(times) - 3)}{times}", "head")
    if slope.paths > slope.listed:
        said = "the largest" if page.it.at is not None else "the first"
        said = f"{said} {slope.listed} of {slope.paths:,} paths; every adjoint stands below"
        yield from (((" " * MARGIN, ""), (line, "dim")) for line in folded(said, page.width - MARGIN))
    for i, block in enumerate(blocks, start=1):
        route = " → ".join(middle_out(block.path, 7))
        if slope.paths > 1:
            for line in few(f"path {i}:  {route}", page.width - MARGIN, 3, 9):
                yield (" " * MARGIN, ""), (line, "dim")
        yield from chain(page, wide, block.steps, most, f"path {i} total" if slope.paths > 1 else "")
    yield from total_of(page, slope, blocks)
    if slope.paths > slope.listed:
        yield from adjoints(page)


def total_of(page: Page, slope: Slope, blocks: Sequence[Block]) -> Iterator[Line]:
    if slope.value is None or slope.paths < 2 or slope.paths > slope.listed:
        return
    totals = [eight_of(block.total) for block in blocks]
    terms = " + ".join(f"({t})" if t.startswith("-") and i else t for i, t in enumerate(totals))
    said, result = "sum of the paths: ", f" = {eight(slope.value)}"
    end = f"{page.slope(slope.name)} ◀ answer"
    if columns(terms) + len(said) + len(result) + columns(end) + MARGIN + 2 <= page.width:
        yield (" " * MARGIN, ""), (f"{said}{terms}{result}  ", ""), (end, "answer")
        return
    for line in folded(f"{said}{terms}", page.width - MARGIN, 4):
        yield (" " * MARGIN, ""), (line, "")
    if len(result) + columns(end) + 8 <= page.width:
        yield (" " * MARGIN, ""), (f"   {result}  ", ""), (end, "answer")
        return
    yield (" " * MARGIN, ""), (f"   {result}", "")
    yield (" " * MARGIN, ""), (fitted(f"    = {end}", page.width - MARGIN), "answer")


def adjoints(page: Page) -> Iterator[Line]:
    """The slope of the result in every place, the last places first: what reverse mode computes in one sweep."""
    if not page.it.rows:
        return
    said = "adjoints: each is the sum, over what it goes into, of adjoint × local slope"
    yield from (((" " * MARGIN, ""), (line, "head")) for line in folded(said, page.width - MARGIN))
    rows = list(reversed(page.it.rows))
    wide = min(max(columns(page.slope(row.name)) for row in rows), 24, page.width - MARGIN - 18)
    for row in ends(rows, 6):
        if isinstance(row, int):
            yield ((f"   ⋮ {row:,} more", "dim"),)
        else:
            yield (
                (" " * MARGIN, ""),
                (f"{fitted(page.slope(row.name), wide):<{wide}}  ", f"@{row.name}"),
                (signed(row.adjoint), ""),
            )
