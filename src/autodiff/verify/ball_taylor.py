"""Taylor series with balls as coefficients: derivatives of higher order, and rows of a Hessian, with proven digits.

The equations of `taylor.Expansion` over another kind of number: no rule is written twice.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> lowered = lower(parse("x/(exp(x) - 1)"))
>>> derivatives(lowered, {"x": 1e-3}, lowered.graph.find("x"), 4).numbers
[-0.4998333333388889, 0.166666650000001, -3.3333329365079644e-05, -0.033333321428572815]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from flint import arb, fmpq

from autodiff.core.evaluate import Trace
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import Primitive
from autodiff.numbers import balls
from autodiff.numbers.balls import Number, PiMultiple
from autodiff.numbers.taylor import Expansion, Products
from autodiff.verify import digits as proofs
from autodiff.verify.digits import Pinned, pinned, values

MOST = 4096
"""Bits at which a derivative that is not pinned down is left to others."""


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
    """The same as balls of the precision that holds, with `steps` added to inputs. Raises InsufficientPrecision and DomainError."""
    run = Trace(*values(lowered, point, steps)[:3])
    expansion = BallExpansion(lowered, run, [source], order)
    found = expansion.series({source: 1.0}, order)[expansion.of[lowered.result]]
    return [c * math.factorial(m) for m, c in enumerate(found[1:], 1)] + [arb(0)] * (order + 1 - len(found))


def hessian_row(
    lowered: Lowered, point: Mapping[str, float], source: int, sources: Sequence[int], digits: int = 0
) -> Pinned:
    """The second derivatives by `source` and each of the sources."""

    def row() -> list[Number]:
        run = Trace(*values(lowered, point)[:3])
        expansion = BallExpansion(lowered, run, sources, 2)
        found = expansion.adjoints(lowered, run, {node: float(node == source) for node in sources})
        return [found[node][1] if node in found else arb(0) for node in sources]

    return pinned(row, digits, most=MOST)


class _Arithmetic(Products):
    """Products, quotients and sums of balls."""

    def times(self, a: Any, b: Any) -> Any:
        return _ball(a) * _ball(b)

    def over(self, a: Any, b: Any) -> Any:
        return _ball(a) / _ball(b)

    def total(self, terms: Sequence[Any]) -> Any:
        return sum(terms, arb(0))


def _ball(number: Any) -> arb:
    return arb(number) if isinstance(number, float | int) else balls.ball(number)


class BallExpansion(Expansion):
    """The expansion of a program whose equations have balls as values."""

    def __init__(self, lowered: Lowered, run: Trace, sources: Sequence[int], order: int) -> None:
        self._exact: dict[tuple[type, str], int] = {}
        super().__init__(lowered, run, sources, order, _Arithmetic())
        self.values = [v if isinstance(v, bool) or v is None else _ball(v) for v in self.values]

    @staticmethod
    def _smooth(row: Primitive, k: int, values: Sequence[Number]) -> str:
        if row.value == "^" and k == 0 and not balls.is_zero(values[0]):
            whole = isinstance(values[1], fmpq) and values[1].q == 1 and values[1] >= 0
            return row.formula[k] if whole else "v*w/u"
        return row.formula[k]

    @staticmethod
    def _meant(constant: float) -> Any:
        return balls.meaning(constant)

    @staticmethod
    def _holds(condition: Any) -> bool:
        return balls.holds(condition)

    def _is_special(self, row: Primitive, args: Sequence[int]) -> bool:
        moves = [self.moving[a] for a in args]
        return proofs.special(row, [self.values[a] for a in args], moves, -1)

    def _value(self, graph: Graph, node: int, args: Sequence[int]) -> Any:
        row = graph.rows[node]
        assert row is not None
        return balls.apply(row, [self.values[a] for a in args])

    def _leaf(self, value: Any, *, moving: bool) -> int:
        if moving or not isinstance(value, fmpq | PiMultiple):
            return self._append(None, (), arb.nan() if value != value else value, moving=moving)
        key = value if isinstance(value, fmpq) else value.times
        known = self._exact.setdefault((type(value), str(key)), len(self.rows))
        return self._append(None, (), value, moving=False) if known == len(self.rows) else known
