"""The backward pass on a screen: the chain rule, factor by factor, with the running product and what it is.

>>> from autodiff.render.document.blocks import Column, TableRow
>>> cells = ((("1",), ("sine rule",), ("df/dx = cos(x)",), ("df/dx",)),)
>>> block = TableBlock((Column(()),) * 4, tuple(TableRow(row, "x", ("x", "f"), answer=True) for row in cells), "")
>>> print("".join(words for words, _ in list(steps(block, Screen(80, True)))[-1]))
   1  sine rule  df/dx = cos(x)  df/dx ◀ answer
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from autodiff.errors import columns
from autodiff.render.document.blocks import Omitted, PathSum, RowHeading, TableBlock, TableRow, joined, plain, term
from autodiff.render.text.labels import fitted
from autodiff.render.text.layout import INDENT, STACKED, Line, Piece, Screen, flowing, folded, in_few_lines, signed

_ANSWER, _MARK = " ◀ answer", " ◀"

_NARROW, _WIDE = 16, 24
"""Columns that a rule and a local slope have at least, and a rule at most, beside each other; the rest goes on below."""


class _StepTexts(NamedTuple):
    """The cells of a step as texts; the numbers are "" without a point."""

    label: str
    rule: str
    local: str
    value: str
    so_far: str
    which: str


class _Widths(NamedTuple):
    """The columns of the table; `rule` is 0 where rules are below their steps, `local` where there is no room for a table."""

    label: int
    rule: int
    local: int
    number: int
    so_far: int
    which: int
    mark: str


def steps(table: TableBlock, screen: Screen) -> Iterator[Line]:
    """The table of a backward pass; on a narrow screen each step on several lines."""
    widths = _widths(table, screen)
    if widths.local:
        yield from _head(table, widths, screen)
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
                yield from ((INDENT, (line, style)) for line in in_few_lines(words, screen.room, 3, hang))
            case PathSum():
                yield from _sum(row, screen)


def _texts(row: TableRow) -> _StepTexts:
    label, rule, local, *numbers, which = map(plain, row.cells)
    value, so_far = numbers or ("", "")
    return _StepTexts(label, rule, local, value, so_far, which)


def _widths(table: TableBlock, screen: Screen) -> _Widths:
    """What the rows of this table need; where all has no room, what may go on below gets less, the rule last of all."""
    rows = [(row, _texts(row)) for row in table.rows if isinstance(row, TableRow)]
    label = max(columns(texts.label) for _, texts in rows)
    rule = max(5, min(max(len(texts.rule) for _, texts in rows), _WIDE))
    local = max(11, *(columns(texts.local) for _, texts in rows))
    number, so_far = _number_widths(table, [texts for _, texts in rows])
    names = [(columns(texts.which), row.answer) for row, texts in rows]
    word = max(len(part) for _, texts in rows for part in (*texts.rule.split(" "), "rule"))
    left = max(columns(texts.local.partition(" = ")[0]) + 2 for _, texts in rows)
    short = min(local, max(_NARROW, min(left, _WIDE)))
    choices = [(rule, local, _ANSWER)]
    choices += [(less, least, _MARK) for least in (local, short) for less in range(rule, min(word, rule) - 1, -1)]
    choices += [(-2, short, _MARK)]
    for columns_of_rule, least, mark in choices if screen.width >= STACKED else ():
        which = max(1, *(min(name, _WIDE) + len(mark) * answer for name, answer in names))
        room = screen.room - label - 2 - columns_of_rule - 2 - 2 - number - so_far - which
        if room >= least:
            return _Widths(label, max(columns_of_rule, 0), min(local, room), number, so_far, which, mark)
    return _Widths(label, 0, 0, number, so_far, 0, "")


def _number_widths(table: TableBlock, texts: Sequence[_StepTexts]) -> tuple[int, int]:
    """The columns of the local slopes' numbers and of the products so far, with the gap behind; none without a point."""
    if len(table.columns) <= _SYMBOLS:
        return 0, 0
    heads = [plain(column.head) for column in table.columns[-3:-1]]
    values = [
        max(len(signed(text)) for text in column) for column in zip(*((t.value, t.so_far) for t in texts), strict=True)
    ]
    return max(values[0], len(heads[0]) + 1) + 2, max(values[1], len(heads[1])) + 2


_SYMBOLS = 4
"""Columns of a table without numbers."""


def _head(table: TableBlock, widths: _Widths, screen: Screen) -> Iterator[Line]:
    label, rule, local, number, so_far, _, _ = widths
    _, _, slope, *numbers, which = (plain(column.head) for column in table.columns)
    words = f"{'':{label}}  {'rule':<{rule}}  " if rule else f"{'':{label}}  "
    words += f"{slope:<{local}}  "
    if numbers:
        words += f" {numbers[0]:<{number - 1}}{numbers[1]:<{so_far}}"
    yield INDENT, (f"{words}{which}", "dim")
    yield INDENT, ("─" * screen.room, "dim")


def _step(row: TableRow, widths: _Widths, screen: Screen) -> Iterator[Line]:
    """A line; a local slope or a rule that has no room in it goes on below."""
    label, rule, local, number, so_far, _, mark = widths
    texts = _texts(row)
    left, _, formula = texts.local.partition(" = ")
    whole = columns(texts.local) <= local
    first, *rest = (
        [texts.local]
        if whole
        else in_few_lines(f"{left} =", local, 3)
        if formula
        else in_few_lines(texts.local, local, 3)
    )
    words = fitted(first, local)
    formula = " ".join([*rest, formula])
    rules = folded(texts.rule, rule) if rule else [""]
    pad = " " * (local - columns(words) + 2)
    numbers = f"{signed(texts.value):<{number}}{signed(texts.so_far):<{so_far}}" if number else ""
    line: list[Piece] = [INDENT, (f"{texts.label:<{label}}  ", "dim")]
    line += [(f"{rules[0]:<{rule}}  ", "")] if rule else []
    line += [(words, f"@{row.place}"), (f"{pad}{numbers}", ""), (fitted(texts.which, _WIDE), "dim")]
    yield (*line, (mark, "answer")) if row.answer else tuple(line)
    indent = label + 2 + (rule + 2 if rule else 0)
    more = [] if whole else in_few_lines(formula, screen.room - indent - 1, 3)
    more = [f" {text}" for text in more] if not rule else more
    for i in range(max(len(rules) - 1, len(more))):
        named = rules[i + 1] if i + 1 < len(rules) else ""
        text = more[i] if i < len(more) else ""
        yield INDENT, (f"{'':{label + 2}}{named:<{indent - label - 2}}", ""), (text, f"@{row.place}")
    if not rule:
        yield from (
            (INDENT, (" " * (label + 3), ""), (line, "dim")) for line in folded(texts.rule, screen.room - label - 3)
        )


def _stacked(row: TableRow, screen: Screen) -> Iterator[Line]:
    """A step on several lines: rule; local slope = number; the product so far, what it is, and whether it is the answer."""
    texts, style, room = _texts(row), f"@{row.place}", screen.width - 6
    label = f"{texts.label}  "
    for i, line in enumerate(in_few_lines(texts.rule, room - len(label) + 3, 2)):
        yield INDENT, (" " * len(label) if i else label, "dim"), (line, "")
    *above, last = in_few_lines(texts.local, room, 4, 2)
    yield from (((" " * 6, ""), (line, style)) for line in above)
    if not texts.value or not row.arrow[0]:
        yield (" " * 6, ""), (last, style)
        return
    number = "" if last.endswith(f"= {texts.value}") else f" = {texts.value}"
    beside = columns(last) + len(number) <= room
    yield (" " * 6, ""), (last, style), (number if beside else "", "")
    if not beside:
        yield (" " * 7, ""), (number, "")
    which = (f"{texts.which}{_ANSWER}", "answer") if row.answer else (texts.which, "dim")
    yield from flowing([(f"so far {texts.so_far}", ""), which], room)


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
