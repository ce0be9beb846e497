"""Taylor series with balls as coefficients: derivatives of higher order, and rows of a Hessian, with proven digits.

The equations of `taylor.Expansion` over another algebra: no rule is written twice.

>>> from autodiff.core.lowering import lower
>>> lowered = lower("x/(exp(x) - 1)")
>>> derivatives(lowered, {"x": 1e-3}, lowered.graph.find("x"), 4).numbers
[-0.4998333333388889, 0.166666650000001, -3.3333329365079644e-05, -0.033333321428572815]
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType

from flint import arb, ctx, fmpq

from autodiff.core.evaluate import Indeterminate, Trace
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import Primitive
from autodiff.numbers.ball_numbers import Number, ball, is_zero
from autodiff.numbers.balls import Balls
from autodiff.numbers.pi_multiples import PiMultiple
from autodiff.numbers.taylor import Expansion, SeriesAlgebra
from autodiff.verify.digits import Pinned, pinned, values

MOST = 4096
"""Bits at which a derivative that is not decided yet is given up."""


def derivatives(lowered: Lowered, point: Mapping[str, float], source: int, order: int, digits: int = 0) -> Pinned:
    """The derivatives of orders 1, 2, …; none where balls decide nothing, or there is no series."""
    return pinned(lambda: series(lowered, point, source, order), digits, most=MOST)


def series(
    lowered: Lowered,
    point: Mapping[str, float],
    source: int,
    order: int,
    steps: Mapping[int, fmpq] = MappingProxyType({}),
) -> list[Number]:
    """The same as balls of the current precision, with `steps` added to inputs. Raises Indeterminate and DomainError."""
    trace, _ = values(lowered, point, steps)
    return Expansion(lowered, trace, [source], order, BallSeries()).derivatives(lowered.result, source, order)


def hessian_rows(lowered: Lowered, point: Mapping[str, float], sources: Sequence[int], digits: int = 0) -> list[Pinned]:
    """The second derivatives by each of the sources and each of them; the expansion at a precision serves all rows."""

    @cache
    def expanded(bits: int) -> tuple[Trace, Expansion]:
        trace, _ = values(lowered, point)
        return trace, Expansion(lowered, trace, sources, 2, BallSeries())

    def row(source: int) -> list[Number]:
        trace, expansion = expanded(ctx.prec)
        return expansion.hessian_row(lowered, trace, source, sources)

    return [pinned(partial(row, source), digits, most=MOST) for source in sources]


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
        exact = value.part if isinstance(value, PiMultiple) else value
        return (type(value), str(exact)) if isinstance(exact, fmpq) else None

    def coefficient(self, value: Number) -> Number:
        if type(value) is arb or isinstance(value, bool) or value is None:
            return value
        return arb(value) if isinstance(value, float | int) else ball(value)

    def partial_text(self, row: Primitive, k: int, given: Sequence[Number]) -> str:
        if row.value == "^" and k == 0 and not is_zero(given[0]):
            whole = isinstance(given[1], fmpq) and given[1].q == 1 and given[1] >= 0
            return row.formula[k] if whole else "v*w/u"
        return row.formula[k]
