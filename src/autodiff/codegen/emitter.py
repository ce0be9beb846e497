"""Emits equations into a graph: constants are evaluated, known choices taken, and neutral factors left out on the way.

>>> from autodiff.core.rules import TABLE
>>> emitter = Emitter()
>>> x, factor = emitter.graph.input("x"), emitter.graph.constant(1.0)
>>> emitter.emit(TABLE["*", 2], (x, factor)) == x
True
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from autodiff.core import rules, templates
from autodiff.core.graph import Graph
from autodiff.core.primitive import Primitive
from autodiff.language.exact_float import ExactFloat
from autodiff.verify.rounding import Unsure, error_of

_IF, _ABS = rules.TABLE["if", 3], rules.TABLE["abs", 1]
_MUL, _DIV, _POW, _NEG, _SAME = (rules.TABLE[key] for key in (("*", 2), ("/", 2), ("^", 2), ("-", 1), ("+", 1)))


LOST = 2.0**-48
"""The part of a constant that may be off by rounding."""


class Emitter:
    """Appends equations to a graph, folded by rules that change no number.

    Constants are evaluated, 1*g, u^1 and the sign in abs(-u) disappear, a choice by a known condition is its branch; a
    condition that is used as a number becomes one. `constant_errors` says how far folded constants may be off.
    """

    def __init__(self, graph: Graph | None = None) -> None:
        self.graph = Graph() if graph is None else graph
        self.constant_errors: dict[float, float] = {}

    def emit(self, row: Primitive, args: tuple[int, ...]) -> int:
        """The equation `row(args)`, or the older one that it comes to."""
        args = tuple([a if k < row.conditions else self.number(a) for k, a in enumerate(args)])
        if row is _SAME:
            return args[0]
        folded = self._taken(row, args) if row.branches is not None else self._folded(row, args)
        return self.graph.call(row, args) if folded is None else folded

    def number(self, node: int) -> int:
        """A condition as 1 or 0; every other equation as it is."""
        row = self.graph.rows[node]
        if row is None or not row.is_predicate:
            return node
        return self.graph.call(_IF, (node, self.graph.constant(1.0), self.graph.constant(0.0)))

    def text(self, text: str, names: tuple[str, ...], given: tuple[int, ...]) -> int:
        """A text of the table, its names filled in."""
        return templates.filled(text, dict(zip(names, given, strict=True)), self.graph.constant, self.emit)

    def copied(
        self,
        graph: Graph,
        roots: Sequence[int],
        known: Mapping[int, int] = MappingProxyType({}),
        apart: Mapping[int, str] = MappingProxyType({}),
    ) -> dict[int, int]:
        """The equations of `graph` behind `roots`, emitted here: the number that each of them has here.

        known  equations that are here already; an input that is not among them is an input of the same name
        apart  equations that stay equations of their own, by the name that they get
        """
        of: dict[int, int] = {}
        rows, args, emit = graph.rows, graph.args, self.emit
        for node in graph.reaching(*roots, *apart):
            row = rows[node]
            if node in known:
                of[node] = known[node]
            elif row is not None:
                of[node] = emit(row, tuple([of[a] for a in args[node]]))
            elif node in graph.constants:
                of[node] = self.graph.constant(graph.constants[node])
            else:
                of[node] = self.graph.input(graph.inputs[node])
            if node in apart:
                span = graph.spans[node]
                of[node] = self.graph.named(self.number(of[node]), apart[node], len(self.graph), _SAME, span)
        return of

    def _constant(self, node: int, value: float) -> bool:
        """Whether an equation is exactly this number: cosh(1e-8) is 1 in float64 only, and x/cosh(1e-8) is not x."""
        number = self.graph.constants.get(node)
        return number == value and not isinstance(number, ExactFloat) and value not in self.constant_errors

    def loses_digits(self, node: int) -> bool:
        """Whether an equation of constants was not folded to a number with nearly all of its digits."""
        number = self.graph.constants.get(node)
        if number is None:
            return True
        return not isinstance(number, ExactFloat) and self.constant_errors.get(number, 0.0) > LOST * abs(number)

    def _folded(self, row: Primitive, args: tuple[int, ...]) -> int | None:
        known = self.graph.constants
        if args and all(a in known for a in args):
            if not all(inside(*(known[a] for a in args)) for inside, _ in templates.domain(row)):
                return None
            value = float(templates.value(row)(*(known[a] for a in args)))
            # a comparison is folded to what it is of these numbers, as it would be where the code runs
            error = 0.0 if row.is_predicate else self._error(row, [known[a] for a in args], value)
            if not math.isfinite(value) or (error and abs(value) < sys.float_info.min):  # it has lost digits, or all
                return None
            if error:
                self.constant_errors[value] = max(error, self.constant_errors.get(value, 0.0))
            return self.graph.constant(value)
        if row is _MUL:
            return self._product(args)
        if row is _DIV or row is _POW:
            return args[0] if self._constant(args[1], 1) else None
        if (row is _NEG or row is _ABS) and self.graph.rows[args[0]] is _NEG:
            inner = self.graph.args[args[0]][0]
            return inner if row is _NEG else self.emit(_ABS, (inner,))
        return None

    def _error(self, row: Primitive, args: Sequence[float], value: float) -> float:
        """How far a folded constant may be off."""
        errors = [a.error if isinstance(a, ExactFloat) else self.constant_errors.get(a, 0.0) for a in args]
        try:
            return error_of(row, args, errors, value)
        except (Unsure, OverflowError):
            return math.inf

    def _product(self, args: tuple[int, ...]) -> int | None:
        """1*g is g, -1*g is -g, and g times a choice between 1 and 0 is the choice between g and 0."""
        for factor, other in (args, args[::-1]):
            if self._constant(factor, 1):
                return other
            if self._constant(factor, -1):
                return self.emit(_NEG, (other,))
            choice = self.graph.args[factor]
            if self.graph.rows[factor] is _IF and any(
                self._constant(u, 1) and self._constant(v, 0) for u, v in (choice[1:], choice[:0:-1])
            ):
                return self.emit(_IF, (choice[0], *(other if self._constant(c, 1) else c for c in choice[1:])))
        return None

    def _taken(self, row: Primitive, args: tuple[int, ...]) -> int | None:
        return row.taken(args, self.graph.constants)


class UnfoldedEmitter(Emitter):
    """Equations as the one-shot evaluation meets them: in `c and false` it evaluates c, which may be a special point."""

    def _folded(self, row: Primitive, args: tuple[int, ...]) -> int | None:
        return None

    _taken = _folded
