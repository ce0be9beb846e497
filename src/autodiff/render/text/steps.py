"""The backward pass on a screen: the chain rule, factor by factor, with the running product and what it is.

>>> from autodiff.render.document.blocks import Column, TableRow, Words
>>> cells = (((Words("1"),), (Words("sine rule"),), (Words("df/dx = cos(x)"),), (Words("df/dx"),)),)
>>> block = TableBlock((Column(()),) * 4, tuple(TableRow(row, "x", ("x", "f"), answer=True) for row in cells), "")
>>> print("".join(words for words, _ in list(steps(block, Screen(80, True)))[-1]))
   1  sine rule  df/dx = cos(x)◀
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from autodiff.errors import columns
from autodiff.render.document.blocks import Omitted, PathSum, RowHeading, TableBlock, TableRow, joined, plain, term
from autodiff.render.text.labels import fitted
from autodiff.render.text.layout import INDENT, MARGIN, STACKED, Line, Piece, Screen, few, flowing, signed

_ANSWER, _WHICH = " ◀ answer", 17


class _StepTexts(NamedTuple):
    """The cells of a step as texts; the numbers are "" without a point."""

    label: str
    rule: str
    local: str
    value: str
    so_far: str
    which: str


class _Widths(NamedTuple):
    """The columns of the table; `which` is 0 where that is left out, `local` where there is no room for a table at all."""

    label: int
    rule: int
    local: int
    number: int
    which: int


def steps(table: TableBlock, screen: Screen) -> Iterator[Line]:
    """The table of a backward pass; on a narrow screen each step on several lines."""
    widths = _widths(table, screen)
    if widths.local:
        yield from _head(widths, screen)
    for row in table.rows:
        match row:
            case TableRow():
                yield from _step(row, widths, screen) if widths.local else _stacked(row, screen)
            case Omitted():
                yield ((f"   {row}", "dim"),)
            case RowHeading(title, pieces, kind):
                words = f"{title}  {plain(pieces)}" if kind == "path" else f"{title} {plain(pieces)}".lstrip()
                style = "head" if kind == "name" else "dim"
                hang = 9 if kind == "path" else 0
                yield from ((INDENT, (line, style)) for line in few(words, screen.room, 3, hang))
            case PathSum():
                yield from _sum(row, screen)


def _texts(row: TableRow) -> _StepTexts:
    label, rule, local, *numbers, which = map(plain, row.cells)
    value, so_far = numbers or ("", "")
    return _StepTexts(label, rule, local, value, so_far, which)


def _widths(table: TableBlock, screen: Screen) -> _Widths:
    """What the rows of this table need."""
    rows = [(row, _texts(row)) for row in table.rows if isinstance(row, TableRow)]
    label = max(columns(texts.label) for _, texts in rows)
    rule = max(5, min(max(len(texts.rule) for _, texts in rows), 22))
    longest = max(len(signed(number)) for _, texts in rows for number in (texts.value, texts.so_far))
    number = max(13, 1 + longest) if len(table.columns) > 4 else 0
    local = max(11, *(columns(texts.local) for _, texts in rows))
    which = max(_WHICH, *(min(columns(texts.which), 24) + len(_ANSWER) * row.answer for row, texts in rows))
    room = screen.room - label - rule - 2 * number - 6
    if screen.width < 90 or room - which - 1 < min(local, 20):
        which, room = 0, room - 2
    else:
        room -= which + 1
    fits = screen.width >= STACKED and room >= min(local, 16)
    return _Widths(label, rule, min(local, room) if fits else 0, number, which)


def _head(widths: _Widths, screen: Screen) -> Iterator[Line]:
    label, rule, local, number, which = widths
    words = f"{'':{label}}  {'rule':<{rule}}  {'local slope':<{local}}"
    if number:
        words += f"   {'its value':<{number - 1}} {'so far':<{number - 1}}"
    if which:
        words += " which is" if number else "  which is"
    yield INDENT, (words, "dim")
    yield INDENT, ("─" * screen.room, "dim")


def _step(row: TableRow, widths: _Widths, screen: Screen) -> Iterator[Line]:
    """A line; a local slope that has no room in it goes on below."""
    label, rule, local, number, which = widths
    texts = _texts(row)
    left, _, rest = texts.local.partition(" = ")
    words = texts.local if columns(texts.local) <= local else fitted(f"{left} = …", local)
    line: list[Piece] = [
        INDENT,
        (f"{texts.label:<{label}}  ", "dim"),
        (f"{fitted(texts.rule, rule):<{rule}}  ", ""),
        (words, f"@{row.place}"),
    ]
    gap = " " * (local - columns(words))
    if number:
        line.append((f"{gap}  {signed(texts.value):<{number}}{signed(texts.so_far):<{number}}", ""))
    if which:
        line.append((f"{'' if number else gap + ' '} {fitted(texts.which, 24)}", "dim"))
    if row.answer:
        line.append((_ANSWER if which else "◀", "answer"))
    yield tuple(line)
    if words != texts.local:
        indent = MARGIN + label + rule + 4
        more = few(rest, screen.width - indent, 3)
        yield from (((" " * indent, ""), (line, f"@{row.place}")) for line in more)


def _stacked(row: TableRow, screen: Screen) -> Iterator[Line]:
    """A step on several lines: rule; local slope = number; the product so far, what it is, and whether it is the answer."""
    texts, style, room = _texts(row), f"@{row.place}", screen.width - 6
    label = f"{texts.label}  "
    for i, line in enumerate(few(texts.rule, room - len(label) + 3, 2)):
        yield INDENT, (" " * len(label) if i else label, "dim"), (line, "")
    *above, last = few(texts.local, room, 4, 2)
    yield from (((" " * 6, ""), (line, style)) for line in above)
    if not texts.value or not row.arrow[0]:
        yield (" " * 6, ""), (last, style)
        return
    number = "" if last.endswith(f"= {texts.value}") else f" = {texts.value}"
    beside = columns(last) + len(number) <= room
    yield (" " * 6, ""), (last, style), (number if beside else "", "")
    if not beside:
        yield (" " * 7, ""), (number, "")
    answer = [("◀ answer", "answer")] if row.answer else []
    yield from flowing([(f"so far {texts.so_far}", ""), (texts.which, "dim"), *answer], room)


def _sum(row: PathSum, screen: Screen) -> Iterator[Line]:
    terms = plain(joined([term(number, first=i == 0) for i, number in enumerate(row.terms)], " + "))
    begin, result, end = "sum of the paths: ", f" = {row.value}", f"{plain((row.name,))} ◀ answer"
    if columns(terms) + len(begin) + len(result) + columns(end) + 2 <= screen.room:
        yield INDENT, (f"{begin}{terms}{result}  ", ""), (end, "answer")
        return
    yield from screen.folded(f"{begin}{terms}", "", 4)
    if len(result) + columns(end) + 8 <= screen.width:
        yield INDENT, (f"   {result}  ", ""), (end, "answer")
        return
    yield INDENT, (f"   {result}", "")
    yield INDENT, (fitted(f"    = {end}", screen.room), "answer")
