"""Which axis of a value has an element per row of the table, and which equations keep the rows apart.

>>> row_axis((2, 4), (3, 4)), row_axis((4, 2), (4, 3)), row_axis((4,), (4,)), row_axis((2, 2), (3, 3))
(-2, -1, None, 0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from autodiff.arrays.ufuncs import shape
from autodiff.core.graph import Graph
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, Primitive

PROBES = (1.0, 0.5, 2.0, 0.0, -0.5)
"""Numbers for the columns with which shapes are computed before the first row is read."""

PICKED = ("gather",)
"""Functions that take parts of their first argument, in the places that the second one names."""

BY_ROW = ("literal", "matmul", "transpose", "expand_dims", "index", *PICKED)
"""Functions of arrays that keep rows apart, if their result still has the axis of the rows."""

ALONG_THE_LAST = ("softmax", "log_softmax")
"""Functions that mix the elements along the last axis."""


def row_axis(two: Sequence[int], three: Sequence[int]) -> int | None:
    """The axis of the rows, from the shapes for two and for three rows, counted from the last; None where there is none; 0
    where rows meet rows."""
    places = [k - len(two) for k, (a, b) in enumerate(zip(two, three, strict=True)) if a != b]
    return (places[0] if len(places) == 1 else 0) if places else None


def keeps_rows_apart(row: Primitive, axis: int) -> bool:
    """Whether each row of the result, along `axis`, is computed from the same row of the arguments."""
    if axis == 0 or (axis == -1 and row.value in ALONG_THE_LAST):
        return False
    return row.kind in (ELEMENTWISE, REDUCTION) or row.value in (*BY_ROW, *ALONG_THE_LAST)


def row_axes(values: Callable[[int], Sequence[Any] | Mapping[int, Any]], order: Sequence[int]) -> dict[int, int | None]:
    """The row axis of each equation of `order`, from the `values` for two and for three rows."""
    two, three = values(2), values(3)
    return {node: row_axis(shape(two[node]), shape(three[node])) for node in order}


def mixing_equations(graph: Graph, order: Iterable[int], axes: Mapping[int, int | None]) -> list[int]:
    """The equations of `order` whose value is computed from several rows, from the row axis of each equation."""
    mixing = []
    for node in order:
        row, axis = graph.rows[node], axes[node]
        if row is None or all(axes[arg] is None for arg in graph.args[node]):
            continue
        from_rows = row.value in PICKED and axes[graph.args[node][0]] is not None
        if axis is None or from_rows or not (row.branches or keeps_rows_apart(row, axis)):
            mixing.append(node)
    return mixing


def mixed_and_used(graph: Graph, order: Sequence[int], axes: Mapping[int, int | None]) -> list[int]:
    """The mixing equations that single rows use, directly or through equations without a row axis."""
    mixed = dict.fromkeys(mixing_equations(graph, order, axes))
    sources = {node: node for node in mixed}
    used: dict[int, None] = {}
    for node in order:
        for arg in graph.args[node]:
            if arg in sources and node not in mixed:
                if axes[node] is None:
                    sources[node] = sources[arg]
                else:
                    used[sources[arg]] = None
    return [*used]
