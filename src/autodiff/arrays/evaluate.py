"""Values over arrays: a whole table of rows in one pass over the equations.

>>> from autodiff import parse
>>> from autodiff.core.lowering import lower
>>> lowered = lower(parse("mean((w*x)^2)"))
>>> values(lowered, {"w": 2.0, "x": np.array([1.0, 2.0])}).values[lowered.result]
10.0

Where a condition differs from element to element, both branches are computed and each element takes its own; what an
element does not need can't be outside a domain, and nothing flows back through it: its zero is structural.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from autodiff.arrays import functions
from autodiff.arrays.masks import needed
from autodiff.arrays.shapes import ShapeError, broadcast, pointing, shape_error
from autodiff.arrays.ufuncs import EACHWISE, Array, Value, number, shape
from autodiff.core.evaluate import DomainError
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ELEMENTWISE, Primitive
from autodiff.errors import Span


def _raises_no_flag(row: Primitive) -> bool:
    """Whether the values come from outside NumPy's own loops."""
    return row.value not in EACHWISE if row.kind == ELEMENTWISE else row.value == "matmul"


@dataclass(frozen=True, slots=True)
class ArrayTrace:
    """What a pass over the equations leaves.

    `values[i]` is None where equation i was not needed or is not kept; `order` lists the others, arguments first;
    `needed_where[i]` is, where not all elements of equation i are needed, which ones are; `inactive` are not needed at all.
    """

    lowered: Lowered
    values: list[Any]
    order: Sequence[int]
    needed_where: Mapping[int, Array] = field(default_factory=dict)
    inactive: frozenset[int] = frozenset()


class Shake(Protocol):
    """Moves constants, arguments, results and what flows back by a few roundings (see `verify.random_rounding`)."""

    def constant(self, value: float) -> float: ...
    def arguments(self, row: Primitive, args: list[Any]) -> list[Any]: ...
    def result(self, row: Primitive, args: Sequence[Any], value: Any) -> Any: ...
    def part(self, row: Primitive, k: int, args: Sequence[Any], flowing: Any, value: Any) -> Any: ...
    def plus(self, a: Any, b: Any) -> Any: ...


class _Flags:
    """Remembers that a NumPy loop overflowed, divided by zero or made a NaN: a test that costs nothing."""

    def __init__(self) -> None:
        self.raised = False

    def __call__(self, kind: str, flag: int) -> None:
        self.raised = True

    def taken(self) -> bool:
        raised, self.raised = self.raised, False
        return raised


def values(
    lowered: Lowered,
    point: Mapping[str, Value],
    known: Mapping[int, Value] | None = None,
    spare: Mapping[int, Sequence[int]] | None = None,
    results: Sequence[int] = (),
    order: Sequence[int] | None = None,
    shake: Shake | None = None,
) -> ArrayTrace:
    """The value sweep. Raises DomainError, with the element's index, where a value does not exist; AutodiffError for shapes.

    known    values that need not be computed again
    spare    per equation, which values nothing needs any more after it: of those only the shape is kept
    results  what to compute; the program's result unless given
    order    which equations to look at, arguments first; all that the results are made from unless given
    shake    moves results by a few roundings (see `verify.random_rounding`)
    """
    graph = lowered.graph
    order = graph.reaching(*(results or (lowered.result,))) if order is None else order
    found: list[Any] = [None] * len(graph)
    broken: dict[int, tuple[Sequence[Any], list[tuple[Any, str]]]] = {}
    flags = _Flags()
    with np.errstate(all="call", under="ignore", call=flags):
        for node in order:
            row = graph.rows[node]
            if known is not None and node in known:
                found[node] = known[node]
            elif row is None:
                found[node] = graph.constants[node] if node in graph.constants else point[graph.inputs[node]]
                found[node] = found[node] if shake is None or node in graph.inputs else shake.constant(found[node])
            elif row.branches is not None:
                found[node] = _choose(row, [found[a] for a in graph.args[node]], graph.spans[node])
            else:
                args = [number(found[a]) if k >= row.conditions else found[a] for k, a in enumerate(graph.args[node])]
                conditions = functions.domain(row)
                if conditions:
                    _fitting(lowered, node, row, args)
                faults = [(~np.asarray(inside(*args)), needs) for inside, needs in conditions]
                flags.taken()
                args = args if shake is None else shake.arguments(row, args)
                found[node] = _applied(lowered, node, row, args)
                found[node] = found[node] if shake is None else shake.result(row, args, found[node])
                if flags.taken() or _raises_no_flag(row) or not isinstance(found[node], np.ndarray):
                    faults.append((~np.isfinite(found[node]), ""))
                if any(np.any(fault) for fault, _ in faults):
                    broken[node] = args, faults
            if spare is not None:
                for done in spare.get(node, ()):
                    found[done] = np.broadcast_to(np.nan, shape(found[done])) if shape(found[done]) else found[done]
    run = ArrayTrace(lowered, found, order)
    if any(row is not None and row.branches is not None for row in map(graph.rows.__getitem__, order)):
        run = ArrayTrace(lowered, found, order, *needed(graph, found, order, results or (lowered.result,), known or {}))
    for node, (given, faults) in broken.items():
        _complain(run, node, given, faults)
    return run


def _fitting(lowered: Lowered, node: int, row: Primitive, args: Sequence[Value]) -> None:
    """Raise ShapeError where the arguments of an elementwise row have no common shape."""
    graph, shapes = lowered.graph, [shape(a) for a in args]
    if row.kind == ELEMENTWISE and broadcast(shapes) is None:
        raise pointing(shape_error(row, shapes, graph.spans[node]), shapes, [graph.spans[a] for a in graph.args[node]])


def _applied(lowered: Lowered, node: int, row: Primitive, args: Sequence[Value]) -> Value:
    spans = lowered.graph.spans
    try:
        return functions.apply(row, args, spans[node])
    except ShapeError as error:
        raise pointing(error, [shape(a) for a in args], [spans[a] for a in lowered.graph.args[node]]) from None


def _choose(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    assert row.branches is not None
    condition, yes, no = args[0], args[row.branches[0]], args[row.branches[1]]
    if not isinstance(condition, np.ndarray):
        return yes if condition else no
    try:
        return np.where(condition, yes, no)
    except ValueError:
        raise shape_error(row, [shape(a) for a in args], span) from None


def _complain(run: ArrayTrace, node: int, args: Sequence[Any], faults: Sequence[tuple[Any, str]]) -> None:
    """Raise DomainError for the first element that is needed and broken, if there is one."""
    if node in run.inactive:
        return
    for fault, needs in faults:
        if node in run.needed_where:
            fault = fault & run.needed_where[node]
        if np.any(fault):
            place = tuple(int(i) for i in np.argwhere(fault)[0]) if np.ndim(fault) else ()
            raise DomainError(node, [_element(a, place, np.shape(fault)) for a in args], needs, place, np.shape(fault))


def _element(value: Value, place: Sequence[int], wide: Sequence[int]) -> float:
    """The element of an argument that a place of the broadcast result is made from."""
    if value is None or shape(value) == ():
        return float("nan") if value is None else float(value)
    fits = len(place) >= len(shape(value)) and all(
        s in (1, w) for s, w in zip(shape(value)[::-1], wide[::-1], strict=False)
    )
    return float(np.broadcast_to(value, wide)[tuple(place)]) if fits else float("nan")
