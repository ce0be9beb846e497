"""The blocks of a document: sections with tables, equations, lists and drawings, as plain data in no format yet.

`compose` makes a document of an explanation; `text`, `markdown`, `latex` and `html` write it. A row of a table names the
place and the arrow of the drawing that it is about, so that a format with colours or links can connect the two.

>>> plain(("the slope is ", NumberText(0.5)))
'the slope is 0.5'
"""

# no `from __future__ import annotations`: a NamedTuple compiles annotations that are texts, at every start
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

from autodiff.diagnostics import shown
from autodiff.errors import printable
from autodiff.explanation.graph import Drawing
from autodiff.explanation.model import FormulaText
from autodiff.render.text.numbers import eight


class Words(NamedTuple):
    """A piece of a sentence with a `tone`: "quiet", "strong", "good" or "bad"; without one it is a plain `str`."""

    text: str
    tone: str


class CodeText(NamedTuple):
    """A piece of a program, as the user wrote it."""

    text: str


class NumberText(NamedTuple):
    """A number, rounded to eight decimals unless it is to be shown `whole`; None where there is none."""

    value: float | None
    whole: bool = False

    def __str__(self) -> str:
        if self.value is None:
            return "none"
        return (shown(self.value) if self.whole else eight(self.value)).replace("inf", "∞")


Inline: TypeAlias = str | Words | CodeText | FormulaText | NumberText
Cell: TypeAlias = tuple[Inline, ...]


class Omitted(NamedTuple):
    """Where so many rows are left out."""

    number: int
    what: str = ""

    def __str__(self) -> str:
        return f"⋮ {self.number:,} more{f' {self.what}' if self.what else ''}"


class Column(NamedTuple):
    """The head of a column; one of numbers is `numeric`, a `wide` one holds formulas.

    brief     the head on a screen, where it differs
    optional  what a column holds that a screen without room for it may leave out
    """

    head: Cell
    numeric: bool = False
    wide: bool = False
    brief: str | None = None
    optional: str = ""


class TableRow(NamedTuple):
    """A row of a table, about the place `place` and the arrow `arrow` (source and target) of the drawing, if any."""

    cells: tuple[Cell, ...]
    place: str = ""
    arrow: tuple[str, str] = ("", "")
    answer: bool = False


class RowHeading(NamedTuple):
    """A line across a table that says what the rows below it are; `kind` is "name", "note" or "path"."""

    title: str
    pieces: Cell
    kind: str


class PathSum(NamedTuple):
    """A line across a table: the sum of what all paths contribute, which is the slope called `name`.

    A number beyond float64 is a text.
    """

    terms: tuple[NumberText | str, ...]
    value: NumberText | str
    name: FormulaText


AnyRow: TypeAlias = TableRow | RowHeading | PathSum | Omitted


class TableBlock(NamedTuple):
    """Rows under columns.

    about  what the table shows, for readers who don't see it
    kind   "places", "steps", "modes", "sides", "update" or "", for formats that lay them out in their own way
    note   what holds for every row: an equation of two columns
    """

    columns: tuple[Column, ...]
    rows: tuple[AnyRow, ...]
    about: str
    kind: str = ""
    note: str = ""


class Paragraph(NamedTuple):
    pieces: Cell


class Item(NamedTuple):
    """An item of a list: words, a number or a formula in full, and a remark.

    label  what the item is about, in bold before it
    mark   "good", "bad", "doubt" or "none" for what was checked, else ""
    """

    words: Cell
    number: Cell = ()
    remark: Cell = ()
    label: str = ""
    mark: str = ""


class ItemList(NamedTuple):
    items: tuple[Item, ...]


class SourceLines(NamedTuple):
    """Lines of a program, unchanged."""

    lines: tuple[str, ...]


class Equation(NamedTuple):
    """What `left` is equal to, in several forms one below the other; the last is the answer, with a `note` behind it.

    Of a slope that does not exist the answer is words, and no equals sign goes before it.
    """

    left: FormulaText
    rights: tuple[Cell, ...]
    note: str = ""
    place: str = ""
    exists: bool = True


class Equations(NamedTuple):
    """One equation for each slope that is asked for; many of them are only a name and its answer: a `table`."""

    rows: tuple[Equation | Omitted, ...]
    table: bool = False


class GraphDrawing(NamedTuple):
    drawing: Drawing


DocumentBlock: TypeAlias = TableBlock | Paragraph | ItemList | SourceLines | Equations | GraphDrawing


class Section(NamedTuple):
    """A titled part of a document; `key` names its kind for formats that place some beside others.

    subtitle  a sentence beside the title
    brief     the title on a screen, where it differs
    """

    key: str
    title: str
    subtitle: Cell
    blocks: tuple[DocumentBlock, ...]
    brief: str = ""

    @property
    def numbered(self) -> bool:
        """Whether the section is one of the numbered ones, which come before the answer."""
        return self.key not in ("answer", "notice", "update", "checked", "means")


class Document(NamedTuple):
    """A page.

    heading   the whole formula
    slopes    which are asked for, and `point` where
    places    the names of the drawing's vertices in order, by which formats choose colours
    """

    heading: Cell
    slopes: tuple[Cell, ...]
    point: tuple[Cell, ...]
    program: SourceLines
    readings: tuple[str, ...]
    sections: tuple[Section, ...]
    places: tuple[str, ...]

    @property
    def question(self) -> Cell:
        """Which slopes are asked for, and where."""
        point = (" at ", *listed(self.point, 6)) if self.point else ()
        return (*listed(self.slopes, 3), *point)


def plain(pieces: Iterable[Inline]) -> str:
    """A cell in one line of plain text."""
    return printable("".join(_plain(piece) for piece in pieces))


def _plain(piece: Inline) -> str:
    match piece:
        case FormulaText(_, line, _):
            return line
        case str() | NumberText():
            return str(piece)
        case _:
            return piece.text


class Limits(NamedTuple):
    """How much of a long program is shown.

    rows     rows at either end of a table, `answers` of the list of slopes
    steps    steps of the chain rule at either end, of all paths together
    titles   whether a formula that is too long for LaTeX is a title
    """

    rows: int
    answers: int
    steps: int
    titles: bool = False


PAGE = Limits(rows=12, answers=12, steps=36)
SCREEN = Limits(rows=10, answers=6, steps=30, titles=True)


def sentence(item: Item) -> Cell:
    """An item in one line."""
    label = (Words(f"{item.label} ", "strong"),) if item.label else ()
    number = (": ", *item.number) if item.number else ()
    pieces: Cell = (*label, *item.words, *number)
    if not item.remark:
        return pieces
    joins = plain(pieces).endswith(":") or plain(item.remark).startswith("(")
    return (*pieces, " " if joins else ", ", *item.remark)


def joined(cells: Sequence[Cell], between: str, last: str = "") -> Cell:
    """Cells with words between them."""
    pieces: list[Inline] = []
    for i, cell in enumerate(cells):
        pieces += [last if last and i == len(cells) - 1 else between] * (i > 0) + list(cell)
    return tuple(pieces)


def listed(cells: Sequence[Cell], most: int) -> Cell:
    more = (f" and {len(cells) - most:,} more",) if len(cells) > most else ()
    return (*joined(cells[:most], ", ", " and " if len(cells) == 2 else ""), *more)


def term(number: NumberText | str, *, first: bool) -> Cell:
    """A number in a sum or a product: a negative one in brackets, unless it is the first."""
    return ("(", number, ")") if str(number).startswith("-") and not first else (number,)


def across(row: RowHeading | PathSum) -> Cell:
    """A line across a table."""
    if isinstance(row, RowHeading):
        return (Words(f"{row.title} ", "strong"), *row.pieces) if row.title else row.pieces
    terms = joined([term(number, first=i == 0) for i, number in enumerate(row.terms)], " + ")
    return (Words("sum of the paths: ", "strong"), *terms, " = ", row.value, " = ", row.name)


def as_table(equations: Equations) -> TableBlock:
    """Each name beside its answer alone, for many of them."""
    rows = tuple(
        row if isinstance(row, Omitted) else TableRow(((row.left,), answered(row)), row.place) for row in equations.rows
    )
    formulas = any(isinstance(row.cells[1][-1], FormulaText) for row in rows if isinstance(row, TableRow))
    answer = Column(("formula" if formulas else "its value",), numeric=not formulas, wide=True)
    return TableBlock((Column(("slope",)), answer), rows, "the answers")


def answered(equation: Equation) -> Cell:
    """The answer, and in brackets what to know about it."""
    note = (Words(f" ({equation.note})", "quiet"),) if equation.note else ()
    return (*equation.rights[-1], *note)


T = TypeVar("T")
R = TypeVar("R")


def shortened_list(rows: Sequence[T], what: str = "", most: int = 12) -> list[T | Omitted]:
    """All of a short list; of a long one its first and last rows, and between them how many are left out."""
    if len(rows) <= 2 * most + 1:
        return list(rows)
    return [*rows[:most], Omitted(len(rows) - 2 * most, what), *rows[-most:]]


def shortened_rows(row: Callable[[T], R], items: Sequence[T], what: str, most: int) -> tuple[R | Omitted, ...]:
    """The rows that `row` makes of them."""
    return tuple(item if isinstance(item, Omitted) else row(item) for item in shortened_list(items, what, most))
