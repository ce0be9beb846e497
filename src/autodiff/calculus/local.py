"""Local slopes: the factors of the chain rule, from the one table, for both sweeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autodiff.calculus import algebra
from autodiff.calculus.graph import Graph


def slopes(
    graph: Graph, node: int, args: Sequence[float], result: float, moving: Sequence[object]
) -> Iterator[tuple[int, float]]:
    """Each argument through which equation `node` moves, as (its place, the local slope there).

    `moving[k]` tells whether argument k depends on what is varied; the slope of one that doesn't is never evaluated,
    so its zero is exact whatever stands beside it.
    """
    row = graph.rows[node]
    assert row is not None
    for k, text in enumerate(row.slopes):
        if text != "0" and moving[k]:
            yield k, algebra.slope(row, k)(*args, result)
