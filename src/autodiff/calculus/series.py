"""Numbers just beside a point: truncated series in a step t → 0+, with rational powers and exact coefficients.

    sin(t)       t - t^3/6 + O(t^5)
    sqrt(t^3)    t^(3/2)
    1/t          t^-1

A coefficient is a fraction, or a fraction of π, where it is known exactly, else a float with a bound on its error: so a
cancellation is told from a number that is small. What the terms do not show is Undecided, never a guess.

>>> t = step()
>>> print(over(times(t, t), plus(t, constant(1.0))))
t^2 - t^3 + t^4 - t^5 + t^6 - t^7 + t^8 - t^9 + O(t^10)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from autodiff.calculus.exact import Exact, OfPi, turn

NOISE = 2.0**-46
"""The relative error that is allowed for in what a function of floats returns."""

_LONGEST = 8  # terms of a quotient
_BITS = 160  # a longer fraction is rounded to a float
_VALUE_BITS = 1074  # for a value: nearly every float has fewer, and what has fewer is none that a float takes for 0
_ROUNDING, _TINIEST = 2.0**-52, 5e-324

Coefficient: TypeAlias = "Exact | OfPi | float"

Power: TypeAlias = "Exact | float"
"""A rational number, or infinity."""


class Undecided(Exception):
    """The known terms do not say what happens beside the point; `node` is the equation at which they don't."""

    def __init__(self, node: int | None = None) -> None:
        super().__init__(node)
        self.node = node


@dataclass(frozen=True, slots=True)
class Term:
    """`coefficient·t^power`; the coefficient may be wrong by `doubt`."""

    power: Exact
    coefficient: Coefficient
    doubt: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether the coefficient is a number that is known, and not only near."""
        return not (self.doubt or isinstance(self.coefficient, float))

    @property
    def error(self) -> float:
        """How far the coefficient, as a float, may be off."""
        return _rounding(float(self.coefficient)) if isinstance(self.coefficient, OfPi) else self.doubt

    @property
    def certain(self) -> bool:
        """Whether the sign of the coefficient is known."""
        return _size(self.coefficient) > self.doubt


@dataclass(frozen=True, slots=True)
class Series:
    """The sum of `terms`, in ascending powers, and something of the size of `t^order`; nothing when that is infinite."""

    terms: tuple[Term, ...] = ()
    order: Power = math.inf

    @property
    def low(self) -> Power:
        """The lowest power that is, or may be, there."""
        return self.terms[0].power if self.terms else self.order

    @property
    def value(self) -> float | None:
        """The limit as t → 0; None where there is none, or none that is known."""
        if self.low < 0 or self.order <= 0:
            return None
        return float(self.terms[0].coefficient) if self.terms and self.terms[0].power == 0 else 0.0

    @property
    def constant(self) -> Term:
        """The term of power 0."""
        return self.terms[0] if self.terms and self.terms[0].power == 0 else Term(0, 0)

    @property
    def rest(self) -> Series:
        """The value alone. Raises Undecided where there is none, or none that is known."""
        if self.value is None:
            raise Undecided
        return Series((self.constant,)) if self.constant.coefficient or self.constant.doubt else Series()

    @property
    def moves(self) -> Series:
        """The series without its value."""
        return Series(tuple(term for term in self.terms if term.power != 0), self.order)

    @property
    def still(self) -> bool:
        """Whether this is a plain number."""
        return self.order == math.inf and all(term.power == 0 for term in self.terms)

    def at(self, value: float, doubt: float) -> Series:
        """The same series around another value."""
        return Series((*constant(value, doubt).terms, *self.moves.terms), self.order)

    def cut(self, length: int) -> Series:
        """At most `length` terms, the rest as an order."""
        if len(self.terms) <= length:
            return self
        return Series(self.terms[:length], self.terms[length].power)

    def within(self, order: Power) -> Series:
        """The terms below `order`."""
        return Series(tuple(term for term in self.terms if term.power < order), min(self.order, order))

    def shifted(self, power: Exact) -> Series:
        """The series times t^power."""
        terms = tuple(Term(fit(x.power + power), x.coefficient, x.doubt) for x in self.terms)
        return Series(terms, self.order + power)

    def __str__(self) -> str:
        parts = [_shown(term) for term in self.terms] + ([] if self.order == math.inf else [f"+ O(t^{self.order})"])
        return " ".join(parts).removeprefix("+ ") or "0"


def _shown(term: Term) -> str:
    size = abs(term.coefficient)
    power = "" if term.power == 0 else "t" if term.power == 1 else f"t^{term.power}"
    number = str(size) if size != 1 or not power else ""
    return f"{'-' if term.coefficient < 0 else '+'} {number}{'·' * bool(number and power)}{power}"


def constant(value: float, doubt: float = 0.0) -> Series:
    if not value and not doubt:
        return Series()
    return Series((_rounded(Term(0, value if doubt else fit(Fraction(value)), doubt)),))


def exactly(value: Exact | OfPi) -> Series:
    return Series((Term(0, value),)) if value else Series()


def step(sign: float = 1.0) -> Series:
    """t itself, or -t."""
    return Series((Term(1, int(sign)),))


# --- arithmetic -------------------------------------------------------------------------------------------------------


def plus(*parts: Series) -> Series:
    return _gather((term for part in parts for term in part.terms), min(part.order for part in parts))


def minus(a: Series, b: Series) -> Series:
    if a is b:
        return Series()  # the same equation
    return plus(a, negative(b))


def negative(a: Series) -> Series:
    return Series(tuple(Term(term.power, -term.coefficient, term.doubt) for term in a.terms), a.order)


def same(a: Series) -> Series:
    return a


def times(a: Series, b: Series) -> Series:
    if not (a.terms or b.terms) or math.inf in (a.low, b.low):
        return Series((), a.low + b.low)
    return _gather((_product(p, q) for p in a.terms for q in b.terms), min(a.order + b.low, b.order + a.low))


def over(a: Series, b: Series) -> Series:
    """a/b by long division. Raises Undecided unless the first term of b is certain."""
    if not b.terms or not b.terms[0].certain:
        raise Undecided
    first, rest, found = b.terms[0], a, list[Term]()
    while rest.terms and len(found) < _LONGEST:
        found.append(_quotient(rest.terms[0], first))
        whole = times(Series((found[-1],)), Series(b.terms[1:], b.order))
        rest = minus(Series(rest.terms[1:], rest.order), whole)
    return _gather(found, rest.low - first.power)


def _product(p: Term, q: Term) -> Term:
    power = fit(p.power + q.power)
    match p.coefficient, q.coefficient:
        case (OfPi() as angle, int() | Fraction() as other) | (int() | Fraction() as other, OfPi() as angle):
            return Term(power, turn(angle.part * other))
    a, b = _of_numbers(p), _of_numbers(q)
    c, doubt = a.number * b.number, 0.0
    if isinstance(c, float):
        doubt = _size(a.number) * b.doubt + _size(b.number) * a.doubt + a.doubt * b.doubt + _rounding(c)
    return Term(power, c, doubt)


def _quotient(p: Term, q: Term) -> Term:
    power = fit(p.power - q.power)
    match p.coefficient, q.coefficient:
        case (OfPi() as angle, int() | Fraction() as other):
            return Term(power, turn(Fraction(angle.part) / other))
        case (OfPi() as angle, OfPi() as unit):
            return Term(power, fit(Fraction(angle.part) / unit.part))
    a, b = _of_numbers(p), _of_numbers(q)
    c, doubt = _ratio(a.number, b.number), 0.0
    if isinstance(c, float):
        doubt = (a.doubt + abs(c) * b.doubt) / (_size(b.number) - b.doubt) + _rounding(c)
    return Term(power, c, doubt)


def _sum(p: Term, q: Term) -> Term:
    match p.coefficient, q.coefficient:
        case (OfPi() as angle, OfPi() as other):
            return Term(p.power, turn(angle.part + other.part))
    a, b = _of_numbers(p), _of_numbers(q)
    c = a.number + b.number
    return Term(p.power, c, a.doubt + b.doubt + _rounding(c) if isinstance(c, float) else 0.0)


class _Number(NamedTuple):
    number: Exact | float
    doubt: float


def _of_numbers(term: Term) -> _Number:
    """The coefficient and its doubt, with a float for a part of π."""
    c = term.coefficient
    return _Number(float(c) if isinstance(c, OfPi) else c, term.error)


def _ratio(a: Exact | float, b: Exact | float) -> Exact | float:
    return a / b if isinstance(a, float) or isinstance(b, float) else fit(Fraction(a) / b)


def _size(c: Coefficient) -> float:
    return abs(float(c)) or (0.0 if c == 0 else _TINIEST)


def _rounding(c: float) -> float:
    return abs(c) * _ROUNDING + _TINIEST


def _gather(terms: Iterable[Term], order: Power) -> Series:
    """Equal powers added, zeros left out, long coefficients rounded."""
    found: dict[Exact, Term] = {}
    for term in terms:
        if term.power < order:
            old = found.get(term.power)
            found[term.power] = term if old is None else _sum(old, term)
    kept = (found[power] for power in sorted(found))
    return Series(tuple(_rounded(term) for term in kept if term.coefficient or term.doubt), order)


def _rounded(term: Term) -> Term:
    """A long fraction becomes a float. Raises Undecided for what is beyond float64."""
    c = term.coefficient
    if isinstance(c, OfPi):
        return term
    if not isinstance(c, float):
        if max(c.numerator.bit_length(), c.denominator.bit_length()) <= (_BITS if term.power else _VALUE_BITS):
            return term
        c = float(c)
        term = Term(term.power, c, 0.0 if term.coefficient == c else _rounding(c))
    if not math.isfinite(c + term.doubt):
        raise Undecided
    return term


def fit(number: Exact) -> Exact:
    """The same number, as an int if it is one. Raises Undecided when it is longer than any that is of use."""
    if isinstance(number, int):
        return number
    if number.denominator == 1:
        return number.numerator
    if number.denominator.bit_length() > 2200:
        raise Undecided
    return number


# --- rates ------------------------------------------------------------------------------------------------------------


def rate(a: Series) -> Series:
    """t·da/dt: every term times its power."""
    return Series(tuple(_rounded(_product(term, Term(0, term.power))) for term in a.moves.terms), a.order)


def total(a: Series) -> Series:
    """The series whose `rate` is a, without its value. Raises Undecided where that is no series, such as ln(t)."""
    if a.low <= 0:
        raise Undecided
    return Series(tuple(_rounded(_quotient(term, Term(0, term.power))) for term in a.terms), a.order)


# --- order ------------------------------------------------------------------------------------------------------------


def sign(a: Series) -> int:
    """The sign just beside the point. Raises Undecided when the known terms don't tell."""
    if a.terms and a.terms[0].certain:
        return 1 if a.terms[0].coefficient > 0 else -1
    if a.terms or a.order < math.inf:
        raise Undecided
    return 0


def compared(a: Series, b: Series) -> int:
    """-1, 0 or 1: a is below, equal to or above b. Values are compared as they are, what moves when they are equal."""
    if a is b:
        return 0
    here, there = a.value, b.value
    if here is None or there is None:
        return sign(minus(a, b))
    return sign(minus(a.moves, b.moves)) if here == there else 1 if here > there else -1


ARITHMETIC: Mapping[str, Callable[..., Series]] = {
    "+": plus,
    "-": minus,
    "*": times,
    "/": over,
    "neg": negative,
    "same": same,
}
"""What a row's value column may name, for series: the counterpart of `algebra.FLOATS`."""

_NONE = Series()

ORDER: Mapping[str, Callable[..., Series]] = {
    "<": lambda a, b: constant(compared(a, b) < 0),
    "<=": lambda a, b: constant(compared(a, b) <= 0),
    ">": lambda a, b: constant(compared(a, b) > 0),
    ">=": lambda a, b: constant(compared(a, b) >= 0),
    "==": lambda a, b: constant(compared(a, b) == 0),
    "!=": lambda a, b: constant(compared(a, b) != 0),
    "sign": lambda a: constant(compared(a, _NONE)),
    "abs": lambda a: a if compared(a, _NONE) >= 0 else negative(a),
    "max": lambda a, b: a if compared(a, b) >= 0 else b,
    "min": lambda a, b: a if compared(a, b) <= 0 else b,
}
"""The same for values that only depend on which number is larger."""
