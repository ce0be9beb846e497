r"""An explanation as a LaTeX document that plain pdflatex compiles: tables, formulas, and the graph as a table of its arrows.

Needs the packages amsmath, amssymb, array, booktabs, geometry, graphicx and longtable, which every TeX distribution has.
Signs that pdflatex has no letter for are declared in the preamble, each as the nearest letter with its accent or as its
number, so that no name stops it; LuaLaTeX and XeLaTeX set them themselves.

>>> print(escaped("50% of a_b & {c}"))
50\% of a\_b \& \{c\}
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from autodiff.errors import printable
from autodiff.explanation.graph import Arrow, Drawing
from autodiff.explanation.model import Explanation, FormulaText
from autodiff.notation.tex import tex_name
from autodiff.render.document import blocks
from autodiff.render.document.blocks import Cell, answered, plain, sentence, shortened_rows
from autodiff.render.document.compose import compose
from autodiff.render.document.formulas import named
from autodiff.render.document.writer import DocumentWriter

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
    document, page = compose(explanation), LatexWriter()
    parts = [
        rf"{{\Large\fit{{\linewidth}}{{{page.cell(document.heading)}}}\par}}",
        page.cell(document.question),
        page.source(document.program),
        *map(escaped, document.readings),
    ]
    for section in document.sections:
        parts += [rf"\section*{{{escaped(section.title)}}}"]
        parts += [page.cell(section.subtitle)] if section.subtitle else []
        parts += [part for block in section.blocks for part in page.block(block)]
    return "\n\n".join(parts)


_MARKS = {"": r"\textbullet", "none": r"\textbullet", "good": "✓", "bad": "✗", "doubt": "?"}

_BROADEST = 0.22
"""The share of the page's width beyond which words are broken into lines."""


class LatexWriter(DocumentWriter):
    """LaTeX for pdflatex."""

    answer = r" \textbf{◀ answer}"

    def words(self, text: str, tone: str = "") -> str:
        return rf"\textbf{{{escaped(text)}}}" if tone == "strong" else escaped(text)

    def code(self, text: str) -> str:
        return rf"\texttt{{{escaped(text)}}}"

    def formula(self, tex: str) -> str:
        return f"${printable(tex)}$"

    def number(self, number: blocks.NumberText) -> str:
        return f"${number}$".replace("∞", r"\infty") if number.value is not None else str(number)

    def items(self, items: Sequence[blocks.Item]) -> Iterator[str]:
        rows = (rf"\item[{_MARKS[item.mark]}] {self.cell(sentence(item))}" for item in items)
        yield "\n".join([r"\begin{itemize}", *rows, r"\end{itemize}"])

    def source(self, source: blocks.SourceLines) -> str:
        """Lines of a program, with every blank; a long one is broken behind a blank or a sign."""
        rows = (rf"\mbox{{}}{''.join(map(_typed, line))}" for line in map(printable, source.lines))
        return "\n".join([r"\begin{flushleft}\ttfamily", "\\\\\n".join(rows), r"\end{flushleft}"])

    def equation(self, equation: blocks.Equation) -> Iterator[str]:
        """Equations below each other, each as wide as the page allows."""
        first, *rest = map(self._fitted, (*equation.rights[:-1], answered(equation)))
        sign = "=" if equation.exists else ""
        rows = [rf"$\displaystyle {equation.left.tex}$ & {sign} & {first}", *(f" & = & {cell}" for cell in rest)]
        table = " \\\\[6pt]\n".join(rows)
        yield "\n".join([r"\begin{tabular}{@{}r@{\;}c@{\;}l@{}}", table, r"\end{tabular}\par\medskip"])

    def _fitted(self, cell: Cell) -> str:
        formula = "".join(
            rf"$\displaystyle {piece.tex}$" if isinstance(piece, FormulaText) and piece.tex else self.piece(piece)
            for piece in cell
        )
        return rf"\fit{{0.8\linewidth}}{{{formula}}}"

    def drawing(self, drawing: Drawing) -> Iterator[str]:
        """The graph as its arrows: what goes into what, with which local slope."""
        numbers = any(arrow.value is not None for arrow in drawing.arrows)

        def row(arrow: Arrow) -> blocks.TableRow:
            slope = blocks.CodeText(arrow.slope) if arrow.slope else "" if arrow.active else "held fixed"
            value = blocks.NumberText(arrow.value) if arrow.value is not None else ""
            cells = ((named(arrow.source),), (named(arrow.target),), (slope,), (value,))
            return blocks.TableRow(cells if numbers else cells[:3])

        columns = (*(blocks.Column((head,)) for head in ("from", "to")), blocks.Column(("local slope",), wide=True))
        columns += (blocks.Column(("its value",), numeric=True),) if numbers else ()
        rows = shortened_rows(row, drawing.arrows, "arrows", 12)
        yield from self.table(blocks.TableBlock(columns, rows, "the arrows of the graph"))

    def table(self, table: blocks.TableBlock) -> Iterator[str]:
        shares = [_share(table, at) for at in range(len(table.columns))]
        wide = max(1, sum(column.wide for column in table.columns))
        room = max(0.15, 0.97 - sum(shares) - 0.027 * len(shares)) / wide
        paragraph = r">{{\raggedright\arraybackslash}}p{{{:.3f}\linewidth}}"
        kinds = "".join(paragraph.format(share) if share == _BROADEST else "l" for share in shares)
        lines = [
            rf"\begin{{longtable}}{{@{{}}{kinds}@{{}}}}",
            r"\toprule",
            rf"{' & '.join(self.cell(column.head) for column in table.columns)} \\",
            r"\midrule",
            r"\endhead",
            *(rf"{self.row(row, table, room)} \\" for row in table.rows),
            r"\bottomrule",
            r"\end{longtable}",
        ]
        rows = "\n".join(lines)
        yield rf"{{\renewcommand{{\arraystretch}}{{1.8}}{rows}}}" if table.kind == "steps" else rows

    def row(self, row: blocks.AnyRow, table: blocks.TableBlock, room: float) -> str:
        if isinstance(row, blocks.TableRow):
            cells = (
                rf"\fit{{{room:.3f}\linewidth}}{{{self.cell(cell)}}}" if column.wide else self.cell(cell)
                for column, cell in zip(table.columns, row.cells, strict=True)
            )
            return " & ".join(cells) + self.answer * row.answer
        words = self.across(row)
        fitted = words if isinstance(row, blocks.Omitted) else rf"\fit{{0.95\linewidth}}{{{words}}}"
        return rf"\multicolumn{{{len(table.columns)}}}{{@{{}}l@{{}}}}{{{fitted}}}"


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


def _typed(sign: str) -> str:
    return "\\ " if sign == " " else escaped(sign) + (r"\allowbreak{}" if sign in "+-*/^=,;()" else "")


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
