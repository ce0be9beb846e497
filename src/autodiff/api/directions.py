"""Programs whose slope is a jvp or whose gradient is a vjp: inputs that move along a line, and a weighted sum of results.

So products with the Jacobian have what every gradient has: both modes, error bounds, one-sided slopes, proven digits.

>>> from autodiff.core.lowering import lower
>>> lowered = lower("x^2*y")
>>> line, of = along(lowered, {"x": 3.0, "y": 1.0}, {"x": lowered.node("x")}, {"x": 2.0})
>>> line.of(of[lowered.result], "f").answer().gradient[TIME]
12.0
"""

from __future__ import annotations

from collections.abc import Mapping

from autodiff.api.scalar_answer import Query
from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered

_PLUS, _TIMES = rules.TABLE["+", 2], rules.TABLE["*", 2]

TIME = "time along the direction"
"""An input that no program can name: what is differentiated by along a line."""


def along(
    lowered: Lowered,
    point: Mapping[str, float],
    sources: Mapping[str, int],
    rates: Mapping[str, float],
    digits: int = 0,
) -> tuple[Query, dict[int, int]]:
    """The slope along the line where each source is itself plus time times its rate, at the time 0.

    Beside it which number each equation has there.
    """
    old, graph = lowered.graph, Graph()
    active = {node: name for name, node in sources.items() if rates[name]}
    given, of, time = {**point, TIME: 0.0}, dict[int, int](), graph.input(TIME)
    for node, span in enumerate(old.spans):
        of[node] = old.copied(node, graph, of)
        if node in active:
            rate = f"rate of {active[node]}"
            given[rate] = rates[active[node]]
            step = graph.twin(_TIMES, (time, graph.input(rate)), span)
            of[node] = graph.twin(_PLUS, (of[node], step), span)
    graph.parts = {of[node]: part for node, part in old.parts.items()}
    moved = lowered._replace(graph=graph, result=of[lowered.result], assigned={})
    return Query(moved, given, {TIME: time}, "forward", digits=digits), of


def weighted(query: Query, results: Mapping[str, int], weights: Mapping[str, float], label: str) -> Query:
    """The slopes of the weighted sum of results, called `label`: one more equation of the program."""
    graph, given, total = query.lowered.graph, dict(query.point), -1
    for name, node in results.items():
        span, term = graph.spans[node], node
        if weights[name] != 1:
            weight = f"weight of {name}"
            given[weight] = weights[name]
            term = graph.twin(_TIMES, (graph.input(weight), node), span)
        total = term if total < 0 else graph.twin(_PLUS, (total, term), span)
    return query._replace(point=given).of(total, label)
