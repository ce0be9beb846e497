"""Numbers below 2.2e-308 over blocks of rows: where digits may be lost, and the trial of whether that shows.

The counterpart of `calculus.underflow`, with less patience: what it lets pass, one-shot lets pass as well.

>>> out = np.array([1e-320, 0.0, 1.0])
>>> lifting(rules.TABLE["*", 2], [np.array([1e-200, 0.0, 1.0]), 1e-120])(0, out)
>>> out
array([2.22507386e-308, 0.00000000e+000, 1.00000000e+000])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from autodiff.calculus import rules, underflow
from autodiff.calculus.ops import Row
from autodiff.calculus.underflow import TINY

Numbers: TypeAlias = Any
"""An array of float64, or one number for all rows."""

LIFTS = underflow.LIFTS / 4

_TELLING = frozenset([rules.TABLE[key] for key in (("*", 2), ("/", 2))])
"""Rows whose underflow NumPy tells itself, so that an exact 0 is none."""


def tells(row: Row) -> bool:
    """Whether nothing need be looked for in the row's values."""
    return row in _TELLING or underflow.keeps(row)


def faint(values: Numbers, seen: Numbers) -> bool:
    """Whether one of the values may have lost digits; `seen` is room for as many truth values."""
    np.less(np.abs(values), TINY, seen)
    return bool(seen.any())


def lifting(row: Row, given: Sequence[Numbers]) -> Callable[[int, Numbers], None]:
    """What lifts the results of `row` for these arguments to 2.2e-308 where they may have lost digits."""
    if underflow.keeps(row):
        return lambda *_: None
    zero = [np.equal(a, 0.0) for a in given] if underflow.exact_zeros(row) else []

    def lift(place: int, out: Numbers) -> None:
        small = np.abs(out) < TINY
        for exact in zero:
            small &= ~exact
        if small.any():
            out[small] = np.copysign(underflow.lifted(place, 1.0), out[small])

    return lift


def moved(before: Numbers, after: Numbers) -> Numbers:
    """Where an answer is another one once what may have lost digits is lifted."""
    return ~(np.abs(after - before) <= underflow.RELATIVE * np.abs(before) + LIFTS * TINY)
