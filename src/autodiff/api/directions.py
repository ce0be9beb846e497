"""Programs whose slope is a jvp or whose gradient is a vjp: inputs that move along a line, and a weighted sum of results.

So products with the Jacobian have what every gradient has: both modes, error bounds, one-sided slopes, proven digits.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> lowered = lower(parse("x^2*y"))
>>> line = along(lowered, {"x": 3.0, "y": 1.0}, {"x": lowered.node("x")}, {"x": 2.0})
>>> line.answer(lowered.result, "f", "forward", 0).gradient[line.name]
12.0
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from autodiff.api.answer import Answer
from autodiff.api.scalar_answer import answered
from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered

_PLUS, _TIMES = rules.TABLE["+", 2], rules.TABLE["*", 2]

_TIME = "time along the direction"
"""An input that no program can name."""


class Directed(NamedTuple):
    """A program that moves along a line at the time 0, or has a weighted sum as its result.

    name    what is differentiated by along a line
    of      which number each equation of the original program has
    node    the equation of `name`, or of the weighted sum
    """

    lowered: Lowered
    point: Mapping[str, float]
    of: Mapping[int, int]
    name: str
    node: int

    def answer(self, result: int, name: str, mode: str, digits: int, names: Mapping[str, int] | None = None) -> Answer:
        """The slope of a result, called `name`, along the line, or the slopes of a sum by `names`."""
        lowered = self.lowered._replace(result=self.of.get(result, result), name=name)
        return answered(lowered, self.point, {self.name: self.node} if names is None else names, mode, digits=digits)


def along(
    lowered: Lowered, point: Mapping[str, float], sources: Mapping[str, int], rates: Mapping[str, float]
) -> Directed:
    """The program where each source is itself plus time times its rate."""
    old, graph = lowered.graph, Graph()
    active = {node: name for name, node in sources.items() if rates[name]}
    given, of, time = {**point, _TIME: 0.0}, dict[int, int](), graph.input(_TIME)
    for node, (row, args, span) in enumerate(zip(old.rows, old.args, old.spans, strict=True)):
        if row is not None:
            of[node] = graph.twin(row, tuple([of[a] for a in args]), span)
        elif node in old.constants:
            of[node] = graph.constant(old.constants[node], span)
        else:
            of[node] = graph.input(old.inputs[node], span)
        if node in active:
            rate = f"rate of {active[node]}"
            given[rate] = rates[active[node]]
            step = graph.twin(_TIMES, (time, graph.input(rate)), span)
            of[node] = graph.twin(_PLUS, (of[node], step), span)
    graph.parts = {of[node]: part for node, part in old.parts.items()}
    return Directed(lowered._replace(graph=graph, assigned={}), given, of, _TIME, time)


def weighted(
    lowered: Lowered, point: Mapping[str, float], results: Mapping[str, int], weights: Mapping[str, float]
) -> Directed:
    """The program with the weighted sum of its results as one more equation."""
    graph, given, total = lowered.graph, dict(point), -1
    for name, node in results.items():
        span, term = graph.spans[node], node
        if weights[name] != 1:
            weight = f"weight of {name}"
            given[weight] = weights[name]
            term = graph.twin(_TIMES, (graph.input(weight), node), span)
        total = term if total < 0 else graph.twin(_PLUS, (total, term), span)
    return Directed(lowered, given, {}, "", total)
