"""Numbers that Python's `math` lacks, or gives without IEEE's infinities: floats in, floats out, never an exception.

Sources: the reflection and asymptotic formulas are 5.5.4, 5.11.2, 5.15 and 25.11 of the NIST Digital Library of
Mathematical Functions (https://dlmf.nist.gov), the spherical Bessel recurrence is 10.51.1, its series 10.53.1.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fractions import Fraction

INF, NAN = math.inf, math.nan


def ieee(function: Callable[..., float]) -> Callable[..., float]:
    """`function` with IEEE's answers where `math` raises: a signed infinity for an overflow, else NaN."""

    def total(*args: float) -> float:
        try:
            return function(*args)
        except OverflowError:
            return math.copysign(INF, args[0])
        except (ValueError, ZeroDivisionError):
            return NAN

    total.__name__ = total.__qualname__ = getattr(function, "__name__", "total")
    return total


def divide(u: float, v: float) -> float:
    """u/v; a number over zero is an infinity with the sign of both."""
    if v:
        return u / v
    return NAN if u == 0 or u != u else math.copysign(INF, u) * math.copysign(1.0, v)


def power(u: float, v: float) -> float:
    """u^v; 0^0 is 1, 0 to a negative power infinite, a negative base to a fractional power NaN."""
    product = PRODUCTS.get(v)
    if product is not None:
        return product(u)
    try:
        return math.pow(u, v)
    except OverflowError:
        return -INF if u < 0 and v % 2 == 1 else INF
    except ValueError:
        return (math.copysign(INF, u) if v % 2 == 1 else INF) if u == 0 else NAN


PRODUCTS: dict[float, Callable[[float], float]] = {
    2.0: lambda u: u * u,
    3.0: lambda u: u * u * u,
    4.0: lambda u: (u * u) * (u * u),
    -1.0: lambda u: divide(1.0, u),
    -2.0: lambda u: divide(1.0, u) * divide(1.0, u),  # 1/u^2 would lose what 1/1e155^2 is
    0.5: ieee(math.sqrt),
}
"""Powers that are not left to `pow`, by their exponents: at most 1.5 units in the last place off (3 for u^4 below a
power of 2), the same one by one and over arrays, and a fraction of its time."""


BALL_FLOATS = "autodiff.numbers.ball_floats"
"""The module with the functions of rows `by_balls`, imported by name because it imports this package and python-flint."""


def from_balls(function: str, *start: object) -> Callable[..., float]:
    """`function` of `BALL_FLOATS` with `start` before the numbers that it is called with; NaN where there are no balls."""

    def nearest(*args: float) -> float:
        try:
            balls = import_module(BALL_FLOATS)
        except ImportError:
            return NAN
        return float(getattr(balls, function)(*start, *args))

    return nearest


def logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    """A logarithm that is -inf at 0."""
    inner = ieee(function)
    return lambda u: -INF if u == 0 else inner(u)


def log1p(u: float) -> float:
    return -INF if u == -1 else ieee(math.log1p)(u)


def atanh(u: float) -> float:
    return math.copysign(INF, u) if abs(u) == 1 else ieee(math.atanh)(u)


def cosh(u: float) -> float:
    return ieee(math.cosh)(abs(u))


def cbrt(u: float) -> float:
    """The cube root, exact where there is an exact one: the C library's, and one step of Newton's."""
    root = math.cbrt(u)
    return root - (root - u / (root * root)) / 3.0 if root and math.isfinite(root) else root


def rounded(u: float) -> float:
    """The nearest whole number, ties to the even one."""
    return float(round(u)) if abs(u) < 2.0**52 else u


def floor(u: float) -> float:
    return float(math.floor(u)) if abs(u) < 2.0**52 else u


def ceil(u: float) -> float:
    return float(math.ceil(u)) if abs(u) < 2.0**52 else u


def modulo(u: float, v: float) -> float:
    """The remainder with the sign of v."""
    return u % v if v and math.isfinite(u) else NAN


def sign(u: float) -> float:
    return 1.0 if u > 0 else -1.0 if u < 0 else 0.0


def atan2(u: float, v: float) -> float:
    return math.atan2(u + 0.0, v + 0.0)  # a zero has no sign here: atan2(0, -0.0) is atan2(0, 0)


def gamma(u: float) -> float:
    if u == 0:
        return math.copysign(INF, u)
    return ieee(math.gamma)(u)


def lgamma(u: float) -> float:
    return INF if u <= 0 and u % 1 == 0 else ieee(math.lgamma)(u)


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
        return INF if order % 2 else -INF


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
    for k in range(1, 16):
        term = _tail_coefficient(n, k) * x ** -(2 * k + n)
        if abs(term) < least:
            return
        yield term if n else -term


@lru_cache(maxsize=1024)
def _tail_coefficient(n: int, k: int) -> float:
    from fractions import Fraction  # takes 2 ms to import, and few programs need it

    return float(_bernoulli(2 * k) * (math.perm(2 * k + n - 1, n - 1) if n else Fraction(1, 2 * k)))


@lru_cache(maxsize=64)
def _bernoulli(n: int) -> Fraction:
    from fractions import Fraction

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
    coefficients = [0, 1]  # dⁿ/duⁿ cot(πu) is πⁿ times this polynomial in cot(πu)
    for _ in range(n):
        slope = [k * c for k, c in enumerate(coefficients)][1:]
        coefficients = [-(a + b) for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    terms = [c * cot**k for k, c in enumerate(coefficients) if c]
    return math.fsum([(-1) ** n * _polygamma(n, 1 - u), *(-(math.pi ** (n + 1)) * t for t in terms)])


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


OPERATORS: Mapping[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "neg": operator.neg,
    "same": operator.pos,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
"""What Python's own operators do, to floats and to arrays alike."""

_OWN: Sequence[Callable[..., float]] = [
    floor,
    ceil,
    sign,
    atan2,
    cbrt,
    cosh,
    log1p,
    atanh,
    gamma,
    lgamma,
    digamma,
    polygamma,
    spherical_jn,
]

_MATH = "sqrt exp exp2 expm1 sin cos tan asin acos atan sinh tanh asinh acosh erf erfc hypot"

FLOATS: Mapping[str, Callable[..., float]] = {
    **OPERATORS,
    "/": divide,
    "^": power,
    "not": operator.not_,
    "abs": abs,
    "min": min,
    "max": max,
    "mod": modulo,
    "round": rounded,
    "ln": logarithm(math.log),
    "log2": logarithm(math.log2),
    "log10": logarithm(math.log10),
    **{function.__name__: function for function in _OWN},
    **{name: ieee(getattr(math, name)) for name in _MATH.split()},
}
"""What a row's value column may name: functions of floats that never raise."""
