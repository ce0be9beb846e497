"""Both modes beside each other: values, tangents and adjoints of every place, and what the slopes cost either way.

>>> from autodiff.explaining.build import explain
>>> explain("y = x^2; sin(y)", {"x": 0.0}).rows[-1]
Row(name='f', value=0.0, tangents={'x': 0.0}, adjoint=1.0)
"""

from __future__ import annotations

from autodiff.calculus.forward import forward
from autodiff.calculus.reverse import reverse
from autodiff.explaining import factors
from autodiff.explaining.findings import Findings
from autodiff.explaining.model import Cost, Row

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
    duals = forward(it.lowered, it.answer.at, seeds)
    adjoints = reverse(it.lowered, it.run, list(it.plain.values()), it.convention)
    swept = factors.moving(it.places, it.plain.values(), it.run)
    found = []
    for node in it.in_order():
        if it.run.values[node] is not None:
            tangents = {name: duals[node].tangent.get(name, 0.0) for name, _ in shown}
            adjoint = adjoints.get(node, 0.0) if node in swept else None
            found.append(Row(it.places.names[node], it.values[node], tangents, adjoint))
    return tuple(found)


def cost(it: Findings) -> Cost:
    """Multiplications by a local slope: one per argument that moves, in each sweep."""
    graph, run = it.graph, it.run
    order = graph.reaching(it.lowered.result) if run is None else run.order
    products = 0
    for node in order:
        row = graph.rows[node]
        if row is not None and not (run is not None and node in run.taken):
            products += sum(a in it.moves and text != "0" for a, text in zip(graph.args[node], row.slopes, strict=True))
    inputs = len(it.wanted)
    return Cost(inputs, inputs, inputs * products, 1, products)
