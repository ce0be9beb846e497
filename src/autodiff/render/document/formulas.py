"""The small formulas of a document: a name, du/dx, an equation, a factor in a product.

>>> ratio("loss", "x1").tex, slashed("u", "x").line
('\\\\frac{\\\\mathrm{d}\\\\,\\\\mathrm{loss}}{\\\\mathrm{d}x_{1}}', 'du/dx')
"""

from __future__ import annotations

from collections.abc import Sequence

from autodiff.diagnostics import shown
from autodiff.explanation.model import FormulaText
from autodiff.explanation.spellings import as_factor
from autodiff.notation.tex import tex_name
from autodiff.render.document.blocks import Cell, Math, NumberText, Words


def ratio(of: str, by: str, *, partial: bool = False) -> Math:
    """d(of)/d(by); a `partial` derivative, of a function of several inputs, with ∂."""
    above, below = differential(of, partial=partial), differential(by, partial=partial)
    return Math(rf"\frac{{{above}}}{{{below}}}", _line(of, by, partial=partial), f"d{of}/d{by}")


def slashed(of: str, by: str, *, partial: bool = False) -> Math:
    """The same on one line, for sentences."""
    above, below = differential(of, partial=partial), differential(by, partial=partial)
    return Math(f"{above}/{below}", _line(of, by, partial=partial), f"d{of}/d{by}")


def _line(of: str, by: str, *, partial: bool) -> str:
    sign = "∂" if partial else "d"
    return f"{sign}{of}/{sign}{by}"


def differential(name: str, *, partial: bool = False) -> str:
    tex = tex_name(name)
    if partial:
        return rf"\partial {tex}"
    return rf"\mathrm{{d}}{tex}" if _is_letter(tex) else rf"\mathrm{{d}}\,{tex}"


def _is_letter(tex: str) -> bool:
    return not tex.startswith((r"\mathrm", r"\_"))


def named(name: str) -> Math:
    return Math(tex_name(name), name)


def formula(text: FormulaText) -> Math:
    return Math(text.tex, text.pretty, text.formula)


def equation(left: Math, right: FormulaText) -> Cell:
    """`left = right`, as one formula where LaTeX can write it."""
    if right.tex:
        typed = f"{left.typed or left.line} = {right.formula}"
        return (Math(f"{left.tex} = {right.tex}", f"{left.line} = {right.pretty}", typed),)
    return (left, Words(" = "), formula(right)) if right.pretty else (left,)


def product(factors: Sequence[Math]) -> Math:
    """Factors with dots between them."""
    return Math(
        r" \cdot ".join(factor.tex for factor in factors) if all(factor.tex for factor in factors) else "",
        " · ".join(factor.line for factor in factors),
        " * ".join(factor.typed or factor.line for factor in factors),
    )


def in_product(slope: FormulaText) -> Math:
    """A local slope as a factor."""
    return formula(as_factor(slope))


def many(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' if number != 1 else ''}"


def tex_value(value: float) -> str:
    """A number in full, as LaTeX."""
    base, _, exponent = shown(value).partition("e")
    return base.replace("inf", r"\infty") + (rf" \times 10^{{{int(exponent)}}}" if exponent else "")


def numbered(name: str, numbers: Sequence[float | None]) -> tuple[Cell, ...]:
    """The cells of a row: a name, and its numbers."""
    return ((named(name),), *((NumberText(number),) for number in numbers))
