"""What the writers of a document share: the way through its blocks, pieces and rows; how each is spelled is the format's own.

`markdown`, `latex` and `html` are such writers; a screen has a layout of its own (`render.text`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from autodiff.explanation.graph import Drawing
from autodiff.explanation.model import FormulaText
from autodiff.render.document.blocks import (
    AnyRow,
    Cell,
    CodeText,
    DocumentBlock,
    Equation,
    Equations,
    GraphDrawing,
    Inline,
    Item,
    ItemList,
    NumberText,
    Omitted,
    Paragraph,
    PathSum,
    SourceLines,
    TableBlock,
    TableRow,
    Words,
    across,
    as_table,
)


class DocumentWriter(ABC):
    """A format: how it spells words, formulas, numbers, tables, lists; `answer` marks the row of an answer."""

    answer: ClassVar[str]

    @abstractmethod
    def words(self, text: str, tone: str = "") -> str:
        """A piece of a sentence, in which nothing is read as the format's own."""

    @abstractmethod
    def code(self, text: str) -> str:
        """A piece of a program."""

    @abstractmethod
    def formula(self, tex: str) -> str:
        """A formula, from LaTeX's mathematics."""

    @abstractmethod
    def number(self, number: NumberText) -> str: ...

    @abstractmethod
    def table(self, table: TableBlock) -> Iterable[str]: ...

    @abstractmethod
    def equation(self, equation: Equation) -> Iterable[str]: ...

    @abstractmethod
    def items(self, items: Sequence[Item]) -> Iterable[str]: ...

    @abstractmethod
    def source(self, source: SourceLines) -> str: ...

    @abstractmethod
    def drawing(self, drawing: Drawing) -> Iterable[str]: ...

    def paragraph(self, cell: Cell) -> str:
        return self.cell(cell)

    def block(self, block: DocumentBlock) -> Iterator[str]:
        """The parts of a block."""
        match block:
            case TableBlock(about=about, note=note):
                yield from [self.paragraph((f"{about}: {note}",))] * bool(note)
                yield from self.table(block)
            case Equations(table=True):
                yield from self.table(as_table(block))
            case Equations(rows):
                yield from (part for row in rows if isinstance(row, Equation) for part in self.equation(row))
            case GraphDrawing(drawing):
                yield from self.drawing(drawing)
            case ItemList(items):
                yield from self.items(items)
            case SourceLines():
                yield self.source(block)
            case Paragraph(pieces):
                yield self.paragraph(pieces)

    def cell(self, cell: Cell) -> str:
        return "".join(map(self.piece, cell))

    def piece(self, piece: Inline) -> str:
        match piece:
            case str():
                return self.words(piece)
            case Words(text, tone):
                return self.words(text, tone)
            case CodeText(text):
                return self.code(text)
            case FormulaText(_, line, tex):
                return self.formula(tex) if tex else self.code(line)
            case NumberText():
                return self.number(piece)

    def across(self, row: AnyRow) -> str:
        """What a row that is none of cells says."""
        if isinstance(row, Omitted):
            return self.words(str(row))
        assert not isinstance(row, TableRow)
        return self.cell(across(row)) + (self.answer if isinstance(row, PathSum) else "")
