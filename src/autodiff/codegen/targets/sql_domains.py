"""Arithmetic that an engine can stop at, in forms that give NULL or 0 instead.

PostgreSQL ends a query where a product, a quotient, a power or an exponential is too small for a number, where a
divisor is 0, and where an argument is outside a function's domain; others give NULL there. So a row with a domain
is evaluated under it only, and a product that may be too small is compared with the smallest number first.
"""

from __future__ import annotations

import math

from autodiff.codegen.dialect import DialectEmitter
from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.core.primitive import Primitive, elementwise

_IF, _MUL, _DIV = (rules.TABLE[key] for key in (("if", 3), ("*", 2), ("/", 2)))
_BETWEEN = frozenset(rules.TABLE[key] for key in (("+", 2), ("-", 2)))
_SAME_SIZE = frozenset(rules.TABLE[key] for key in (("-", 1), ("+", 1), ("abs", 1)))
_SQRT, _COS = rules.TABLE["sqrt", 1], rules.TABLE["cos", 1]

PRODUCT = elementwise("product", "u v", "*", "v", "u", rule="", doc="a product that may be 0", example="")
SQUARE = elementwise("square", "u", "= u*u", "2*u", rule="", doc="a square that may be 0", example="")
QUOTIENT = elementwise("quotient", "u v", "/", "1/v", "-w/v", rule="", doc="a quotient that may be 0", example="")

_SMALLEST, _MOST = -1074.0, 1024.0
"""The binary exponents of the smallest and the largest number."""

_LEAST, _LARGE = -1040.0, 990.0
"""What is taken for them where nothing is known, so that products by constants of common size stay as they are."""

_DEEP = 4


def total(emitter: DialectEmitter, row: Primitive, args: tuple[int, ...]) -> int | None:
    """`row(args)` in a form that no engine stops at; None where it is one already."""
    graph = emitter.graph
    if all(a in graph.constants for a in args):
        return None
    if row is _MUL:
        if (
            _least(graph, args[0]) + _least(graph, args[1]) >= _SMALLEST
            and sum(_size(graph, a, _LARGE) for a in args) <= _MOST
        ):
            return None
        return graph.call(SQUARE, args[:1]) if args[0] == args[1] else graph.call(PRODUCT, args)
    if row is _DIV and (
        _least(graph, args[0]) - _size(graph, args[1], _MOST) < _SMALLEST
        or _size(graph, args[0], _LARGE) - _size(graph, args[1], -_LARGE) > _MOST
    ):
        return graph.call(QUOTIENT, args)
    inside = [emitter.in_place(text, row, args) for text, _ in row.domain]
    value = graph.call(row, args)
    for condition in reversed(inside):
        value = emitter.emit(_IF, (condition, value, graph.constant(math.nan)))
    return value if inside else None


def _size(graph: Graph, node: int, other: float) -> float:
    """The binary exponent of a constant; `other` of anything else, and of 0."""
    return math.log2(abs(graph.constants[node])) if graph.constants.get(node) else other


def _least(graph: Graph, node: int, deep: int = 0) -> float:
    """A binary exponent that an equation is not below, unless it is 0."""
    row, args = graph.rows[node], graph.args[node]
    if row is None:
        known = graph.constants.get(node)
        return _LEAST if known is None else math.log2(abs(known)) if known else math.inf
    if deep == _DEEP:
        return _LEAST
    least = _LEAST
    if row is _IF:
        least = min(_least(graph, a, deep + 1) for a in args[1:])
    elif row is _MUL:
        least = _least(graph, args[0], deep + 1) + _least(graph, args[1], deep + 1)
    elif row is _DIV:
        least = _least(graph, args[0], deep + 1) - _size(graph, args[1], _MOST)
    elif row in _SAME_SIZE:
        least = _least(graph, args[0], deep + 1)
    elif row is _SQRT:
        least = _least(graph, args[0], deep + 1) / 2
    elif row is _COS:
        least = -65.0  # no number is nearer to an odd multiple of pi/2
    elif row in _BETWEEN:  # what is left of c - u is at least half a unit in the last place of c
        least = max((math.log2(abs(graph.constants[a])) - 54 for a in args if graph.constants.get(a)), default=_LEAST)
    return max(least, _SMALLEST)
