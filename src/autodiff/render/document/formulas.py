"""The small formulas of a document: a name, du/dx, an equation.

>>> Leibniz().ratio("loss", "x1").tex, Leibniz(partial=True).slashed("u", "x").pretty
('\\\\frac{\\\\mathrm{d}\\\\,\\\\mathrm{loss}}{\\\\mathrm{d}x_{1}}', '∂u/∂x')
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from autodiff.diagnostics import shown
from autodiff.explanation.model import FormulaText
from autodiff.notation.tex import tex_name
from autodiff.render.document.blocks import Cell, NumberText


class Leibniz(NamedTuple):
    """Derivatives as d·/d·; those that are `partial`, of a function of several inputs, with ∂."""

    partial: bool = False

    @property
    def sign(self) -> FormulaText:
        """The d alone."""
        return FormulaText("d", "∂", r"\partial") if self.partial else FormulaText("d", "d", r"\mathrm{d}")

    def ratio(self, of: str, by: str) -> FormulaText:
        """d(of)/d(by)."""
        return self.slashed(of, by)._replace(tex=rf"\frac{{{self.differential(of)}}}{{{self.differential(by)}}}")

    def slashed(self, of: str, by: str) -> FormulaText:
        """The same on one line, for sentences."""
        d = self.sign.pretty
        return FormulaText(f"d{of}/d{by}", f"{d}{of}/{d}{by}", f"{self.differential(of)}/{self.differential(by)}")

    def differential(self, name: str) -> str:
        r"""The d of a name in LaTeX, with a thin space before a word: \mathrm{d}x."""
        tex = tex_name(name)
        return f"{self.sign.tex}{self._gap(tex)}{tex}"

    def _gap(self, tex: str) -> str:
        if self.partial:
            return " "
        return r"\," if tex.startswith((r"\mathrm", r"\_")) else ""


def named(name: str) -> FormulaText:
    return FormulaText(name, name, tex_name(name))


def equation(left: FormulaText, right: FormulaText) -> Cell:
    """`left = right`, as one formula where LaTeX can write it."""
    if right.tex:
        return (FormulaText(*(f"{a} = {b}" for a, b in zip(left, right, strict=True))),)
    return (left, " = ", right) if right.pretty else (left,)


def many(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' if number != 1 else ''}"


def tex_value(value: float) -> str:
    """A number in full, as LaTeX."""
    base, _, exponent = shown(value).partition("e")
    return base.replace("inf", r"\infty") + (rf" \times 10^{{{int(exponent)}}}" if exponent else "")


def numbered(name: str, numbers: Sequence[float | None]) -> tuple[Cell, ...]:
    """The cells of a row: a name, and its numbers."""
    return ((named(name),), *((NumberText(number),) for number in numbers))
