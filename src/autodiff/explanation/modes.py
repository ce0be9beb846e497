"""Both modes beside each other: values, tangents and adjoints of every place, and what the slopes cost either way.

>>> from autodiff.explanation.build import explain
>>> explain("y = x^2; sin(y)", {"x": 0.0}).rows[-1]
ModeRow(name='f', value=0.0, tangents={'x': 0.0}, adjoint=1.0)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from autodiff.core import vjp
from autodiff.core.jvp import in_all_directions
from autodiff.core.primitive import ZERO
from autodiff.explanation import factors
from autodiff.explanation.context import Analysis
from autodiff.explanation.model import Cost, ModeRow

if TYPE_CHECKING:
    from autodiff.verify.digits import BallTrace

SHOWN = 8
"""Names whose tangents are shown."""


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
