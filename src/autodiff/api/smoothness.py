"""Whether a derivative exists where its program has a corner, a jump or a condition: x*abs(x) has the slope 0 at 0.

The derivative is evaluated at points on the break, with a short list of numbers for the other inputs, and compared with the formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from math import isclose

from autodiff.api.evaluate import evaluate, parse
from autodiff.api.inputs import Value, parse_point
from autodiff.api.matrices import Matrix, hessian
from autodiff.core.graph import Graph
from autodiff.core.lowering import lower
from autodiff.errors import AutodiffError
from autodiff.notation.infix import infix
from autodiff.notation.parts import parted
from autodiff.symbolic.conditions import Proviso, without
from autodiff.symbolic.expression import Symbols

_LARGEST = 300
"""Equations that a formula may have to be evaluated here."""

_NUMBERS = ("0.75", "-1.5", "2.25", "-0.25")
"""Values of the other inputs at the points that are tried."""


def of_result(
    condition: Proviso, symbols: Symbols, text: str, inputs: Sequence[str], formula: int, wrt: Sequence[str]
) -> Proviso | None:
    """A condition on the slope of the program `text`: a break without its harmless places, None where none is left.

    A jump of a part, where the result is continuous, is a corner: that of `heaviside(x)*x`.
    """
    if condition.kind in ("domain", "slope") or condition.branch:
        return condition
    left = without(symbols, condition, partial(_smooth, text, inputs, symbols.graph, formula, wrt))
    if left is None or left.kind != "jump":
        return left
    jumps = without(symbols, left, partial(_has_corner, text, inputs, symbols.graph, wrt[:1]))
    return replace(left, kind="corner") if jumps is None else left


def _smooth(
    text: str, inputs: Sequence[str], graph: Graph, formula: int, wrt: Sequence[str], place: Mapping[str, int]
) -> bool:
    """Whether the derivative by `wrt` is there in a `place`: names, and the equations of `graph` that say what they are."""
    if len(graph.reaching(formula)) > _LARGEST:
        return False
    try:
        agreements = [_agrees(text, graph, formula, wrt, point) for point in _points(inputs, graph, place)]
    except AutodiffError:
        return False
    free = len(inputs) > len(place)
    return False not in agreements and (not free or agreements.count(True) > len(agreements) // 2)


def _has_corner(text: str, inputs: Sequence[str], graph: Graph, wrt: Sequence[str], place: Mapping[str, int]) -> bool:
    """Whether the program is continuous in a `place`, with another slope on each side."""
    try:
        kinds = [evaluate(text, point, wrt).status for point in _points(inputs, graph, place)]
    except AutodiffError:
        return False
    return "corner" in kinds and {*kinds} <= {"corner", "ok"}


def _points(inputs: Sequence[str], graph: Graph, place: Mapping[str, int]) -> Iterator[Mapping[str, Value]]:
    """Points in a place, with numbers of the short list for the other inputs."""
    free = [name for name in inputs if name not in place]
    for start in range(len(_NUMBERS) if free else 1):
        numbers = {name: f"({_NUMBERS[(start + 3 * k + k // 2) % len(_NUMBERS)]})" for k, name in enumerate(free)}
        settled = {name: _filled(infix(graph, node), numbers) for name, node in place.items()}
        yield parse_point(",".join(f"{name}={value}" for name, value in (numbers | settled).items()))


@lru_cache(maxsize=64)
def _second(text: str, point: tuple[tuple[str, Value], ...]) -> Matrix:
    """The Hessian at a point, once for all its entries."""
    return hessian(text, dict(point))


def _filled(text: str, numbers: Mapping[str, str]) -> str:
    return re.sub(r"[^\W\d]\w*", lambda name: numbers.get(name[0], name[0]), text)


def _agrees(text: str, graph: Graph, formula: int, wrt: Sequence[str], point: Mapping[str, Value]) -> bool | None:
    """Whether the derivative at a point is what the formula says; None where the program has no value."""
    if len(set(wrt)) == 1:
        answer = evaluate(text, point, [wrt[0]], order=len(wrt))
        value, sides = answer.value, answer.verdicts.values()
        slope = answer.gradient[wrt[0]] if len(wrt) == 1 else answer.derivatives[-1]
        undefined, good = (
            answer.status == "domain",
            answer.status == "ok" and all(None not in (side.left, side.right) for side in sides),
        )
    else:
        matrix = _second(text, tuple(point.items()))
        value, slope = matrix.values[matrix.result], matrix.rows[wrt[0]][wrt[1]]
        undefined, good = matrix.status == "domain", True  # an entry that is not there is None
    if value is None and undefined:
        return None
    printed = str(parted(graph, [formula]))
    names = lower(parse(printed)).inputs
    expected = evaluate(printed, {name: point[name] for name in names}).value
    return (
        good
        and slope is not None
        and isinstance(expected, float)
        and isclose(slope, expected, rel_tol=1e-9, abs_tol=1e-12)
    )
