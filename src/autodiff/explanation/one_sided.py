"""Both sides of a special point, followed from an input to the result.

>>> from autodiff.explanation.build import explain
>>> [(each.name, each.left, each.right) for each in explain("y = abs(x); 2y", {"x": 0.0}).sides[0].trace]
[('x', 1.0, 1.0), ('y', -1.0, 1.0), ('f', -2.0, 2.0)]
"""

from __future__ import annotations

from autodiff.explanation import factors
from autodiff.explanation.context import Analysis
from autodiff.explanation.model import OneSidedRow, OneSidedSlopes
from autodiff.nonsmooth.verdict import verdict

TRACED = 24
"""Places up to which both sides of a special point are followed one by one."""


def sides(analysis: Analysis) -> tuple[OneSidedSlopes, ...]:
    """Per name that has a verdict: its slopes from the left and from the right, place by place where there are few."""
    verdicts = {} if analysis.answer is None else analysis.answer.verdicts
    return tuple(
        OneSidedSlopes(name, side.status, side.left, side.right, _trace(analysis, name))
        for name, side in verdicts.items()
    )


def _trace(analysis: Analysis, name: str) -> tuple[OneSidedRow, ...]:
    """Both sides, place by place, from the input to the result."""
    source = analysis.wanted[name]
    reached = factors.active(analysis.places, [source], analysis.trace)
    nodes = [node for node in sorted(analysis.places.names) if node in reached or node == analysis.lowered.result]
    if analysis.trace is None or analysis.answer is None or len(nodes) > TRACED:
        return ()
    rows = []
    for node in nodes:
        if analysis.trace.values[node] is not None:
            sides = verdict(analysis.lowered._replace(result=node), analysis.trace, analysis.answer.at, source)
            rows.append(OneSidedRow(analysis.places.names[node], sides.left, sides.right))
    return tuple(rows)
