"""Small steps away from the point, really taken in one name after the other: what they confirm, deny and mean.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> value(lower(parse("y = x^2; sin(y)")), {"x": 0.0})
0.0
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from autodiff.core.evaluate import DomainError, number, sweep
from autodiff.core.lowering import Lowered
from autodiff.explanation import finite_differences
from autodiff.explanation.context import WIDE, Findings
from autodiff.explanation.model import Difference, Meaning

FEW = 8
"""Names for which steps are taken; one where the program is long."""

EXACT = 500
"""Equations up to which steps are taken in ball arithmetic where float64 loses digits."""

_UNMOVED: Mapping[int, float] = {}


def value(lowered: Lowered, point: Mapping[str, float], moved: Mapping[int, float] = _UNMOVED) -> float | None:
    """The result at a point, None where it has none; the equations in `moved` have those values, whatever they are made of."""
    graph = lowered.graph
    try:
        return sweep(
            graph,
            lowered.result,
            lambda node: graph.constants[node] if node in graph.constants else point[graph.inputs[node]],
            lambda node, args: moved[node] if node in moved else number(graph, node, args),
            bool,
        )[0][lowered.result]
    except DomainError:
        return None


def differences(it: Findings) -> tuple[Difference, ...]:
    """A central difference beside each slope that is sure."""
    return tuple(finite_differences.difference(_function(it), _point(it, n), n, slope) for n, slope in _sure(it))


def meanings(it: Findings) -> tuple[Meaning, ...]:
    """What a little more of each name does, by its slope and really."""
    if it.answer is None or it.answer.value is None:
        return ()
    here, function = it.answer.value, _function(it)
    return tuple(finite_differences.meaning(function, _point(it, n), n, slope, here) for n, slope in _sure(it))


def _sure(it: Findings) -> list[tuple[str, float]]:
    """Names with a slope that is no convention and stands at no hard point, with it; the first few."""
    if it.answer is None:
        return []
    verdicts = it.answer.verdicts
    smooth = (n for n in it.wanted if n not in verdicts or verdicts[n].status == "ok")
    known = ((name, it.answer.gradient[name]) for name in smooth)
    most = FEW if len(it.graph) <= WIDE else 1
    return [(name, slope) for name, slope in known if slope is not None][:most]


def _function(it: Findings) -> finite_differences.Function:
    assigned = {name: node for name, node in it.wanted.items() if node not in it.graph.inputs}
    if it.exact is not None and len(it.graph) <= EXACT:
        return partial(_exactly, it, it.exact.bits)
    return lambda point: value(it.lowered, point, {assigned[n]: point[n] for n in assigned if n in point})


def _exactly(it: Findings, bits: int, point: Mapping[str, float]) -> float | None:
    """The result at a point where float64 loses its digits; an assigned name stands for what it is made of."""
    from autodiff.verify import digits  # most answers need none

    moved = {node: point[name] for name, node in it.wanted.items() if node not in it.graph.inputs and name in point}
    return digits.value(it.lowered, point, bits, moved)


def _point(it: Findings, name: str) -> Mapping[str, float]:
    """The point; with the number of an assigned name, which then stands for its statement."""
    at = {} if it.answer is None else it.answer.at
    return at if name in at else {**at, name: it.values[it.wanted[name]]}
