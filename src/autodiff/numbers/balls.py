"""Ball arithmetic: a midpoint and a proven radius, by python-flint's `arb`; rational numbers and multiples of π stay exact.

A row of the table is evaluated by its library function, or by its definition over the same numbers; a slope by the row's
formula. Precision is the caller's: `with precision(bits): …`.

>>> from autodiff.core import rules
>>> with precision(128):
...     at = meaning(Typed(0.1, "0.1"))
...     str(apply(rules.TABLE["*", 2], [at, fmpq(3)]))
'3/10'
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

from flint import arb, ctx, fmpq

from autodiff.core import rules, templates
from autodiff.core.evaluate import sweep
from autodiff.core.primitive import Primitive
from autodiff.language.typed import Typed, ratio

Number: TypeAlias = Any
"""A `fmpq` (exact), a `PiMultiple` (exact), an `arb` (midpoint and radius), or the bool of a condition."""

_HUGE = 4096
"""Bits up to which a rational number stays exact."""


class InsufficientPrecision(Exception):
    """A condition that a ball of this precision does not decide; `node` is the equation, where it is known."""

    def __init__(self, node: int | None = None) -> None:
        super().__init__(node)
        self.node = node


class PiMultiple:
    """A rational multiple of π, exact; 0 is never one."""

    __slots__ = ("times",)

    def __init__(self, times: fmpq) -> None:
        self.times = times

    def ball(self) -> arb:
        """The same as a ball."""
        return arb.pi() * arb(self.times)


_PLUS, _TIMES = rules.TABLE["+", 2], rules.TABLE["*", 2]


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Balls are rounded to so many bits inside."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def rational(value: float) -> fmpq:
    """A float64, exactly."""
    return fmpq(*float(value).as_integer_ratio())


def meaning(value: float) -> Number:
    """What a number stands for: a typed one is what was typed, a float64 is itself."""
    if not isinstance(value, Typed):
        return rational(value)
    if not isinstance(value.meaning, str):
        graph = value.meaning.graph
        return sweep(graph, value.meaning.result, lambda n: meaning(graph.constants[n]), _applied(graph), holds)[0][
            value.meaning.result
        ]
    if value.meaning in _CONSTANTS:
        return _CONSTANTS[value.meaning]()
    parts = ratio(value.meaning)
    return rational(value) if parts is None else fmpq(*parts)


_CONSTANTS: Mapping[str, Callable[[], Number]] = {
    "pi": lambda: PiMultiple(fmpq(1)),
    "tau": lambda: PiMultiple(fmpq(2)),
    "e": lambda: arb(1).exp(),
}


def _applied(graph: Any) -> Callable[[int, Sequence[Number]], Number]:
    def applied(node: int, args: Sequence[Number]) -> Number:
        return apply(graph.rows[node], args)

    return applied


def ball(number: Number) -> arb:
    """A number as a ball at the precision that holds."""
    if isinstance(number, arb):
        return number
    if isinstance(number, PiMultiple):
        return number.ball()
    return arb(number if isinstance(number, fmpq | float) else int(number))


def holds(condition: Number) -> bool:
    """Whether a condition is true. Raises InsufficientPrecision where its ball does not say."""
    if condition is None:
        raise InsufficientPrecision
    return bool(condition)


def is_zero(number: Number) -> bool:
    """Whether a number is exactly 0."""
    return isinstance(number, fmpq) and number == 0


# --- rows -------------------------------------------------------------------------------------------------------------


def apply(row: Primitive, args: Sequence[Number]) -> Number:
    """The value of a row: exact where it can be, else a ball; None for a condition that is not decided."""
    if row.is_predicate and row.branches is None:
        return _condition(row, args)
    function = EXACT.get(row.value)
    if function is not None and (found := function(*args)) is not None:
        return found
    name = row.name if row.name in NAMED and row.arity == NAMED[row.name][0] else ""
    if name:
        return NAMED[name][1](*map(ball, args))
    if row.value in BALLS:
        return BALLS[row.value](*map(ball, args))
    return text(row.definition, row.params, args)


def times(a: Number, b: Number) -> Number:
    """a times b."""
    return apply(_TIMES, (a, b))


def plus(a: Number, b: Number) -> Number:
    """a plus b."""
    return apply(_PLUS, (a, b))


def text(source: str, names: tuple[str, ...], given: Sequence[Number]) -> Number:
    """A text of the table over these numbers. A choice that is not decided is the union of both of its sides."""
    lowered = templates.template(source, names)
    graph, start = lowered.graph, dict(zip(names, given, strict=True))
    values: dict[int, Number] = {}

    def value(node: int) -> Number:
        row, args = graph.rows[node], graph.args[node]
        if row is None:
            return meaning(graph.constants[node]) if node in graph.constants else start[graph.inputs[node]]
        if row.branches is None:
            return apply(row, [values[a] for a in args])
        return _choice(row, [values[a] for a in args])

    for node in graph.reaching(lowered.result):
        values[node] = value(node)
    return values[lowered.result]


def _choice(row: Primitive, args: Sequence[Number]) -> Number:
    assert row.branches is not None
    condition = args[0]
    if condition is not None:
        return args[row.branches[0] if condition else row.branches[1]]
    if row.is_predicate:
        other = args[1]  # `c and false` is false, `c or true` is true, whatever c is
        return other if other is not None and bool(other) != (row.branches[0] == 1) else None
    sides = [args[k] for k in row.branches]
    return None if None in sides else ball(sides[0]).union(ball(sides[1]))


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def _condition(row: Primitive, args: Sequence[Number]) -> bool | None:
    if row.arity == 1:
        return None if args[0] is None else not args[0]
    if None in args:
        return None
    compare, sign = _COMPARISONS[row.value], _sign(*args)
    return None if sign is None else compare(sign, 0)


def _sign(a: Number, b: Number) -> int | None:
    """The sign of a - b; None where the balls overlap."""
    if isinstance(a, fmpq | bool) and isinstance(b, fmpq | bool):
        return (a > b) - (a < b)
    if isinstance(a, PiMultiple) and isinstance(b, PiMultiple):
        return (a.times > b.times) - (a.times < b.times)
    if a is b:
        return 0
    apart = ball(a) - ball(b)
    return 1 if apart > 0 else -1 if apart < 0 else 0 if apart.is_zero() else None


# --- exact numbers ----------------------------------------------------------------------------------------------------


def _small(number: fmpq) -> fmpq | None:
    return number if abs(int(number.p)).bit_length() + int(number.q).bit_length() <= _HUGE else None


def _pi(times: fmpq) -> Number:
    return PiMultiple(times) if times != 0 else fmpq(0)


def _rationals(function: Callable[..., Any]) -> Callable[..., Number | None]:
    """An exact function of rational numbers; None for others."""

    def exactly(*args: Number) -> Number | None:
        return function(*args) if all(isinstance(a, fmpq) for a in args) else None

    return exactly


def _add(sign: int, a: Number, b: Number) -> Number | None:
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return _small(a + sign * b)
    if isinstance(a, PiMultiple) and isinstance(b, PiMultiple):
        return _pi(a.times + sign * b.times)
    if sign < 0 and a is b:
        return fmpq(0)
    return a if is_zero(b) else b if is_zero(a) and sign > 0 else None


def _multiply(a: Number, b: Number) -> Number | None:
    if is_zero(a) or is_zero(b):
        return fmpq(0)  # of an inactive part: 0 times whatever stands beside it
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return _small(a * b)
    if isinstance(a, PiMultiple) and isinstance(b, fmpq):
        return PiMultiple(a.times * b)
    return PiMultiple(b.times * a) if isinstance(b, PiMultiple) and isinstance(a, fmpq) else None


def _divide(a: Number, b: Number) -> Number | None:
    if is_zero(b):
        return None
    if is_zero(a):
        return fmpq(0)
    if isinstance(b, fmpq):
        return _small(a / b) if isinstance(a, fmpq) else PiMultiple(a.times / b) if isinstance(a, PiMultiple) else None
    both = isinstance(a, PiMultiple) and isinstance(b, PiMultiple)
    return a.times / b.times if both else None


def _negative(a: Number) -> Number | None:
    return -a if isinstance(a, fmpq) else PiMultiple(-a.times) if isinstance(a, PiMultiple) else None


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
    from math import isqrt

    if u < 0:
        return None
    above, below = int(u.p), int(u.q)
    roots = isqrt(above), isqrt(below)
    return fmpq(*roots) if roots[0] ** 2 == above and roots[1] ** 2 == below else None


def _floor(u: fmpq) -> fmpq:
    return fmpq(int(u.p) // int(u.q))


def _round(u: fmpq) -> fmpq:
    down = _floor(u)
    rest = u - down
    up = rest > fmpq(1, 2) or (rest == fmpq(1, 2) and int(down.p) % 2 == 1)
    return down + 1 if up else down


def _at(*known: tuple[int, int]) -> Callable[[Number], Number | None]:
    """Exact values at some whole numbers: (argument, value)."""
    table = {a: fmpq(v) for a, v in known}

    def exactly(u: Number) -> Number | None:
        return table.get(int(u.p)) if isinstance(u, fmpq) and u.q == 1 and abs(u) <= 2 else None

    return exactly


def _turned(shift: fmpq) -> Callable[[Number], Number | None]:
    """The sine of a multiple of π moved by `shift`, where it is 0, ±1/2 or ±1; of 0 too."""

    def exactly(u: Number) -> Number | None:
        times = u.times if isinstance(u, PiMultiple) else fmpq(0) if is_zero(u) else None
        if times is None:
            return None
        sixths = 6 * (times + shift)
        return None if sixths.q != 1 else _SINES.get(int(sixths.p) % 12)

    return exactly


_SINES = {
    0: fmpq(0),
    1: fmpq(1, 2),
    3: fmpq(1),
    5: fmpq(1, 2),
    6: fmpq(0),
    7: fmpq(-1, 2),
    9: fmpq(-1),
    11: fmpq(-1, 2),
}


def _tangent(u: Number) -> Number | None:
    if is_zero(u):
        return u
    if not isinstance(u, PiMultiple) or (4 * u.times).q != 1:
        return None
    return {0: fmpq(0), 1: fmpq(1), 3: fmpq(-1)}.get(int((4 * u.times).p) % 4)


def _angles(known: Mapping[fmpq, fmpq]) -> Callable[[Number], Number | None]:
    return lambda u: _pi(known[u]) if isinstance(u, fmpq) and u in known else None


def _angle(u: Number, v: Number) -> Number | None:
    """The angle of a point on an axis or a diagonal."""
    if not (isinstance(u, fmpq) and isinstance(v, fmpq)) or (u != 0 and v != 0 and abs(u) != abs(v)):
        return None
    if u == 0:
        return None if v == 0 else _pi(fmpq(0 if v > 0 else 1))
    quarters = 2 if v == 0 else 1 if v > 0 else 3
    return PiMultiple(fmpq(quarters if u > 0 else -quarters, 4))


_HALF = fmpq(1, 2)

EXACT: Mapping[str, Callable[..., Number | None]] = {
    "+": partial(_add, 1),
    "-": partial(_add, -1),
    "*": _multiply,
    "/": _divide,
    "neg": _negative,
    "same": lambda a: a,
    "^": _power,
    "abs": lambda u: abs(u) if isinstance(u, fmpq) else PiMultiple(abs(u.times)) if isinstance(u, PiMultiple) else None,
    "sign": lambda u: _signed(u),
    "min": lambda a, b: {-1: a, 0: a, 1: b, None: None}[_sign(a, b)],
    "max": lambda a, b: {-1: b, 0: a, 1: a, None: None}[_sign(a, b)],
    "floor": _rationals(_floor),
    "ceil": _rationals(lambda u: -_floor(-u)),
    "round": _rationals(_round),
    "mod": _rationals(lambda u, v: u - v * _floor(u / v) if v != 0 else None),
    "sqrt": _rationals(_root),
    "exp": _at((0, 1)),
    "exp2": _at((0, 1), (1, 2), (2, 4)),
    "ln": _at((1, 0)),
    "log1p": _at((0, 0)),
    "expm1": _at((0, 0)),
    "sin": _turned(fmpq(0)),
    "cos": _turned(_HALF),
    "tan": _tangent,
    "asin": _angles({fmpq(0): fmpq(0), fmpq(1): _HALF, fmpq(-1): -_HALF, _HALF: fmpq(1, 6), -_HALF: fmpq(-1, 6)}),
    "acos": _angles({fmpq(0): _HALF, fmpq(1): fmpq(0), fmpq(-1): fmpq(1), _HALF: fmpq(1, 3), -_HALF: fmpq(2, 3)}),
    "atan": _angles({fmpq(0): fmpq(0), fmpq(1): fmpq(1, 4), fmpq(-1): fmpq(-1, 4)}),
    **{name: _at((0, 0)) for name in ["sinh", "tanh", "asinh", "atanh", "erf", "cbrt"]},
    "atan2": _angle,
    "cosh": _at((0, 1)),
    "erfc": _at((0, 1)),
    "acosh": _at((1, 0)),
    "gamma": _at((1, 1), (2, 1)),
    "lgamma": _at((1, 0), (2, 0)),
    "hypot": lambda u, v: abs(v) if is_zero(u) and isinstance(v, fmpq) else abs(u) if is_zero(v) and isinstance(u, fmpq) else None,
}  # fmt: skip
"""Values that are exact, by what a row's value column names; None where they are not."""


def _signed(u: Number) -> Number | None:
    sign = _sign(u, fmpq(0))
    return None if sign is None else fmpq(sign)


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


def _lgamma(u: arb) -> arb:
    return u.lgamma() if u > 0 else abs(u.gamma()).log()


def _polygamma(n: Number, u: arb) -> arb:
    from flint import acb

    if n == 0:
        return u.digamma()
    whole = n.unique_fmpz()
    if u > 0:
        sign = 1 if int(whole) % 2 else -1
        positive: arb = sign * (n + 1).gamma() * acb(n + 1).zeta(acb(u)).real
        return positive
    return _reflected(int(whole), u)


def _reflected(n: int, u: arb) -> arb:
    """The polygamma function of a negative number, moved up by whole steps: ψ(u) = ψ(u + k) ∓ n!·Σ 1/(u + j)^(n+1)."""
    steps = int(float((-u).upper())) + 2
    if steps > 100_000:
        return arb.nan()
    total, sign = arb(0), 1 if n % 2 else -1
    for j in range(steps):
        total += 1 / (u + j) ** (n + 1)
    factorial = arb(n + 1).gamma()
    return _polygamma(arb(n), u + steps) + sign * factorial * total


def _spherical(n: Number, u: arb) -> arb:
    """j_n(u) = u^n/(2n+1)!!·0F1(; n + 3/2; -u²/4), https://dlmf.nist.gov/10.53.E1."""
    whole = int(n.unique_fmpz())
    double = arb(1)
    for k in range(3, 2 * whole + 2, 2):
        double *= k
    return u**whole / double * (-u * u / 4).hypgeom_0f1(arb(whole) + arb(3) / 2)


def _modulo(u: arb, v: arb) -> arb:
    return u - v * (u / v).floor()


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
    "lgamma": _lgamma,
    "polygamma": _polygamma,
    "spherical_jn": _spherical,
    **{
        name: getattr(arb, name)
        for name in [
            "sqrt",
            "exp",
            "expm1",
            "log1p",
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "sinh",
            "cosh",
            "tanh",
            "asinh",
            "acosh",
            "atanh",
            "erf",
            "erfc",
            "gamma",
            "digamma",
        ]
    },
}
"""What a row's value column may name, over balls: the counterpart of `algebra.FLOATS`."""

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
