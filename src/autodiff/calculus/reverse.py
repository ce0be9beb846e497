"""Reverse mode: adjoints, carried from the result back to the inputs: every slope in one sweep.

>>> reverse(lowered, primal(lowered, {"x": 4.0}), [x])[x]     # exp(sin(x^2)) at 4
-5.744685762849454
"""

from __future__ import annotations

from collections.abc import Sequence

from autodiff.calculus import local
from autodiff.calculus.lower import Lowered
from autodiff.calculus.primal import Run


def reverse(lowered: Lowered, run: Run, sources: Sequence[int], convention: str = "") -> dict[int, float]:
    """The slope of the result in every equation between it and `sources`, sources included; absent where none flows."""
    graph = lowered.graph
    active = depending(lowered, run, sources)
    adjoint: dict[int, float] = {lowered.result: 1.0} if active[lowered.result] else {}
    for node in reversed(run.order):
        g, args = adjoint.get(node), graph.args[node]
        if g is None or graph.rows[node] is None:
            continue
        if node in run.taken:
            adjoint[run.taken[node]] = adjoint.get(run.taken[node], 0.0) + g
            continue
        values = [run.values[a] for a in args]
        for k, slope in local.slopes(graph, node, values, run.values[node], [active[a] for a in args], convention):
            adjoint[args[k]] = adjoint.get(args[k], 0.0) + g * slope
    return adjoint


def depending(lowered: Lowered, run: Run, sources: Sequence[int]) -> bytearray:
    """A flag per equation: whether one of `sources` moves it, along the branches that were taken."""
    graph = lowered.graph
    flags = bytearray(len(graph))
    for source in sources:
        flags[source] = 1
    for node in run.order:
        row, args = graph.rows[node], graph.args[node]
        if flags[node] or row is None:
            continue
        if node in run.taken:
            flags[node] = flags[run.taken[node]]
        else:
            flags[node] = any(flags[a] for a, slope in zip(args, row.slopes, strict=True) if slope != "0")
    return flags
