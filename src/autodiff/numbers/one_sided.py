"""Numbers just beside a point: truncated series in a step t → 0+, with rational powers and exact coefficients.

    sin(t)       t - t^3/6 + O(t^5)
    sqrt(t^3)    t^(3/2)
    1/t          t^-1
    t^t          1 - t·L + t^2·L^2/2 + O(t^3), with L = ln(1/t)

The logarithm is that of 1/t because that is positive: so the sign of a term is that of its coefficient.

A coefficient is a fraction, or a fraction of π, where it is known exactly, else a float with a bound on its error: so a
cancellation differs from a number that is small. What the terms do not show is Indeterminate, never a guess.

>>> t = step()
>>> series = over(times(t, t), plus(t, constant(1.0)))       # t^2 - t^3 + t^4 - … + O(t^10)
>>> [(term.power, term.coefficient) for term in series.terms[:3]], series.order
([(2, 1), (3, -1), (4, 1)], (10, 0))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from autodiff.core.evaluate import Indeterminate
from autodiff.core.floats import OPERATORS
from autodiff.numbers.one_sided_terms import (
    CONSTANT,
    NOTHING,
    Size,
    Term,
    added,
    fit,
    integrals,
    product,
    quotient,
    rates,
    rounded,
    size_of_product,
)
from autodiff.numbers.pi_multiples import Exact, PiMultiple

EPSILON, ROUNDING = 2.0**-52, 2.0**-48
"""A unit in the last place, in parts of a number, and what is allowed for in sums and products of a few."""

_LONGEST = 8  # terms of a quotient
_SLOW = Fraction(1, 64)


@dataclass(frozen=True, slots=True)
class Series:
    """The sum of `terms`, the largest first, and something of the size `order`, or smaller."""

    terms: tuple[Term, ...] = ()
    order: Size = NOTHING

    @property
    def low(self) -> Size:
        """The size of the largest term that is, or may be, there."""
        return self.terms[0].size if self.terms else self.order

    @property
    def value(self) -> float | None:
        """The limit as t → 0; None where there is none, or none that is known."""
        if self.order <= CONSTANT or self.low < CONSTANT:
            return None
        return float(self.terms[0].coefficient) if self.low == CONSTANT else 0.0

    @property
    def constant(self) -> Term:
        """The term that does not move, where no larger one does."""
        return self.terms[0] if self.terms and self.terms[0].size == CONSTANT else Term(0, 0)

    @property
    def value_alone(self) -> Series:
        """The value alone. Raises Indeterminate where there is none, or none that is known."""
        if self.value is None:
            raise Indeterminate
        return Series((self.constant,)) if self.constant.coefficient or self.constant.error_bound else Series()

    @property
    def variation(self) -> Series:
        """The series without its value."""
        return Series(tuple(term for term in self.terms if term.size != CONSTANT), self.order)

    @property
    def is_number(self) -> bool:
        """Whether this is a plain number."""
        return self.order == NOTHING and all(term.size == CONSTANT for term in self.terms)

    def cut(self, length: int) -> Series:
        """At most `length` powers of t, and its square of terms; the rest as an order."""
        if len(self.terms) <= length:
            return self
        powers = set[Exact]()
        for k, term in enumerate(self.terms):
            powers.add(term.power)
            if len(powers) > length or k == length**2:
                return self.within(term.size)
        return self

    def within(self, order: Size) -> Series:
        """The terms that are larger than `order`."""
        return Series(tuple(term for term in self.terms if term.size < order), min(self.order, order))

    def shifted(self, power: Exact, logs: Exact = 0) -> Series:
        """The series times t^power·ln(1/t)^logs."""
        terms = tuple(Term(fit(x.power + power), x.coefficient, x.error_bound, fit(x.logs + logs)) for x in self.terms)
        return Series(terms, size_of_product(self.order, (power, -logs)))


def constant(value: float, error_bound: float = 0.0) -> Series:
    if not value and not error_bound:
        return Series()
    return Series((rounded(Term(0, value if error_bound else fit(Fraction(value)), error_bound)),))


def exactly(value: Exact | PiMultiple) -> Series:
    return Series((rounded(Term(0, value if isinstance(value, PiMultiple) else fit(value))),)) if value else Series()


def step(rate: float = 1.0) -> Series:
    """t itself, or so many times t."""
    return Series((rounded(Term(1, fit(Fraction(rate)))),))


# --- arithmetic -------------------------------------------------------------------------------------------------------


def plus(*parts: Series) -> Series:
    return _gather((term for part in parts for term in part.terms), min(part.order for part in parts))


def minus(a: Series, b: Series) -> Series:
    if a is b:
        return Series()  # the same equation
    return plus(a, negative(b))


def negative(a: Series) -> Series:
    return Series(tuple(Term(term.power, -term.coefficient, term.error_bound, term.logs) for term in a.terms), a.order)


def times(a: Series, b: Series) -> Series:
    if not (a.terms or b.terms) or NOTHING in (a.low, b.low):
        return Series((), size_of_product(a.low, b.low))
    order = min(size_of_product(a.order, b.low), size_of_product(b.order, a.low))
    return _gather((product(p, q) for p in a.terms for q in b.terms), order)


def over(a: Series, b: Series) -> Series:
    """a/b by long division. Raises Indeterminate unless the first term of b is certain."""
    if not b.terms or not b.terms[0].certain:
        raise Indeterminate
    first, rest, terms = b.terms[0], a, list[Term]()
    while rest.terms and len(terms) < _LONGEST:
        terms.append(quotient(rest.terms[0], first))
        whole = times(Series((terms[-1],)), Series(b.terms[1:], b.order))
        rest = minus(Series(rest.terms[1:], rest.order), whole)
    return _gather(terms, size_of_product(rest.low, (-first.power, first.logs)))


def _gather(terms: Iterable[Term], order: Size) -> Series:
    """Terms of one size added, zeros left out, long coefficients rounded."""
    of_size: dict[tuple[Exact, Exact], Term] = {}
    for term in terms:
        size = term.size
        if size < order:
            old = of_size.get(size)
            of_size[size] = term if old is None else added(old, term)
    kept = (of_size[size] for size in sorted(of_size))
    return Series(tuple(rounded(term) for term in kept if term.coefficient or term.error_bound), order)


# --- rates ------------------------------------------------------------------------------------------------------------


def rate(a: Series) -> Series:
    """t·da/dt: every term times its power, and what the slope of its logarithms adds."""
    power, logs = a.order
    return _gather((part for term in a.variation.terms for part in rates(term)), a.order if power else (0, logs + 1))


def total(a: Series) -> Series:
    """The series whose `rate` is a, without its value. Raises Indeterminate where it has none."""
    if a.low <= (0, 1):
        raise Indeterminate
    power, logs = a.order
    terms, order = list[Term](), a.order if power else (0, logs - 1)
    for term in a.terms:
        parts = [*islice(integrals(term), _LONGEST + 1)]
        terms += parts[:_LONGEST]
        order = min(order, *(part.size for part in parts[_LONGEST:]), NOTHING)
    return _gather(terms, order)


def logarithm(power: Exact, logs: Exact) -> Series:
    """ln(t^power·ln(1/t)^logs). Of ln(ln(1/t)), which is no term, it is known that any power of ln(1/t) is larger."""
    known = (Term(0, -power, logs=1),) if power else ()
    return Series(known, (0, -_SLOW) if logs else NOTHING)


# --- order ------------------------------------------------------------------------------------------------------------


def sign(a: Series) -> int:
    """The sign just beside the point. Raises Indeterminate when the known terms don't decide it."""
    if a.terms and a.terms[0].certain:
        return 1 if a.terms[0].coefficient > 0 else -1
    if a.terms or a.order != NOTHING:
        raise Indeterminate
    return 0


def compared(a: Series, b: Series) -> int:
    """-1, 0 or 1: a is below, equal to or above b."""
    return sign(minus(a, b))


ARITHMETIC: Mapping[str, Callable[..., Series]] = {
    "+": plus,
    "-": minus,
    "*": times,
    "/": over,
    "neg": negative,
    "same": plus,
}
"""What a row's value column may name, for series: the counterpart of `floats.FLOATS`."""

_NONE = Series()


def _comparison(holds: Callable[[int, int], bool]) -> Callable[[Series, Series], Series]:
    return lambda a, b: constant(holds(compared(a, b), 0))


ORDER: Mapping[str, Callable[..., Series]] = {
    **{name: _comparison(OPERATORS[name]) for name in ["<", "<=", ">", ">=", "==", "!="]},
    "sign": lambda a: constant(compared(a, _NONE)),
    "abs": lambda a: a if compared(a, _NONE) >= 0 else negative(a),
    "max": lambda a, b: a if compared(a, b) >= 0 else b,
    "min": lambda a, b: a if compared(a, b) <= 0 else b,
}
"""The same for values that only depend on which number is larger."""
