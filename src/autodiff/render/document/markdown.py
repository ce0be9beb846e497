r"""An explanation as Markdown for GitHub: tables, formulas between dollar signs, the graph in Mermaid's language.

Formulas avoid what Markdown reads as its own: `\\` is `\cr`, a bar is `\vert`, a less-than sign is `\lt`; one that can't is
written between dollar signs and backticks, as GitHub's manual advises (docs.github.com, "Writing mathematical expressions").

>>> print(_math(r"\left|x_{1}\right| < 2"))
$\left\vert x_{1}\right\vert \lt 2$
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from autodiff.errors import printable
from autodiff.explanation.model import Explanation
from autodiff.render.document import blocks
from autodiff.render.document.blocks import Cell, Inline, Words, across, answered, as_table, sentence
from autodiff.render.document.compose import compose
from autodiff.render.graph.mermaid import mermaid

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~&@!])")
_SIGNS = {"|": r"\vert ", "<": r"\lt ", ">": r"\gt ", r"\\": r"\cr ", r"\,": r"\thinspace "}
_MISREAD = re.compile(r"[`*~&]|\\[^A-Za-z ]|(?<![A-Za-z0-9])_|_(?!\{)")
"""What Markdown could take for its own inside a formula: escapes, emphasis, code, entities."""


def markdown(explanation: Explanation) -> str:
    """The explanation as a page."""
    document = compose(explanation)
    parts = [f"# {_cell(document.heading)}", _cell(document.question), _fenced("", document.program.lines)]
    if document.readings:
        parts.append("\n".join(f"- {_escaped(reading)}" for reading in document.readings))
    parts += [part for section in document.sections for part in _section(section)]
    return "\n\n".join(parts) + "\n"


def _section(section: blocks.Section) -> Iterator[str]:
    yield f"## {_escaped(section.title)}"
    if section.subtitle:
        yield _cell(section.subtitle)
    for block in section.blocks:
        yield from _block(block)


def _block(block: blocks.DocumentBlock) -> Iterator[str]:
    match block:
        case blocks.TableBlock():
            yield from [f"{block.about}: {block.note}"] * bool(block.note)
            yield _table(block)
        case blocks.GraphDrawing(drawing):
            yield _fenced("mermaid", mermaid(drawing).splitlines())
        case blocks.Equations(rows, as_rows):
            if as_rows:
                yield _table(as_table(block))
            else:
                yield from (_equation(row) for row in rows if isinstance(row, blocks.Equation))
        case blocks.ItemList(items):
            yield "\n".join(f"- {_MARKS.get(item.mark, '')}{_cell(sentence(item))}" for item in items)
        case blocks.SourceLines(lines):
            yield _fenced("", lines)
        case blocks.Paragraph(pieces):
            yield _cell(pieces)


_MARKS = {"good": "✓ ", "bad": "✗ ", "doubt": "? "}


def _fenced(language: str, lines: tuple[str, ...] | list[str]) -> str:
    """Lines as they stand, between fences longer than any that they hold."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *map(printable, lines), fence])


def _equation(equation: blocks.Equation) -> str:
    """Equations below each other; what is no formula (a program's text, a word) is a list instead."""
    rights = (*equation.rights[:-1], answered(equation))
    if all(isinstance(piece, blocks.NumberText) or _is_short(piece) for cell in rights for piece in cell):
        first, *rest = (rf"&= {_tex(cell)}" for cell in rights)
        rows = [rf"{equation.left.tex} {first}", *rest]
        lines = [*(rf"{row} \\" for row in rows[:-1]), rows[-1]]
        return _fenced("math", [r"\begin{aligned}", *lines, r"\end{aligned}"])
    return "\n".join(f"- {_piece(equation.left)} = {_cell(cell)}" for cell in rights)


def _is_short(piece: Inline) -> bool:
    """Whether a piece is at home in a formula: a formula, or the signs between numbers."""
    return (isinstance(piece, blocks.Math) and bool(piece.tex)) or (isinstance(piece, Words) and len(piece.text) < 4)


def _tex(cell: Cell) -> str:
    pieces = (p.tex if isinstance(p, blocks.Math) else _plain(p).replace("×", r"\times") for p in cell)
    return "".join(pieces)


def _plain(piece: Inline) -> str:
    if isinstance(piece, blocks.NumberText):
        return str(piece) if piece.value is not None else r"\text{none}"
    return piece.text if isinstance(piece, Words) else ""


# --- tables -------------------------------------------------------------------------------------------------------------


def _table(table: blocks.TableBlock) -> str:
    heads = [_in_table(_cell(column.head)) for column in table.columns]
    lines = [_line(heads), "|" + "".join(" ---: |" if column.numeric else " --- |" for column in table.columns)]
    lines += [_line(_row(row, len(heads))) for row in table.rows]
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(row: blocks.AnyRow, wide: int) -> list[str]:
    """The cells of a row; what goes across the table is in its widest column, the third of many."""
    if isinstance(row, blocks.TableRow):
        cells = [_in_table(_cell(cell)) for cell in row.cells]
        return [*cells[:-1], f"{cells[-1]} **◀ answer**"] if row.answer else cells
    words = _escaped(str(row)) if isinstance(row, blocks.Omitted) else _in_table(_cell(across(row)))
    line = [""] * wide
    line[min(2, wide - 1)] = f"{words} **◀ answer**" if isinstance(row, blocks.PathSum) else words
    return line


def _in_table(text: str) -> str:
    """A bar would end the cell, in code too."""
    return re.sub(r"(?<!\\)\|", r"\\|", text)


# --- pieces -------------------------------------------------------------------------------------------------------------


def _cell(cell: Cell) -> str:
    return "".join(map(_piece, cell))


def _piece(piece: Inline) -> str:
    match piece:
        case Words(text, tone):
            inner = text.strip()
            strong = tone == "strong" and inner
            return text.replace(inner, f"**{_escaped(inner)}**") if strong else _escaped(text)
        case blocks.CodeText(text):
            return _code(text)
        case blocks.Math(tex, line):
            return _math(printable(tex)) if tex else _code(line)
        case blocks.NumberText():
            return str(piece)


def _escaped(text: str) -> str:
    """Words in which Markdown, HTML and GitHub find nothing of theirs."""
    return _SPECIAL.sub(r"\\\1", printable(text)).replace("\n", " ")


def _code(text: str) -> str:
    inner = printable(text).replace("\n", " ")
    fence = "`" * (max((len(run) for run in re.findall("`+", inner)), default=0) + 1)
    space = " " if inner.startswith("`") or inner.endswith("`") else ""
    return f"{fence}{space}{inner}{space}{fence}"


def _math(tex: str) -> str:
    safe = re.sub(r"\\[\\,]|[|<>]", lambda sign: _SIGNS[sign[0]], tex)
    safe = re.sub(r" +", " ", safe).strip()
    return f"$`{safe}`$" if _MISREAD.search(safe) else f"${safe}$"
