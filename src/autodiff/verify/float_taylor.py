"""Derivatives of higher order in float64, and whether rounding has left their digits: for where no ball arithmetic is installed.

>>> from autodiff import parse
>>> from autodiff.core.lowering import lower
>>> from autodiff.core.evaluate import primal
>>> lowered = lower(parse("x^2*ln(x)"))
>>> derivatives(lowered, primal(lowered, {"x": 2.0}), lowered.graph.find("x"), 3)
[4.772588722239782, 4.386294361119891, 1.0]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random

from autodiff.core.evaluate import Trace
from autodiff.core.lowering import Lowered
from autodiff.numbers.taylor import Expansion, FloatSeries

ALLOWED, UNSEEN = 2e-12, 2.0**-1060
"""How far a number may move when every result is moved by 16 roundings: a part of it, or this much beside 0."""


def derivatives(lowered: Lowered, run: Trace, source: int, order: int) -> list[float | None]:
    """The derivatives of orders 1, 2, … by `source`; NaN where there is no series, None where rounding took digits."""
    return _sure(lowered, run, [source], order, lambda expansion: expansion.derivatives(lowered.result, source, order))


def hessian_row(lowered: Lowered, run: Trace, source: int, sources: Sequence[int]) -> list[float | None]:
    """The second derivatives by `source` and each of the sources, in the same way."""
    return _sure(lowered, run, sources, 2, lambda expansion: expansion.hessian_row(lowered, run, source, sources))


def _sure(
    lowered: Lowered, run: Trace, sources: Sequence[int], order: int, read: Callable[[Expansion], list[float]]
) -> list[float | None]:
    plain = read(Expansion(lowered, run, sources, order))
    moved = [read(Expansion(lowered, run, sources, order, FloatSeries(Random(seed)))) for seed in (1, 2)]
    return [n if all(_same(n, m) for m in others) else None for n, *others in zip(plain, *moved, strict=True)]


def _same(number: float, moved: float) -> bool:
    return not math.isfinite(number) or abs(number - moved) <= ALLOWED * abs(number) + UNSEEN
