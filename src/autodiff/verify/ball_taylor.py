"""Taylor series with balls as coefficients: derivatives of higher order, and rows of a Hessian, with proven digits.

The equations of `taylor.Expansion` over another algebra: no rule is written twice.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> lowered = lower(parse("x/(exp(x) - 1)"))
>>> derivatives(lowered, {"x": 1e-3}, lowered.graph.find("x"), 4)
[-0.4998333333388889, 0.166666650000001, -3.3333329365079644e-05, -0.033333321428572815]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence

from flint import arb, fmpq

from autodiff.core.evaluate import DomainError, Indeterminate, Trace
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import Primitive
from autodiff.numbers.ball_numbers import Number, PiMultiple, as_float, ball, is_zero, precision
from autodiff.numbers.balls import Balls
from autodiff.numbers.taylor import Expansion, SeriesAlgebra
from autodiff.verify import digits

MOST = 4096
"""Bits at which a derivative that is not pinned down is left to others."""


def derivatives(lowered: Lowered, point: Mapping[str, float], source: int, order: int) -> list[float | None]:
    """The derivatives of orders 1, 2, …, each the nearest float64; None where there is none, or none is found."""

    def read(expansion: Expansion, _: Trace) -> list[Number]:
        found = expansion.series({source: 1.0}, order)[expansion.of[lowered.result]]
        return [c * math.factorial(m) for m, c in enumerate(found[1:], 1)] + [arb(0)] * (order + 1 - len(found))

    return _pinned(lowered, point, [source], order, read)


def hessian_row(
    lowered: Lowered, point: Mapping[str, float], source: int, sources: Sequence[int]
) -> list[float | None]:
    """The second derivatives by `source` and each of the sources."""

    def read(expansion: Expansion, run: Trace) -> list[Number]:
        found = expansion.adjoints(lowered, run, {node: float(node == source) for node in sources})
        return [found[node][1] if node in found else arb(0) for node in sources]

    return _pinned(lowered, point, sources, 2, read)


def _pinned(
    lowered: Lowered,
    point: Mapping[str, float],
    sources: Sequence[int],
    order: int,
    read: Callable[[Expansion, Trace], list[Number]],
) -> list[float | None]:
    bits, found = digits.START, list[float | None]()
    while bits <= MOST:
        with precision(bits):
            try:
                run, _ = digits.values(lowered, point)
                expansion = Expansion(lowered, run, sources, order, BallSeries())
                found = [as_float(number) for number in read(expansion, run)]
            except Indeterminate:
                found = []
            except DomainError:
                return []
        if found and None not in found:
            break
        bits *= 2
    return found


class BallSeries(SeriesAlgebra[Number], Balls):
    """Coefficients in balls."""

    def times(self, a: Number, b: Number) -> Number:
        return self.coefficient(a) * self.coefficient(b)

    def over(self, a: Number, b: Number) -> Number:
        return self.coefficient(a) / self.coefficient(b)

    def total(self, terms: Sequence[Number]) -> Number:
        return sum(terms, arb(0))

    def branch(self, condition: Number) -> bool:
        if condition is None:
            raise Indeterminate
        return bool(condition)

    def key(self, value: Number) -> Hashable | None:
        exact = value.times if isinstance(value, PiMultiple) else value
        return (type(value), str(exact)) if isinstance(exact, fmpq) else None

    def coefficient(self, value: Number) -> Number:
        if isinstance(value, bool) or value is None:
            return value
        return arb(value) if isinstance(value, float | int) else ball(value)

    def partial_text(self, row: Primitive, k: int, given: Sequence[Number]) -> str:
        if row.value == "^" and k == 0 and not is_zero(given[0]):
            whole = isinstance(given[1], fmpq) and given[1].q == 1 and given[1] >= 0
            return row.formula[k] if whole else "v*w/u"
        return row.formula[k]
