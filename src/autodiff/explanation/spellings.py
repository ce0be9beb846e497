"""Formulas of an explanation as texts, in their three spellings.

>>> from autodiff.core.lowering import lower
>>> lowered = lower("2*x^3")
>>> written_out(lowered.graph, lowered.result)
FormulaText(formula='2*x^3', pretty='2x^3', tex='2 x^{3}')
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from autodiff.core.graph import Graph
from autodiff.explanation.model import FormulaText
from autodiff.notation.infix import PLAIN, PRETTY, infix
from autodiff.notation.parts import LONGEST, parted, size
from autodiff.notation.tex import tex
from autodiff.symbolic.adjoint import segment

if TYPE_CHECKING:
    from autodiff.explanation.factors import Formula

LONGEST_TEXT = 1000
"""Characters that a formula with named parts may have."""

SAVED = 6
"""Characters that the name of a step saves at least where its slope is written by it: `x1·(1 - h1^2)` for a `sech`."""

NOTHING = FormulaText("", "", "")


def written_out(graph: Graph, node: int) -> FormulaText:
    """A formula in its three spellings; a long one as statements with named parts, a very long one not at all."""
    if size(graph, node) <= LONGEST:
        return FormulaText(infix(graph, node, PLAIN), infix(graph, node, PRETTY), tex(graph, node))
    plain, pretty = ("; ".join(str(parted(graph, [node], style)).split("\n")) for style in (PLAIN, PRETTY))
    return FormulaText(plain, pretty, "") if len(plain) <= LONGEST_TEXT else NOTHING


def text_of(formula: Formula) -> FormulaText:
    """A local slope, with the place's own name for a part that would be written twice, or where that is shorter; none that needs more than one line."""
    graph, own = formula.graph, formula.own
    texts = [
        written_out(graph, node) if size(graph, node) <= LONGEST else NOTHING for node in (formula.node, formula.named)
    ]
    plain, named = texts
    if formula.here:
        return (
            plain._replace(pretty=f"{plain.pretty} here", tex=rf"{plain.tex} \text{{ here}}") if plain.pretty else plain
        )
    times = 1 if formula.node == own else _occurrences(graph, formula.node, own)
    shorter = named.pretty and times == 0 and len(named.pretty) + SAVED <= len(plain.pretty)
    return named if times > 1 or shorter else plain


def _occurrences(graph: Graph, node: int, inner: int) -> int:
    counts: dict[int, int] = {}
    for i in segment(graph, node, {}):
        counts[i] = 1 if i == inner else sum(counts[a] for a in graph.args[i])
    return counts[node]


def product(factors: Sequence[FormulaText], gap: str = "") -> FormulaText:
    """A product, in this order, with a `gap` on either side of its signs."""
    formula, pretty, tex = zip(*factors, strict=True)
    return FormulaText(
        f"{gap}*{gap}".join(formula), f"{gap}·{gap}".join(pretty), r" \cdot ".join(tex) if all(tex) else ""
    )


def as_factor(slope: FormulaText) -> FormulaText:
    """A local slope as a factor: a sum or a sign in brackets, in LaTeX also a choice."""
    brackets = is_sum(slope.formula) or r"\begin" in slope.tex or r"\bmod" in slope.tex
    tex = rf"\left({slope.tex}\right)" if brackets and slope.tex else slope.tex
    return FormulaText(_bracketed(slope.formula), _bracketed(slope.pretty), tex)


def _bracketed(text: str) -> str:
    return f"({text})" if is_sum(text) else text


def is_sum(text: str) -> bool:
    """Whether a formula is a sum, a choice in words, or begins with a sign, so that it needs brackets in a product."""
    depth = 0
    for i, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and ((sign in "+-" and (i == 0 or text[i - 1] == " ")) or text.startswith(", else ", i)):
            return True
    return False
