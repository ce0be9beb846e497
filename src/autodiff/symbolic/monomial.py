"""Exact numbers times powers of equations, as values: what products and sums of symbols are collected in.

    3*x^2*y   is   Product(Amount(3), ((x, 2), (y, 1)))      with the numbers of the equations for x and y

>>> half_of_x = Product(Amount(Fraction(1, 2)), ((7, ONE_TIME),))
>>> half_of_x.times(half_of_x)
Product(amount=Amount(value=Fraction(1, 4), decimal=False), factors=((7, (None, 2)),))
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from autodiff.language.ast import CONSTANTS
from autodiff.language.exact_float import ExactFloat

LIMIT = 16
"""Factors of a product and terms of a sum that are collected; a longer one is one part, so work stays linear."""

LARGEST = 10**15
"""A number that is written with a larger value is a decimal."""

WIDEST = 10**308
"""Numerators and denominators are exact up to here: what is printed must read back, and float64 ends there."""

_WHOLE = 2**53
"""Whole numbers up to here are float64's."""

_NAMED = frozenset(CONSTANTS.values())

_STEEPEST = 10**6  # exponents beyond it are not collected

Exact: TypeAlias = "int | Fraction"
"""A rational number; whole ones are ints, which are quicker to hash and to multiply."""

Exponent: TypeAlias = "tuple[int | None, Exact]"
"""An equation (or none) plus a number: the exponent of `x^(n - 1)` is (n, -1)."""

Factors: TypeAlias = "tuple[tuple[int, Exponent], ...]"
"""Bases with their exponents, ordered by the number of the base."""

ONE_TIME: Exponent = (None, 1)


def exact(value: Exact) -> Exact:
    """The number, whole ones as ints."""
    return value.numerator if value.denominator == 1 else value


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact number; `decimal` when it came from one that was written with a point, and so is printed with one."""

    value: Exact
    decimal: bool = False

    def __mul__(self, other: Amount) -> Amount:
        return Amount(exact(self.value * other.value), self.decimal or other.decimal)

    def __add__(self, other: Amount) -> Amount:
        return Amount(exact(self.value + other.value), self.decimal or other.decimal)

    def inverse(self) -> Amount:
        return Amount(exact(Fraction(1) / self.value), self.decimal)


ONE, MINUS = Amount(1), Amount(-1)


@dataclass(frozen=True, slots=True)
class Product:
    """A number times factors."""

    amount: Amount
    factors: Factors = ()

    def times(self, other: Product, most: int = LIMIT) -> Product | None:
        """The product of both; None when it has more than `most` factors or too high a power."""
        exponents = dict(self.factors)
        for base, exponent in other.factors:
            joined = _joined(exponents.get(base), exponent)
            if joined is None:
                return None
            exponents[base] = joined
        kept = tuple(sorted((b, e) for b, e in exponents.items() if e[0] is not None or e[1]))
        steep = any(abs(e[1].numerator) > _STEEPEST for _, e in kept)
        amount = self.amount * other.amount
        return None if len(kept) > most or steep or not plain(amount) else Product(amount, kept)

    def over(self, other: Product) -> Product | None:
        """The quotient of both; a power by a name cancels the same power alone: 2^x/2^x is 1, None for 2^x/3^x."""
        exponents = dict(self.factors)
        rest = {base: exponent for base, exponent in other.factors if exponent[0] is not None}
        for base, (node, number) in rest.items():
            above = exponents.get(base)
            if above is None or above[0] != node:
                return None
            exponents[base] = None, exact(above[1] - number)
        left = tuple((b, e) for b, e in exponents.items() if e[0] is not None or e[1])
        below = Product(other.amount, tuple(f for f in other.factors if f[0] not in rest)).inverse()
        return None if below is None else Product(self.amount, left).times(below)

    def inverse(self) -> Product | None:
        """1 over it; None for a zero and for an exponent that is no number."""
        if not self.amount.value or any(node is not None for _, (node, _) in self.factors):
            return None
        return Product(self.amount.inverse(), tuple((base, (None, -e[1])) for base, e in self.factors))

    def power(self, exponent: int) -> Product | None:
        """A whole power of it."""
        base = self if exponent >= 0 else self.inverse()
        if base is None or abs(exponent) > _STEEPEST or any(node is not None for _, (node, _) in base.factors):
            return None
        times = abs(exponent)
        if times > 64 and abs(base.amount.value) != 1:
            return None
        raised = Amount(base.amount.value**times, base.amount.decimal)
        product = Product(raised, tuple((b, (None, exact(e[1] * times))) for b, e in base.factors if times))
        steep = any(abs(e[1].numerator) > _STEEPEST for _, e in product.factors)
        return None if steep or not plain(product.amount) else product


def _joined(a: Exponent | None, b: Exponent) -> Exponent | None:
    """The sum of two exponents of one base; None when two different equations would have to be added."""
    if a is None:
        return b
    if a[0] is not None and b[0] is not None:
        return None
    return (b[0] if a[0] is None else a[0]), exact(a[1] + b[1])


def plain(amount: Amount) -> bool:
    """Whether the number can be written down in full."""
    limit = LARGEST if amount.decimal else WIDEST
    if abs(amount.value.numerator) <= limit and amount.value.denominator <= limit:
        return True
    return amount.decimal and -(10**300) < amount.value < 10**300 and abs(float(amount.value)) > 1e-300


Terms: TypeAlias = "dict[Factors, Amount]"
"""A sum: factors with the number in front of them, in the order of writing."""


def add(total: Terms, terms: Mapping[Factors, Amount]) -> Terms:
    """Add the terms of a sum to another; like terms meet."""
    for factors, amount in terms.items():
        total[factors] = total[factors] + amount if factors in total else amount
    return total


def nonzero(terms: Mapping[Factors, Amount]) -> Terms:
    """The terms whose number is not 0."""
    return {factors: amount for factors, amount in terms.items() if amount.value}


def collected(terms: Mapping[Factors, Amount]) -> Terms | None:
    """The terms whose number is not 0; None where they are more than `LIMIT`, or a number can't be written down."""
    kept = nonzero(terms)
    return kept if len(kept) <= LIMIT and all(map(plain, kept.values())) else None


def negated(terms: Mapping[Factors, Amount]) -> Terms:
    """The sum with the other sign."""
    return {factors: amount * MINUS for factors, amount in terms.items()}


def as_constant(value: int) -> float:
    """A whole number as a constant: exactly, where float64 has it or not."""
    return float(value) if abs(value) <= _WHOLE else value


def exact_product(value: float) -> Product | None:
    """A constant as an exact number: as it was written. None for pi, e and tau, which are factors."""
    if isinstance(value, int):
        return Product(Amount(value))
    if value in _NAMED or not math.isfinite(value):
        return None
    written = value.meaning if isinstance(value, ExactFloat) and isinstance(value.meaning, str) else repr(value)
    whole = value == int(value) and abs(value) <= LARGEST and not isinstance(value, ExactFloat)
    amount = Amount(int(value) if whole else Fraction(written), decimal=not whole)
    return Product(amount) if plain(amount) else None
