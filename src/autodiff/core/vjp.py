"""Reverse mode: adjoints, carried from the result back to the inputs: every slope in one sweep.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> from autodiff.core.evaluate import primal
>>> lowered = lower(parse("exp(sin(x^2))"))
>>> (x,) = lowered.graph.inputs
>>> reverse(lowered, primal(lowered, {"x": 4.0}), [x])[x]
-5.744685762849454
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from autodiff.core import linearize
from autodiff.core.evaluate import Trace
from autodiff.core.linearize import Linearization
from autodiff.core.lowering import Lowered

T = TypeVar("T")


def sweep_down(
    order: Iterable[int],
    seeds: dict[int, T],
    pull: Callable[[int, T], Iterable[tuple[int, T]]],
    plus: Callable[[T, T], T],
) -> dict[int, T]:
    """Carry adjoints along `order`, results before their arguments: `seeds` and all that flows from them, per equation.

    `pull(node, g)` says what the adjoint g of an equation gives to each of its arguments. T is whatever adjoints are
    made of: floats for numbers, equations for symbols.
    """
    adjoint = dict(seeds)
    for node in order:
        if node in adjoint:
            for arg, part in pull(node, adjoint[node]):
                adjoint[arg] = plus(adjoint[arg], part) if arg in adjoint else part
    return adjoint


def reverse(lowered: Lowered, run: Trace, sources: Collection[int], convention: str = "") -> dict[int, float]:
    """The slope of the result in every equation between it and `sources`, sources included; absent where none flows."""
    return adjoints(lowered.result, linearize.linearize(lowered, run, sources, convention), sources)


def adjoints(result: int, factors: Linearization, sources: Collection[int]) -> dict[int, float]:
    """The same for a program that is linear already: `sweep_down`, written out for floats, which takes half the time."""
    found = {result: 1.0} if result in factors or result in sources else {}
    for node, edges in reversed(factors.items()):
        g = found.get(node)
        if g is not None:
            for arg, slope in edges:
                found[arg] = found[arg] + g * slope if arg in found else g * slope
    return found
