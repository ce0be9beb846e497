"""Which elements of arrays are needed: a choice needs each branch only where it takes it.

>>> from autodiff.core.lowering import lower
>>> graph = (lowered := lower("sum(if(x > 0, ln(x), 0))")).graph
>>> x = np.array([1.0, -1.0])
>>> values = {"x": x, "x > 0": x > 0, "ln(x)": np.array([0.0, np.nan])}
>>> values["if(x > 0, ln(x), 0)"] = np.zeros(2)
>>> order = graph.reaching(lowered.result)
>>> texts = [lowered.source[slice(*graph.spans[node])] for node in range(len(graph))]
>>> partly, _ = needed(graph, [values.get(text, 0.0) for text in texts], order, [lowered.result], {})
>>> partly[texts.index("ln(x)")]
array([ True, False])
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from autodiff.arrays.ufuncs import Array, shape
from autodiff.core.graph import Graph
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, Primitive


def needed(
    graph: Graph, values: Sequence[Any], order: Sequence[int], results: Sequence[int], known: Collection[int]
) -> tuple[dict[int, Array], frozenset[int]]:
    """What the results need of the equations in `order`, whose `values` are found.

    First which elements, of the equations of which some are needed and some are not; then the equations of which none is.
    The arguments of `known` equations are not needed.
    """
    need: dict[int, Any] = dict.fromkeys(results, True)

    def want(node: int, mask: Any) -> None:
        mask = _reduced_any(mask, shape(values[node]))
        need[node] = need[node] | mask if node in need else mask

    for node in reversed(order):
        row, args = graph.rows[node], graph.args[node]
        if row is None or node not in need or node in known:
            continue
        if row.branches is not None:
            condition = np.asarray(values[args[0]], dtype=np.bool_)
            want(args[0], need[node])
            for arg, taken in ((args[row.branches[0]], condition), (args[row.branches[1]], ~condition)):
                if condition.ndim:  # which may have fewer elements than a branch: the mask is over the whole result
                    want(arg, np.broadcast_to(need[node] & taken, shape(values[node])))
                else:
                    want(arg, need[node] if taken else False)
            continue
        for k, arg in enumerate(args):
            want(arg, _wanted(row, [values[a] for a in args], k, need[node]))
    inactive = frozenset(node for node in order if node not in need or not np.any(need[node]))
    return {node: mask for node, mask in need.items() if not np.all(mask) and node not in inactive}, inactive


def _wanted(row: Primitive, args: Sequence[Any], k: int, mask: Any) -> Any:
    """Which elements of argument k the elements `mask` of a row's result need."""
    if row.kind == ELEMENTWISE:
        return mask
    if row.kind == REDUCTION and row.params[-1] == "axis" and k == 0 and np.ndim(mask):
        return np.broadcast_to(np.expand_dims(mask, int(args[-1])), shape(args[0]))
    return bool(np.any(mask))


def _reduced_any(mask: Any, to: Sequence[int]) -> Any:
    """A mask over a broadcast result, as one over an argument of shape `to`."""
    if np.ndim(mask) == 0:
        return np.full(to, bool(mask)) if to else bool(mask)
    extra = np.ndim(mask) - len(to)
    axes = (*range(extra), *(k for k in range(extra, np.ndim(mask)) if to[k - extra] == 1))
    return np.any(mask, axis=axes).reshape(to) if to else bool(np.any(mask))
