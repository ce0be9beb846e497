"""Tables by place: values, tangents and adjoints, what the slopes cost in either mode, and both sides of a special point.

>>> from autodiff.explanation.build import explain
>>> explain("y = x^2; sin(y)", {"x": 0.0}).rows[-1]
ModeRow(name='f', value=0.0, tangents={'x': 0.0}, adjoint=1.0)
>>> [(row.name, row.left, row.right) for row in explain("y = abs(x); 2y", {"x": 0.0}).sides[0].trace]
[('x', 1.0, 1.0), ('y', -1.0, 1.0), ('f', -2.0, 2.0)]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from autodiff.core import vjp
from autodiff.core.jvp import in_all_directions
from autodiff.core.primitive import ZERO
from autodiff.explanation import factors
from autodiff.explanation.context import Analysis
from autodiff.explanation.model import Cost, ModeRow, OneSidedRow, OneSidedSlopes

if TYPE_CHECKING:
    from autodiff.verify.digits import BallTrace

SHOWN = 8
"""Names whose tangents are shown."""

TRACED = 24
"""Places up to which both sides of a special point are followed one by one."""


def mode_rows(analysis: Analysis) -> tuple[ModeRow, ...]:
    """Values, tangents and adjoints side by side, place by place."""
    if analysis.trace is None or analysis.answer is None:
        return ()
    shown = dict(list(analysis.plain.items())[:SHOWN])
    if analysis.exact is not None:
        tangents, adjoints = _in_balls(analysis, analysis.exact, shown)
    else:
        every = in_all_directions(analysis.partials, shown)
        tangents = {name: {node: rates.get(name, 0.0) for node, rates in every.items()} for name in shown}
        adjoints = vjp.vjp(analysis.lowered.result, analysis.partials, list(analysis.plain.values()))
    swept = factors.active(analysis.places, analysis.plain.values(), analysis.trace)
    rows = []
    for node in analysis.in_order():
        if analysis.trace.values[node] is not None:
            slopes = {name: tangents[name].get(node, 0.0) for name in shown}
            adjoint = adjoints.get(node, 0.0) if node in swept else None
            rows.append(ModeRow(analysis.places.names[node], analysis.place(node).value, slopes, adjoint))
    return tuple(rows)


def _in_balls(
    analysis: Analysis, exact: BallTrace, names: Mapping[str, int]
) -> tuple[dict[str, dict[int, float]], dict[int, float]]:
    """The tangents by each name, and the adjoints, from ball arithmetic."""
    from autodiff.numbers.ball_numbers import shown  # most answers need none

    tangents = {n: {i: shown(t) for i, t in exact.tangents(source).items()} for n, source in names.items()}
    adjoints = exact.adjoints(analysis.lowered.result, list(analysis.plain.values()))
    return tangents, {node: shown(g) for node, g in adjoints.items()}


def cost(analysis: Analysis) -> Cost:
    """Multiplications by a local slope: one per argument that moves, in each sweep."""
    graph, trace = analysis.graph, analysis.trace
    order = graph.reaching(analysis.lowered.result) if trace is None else trace.order
    products = 0
    for node in order:
        row = graph.rows[node]
        if row is not None and not (trace is not None and node in trace.taken):
            products += sum(
                a in analysis.active and text != ZERO for a, text in zip(graph.args[node], row.partials, strict=True)
            )
    inputs = len(analysis.wanted)
    return Cost(inputs, inputs, inputs * products, 1, products)


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
    from autodiff.nonsmooth.verdict import verdict  # most points are no special points

    rows = []
    for node in nodes:
        if analysis.trace.values[node] is not None:
            sides = verdict(analysis.lowered._replace(result=node), analysis.trace, analysis.answer.at, source)
            rows.append(OneSidedRow(analysis.places.names[node], sides.left, sides.right))
    return tuple(rows)
