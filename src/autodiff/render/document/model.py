"""What an explanation is made of on a page: sections with tables, formulas, lists, and a drawing, in no format yet.

`compose` makes a document of an explanation; `markdown`, `latex` and `html` write it. A table's row knows the place and
the arrow of the drawing that it is about, so that a format that can light one up with the other does.

>>> cell = (Words("the slope is "), Number(0.5))
>>> plain(cell)
'the slope is 0.5'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from autodiff.diagnostics import shown
from autodiff.errors import printable
from autodiff.explanation.graph import Drawing
from autodiff.render.text.numbers import eight


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of a sentence; `tone` is "", "quiet", "strong", "good" or "bad"."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A piece of a program, in the spelling of the language or of the user."""

    text: str


@dataclass(frozen=True, slots=True)
class Math:
    """A formula in LaTeX's mathematics, and in one line for where that is not read; one too long for LaTeX has no `tex`."""

    tex: str
    line: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number, rounded to eight decimals unless it is to be shown `whole`; None where there is none."""

    value: float | None
    whole: bool = False

    def __str__(self) -> str:
        if self.value is None:
            return "none"
        return shown(self.value) if self.whole else eight(self.value)


Piece: TypeAlias = Words | Code | Math | Number
Cell: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column; those of numbers are `numeric`, a `wide` one holds formulas."""

    head: Cell
    numeric: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, about the place `place` and the arrow `arrow` (source and target) of the drawing, if any."""

    cells: tuple[Cell, ...]
    place: str = ""
    arrow: tuple[str, str] = ("", "")
    answer: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A line across a table: what the rows below it are, or, as their `total`, what they come to."""

    pieces: Cell
    total: bool = False


@dataclass(frozen=True, slots=True)
class More:
    """Where `count` rows are left out."""

    count: int
    what: str = ""

    def __str__(self) -> str:
        return f"⋮ {self.count:,} more{f' {self.what}' if self.what else ''}"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; `kind` is "steps", "places", "modes" or "", for formats that lay them out in their own way."""

    columns: tuple[Column, ...]
    rows: tuple[Row | Group | More, ...]
    about: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    pieces: Cell


@dataclass(frozen=True, slots=True)
class Items:
    """A list; each item's mark is "good", "bad", "doubt" or ""."""

    items: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Lines of a program, as they stand."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Derivation:
    """What `left` is, in several forms one below the other; the last is the answer."""

    left: Math
    rights: tuple[Cell, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    drawing: Drawing


Part: TypeAlias = Table | Paragraph | Items | Source | Derivation | Graph


@dataclass(frozen=True, slots=True)
class Section:
    """A titled block; `key` names its kind for formats that place some beside others."""

    key: str
    title: str
    said: Cell
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A page: the whole formula, what was asked where, the program, the answers in brief, and the sections."""

    heading: Cell
    asked: Cell
    program: Source
    readings: tuple[str, ...]
    answers: tuple[tuple[Math, Cell, str], ...]
    sections: tuple[Section, ...]
    places: tuple[str, ...]


def plain(pieces: Iterable[Piece]) -> str:
    """A cell in one line of plain text."""
    return printable("".join(piece.line if isinstance(piece, Math) else _said(piece) for piece in pieces))


def _said(piece: Words | Code | Number) -> str:
    return str(piece) if isinstance(piece, Number) else piece.text


T = TypeVar("T")


def ends(rows: Sequence[T], what: str = "", each: int = 12) -> list[T | More]:
    """All of a short list; of a long one its first and last rows, and between them how many are left out."""
    if len(rows) <= 2 * each + 1:
        return list(rows)
    return [*rows[:each], More(len(rows) - 2 * each, what), *rows[-each:]]
