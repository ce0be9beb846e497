"""Forward mode: tangents, carried from the inputs up to the result.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> lowered = lower(parse("exp(sin(x^2))"))
>>> (x,) = lowered.graph.inputs
>>> forward(lowered, {"x": 4.0}, {x: {"x": 1.0}})[lowered.result]     # by x
Dual(primal=0.7498340851945589, tangent={'x': -5.744685762849454})
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from autodiff.core import linearize
from autodiff.core.evaluate import primal
from autodiff.core.linearize import Linearization
from autodiff.core.lowering import Lowered

Tangent: TypeAlias = "dict[str, float]"
"""A derivative per direction; a direction in which the number is inactive is absent, not 0."""


class Dual(NamedTuple):
    """A number and its derivatives: `primal` + ε `tangent`."""

    primal: float
    tangent: Tangent


def forward(lowered: Lowered, point: Mapping[str, float], seeds: Mapping[int, Tangent]) -> list[Dual]:
    """The value of every equation and its tangent along each direction of `seeds` (equation → direction → rate).

    Seed every input with a direction of its own for a whole gradient in one pass, or with one shared direction for a
    jvp. Raises DomainError where a value does not exist.
    """
    trace = primal(lowered, point)
    tangents = _in_each_direction(linearize.linearize(lowered, trace, seeds), seeds)
    return [Dual(value, tangents.get(node, {})) for node, value in enumerate(trace.values)]


def in_all_directions(linear: Linearization, sources: Mapping[str, int]) -> dict[int, Tangent]:
    """The derivative of every equation by each name of `sources`, which stand for equations."""
    seeds: dict[int, Tangent] = {}
    for name, node in sources.items():
        seeds.setdefault(node, {})[name] = 1.0
    return _in_each_direction(linear, seeds)


def _in_each_direction(linear: Linearization, seeds: Mapping[int, Tangent]) -> dict[int, Tangent]:
    tangents = dict(seeds)
    for node, edges in linear.items():
        ways = [(partial, tangents[arg]) for arg, partial in edges if arg in tangents]
        if not ways:
            continue
        tangent = tangents[node] = dict(seeds.get(node, {}))
        for partial, rates in ways:
            for direction, rate in rates.items():
                tangent[direction] = tangent.get(direction, 0.0) + partial * rate
    return tangents


def jvp(linear: Linearization, seeds: Mapping[int, float]) -> dict[int, float]:
    """The tangent of every equation in one direction, in which those of `seeds` have these: `Algebra.jvp`, for floats."""
    tangents = dict(seeds)
    for node, edges in linear.items():
        for arg, partial in edges:
            rate = tangents.get(arg)
            if rate is not None:
                tangents[node] = tangents[node] + partial * rate if node in tangents else partial * rate
    return tangents
