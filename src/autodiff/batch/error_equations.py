"""First-order bounds on what rounding does to a program's numbers, as equations beside the program's own.

    y = exp(a*b) - c    is off by at most    (|a*b| + 9)*exp(a*b)    roundings, and by its own

Errors are counted in roundings of 2^-53. Part of a bound is a number known beforehand, for most equations all of it; so a
program gets equations for the sums that may cancel only, and for what its functions make of errors.

>>> from autodiff.core.lowering import lower
>>> from autodiff.codegen.emitter import Emitter
>>> emitter, program = Emitter(), lower("x*x + 1")
>>> of = emitter.copied(program.graph, [program.result])
>>> ErrorEquations(emitter, program.graph, of, unit=1.0, constants={}).bounds[program.result]      # nothing cancels
Bound(own=2.0, relative=None, absolute=None, scale=1.0)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from autodiff.batch.whole_powers import is_product, roundings
from autodiff.codegen.emitter import Emitter
from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.core.primitive import UNDEFINED, ZERO, Primitive
from autodiff.symbolic.signs import never_negative
from autodiff.verify.error_bound import UNKNOWN

_ADD, _SUBTRACT, _MULTIPLY, _DIVIDE, _POWER, _LEAST, _LARGEST, _LESS, _EQUAL = (
    rules.TABLE[name, 2] for name in ("+", "-", "*", "/", "^", "min", "max", "<", "==")
)
_NEGATIVE, _SAME, _ABSOLUTE, _ROOT = (rules.TABLE[name, 1] for name in ("-", "+", "abs", "sqrt"))
_IF, _MOD, _AND = rules.TABLE["if", 3], rules.TABLE["mod", 2], rules.TABLE["and", 2]
_STEPS = frozenset(rules.TABLE[name, 1] for name in ["floor", "ceil", "round"])

ALLOWED = 1e-10 * 2.0**53
"""Roundings that a row of ten right digits may be off."""

_SMOOTH, _HOMOGENEOUS = 2.0**36, 2.0**45
"""Roundings that an argument may be off, and in parts of itself, for the slope to say what a function makes of them."""

_LEAST_SCALE = 1e-250
"""The smallest scale of a bound: no error is lost by underflow, and limits over it are finite."""

_ALIKE = 4.0
"""Parts of bounds whose factors differ by no more are added with the larger factor."""

_Part: TypeAlias = "tuple[int | None, float]"
"""An equation, None for 0, and its factor."""


class Bound(NamedTuple):
    """An equation w is off by at most (own + relative)*|w| + scale*absolute; two of them are equations, None for 0."""

    own: float = 0.0
    relative: int | None = None
    absolute: int | None = None
    scale: float = 1.0

    @property
    def exact(self) -> bool:
        return not self.own and self.relative is None and self.absolute is None


class ErrorEquations:
    """The bounds of the equations of `graph`; `of` says what these are in `line`, which takes up the bounds.

    unit       the roundings of an operation: 1 in float64
    constants  how many roundings constants are off; others, made of them, as many as the worst and some more
    """

    def __init__(
        self, emitter: Emitter, graph: Graph, of: Mapping[int, int], *, unit: float, constants: Mapping[float, float]
    ) -> None:
        self._emitter, self._graph, self._of, self._known = emitter, graph, of, emitter.graph.constants
        self._unit, self._constants = unit, constants
        self._worst = 16.0 + 4 * max(constants.values(), default=0.0)
        self.bounds: dict[int, Bound] = {}
        self._signs: dict[int, int] = {}
        self._curves: list[int] = []
        for node in sorted(of):
            row, number = graph.rows[node], self._known.get(of[node])
            self._signs[of[node]] = self._sign(node, row, number)
            self.bounds[node] = self._leaf(number) if row is None or number is not None else self._called(node, row)

    def exceeded(self, results: Iterable[int]) -> Iterator[int]:
        """Conditions that hold in a row whose results may have fewer than ten right digits."""
        for alarm in (*map(self._exceeded, results), *self._curves):
            if self._known.get(alarm) != 0:
                yield alarm

    def _exceeded(self, node: int) -> int:
        own, relative, absolute, scale = self.bounds[node]
        left, w = ALLOWED - own, self._of[node]
        if absolute is None:
            return self._text("not a <= t", a=self._number(0.0) if relative is None else relative, t=self._number(left))
        if relative is None:
            return self._text("not a <= t*abs(w)", a=absolute, t=self._number(left / scale), w=w)
        limit = self._text("(t - r)*abs(w)", t=self._number(left), r=relative, w=w)
        return self._text("not a*s <= t", a=absolute, s=self._number(scale), t=limit)

    def undecided(self, condition: int, args: Sequence[int]) -> int:
        """The condition that `condition`, where it is an equality about `args`, holds or may hold but for rounding."""
        graph = self._emitter.graph
        if graph.rows[condition] is _AND:
            first, second = graph.args[condition]
            return self._emitter.emit(_AND, (self.undecided(first, args), second))
        if graph.rows[condition] is not _EQUAL:
            return condition
        u, v = graph.args[condition]
        equation_of, t = {self._of[a]: a for a in args}, self._number(2.0**53)
        if u in equation_of and self._known.get(v) == 0:  # an error in parts of u never makes it 0
            error = self._scaled(self._below(self.bounds[equation_of[u]]))
            return condition if error is None else self._text("abs(u)*t <= a", u=u, t=t, a=error)
        if u in equation_of and graph.rows[v] in _STEPS and graph.args[v] == (u,):
            error = self._scaled(self._spread(equation_of[u]))
            return condition if error is None else self._text("abs(u - round(u))*t <= a", u=u, t=t, a=error)
        if graph.rows[u] is _MOD and equation_of.keys() >= set(graph.args[u]) - self._known.keys():
            return self._undecided_remainder(condition, u, v, equation_of)
        if u not in equation_of or v not in equation_of:
            return condition
        error = self._scaled(self._added(self._spread(equation_of[u]), self._spread(equation_of[v])))
        return condition if error is None else self._text("abs(u - v)*t <= a", u=u, v=v, t=t, a=error)

    def _undecided_remainder(self, condition: int, remainder: int, c: int, equation_of: Mapping[int, int]) -> int:
        """Whether the remainder of two numbers may be `c`, or off it by as much as it is of."""
        u, v = self._emitter.graph.args[remainder]
        errors = [self._spread(equation_of[a]) if a in equation_of else (None, 1.0) for a in (u, v)]
        whole = self._text("1 + abs(u/v)", u=u, v=v)
        error = self._scaled(self._added(errors[0], self._times(errors[1], whole)))
        if error is None:
            return condition
        off = self._text("w - c - v*round((w - c)/v)", w=remainder, c=c, v=v)
        return self._text("abs(d)*t <= a", d=off, t=self._number(2.0**53), a=error)

    # --- bounds -------------------------------------------------------------------------------------------------------

    def _leaf(self, number: float | None) -> Bound:
        if number is None:
            return Bound()
        if number in self._emitter.constant_errors:
            roundings = self._emitter.constant_errors[number] * 2.0**53
            if number == 0:
                return Bound(absolute=self._number(1.0), scale=min(roundings, UNKNOWN))
            return Bound(min(max(roundings / abs(number), self._constants.get(number, 0.0)), UNKNOWN))
        if number in self._constants:
            return Bound(self._constants[number])
        return Bound(0.0 if abs(number) <= 2.0**40 and (number * 1024.0).is_integer() else self._worst)

    def _called(self, node: int, row: Primitive) -> Bound:
        args = self._graph.args[node]
        if row.is_predicate or all(self.bounds[a].exact or p == ZERO for a, p in zip(args, row.partials, strict=True)):
            exact = row.is_predicate or row in _UNROUNDED or all(partial == ZERO for partial in row.partials)
            return Bound() if exact else Bound(*self._rounded(row, args, self._of[node]))
        if row is _NEGATIVE or row is _SAME or row is _ABSOLUTE:
            return self.bounds[args[0]]
        if row is _IF:
            return self._chosen(self._of[args[0]], *(self.bounds[a] for a in args[1:]))
        if row is _LEAST or row is _LARGEST:
            u, v = args if row is _LEAST else args[::-1]
            return self._chosen(self._emitter.emit(_LESS, (self._of[u], self._of[v])), *(self.bounds[a] for a in args))
        if row is _ADD or row is _SUBTRACT:
            return self._sum(row, *args)
        return self._function(node, row, args)

    def _chosen(self, condition: int, first: Bound, second: Bound) -> Bound:
        """The one bound or the other."""
        relative, absolute = first.relative, first.absolute
        if (relative, absolute) != (second.relative, second.absolute):
            zero = self._number(0.0)
            pairs = ((relative, second.relative), (self._scaled(self._below(first)), self._scaled(self._below(second))))
            relative, absolute = (
                None
                if a is b is None
                else self._emitter.emit(_IF, (condition, zero if a is None else a, zero if b is None else b))
                for a, b in pairs
            )
            return Bound(max(first.own, second.own), relative, absolute)
        return Bound(max(first.own, second.own), relative, absolute, max(first.scale, second.scale))

    def _sum(self, row: Primitive, u: int, v: int) -> Bound:
        first, second = self.bounds[u], self.bounds[v]
        below = self._added(self._below(first), self._below(second))
        signs = self._signs[self._of[u]], self._signs[self._of[v]] * (1 if row is _ADD else -1)
        if signs[0] * signs[1] > 0:
            own = max(first.own, second.own) + self._unit
            return Bound(own, self._plus(first.relative, second.relative), *below)
        if first.relative is None and second.relative is None:  # |v| is at most |u| + |w|
            if self._simpler(self._of[v], self._of[u]):
                u, first, second = v, second, first
            below = self._added(below, (self._size(self._of[u]), first.own + second.own))
            return Bound(second.own + self._unit, None, *below)
        below = self._added(self._spread(u), self._spread(v))
        return Bound(self._unit, None, *below)

    def _function(self, node: int, row: Primitive, args: Sequence[int]) -> Bound:
        given = tuple(self._of[a] for a in args)
        own, relative = self._rounded(row, args, self._of[node])
        below: _Part = None, 1.0
        for k, (arg, text) in enumerate(zip(args, row.partials, strict=True)):
            bound = self.bounds[arg]
            if bound.exact or text in (ZERO, UNDEFINED):
                continue
            self._curved(row, k, arg)
            spread, law = self._spread(arg), row.scaling
            if row is _MULTIPLY or row is _DIVIDE:
                own, relative, spread = own + bound.own, self._plus(relative, bound.relative), self._below(bound)
            elif law is not None and law.args == (k,):  # f(s*u) is s^e*f(u), or f(u) + e*ln(s)
                exponent = self._emitter.text(f"abs({law.exponent})", row.params, given)
                spread = self._below(bound)
                for part in ((exponent, bound.own), self._times((bound.relative, 1.0), exponent)):
                    if part[0] is None or not part[1]:
                        continue
                    if law.additive:
                        below = self._added(below, part)
                    elif (number := self._known.get(part[0])) is not None:
                        own += number * part[1]
                    else:
                        relative = self._plus(relative, self._scaled(part))
            if text == "w":
                relative = self._plus(relative, self._scaled(spread))
            elif row is _DIVIDE:  # by a reciprocal that other slopes have as well, since dividing takes long
                part = spread if k == 0 else self._times(spread, self._of[node])
                below = self._added(
                    below, self._times(part, self._emitter.emit(_DIVIDE, (self._number(1.0), given[1])))
                )
            elif spread[0] is not None:
                slope = self._emitter.text(text, (*row.params, "w"), (*given, self._of[node]))
                below = self._added(below, self._times(spread, slope))
        return Bound(own, relative, *below)

    def _rounded(self, row: Primitive, args: Sequence[int], node: int) -> tuple[float, int | None]:
        """The roundings of a function itself: a number, and an equation or None."""
        numbers = [self._known.get(self._of[a]) for a in args]
        if row is _DIVIDE or row is _MULTIPLY:
            exact = _power_of_two(numbers[1]) or (row is _MULTIPLY and _power_of_two(numbers[0]))
            return 0.0 if exact else self._unit, None
        if row in (_ADD, _SUBTRACT, _ROOT):
            return self._unit, None
        if row is _POWER and is_product(numbers[1], exact=False):
            return roundings(numbers[1] or 0.0) * self._unit, None
        limit = self._emitter.text(f"2*({row.ulp_error[0]})", (*row.params, "w"), (*(self._of[a] for a in args), node))
        number = self._known.get(limit)
        if number is not None:
            return number * self._unit, None
        return 0.0, self._emitter.emit(_MULTIPLY, (limit, self._number(self._unit)))

    def _curved(self, row: Primitive, k: int, node: int) -> None:
        """Remember the condition that an argument is off by so much that a slope does not say what follows."""
        absolute, scale = self._below(self.bounds[node])
        if absolute is None or row is _MULTIPLY or (row is _DIVIDE and k == 0):
            return
        if row is _DIVIDE or row.domain or row.scaling:
            t = self._number(_HOMOGENEOUS / scale)
            self._curves.append(self._text("a > t*abs(u)", a=absolute, t=t, u=self._of[node]))
        else:
            self._curves.append(self._text("a > t", a=absolute, t=self._number(_SMOOTH / scale)))

    # --- parts of bounds ----------------------------------------------------------------------------------------------

    @staticmethod
    def _below(bound: Bound) -> _Part:
        return bound.absolute, bound.scale

    def _spread(self, node: int) -> _Part:
        """The whole bound of an equation."""
        bound, size = self.bounds[node], self._of[node]
        part = self._added(self._below(bound), self._times((bound.relative, 1.0), size))
        return self._added(part, (self._size(size) if bound.own else None, bound.own))

    def _scaled(self, part: _Part) -> int | None:
        if part[0] is None or part[1] == 1.0:
            return part[0]
        return self._emitter.emit(_MULTIPLY, (part[0], self._number(part[1])))

    def _added(self, first: _Part, second: _Part) -> _Part:
        if first[0] is None or second[0] is None:
            return second if first[0] is None else first
        (low, less), (high, more) = sorted((first, second), key=lambda part: part[1])
        assert low is not None
        if less * _ALIKE < more:
            low = self._emitter.emit(_MULTIPLY, (low, self._number(less / more)))
        return self._plus(low, high), more

    def _plus(self, a: int | None, b: int | None) -> int | None:
        if a is None or b is None:
            return b if a is None else a
        return self._emitter.emit(_ADD, (a, b))

    def _times(self, part: _Part, node: int) -> _Part:
        """A part times the size of an equation."""
        if part[0] is None or not part[1]:
            return None, 1.0
        number = self._known.get(node)
        if number is not None:
            return (part[0], max(part[1] * abs(number), _LEAST_SCALE)) if number else (None, 1.0)
        return self._emitter.emit(_MULTIPLY, (part[0], self._size(node))), part[1]

    def _size(self, node: int) -> int:
        return node if self._signs.get(node, 0) > 0 else self._emitter.emit(_ABSOLUTE, (node,))

    def _simpler(self, u: int, v: int) -> bool:
        """Whether the size of u is easier to have than that of v."""
        return u in self._known or (v not in self._known and self._signs[u] > 0 >= self._signs[v])

    def _number(self, number: float) -> int:
        return self._emitter.graph.constant(float(number))

    def _text(self, text: str, **given: int) -> int:
        return self._emitter.text(text, tuple(given), tuple(given.values()))

    def _sign(self, node: int, row: Primitive | None, number: float | None) -> int:
        """1 where an equation is never negative, -1 where it is never positive, 0 where that is not known."""
        if number is not None or row is None:
            return 0 if number is None else 1 if number >= 0 else -1
        args = [self._of[a] for a in self._graph.args[node]]
        signs = [self._signs[a] for a in args]
        if row is _MULTIPLY or row is _DIVIDE:
            return 1 if args[0] == args[1] else signs[0] * signs[1]
        if row is _NEGATIVE or row is _SAME:
            return -signs[0] if row is _NEGATIVE else signs[0]
        if row is _ADD or row is _SUBTRACT:
            return signs[0] if signs[0] == signs[1] * (1 if row is _ADD else -1) else 0
        if row is _LARGEST or row is _LEAST:
            side = 1 if row is _LARGEST else -1
            return side if side in signs else signs[0] if signs[0] == signs[1] else 0
        if row is _IF:
            return signs[1] if signs[1] == signs[2] else 0
        if row is _POWER:
            return 1 if self._known.get(args[1], 1.0) % 2 == 0 or signs[0] > 0 else 0
        return 1 if row.is_predicate or (row.arity == 1 and never_negative(row)) else 0


_UNROUNDED = frozenset([_NEGATIVE, _SAME, _ABSOLUTE, _LEAST, _LARGEST, _IF])


def _power_of_two(number: float | None) -> bool:
    """Whether multiplying by a number rounds nothing."""
    return number is not None and number != 0 and abs(math.frexp(number)[0]) == 0.5
