"""Both sweeps over arrays: slopes downward, tangents upward, each element beside its neighbours.

>>> from autodiff import parse
>>> from autodiff.arrays.evaluate import values
>>> from autodiff.core.lowering import lower
>>> lowered = lower(parse("mean((w*x)^2)"))
>>> run = values(lowered, {"w": 2.0, "x": np.array([1.0, 2.0])})
>>> vjp(run, [0])[0], jvp(run, {0: 1.0})[lowered.result]         # w is equation 0
(10.0, 10.0)
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.arrays import linearize
from autodiff.arrays.evaluate import ArrayTrace, Shake
from autodiff.arrays.ufuncs import Value, shape
from autodiff.core.linearize import active as active_equations
from autodiff.core.primitive import GENERAL, ZERO, Primitive
from autodiff.core.vjp import pull_back


def vjp(
    run: ArrayTrace,
    sources: Sequence[int],
    convention: str = "",
    seed: Value = 1.0,
    active: Collection[int] | None = None,
    through: Mapping[int, Mapping[int, Value]] | None = None,
    shake: Shake | None = None,
) -> dict[int, Value]:
    """Reverse mode: the slope of the result, times `seed`, in each equation between it and `sources`, shaped like it.

    active   the equations that a derivative flows through; those that depend on `sources` unless given
    through  the slopes of numbers in equations long before them, where they are known already
    shake    moves what flows by a few roundings (see `verify.random_rounding`)
    """
    graph, found = run.lowered.graph, run.values
    if active is None:
        active = active_equations(graph, run.order, sources, inactive=run.inactive)

    def pull(node: int, g: Value) -> Iterable[tuple[int, Value]]:
        row, args = graph.rows[node], graph.args[node]
        if through is not None and node in through:
            yield from ((before, g * slope) for before, slope in through[node].items())
            return
        if row is None:
            return
        if row.branches is not None:
            for arg, part in _branches(run, row, node, g):
                if arg in active:
                    yield arg, part
            return
        for k, back, _ in linearize.parts(run, node, [a in active for a in args], convention):
            part = back(g)
            yield args[k], part if shake is None else shake.part(row, k, [found[a] for a in args], g, part)

    plus = operator.add if shake is None else shake.plus
    with np.errstate(all="ignore"):
        result = run.lowered.result
        adjoints = pull_back(reversed(run.order), {result: seed} if result in active else {}, pull, plus)
        return {
            n: g if shape(g) == shape(found[n]) else np.broadcast_to(g, shape(found[n]))
            for n, g in adjoints.items()
            if found[n] is not None
        }


def _branches(run: ArrayTrace, row: Primitive, node: int, g: Value) -> Iterable[tuple[int, Value]]:
    """What a choice gives to each branch: its adjoint where that branch was taken."""
    assert row.branches is not None
    args, wide = run.lowered.graph.args[node], shape(run.values[node])
    condition = run.values[args[0]]
    for arg, taken in ((args[row.branches[0]], condition), (args[row.branches[1]], np.logical_not(condition))):
        if arg in run.inactive or row.partials[args.index(arg)] == ZERO:
            continue
        if isinstance(condition, np.ndarray):
            yield arg, linearize.fitted(np.where(taken, g, 0.0), wide, shape(run.values[arg]))
        elif taken:  # the other branch may have a shape that does not fit the result's
            yield arg, g


def jvp(run: ArrayTrace, seeds: Mapping[int, Value]) -> list[Any]:
    """Forward mode: how every equation moves when those of `seeds` move as they say; None where it stands still."""
    graph = run.lowered.graph
    tangents: list[Any] = [None] * len(graph)
    with np.errstate(all="ignore"):
        for node in run.order:
            row, args = graph.rows[node], graph.args[node]
            total = seeds.get(node)
            if row is not None and node not in run.inactive:
                for part in _forward_parts(run, row, node, [tangents[a] for a in args]):
                    total = part if total is None else total + part
            tangents[node] = total
    return tangents


def _forward_parts(run: ArrayTrace, row: Primitive, node: int, moving: Sequence[Any]) -> Iterable[Value]:
    args = run.lowered.graph.args[node]
    if row.branches is None:
        for k, _, on in linearize.parts(run, node, [t is not None for t in moving], ""):
            yield on(moving[k])
        return
    condition = run.values[args[0]]
    for k, taken in ((row.branches[0], condition), (row.branches[1], np.logical_not(condition))):
        if moving[k] is not None and row.partials[k] != ZERO:
            yield (
                np.where(taken, moving[k], 0.0) if isinstance(condition, np.ndarray) else (moving[k] if taken else 0.0)
            )


def sizes(run: ArrayTrace, adjoints: Mapping[int, Value], tangents: Sequence[Any]) -> float:
    """The sum of the sizes of all products that a sweep adds up: rounding errors are a small multiple of it."""
    graph = run.lowered.graph
    total = 0.0
    with np.errstate(all="ignore"):
        for node, g in adjoints.items():
            row, args = graph.rows[node], graph.args[node]
            if row is None or node in run.inactive or tangents[node] is None:
                continue
            total += float(np.sum(np.abs(g * tangents[node])))
            if row.branches is None:
                for k, back, _ in linearize.parts(run, node, [tangents[a] is not None for a in args], ""):
                    total += float(np.sum(np.abs(back(g) * tangents[args[k]])))
                    if row.kind == GENERAL:  # its sums are within, and may cancel to nothing, as in softmax
                        total += float(np.sum(np.abs(g)) * np.max(np.abs(tangents[args[k]])))
    return total
