"""Ball arithmetic as an algebra: exact numbers stay exact, the others are a midpoint and a proven radius.

A row of the table is evaluated by its library function, or by its definition over the same numbers; a partial by the
row's formula.

>>> from autodiff.core import rules
>>> from autodiff.language.exact_float import ExactFloat
>>> from autodiff.numbers.ball_numbers import precision
>>> with precision(128):
...     at = BALLS.constant(ExactFloat(0.1, "0.1"))
...     str(BALLS.apply(rules.TABLE["*", 2], [at, fmpq(3)]))
'3/10'

`value` and `partial` give the float64 nearest to a function of the table that has no algorithm in float64, and to its partials.

>>> value(rules.TABLE["besselj", 2], 0.0, 1.0), partial(rules.TABLE["besselj", 2], 1, 0.0, 1.0)
(0.7651976865579666, -0.4400505857449335)
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from flint import arb, fmpq

from autodiff.core.evaluate import DomainError, Indeterminate
from autodiff.core.primitive import Primitive, by_cases
from autodiff.core.templates import domain
from autodiff.numbers.ball_numbers import Number, as_float, ball, precision, rational, shown
from autodiff.numbers.ball_special import EXACT_SPECIAL, SPECIAL
from autodiff.numbers.exact import ExactNumbers
from autodiff.numbers.pi_multiples import PiMultiple


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
    "normpdf": (1, lambda u: (-u * u / 2).exp() / (2 * arb.pi()).sqrt()),
    "normcdf": (1, lambda u: (-u / arb(2).sqrt()).erfc() / 2),
    "sigmoid": (1, lambda u: 1 / (1 + (-u).exp())),
    "softplus": (1, lambda u: u.exp().log1p()),
    "logsumexp": (2, lambda u, v: u + (v - u).exp().log1p()),
    "logit": (1, lambda u: (u / (1 - u)).log()),
    "sech": (1, arb.sech),
    "csch": (1, arb.csch),
}
"""Rows whose text is an algorithm for floats: name → how many arguments, and the function."""


class Balls(ExactNumbers):
    """Exact numbers, and balls at the precision that holds where a number is not exact; None is an undecided condition."""

    def __init__(self) -> None:
        super().__init__(fmpq, fmpq, lambda number: (int(number.p), int(number.q)))
        self.functions |= EXACT_SPECIAL

    def typed(self, text: str, value: float) -> Number:
        return arb(1).exp() if text == "e" else super().typed(text, value)

    def apply(self, row: Primitive, args: Sequence[Number]) -> Number:
        if row.branches is not None or row.is_predicate:
            return super().apply(row, args)
        exact = self.functions.get(row.value)
        if exact is not None and (value := exact(*args)) is not None:
            return value
        arity, named = NAMED.get(row.name, (0, None))
        if named is not None and row.arity == arity:
            return named(*map(ball, args))
        if row.value in FUNCTIONS:
            return FUNCTIONS[row.value](*map(ball, args))
        return self.text(row.definition, row.params, args)

    def either(self, a: Number, b: Number) -> Number:
        return ball(a).union(ball(b))

    def sign_of_difference(self, a: Number, b: Number) -> int | None:
        apart = ball(a) - ball(b)
        return 1 if apart > 0 else -1 if apart < 0 else 0 if apart.is_zero() else None

    def equation(self, node: int, row: Primitive, args: Sequence[Number]) -> Number:
        self.require_domain(node, row, args)
        value = self.apply(row, args)
        if value is None or (isinstance(value, arb) and not value.is_finite()):
            for name, arg in zip(row.params, args, strict=False):
                if isinstance(arg, PiMultiple) and (2 * arg.part).q == 1:  # sin and cos are 0 or ±1 there
                    raise DomainError(node, [self.as_float(a) for a in args], f"#{name} not to be at a pole")
            raise Indeterminate(node)
        return value

    def as_float(self, value: Number) -> float:
        return shown(value)

    def partial_text(self, row: Primitive, k: int, given: Sequence[Number]) -> str:
        return row.formula[k]

    def partial(self, row: Primitive, k: int, given: Sequence[Number]) -> Number:
        """By the formula; by the text for float64 where that ball may be 0: 1 - tanh(900)^2 needs 2,600 bits, sech(900)^2 few."""
        slope, text = super().partial(row, k, given), row.partials[k]
        if text == row.formula[k] or by_cases(text) or not (isinstance(slope, arb) and slope.contains(0)):
            return slope
        return self.text(text, (*row.params, "w"), given)

    def undefined(self) -> Number:
        return arb.nan()


BALLS = Balls()


# --- the float64 nearest to a function that has no algorithm in float64, and to its partials --------------------------------

_START, _MOST = 96, 12_288
"""Bits to begin with, and those at which a number is given up."""

_TIE = 80
"""Bits of a number that lies in the middle of two float64, so that no precision parts them."""


@lru_cache(maxsize=65_536)
def value(row: Primitive, *args: float) -> float:
    """The float64 nearest to the row's value; NaN outside its domain, where the formula may have one."""
    if not all(inside(*args) for inside, _ in domain(row)):
        return math.nan
    return _nearest(lambda: BALLS.apply(row, [rational(a) for a in args]), *args)


@lru_cache(maxsize=65_536)
def partial(row: Primitive, k: int, *args: float) -> float:
    """The float64 nearest to the row's partial in argument k, at these arguments."""

    def number() -> Number:
        given = [rational(a) for a in args]
        return BALLS.partial(row, k, [*given, BALLS.apply(row, given)])

    return _nearest(number, *args)


def _nearest(number: Callable[[], Number], *args: float) -> float:
    if not all(map(math.isfinite, args)):
        return math.nan
    bits = _START
    while bits <= _MOST:
        with precision(bits):
            try:
                exact = number()
            except Indeterminate:
                return math.nan
            nearest = as_float(exact)
            if nearest is None and bits > _START and ball(exact).rel_accuracy_bits() > _TIE:
                nearest = shown(exact)
        if nearest is not None:
            return nearest
        bits *= 2
    return math.nan
