"""The partials of the table's rows over arrays: what an adjoint gives to an argument, and a tangent of it to the result.

>>> from autodiff.core.rules import TABLE
>>> x, y = np.array([1.0, 2.0]), np.array([2.0, 4.0])
>>> slope(TABLE["/", 2], 0, [x, y], x / y)
array([0.5 , 0.25])
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autodiff.arrays import functions
from autodiff.arrays.ufuncs import Array, Value, dot, number, one_by_one, plain, shape, total
from autodiff.core import linearize, rules, templates
from autodiff.core.graph import Graph, reached
from autodiff.core.primitive import ELEMENTWISE, LINEAR, REDUCTION, UNDEFINED, ZERO, Primitive

_SIZE = rules.TABLE["numel", 1]


def summed_to(part: Any, wide: Sequence[int], to: Sequence[int]) -> Value:
    """Un-broadcast: a part over a result of shape `wide`, summed to the argument of shape `to`.

    A part may stay narrower than `wide` where it is constant along axes: the mean's 1/N is one number.
    """
    if tuple(to) == tuple(wide):
        return part  # type: ignore[no-any-return]
    full = part if shape(part) == tuple(wide) else np.broadcast_to(part, wide)
    if len(wide) == 1 and not to:
        return plain(total(full))
    extra = len(wide) - len(to)
    axes = (*range(extra), *(k for k in range(extra, len(wide)) if to[k - extra] == 1 and wide[k] != 1))
    return plain(total(full, axes).reshape(to))


def _times(part: Value, slope: Value) -> Value:
    """part*slope; a slope of 1 costs nothing."""
    if isinstance(slope, float | int) and slope in (1, -1):
        return part if slope == 1 else -part
    return part * slope


def product(adjoint: Value, slope: Value, wide: Sequence[int], to: Sequence[int], mask: Array | None = None) -> Value:
    """What the adjoint of a result of shape `wide` gives to an argument of shape `to`, by its local slope."""
    if mask is None and not to and shape(adjoint) == shape(slope) == wide != ():
        return dot(np.ravel(adjoint), np.ravel(slope))  # one pass: the slope in a weight that all rows share
    return summed_to(masked(_times(adjoint, slope), mask), wide, to)


def slope(row: Primitive, k: int, args: Sequence[Value], result: Value, convention: str = "") -> Value:
    """The local slope of an elementwise row or a reduction; by a convention where it sits on a corner."""
    if row.partials[k] == UNDEFINED:
        return math.nan
    if row.by_balls:
        return plain(one_by_one(templates.partial(row, k), 1 + row.arity)(*args, result))
    names = (*row.params, "w")
    own = evaluated(row.partials[k], names, (*args, result))
    other = linearize.agreed(row, k, convention)
    if not other:
        return own
    return np.where(evaluated(row.kink, names, (*args, result)), evaluated(other, names, (*args, result)), own)


def evaluated(source: str, names: tuple[str, ...], given: Sequence[Value]) -> Value:
    """A text of the table over the values that it mentions."""
    function, places = _compiled(source, names)
    return number(function(*[given[k] for k in places]))


@lru_cache(maxsize=8192)
def _compiled(source: str, names: tuple[str, ...]) -> tuple[Callable[..., Value], tuple[int, ...]]:
    """A text as a function of those of its names that it mentions, and which ones these are."""
    if source in names:  # as in the slopes of a product
        return (lambda value: value), (names.index(source),)
    needed = templates.used(source, names)
    places = tuple(k for k, name in enumerate(names) if name in needed)
    function = functions.text(source, tuple(names[k] for k in places))
    if places:
        return function, places
    constant = function()
    return (lambda: constant), ()


def reduced_axis(row: Primitive, args: Sequence[Value]) -> Sequence[Value]:
    """The axis that a reduction of an array is along; empty where it is over all elements, and for all else."""
    return args[1:] if row.kind == REDUCTION and row.params[-1] == "axis" and shape(args[0]) else []


def widened(value: Value, axis: Sequence[Value]) -> Value:
    """A reduction's result or adjoint with the axis that it was reduced along, so that it can be broadcast."""
    return np.expand_dims(value, int(axis[0])) if axis and isinstance(value, np.ndarray) else value


def pull(
    row: Primitive,
    k: int,
    args: Sequence[Value],
    result: Value,
    adjoint: Value,
    mask: Array | None = None,
    convention: str = "",
) -> Value:
    """What an adjoint of the result gives to argument k; `mask` has the elements of the result that are needed."""
    inner, wide = shape(args[k]), shape(result)
    if row.branches is not None:
        taken = taken_where(row, k, args)
        if isinstance(taken, np.ndarray):
            return summed_to(np.where(taken, adjoint, 0.0), wide, inner)
        return adjoint if taken else 0.0
    if row.kind == ELEMENTWISE:
        return product(adjoint, slope(row, k, args, result, convention), wide, inner, mask)
    if row.kind == REDUCTION:
        axis = reduced_axis(row, args)
        partial = slope(row, k, args, widened(result, axis), convention)
        return masked(_times(widened(adjoint, axis), partial), mask, axis)
    full = adjoint if shape(adjoint) == wide else np.broadcast_to(adjoint, wide)
    return evaluated(row.partials[k], (*row.params, "w", "g"), (*args, result, full))


def push(
    row: Primitive, k: int, args: Sequence[Value], result: Value, tangent: Value, mask: Array | None = None
) -> Value:
    """What a tangent of argument k gives to the result."""
    inner = shape(args[k])
    if row.branches is not None:
        taken = taken_where(row, k, args)
        return np.where(taken, tangent, 0.0) if isinstance(taken, np.ndarray) else tangent if taken else 0.0
    if row.kind == ELEMENTWISE:
        return masked(_times(tangent, slope(row, k, args, result)), mask)
    if row.kind == REDUCTION:
        axis = reduced_axis(row, args)
        moved = _times(tangent, slope(row, k, args, widened(result, axis)))
        part = masked(np.broadcast_to(moved, inner), mask, axis)
        return plain(total(np.asarray(part), int(axis[0]) if axis else None))
    full = np.broadcast_to(tangent, inner) if inner else tangent
    if row.kind == LINEAR:
        return functions.apply(row, [full if i == k else a for i, a in enumerate(args)])
    return evaluated(row.pushforward[k], (*row.params, "w", f"d{row.params[k]}"), (*args, result, full))


def taken_where(row: Primitive, k: int, args: Sequence[Value]) -> Value:
    """Where a choice takes argument k."""
    assert row.branches is not None
    return args[0] if k == row.branches[0] else np.logical_not(args[0])


def masked(part: Value, mask: Value | None, axis: Sequence[Value] = ()) -> Value:
    """A part where it is needed, else 0; with the axis of a reduction, whose result the mask is of."""
    return part if mask is None else np.where(widened(mask, axis), part, 0.0)


def used_by_partials(graph: Graph, node: int, active: Collection[int]) -> set[int]:
    """The values that the partials of an equation in its `active` arguments are made from."""
    row, args = graph.rows[node], graph.args[node]
    if row is None:
        return set()
    values = dict(zip(row.params, args, strict=True)) | {"w": node}
    partials = [
        text for text, a in zip(row.partials, args, strict=True) if a in active and text not in (ZERO, UNDEFINED)
    ]
    if partials and row.kink:
        return set(values.values())
    names = (*values, *(() if row.kind in (ELEMENTWISE, REDUCTION) else ("g",)))
    return {values[name] for text in partials for name in _used(text, names) if name in values}


@lru_cache(maxsize=1024)
def _used(text: str, names: tuple[str, ...]) -> frozenset[str]:
    """The names whose values a text uses, and not their sizes alone, as the mean's partial does."""
    text_of = templates.template(text, names)
    graph = text_of.graph
    nodes = reached(text_of.result, lambda node: () if graph.rows[node] is _SIZE else graph.args[node])
    return frozenset(graph.inputs[node] for node in nodes if node in graph.inputs)
