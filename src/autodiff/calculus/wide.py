"""Value and slopes with exponents far beyond float64's: for the rare answer that underflow would spoil.

The equations and the texts of the table are the same, the numbers are decimal ones of 50 digits. Functions that only
floats have are asked in floats, and none is asked where that would lose what this is for.

>>> from autodiff import parse
>>> from autodiff.calculus.lower import lower
>>> lowered = lower(parse("1/(1 + exp(x))"))
>>> value, (slope,), checked = answer(lowered, {"x": 400.0}, [lowered.graph.find("x")])
>>> f"{value:.4e}", f"{slope:.4e}", checked
('1.9152e-174', '-1.9152e-174', True)
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Context, Decimal, localcontext
from functools import partial
from typing import NamedTuple

from autodiff.calculus import algebra
from autodiff.calculus.forward import Flow, push
from autodiff.calculus.lower import Lowered
from autodiff.calculus.ops import Row
from autodiff.calculus.primal import Outside, sweep
from autodiff.calculus.reverse import sweep_down

_DIGITS, _EXPONENT = 50, 999_999

_AGREE = Decimal("1e-30")
"""How far both sweeps may be apart, in parts of what they add up."""

_NOTHING = Decimal("1e-40")
"""What is left of a sum whose parts cancel."""

_SMALL = Decimal("1e-12")
"""Below this, a function of 50 digits is its series' first two terms."""

_LEAST, _LARGEST = Decimal("1e-290"), Decimal("1e300")
"""Between these a function is asked in floats."""


class Lost(Exception):
    """The answer is not to be had here: equation `node` needs a function that only floats have, or is a hard point."""

    def __init__(self, node: int | None = None) -> None:
        super().__init__(node)
        self.node = node


class Found(NamedTuple):
    """The value, the slope by each source, and whether a sweep of the other mode confirmed them."""

    value: float
    slopes: tuple[float, ...]
    checked: bool


def answer(lowered: Lowered, point: Mapping[str, float], sources: Sequence[int]) -> Found:
    """Value and slopes; infinite ones are beyond float64. Raises Outside where there is no value, Lost where none is found."""
    with _widely():
        values, factors = _linear(lowered, point, sources)
        return _swept(lowered.result, values[lowered.result], factors, sources)


class Linear(NamedTuple):
    """The program made linear at a point: the value of each equation, and its local slopes where `sources` move it."""

    values: Sequence[Decimal]
    factors: Mapping[int, list[tuple[int, Decimal]]]


def linear(lowered: Lowered, point: Mapping[str, float], sources: Sequence[int]) -> Linear:
    """What `answer` is made of. Raises as it does."""
    with _widely():
        return _linear(lowered, point, sources)


@contextmanager
def _widely() -> Iterator[None]:
    """The range and the digits of these numbers; what has none is Lost."""
    traps = [decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow, decimal.Underflow]
    with localcontext(Context(prec=_DIGITS, Emax=_EXPONENT, Emin=-_EXPONENT, traps=traps, clamp=0)):
        try:
            yield
        except (ArithmeticError, ValueError):
            raise Lost from None


def _linear(lowered: Lowered, point: Mapping[str, float], sources: Sequence[int]) -> Linear:
    graph = lowered.graph
    hard: list[int] = []

    def leaf(node: int) -> Decimal:
        return Decimal(graph.constants[node] if node in graph.constants else point[graph.inputs[node]])

    def apply(node: int, args: Sequence[Decimal]) -> Decimal:
        row = graph.rows[node]
        assert row is not None
        try:
            _stays_inside(row, node, args)
            if _special(row, args, [a not in graph.constants for a in graph.args[node]]):
                hard.append(node)
            return _value(row, args)
        except (Lost, ArithmeticError, ValueError):
            raise Lost(node) from None

    values, order, taken = sweep(graph, lowered.result, leaf, apply, bool)
    if hard:
        raise Lost(hard[0])
    factors = dict[int, list[tuple[int, Decimal]]]()
    moving = set(sources)
    for node in sorted(order):
        args = graph.args[node]
        if moving.isdisjoint(args):
            continue
        row = graph.rows[node]
        assert row is not None
        if node in taken:
            edges = [(taken[node], Decimal(1))] if taken[node] in moving else []
        else:
            given = [*(values[a] for a in args), values[node]]
            names = (*row.params, "w")
            ways = [(a, text) for a, text in zip(args, row.slopes, strict=True) if a in moving and text != "0"]
            edges = [(a, _text(text, names, given)) for a, text in ways]
        if edges:
            factors[node] = edges
            moving.add(node)
    return Linear(values, factors)


def _swept(
    result: int, value: Decimal, factors: Mapping[int, list[tuple[int, Decimal]]], sources: Sequence[int]
) -> Found:
    """Both sweeps, and the sum of all paths without their signs: what is no part of that is a 0."""
    zero = Decimal(0)
    sizes = {node: [(arg, abs(slope)) for arg, slope in edges] for node, edges in factors.items()}
    (found, whole), wanted = (_down(result, each, sources) for each in (factors, sizes)), tuple(dict.fromkeys(sources))
    slopes = {s: g if abs(g := found.get(s, zero)) > _NOTHING * whole.get(s, zero) else zero for s in sources}
    rate = push(factors, dict.fromkeys(wanted, Decimal(1)), _combined).get(result, zero)  # type: ignore[arg-type]
    apart = abs(sum((found.get(s, zero) for s in wanted), zero) - rate)
    checked = apart <= _AGREE * sum((whole.get(s, zero) for s in wanted), zero)
    return Found(float(value), tuple(float(slopes[s]) for s in sources), checked)


def _down(result: int, factors: Mapping[int, list[tuple[int, Decimal]]], sources: Sequence[int]) -> dict[int, Decimal]:
    def pull(node: int, g: Decimal) -> Iterable[tuple[int, Decimal]]:
        return [(arg, g * slope) for arg, slope in factors[node]]

    moves = result in factors or result in sources
    return sweep_down(reversed(list(factors)), {result: Decimal(1)} if moves else {}, pull, Decimal.__add__)


def _combined(seed: Decimal | None, flow: Flow[Decimal]) -> Decimal:
    return sum((Decimal(slope) * rate for slope, rate in flow), seed or Decimal(0))


# --- rows -------------------------------------------------------------------------------------------------------------


def _text(text: str, names: tuple[str, ...], given: Sequence[Decimal]) -> Decimal:
    """A text of the table over these numbers."""
    if text.strip() == "none":
        raise Lost
    lowered = algebra.template(text, names)
    graph, start = lowered.graph, dict(zip(names, given, strict=True))

    def leaf(node: int) -> Decimal:
        return Decimal(graph.constants[node]) if node in graph.constants else start[graph.inputs[node]]

    def apply(node: int, args: Sequence[Decimal]) -> Decimal:
        row = graph.rows[node]
        assert row is not None
        return _value(row, args)

    return sweep(graph, lowered.result, leaf, apply, bool)[0][lowered.result]


def _stays_inside(row: Row, node: int, args: Sequence[Decimal]) -> None:
    for condition, (_, words) in zip(row.domain, algebra.domain(row), strict=True):
        if not _text(condition.partition(" | ")[0], row.params, args):
            raise Outside(node, [float(a) for a in args], words)


def _special(row: Row, args: Sequence[Decimal], free: Sequence[bool]) -> bool:
    """Whether these, of which the `free` ones are no constants, are a corner, a jump, or without a finite slope."""
    if not any(free):
        return False
    places = [row.corner, row.jump.rpartition(" at ")[2], row.vertical]
    if any(text.strip() and _text(text, row.params, args) for text in places):
        return True
    unsloped = [text for text, moves in zip(row.slope_domain, free, strict=True) if text and moves]
    return not all(_text(text, row.params, args) for text in unsloped)


def _value(row: Row, args: Sequence[Decimal]) -> Decimal:
    named = _NAMED.get(row.name) if row.arity == 1 else None
    function = named or _DECIMAL.get(row.value)
    if function is not None:
        return function(*args)
    if row.value.startswith("= "):
        return _text(row.value[2:], row.params, args)
    return _by_floats(row, args)


def _by_floats(row: Row, args: Sequence[Decimal]) -> Decimal:
    if any(a and not _LEAST < abs(a) < _LARGEST for a in args):
        if len(args) == 1 and abs(args[0]) < 1 and row.value in _NEAR_ZERO:
            return _NEAR_ZERO[row.value](args[0])
        raise Lost
    if row.value in _FAR and args[0] > 25:
        return _FAR[row.value](args[0])
    value = algebra.value(row)(*map(float, args))
    exact_zero = value == 0 and not any(args)
    if not math.isfinite(value) or not (exact_zero or abs(value) >= _LEAST):
        raise Lost
    return Decimal(value)


def _power(u: Decimal, v: Decimal) -> Decimal:
    return Decimal(1) if not v else u if not u else u**v


def _modulo(u: Decimal, v: Decimal) -> Decimal:
    rest = u % v
    return rest + v if rest and (rest < 0) != (v < 0) else rest


def _cbrt(u: Decimal) -> Decimal:
    return u and (abs(u) ** (Decimal(1) / 3)).copy_sign(u)


def _expm1(u: Decimal) -> Decimal:
    return u + u * u / 2 + u * u * u / 6 if abs(u) < _SMALL else u.exp() - 1


def _log1p(u: Decimal) -> Decimal:
    return u - u * u / 2 + u * u * u / 3 if abs(u) < _SMALL else (1 + u).ln()


def _sinh(u: Decimal) -> Decimal:
    return u + u * u * u / 6 if abs(u) < _SMALL else (u.exp() - (-u).exp()) / 2


def _cosh(u: Decimal) -> Decimal:
    return (u.exp() + (-u).exp()) / 2


def _tanh(u: Decimal) -> Decimal:
    part = _expm1(-2 * min(abs(u), Decimal(10_000)))
    return (-part / (part + 2)).copy_sign(u)


def _erfc(u: Decimal) -> Decimal:
    """The asymptotic series, e^(-u^2)/(u*sqrt(pi))*(1 - 1/(2*u^2) + 3/(2*u^2)^2 - …), https://dlmf.nist.gov/7.12.E1.

    Its smallest term is of the size of e^(-u^2): beyond 25 that is below 1e-271.
    """
    term = total = Decimal(1)
    for k in range(1, 60):
        term *= -(2 * k - 1) / (2 * u * u)
        total += term
    return (-u * u).exp() / (u * Decimal(math.pi).sqrt()) * total


_DECIMAL: Mapping[str, Callable[..., Decimal]] = {
    "+": Decimal.__add__,
    "-": Decimal.__sub__,
    "*": Decimal.__mul__,
    "/": Decimal.__truediv__,
    "^": _power,
    "neg": Decimal.__neg__,
    "same": Decimal.__pos__,
    "<": lambda u, v: Decimal(u < v),
    "<=": lambda u, v: Decimal(u <= v),
    ">": lambda u, v: Decimal(u > v),
    ">=": lambda u, v: Decimal(u >= v),
    "==": lambda u, v: Decimal(u == v),
    "!=": lambda u, v: Decimal(u != v),
    "not": lambda u: Decimal(not u),
    "abs": abs,
    "min": min,
    "max": max,
    "mod": _modulo,
    "round": partial(Decimal.to_integral_value, rounding=decimal.ROUND_HALF_EVEN),
    "floor": partial(Decimal.to_integral_value, rounding=decimal.ROUND_FLOOR),
    "ceil": partial(Decimal.to_integral_value, rounding=decimal.ROUND_CEILING),
    "sign": lambda u: Decimal((u > 0) - (u < 0)),
    "sqrt": Decimal.sqrt,
    "cbrt": _cbrt,
    "hypot": lambda u, v: (u * u + v * v).sqrt(),
    "exp": Decimal.exp,
    "exp2": lambda u: Decimal(2) ** u,
    "expm1": _expm1,
    "ln": Decimal.ln,
    "log2": lambda u: u.ln() / Decimal(2).ln(),
    "log10": Decimal.log10,
    "log1p": _log1p,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
}
"""What a row's value column may name, for decimal numbers: the counterpart of `algebra.FLOATS`."""

_NAMED: Mapping[str, Callable[..., Decimal]] = {"gaussian": lambda u: (-u * u).exp()}
"""Rows whose text is made for floats."""

_FAR: Mapping[str, Callable[[Decimal], Decimal]] = {"erfc": _erfc}
"""Functions that float64 ends before they do, where their argument is above 25."""

_NEAR_ZERO: Mapping[str, Callable[[Decimal], Decimal]] = {
    **dict.fromkeys(("sin", "tan", "asin", "atan", "asinh", "atanh"), Decimal.__pos__),
    "cos": lambda _: Decimal(1),
    "erf": lambda u: u * 2 / Decimal(math.pi).sqrt(),
    "erfc": lambda _: Decimal(1),
    "acos": lambda _: Decimal(math.pi) / 2,
}
"""Functions that only floats have, where their argument is below 1e-290."""
