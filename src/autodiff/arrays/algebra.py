"""Arrays as numbers of the engine: values, partials, both modes and special points of a program over NumPy arrays.

>>> from autodiff.core.lowering import lower
>>> lowered = lower("mean((w*x)^2)")
>>> trace = evaluate(lowered, {"w": 2.0, "x": np.array([1.0, 2.0])})
>>> trace.values[lowered.result], vjp(trace, [0])[0], jvp(trace, {0: 1.0})[lowered.result]  # w is equation 0
(10.0, 10.0, 10.0)

Where a condition differs from element to element, both branches are computed and each element takes its own; what an
element does not need can't be outside a domain, and its adjoint is a structural zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from autodiff.arrays import functions, linearize
from autodiff.arrays.linearize import evaluated, reduced_axis, widened
from autodiff.arrays.masks import needed
from autodiff.arrays.shapes import ShapeError, pointing, shape_error
from autodiff.arrays.ufuncs import EACHWISE, Array, Shape, Value, number, shape
from autodiff.core.algebra import free_conditions
from autodiff.core.evaluate import DomainError, Trace
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ELEMENTWISE, GENERAL, LINEAR, UNDEFINED, ZERO, Primitive
from autodiff.errors import Span

Linear: TypeAlias = "dict[int, list[tuple[int, Any]]]"
"""Each active equation → (argument, partial); a partial is a `PartialOf`, or the number or array that it is."""


class PartialOf(NamedTuple):
    """The partial of equation `node` in its argument `k`, which each sweep computes when it needs it."""

    node: int
    k: int


@dataclass(frozen=True, slots=True)
class ArrayTrace:
    """What a pass over the equations leaves, as `core.evaluate.Trace` does.

    `values[i]` is None where equation i was not needed or is not kept; `order` lists the others, arguments first;
    `needed_where[i]` is, where not all elements of equation i are needed, which ones are; `inactive` are not needed at all.
    """

    lowered: Lowered
    values: list[Any]
    order: Sequence[int]
    needed_where: Mapping[int, Array] = field(default_factory=dict)
    inactive: frozenset[int] = frozenset()

    @property
    def of_equations(self) -> Trace:
        """The same as the engine has it: a choice that takes both branches has taken none."""
        return Trace(self.values, [*self.order], {})


class Shake(Protocol):
    """Moves constants, arguments, results and adjoints by a few roundings (see `verify.random_rounding`)."""

    def constant(self, value: float) -> float: ...
    def arguments(self, row: Primitive, args: list[Any]) -> list[Any]: ...
    def result(self, row: Primitive, args: Sequence[Any], value: Any) -> Any: ...
    def matrices(self, row: Primitive, args: list[Any]) -> list[Any]: ...
    def part(self, row: Primitive, k: int, args: Sequence[Any], adjoint: Any, value: Any) -> Any: ...
    def plus(self, a: Any, b: Any) -> Any: ...


class _Evaluation(functions.ArrayValues):
    """The values of one program: faults are collected, and count where their elements turn out to be needed."""

    def __init__(self, lowered: Lowered, shake: Shake | None) -> None:
        self.lowered, self.shake = lowered, shake
        self.faults: dict[int, tuple[Sequence[Any], list[tuple[Any, str]]]] = {}
        self.flagged = (
            False  # whether a NumPy loop overflowed, divided by zero or made a NaN, as its flags say at no cost
        )

    def __call__(self, kind: str, flag: int) -> None:
        self.flagged = True

    def constant(self, value: float) -> Value:
        return value if self.shake is None else self.shake.constant(value)

    def equation(self, node: int, row: Primitive, args: Sequence[Value]) -> Value:
        if row.branches is not None:
            return self._choice(row, args, self.lowered.graph.spans[node])
        args = [number(a) if k >= row.conditions else a for k, a in enumerate(args)]
        self.flagged = False
        if self.shake is None:
            value = self._applied(node, row, args)
        else:
            moved = self.shake.arguments(row, args)
            value = self.shake.result(row, moved, self._applied(node, row, moved))
        suspect = self.flagged or raises_no_flag(row) or not isinstance(value, np.ndarray)
        faults = [(~np.asarray(inside(*args)), needs) for inside, needs in functions.domain(row)]
        if suspect:
            faults.append((~np.isfinite(value), ""))
        if any(np.any(fault) for fault, _ in faults):
            self.faults[node] = args, faults
        return value

    def _applied(self, node: int, row: Primitive, args: Sequence[Value]) -> Value:
        spans = self.lowered.graph.spans
        try:
            return functions.apply(row, args, spans[node])
        except ShapeError as error:
            raise pointing(error, [shape(a) for a in args], [spans[a] for a in self.lowered.graph.args[node]]) from None

    def _choice(self, row: Primitive, args: Sequence[Value], span: Span) -> Value:
        assert row.branches is not None
        condition, yes, no = args[0], args[row.branches[0]], args[row.branches[1]]
        if not isinstance(condition, np.ndarray):
            return yes if condition else no
        try:
            return np.where(condition, yes, no)
        except ValueError:
            raise shape_error(row, [shape(a) for a in args], span) from None

    def require_domains(self, trace: ArrayTrace) -> None:
        """Raise DomainError for the first element that is needed and has no value, if there is one."""
        for node, (args, faults) in self.faults.items():
            for fault, needs in faults if node not in trace.inactive else ():
                row = self.lowered.graph.rows[node]
                if node in trace.needed_where and row is not None and row.kind == ELEMENTWISE:
                    fault = fault & trace.needed_where[node]
                if np.any(fault):
                    wide = np.shape(fault)
                    place = tuple(int(i) for i in np.argwhere(fault)[0]) if wide else ()
                    raise DomainError(node, [_element(a, place, wide) for a in args], needs, place, wide)


def raises_no_flag(row: Primitive) -> bool:
    """Whether the values come from outside NumPy's own loops."""
    return row.value not in EACHWISE if row.kind == ELEMENTWISE else row.value == "matmul"


def _element(value: Value, place: Sequence[int], wide: Sequence[int]) -> float:
    """The element of an argument that a place of the broadcast result is made from."""
    if value is None or shape(value) == ():
        return float("nan") if value is None else float(value)
    fits = len(place) >= len(shape(value)) and all(
        s in (1, w) for s, w in zip(shape(value)[::-1], wide[::-1], strict=False)
    )
    return float(np.broadcast_to(value, wide)[tuple(place)]) if fits else float("nan")


class _Sweeps(functions.ArrayValues):
    """The partials of a trace, both modes over them, and the special points."""

    def __init__(self, trace: ArrayTrace, convention: str = "", shake: Shake | None = None) -> None:
        self.trace, self.convention, self.shake = trace, convention, shake
        self.graph = trace.lowered.graph
        self._row: Primitive | None = None
        self._args: list[Value] = []
        self._node = -1  # the equation whose row and arguments these are: each of its partials needs them

    def edges(self, graph: Graph, trace: Trace, node: int, active: Collection[int]) -> list[tuple[int, Any]]:
        row, args, inactive = graph.rows[node], graph.args[node], self.trace.inactive
        if row is None or node in inactive:
            return []
        none = (ZERO,) if row.kind == ELEMENTWISE else (ZERO, UNDEFINED)  # an index, an axis or a size is a constant
        wanted = [k for k, a in enumerate(args) if a in active and row.partials[k] not in none]
        return [(args[k], PartialOf(node, k)) for k in wanted if args[k] not in inactive]

    def pull(self, partial: Any, adjoint: Value) -> Value:
        if not isinstance(partial, PartialOf):
            return self.times(adjoint, partial)
        node, k = partial
        row, args = self._given(node)
        values, mask = self.trace.values, self.trace.needed_where.get(node)
        args = args if self.shake is None else self.shake.matrices(row, args)
        part = linearize.pull(row, k, args, values[node], adjoint, mask, self.convention)
        if self.shake is None or row.branches is not None:
            return part
        return self.shake.part(row, k, [values[a] for a in self.graph.args[node]], adjoint, part)  # type: ignore[no-any-return]

    def push(self, partial: Any, tangent: Value) -> Value:
        node, k = partial
        row, args = self._given(node)
        return linearize.push(row, k, args, self.trace.values[node], tangent, self.trace.needed_where.get(node))

    def _given(self, node: int) -> tuple[Primitive, list[Value]]:
        """The row of an equation and its arguments, conditions among them counted as 1 and 0."""
        if node != self._node:
            values = self.trace.values
            self._node, self._row = node, self.graph.rows[node]
            args = [values[a] for a in self.graph.args[node]]
            self._args = args if self._row and self._row.branches else [number(a) for a in args]
        assert self._row is not None  # a leaf has no partials
        return self._row, self._args

    def plus(self, a: Value, b: Value) -> Value:
        return a + b if self.shake is None else self.shake.plus(a, b)

    def times(self, a: Value, b: Value) -> Value:
        return a * b

    def is_special(
        self, row: Primitive, args: Sequence[Value], free: Sequence[object], node: int | None = None
    ) -> bool:
        assert node is not None
        if node in self.trace.inactive or not any(free):
            return False
        given = [number(a) for a in args]
        given.append(widened(self.trace.values[node], reduced_axis(row, given)))
        texts = free_conditions(row, free)
        texts += [f"not ({t})" for t, is_free in zip(row.partial_domain, free, strict=True) if t and is_free]
        mask = self.trace.needed_where.get(node, True) if row.kind == ELEMENTWISE else True
        return any(bool(np.any(evaluated(text, (*row.params, "w"), given) * mask)) for text in texts)


# --- what the rest of the program calls ---------------------------------------------------------------------------------


def evaluate(
    lowered: Lowered,
    point: Mapping[str, Value],
    known: Mapping[int, Value] | None = None,
    results: Sequence[int] = (),
    order: Sequence[int] | None = None,
    shake: Shake | None = None,
    unused: Mapping[int, Sequence[int]] | None = None,
) -> ArrayTrace:
    """The values. Raises DomainError, with the element's index, where a value does not exist; AutodiffError for shapes.

    known    values that need not be computed again
    results  what to compute; the program's result unless given
    order    which equations to evaluate, arguments first; all that the results are made from unless given
    shake    moves results by a few roundings (see `verify.random_rounding`)
    unused   per equation, the values that nothing needs any more after it: only their shapes are kept
    """
    graph, known = lowered.graph, known or {}
    order = graph.reaching(*(results or (lowered.result,))) if order is None else order
    engine = _Evaluation(lowered, shake)

    def equations(values: list[Value]) -> Iterator[int]:
        for node in order:
            yield node
            for done in unused.get(node, ()) if unused else ():
                if shape(values[done]):
                    values[done] = _without_elements(shape(values[done]))

    with np.errstate(all="call", under="ignore", call=engine):
        values = engine.evaluate(lowered, point, known, equations).values
    trace = ArrayTrace(lowered, values, order)
    if any(row is not None and row.branches is not None for row in map(graph.rows.__getitem__, order)):
        trace = ArrayTrace(lowered, values, order, *needed(graph, values, order, results or (lowered.result,), known))
    engine.require_domains(trace)
    return trace


@lru_cache(maxsize=256)
def _without_elements(shape: Shape) -> Array:
    """An array of a shape that takes no room."""
    return np.broadcast_to(np.nan, shape)


def linear(trace: ArrayTrace, sources: Collection[int]) -> Linear:
    """Each active equation between `sources` and the result, with its active arguments."""
    return _Sweeps(trace).linearize(trace.lowered, trace.of_equations, sources)


def vjp(
    trace: ArrayTrace,
    sources: Sequence[int],
    convention: str = "",
    seed: Value = 1.0,
    edges: Linear | None = None,
    shake: Shake | None = None,
    kept: Collection[int] | None = None,
) -> dict[int, Value]:
    """Reverse mode: the derivative of the result, times `seed`, in each equation between it and `sources`, shaped like it.

    edges   what `linear` gives for these sources, where it is known already
    shake   moves adjoints by a few roundings (see `verify.random_rounding`)
    kept    the equations whose adjoints are wanted; all unless given
    """
    edges, result, values = linear(trace, sources) if edges is None else edges, trace.lowered.result, trace.values
    with np.errstate(all="ignore"):
        seeds = {result: seed} if result in edges or result in sources else {}
        adjoints = _Sweeps(trace, convention, shake).vjp(edges, seeds, kept)
        return {
            node: g if shape(g) == shape(values[node]) else np.broadcast_to(g, shape(values[node]))
            for node, g in adjoints.items()
            if values[node] is not None
        }


def jvp(trace: ArrayTrace, seeds: Mapping[int, Value]) -> dict[int, Value]:
    """Forward mode: the tangent of every equation that depends on those of `seeds`, which have these."""
    with np.errstate(all="ignore"):
        return _Sweeps(trace).jvp(linear(trace, [*seeds]), seeds)


def sizes(trace: ArrayTrace, adjoints: Mapping[int, Value], tangents: Mapping[int, Value]) -> float:
    """The sum of the sizes of all products that a sweep adds up: rounding errors are a small multiple of it."""
    engine, rows, total = _Sweeps(trace), trace.lowered.graph.rows, 0.0
    with np.errstate(all="ignore"):
        for node, edges in linear(trace, [*tangents]).items():
            if node not in adjoints or node not in tangents:
                continue
            g, row = adjoints[node], rows[node]
            total += float(np.sum(np.abs(g * tangents[node])))
            for arg, partial in edges if row is not None and row.branches is None else ():
                total += float(np.sum(np.abs(engine.pull(partial, g) * tangents[arg])))
                if row is not None and row.kind in (LINEAR, GENERAL):  # sums in it may cancel, or all round one way
                    largest = np.max(np.abs(tangents[arg])) + np.size(tangents[arg]) * np.max(np.abs(tangents[node]))
                    total += float(np.sum(np.abs(g)) * largest)
    return total


def special_points(trace: ArrayTrace) -> list[int]:
    """The equations with an element exactly at a kink, at a jump, or where a partial is infinite or missing."""
    with np.errstate(all="ignore"):
        return _Sweeps(trace).special_points(trace.lowered, trace.of_equations)
