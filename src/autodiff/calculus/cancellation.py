"""Digits that cancel: how far the roundings on the way may move a value.

Each equation is rounded once, and its adjoint says how far that moves the result. What + - * / lose is known exactly, so
x - x and 1.5 - 1.25 lose nothing; another function is off by half a unit in the last place, unless short numbers give a
short one: cos(0) is 1.

>>> from autodiff import parse
>>> from autodiff.calculus.lower import lower
>>> from autodiff.calculus.primal import primal
>>> lowered = lower(parse("(1 - cos(x))/x^2"))
>>> run, (x,) = primal(lowered, {"x": 1e-8}), lowered.graph.inputs
>>> node, moved = lost(lowered, run, adjoints(lowered.result, factors(lowered, run, [x]), [x])) or (0, 0.0)
>>> lowered.source[slice(*lowered.graph.spans[node])], round(moved, 2)
('cos(x)', 1.11)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction

from autodiff.calculus.check import FEW
from autodiff.calculus.forward import in_all_directions
from autodiff.calculus.local import factors
from autodiff.calculus.lower import Lowered
from autodiff.calculus.ops import Row
from autodiff.calculus.primal import Outside, Run, number, sweep
from autodiff.calculus.reverse import adjoints

_EXACTLY: Mapping[str, Callable[..., Fraction]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "neg": lambda a: -a,
    "same": lambda a: a,
    "abs": abs,
    "^": lambda a, b: a ** int(b),
}
_POWERS = 16
"""Whole exponents up to which a power is held against the exact one."""

_CHOOSING = frozenset(["min", "max", "floor", "ceil", "round", "sign"])
"""Functions whose value is exact, but for where they jump."""


def lost(lowered: Lowered, run: Run, backward: Mapping[int, float]) -> tuple[int, float] | None:
    """The equation whose rounding moves the result most, and how far; None where right digits are left.

    `backward` has the adjoints of equations; where there are none, nothing is lost.
    """
    graph, values = lowered.graph, run.values
    known, bounds = dict[int, float](), dict[int, float]()
    for node, g in backward.items():
        row = graph.rows[node]
        if row is not None and node not in run.taken and g:
            args = [values[a] for a in graph.args[node]]
            exact = _exactly(row, args)
            if exact is not None:
                known[node] = g * float(exact - Fraction(values[node]))
            else:
                bounds[node] = abs(g) * _bound(row, args, values[node])
    total = abs(_total(known.values())) + _total(bounds.values())
    if not total > FEW * abs(values[lowered.result]):
        return None
    moved = {node: abs(each) for node, each in (known | bounds).items()}
    worst = max(moved, key=moved.__getitem__)
    return worst, moved[worst]


def _total(parts: Collection[float]) -> float:
    return math.fsum(parts) if all(map(math.isfinite, parts)) else math.inf


def unsure(lowered: Lowered, run: Run, point: Mapping[str, float], names: Mapping[str, int]) -> list[str]:
    """The names by which the slope has few digits: the two modes give others, or equations that are off by their rounding."""
    linear = factors(lowered, run, names.values())
    plain = adjoints(lowered.result, linear, names.values())
    onward = in_all_directions(linear, names).get(lowered.result, {})
    others = [onward, *(_shaken(lowered, point, names, signs) for signs in ((1, 1), (-1, -1), (1, -1)))]
    return [
        name
        for name, node in names.items()
        if any(abs(plain.get(node, 0.0) - other.get(name, 0.0)) > FEW * abs(plain.get(node, 0.0)) for other in others)
    ]


def _shaken(
    lowered: Lowered, point: Mapping[str, float], names: Mapping[str, int], signs: tuple[int, int]
) -> dict[str, float]:
    """The slopes when every equation is off by what rounding may come to, those of even numbers by the first sign."""
    graph = lowered.graph

    def leaf(node: int) -> float:
        return graph.constants[node] if node in graph.constants else point[graph.inputs[node]]

    def apply(node: int, args: Sequence[float]) -> float:
        row, value = graph.rows[node], number(graph, node, args)
        assert row is not None
        exact = _exactly(row, args)
        error = _bound(row, args, value) if exact is None else abs(float(exact - Fraction(value)))
        return value + 2 * signs[node % 2] * error

    try:
        run = Run(*sweep(graph, lowered.result, leaf, apply, bool))
    except Outside:
        return dict.fromkeys(names, math.inf)
    found = adjoints(lowered.result, factors(lowered, run, names.values()), names.values())
    return {name: found.get(node, 0.0) for name, node in names.items()}


def _exactly(row: Row, args: Sequence[float]) -> Fraction | None:
    """The true value of arithmetic; None for other functions."""
    exactly = _EXACTLY.get(row.value)
    if exactly is None or (row.value == "^" and not (abs(args[1]) <= _POWERS and args[1].is_integer())):
        return None
    return exactly(*map(Fraction, args))


def _bound(row: Row, args: Sequence[float], value: float) -> float:
    """How far this value of a function may be from the true one at the same arguments."""
    if row.truth or row.value in _CHOOSING or (_short(value) and all(map(_short, args))):
        return 0.0
    return math.ulp(value) / 2


def _short(number: float) -> bool:
    """Whether a number has few digits: that a function gives one such by chance is as good as excluded."""
    return number == 0 or (2.0**-10 <= abs(number) <= 2.0**20 and (number * 2.0**20).is_integer())
