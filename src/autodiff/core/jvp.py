"""Forward mode: dual numbers, carried from the inputs up to the result.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> lowered = lower(parse("exp(sin(x^2))"))
>>> (x,) = lowered.graph.inputs
>>> forward(lowered, {"x": 4.0}, {x: {"x": 1.0}})[lowered.result]     # moving x
Dual(primal=0.7498340851945589, tangent={'x': -5.744685762849454})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

from autodiff.core import linearize
from autodiff.core.evaluate import primal
from autodiff.core.linearize import Linearization
from autodiff.core.lowering import Lowered

T = TypeVar("T")

Flow: TypeAlias = Sequence[tuple[float, T]]
"""What reaches an equation: a local slope, and the tangent of the argument that it stands for."""

Tangent: TypeAlias = "dict[str, float]"
"""A slope per direction; a direction that does not move the number is absent, not 0."""


class Dual(NamedTuple):
    """A number and how fast it changes: `primal` + ε `tangent`."""

    primal: float
    tangent: Tangent


def forward(lowered: Lowered, point: Mapping[str, float], seeds: Mapping[int, Tangent]) -> list[Dual]:
    """One sweep: the value of every equation and its slope along each direction of `seeds` (equation → direction → rate).

    Seed every input with a direction of its own for a whole gradient in one sweep, or with one shared direction for a
    product of the gradient with a vector (jvp). Raises DomainError where a value does not exist.
    """
    run = primal(lowered, point)
    tangents = push(linearize.linearize(lowered, run, seeds), seeds, _in_each_direction)
    return [Dual(value, tangents.get(node, {})) for node, value in enumerate(run.values)]


def in_all_directions(factors: Linearization, sources: Mapping[str, int]) -> dict[int, Tangent]:
    """The slope of every equation by each name of `sources`, which stand for equations."""
    seeds: dict[int, Tangent] = {}
    for name, node in sources.items():
        seeds.setdefault(node, {})[name] = 1.0
    return push(factors, seeds, _in_each_direction)


def along(factors: Linearization, seeds: Mapping[int, float]) -> dict[int, float]:
    """The slope of every equation in one direction, in which the equations of `seeds` move at those rates (jvp)."""
    tangents = dict(seeds)  # `push`, written out for floats, which takes half the time
    for node, edges in factors.items():
        for arg, slope in edges:
            rate = tangents.get(arg)
            if rate is not None:
                tangents[node] = tangents[node] + slope * rate if node in tangents else slope * rate
    return tangents


def push(factors: Linearization, seeds: Mapping[int, T], combine: Callable[[T | None, Flow[T]], T]) -> dict[int, T]:
    """Carry tangents over a program that is linear already, arguments before results; what does not move is absent.

    `combine(seed, flow)` makes an equation's tangent of its own seed and of (slope, tangent) for each argument that
    moves. T is whatever tangents are made of.
    """
    tangents = dict(seeds)
    for node, edges in factors.items():
        flow = [(slope, tangents[arg]) for arg, slope in edges if arg in tangents]
        if flow:
            tangents[node] = combine(seeds.get(node), flow)
    return tangents


def _in_each_direction(seed: Tangent | None, flow: Flow[Tangent]) -> Tangent:
    tangent = dict(seed or {})
    for slope, rates in flow:
        for direction, rate in rates.items():
            tangent[direction] = tangent.get(direction, 0.0) + slope * rate
    return tangent
