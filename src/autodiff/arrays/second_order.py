"""Products with the Hessian of a program over arrays: forward mode over its reverse mode.

>>> from autodiff.arrays.algebra import evaluate
>>> from autodiff.core.lowering import lower
>>> trace = evaluate(lower("sum(x^3)"), {"x": np.array([1.0, 2.0])})
>>> AdjointRates(trace, [0])({0: np.array([1.0, 0.0])})[0]  # x is equation 0, and d²/dx² is 6x
array([6., 0.])

What an adjoint gives to an argument is a text of the table. Its rate of change is the text's own derivative, in the
arguments, the result and the adjoint, which all move along the direction: so second derivatives are as exact as slopes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.arrays import algebra, functions
from autodiff.arrays.algebra import ArrayTrace, PartialOf
from autodiff.arrays.linearize import masked, reduced_axis, slope, summed_to, taken_where, widened
from autodiff.arrays.ufuncs import Value, number, shape
from autodiff.core import linearize, templates
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, UNDEFINED, Primitive

_VALUES = functions.ArrayValues()


class AdjointRates:
    """The adjoints of a trace, from `seed` back to `sources`; called with the tangents of the sources, their rates of change.

    The trace must have all its values. A rate is NaN where there is no second derivative.
    """

    def __init__(self, trace: ArrayTrace, sources: Sequence[int], convention: str = "", seed: Value = 1.0) -> None:
        self.trace, self.sources, self.convention = trace, sources, convention
        self.edges = algebra.linear(trace, sources)
        self.adjoints = algebra.vjp(trace, sources, convention, seed, self.edges)

    def __call__(self, tangents: Mapping[int, Value]) -> dict[int, Value]:
        """The rate of the adjoint of each equation when the sources move at these tangents."""
        with np.errstate(all="ignore"):
            tangent_of = algebra.jvp(self.trace, tangents)
            rates: dict[int, Value] = {}
            for node in reversed(list(self.edges)):
                if node not in self.adjoints:
                    continue
                for arg, partial in self.edges[node]:
                    part = self._pulled(partial, tangent_of, rates.get(node, 0.0))
                    rates[arg] = rates[arg] + part if arg in rates else part
        return rates

    def _pulled(self, partial: PartialOf, tangent_of: Mapping[int, Value], rate: Value) -> Value:
        """The rate of what the adjoint of an equation gives to an argument; the adjoint's own is `rate`."""
        node, k = partial
        graph, values = self.trace.lowered.graph, self.trace.values
        row = graph.rows[node]
        assert row is not None  # a leaf has no partials
        adjoint, mask = self.adjoints[node], self.trace.needed_where.get(node)
        args = [values[a] for a in graph.args[node]]
        wide, inner = shape(values[node]), shape(args[k])
        if row.branches is not None:
            taken = taken_where(row, k, args)
            return summed_to(np.where(taken, rate, 0.0), wide, inner) if shape(taken) else rate if taken else 0.0
        args = [number(a) for a in args]
        given = [*args, values[node]]
        directions = [tangent_of.get(a, 0.0) for a in (*graph.args[node], node)]
        if row.kind not in (ELEMENTWISE, REDUCTION):
            full = [np.broadcast_to(g, wide) if wide else g for g in (adjoint, rate)]
            return _rate(row.partials[k], (*row.params, "w", "g"), [*given, full[0]], [*directions, full[1]])
        axis = reduced_axis(row, args) if row.kind == REDUCTION else ()
        adjoint, rate, given[-1], directions[-1] = (
            widened(value, axis) for value in (adjoint, rate, given[-1], directions[-1])
        )
        own = slope(row, k, args, given[-1], self.convention)
        part = masked(rate * own + adjoint * self._slope_rate(row, k, given, directions), mask, axis)
        return part if row.kind == REDUCTION else summed_to(part, wide, inner)

    def _slope_rate(self, row: Primitive, k: int, given: Sequence[Value], directions: Sequence[Value]) -> Value:
        """The rate of a local slope, by the convention where that sits on a corner."""
        names = (*row.params, "w")
        own = _rate(row.partials[k], names, given, directions)
        other = linearize.agreed(row, k, self.convention)
        if not other:
            return own
        return np.where(functions.text(row.kink, names)(*given), _rate(other, names, given, directions), own)


def _rate(source: str, names: tuple[str, ...], given: Sequence[Value], directions: Sequence[Value]) -> Value:
    """How fast a text of the table changes when its names move in these directions."""
    if source == UNDEFINED:
        return float("nan")
    template = templates.template(source, names)
    graph = template.graph
    values, order, _ = _VALUES.unchecked(template, dict(zip(names, given, strict=True)))
    seeds: dict[int, Any] = {}
    for name, direction in zip(names, directions, strict=True):
        node = graph.find(name)
        if node is not None and (shape(direction) or direction):
            seeds[node] = direction
    return algebra.jvp(ArrayTrace(template, values, order), seeds).get(template.result, 0.0) if seeds else 0.0
