"""Whether a derivative exists where its program has a corner, a jump or a condition: x*abs(x) has the slope 0 at 0.

The derivative is evaluated at points on the break, with a short list of numbers for the other inputs, and compared with the formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from math import isclose

from autodiff.api.evaluate import evaluate
from autodiff.api.inputs import Value, parse_point
from autodiff.api.matrices import Matrix, hessian
from autodiff.core.graph import Graph
from autodiff.core.lowering import lower
from autodiff.errors import AutodiffError
from autodiff.notation.infix import infix
from autodiff.notation.parts import parted
from autodiff.symbolic.conditions import Proviso, settled, without
from autodiff.symbolic.expression import Symbols
from autodiff.symbolic.sides import same_on_both_sides

_LARGEST = 300
"""Equations that a formula may have to be evaluated here."""

_PLACES = ("0", "1", "-1", "2", "-3", "pi", "-pi", "pi/2", "3*pi/2", "pi/4")
"""Values of the only input that are tried where the place does not say what it is."""

_NUMBERS = ("0.75", "-1.5", "2.25", "-0.25")
"""Values of the other inputs at the points that are tried."""


def of_result(
    condition: Proviso, symbols: Symbols, text: str, inputs: Sequence[str], value: int, formula: int, wrt: Sequence[str]
) -> Proviso | None:
    """A condition on the slope of the program `text`: a break without its harmless places, None where none is left.

    A jump of a part, where the result is continuous, is a corner: that of `heaviside(x)*x`. `value` and `formula` are the
    equations of the result and of its slope.
    """
    if condition.kind in ("domain", "slope") or condition.branch:
        return condition
    same, points = partial(same_on_both_sides, symbols), partial(_points, inputs, symbols)

    def smooth(place: int) -> bool:
        by_formulas = len(wrt) == 1 and same(value, place) and same(formula, place)
        outside = not by_formulas and _statuses(text, wrt, points(place)) == {"domain"}
        return by_formulas or outside or _smooth(text, symbols.graph, formula, wrt, points(place))

    left = without(symbols, condition, smooth)
    if left is None or without(symbols, left, lambda place: _statuses(text, wrt, points(place)) == {"ok"}) is None:
        return left and replace(left, kind="place")
    if left.kind != "jump":
        return left
    jumps = without(symbols, left, lambda place: same(value, place) or _has_corner(text, wrt[:1], points(place)))
    return replace(left, kind="corner") if jumps is None else left


def _smooth(text: str, graph: Graph, formula: int, wrt: Sequence[str], points: Iterable[Mapping[str, Value]]) -> bool:
    """Whether the derivative by `wrt` is there at all of the points where the program has a value, and at most of them it has."""
    if len(graph.reaching(formula)) > _LARGEST:
        return False
    try:
        agreements = [_agrees(text, graph, formula, wrt, point) for point in points]
    except AutodiffError:
        return False
    return False not in agreements and agreements.count(True) > len(agreements) // 2


def _has_corner(text: str, wrt: Sequence[str], points: Iterable[Mapping[str, Value]]) -> bool:
    """Whether the program is continuous at the points, with another slope on each side."""
    kinds = _statuses(text, wrt, points)
    return "corner" in kinds and kinds <= {"corner", "ok"}


def _statuses(text: str, wrt: Sequence[str], points: Iterable[Mapping[str, Value]]) -> set[str]:
    """What the slope is at the points; nothing where that is not known, or of a higher order."""
    try:
        return {evaluate(text, point, wrt).status for point in points} if len(wrt) == 1 else set()
    except AutodiffError:
        return set()


def _points(inputs: Sequence[str], symbols: Symbols, place: int) -> Iterator[Mapping[str, Value]]:
    """Points in a place, with numbers of the short list for the other inputs."""
    graph, names = symbols.graph, settled(symbols, place)
    if names is None:
        tried = (parse_point(f"{inputs[0]}={number}") for number in _PLACES if len(inputs) == 1)
        yield from (point for point in tried if evaluate(infix(graph, place), point).value == 1)
        return
    free = [name for name in inputs if name not in names]
    for start in range(len(_NUMBERS) if free else 1):
        numbers = {name: f"({_NUMBERS[(start + 3 * k + k // 2) % len(_NUMBERS)]})" for k, name in enumerate(free)}
        filled = {name: _filled(infix(graph, node), numbers) for name, node in names.items()}
        yield parse_point(",".join(f"{name}={value}" for name, value in (numbers | filled).items()))


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
    names = lower(printed).inputs
    expected = evaluate(printed, {name: point[name] for name in names}).value
    return (
        good
        and slope is not None
        and isinstance(expected, float)
        and isclose(slope, expected, rel_tol=1e-9, abs_tol=1e-12)
    )
