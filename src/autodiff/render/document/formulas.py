"""The small formulas of a document: a name, du/dx, an equation, a factor in a product.

>>> ratio("loss", "x1").tex, slashed("u", "x").line
('\\\\frac{\\\\mathrm{d}\\\\,\\\\mathrm{loss}}{\\\\mathrm{d}x_{1}}', 'du/dx')
"""

from __future__ import annotations

from collections.abc import Sequence

from autodiff.diagnostics import shown
from autodiff.explanation.model import FormulaText
from autodiff.notation.tex import tex_name
from autodiff.render.document.blocks import Cell, Math, NumberText, Words


def ratio(of: str, by: str) -> Math:
    """d(of)/d(by)."""
    return Math(rf"\frac{{{differential(of)}}}{{{differential(by)}}}", f"d{of}/d{by}")


def slashed(of: str, by: str) -> Math:
    """The same on one line, for sentences."""
    return Math(f"{differential(of)}/{differential(by)}", f"d{of}/d{by}")


def differential(name: str) -> str:
    tex = tex_name(name)
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
        return (Math(f"{left.tex} = {right.tex}", f"{left.line} = {right.pretty}", f"{left.line} = {right.formula}"),)
    return (left, Words(" = "), formula(right)) if right.pretty else (left,)


def product(factors: Sequence[Math]) -> Math:
    """Factors with dots between them."""
    return Math(
        r" \cdot ".join(factor.tex for factor in factors) if all(factor.tex for factor in factors) else "",
        " · ".join(factor.line for factor in factors),
        " * ".join(factor.typed or factor.line for factor in factors),
    )


def in_product(slope: FormulaText) -> Math:
    """A local slope as a factor: a sum or a sign in brackets, in LaTeX also a choice."""
    brackets = _is_sum(slope.formula) or r"\begin" in slope.tex or r"\bmod" in slope.tex
    tex = rf"\left({slope.tex}\right)" if brackets and slope.tex else slope.tex
    return Math(tex, _bracketed(slope.pretty), _bracketed(slope.formula))


def _bracketed(text: str) -> str:
    return f"({text})" if _is_sum(text) else text


def _is_sum(text: str) -> bool:
    depth = 0
    for i, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and sign in "+-" and (i == 0 or text[i - 1] == " "):
            return True
    return False


def many(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' if number != 1 else ''}"


def tex_value(value: float) -> str:
    """A number in full, as LaTeX."""
    base, _, exponent = shown(value).partition("e")
    return base.replace("inf", r"\infty") + (rf" \times 10^{{{int(exponent)}}}" if exponent else "")


def numbered(name: str, numbers: Sequence[float | None]) -> tuple[Cell, ...]:
    """The cells of a row: a name, and its numbers."""
    return ((named(name),), *((NumberText(number),) for number in numbers))
