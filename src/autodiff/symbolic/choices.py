"""Choices `if(c, a, b)` in formulas: which branch counts.

>>> from autodiff.core.lowering import lower
>>> lowered = lower("if(x > 0, x^2, 0)")
>>> nonzero_branch(lowered.graph, lowered.result)
1
"""

from __future__ import annotations

from autodiff.core import rules, templates
from autodiff.core.graph import Graph

IF = rules.TABLE["if", 3]


def branch_taken(graph: Graph, condition: int) -> int:
    """The branch of a choice between numbers, 1 or 2; 0 where it is not known."""
    row, numbers = graph.rows[condition], [graph.constants.get(a) for a in graph.args[condition]]
    if row is None or row.conditions or not row.is_predicate or None in numbers:
        return 0
    return 1 if templates.value(row)(*numbers) else 2


def nonzero_branch(graph: Graph, node: int) -> int | None:
    """Which branch of a choice counts when the other one is 0."""
    if graph.rows[node] is not IF:
        return None
    zeros = [graph.constants.get(arg) == 0 for arg in graph.args[node][1:]]
    return None if zeros[0] == zeros[1] else 2 if zeros[0] else 1
