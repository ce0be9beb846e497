"""Numbers that Python's `math` lacks, or gives without IEEE's infinities: floats in, floats out, never an exception."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, cast

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


BALLS = "autodiff.numbers.balls"
"""The module with the functions of rows `by_balls`, imported by name because it imports this package and python-flint."""


def from_balls(function: str, *start: object) -> Callable[..., float]:
    """`function` of `BALLS` with `start` before the numbers that it is called with; NaN where there are no balls."""

    def nearest(*args: float) -> float:
        try:
            balls = import_module(BALLS)
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

_OWN: Sequence[Callable[..., float]] = [floor, ceil, sign, atan2, cbrt, cosh, log1p, atanh]

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
"""What a row's value column may name, beside the functions of `SPECIAL`: functions of floats that never raise."""

SPECIAL = "autodiff.numbers.float_functions"
"""The module with the functions that take many terms, imported by name because few programs call one."""


def named(value: str) -> Callable[..., float]:
    """The function that a row's value column names."""
    return FLOATS[value] if value in FLOATS else cast("Callable[..., float]", getattr(import_module(SPECIAL), value))
