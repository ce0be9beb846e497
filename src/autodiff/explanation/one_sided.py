"""Both sides of a hard point, followed from an input to the result.

>>> from autodiff.explanation.build import explain
>>> [(each.name, each.left, each.right) for each in explain("y = abs(x); 2y", {"x": 0.0}).sides[0].trace]
[('x', 1.0, 1.0), ('y', -1.0, 1.0), ('f', -2.0, 2.0)]
"""

from __future__ import annotations

from autodiff.explanation import factors
from autodiff.explanation.context import Findings
from autodiff.explanation.model import OneSidedRow, OneSidedSlopes
from autodiff.nonsmooth.verdict import verdict

TRACED = 24
"""Places up to which both sides of a hard point are followed one by one."""


def sides(it: Findings) -> tuple[OneSidedSlopes, ...]:
    """Per name that has a verdict: its slopes from the left and from the right, place by place where there are few."""
    verdicts = {} if it.answer is None else it.answer.verdicts
    return tuple(
        OneSidedSlopes(name, found.status, found.left, found.right, _trace(it, name))
        for name, found in verdicts.items()
    )


def _trace(it: Findings, name: str) -> tuple[OneSidedRow, ...]:
    """Both sides, place by place, from the input to the result."""
    source = it.wanted[name]
    reached = factors.moving(it.places, [source], it.run)
    nodes = [node for node in sorted(it.places.names) if node in reached or node == it.lowered.result]
    if it.run is None or it.answer is None or len(nodes) > TRACED:
        return ()
    found = []
    for node in nodes:
        if it.run.values[node] is not None:
            seen = verdict(it.lowered._replace(result=node), it.run, it.answer.at, source)
            found.append(OneSidedRow(it.places.names[node], seen.left, seen.right))
    return tuple(found)
