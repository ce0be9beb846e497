"""Forward mode: dual numbers, carried from the inputs up to the result.

>>> from autodiff.answer import parse
>>> from autodiff.calculus.lower import lower
>>> lowered = lower(parse("exp(sin(x^2))"))
>>> (x,) = lowered.graph.inputs
>>> forward(lowered, {"x": 4.0}, {x: {"x": 1.0}})[lowered.result]     # moving x
Dual(primal=0.7498340851945589, tangent={'x': -5.744685762849454})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from autodiff.calculus import local
from autodiff.calculus.lower import Lowered
from autodiff.calculus.primal import number, sweep

Tangent: TypeAlias = "dict[str, float]"
"""A slope per direction; a direction that does not move the number is absent, not 0."""


class Dual(NamedTuple):
    """A number and how fast it changes: `primal` + ε `tangent`."""

    primal: float
    tangent: Tangent


def forward(lowered: Lowered, point: Mapping[str, float], seeds: Mapping[int, Tangent]) -> list[Dual]:
    """One sweep: the value of every equation and its slope along each direction of `seeds` (equation → direction → rate).

    Seed every input with a direction of its own for a whole gradient in one sweep, or with one shared direction for a
    product of the gradient with a vector (jvp). Raises Outside where a value does not exist.
    """
    graph = lowered.graph

    def leaf(node: int) -> Dual:
        value = graph.constants[node] if node in graph.constants else point[graph.inputs[node]]
        return Dual(value, dict(seeds.get(node, {})))

    def apply(node: int, args: Sequence[Dual]) -> Dual:
        primals = [a.primal for a in args]
        value = number(graph, node, primals)
        tangent: Tangent = dict(seeds.get(node, {}))
        for k, slope in local.slopes(graph, node, primals, value, [a.tangent for a in args]):
            for direction, rate in args[k].tangent.items():
                tangent[direction] = tangent.get(direction, 0.0) + slope * rate
        return Dual(value, tangent)

    return sweep(graph, lowered.result, leaf, apply, lambda dual: bool(dual.primal))[0]
