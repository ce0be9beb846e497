"""Errors within a text of the table: whether they change a condition, and the text's own roundings.

>>> BOUNDED.text("u*v < 7", ("u", "v"), [(2.0, 1e-9), (3.0, 1e-9)])[0], ROUNDED.text("u/3", ("u",), [(1.0, 0.0)])[1] < 1e-16
(True, True)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from autodiff.core import templates
from autodiff.core.algebra import Algebra
from autodiff.core.primitive import Primitive
from autodiff.language.exact_float import ExactFloat
from autodiff.verify.rounding import TINY, Unsure, decided, ends, error_of

Pair: TypeAlias = "tuple[float, float]"
"""A value and the bound of its error."""


class Bounded(Algebra[Pair]):
    """Values with the errors that follow from their arguments' errors. Raises Unsure where these may change a condition."""

    def constant(self, value: float) -> Pair:
        return value, 0.0

    def apply(self, row: Primitive, args: Sequence[Pair]) -> Pair:
        numbers, errors = [n for n, _ in args], [e for _, e in args]
        value = templates.value(row)(*numbers)
        if row.is_predicate:
            decided(row, numbers, errors)
            return value, 0.0
        return value, _error_by_ends(row, numbers, errors, value)

    def branch(self, condition: Pair) -> bool:
        return bool(condition[0])


class Rounded(Bounded):
    """Values with their rounding errors, from exact arguments on; an infinite error where that is not known."""

    def constant(self, value: float) -> Pair:
        return value, value.error if isinstance(value, ExactFloat) else 0.0

    def apply(self, row: Primitive, args: Sequence[Pair]) -> Pair:
        numbers, errors = [n for n, _ in args], [e for _, e in args]
        value = templates.value(row)(*numbers)
        try:
            return value, error_of(row, numbers, errors, value)
        except (Unsure, OverflowError):
            return value, math.inf


BOUNDED, ROUNDED = Bounded(), Rounded()


def _error_by_ends(row: Primitive, args: Sequence[float], errors: Sequence[float], value: float) -> float:
    """The error of a number within a condition: by moving each argument to both ends."""
    if not any(errors):
        return 0.0
    function, total = templates.value(row), 0.0
    for k, error in enumerate(errors):
        if error:
            total += max(abs(end - value) for end in ends(function, args, k, error))
    return total if total == total else math.inf


def error_within(text: str, params: tuple[str, ...], args: Sequence[float], value: float) -> float:
    """The error of a text from roundings of its own equations, its arguments and the value being exact; infinite if unknown."""
    number, error = ROUNDED.text(text, (*params, "w"), [(given, 0.0) for given in (*args, value)])
    return error if abs(number) >= TINY and error == error else math.inf


def is_structural_zero(text: str, params: tuple[str, ...], numbers: Sequence[float]) -> bool:
    """Whether a text is 0 because the branch that it takes is the constant 0, and not by underflow."""
    lowered = templates.template(text, (*params, "w"))
    given = ((number, 0.0) for number in numbers)
    taken = BOUNDED.unchecked(lowered, dict(zip((*params, "w"), given, strict=True))).taken
    node = lowered.result
    while node in taken:
        node = taken[node]
    return node in lowered.graph.constants
