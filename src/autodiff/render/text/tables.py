"""Tables of a document on a screen: names beside numbers, in as many columns as there is room for.

>>> from autodiff.render.document.formulas import numbered
>>> rows = tuple(TableRow(numbered(name, [number])) for name, number in {"x": 4.0, "y": -0.5}.items())
>>> block = TableBlock((Column(("node",)), Column(("value",), numeric=True)), rows, "values", "modes")
>>> print(*("".join(words for words, _ in line) for line in list(table(block, Screen(40, True)))[2:]), sep="\\n")
   x       4
   y      -0.5
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from autodiff.errors import columns
from autodiff.render.document.blocks import (
    AnyRow,
    Cell,
    Column,
    Inline,
    NumberText,
    Omitted,
    TableBlock,
    TableRow,
    Words,
    plain,
)
from autodiff.render.document.formulas import many
from autodiff.render.text.labels import fitted
from autodiff.render.text.layout import INDENT, MARGIN, STACKED, Line, Piece, Screen, folded, in_few_lines, signed
from autodiff.render.text.steps import steps


def table(block: TableBlock, screen: Screen) -> Iterator[Line]:
    """The lines of a table, behind the margin."""
    layout = {"steps": steps, "places": _places, "sides": _sides, "bars": _bars}.get(block.kind, _grid)
    yield from layout(block, screen)


def _omitted(row: Omitted) -> Line:
    return ((f"   {row}", "dim"),)


# --- the forward pass -----------------------------------------------------------------------------------------


def _places(block: TableBlock, screen: Screen) -> Iterator[Line]:
    """A statement, what it does, its value; a long statement on lines of its own."""
    rows = [row for row in block.rows if isinstance(row, TableRow)]
    does = max((len(plain(row.cells[1])) for row in rows), default=0)
    longest = max((columns(_value(row.cells[2][0])) for row in rows if row.cells[2:]), default=0)
    room = screen.room - 3 - max(longest, 15) - (0 if screen.width < STACKED else min(does, 20) + 3)
    wide = min(max((columns(plain(row.cells[0])) for row in rows), default=0), room)
    for row in block.rows:
        if not isinstance(row, TableRow):
            yield _omitted(row) if isinstance(row, Omitted) else ()
            continue
        words, note, *_ = map(plain, row.cells)
        value = _value(row.cells[2][0]) if row.cells[2:] else ""
        note = "" if screen.width < STACKED else f"   {note:<{does}}"
        if columns(words) > wide:
            yield from ((INDENT, (line, f"@{row.place}")) for line in in_few_lines(words, screen.room, 3, 2))
            yield (" " * (MARGIN + wide), ""), (f"{note}   ", "dim"), (value, "")
            continue
        pad = " " * (wide - columns(words))
        yield INDENT, (words, f"@{row.place}"), (f"{pad}{note}   ", "dim"), (value, "")


def _bars(block: TableBlock, screen: Screen) -> Iterator[Line]:
    """Factors beside their bars; on a narrow screen the bar is below."""
    rows = [row for row in block.rows if isinstance(row, TableRow)]
    texts = [tuple(map(plain, row.cells)) for row in rows]
    label, factor = (max(columns(text[at]) for text in texts) for at in (0, 1))
    number = max(len(signed(text[2])) for text in texts)
    for row, (mark, name, value, bar) in zip(rows, texts, strict=True):
        drawn = bar.replace("=", "█").replace("|", "│") if screen.unicode else bar
        line = f"{mark:<{label}}  {name}{' ' * (factor - columns(name))}  {signed(value):<{number}}"
        if len(line) + 2 + len(drawn) > screen.room:
            yield INDENT, (line, f"@{row.place}")
            yield INDENT, (f"    {drawn}", "")
        else:
            yield INDENT, (line, f"@{row.place}"), (f"  {drawn}", "")


def _value(piece: Inline) -> str:
    """A place's number, or why it has none; a number beyond float64 is aligned as any other."""
    words = "" if piece == NumberText(None) else plain((piece,))
    return signed(words) if words[:1] in ("-", *"0123456789") else words


# --- values, tangents, adjoints -----------------------------------------------------------------------------------------


class _Grid(NamedTuple):
    """A table of numbers: over its names, over each column, and the rows, between which some may be left out."""

    corner: str
    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str], str] | Omitted]

    @property
    def number_width(self) -> int:
        """The columns that a number takes."""
        numbers = [number for row in self.rows if not isinstance(row, Omitted) for number in row[1]]
        return max(14, *(len(number) + 1 for number in numbers), *(len(head) + 2 for head in self.heads))

    @property
    def names(self) -> int:
        """The columns for the names of the places; long ones lose their middle."""
        widths = (min(columns(row[0]), 16) for row in self.rows if not isinstance(row, Omitted))
        return max(len(self.corner), *widths)

    @property
    def width(self) -> int:
        """The columns that the table takes."""
        last = max((len(row[1][-1]) for row in self.rows if not isinstance(row, Omitted)), default=0)
        return MARGIN + self.names + 3 + self.number_width * (len(self.heads) - 1) + max(last, len(self.heads[-1]) + 1)


def _grid(block: TableBlock, screen: Screen) -> Iterator[Line]:
    """The table with as many optional columns as there is room for; where there is none, place below place."""
    optional = [at for at, column in enumerate(block.columns) if column.optional]
    tangents = any(column.optional == "tangents" for column in block.columns)
    for count in range(len(optional), int(tangents) - 1, -1):
        grid = _without(block, optional[count:])
        if grid.width <= screen.width:
            yield from _beside(grid, screen)
            break
    else:
        count = 3 if tangents else 0
        yield from _below(_without(block, optional[count:]), screen)
    if tangents and len(optional) > count:
        sentence = f"{many(len(optional) - count, 'more column')} of tangents; --format json has all that were made"
        yield from screen.folded(sentence, "dim")


def _without(block: TableBlock, left_out: Sequence[int]) -> _Grid:
    kept = [at for at in range(1, len(block.columns)) if at not in left_out]
    rows = [row if isinstance(row, Omitted) else _numbers(row, kept) for row in block.rows]
    corner, *heads = (_head(block.columns[at]) for at in (0, *kept))
    return _Grid(corner, heads, rows)


def _head(column: Column) -> str:
    return column.brief or plain(column.head)


def _numbers(row: AnyRow, kept: Sequence[int]) -> tuple[str, list[str], str]:
    assert isinstance(row, TableRow)
    texts = [plain(cell) for cell in row.cells]
    return texts[0], [" —" if texts[at] == "none" else signed(texts[at]) for at in kept], row.place


def _beside(grid: _Grid, screen: Screen) -> Iterator[Line]:
    wide, number_width = grid.names, grid.number_width
    heads = "".join(f" {head:<{number_width - 1}}" for head in grid.heads)
    yield INDENT, (f"{grid.corner:<{wide}}   {heads}".rstrip(), "dim")
    yield INDENT, ("─" * screen.room, "dim")
    for row in grid.rows:
        if isinstance(row, Omitted):
            yield _omitted(row)
            continue
        name, numbers, place = row
        words = fitted(name, wide)
        gap = " " * (wide - columns(words) + 3)
        cells = "".join(f"{number:<{number_width}}" for number in numbers).rstrip()
        yield INDENT, (words, f"@{place}"), (f"{gap}{cells}", "")


def _below(grid: _Grid, screen: Screen) -> Iterator[Line]:
    wide = max(map(columns, grid.heads))
    for row in grid.rows:
        if isinstance(row, Omitted):
            yield _omitted(row)
            continue
        name, numbers, place = row
        yield INDENT, (fitted(name, screen.room), f"@{place}")
        for head, number in zip(grid.heads, numbers, strict=True):
            pad = " " * (wide - columns(head) + 2)
            yield (" " * (MARGIN + 2), ""), (f"{head}{pad}", "dim"), (number, "")


# --- both sides of a special point -----------------------------------------------------------------------------------------


def _sides(block: TableBlock, screen: Screen) -> Iterator[Line]:
    """Each input's slopes from the left and from the right, place by place; the row with a verdict is its last."""
    rows: list[TableRow] = []
    for row in block.rows:
        if isinstance(row, Omitted):
            yield _omitted(row)
        elif isinstance(row, TableRow):
            rows.append(row)
            if row.cells[-1]:
                yield from _followed(rows, [_head(column) for column in block.columns[1:3]], screen)
                rows = []


def _followed(rows: Sequence[TableRow], heads: Sequence[str], screen: Screen) -> Iterator[Line]:
    """Both sides of one input; below each place where a screen has no room beside it."""
    names = max(columns(plain(row.cells[0])) for row in rows)
    sides = [[_one_sided(cell) for cell in row.cells[1:3]] for row in rows]
    longest = max(len(number) for pair in sides for number in pair)
    number_width = max(14 if names + 28 <= screen.room - 3 else 6, longest + 2)
    wide = min(names, screen.room - 3 - 2 * number_width)
    beside = wide >= min(names, 12)
    (verdict,) = rows[-1].cells[-1]
    judged = (verdict.text, verdict.tone) if isinstance(verdict, Words) else ("", "")
    if beside:
        yield INDENT, (f"{'':<{wide}}   " + "".join(f" {head:<{number_width - 1}}" for head in heads), "dim")
    for row, numbers in zip(rows, sides, strict=True):
        name = fitted(plain(row.cells[0]), wide if beside else screen.room)
        if not beside:
            yield INDENT, (name, f"@{row.place}")
            for head, number in zip(heads, numbers, strict=True):
                yield (" " * (MARGIN + 2), ""), (f"{head:<5} {number}", "")
            continue
        gap = " " * (wide - columns(name) + 3)
        line: list[Piece] = [INDENT, (name, f"@{row.place}"), (f"{gap}{numbers[0]:<{number_width}}{numbers[1]}", "")]
        if row is rows[-1] and sum(columns(words) for words, _ in line) + 3 + columns(judged[0]) <= screen.width:
            yield (*line, ("   ", ""), judged)
            return
        yield tuple(line)
    indent = MARGIN + 2
    if beside and MARGIN + wide + 4 + columns(judged[0]) <= screen.width:
        indent = MARGIN + wide + 4
    yield from (((" " * indent, ""), (line, judged[1])) for line in folded(judged[0], screen.width - indent))


def _one_sided(cell: Cell) -> str:
    """A one-sided slope, maybe infinite."""
    number = plain(cell)
    return {"∞": " +∞", "-∞": "-∞"}.get(number, signed(number))


# --- one step of gradient descent ---------------------------------------------------------------------------------------


def update(block: TableBlock, room: int) -> Iterator[Line]:
    """Old and new of each name, and how it moves: beside it, or once for all where there is no room."""
    rows = [(row, list(map(plain, row.cells))) for row in block.rows if isinstance(row, TableRow)]
    names = min(max(columns(name) for _, (name, *_) in rows), _NAME)
    moves = {row: f"{name}{' ' * (names - columns(name))}  {old} → {new}" for row, (name, old, _, new) in rows}
    how = block.note.partition(" = ")[2]
    widest = max((columns(words) for row, words in moves.items() if row.place), default=0)
    beside = widest + 5 + columns(how) <= room
    if not beside:
        yield ((f"each: {how}", "dim"),)
    for row in block.rows:
        if not isinstance(row, TableRow):
            yield ((str(row), "dim"),)
            continue
        first, *rest = folded(moves[row], room, 2)
        style, gap = (f"@{row.place}", " " * (widest - columns(first) + 5)) if row.place else ("", "")
        yield (first, style), (f"{gap}{how}" if beside and row.place else "", "dim")
        yield from (((line, style),) for line in rest)


_NAME = 24
"""Columns of a name up to which the numbers beside names are below each other."""
