"""Terms of one-sided series, `coefficient·t^power·ln(1/t)^logs`, and their exact arithmetic.

>>> product(Term(1, Fraction(1, 2)), Term(2, 3))       # 3/2·t^3
Term(power=3, coefficient=Fraction(3, 2), error_bound=0.0, logs=0)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from autodiff.core.evaluate import Indeterminate
from autodiff.numbers.pi_multiples import Exact, PiMultiple

_BITS = 160  # a longer fraction is rounded to a float
_VALUE_BITS = 1074  # for a value: nearly every float has fewer, and what has fewer is none that a float takes for 0
_ROUNDING, _TINIEST, _LARGEST = 2.0**-52, 5e-324, 1.7976931348623157e308

Coefficient: TypeAlias = "Exact | PiMultiple | float"

Size: TypeAlias = "tuple[Exact | float, Exact]"
"""(p, k) is the size of t^p/ln(1/t)^k: of two terms, the one with the smaller pair is the larger one beside the point."""

CONSTANT, NOTHING = (0, 0), (math.inf, 0)
"""The sizes of a term that does not move, and of 0."""


@dataclass(frozen=True, slots=True)
class Term:
    """`coefficient·t^power·ln(1/t)^logs`; the coefficient may be wrong by `error_bound`."""

    power: Exact
    coefficient: Coefficient
    error_bound: float = 0.0
    logs: Exact = 0

    @property
    def size(self) -> tuple[Exact, Exact]:
        return self.power, -self.logs

    @property
    def exact(self) -> bool:
        """Whether the coefficient is a number that is known, and not only near."""
        return not (self.error_bound or isinstance(self.coefficient, float))

    @property
    def error(self) -> float:
        """How far the coefficient, as a float, may be off."""
        number = float(self.coefficient)
        return self.error_bound if self.coefficient == number else _rounding(number)

    @property
    def certain(self) -> bool:
        """Whether the sign of the coefficient is known."""
        return _size(self.coefficient) > self.error_bound


def size_of_product(a: Size, b: Size) -> Size:
    """The size of a product."""
    return NOTHING if math.inf in (a[0], b[0]) else (a[0] + b[0], a[1] + b[1])


def product(p: Term, q: Term) -> Term:
    c, error_bound = p.coefficient * q.coefficient, 0.0
    if isinstance(c, float):
        a, b = p.error, q.error
        error_bound = _size(p.coefficient) * b + _size(q.coefficient) * a + a * b + _rounding(c)
    return Term(fit(p.power + q.power), c, error_bound, fit(p.logs + q.logs))


def quotient(p: Term, q: Term) -> Term:
    """The quotient. Raises Indeterminate where float64 can't tell the divisor from 0."""
    above = Fraction(p.coefficient) if isinstance(p.coefficient, int) else p.coefficient
    c, error_bound = above / q.coefficient, 0.0
    if isinstance(c, float):
        least = _size(q.coefficient) - q.error
        if least <= 0:
            raise Indeterminate
        error_bound = (p.error + abs(c) * q.error) / least + _rounding(c)
    elif isinstance(c, Fraction):
        c = fit(c)
    return Term(fit(p.power - q.power), c, error_bound, fit(p.logs - q.logs))


def added(p: Term, q: Term) -> Term:
    c = p.coefficient + q.coefficient
    return Term(p.power, c, p.error + q.error + _rounding(c) if isinstance(c, float) else 0.0, p.logs)


def _size(c: Coefficient) -> float:
    return abs(float(c)) or (0.0 if c == 0 else _TINIEST)


def _rounding(c: float) -> float:
    return abs(c) * _ROUNDING + _TINIEST


def rounded(term: Term) -> Term:
    """A long fraction becomes a float. Raises Indeterminate for what is beyond float64."""
    c = term.coefficient
    if isinstance(c, PiMultiple):
        return term
    if not isinstance(c, float):
        bits = _VALUE_BITS if term.size == CONSTANT else _BITS
        if c.numerator.bit_length() - c.denominator.bit_length() > 1023 and not -_LARGEST <= c <= _LARGEST:
            raise Indeterminate
        if max(c.numerator.bit_length(), c.denominator.bit_length()) <= bits:
            return term
        c = float(c)
        term = Term(term.power, c, 0.0 if term.coefficient == c else _rounding(c), term.logs)
    if not math.isfinite(c + term.error_bound):
        raise Indeterminate
    return term


def fit(number: Exact) -> Exact:
    """The same number, as an int if it is one. Raises Indeterminate when it is longer than any that is of use."""
    if isinstance(number, int):
        return number
    if number.denominator == 1:
        return number.numerator
    if number.denominator.bit_length() > 2200:
        raise Indeterminate
    return number


def rates(term: Term) -> Iterator[Term]:
    """The terms of t·d/dt."""
    if term.power:
        yield product(term, Term(0, term.power))
    if term.logs:
        yield product(term, Term(0, -term.logs, logs=-1))


def integrals(term: Term) -> Iterator[Term]:
    """The terms whose `rates` are this, by parts: the integral of t^p·L^k/t, where L = ln(1/t), is t^p·L^k/p and k/p times that of t^p·L^(k-1)/t."""
    if not term.power:
        yield quotient(term, Term(0, -1 - term.logs, logs=-1))
        return
    part = quotient(term, Term(0, term.power))
    yield part
    while part.logs:
        part = product(part, Term(0, Fraction(part.logs) / term.power, logs=-1))
        yield part
