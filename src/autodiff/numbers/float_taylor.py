"""Derivatives of higher order in float64, and whether rounding has left their digits: for where no ball arithmetic is installed.

>>> from autodiff.core.lowering import lower
>>> from autodiff.core.evaluate import primal
>>> lowered = lower("x^2*ln(x)")
>>> derivatives(lowered, primal(lowered, {"x": 2.0}), lowered.graph.find("x"), 3)
[4.772588722239782, 4.386294361119891, 1.0]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from random import Random

from autodiff.core import rules, templates
from autodiff.core.algebra import Floats
from autodiff.core.evaluate import Trace
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import Primitive, by_cases
from autodiff.numbers.taylor import Expansion, SeriesAlgebra

_POWER = rules.TABLE["^", 2]

ALLOWED, UNSEEN = 2e-12, 2.0**-1060
"""How far a number may move when every result is moved by 16 roundings: a part of it, or this much beside 0."""


def _falls(u: float, v: float, w: float) -> bool:
    """Whether the powers v-1, v-2, … never come to an end, as 2, 1 and 0 do, and w/u is there in their place.

    For they round, which shows at u = 1e-20 and v = 1/3, and underflow, when no result does.
    """
    return u != 0 and abs(w) >= 1e-290 and (v < 0 or v % 1 != 0)


class FloatSeries(SeriesAlgebra[float], Floats):
    """Coefficients in float64: each result rounded once, or moved by a few roundings at random.

    chance  moves results, from a fixed seed; None for plain float64
    """

    def __init__(self, chance: Random | None = None) -> None:
        self.chance = chance

    def times(self, a: float, b: float) -> float:
        return self.rounded(a * b, exact=not (a and b))

    def over(self, a: float, b: float) -> float:
        return self.rounded(a / b, exact=not a)

    def total(self, terms: Sequence[float]) -> float:
        """The sum, rounded once where it has one."""
        try:
            return math.fsum(terms)
        except (OverflowError, ValueError):
            return sum(terms)

    def rounded(self, value: float, *, exact: bool = False) -> float:
        """A result; one that is not `exact` may be moved by 16 roundings, those of underflow included."""
        if self.chance is None or exact:
            return value
        moved = self.chance.uniform(0.5, 1.0) * self.chance.choice((-1.0, 1.0))
        return value * (1.0 + 2.0**-49 * moved) + (2.0**-1070 * moved if abs(value) < 2.0**-1022 else 0.0)

    def value(self, row: Primitive, args: Sequence[float]) -> float:
        conditions, function = templates.meaning(row)
        value = function(*args) if all(inside(*args) for inside, _ in conditions) else math.nan
        if not math.isfinite(value):
            return math.nan
        return value if row.is_predicate else self.rounded(value)

    def key(self, value: float) -> Hashable | None:
        return None if value != value or value == 0 else value

    def partial_text(self, row: Primitive, k: int, given: Sequence[float]) -> str:
        """The partial as one formula: a text that chooses between equal formulas has no series where it changes."""
        if row is _POWER and k == 0 and _falls(*given):
            return "v*w/u" if abs(given[0]) < 1 else "v*(w/u)"
        return row.formula[k] if by_cases(row.partials[k]) else row.partials[k]


def derivatives(lowered: Lowered, run: Trace, source: int, order: int) -> list[float | None]:
    """The derivatives of orders 1, 2, … by `source`; NaN where there is no series, None where rounding took digits."""
    return _sure(lowered, run, [source], order, lambda expansion: expansion.derivatives(lowered.result, source, order))


def hessian_row(lowered: Lowered, run: Trace, source: int, sources: Sequence[int]) -> list[float | None]:
    """The second derivatives by `source` and each of the sources, in the same way."""
    return _sure(lowered, run, sources, 2, lambda expansion: expansion.hessian_row(lowered, run, source, sources))


def _sure(
    lowered: Lowered, run: Trace, sources: Sequence[int], order: int, read: Callable[[Expansion], list[float]]
) -> list[float | None]:
    plain = read(Expansion(lowered, run, sources, order, FloatSeries()))
    moved = [read(Expansion(lowered, run, sources, order, FloatSeries(Random(seed)))) for seed in (1, 2)]
    return [n if all(_same(n, m) for m in others) else None for n, *others in zip(plain, *moved, strict=True)]


def _same(number: float, moved: float) -> bool:
    return not math.isfinite(number) or abs(number - moved) <= ALLOWED * abs(number) + UNSEEN
