"""Special functions over float64: the polygamma functions and the spherical Bessel functions; NaN where there is no value.

>>> polygamma(1, 1.0)
1.6449340668482264

Sources: the reflection and asymptotic formulas are 5.5.4, 5.11.2, 5.15 and 25.11 of the NIST Digital Library of
Mathematical Functions (https://dlmf.nist.gov), the spherical Bessel recurrence is 10.51.1, its series 10.53.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import Any

from autodiff.core.floats import INF, NAN, ieee, rounded

TERMS = 16
"""Terms of an asymptotic series that are summed, at most, and one."""

ZERO_OF_DIGAMMA, ITS_REST = 1.4616321449683622, 9.549995429965697e-17
"""The zero of ψ on the right, as a float64 and what that leaves."""

_CONTEXT = Context(prec=40, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""The digits of the gamma function: near the zeros of its logarithm the first twenty cancel."""

_LN_ROOT = Decimal("0.9189385332046727417803297364056176398614")
"""ln √(2π)"""

BESIDE_IT = 0.7
"""How far from there Taylor's series of ψ is used: sums of larger terms lose digits."""

DIRECT = -20.0
"""Left of 0, the argument down to which a sum leads to the right side; a reflection loses digits of ψ⁽ⁿ⁾ between two poles."""


def gamma(u: float) -> float:
    """Γ(u), rounded once."""
    if not -180 < u < 172 or (u <= 23 and u % 1 == 0):  # Python has (u - 1)! of these
        return math.copysign(INF, u) if u == 0 else ieee(math.gamma)(u)
    with localcontext(_CONTEXT):
        size = float(_ln_gamma(u).exp())
    return -size if u < 0 and math.floor(u) % 2 else size


def lgamma(u: float) -> float:
    """ln |Γ(u)|, rounded once between -180 and 180; Python's elsewhere."""
    if u <= 0 and u % 1 == 0:
        return INF
    if not -180 < u < 180 or u in (1, 2):
        return ieee(math.lgamma)(u)
    with localcontext(_CONTEXT):
        return float(_ln_gamma(u))


def _ln_gamma(u: float) -> Decimal:
    """ln |Γ(u)|: Stirling's series at u + n less the logarithm of the product u·(u + 1)⋯(u + n - 1)."""
    n = max(0, math.ceil(20 - u))
    exact = Decimal(u)
    x = exact + n
    tail, square = Decimal(0), 1 / (x * x)
    for coefficient in _stirling():
        tail = tail * square + coefficient
    product = math.prod((exact + k for k in range(n)), start=Decimal(1))
    return (x - Decimal("0.5")) * x.ln() - x + _LN_ROOT + tail / x - abs(product).ln()


@lru_cache(maxsize=1)
def _stirling() -> Sequence[Decimal]:
    """The coefficients of x^(1 - 2k), k = 15, …, 1, in the asymptotic series of ln Γ(x)."""
    exact = [_bernoulli(2 * k) / (2 * k * (2 * k - 1)) for k in range(15, 0, -1)]
    return [Decimal(c.numerator) / c.denominator for c in exact]


@lru_cache(maxsize=1)
def digamma_at_its_zero() -> Sequence[float]:
    return [polygamma(k, ZERO_OF_DIGAMMA) / math.factorial(k) for k in range(1, 56)]


def polynomial(coefficients: Sequence[float], s: Any) -> Any:
    """c₁·s + c₂·s² + …, of a number or an array."""
    total = 0.0 * s
    for c in reversed(coefficients):
        total = (total + c) * s
    return total


def digamma(u: float) -> float:
    """ψ(u), the slope of ln Γ; NaN at the poles 0, -1, -2, …"""
    return polygamma(0.0, u)


def polygamma(n: float, u: float) -> float:
    """The n-th derivative of ψ, n = 0, 1, 2, …; summed exactly, so only its terms are rounded."""
    if not 0 <= n < 160 or n != int(n) or not u > -INF or (u <= 0 and u % 1 == 0):
        return NAN
    order = int(n)
    try:
        if not order and abs(u - ZERO_OF_DIGAMMA) < BESIDE_IT:
            beside: float = polynomial(digamma_at_its_zero(), u - ZERO_OF_DIGAMMA - ITS_REST)
            return beside
        return math.fsum(_reflected(order, u) if u < DIRECT else _terms(order, u))
    except (OverflowError, ZeroDivisionError):
        return INF if order % 2 or u < 0 else -INF  # beside 0


def _terms(n: int, u: float, first: int = 0) -> Iterable[float]:
    """ψ⁽ⁿ⁾(u + first) as a sum: a shift up to where the asymptotic series holds, and that series."""
    if u == INF:
        return [INF] if n == 0 else [0.0]
    shifts = max(first, math.ceil(12 + n - u))
    x = u + shifts
    if n == 0:
        return [math.log(x), *(-1 / (u + k) for k in range(first, shifts)), -0.5 / x, *_tail(0, x)]
    scale = math.factorial(n) if n % 2 else -math.factorial(n)
    half, rest = (n + 1) // 2, n - n // 2  # of powers, which alone may be too small or too large
    direct = (
        scale * (u + k) ** -half * (u + k) ** -(n + 1 - half) * (1 - (n + 1) * _residue(u, k))
        for k in range(first, shifts)
    )
    series = [
        scale / n * x**-rest * x ** -(n // 2) * (1 - n * _residue(u, shifts)),
        0.5 * scale * x**-half * x ** -(n + 1 - half),
    ]
    return [*direct, *series, *(term if n % 2 else -term for term in _tail(n, x))]


def _residue(u: float, k: int) -> float:
    """The part of u + k that rounding took from it."""
    x = u + k
    return ((u - (x - (x - u))) + (k - (x - u))) / x


def _tail(n: int, x: float) -> Iterable[float]:
    """The Bernoulli terms of ψ⁽ⁿ⁾'s asymptotic series at x, until they no longer count, but for the sign (-1)ⁿ⁺¹."""
    least = 1e-22 * x**-n
    for k in range(1, TERMS):
        term = tail_coefficient(n, k) * x ** -(n // 2) * x ** -(n - n // 2 + 2 * k)
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


def _reflected(n: int, u: float) -> Iterable[float]:
    """ψ⁽ⁿ⁾(u) = (-1)ⁿ ψ⁽ⁿ⁾(1-u) - π dⁿ/duⁿ cot(πu) as a sum; the cotangent is that of f = u - round(u), by the same formula."""
    f = u - rounded(u)
    right = [*_terms(n, 1 - u), *(-term for term in _terms(n, -f, 1))]
    return [*(-term if n % 2 else term for term in right), *_terms(n, f)]


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
    if x * x < 4 * order + 6:
        size = _series(order, x)
    else:
        size = 0.0 if x == INF else _upward(order, x) if x >= order else _downward(order, x)
    return -size if u < 0 and order % 2 else size


def _series(n: int, x: float) -> float:
    part, of = x.as_integer_ratio()
    term = total = part**n / (of**n * math.prod(range(3, 2 * n + 2, 2)))  # rounded once
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


def _downward(n: int, x: float) -> float:
    """x < n: the ratios jₖ/jₖ₋₁ from far above n down, times j₀ or j₁, whichever is larger."""
    ratio, size = 0.0, 1.0
    order_0, order_1 = math.sin(x) / x, _upward(1, x)
    start = 0 if abs(order_0) > abs(order_1) else 1
    for k in range(n + 60 + int(math.sqrt(40 * n)), start, -1):
        ratio = x / (2 * k + 1 - x * ratio)
        size *= ratio if k <= n else 1.0
    return size * (order_1 if start else order_0)
