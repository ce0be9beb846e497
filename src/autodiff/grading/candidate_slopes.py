"""Local slopes of functions of one argument, candidates for the slip of taking the rule of another function.

>>> len(candidate_slopes()) > 200
True
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from autodiff.core import rules, templates
from autodiff.core.primitive import ZERO, with_result

_NEG, _SAME = rules.TABLE["-", 1], rules.TABLE["+", 1]

Slope: TypeAlias = "Callable[[float, float], float]"
"""A local slope of one argument, from the argument and the result."""


def _negative(slope: Slope) -> Slope:
    return lambda u, w: -slope(u, w)


@lru_cache(maxsize=1)
def candidate_slopes() -> tuple[tuple[str, Slope], ...]:
    """Every slope of one argument that the table knows, every function of it, and a few powers; each with both signs."""
    texts = dict.fromkeys(["1/u", "1/u^2", "1/w", "w", "u*w", "u", "u^2", "w^2", "w^2/3", "1+w^2", "1-w^2", "1/(2*u)", "1/(2*w)", "2/w", "2*w", "1/sqrt(u)", "sqrt(u)/2", "w/u", "w/2", "1/w^2", "1/(3*u)", "1", "1/2", "1/3", "2", "u*exp(u-1)", "u*2^(u-1)", "1/(u*ln(u))", "ln(u)", "ln(10)/u", "ln(2)/u", "w*ln(w)", "sec(u)", "csc(u)"])  # fmt: skip
    singles = [
        row
        for row in rules.rows()
        if row.kind == "elementwise" and row.arity == 1 and not row.is_predicate and row not in (_NEG, _SAME)
    ]
    calls = {row: f"{row.name}(u)" for row in singles}
    formulas = {row: with_result(row.formula[0], call) for row, call in calls.items() if row.formula[0] != ZERO}
    texts |= dict.fromkeys(text for row, text in formulas.items() if text == row.formula[0])
    texts |= dict.fromkeys(calls.values())
    texts |= dict.fromkeys(text for row, text in formulas.items() if text != row.formula[0])
    rules_of_others: list[tuple[str, Slope]] = []
    for text in texts:
        slope = templates.compiled(text, ("u", "w"))
        rules_of_others.append((text, slope))
        rules_of_others.append((f"-{text}", _negative(slope)))
    return tuple(rules_of_others)
