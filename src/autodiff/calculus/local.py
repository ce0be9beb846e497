"""Local slopes: the factors of the chain rule, from the one table, for both sweeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from autodiff.calculus import algebra
from autodiff.calculus.graph import Graph
from autodiff.calculus.ops import Row

CONVENTIONS: dict[str, Callable[[Row], tuple[str, ...]]] = {
    "torch": lambda row: row.torch,
    "jax": lambda row: row.jax,
    "zero": lambda row: ("0",) * row.arity,
}
"""Whose number stands in for a slope on a corner; a row without one keeps its own.

The columns were read off torch 2.13 (minimum, maximum, clamp, hypot, functional.*) and JAX 0.10 (jnp.*, jnp.clip, nn.*).
"""


FRAMEWORKS = {"torch": "PyTorch", "jax": "JAX"}
"""How the conventions that are a framework's are called."""


def slopes(
    graph: Graph, node: int, args: Sequence[float], result: float, moving: Sequence[object], convention: str = ""
) -> Iterator[tuple[int, float]]:
    """Each argument through which equation `node` moves, as (its place, the local slope there).

    `moving[k]` tells whether argument k depends on what is varied; the slope of one that doesn't is never evaluated,
    so its zero is exact whatever stands beside it. A `convention` only counts exactly on a corner.
    """
    row = graph.rows[node]
    assert row is not None
    texts = _agreed(row, args, convention) if convention and row.corner else row.slopes
    for k, text in enumerate(texts):
        if text != "0" and moving[k]:
            exact = text is row.slopes[k]
            slope = algebra.slope(row, k) if exact else algebra.compiled(text, (*row.params, "w"))
            yield k, slope(*args, result)


def _agreed(row: Row, args: Sequence[float], convention: str) -> tuple[str, ...]:
    on_corner = algebra.compiled(row.corner, row.params)
    return (CONVENTIONS[convention](row) or row.slopes) if on_corner(*args) else row.slopes
