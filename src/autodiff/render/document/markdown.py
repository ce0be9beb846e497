r"""An explanation as Markdown for GitHub: tables, formulas between dollar signs, the graph in Mermaid's language.

Formulas avoid what Markdown reads as its own: `\\` is `\cr`, a bar is `\vert`, a less-than sign is `\lt`; one that can't is
written between dollar signs and backticks, as GitHub's manual advises (docs.github.com, "Writing mathematical expressions").

>>> print(MarkdownWriter().formula(r"\left|x_{1}\right| < 2"))
$\left\vert x_{1}\right\vert \lt 2$
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from autodiff.errors import printable
from autodiff.explanation.graph import Drawing
from autodiff.explanation.model import Explanation, FormulaText
from autodiff.render.document import blocks
from autodiff.render.document.blocks import Cell, answered, sentence
from autodiff.render.document.compose import compose
from autodiff.render.document.writer import DocumentWriter
from autodiff.render.graph.mermaid import mermaid

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~&@!])")
_SIGNS = {"|": r"\vert ", "<": r"\lt ", ">": r"\gt ", r"\\": r"\cr ", r"\,": r"\thinspace "}
_MISREAD = re.compile(r"[`*~&]|\\[^A-Za-z ]|(?<![A-Za-z0-9])_|_(?!\{)")
"""What Markdown could take for its own inside a formula: escapes, emphasis, code, entities."""

_MARKS = {"good": "✓ ", "bad": "✗ ", "doubt": "? "}


def markdown(explanation: Explanation) -> str:
    """The explanation as a page."""
    document, page = compose(explanation), MarkdownWriter()
    parts = [f"# {page.cell(document.heading)}", page.cell(document.question), page.source(document.program)]
    if document.readings:
        parts.append("\n".join(f"- {page.words(reading)}" for reading in document.readings))
    for section in document.sections:
        parts += [f"## {page.words(section.title)}", *([page.cell(section.subtitle)] if section.subtitle else [])]
        parts += [part for block in section.blocks for part in page.block(block)]
    return "\n\n".join(parts) + "\n"


class MarkdownWriter(DocumentWriter):
    """GitHub's Markdown."""

    answer = " **◀ answer**"

    def words(self, text: str, tone: str = "") -> str:
        """Words with everything escaped that Markdown, HTML or GitHub would interpret."""
        if tone == "strong" and (inner := text.strip()):
            return text.replace(inner, f"**{self.words(inner)}**")
        return _SPECIAL.sub(r"\\\1", printable(text)).replace("\n", " ")

    def code(self, text: str) -> str:
        inner = printable(text).replace("\n", " ")
        fence = "`" * (_longest_run([inner]) + 1)
        space = " " if inner.startswith("`") or inner.endswith("`") else ""
        return f"{fence}{space}{inner}{space}{fence}"

    def formula(self, tex: str) -> str:
        safe = re.sub(r"\\[\\,]|[|<>]", lambda sign: _SIGNS[sign[0]], printable(tex))
        safe = re.sub(r" +", " ", safe).strip()
        return f"$`{safe}`$" if _MISREAD.search(safe) else f"${safe}$"

    def number(self, number: blocks.NumberText) -> str:
        return str(number)

    def drawing(self, drawing: Drawing) -> Iterator[str]:
        yield _fenced("mermaid", mermaid(drawing).splitlines())

    def items(self, items: Sequence[blocks.Item]) -> Iterator[str]:
        yield "\n".join(f"- {_MARKS.get(item.mark, '')}{self.cell(sentence(item))}" for item in items)

    def source(self, source: blocks.SourceLines) -> str:
        return _fenced("", source.lines)

    def equation(self, equation: blocks.Equation) -> Iterator[str]:
        """Equations below each other; what is no formula (a program's text, a word) is a list instead."""
        rights = (*equation.rights[:-1], answered(equation))
        texts = [_tex(cell) for cell in rights]
        if None in texts:
            left = self.piece(equation.left) + (" =" if equation.exists else "")
            yield "\n".join(f"- {left} {self.cell(cell)}" for cell in rights)
            return
        rows = " \\\\\n".join(f"{'' if i else f'{equation.left.tex} '}&= {text}" for i, text in enumerate(texts))
        yield _fenced("math", [r"\begin{aligned}", *rows.split("\n"), r"\end{aligned}"])

    def table(self, table: blocks.TableBlock) -> Iterator[str]:
        heads = [_in_table(self.cell(column.head)) for column in table.columns]
        rows = [_line(heads), "|" + "".join(" ---: |" if column.numeric else " --- |" for column in table.columns)]
        yield "\n".join([*rows, *(_line(self.row(row, len(heads))) for row in table.rows)])

    def row(self, row: blocks.AnyRow, wide: int) -> list[str]:
        """The cells of a row; what goes across the table is in its widest column, the third of many."""
        if isinstance(row, blocks.TableRow):
            cells = [_in_table(self.cell(cell)) for cell in row.cells]
            return [*cells[:-1], cells[-1] + self.answer * row.answer]
        line = [""] * wide
        line[min(2, wide - 1)] = _in_table(self.across(row))
        return line


def _longest_run(lines: Sequence[str]) -> int:
    """The most backticks in a row."""
    return max((len(run) for line in lines for run in re.findall("`+", line)), default=0)


def _fenced(language: str, lines: Sequence[str]) -> str:
    """Lines unchanged, between fences longer than any that they hold."""
    fence = "`" * max(3, _longest_run(lines) + 1)
    return "\n".join([f"{fence}{language}", *map(printable, lines), fence])


def _tex(cell: Cell) -> str | None:
    """Formulas, numbers and the signs between them as one formula; None where there is more than that."""
    pieces = []
    for piece in cell:
        text = piece.text if isinstance(piece, blocks.Words) else piece
        if isinstance(text, blocks.NumberText):
            pieces.append(str(text) if text.value is not None else r"\text{none}")
        elif isinstance(text, FormulaText) and text.tex:
            pieces.append(text.tex)
        elif isinstance(text, str) and len(text) < 4:
            pieces.append(text.replace("×", r"\times"))
        else:
            return None
    return "".join(pieces)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _in_table(text: str) -> str:
    """A bar would end the cell, in code too."""
    return re.sub(r"(?<!\\)\|", r"\\|", text)
