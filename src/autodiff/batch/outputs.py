"""Outputs of rows with sure digits: rows that float64 may not be enough for are computed again, as `eval --data` does.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> lowered = lower(parse("(1 - cos(x))/x^2"))
>>> plain_outputs(lowered, {"p": lowered.result})["p"].batch(x=np.array([1e-9, 1e-10])).value
array([0.5, 0.5])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.api.answer import Answer
from autodiff.api.array_answer import array_answer
from autodiff.api.scalar_answer import Query
from autodiff.arrays import algebra
from autodiff.batch.compile import Compiled, compiled
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ELEMENTWISE
from autodiff.verify.random_rounding import sweeps


def plain_outputs(lowered: Lowered, nodes: Mapping[str, int]) -> dict[str, Compiled] | None:
    """The outputs as functions over columns; None where one of them needs an array within a row."""
    graph = lowered.graph
    rows = {graph.rows[node] for node in graph.reaching(*nodes.values())}
    if any(row is not None and row.kind != ELEMENTWISE for row in rows):
        return None
    return {name: compiled(of_output(lowered, node, name), [], exact=False) for name, node in nodes.items()}


def of_output(lowered: Lowered, node: int, name: str) -> Lowered:
    """The equations of one output alone, so that columns which only the loss needs have no part in them."""
    graph, before = Graph(), lowered.graph
    copies = before.carried([node], graph.constant, graph.input, graph.call)
    for old, new in copies.items():
        graph.spans[new] = before.spans[old]
        if old != node and old in before.names:
            graph.names[new] = before.names[old]
    return Lowered(graph, copies[node], name, tuple(graph.inputs.values()), {}, lowered.source)


def moved_values(lowered: Lowered, point: Mapping[str, Any], results: Sequence[int]) -> Iterator[tuple[list[Any], int]]:
    """The values of the equations with every result moved by some roundings, and by how many, several times.

    Raises DomainError where a moved number leaves a domain.
    """
    for rounding in sweeps():
        inputs = rounding.inputs(point)
        yield algebra.evaluate(lowered, inputs, shake=rounding, results=results).values, rounding.roundings


def one_row(lowered: Lowered, node: int, name: str, point: Mapping[str, Any]) -> Answer:
    """The one-shot answer for an output at a point that has the columns of one row, as arrays of one element."""
    output = of_output(lowered, node, name)
    at = {key: value if np.shape(value) else float(value) for key in output.inputs for value in [point[key]]}
    return array_answer(Query(output, at, {}, check=False), wrt_given=False)
