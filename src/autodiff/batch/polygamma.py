"""The polygamma functions over blocks of numbers, as `numbers.float_functions` has them: the same terms, summed with their
rounding errors.

>>> out = np.empty(2)
>>> polygamma(1)(np.array([1.0, -0.5]), out=out)
>>> out.tolist()
[1.6449340668482264, 8.934802200544679]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autodiff.numbers.float_functions import TERMS, cot_derivative, tail_coefficient

Vector: TypeAlias = NDArray[np.float64]

HIGHEST = 3
"""The order up to which no power of an argument leaves the range of float64 before the result does."""


def polygamma(n: int) -> Callable[..., None]:
    """The n-th derivative of ψ, n = 0, …, HIGHEST, as an operation with `out`; NaN at 0, -1, -2, …"""

    @np.errstate(all="ignore")  # terms that vanish, and poles
    def run(u: Any, out: Vector) -> None:
        x = np.broadcast_to(u, out.shape)
        below = x < 0
        sums = _summed(_terms(n, np.where(below, 1 - x, x)))
        if below.any():
            sums[below] = _summed([(-1) ** n * sums[below], *_reflection(n, x[below])])
        out[:] = np.where((x <= 0) & (x % 1 == 0), np.nan, sums)

    return run


def _terms(n: int, u: Vector) -> Iterator[Vector]:
    """u > 0: the terms of a sum that shifts u up to where the asymptotic series holds, and those of the series."""
    sign, scale = (1.0 if n % 2 else -1.0), float(math.factorial(n))
    shifts = np.maximum(np.ceil(12 + n - u), 0)
    x = u + shifts
    yield sign * scale / n * x ** (-n) if n else np.log(x)
    for k in range(12 + n):
        yield np.where(k < shifts, sign * scale / (u + k) ** (n + 1), 0.0)
    yield sign * 0.5 * scale / x ** (n + 1)
    for k in range(1, TERMS):
        yield sign * tail_coefficient(n, k) * x ** -(2 * k + n)


def _reflection(n: int, u: Vector) -> list[Vector]:
    """u < 0: the terms of - π dⁿ/duⁿ cot(πu)."""
    fraction = u - np.rint(u)
    size = np.abs(fraction)
    cot = np.copysign(np.where(size > 0.25, np.tan(np.pi * (0.5 - size)), 1 / np.tan(np.pi * size)), fraction)
    return [-(np.pi ** (n + 1)) * c * cot**k for k, c in enumerate(cot_derivative(n)) if c]


def _summed(terms: Iterable[Vector]) -> Vector:
    """The sum of the terms and of what rounding takes of each addition."""
    total: Vector = np.zeros(1)
    carried: Vector = total
    for term in terms:
        after = total + term
        part = after - total
        carried = carried + ((total - (after - part)) + (term - part))
        total = after
    return np.asarray(np.where(np.isfinite(carried), total + carried, total))
