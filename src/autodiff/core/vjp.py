"""Reverse mode: adjoints, carried from the result back to the inputs: the whole gradient in one pass.

>>> from autodiff.core.evaluate import primal
>>> from autodiff.core.linearize import linearize
>>> from autodiff.core.lowering import lower
>>> lowered = lower("exp(sin(x^2))")
>>> (x,) = lowered.graph.inputs
>>> vjp(lowered.result, linearize(lowered, primal(lowered, {"x": 4.0}), [x]), [x])[x]
-5.744685762849454
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from autodiff.core.linearize import Linearization

T = TypeVar("T")


def pull_back(
    order: Iterable[int],
    seeds: dict[int, T],
    pull: Callable[[int, T], Iterable[tuple[int, T]]],
    plus: Callable[[T, T], T],
    kept: Collection[int] | None = None,
) -> dict[int, T]:
    """Carry adjoints along `order`, results before their arguments: `seeds` and all that flows from them, per equation.

    `pull(node, g)` says what the adjoint g of an equation gives to each of its arguments. T is whatever adjoints are:
    numbers of an algebra, or equations. With `kept`, all others are dropped as soon as they are used.
    """
    adjoints = dict(seeds)
    for node in order:
        if node in adjoints:
            adjoint = adjoints[node] if kept is None or node in kept else adjoints.pop(node)
            for arg, part in pull(node, adjoint):
                adjoints[arg] = plus(adjoints[arg], part) if arg in adjoints else part
    return adjoints


def vjp(result: int, linear: Linearization, sources: Collection[int]) -> dict[int, float]:
    """The derivative of the result in every active equation between it and `sources`, sources included.

    This is `pull_back`, written out for floats, which takes half the time.
    """
    adjoints = {result: 1.0} if result in linear or result in sources else {}
    for node, edges in reversed(linear.items()):
        g = adjoints.get(node)
        if g is not None:
            for arg, partial in edges:
                adjoints[arg] = adjoints[arg] + g * partial if arg in adjoints else g * partial
    return adjoints
