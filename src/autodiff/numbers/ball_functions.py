"""Functions of balls, python-flint's for the most part, by the names in the table's value column.

>>> from autodiff.numbers.ball_numbers import precision
>>> with precision(128):
...     FUNCTIONS["sin"](arb(1)).str(10, radius=False)
'0.8414709848'
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from flint import arb

from autodiff.numbers.ball_special import SPECIAL


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

FUNCTIONS: Mapping[str, Callable[..., arb]] = {
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
