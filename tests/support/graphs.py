"""What every list of equations must be."""

from __future__ import annotations

from autodiff.core.graph import Graph


def check(graph: Graph) -> None:
    """Raise ValueError unless every equation has a row or is a leaf, fits its row, and comes after its arguments."""
    for node, (row, args) in enumerate(zip(graph.rows, graph.args, strict=True)):
        leaf = node in graph.constants or node in graph.inputs
        if (row is None) != leaf or len(args) != (row.arity if row else 0) or any(not 0 <= a < node for a in args):
            raise ValueError(f"equation {node} is broken: {row.name if row else 'leaf'} of {args}")
