"""Forward mode: tangents, carried from the inputs up to the result.

>>> from autodiff.core.evaluate import primal
>>> from autodiff.core.linearize import linearize
>>> from autodiff.core.lowering import lower
>>> lowered = lower("exp(sin(x^2))")
>>> (x,) = lowered.graph.inputs
>>> jvp(linearize(lowered, primal(lowered, {"x": 4.0}), [x]), {x: 1.0})[lowered.result]
-5.744685762849454
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from autodiff.core.linearize import Linearization

Tangent: TypeAlias = "dict[str, float]"
"""A derivative per direction; a direction in which the number is inactive is absent, not 0."""


def in_all_directions(linear: Linearization, sources: Mapping[str, int]) -> dict[int, Tangent]:
    """The derivative of every equation by each name of `sources`, whose equations they give, in one pass."""
    tangents: dict[int, Tangent] = {}
    for name, node in sources.items():
        tangents.setdefault(node, {})[name] = 1.0
    for node, edges in linear.items():
        parts = [(partial, tangents[arg]) for arg, partial in edges if arg in tangents]
        if parts:
            tangent = tangents[node] = dict(tangents.get(node, {}))
            for partial, rates in parts:
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
