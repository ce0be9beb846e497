"""Special functions over float64: the polygamma functions and the spherical Bessel functions; NaN where there is no value.

>>> polygamma(1, 1.0)
1.6449340668482264

Sources: the reflection and asymptotic formulas are 5.5.4, 5.11.2, 5.15 and 25.11 of the NIST Digital Library of
Mathematical Functions (https://dlmf.nist.gov), the spherical Bessel recurrence is 10.51.1, its series 10.53.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache

from autodiff.core.floats import INF, NAN, rounded

TERMS = 16
"""Terms of an asymptotic series that are summed, at most, and one."""


def digamma(u: float) -> float:
    """ψ(u), the slope of ln Γ; NaN at the poles 0, -1, -2, …"""
    return polygamma(0.0, u)


def polygamma(n: float, u: float) -> float:
    """The n-th derivative of ψ, n = 0, 1, 2, …; summed exactly, so only its terms are rounded."""
    if not 0 <= n < 160 or n != int(n) or u != u or (u <= 0 and u % 1 == 0):
        return NAN
    order = int(n)
    try:
        return _reflected(order, u) if u < 0.0 else _polygamma(order, u)
    except (OverflowError, ZeroDivisionError):
        return INF if order % 2 or u < 0 else -INF  # beside 0


def _polygamma(n: int, u: float) -> float:
    """u > 0: shift up by a sum until the asymptotic series holds, then add both in one exact sum."""
    if u == INF:
        return INF if n == 0 else 0.0
    shifts = max(0, math.ceil(12 + n - u))
    x = u + shifts
    if n == 0:
        return math.fsum([math.log(x), *(-1 / (u + k) for k in range(shifts)), -0.5 / x, *_tail(0, x)])
    sign = 1.0 if n % 2 else -1.0
    scale = math.factorial(n)
    direct = (scale / (u + k) ** (n + 1) for k in range(shifts))
    first = scale / n * x**-n
    return sign * math.fsum([*direct, first, 0.5 * scale * x ** -(n + 1), *_tail(n, x)])


def _tail(n: int, x: float) -> Iterable[float]:
    """The Bernoulli terms of ψ⁽ⁿ⁾'s asymptotic series at x, until they no longer count."""
    least = 1e-22 * x**-n
    for k in range(1, TERMS):
        term = tail_coefficient(n, k) * x ** -(2 * k + n)
        if abs(term) < least:
            return
        yield term if n else -term


@lru_cache(maxsize=1024)
def tail_coefficient(n: int, k: int) -> float:
    """The factor of x^-(2k + n) in ψ⁽ⁿ⁾'s asymptotic series, but for the sign (-1)ⁿ⁺¹."""
    return float(_bernoulli(2 * k) * (math.perm(2 * k + n - 1, n - 1) if n else Fraction(1, 2 * k)))


@lru_cache(maxsize=64)
def _bernoulli(n: int) -> Fraction:
    row = [Fraction(0)] * (n + 1)
    for m in range(n + 1):
        row[m] = Fraction(1, m + 1)
        for j in range(m, 0, -1):
            row[j - 1] = j * (row[j - 1] - row[j])
    return row[0]


def _reflected(n: int, u: float) -> float:
    """u < 0: ψ⁽ⁿ⁾(u) = (-1)ⁿ ψ⁽ⁿ⁾(1-u) - π dⁿ/duⁿ cot(πu)."""
    fraction = u - rounded(u)
    near_half = abs(fraction) > 0.25
    cot = math.tan(math.pi * (0.5 - abs(fraction))) if near_half else 1 / math.tan(math.pi * abs(fraction))
    cot = math.copysign(cot, fraction)
    terms = [c * cot**k for k, c in enumerate(cot_derivative(n)) if c]
    return math.fsum([(-1) ** n * _polygamma(n, 1 - u), *(-(math.pi ** (n + 1)) * t for t in terms)])


@lru_cache(maxsize=256)
def cot_derivative(n: int) -> tuple[int, ...]:
    """The coefficients, from the constant up, of the polynomial in cot(πu) that times πⁿ is dⁿ/duⁿ cot(πu); all of one sign."""
    coefficients = [0, 1]
    for _ in range(n):
        slope = [k * c for k, c in enumerate(coefficients)][1:]
        coefficients = [-(a + b) for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    return tuple(coefficients)


def spherical_jn(n: float, u: float) -> float:
    """The spherical Bessel function jₙ(u), n = 0, 1, 2, …; j₀ is sin(u)/u."""
    if not 0 <= n < 1000 or n != int(n) or u != u:
        return NAN
    order, x = int(n), abs(u)
    size = 0.0 if x == INF else _series(order, x) if x < max(1.5, order) else _upward(order, x)
    return -size if u < 0 and order % 2 else size


def _series(n: int, x: float) -> float:
    term = total = math.prod(x / (2 * k + 1) for k in range(1, n + 1))
    terms, k = [total], 1
    while abs(term) > 1e-18 * abs(total) and k < 1000:
        term *= -x * x / (2 * k * (2 * n + 2 * k + 1))
        terms.append(term)
        total, k = math.fsum(terms) or total, k + 1
    return math.fsum(terms)


def _upward(n: int, x: float) -> float:
    before, now = math.cos(x) / x, math.sin(x) / x
    for k in range(n):
        before, now = now, (2 * k + 1) / x * now - before
    return now
