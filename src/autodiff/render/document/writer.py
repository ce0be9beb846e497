"""What the writers of a document share: the way through its blocks, pieces and rows; how each is spelled is the format's own.

`markdown`, `latex` and `html` are such writers; a screen has a layout of its own (`render.text`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from autodiff.explanation.graph import Drawing
from autodiff.explanation.model import FormulaText
from autodiff.render.document import blocks


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
    def number(self, number: blocks.NumberText) -> str: ...

    @abstractmethod
    def table(self, table: blocks.TableBlock) -> Iterable[str]: ...

    @abstractmethod
    def equation(self, equation: blocks.Equation) -> Iterable[str]: ...

    @abstractmethod
    def items(self, items: Sequence[blocks.Item]) -> Iterable[str]: ...

    @abstractmethod
    def source(self, source: blocks.SourceLines) -> str: ...

    @abstractmethod
    def drawing(self, drawing: Drawing) -> Iterable[str]: ...

    def paragraph(self, cell: blocks.Cell) -> str:
        return self.cell(cell)

    def block(self, block: blocks.DocumentBlock) -> Iterator[str]:
        """The parts of a block."""
        match block:
            case blocks.TableBlock(about=about, note=note):
                yield from [self.paragraph((f"{about}: {note}",))] * bool(note)
                yield from self.table(block)
            case blocks.Equations(table=True):
                yield from self.table(blocks.as_table(block))
            case blocks.Equations(rows):
                yield from (part for row in rows if isinstance(row, blocks.Equation) for part in self.equation(row))
            case blocks.GraphDrawing(drawing):
                yield from self.drawing(drawing)
            case blocks.ItemList(items):
                yield from self.items(items)
            case blocks.SourceLines():
                yield self.source(block)
            case blocks.Paragraph(pieces):
                yield self.paragraph(pieces)

    def cell(self, cell: blocks.Cell) -> str:
        return "".join(map(self.piece, cell))

    def piece(self, piece: blocks.Inline) -> str:
        match piece:
            case str():
                return self.words(piece)
            case blocks.Words(text, tone):
                return self.words(text, tone)
            case blocks.CodeText(text):
                return self.code(text)
            case FormulaText(_, line, tex):
                return self.formula(tex) if tex else self.code(line)
            case blocks.NumberText():
                return self.number(piece)

    def across(self, row: blocks.AnyRow) -> str:
        """What a row that is none of cells says."""
        if isinstance(row, blocks.Omitted):
            return self.words(str(row))
        assert not isinstance(row, blocks.TableRow)
        return self.cell(blocks.across(row)) + (self.answer if isinstance(row, blocks.PathSum) else "")
