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
from autodiff.explanation.graph import Drawing
from autodiff.explanation.model import Explanation
from autodiff.render.document.compose import compose
from autodiff.render.document.model import (
    Cell,
    Code,
    Derivation,
    Graph,
    Group,
    Items,
    Math,
    More,
    Number,
    Paragraph,
    Part,
    Piece,
    Row,
    Section,
    Source,
    Table,
    Words,
)
from autodiff.render.graph.mermaid import mermaid

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~&@!])")
_SIGNS = {"|": r"\vert ", "<": r"\lt ", ">": r"\gt ", r"\\": r"\cr ", r"\,": r"\thinspace "}
_MISREAD = re.compile(r"[`*~&]|\\[^A-Za-z ]|(?<![A-Za-z0-9])_|_(?!\{)")
"""What Markdown could take for its own inside a formula: escapes, emphasis, code, entities."""


def markdown(explanation: Explanation) -> str:
    """The explanation as a page."""
    it = compose(explanation)
    blocks = [f"# {_cell(it.heading)}", _cell(it.asked), _fenced("", it.program.lines)]
    if it.readings:
        blocks.append("\n".join(f"- {_escaped(reading)}" for reading in it.readings))
    blocks += [block for section in it.sections for block in _section(section)]
    return "\n\n".join(blocks) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"## {_escaped(section.title)}"
    if section.said:
        yield _cell(section.said)
    for part in section.parts:
        yield _part(part)


def _part(part: Part) -> str:
    match part:
        case Table():
            return _table(part)
        case Graph(drawing):
            return _graph(drawing)
        case Derivation():
            return _derivation(part)
        case Items(items):
            return "\n".join(f"- {_MARKS.get(mark, '')}{_cell(cell)}" for mark, cell in items)
        case Source(lines):
            return _fenced("", lines)
        case Paragraph(pieces):
            return _cell(pieces)


_MARKS = {"good": "✓ ", "bad": "✗ ", "doubt": "? "}


def _graph(drawing: Drawing) -> str:
    return _fenced("mermaid", mermaid(drawing).splitlines())


def _fenced(language: str, lines: tuple[str, ...] | list[str]) -> str:
    """Lines as they stand, between fences longer than any that they hold."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *map(printable, lines), fence])


def _derivation(part: Derivation) -> str:
    """Equations below each other; what is no formula (a program's text, a word) stands in a line of its own."""
    if all(isinstance(piece, Number) or _is_short(piece) for cell in part.rights for piece in cell):
        rights = [rf"&= {_tex(cell)}" for cell in part.rights]
        rows = [rf"{part.left.tex} {rights[0]}", *rights[1:]]
        lines = [*(rf"{row} \\" for row in rows[:-1]), rows[-1]]
        return _fenced("math", [r"\begin{aligned}", *lines, r"\end{aligned}"])
    return "\n".join(f"- {_piece(part.left)} = {_cell(cell)}" for cell in part.rights)


def _is_short(piece: Piece) -> bool:
    """Whether a piece is at home in a formula: a formula, or the signs between numbers."""
    return (isinstance(piece, Math) and bool(piece.tex)) or (isinstance(piece, Words) and len(piece.text) < 4)


def _tex(cell: Cell) -> str:
    said = (p.tex if isinstance(p, Math) else _plain(p).replace("×", r"\times") for p in cell)
    return "".join(said)


def _plain(piece: Piece) -> str:
    if isinstance(piece, Number):
        return str(piece) if piece.value is not None else r"\text{none}"
    return piece.text if isinstance(piece, Words) else ""


# --- tables -------------------------------------------------------------------------------------------------------------


def _table(table: Table) -> str:
    heads = [_in_table(_cell(column.head)) for column in table.columns]
    lines = [_line(heads), "|" + "".join(" ---: |" if column.numeric else " --- |" for column in table.columns)]
    lines += [_line(_row(row, len(heads))) for row in table.rows]
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(row: Row | Group | More, wide: int) -> list[str]:
    """The cells of a row; what goes across the table stands in its widest column, the third of many."""
    across = [""] * wide
    match row:
        case More():
            across[min(2, wide - 1)] = _escaped(str(row))
            return across
        case Group(pieces, total):
            across[min(2, wide - 1)] = _in_table(_cell(pieces)) + (" **◀ answer**" if total else "")
            return across
        case Row():
            cells = [_in_table(_cell(cell)) for cell in row.cells]
            return [*cells[:-1], f"{cells[-1]} **◀ answer**"] if row.answer else cells


def _in_table(text: str) -> str:
    """A bar would end the cell, in code too."""
    return re.sub(r"(?<!\\)\|", r"\\|", text)


# --- pieces -------------------------------------------------------------------------------------------------------------


def _cell(cell: Cell) -> str:
    return "".join(map(_piece, cell))


def _piece(piece: Piece) -> str:
    match piece:
        case Words(text, tone):
            inner = text.strip()
            strong = tone == "strong" and inner
            return text.replace(inner, f"**{_escaped(inner)}**") if strong else _escaped(text)
        case Code(text):
            return _code(text)
        case Math(tex, line):
            return _math(printable(tex)) if tex else _code(line)
        case Number():
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
    said = re.sub(r"\\[\\,]|[|<>]", lambda found: _SIGNS[found[0]], tex)
    said = re.sub(r" +", " ", said).strip()
    return f"$`{said}`$" if _MISREAD.search(said) else f"${said}$"
