"""Constant expressions as rational numbers, exactly: `0.1 + 0.2` is 3/10, not the float64 beside it.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> rational(lower(parse("0.1 + 0.2"))), rational(lower(parse("1/3"))), rational(lower(parse("sqrt(2)")))
(Fraction(3, 10), Fraction(1, 3), None)
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from autodiff.core.algebra import Algebra
from autodiff.core.evaluate import Indeterminate
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import Primitive
from autodiff.language.exact_float import ExactFloat, ratio

_MOST_BITS = 20_000
"""Bits of a numerator or denominator up to which an expression is followed."""


def rational(lowered: Lowered) -> Fraction | None:
    """The value of a program without inputs where it is made of decimals, + - * / and whole powers; else None."""
    try:
        return _RATIONALS.unchecked(lowered, {})[0][lowered.result]
    except (Indeterminate, ZeroDivisionError):
        return None


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if exponent.denominator != 1 or abs(exponent) * size > _MOST_BITS:
        raise Indeterminate
    return base ** int(exponent)


_ARITHMETIC: Mapping[str, Callable[..., Fraction]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "neg": operator.neg, "same": operator.pos, "abs": abs, "^": _power,
}  # fmt: skip


class _Rationals(Algebra[Fraction]):
    """Fractions; raises Indeterminate for a number that is none, or too long."""

    def constant(self, value: float) -> Fraction:
        if not isinstance(value, ExactFloat):
            return Fraction(value)
        parts = ratio(value.meaning) if isinstance(value.meaning, str) else None
        if parts is None:
            raise Indeterminate
        return Fraction(*parts)

    def apply(self, row: Primitive, args: Sequence[Fraction]) -> Fraction:
        if row.value not in _ARITHMETIC:
            raise Indeterminate
        value = _ARITHMETIC[row.value](*args)
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
            raise Indeterminate
        return value


_RATIONALS = _Rationals()
