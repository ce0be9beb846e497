"""Both modes beside each other: values, tangents and adjoints of every place, and what the slopes cost either way.

>>> from autodiff.explanation.build import explain
>>> explain("y = x^2; sin(y)", {"x": 0.0}).rows[-1]
Row(name='f', value=0.0, tangents={'x': 0.0}, adjoint=1.0)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from autodiff.core.jvp import forward
from autodiff.core.primitive import ZERO
from autodiff.core.vjp import reverse
from autodiff.explanation import factors
from autodiff.explanation.context import Findings
from autodiff.explanation.model import Cost, Row

if TYPE_CHECKING:
    from autodiff.verify.digits import BallTrace

SHOWN = 8
"""Names whose tangents are shown."""


def rows(it: Findings) -> tuple[Row, ...]:
    """Values, tangents and adjoints side by side, place by place."""
    if it.run is None or it.answer is None:
        return ()
    shown = list(it.plain.items())[:SHOWN]
    seeds: dict[int, dict[str, float]] = {}
    for name, node in shown:
        seeds.setdefault(node, {})[name] = 1.0
    if it.exact is not None:
        tangents_of, adjoints = _exactly(it, it.exact, dict(shown))
    else:
        duals = forward(it.lowered, it.answer.at, seeds)
        tangents_of = {
            name: {node: dual.tangent.get(name, 0.0) for node, dual in enumerate(duals)} for name, _ in shown
        }
        adjoints = reverse(it.lowered, it.run, list(it.plain.values()), it.convention)
    swept = factors.moving(it.places, it.plain.values(), it.run)
    found = []
    for node in it.in_order():
        if it.run.values[node] is not None:
            tangents = {name: tangents_of[name].get(node, 0.0) for name, _ in shown}
            adjoint = adjoints.get(node, 0.0) if node in swept else None
            found.append(Row(it.places.names[node], it.place(node).value, tangents, adjoint))
    return tuple(found)


def _exactly(
    it: Findings, exact: BallTrace, names: Mapping[str, int]
) -> tuple[dict[str, dict[int, float]], dict[int, float]]:
    """The tangents by each name, and the adjoints, from ball arithmetic."""
    from autodiff.numbers.ball_numbers import shown  # most answers need none

    tangents = {n: {i: shown(t) for i, t in exact.tangents(source).items()} for n, source in names.items()}
    adjoints = exact.adjoints(it.lowered.result, list(it.plain.values()))
    return tangents, {node: shown(g) for node, g in adjoints.items()}


def cost(it: Findings) -> Cost:
    """Multiplications by a local slope: one per argument that moves, in each sweep."""
    graph, run = it.graph, it.run
    order = graph.reaching(it.lowered.result) if run is None else run.order
    products = 0
    for node in order:
        row = graph.rows[node]
        if row is not None and not (run is not None and node in run.taken):
            products += sum(
                a in it.moves and text != ZERO for a, text in zip(graph.args[node], row.partials, strict=True)
            )
    inputs = len(it.wanted)
    return Cost(inputs, inputs, inputs * products, 1, products)
