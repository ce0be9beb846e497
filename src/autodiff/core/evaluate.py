"""Values: every equation that the result needs, in order; the other sweeps run over what this one leaves behind.

Only the taken branch of a condition is looked at. A program without conditions is one pass over its list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import isfinite
from typing import NamedTuple, TypeVar

from autodiff.core import templates
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered

T = TypeVar("T")


class DomainError(Exception):
    """A value that does not exist: at equation `node`, for the arguments `args`.

    `needs` is the condition of the row's domain that is broken, or "" when the value overflows; `place` is the index of
    the element where the value is an array, of shape `wide`.
    """

    def __init__(
        self,
        node: int,
        args: Sequence[float],
        needs: str = "",
        place: tuple[int, ...] = (),
        wide: tuple[int, ...] = (),
    ) -> None:
        super().__init__(needs)
        self.node, self.args, self.needs, self.place, self.wide = node, tuple(args), needs, place, wide


class Trace(NamedTuple):
    """What a pass over the equations leaves: their values, the order they came in, and which branches were taken.

    `values[i]` is None where equation i was not needed; `order` lists those that were, arguments first; `taken[i]` is
    the argument that a choice became.
    """

    values: list[float]
    order: list[int]
    taken: Mapping[int, int]


def primal(lowered: Lowered, point: Mapping[str, float]) -> Trace:
    """The value sweep at `point`. Raises DomainError where a value does not exist."""
    graph = lowered.graph

    def leaf(node: int) -> float:
        return graph.constants[node] if node in graph.constants else point[graph.inputs[node]]

    values, order, taken = sweep(graph, lowered.result, leaf, partial(number, graph), bool)
    return Trace(values, order, taken)


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
    holds: Callable[[T], bool],
) -> tuple[list[T], list[int], dict[int, int]]:
    """Carry a T per equation from the leaves to `result`: the values, their order, and the branch that each choice took.

    `apply(node, arguments)` makes the T of an equation, `holds(T)` says whether a condition is true.
    """
    values: list[T] = [None] * len(graph)  # type: ignore[list-item]
    order: list[int] = []
    taken: dict[int, int] = {}
    rows, arguments = graph.rows, graph.args
    for node in _needed(graph, result, values, holds, taken):
        if rows[node] is None:
            values[node] = leaf(node)
        elif node in taken:
            values[node] = values[taken[node]]
        else:
            values[node] = apply(node, [values[a] for a in arguments[node]])
        order.append(node)
    return values, order, taken


def _needed(
    graph: Graph, result: int, values: list[T], holds: Callable[[T], bool], taken: dict[int, int]
) -> Iterable[int]:
    straight = graph.reaching(result)
    choices = any(row is not None and row.branches is not None for row in {graph.rows[node] for node in straight})
    return _on_demand(graph, result, values, holds, taken) if choices else straight


def _on_demand(
    graph: Graph, result: int, values: list[T], holds: Callable[[T], bool], taken: dict[int, int]
) -> Iterator[int]:
    """The equations to evaluate, arguments first, and of a choice only the condition and one branch.

    The consumer sets `values[node]` before it asks for the next one.
    """
    stack = [result]
    while stack:
        node = stack[-1]
        row, wanted = graph.rows[node], graph.args[node]
        if row is not None and row.branches is not None:
            condition = values[wanted[0]]
            chosen = (
                wanted[0] if condition is None else wanted[row.branches[0] if holds(condition) else row.branches[1]]
            )
            taken[node], wanted = chosen, (chosen,)
        missing = [a for a in wanted if values[a] is None]
        stack.extend(missing)
        if not missing:
            stack.pop()
            if values[node] is None:
                yield node
