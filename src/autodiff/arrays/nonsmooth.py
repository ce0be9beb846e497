"""Where over arrays a rule alone would give a number that is not a slope: an element on a corner, a jump, a steep place.

>>> from autodiff import parse
>>> from autodiff.arrays.evaluate import values
>>> from autodiff.core.lowering import lower
>>> lowered = lower(parse("sum(abs(x))"))
>>> [special_points(values(lowered, {"x": np.array(x)})) for x in ([1.0, 2.0], [1.0, 0.0])]
[[], [1]]
"""

from __future__ import annotations

import numpy as np

from autodiff.arrays.evaluate import ArrayTrace
from autodiff.arrays.linearize import evaluated, reduced_axis, widened
from autodiff.arrays.ufuncs import number
from autodiff.core.primitive import ELEMENTWISE


def special_points(run: ArrayTrace) -> list[int]:
    """The equations with an element exactly on a corner, a jump, or where a slope is infinite or missing."""
    graph = run.lowered.graph
    with np.errstate(all="ignore"):
        return [
            node
            for node in run.order
            if graph.rows[node] is not None
            and node not in run.inactive
            and not all(a in graph.constants for a in graph.args[node])
            and _special(run, node)
        ]


def _special(run: ArrayTrace, node: int) -> bool:
    graph = run.lowered.graph
    row, args = graph.rows[node], graph.args[node]
    assert row is not None
    if row.is_predicate and len(set(args)) < len(args):
        return False
    given = [number(run.values[a]) for a in args]
    given.append(widened(run.values[node], reduced_axis(row, given)))
    texts = [*row.special_conditions]
    texts += [
        f"not ({text})" for text, a in zip(row.partial_domain, args, strict=True) if text and a not in graph.constants
    ]
    mask = run.needed_where.get(node, True)
    names = (*row.params, "w")
    return any(bool(np.any(evaluated(text, names, given) * (mask if row.kind == ELEMENTWISE else 1))) for text in texts)
