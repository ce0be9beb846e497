"""The small formulas of a page: a name, du/dx, a number as it stands in a sum, and how several stand in a sentence.

>>> ratio("loss", "x1").tex, slashed("u", "x").line
('\\\\frac{\\\\mathrm{d}\\\\,\\\\mathrm{loss}}{\\\\mathrm{d}x_{1}}', 'du/dx')
"""

from __future__ import annotations

from collections.abc import Sequence

from autodiff.diagnostics import shown
from autodiff.explanation.model import Text
from autodiff.notation.tex import tex_name
from autodiff.render.document.model import Cell, Code, Math, Number, Piece, Words


def ratio(of: str, by: str) -> Math:
    """d(of)/d(by)."""
    return Math(rf"\frac{{{differential(of)}}}{{{differential(by)}}}", f"d{of}/d{by}")


def slashed(of: str, by: str) -> Math:
    """The same on one line, for sentences."""
    return Math(f"{differential(of)}/{differential(by)}", f"d{of}/d{by}")


def differential(name: str) -> str:
    made = tex_name(name)
    return rf"\mathrm{{d}}{made}" if _is_letter(made) else rf"\mathrm{{d}}\,{made}"


def _is_letter(made: str) -> bool:
    return not made.startswith((r"\mathrm", r"\_"))


def named(name: str) -> Math:
    return Math(tex_name(name), name)


def formula(text: Text) -> Piece:
    return Math(text.tex, text.pretty) if text.tex else Code(text.pretty)


def many(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' if number != 1 else ''}"


def joined(cells: Sequence[Cell], between: str, last: str = "") -> Cell:
    """Cells with words between them."""
    pieces: list[Piece] = []
    for i, cell in enumerate(cells):
        pieces += [Words(last if last and i == len(cells) - 1 else between)] * (i > 0) + list(cell)
    return tuple(pieces)


def listed(cells: Sequence[Cell], most: int) -> Cell:
    more = (Words(f" and {len(cells) - most:,} more"),) if len(cells) > most else ()
    return (*joined(cells[:most], ", ", "" if more else " and "), *more)


def tex_value(value: float) -> str:
    """A number in full, as LaTeX."""
    base, _, exponent = shown(value).partition("e")
    return base.replace("inf", r"\infty") + (rf" \times 10^{{{int(exponent)}}}" if exponent else "")


def term(value: float | None, *, first: bool) -> Cell:
    number = Number(value)
    return (Words("("), number, Words(")")) if str(number).startswith("-") and not first else (number,)


def numbered(name: str, numbers: Sequence[float | None]) -> tuple[Cell, ...]:
    """The cells of a row: a name, and its numbers."""
    return ((named(name),), *((Number(number),) for number in numbers))
