"""Local slopes over arrays: what an adjoint of an equation gives to its arguments, and a tangent of them to it.

>>> from autodiff.core.rules import TABLE
>>> x, y = np.array([1.0, 2.0]), np.array([2.0, 4.0])
>>> slope(TABLE["/", 2], 0, [x, y], x / y)
array([0.5 , 0.25])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from autodiff.arrays import functions
from autodiff.arrays.evaluate import ArrayTrace
from autodiff.arrays.ufuncs import Array, Value, dot, number, one_by_one, plain, shape, total
from autodiff.core import linearize, templates
from autodiff.core.primitive import ELEMENTWISE, LINEAR, REDUCTION, UNDEFINED, ZERO, Primitive

Passing: TypeAlias = tuple[Callable[[Value], Value], Callable[[Value], Value]]
"""What an adjoint of the result gives to an argument, and what a tangent of the argument gives to the result."""


def fitted(part: Any, wide: Sequence[int], to: Sequence[int]) -> Value:
    """Un-broadcast: a part over a result of shape `wide`, summed to the argument of shape `to`.

    A part may stay narrower than `wide` where it is constant along axes: the mean's 1/N is one number.
    """
    if tuple(to) == tuple(wide):
        return part  # type: ignore[no-any-return]
    full = np.broadcast_to(part, wide)
    extra = len(wide) - len(to)
    axes = (*range(extra), *(k for k in range(extra, len(wide)) if to[k - extra] == 1 and wide[k] != 1))
    return plain(total(full, axes).reshape(to))


def _times(part: Value, slope: Value) -> Value:
    """part*slope; a slope of 1 costs nothing."""
    if isinstance(slope, float | int) and slope in (1, -1):
        return part if slope == 1 else -part
    return part * slope


def slope(row: Primitive, k: int, args: Sequence[Value], result: Value, convention: str = "") -> Value:
    """The local slope of an elementwise row or a reduction; by a convention where it sits on a corner."""
    if row.partials[k] == UNDEFINED:
        return np.nan
    if row.by_balls:
        return plain(one_by_one(templates.partial(row, k), 1 + row.arity)(*args, result))
    names = (*row.params, "w")
    own = evaluated(row.partials[k], names, (*args, result))
    if not (convention and row.kink):
        return own
    agreed = linearize.CONVENTIONS[convention](row)
    if not agreed or agreed[k] == row.partials[k]:
        return own
    on_corner = evaluated(row.kink, names, (*args, result))
    return np.where(on_corner, evaluated(agreed[k], names, (*args, result)), own)


def evaluated(source: str, names: tuple[str, ...], given: Sequence[Value]) -> Value:
    """A text of the table over the values that it mentions."""
    function, places = _compiled(source, names)
    return number(function(*[given[k] for k in places]))


@lru_cache(maxsize=8192)
def _compiled(source: str, names: tuple[str, ...]) -> tuple[Callable[..., Value], tuple[int, ...]]:
    """A text as a function of those of its names that it mentions, and which ones these are."""
    if source in names:  # as in the slopes of a product
        return (lambda value: value), (names.index(source),)
    needed = functions.used(source, names)
    places = tuple(k for k, name in enumerate(names) if name in needed)
    function = functions.text(source, tuple(names[k] for k in places))
    if places:
        return function, places
    constant = function()
    return (lambda: constant), ()


def moved(row: Primitive, k: int, args: Sequence[Value], result: Value, tangent: Value) -> Value:
    """How the result of a reduction or an array function moves when argument k moves as `tangent` says."""
    if row.kind == REDUCTION:
        axis = reduced_axis(row, args)
        kept = slope(row, k, args, widened(result, axis))
        return _reducing(None, kept, axis, shape(args[k]))[1](tangent)
    return _general(row, k, args, result, shape(result))[1](tangent)


def reduced_axis(row: Primitive, args: Sequence[Value]) -> Sequence[Value]:
    """The axis that a reduction of an array is along; empty where it is over all elements, and for all else."""
    return args[1:] if row.kind == REDUCTION and row.params[-1] == "axis" and shape(args[0]) else []


def widened(value: Value, axis: Sequence[Value]) -> Value:
    """A reduction's result or adjoint with the axis that it was reduced along, so that it can be broadcast."""
    return np.expand_dims(value, int(axis[0])) if axis and isinstance(value, np.ndarray) else value


def parts(
    run: ArrayTrace, node: int, moving: Sequence[object], convention: str
) -> Iterable[tuple[int, Callable[[Value], Value], Callable[[Value], Value]]]:
    """Per moving argument k of equation `node`: k, and how an adjoint and a tangent pass there."""
    graph, found = run.lowered.graph, run.values
    row = graph.rows[node]
    assert row is not None
    args = [found[a] if k < row.conditions else number(found[a]) for k, a in enumerate(graph.args[node])]
    result, wide = found[node], shape(found[node])
    for k, source in enumerate(row.partials):
        if source == ZERO or not moving[k] or (source == UNDEFINED and row.kind != ELEMENTWISE):
            continue  # an index, an axis or a size is a constant
        inner = shape(args[k])
        if row.kind == ELEMENTWISE:
            yield k, *_elementwise(run, node, slope(row, k, args, result, convention), inner)
        elif row.kind == REDUCTION:
            axis = reduced_axis(row, args)
            kept = slope(row, k, args, widened(result, axis), convention)
            yield k, *_reducing(run.needed_where.get(node), kept, axis, inner)
        else:
            yield k, *_general(row, k, args, result, wide)


def _elementwise(run: ArrayTrace, node: int, slope: Value, inner: Sequence[int]) -> Passing:
    mask, wide = run.needed_where.get(node), shape(run.values[node])

    def back(g: Value) -> Value:
        if mask is None and not inner and shape(g) == shape(slope) == tuple(wide) != ():
            return dot(np.ravel(g), np.ravel(slope))  # one pass: the slope in a weight that all rows share
        part = _times(g, slope)
        return fitted(part if mask is None else np.where(mask, part, 0.0), wide, inner)

    def on(tangent: Value) -> Value:
        part = _times(tangent, slope)
        return part if mask is None else np.where(mask, part, 0.0)

    return back, on


def _reducing(mask: Array | None, slope: Value, axis: Sequence[Value], inner: Sequence[int]) -> Passing:
    def back(g: Value) -> Value:
        part = _times(widened(g, axis), slope)
        return part if mask is None else np.where(widened(mask, axis), part, 0.0)

    def on(tangent: Value) -> Value:
        part = np.broadcast_to(_times(tangent, slope), tuple(inner))
        part = part if mask is None else np.where(widened(mask, axis), part, 0.0)
        return plain(total(part, int(axis[0]) if axis else None))

    return back, on


def _general(row: Primitive, k: int, args: Sequence[Value], result: Value, wide: Sequence[int]) -> Passing:
    inner = shape(args[k])

    def back(g: Value) -> Value:
        g = np.broadcast_to(g, tuple(wide)) if wide else g
        return evaluated(row.partials[k], (*row.params, "w", "g"), (*args, result, g))

    def on(tangent: Value) -> Value:
        tangent = np.broadcast_to(tangent, inner) if inner else tangent
        if row.kind == LINEAR:
            return functions.apply(row, [tangent if i == k else a for i, a in enumerate(args)])
        return evaluated(row.pushforward[k], (*row.params, "w", f"d{row.params[k]}"), (*args, result, tangent))

    return back, on
