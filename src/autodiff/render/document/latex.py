r"""An explanation as a LaTeX document that plain pdflatex compiles: tables, formulas, and the graph as a table of its arrows.

Needs the packages amsmath, amssymb, array, booktabs, geometry, graphicx and longtable, which every TeX distribution has.
Signs that pdflatex has no letter for are declared in the preamble, each as the nearest letter with its accent or as its
number, so that no name stops it; LuaLaTeX and XeLaTeX set them themselves.

>>> print(escaped("50% of a_b & {c}"))
50\% of a\_b \& \{c\}
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from autodiff.errors import printable
from autodiff.explanation.graph import Drawing
from autodiff.explanation.model import Explanation
from autodiff.notation.tex import tex_name
from autodiff.render.document import blocks
from autodiff.render.document.blocks import Cell, Inline, Words, across, answered, as_table, ends, plain, sentence
from autodiff.render.document.compose import compose

_PACKAGES = "amsmath,amssymb,array,booktabs,graphicx,longtable"

_PREAMBLE = r"""
\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[a4paper,margin=2cm]{geometry}
\usepackage{PACKAGES}
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt}
\setlength{\LTleft}{0pt}
\renewcommand{\arraystretch}{1.25}
\emergencystretch=3em
""".strip().replace("PACKAGES", _PACKAGES)

_FIT = r"""
% a formula as it is, or as small as its room makes it
\newsavebox{\formula}
\newcommand{\fit}[2]{\sbox{\formula}{#2}%
  \ifdim\wd\formula>#1\relax\resizebox{#1}{!}{\usebox{\formula}}\else\usebox{\formula}\fi}
""".strip()

_TEXT = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
         "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}", "-": "{-}"}  # fmt: skip
_TEXT |= {sign: rf"\{sign}" for sign in "#$%&_{}"}

_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u ", "\u0307": ".", "\u0308": '"', "\u030a": "r ", "\u030b": "H ", "\u030c": "v ", "\u0327": "c "}  # fmt: skip
_KNOWN = {
    "→": r"\to", "·": r"\cdot", "×": r"\times", "−": "-", "…": r"\dots", "⋮": r"\vdots", "√": r"\surd", "∞": r"\infty", "◀": r"\blacktriangleleft",
    "✓": r"\checkmark", "✗": r"\times", "↑": r"\uparrow", "↓": r"\downarrow", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "÷": r"\div", "±": r"\pm",
    "ς": r"\varsigma", "ο": "o", "ϑ": r"\vartheta", "ϕ": r"\phi", "ϵ": r"\epsilon", "∂": r"\partial", "′": "'",
}  # fmt: skip
"""Signs of programs, of this program and of Greek that LaTeX has in its mathematics."""

_ARROWS = (
    blocks.Column((Words("from"),)),
    blocks.Column((Words("to"),)),
    blocks.Column((Words("local slope"),), wide=True),
)


def latex(explanation: Explanation) -> str:
    """The explanation as a document."""
    page = _body(explanation)
    head = [_PREAMBLE, _FIT, *declared(page), r"\begin{document}", r"\sloppy"]
    return "\n".join([*head, page, r"\end{document}"]) + "\n"


def fragment(explanation: Explanation) -> str:
    r"""The explanation without a document around it: to be included by `\input` in one that loads the packages named in it."""
    page = _body(explanation)
    note = rf"% needs \usepackage{{{_PACKAGES}}}"
    fit = rf"\ifdefined\fit\else{_FIT}\fi"
    return "\n".join([note, fit, *declared(page), r"{\sloppy\setlength{\parindent}{0pt}", page, "}"]) + "\n"


def _body(explanation: Explanation) -> str:
    document = compose(explanation)
    body = [
        rf"{{\Large\fit{{\linewidth}}{{{_cell(document.heading)}}}\par}}",
        _cell(document.question),
        _source(document.program),
        *(escaped(reading) for reading in document.readings),
        *(text for section in document.sections for text in _section(section)),
    ]
    return "\n\n".join(body)


def _section(section: blocks.Section) -> Iterator[str]:
    yield rf"\section*{{{escaped(section.title)}}}"
    if section.subtitle:
        yield _cell(section.subtitle)
    for block in section.blocks:
        yield from _block(block)


def _block(block: blocks.DocumentBlock) -> Iterator[str]:
    match block:
        case blocks.TableBlock():
            yield from [escaped(f"{block.about}: {block.note}")] * bool(block.note)
            yield _table(block)
        case blocks.GraphDrawing(drawing):
            yield _table(_arrows(drawing))
        case blocks.Equations(rows, as_rows):
            if as_rows:
                yield _table(as_table(block))
            else:
                yield from (_equation(row) for row in rows if isinstance(row, blocks.Equation))
        case blocks.ItemList(items):
            rows_of_items = (rf"\item[{_MARKS[item.mark]}] {_cell(sentence(item))}" for item in items)
            yield "\n".join([r"\begin{itemize}", *rows_of_items, r"\end{itemize}"])
        case blocks.SourceLines():
            yield _source(block)
        case blocks.Paragraph(pieces):
            yield _cell(pieces)


_MARKS = {"": r"\textbullet", "none": r"\textbullet", "good": "✓", "bad": "✗", "doubt": "?"}


def _source(source: blocks.SourceLines) -> str:
    """Lines of a program, with every blank; a long one is broken behind a blank or a sign."""
    rows = (rf"\mbox{{}}{''.join(map(_typed, line))}" for line in map(printable, source.lines))
    return "\n".join([r"\begin{flushleft}\ttfamily", "\\\\\n".join(rows), r"\end{flushleft}"])


def _typed(sign: str) -> str:
    return "\\ " if sign == " " else escaped(sign) + (r"\allowbreak{}" if sign in "+-*/^=,;()" else "")


def _equation(equation: blocks.Equation) -> str:
    """Equations below each other, each as wide as the page allows."""
    first, *rest = (_fitted(cell, "0.8") for cell in (*equation.rights[:-1], answered(equation)))
    rows = [rf"$\displaystyle {equation.left.tex}$ & = & {first}", *(f" & = & {cell}" for cell in rest)]
    return "\n".join([r"\begin{tabular}{@{}r@{\;}c@{\;}l@{}}", " \\\\[6pt]\n".join(rows), r"\end{tabular}\par\medskip"])


def _fitted(cell: Cell, room: str) -> str:
    formula = "".join(
        rf"$\displaystyle {piece.tex}$" if isinstance(piece, blocks.Math) and piece.tex else _piece(piece)
        for piece in cell
    )
    return rf"\fit{{{room}\linewidth}}{{{formula}}}"


def _arrows(drawing: Drawing) -> blocks.TableBlock:
    """The graph as its arrows: what goes into what, with which local slope."""
    numbers = any(arrow.value is not None for arrow in drawing.arrows)
    rows: list[blocks.TableRow | blocks.Omitted] = []
    for arrow in ends(drawing.arrows, "arrows"):
        if isinstance(arrow, blocks.Omitted):
            rows.append(arrow)
            continue
        slope: Cell = (
            (blocks.CodeText(arrow.slope),)
            if arrow.slope
            else (Words("held fixed" if not arrow.active else "", "quiet"),)
        )
        names: list[Cell] = [(blocks.Math(tex_name(name), name),) for name in (arrow.source, arrow.target)]
        value: list[Cell] = (
            [(blocks.NumberText(arrow.value) if arrow.value is not None else Words(""),)] if numbers else []
        )
        rows.append(blocks.TableRow((*names, slope, *value)))
    columns = (*_ARROWS, *([blocks.Column((Words("its value"),), numeric=True)] if numbers else []))
    return blocks.TableBlock(columns, tuple(rows), "the arrows of the graph")


# --- tables -------------------------------------------------------------------------------------------------------------


def _table(table: blocks.TableBlock) -> str:
    heads = " & ".join(_cell(column.head) for column in table.columns)
    shares = [_share(table, at) for at in range(len(table.columns))]
    room = max(0.15, 0.97 - sum(shares) - 0.027 * len(shares)) / max(1, sum(column.wide for column in table.columns))
    kinds = (
        rf">{{\raggedright\arraybackslash}}p{{{share:.3f}\linewidth}}" if share == _BROADEST else "l"
        for share in shares
    )
    lines = [
        rf"\begin{{longtable}}{{@{{}}{''.join(kinds)}@{{}}}}",
        r"\toprule",
        rf"{heads} \\",
        r"\midrule",
        r"\endhead",
    ]
    lines += [rf"{_row(row, table, room)} \\" for row in table.rows]
    rows = "\n".join([*lines, r"\bottomrule", r"\end{longtable}"])
    return rf"{{\renewcommand{{\arraystretch}}{{1.8}}{rows}}}" if table.kind == "steps" else rows


_BROADEST = 0.22
"""The share of the page's width beyond which words are broken into lines."""


def _share(table: blocks.TableBlock, at: int) -> float:
    """The share of the page's width that a column takes; one of formulas gets what the others leave."""
    column = table.columns[at]
    if column.wide:
        return 0.0
    rows = [row for row in table.rows if isinstance(row, blocks.TableRow)]
    signs = max((len(plain(row.cells[at])) for row in rows), default=0)
    share = 0.0115 * max(signs, len(plain(column.head)))
    marked = 0.1 if at == len(table.columns) - 1 and any(row.answer for row in rows) else 0.0
    return share + marked if column.numeric else min(share + marked, _BROADEST)


def _row(row: blocks.AnyRow, table: blocks.TableBlock, room: float) -> str:
    whole = rf"\multicolumn{{{len(table.columns)}}}{{@{{}}l@{{}}}}"
    if isinstance(row, blocks.TableRow):
        cells = (
            rf"\fit{{{room:.3f}\linewidth}}{{{_cell(cell)}}}" if column.wide else _cell(cell)
            for column, cell in zip(table.columns, row.cells, strict=True)
        )
        return " & ".join(cells) + (f" {_ANSWER}" if row.answer else "")
    if isinstance(row, blocks.Omitted):
        return f"{whole}{{{escaped(str(row))}}}"
    words = _cell(across(row)) + (f" {_ANSWER}" if isinstance(row, blocks.PathSum) else "")
    return rf"{whole}{{\fit{{0.95\linewidth}}{{{words}}}}}"


_ANSWER = r"\textbf{◀ answer}"


# --- pieces -------------------------------------------------------------------------------------------------------------


def _cell(cell: Cell) -> str:
    return "".join(map(_piece, cell))


def _piece(piece: Inline) -> str:
    match piece:
        case Words(text, tone):
            return rf"\textbf{{{escaped(text)}}}" if tone == "strong" else escaped(text)
        case blocks.CodeText(text):
            return rf"\texttt{{{escaped(text)}}}"
        case blocks.Math(tex, line):
            return f"${printable(tex)}$" if tex else rf"\texttt{{{escaped(line)}}}"
        case blocks.NumberText():
            return _number(plain((piece,)))


def _number(text: str) -> str:
    return f"${text}$".replace("inf", r"\infty") if text != "none" else text


def escaped(text: str) -> str:
    return "".join(_TEXT.get(sign, sign) for sign in printable(text).replace("\n", " "))


# --- signs beyond ASCII -------------------------------------------------------------------------------------------------


def declared(page: str) -> Iterator[str]:
    """What pdflatex is to set for each sign of the page that is beyond ASCII."""
    signs = sorted({sign for sign in page if not sign.isascii()})
    if signs:
        yield r"\ifdefined\DeclareUnicodeCharacter"
        yield from (rf"\DeclareUnicodeCharacter{{{ord(sign):04X}}}{{{_set(sign)}}}" for sign in signs)
        yield r"\fi"


def _set(sign: str) -> str:
    """A sign as LaTeX's mathematics has it, as a letter with its accent, or as its number."""
    plain = unicodedata.normalize("NFKD", sign)
    known = _KNOWN.get(sign) or _KNOWN.get(plain) or (tex_name(plain) if len(plain) == 1 else "")
    if known and known.isascii():
        return rf"\ensuremath{{{known}}}"
    if len(plain) == 2 and plain[0].isascii() and plain[1] in _ACCENTS:
        return rf"\text{{\{_ACCENTS[plain[1]]}{plain[0]}}}"
    if plain.isascii() and plain.isalnum():
        return rf"\text{{{plain}}}"
    return rf"\text{{\ttfamily\scriptsize U+{ord(sign):04X}}}"
