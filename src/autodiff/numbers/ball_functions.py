"""Functions of balls: exact ones of rational numbers and multiples of π, and python-flint's of everything else.

>>> from autodiff.numbers.ball_numbers import precision
>>> with precision(128):
...     EXACT["sin"](PiMultiple(fmpq(1, 6))), EXACT["sin"](fmpq(1)), BALLS["sin"](arb(1)).str(10, radius=False)
(1/2, None, '0.8414709848')
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import partial
from math import isqrt

from flint import arb, fmpq

from autodiff.numbers.ball_numbers import Number, ball, is_zero
from autodiff.numbers.ball_special import EXACT_SPECIAL, SPECIAL
from autodiff.numbers.exact import PiMultiple, exact_functions, turn

_HUGE = 4096
"""Bits up to which a rational number stays exact."""


def sign(a: Number, b: Number) -> int | None:
    """The sign of a - b; None where the balls overlap."""
    if isinstance(a, PiMultiple) and isinstance(b, PiMultiple):
        a, b = a.part, b.part
    if isinstance(a, fmpq | bool) and isinstance(b, fmpq | bool):
        return (a > b) - (a < b)
    if a is b:
        return 0
    apart = ball(a) - ball(b)
    return 1 if apart > 0 else -1 if apart < 0 else 0 if apart.is_zero() else None


def _small(number: fmpq) -> fmpq | None:
    return number if abs(int(number.p)).bit_length() + int(number.q).bit_length() <= _HUGE else None


def _add(sign: int, a: Number, b: Number) -> Number | None:
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return _small(a + sign * b)
    if isinstance(a, PiMultiple) and isinstance(b, PiMultiple):
        return turn(a.part + sign * b.part)
    if sign < 0 and a is b:
        return fmpq(0)
    return a if is_zero(b) else b if is_zero(a) and sign > 0 else None


def _multiply(a: Number, b: Number) -> Number | None:
    if is_zero(a) or is_zero(b):
        return fmpq(0)  # of an inactive part: 0 times whatever the other factor is
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return _small(a * b)
    exact = (isinstance(a, PiMultiple) and isinstance(b, fmpq)) or (isinstance(b, PiMultiple) and isinstance(a, fmpq))
    return a * b if exact else None


def _divide(a: Number, b: Number) -> Number | None:
    if is_zero(b):
        return None
    if is_zero(a):
        return fmpq(0)
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return _small(a / b)
    return a / b if isinstance(a, PiMultiple) and isinstance(b, fmpq | PiMultiple) else None


def _negative(a: Number) -> Number | None:
    return -a if isinstance(a, fmpq | PiMultiple) else None


def _power(u: Number, v: Number) -> Number | None:
    if is_zero(v):
        return fmpq(1)
    if not isinstance(v, fmpq):
        return fmpq(0) if is_zero(u) and ball(v) > 0 else None
    if v == 1:
        return u
    if is_zero(u):
        return fmpq(0) if v > 0 else None
    if isinstance(u, fmpq) and v.q == 1 and abs(int(v.p)) * (abs(int(u.p)) * int(u.q)).bit_length() <= _HUGE:
        return u ** int(v.p)
    if isinstance(u, fmpq) and v == fmpq(1, 2):
        return _root(u)
    return None


def _root(u: fmpq) -> fmpq | None:
    if u < 0:
        return None
    above, below = int(u.p), int(u.q)
    roots = isqrt(above), isqrt(below)
    return fmpq(*roots) if roots[0] ** 2 == above and roots[1] ** 2 == below else None


def _at(*known: tuple[int, int]) -> Callable[[Number], Number | None]:
    """Exact values at some whole numbers: (argument, value)."""
    table = {a: fmpq(v) for a, v in known}

    def exactly(u: Number) -> Number | None:
        return table.get(int(u.p)) if isinstance(u, fmpq) and u.q == 1 and abs(u) <= 2 else None

    return exactly


EXACT: Mapping[str, Callable[..., Number | None]] = {
    **exact_functions(fmpq, fmpq, lambda u: fmpq(int(u.p) // int(u.q))),
    "+": partial(_add, 1),
    "-": partial(_add, -1),
    "*": _multiply,
    "/": _divide,
    "neg": _negative,
    "same": lambda a: a,
    "^": _power,
    "abs": lambda u: abs(u) if isinstance(u, fmpq | PiMultiple) else None,
    "sign": lambda u: _signed(u),
    "min": lambda a, b: {-1: a, 0: a, 1: b, None: None}[sign(a, b)],
    "max": lambda a, b: {-1: b, 0: a, 1: a, None: None}[sign(a, b)],
    "sqrt": lambda u: _root(u) if isinstance(u, fmpq) else None,
    "exp": _at((0, 1)),
    "exp2": _at((0, 1), (1, 2), (2, 4)),
    "ln": _at((1, 0)),
    "log1p": _at((0, 0)),
    "expm1": _at((0, 0)),
    **{name: _at((0, 0)) for name in ["sinh", "tanh", "asinh", "atanh", "erf", "cbrt"]},
    **{name: _at((0, 1)) for name in ["cosh", "erfc"]},
    "acosh": _at((1, 0)),
    "gamma": _at((1, 1), (2, 1)),
    "lgamma": _at((1, 0), (2, 0)),
    "hypot": lambda u, v: abs(v) if is_zero(u) and isinstance(v, fmpq) else abs(u) if is_zero(v) and isinstance(u, fmpq) else None,
    **EXACT_SPECIAL,
}  # fmt: skip
"""Values that are exact, by what a row's value column names; None where they are not."""


def _signed(u: Number) -> Number | None:
    number = sign(u, fmpq(0))
    return None if number is None else fmpq(number)


# --- balls ------------------------------------------------------------------------------------------------------------


def _ball_power(u: arb, v: arb) -> arb:
    if v.is_exact() and v.is_integer():
        return u**v
    if u > 0:
        return (v * u.log()).exp() if v.is_exact() is False else u**v
    return arb.nan() if not (u.lower() >= 0) else u**v


def _cbrt(u: arb) -> arb:
    if u > 0:
        return u.root(3)
    if u < 0:
        return -(-u).root(3)
    return abs(u).root(3).union(-abs(u).root(3)) if u.is_finite() else arb.nan()


def _modulo(u: arb, v: arb) -> arb:
    return u - v * (u / v).floor()


_OF_FLINT = "sqrt exp expm1 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc"

BALLS: Mapping[str, Callable[..., arb]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "neg": operator.neg,
    "^": _ball_power,
    "abs": abs,
    "sign": lambda u: u.sgn(),
    "min": lambda u, v: u.min(v),
    "max": lambda u, v: u.max(v),
    "floor": lambda u: u.floor(),
    "ceil": lambda u: u.ceil(),
    "round": lambda u: (u + arb(0.5)).floor().union((u - arb(0.5)).ceil()),
    "mod": _modulo,
    "cbrt": _cbrt,
    "hypot": lambda u, v: (u * u + v * v).sqrt(),
    "exp2": lambda u: (u * arb(2).log()).exp(),
    "ln": lambda u: u.log(),
    "log2": lambda u: u.log() / arb(2).log(),
    "log10": lambda u: u.log() / arb(10).log(),
    "atan2": arb.atan2,
    **{name: getattr(arb, name) for name in _OF_FLINT.split()},
    **SPECIAL,
}
"""What a row's value column may name, over balls: the counterpart of `floats.FLOATS`."""

NAMED: Mapping[str, tuple[int, Callable[..., arb]]] = {
    "gaussian": (1, lambda u: (-u * u).exp()),
    "sigmoid": (1, lambda u: 1 / (1 + (-u).exp())),
    "softplus": (1, lambda u: u.exp().log1p()),
    "logsumexp": (2, lambda u, v: u + (v - u).exp().log1p()),
    "logit": (1, lambda u: (u / (1 - u)).log()),
    "sech": (1, arb.sech),
    "csch": (1, arb.csch),
}
"""Rows whose text is an algorithm for floats: name → how many arguments, and the function."""
