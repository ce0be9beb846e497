"""Values: every equation that the result needs, in order; the trace that is left is what the other passes run over.

Of a choice only the taken branch is evaluated. A program without conditions is one pass over its list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import isfinite
from typing import Any, TypeVar

from autodiff.core import templates
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.record import Record

T = TypeVar("T")


class DomainError(Exception):
    """A value that does not exist: at equation `node`, for the arguments `args`.

    `needs` is the condition of the row's domain that is broken, or "" when the value overflows; `place` is the index of
    the element where the value is an array, of shape `wide`. `values` are those of the equations before it, as in a `Trace`.
    """

    values: Sequence[Any] = ()

    def __init__(
        self, node: int, args: Sequence[float], needs: str = "", place: tuple[int, ...] = (), wide: tuple[int, ...] = ()
    ) -> None:
        super().__init__(needs)
        self.node, self.args, self.needs, self.place, self.wide = node, tuple(args), needs, place, wide


class Indeterminate(Exception):
    """Numbers of this kind do not decide a condition, a domain or a special point; `node` is the equation, where known."""

    def __init__(self, node: int | None = None) -> None:
        super().__init__(node)
        self.node = node


class Trace(Record):
    """What a pass over the equations leaves: their values, the order they came in, and which branches were taken.

    `values[i]` is None where equation i was not needed; `order` lists those that were, arguments first; `taken[i]` is
    the argument that a choice became.
    """

    values: list[Any]
    order: list[int]
    taken: Mapping[int, int]


def primal(lowered: Lowered, point: Mapping[str, float], assigned: Mapping[int, float] | None = None) -> Trace:
    """The values at `point` as floats; the equations in `assigned` have those. Raises DomainError where a value does not exist."""
    graph = lowered.graph

    def apply(node: int, args: Sequence[float]) -> float:
        return assigned[node] if assigned and node in assigned else number(graph, node, args)

    return sweep(
        graph,
        lowered.result,
        lambda node: graph.leaf(node, point),
        apply if assigned else partial(number, graph),
        bool,
    )


def number(graph: Graph, node: int, args: Sequence[float]) -> float:
    """The value of equation `node` at these arguments, which must lie in its domain and not overflow."""
    row = graph.rows[node]
    assert row is not None
    conditions, value = templates.meaning(row)
    for inside, needs in conditions:
        if not inside(*args):
            raise DomainError(node, args, needs)
    result = value(*args)
    if not isfinite(result):
        raise DomainError(node, args)
    return result


def sweep(
    graph: Graph,
    result: int,
    leaf: Callable[[int], T],
    apply: Callable[[int, Sequence[T]], T],
    branch: Callable[[T], bool | None],
    equations: Callable[[list[T]], Iterable[int]] | None = None,
) -> Trace:
    """Carry a T per equation from the leaves to `result`: the trace.

    `apply(node, arguments)` makes the T of an equation; `branch(T)` says whether a condition is true, or None where that
    is not decided: then both branches are evaluated, and `apply` says what the choice comes to. `equations(values)` are
    those to evaluate, arguments first, where the caller knows them: then no branch is decided.
    """
    values: list[T] = [None] * len(graph)  # type: ignore[list-item]
    order: list[int] = []
    taken: dict[int, int] = {}
    rows, arguments = graph.rows, graph.args
    try:
        for node in equations(values) if equations else _needed(graph, result, values, branch, taken):
            if rows[node] is None:
                values[node] = leaf(node)
            elif node in taken:
                values[node] = values[taken[node]]
            else:
                values[node] = apply(node, [values[a] for a in arguments[node]])
            order.append(node)
    except DomainError as trouble:
        trouble.values = values
        raise
    return Trace(values, order, taken)


def _needed(
    graph: Graph, result: int, values: list[T], branch: Callable[[T], bool | None], taken: dict[int, int]
) -> Iterable[int]:
    equations, choices = graph.behind(result)
    return _on_demand(graph, result, values, branch, taken) if choices else equations


def _on_demand(
    graph: Graph, result: int, values: list[T], branch: Callable[[T], bool | None], taken: dict[int, int]
) -> Iterator[int]:
    """The equations to evaluate, arguments first, and of a choice the condition and the branch that it decides for.

    The consumer sets `values[node]` before it takes the next one.
    """
    stack, known = [result], bytearray(len(graph))
    while stack:
        node = stack[-1]
        row, wanted = graph.rows[node], graph.args[node]
        if row is not None and row.branches is not None:
            if not known[wanted[0]]:
                wanted = wanted[:1]
            elif (holds := branch(values[wanted[0]])) is not None:
                taken[node] = wanted[row.branches[0] if holds else row.branches[1]]
                wanted = (taken[node],)
        missing = [a for a in wanted if not known[a]]
        stack.extend(missing)
        if not missing:
            stack.pop()
            if not known[node]:
                yield node
                known[node] = 1
