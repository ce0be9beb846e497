"""A second check of the rules of arrays: difference quotients of a reduction's or an array function's own values.

>>> from autodiff.arrays.algebra import evaluate
>>> from autodiff.core.lowering import lower
>>> broken_rule(evaluate(lower("sum(u*u)"), {"u": np.array([1.0, 2.0])})) is None
True
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from autodiff.arrays import functions, linearize
from autodiff.arrays.algebra import ArrayTrace
from autodiff.arrays.shapes import ShapeError
from autodiff.arrays.ufuncs import Value, number, plain, shape
from autodiff.core.primitive import ELEMENTWISE, UNDEFINED, ZERO, Primitive
from autodiff.verify.cross_mode import USES
from autodiff.verify.difference import contradicts, ordinary, values_contradict

_LARGEST = 10_000
"""Elements of an argument above which a reduction or an array function is left to the two sweeps."""


def broken_rule(run: ArrayTrace) -> int | None:
    """An equation whose slope, by its rule in the table, is not what the rule's own values say; None if there is none."""
    graph, seen = run.lowered.graph, Counter[Primitive]()
    with np.errstate(all="ignore"):
        for node in run.order:
            row = graph.rows[node]
            if row is None or row.is_predicate or row.branches is not None or node in run.inactive or seen[row] == USES:
                continue
            seen[row] += 1
            args = [number(run.values[a]) for a in graph.args[node]]
            places = [k for k in range(row.conditions, row.arity) if row.partials[k] != UNDEFINED]
            if row.kind == ELEMENTWISE:
                rejected = _first_element_rejected(row, places, args, run.values[node], run.needed_where.get(node))
            else:
                rejected = any(_rejected(row, k, args, run.values[node]) for k in places)
            if rejected:
                return node
    return None


def direction(wide: tuple[int, ...], start: int = 1) -> Any:
    """A fixed pseudo-random direction of a shape, a float for (): multiples of the golden ratio mod 1 from the `start`-th on."""
    weights = 0.25 + 0.5 * ((np.arange(start, start + math.prod(wide)) * 0.6180339887498949) % 1)
    return weights.reshape(wide) if wide else float(weights[0])


def _first_element_rejected(
    row: Primitive, places: Sequence[int], args: Sequence[Value], result: Value, mask: Any
) -> bool:
    """Whether the slope of the first element that is needed contradicts the row's own values."""
    wide = shape(result)
    place = np.unravel_index(0 if mask is None else int(np.argmax(mask)), wide) if wide else ()

    def element(value: Value) -> float:
        return float(np.broadcast_to(value, wide)[place])

    numbers = [element(a) for a in args]
    claims = [(k, 0.0 if row.partials[k] == ZERO else element(linearize.slope(row, k, args, result))) for k in places]
    return any(np.isfinite(slope) and contradicts(row, k, numbers, slope) for k, slope in claims)


def _rejected(row: Primitive, k: int, args: Sequence[Value], result: Value) -> bool:
    """The same of the element of the result that changes most, for a fixed direction of argument k."""
    if sum(map(np.size, args)) > _LARGEST or not all(ordinary(x) for a in args for x in np.ravel(a).tolist()):
        return False
    step = direction(shape(args[k])) * np.where(np.equal(args[k], 0), 1.0, np.abs(args[k]))
    inactive = row.partials[k] == ZERO
    rates = np.zeros(shape(result)) if inactive else np.broadcast_to(_rate(row, k, args, result, step), shape(result))
    place = np.unravel_index(int(np.argmax(np.abs(rates))), rates.shape)

    def curve(x: float) -> tuple[float, float]:
        given = [plain(a + (x - 1) * step) if j == k else a for j, a in enumerate(args)]
        value = functions.apply(row, given)
        rate = 0.0 if inactive else np.broadcast_to(_rate(row, k, given, value, step), rates.shape)[place]
        return float(np.asarray(value)[place]), float(rate)

    try:
        return values_contradict(curve, 1.0)
    except ShapeError:  # an argument that is a place or an axis
        return False


def _rate(row: Primitive, k: int, args: Sequence[Value], result: Value, step: Any) -> Any:
    return linearize.push(row, k, args, result, step if shape(args[k]) else float(step))
