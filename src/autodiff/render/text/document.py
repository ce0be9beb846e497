"""A document as lines of text, each a run of pieces with a style: plain for pipes, coloured by `terminal`.

>>> from autodiff.explanation.build import explain
>>> print(text(explain("y = x^2; sin(y)", {"x": 0.0})).split("\\n")[5])
   f = sin(y)   sine     0
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from autodiff.errors import columns
from autodiff.explanation.model import Explanation, FormulaText
from autodiff.render.document import blocks
from autodiff.render.document.blocks import SCREEN, Cell, Document, Equation, Item, Section, Words, listed, plain
from autodiff.render.document.compose import compose
from autodiff.render.graph import text as graph
from autodiff.render.text.elide import elide
from autodiff.render.text.labels import ascii_only, spelled
from autodiff.render.text.layout import (
    INDENT,
    NARROW,
    NARROWEST,
    WIDEST,
    Line,
    Piece,
    Screen,
    folded,
    in_few_lines,
    plain_lines,
)
from autodiff.render.text.tables import table, update

_NAME = 24  # columns that the names of answers below each other have, so that the numbers do, too
_FORMULA_LINES = 3  # lines that a formula of a slope may take
_VERTICES = 14  # vertices of the drawing inside a document
_SPARE = 12  # columns at most that a line needs more in ASCII
_TONES = {"quiet": "dim", "strong": "head"}
_MARKS: Mapping[str, Piece] = {"good": ("✓ ", "good"), "bad": ("✗ ", "bad"), "doubt": ("? ", "bad"), "none": ("- ", "dim")}  # fmt: skip


def text(explanation: Explanation, width: int = WIDEST, *, unicode: bool = True) -> str:
    """The whole explanation as plain text."""
    return plain_lines(lines(explanation, width, unicode=unicode))


def lines(explanation: Explanation, width: int = WIDEST, *, unicode: bool = True) -> list[Line]:
    """The explanation, laid out: lines of at most `width` columns, but for a number that is longer."""
    document = compose(explanation, SCREEN)
    room = max(NARROWEST, min(width, WIDEST))
    if unicode:
        return list(_all(document, Screen(room, unicode)))
    colours = {f"@{spelled(place.name)}": f"@{place.name}" for place in explanation.forward}
    document = _spelled(document)
    for less in range(_SPARE):  # some signs take more columns in ASCII: then the layout is one for a narrower screen
        page = _all(document, Screen(room - less, unicode))
        lines = [tuple((ascii_only(words), colours.get(style, style)) for words, style in line) for line in page]
        if all(sum(len(words) for words, _ in line) <= room for line in lines):
            break
    return lines


T = TypeVar("T")


def _spelled(block: T) -> T:
    """The same with every text in ASCII, as it is typed; before the layout, so that columns fit what they hold. Drawings do so by themselves."""
    spelled_block: object = block
    if isinstance(block, str):
        spelled_block = spelled(block)
    elif isinstance(block, FormulaText):
        spelled_block = FormulaText("", spelled(block.formula or block.pretty), "")
    elif isinstance(block, tuple):
        items = [_spelled(item) for item in block]
        spelled_block = type(block)(*items) if hasattr(block, "_fields") else tuple(items)
    return spelled_block  # type: ignore[return-value]


def _all(document: Document, screen: Screen) -> Iterator[Line]:
    yield from _title(document, screen)
    number = 0
    for section in document.sections:
        number += section.numbered
        yield ()
        yield from _section(section, screen, number)


def _title(document: Document, screen: Screen) -> Iterator[Line]:
    heading = plain(document.heading)
    where = f"{plain(listed(document.slopes, 3))}{_where(document)}"
    room = screen.width - 2 - columns(where)
    if columns(heading) + 3 > room:
        yield from (((" ", ""), (words, "title")) for words in in_few_lines(heading, screen.width - 1, 2, 2))
        yield from (((" ", ""), (words, "dim")) for words in folded(where, screen.width - 1, 1))
    else:
        yield (" ", ""), (heading, "title"), (" " * (room - columns(heading)), ""), (where, "dim")


def _where(document: Document) -> str:
    """` at x = 4`: the point, if its numbers are few."""
    known = [plain(cell) for cell in document.point]
    return f" at {', '.join(known)}" if known and (len(known) == 1 or sum(map(len, known)) < 30) else ""


def _section(section: Section, screen: Screen, number: int) -> Iterator[Line]:
    """A numbered section under its title and sentence; one of the others beside its title."""
    label = section.brief or section.title.upper()
    if section.numbered:
        yield from screen.headed(f"{number} {label}", plain(section.subtitle))
        for block in section.blocks:
            yield from _block(block, screen)
        return
    if section.subtitle:
        yield from screen.headed(label, plain(section.subtitle))
        label = ""
    for block in section.blocks:
        for part in _beside(block, screen):
            yield from screen.under(label, part)
            label = ""


def _block(block: object, screen: Screen) -> Iterator[Line]:
    match block:
        case blocks.TableBlock():
            yield from table(block, screen)
        case blocks.Paragraph(cell):
            yield from screen.folded(plain(cell), _style(cell))
        case blocks.ItemList(items):
            yield from _labelled(items, screen)
        case blocks.GraphDrawing(drawing):
            small = drawing if len(drawing.vertices) <= _VERTICES else elide(drawing, _VERTICES).drawing
            yield from ((INDENT, *line) for line in graph.lines(small, screen.room, unicode=screen.unicode))


def _style(cell: Cell) -> str:
    first = cell[0] if cell else None
    return _TONES.get(first.tone, first.tone) if isinstance(first, Words) else ""


def _labelled(items: Sequence[Item], screen: Screen) -> Iterator[Line]:
    """Sentences behind their labels, which are as wide as the longest one."""
    wide = max(len(item.label) for item in items) + 1
    hang = wide if screen.width >= NARROW else 2
    for item in items:
        words = plain(item.words)
        label = f"{item.label:<{wide}}" if item.label and hang == wide else f"{item.label} ".lstrip()
        start = 0 if item.label else hang
        words = f"{label}{words}"
        yield from ((INDENT, (line, "dim")) for line in folded(words, screen.room, hang, start))


# --- beside a title -----------------------------------------------------------------------------------------------------


def _beside(block: object, screen: Screen) -> Iterator[list[Line]]:
    """The parts of a block, each of which begins on a line of its own beside the title or under the part before."""
    room = screen.width - screen.text
    match block:
        case blocks.Paragraph(cell):
            yield [((line, "bad" if _style(cell) in ("bad", "dim") else ""),) for line in folded(plain(cell), room)]
        case blocks.Equations(rows, as_rows):
            names = [columns(plain((row.left,))) for row in rows if isinstance(row, Equation)]
            wide = max(names) if as_rows and screen.width >= NARROW else 0
            for row in rows:
                yield [((str(row), "dim"),)] if isinstance(row, blocks.Omitted) else list(_equation(row, screen, wide))
        case blocks.ItemList(items):
            for item in items:
                mark = _MARKS.get(item.mark, ("", ""))
                indent = len(mark[0])
                words = "  ".join(filter(None, (plain(item.words), plain(item.number), plain(item.remark))))
                lines = folded(words, room - indent)
                yield [((" " * indent, "") if i else mark, (line, "")) for i, line in enumerate(lines)]
        case blocks.TableBlock():
            yield list(update(block, room))
        case blocks.SourceLines():  # an error's excerpt, which the terminal gets beside its message
            return


def _equation(equation: Equation, screen: Screen, wide: int) -> Iterator[Line]:
    """`name = …` and further lines of what it is equal to, the last one the answer; a name that is too long is above.

    A short name takes `wide` columns.
    """
    name = plain((equation.left,))
    name += " " * (min(wide, _NAME) - columns(name))
    *rights, answer = (plain(right) for right in equation.rights)
    room = screen.width - screen.text
    fits = _FORMULA_LINES * (room - 3 - columns(name))
    rights = [words for words in dict.fromkeys(rights) if columns(words) <= fits and words != answer]
    above = columns(name) + 3 + max(columns(answer), 18) > room
    rights.append(f"{answer}  ({equation.note})" if equation.note else answer)
    indent = 2 if above else columns(name)
    if above:
        yield from (((line, f"@{equation.place}"),) for line in in_few_lines(name, room, 3, 1))
    for i, words in enumerate(rights):
        style = "answer" if i == len(rights) - 1 else ""
        begin = (" " * indent, "") if above or i else (name, f"@{equation.place}")
        first, *rest = folded(words, room - indent - 3)
        yield begin, (" = " if equation.exists else " ", ""), (first, style)
        yield from (((" " * (indent + 3), ""), (line, style)) for line in rest)
