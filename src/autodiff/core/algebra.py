"""A kind of number: what a constant is, what a primitive does to it, and which way a condition goes.

A new kind of number writes these three down, and has values, partials, both modes and special points from the engine
below, which is written once. `evaluate`, `linearize`, `jvp` and `vjp` are the same engine over floats, with the table's
texts compiled.

>>> class Names(Algebra[str]):
...     def constant(self, value):
...         return f"{value:g}"
...     def apply(self, row, args):
...         return f"{row.name}({', '.join(args)})"
>>> from autodiff.core.rules import TABLE
>>> Names().text("-2*u*w", ("u", "w"), ("x", "y")), Names().partial(TABLE["*", 2], 0, ("x", "y", "z"))
('*(*(-(2), x), y)', 'y')
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import compress
from math import isfinite
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from autodiff.core import rules, templates
from autodiff.core.evaluate import DomainError, Indeterminate, Trace, sweep
from autodiff.core.graph import Graph
from autodiff.core.linearize import active
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import UNDEFINED, ZERO, Primitive
from autodiff.core.vjp import pull_back

T = TypeVar("T")

PLUS, TIMES = rules.TABLE["+", 2], rules.TABLE["*", 2]


class Algebra(Generic[T]):
    """What a kind of number gives the engine: `constant` and `apply` have to be written, the rest where it differs."""

    def constant(self, value: float) -> T:
        """A constant of a program, or of a text of the table."""
        raise NotImplementedError

    def apply(self, row: Primitive, args: Sequence[T]) -> T:
        """The value of a primitive; of a choice only where `branch` does not decide: what both branches come to."""
        raise NotImplementedError

    def branch(self, condition: T) -> bool | None:
        """Whether a condition holds; None where that is not decided, or differs from element to element."""
        return bool(condition)

    def checked(self, node: int, args: Sequence[T], value: T) -> T:
        """The value of an equation of a program. Raises DomainError or Indeterminate where it is none."""
        return value

    def as_float(self, value: T) -> float:
        """A value as a float, for messages."""
        return float(value)  # type: ignore[arg-type]

    def partial_text(self, row: Primitive, k: int, given: Sequence[T]) -> str:
        """The text of the partial in argument k that suits these numbers: the arguments and the result."""
        return row.partials[k]

    def undefined(self) -> T:
        """The partial in an argument that must not be active."""
        return self.constant(float("nan"))

    def plus(self, a: T, b: T) -> T:
        return self.apply(PLUS, (a, b))

    def times(self, a: T, b: T) -> T:
        return self.apply(TIMES, (a, b))

    # --- the engine ---------------------------------------------------------------------------------------------------

    def text(self, source: str, names: tuple[str, ...], given: Sequence[T]) -> T:
        """A text of the table over these numbers; no domain is checked in it."""
        lowered = templates.template(source, names)
        return self.unchecked(lowered, dict(zip(names, given, strict=True))).values[lowered.result]  # type: ignore[no-any-return]

    def unchecked(self, lowered: Lowered, inputs: Mapping[str, T]) -> Trace:
        """The trace of a program of which no domain is checked."""
        graph = lowered.graph
        rows: Sequence[Any] = graph.rows  # no leaf among those that are applied
        leaf: Callable[[int], T] = lambda node: graph.leaf(node, inputs, self.constant)  # noqa: E731
        return sweep(graph, lowered.result, leaf, lambda node, args: self.apply(rows[node], args), self.branch)

    def evaluate(
        self,
        lowered: Lowered,
        inputs: Mapping[str, T],
        known: Mapping[int, T] = MappingProxyType({}),
        equations: Callable[[list[T]], Iterable[int]] | None = None,
    ) -> Trace:
        """The values of a program; equations that are `known` have these, whatever they are made of.

        Raises DomainError where a value does not exist, Indeterminate where that or a branch is not decided; for
        `equations` see `sweep`.
        """
        graph = lowered.graph
        rows: Sequence[Any] = graph.rows  # no leaf among those that are applied

        def leaf(node: int) -> T:
            return known[node] if node in known else graph.leaf(node, inputs, self.constant)

        def apply(node: int, args: Sequence[T]) -> T:
            return known[node] if node in known else self.equation(node, rows[node], args)

        def decided(condition: T) -> bool:
            holds = self.branch(condition)
            if holds is None:
                raise Indeterminate
            return holds

        return sweep(graph, lowered.result, leaf, apply, decided, equations)

    def equation(self, node: int, row: Primitive, args: Sequence[T]) -> T:
        """The value of an equation of a program."""
        self.require_domain(node, row, args)
        return self.checked(node, args, self.apply(row, args))

    def require_domain(self, node: int, row: Primitive, args: Sequence[T]) -> None:
        """Raise DomainError where the arguments of an equation lie outside, Indeterminate where that is not decided."""
        for condition, words in row.domain:
            inside = self.branch(self.text(condition, row.params, args))
            if inside is None:
                raise Indeterminate(node)
            if not inside:
                raise DomainError(node, [self.as_float(a) for a in args], words)

    def linearize(self, lowered: Lowered, trace: Trace, sources: Collection[int]) -> dict[int, list[tuple[int, Any]]]:
        """Each active equation between `sources` and the result → (argument, partial) for each active argument."""
        graph, active = lowered.graph, set(sources)
        linear: dict[int, list[tuple[int, Any]]] = {}
        for node in sorted(trace.order):
            if graph.rows[node] is not None and not active.isdisjoint(graph.args[node]):
                edges = self.edges(graph, trace, node, active)
                if edges:
                    linear[node] = edges
                    active.add(node)
        return linear

    def edges(self, graph: Graph, trace: Trace, node: int, active: Collection[int]) -> list[tuple[int, Any]]:
        """The active arguments of an equation, each with the partial in it; `pull` and `push` define what a partial is."""
        if node in trace.taken:
            return [(trace.taken[node], self.constant(1.0))] if trace.taken[node] in active else []
        row, args, values = graph.rows[node], graph.args[node], trace.values
        assert row is not None  # a leaf has no arguments
        given = [*(values[a] for a in args), values[node]]
        wanted = (k for k, a in enumerate(args) if a in active and row.partials[k] != ZERO)
        return [(args[k], self.partial(row, k, given)) for k in wanted]

    def pull(self, partial: Any, adjoint: T) -> T:
        """What an adjoint of an equation gives to an argument."""
        return self.times(adjoint, partial)

    def push(self, partial: Any, tangent: T) -> T:
        """What a tangent of an argument gives to the equation."""
        return self.times(partial, tangent)

    def partial(self, row: Primitive, k: int, given: Sequence[T]) -> T:
        """The partial of a primitive in argument k, at its arguments and its result."""
        text = self.partial_text(row, k, given)
        return self.undefined() if text == UNDEFINED else self.text(text, (*row.params, "w"), given)

    def vjp(
        self,
        linear: Mapping[int, Sequence[tuple[int, Any]]],
        seeds: Mapping[int, T],
        kept: Collection[int] | None = None,
    ) -> dict[int, T]:
        """Reverse mode: the adjoint of every equation that those with seeds depend on, or of the `kept` ones alone."""
        pull = lambda node, g: ((a, self.pull(p, g)) for a, p in linear[node])  # noqa: E731
        return pull_back(reversed(list(linear)), dict(seeds), pull, self.plus, kept)

    def jvp(self, linear: Mapping[int, Sequence[tuple[int, Any]]], seeds: Mapping[int, T]) -> dict[int, T]:
        """Forward mode: the tangent of every equation that depends on those with seeds."""
        tangents = dict(seeds)
        for node, edges in linear.items():
            for arg, partial in edges:
                if arg in tangents:
                    part = self.push(partial, tangents[arg])
                    tangents[node] = self.plus(tangents[node], part) if node in tangents else part
        return tangents

    def special_points(self, lowered: Lowered, trace: Trace, sources: Iterable[int] = ()) -> list[int]:
        """The equations exactly at a kink, at a jump, or where a partial is infinite or missing.

        With `sources`, those that are so for the slopes by these: x^(2*3) has none in 2*3, which does not depend on x.
        """
        graph, values = lowered.graph, trace.values
        reached = active(graph, trace.order, sources, trace.taken) if sources else set()
        # what moves where an input does: not numel(v) of an array, nor floor(x) between whole numbers
        mobile, jumped, special = {*graph.inputs, *sources}, set[int](), []
        for node in trace.order:
            row, args = graph.rows[node], graph.args[node]
            if row is None:
                continue
            moved = [a in mobile for a in args]
            free = [a in reached and is_moved for a, is_moved in zip(args, moved, strict=True)]
            free = free if any(free) else moved
            if (
                node not in trace.taken
                and not row.never_changes(args)
                and self.is_special(row, [values[a] for a in args], free, node)
            ):
                special.append(node)
                jumped.add(node)
            elif not jumped.isdisjoint(args):
                jumped.add(node)
            if node in jumped or any(m and partial != ZERO for m, partial in zip(moved, row.partials, strict=True)):
                mobile.add(node)
        return special

    def is_special(self, row: Primitive, args: Sequence[T], free: Sequence[object], node: int | None = None) -> bool:
        """Whether these arguments, of which the `free` ones are no constants, are a special point of the row."""
        if not any(free):
            return False
        if any(is_free and slope == UNDEFINED for is_free, slope in zip(free, row.partials, strict=True)):
            return True
        tests = [(text, True) for text in free_conditions(row, free)]
        tests += [(text, False) for text, is_free in zip(row.partial_domain, free, strict=True) if text and is_free]
        for text, special in tests:
            met = self.branch(self.text(text, row.params, args))
            if met is None:
                raise Indeterminate(node)
            if met == special:
                return True
        return False


def free_conditions(row: Primitive, free: Sequence[object]) -> list[str]:
    """The conditions of a row's special points that its `free` arguments, or its result `w`, have a part in."""
    params = {*compress(row.params, free), "w"}
    return [text for text in row.special_conditions if params & templates.used(text, (*row.params, "w"))]


class Floats(Algebra[float]):
    """float64, without the compiled texts that `evaluate` and `linearize` have for it."""

    def constant(self, value: float) -> float:
        return value

    def apply(self, row: Primitive, args: Sequence[float]) -> float:
        return templates.value(row)(*args)

    def checked(self, node: int, args: Sequence[float], value: float) -> float:
        if not isfinite(value):
            raise DomainError(node, args)
        return value
