"""The meaning of the table's texts for NumPy arrays; numbers among them stay floats and are treated as everywhere else.

>>> from autodiff.core.rules import TABLE
>>> apply(TABLE["sigmoid", 1], [np.array([0.0, 1000.0])])
array([0.5, 1. ])

This is the room that imports NumPy: it is entered when the first array appears. A function that NumPy lacks is the float
one, applied element by element: slower, but with the same digits whatever is installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autodiff.arrays import ufuncs
from autodiff.arrays.matrices import VALUES, ArrayFunction, whole
from autodiff.arrays.shapes import (
    Shape,
    broadcast,
    checked_axis,
    checked_place,
    checked_size,
    grown,
    literal_shape,
    matmul_shape,
    room_for_an_axis,
    shape_error,
)
from autodiff.arrays.ufuncs import Array, Function, Value, number, plain, select, shape
from autodiff.core import templates
from autodiff.core.algebra import Algebra
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, Primitive
from autodiff.errors import Span

NOWHERE: Span = (0, 0)

# --- the functions that a value column names ---------------------------------------------------------------------------


def _norm(u: Array, axis: int | None = None) -> Value:
    size = np.max(np.abs(u), axis=axis, keepdims=True)
    if np.all((size > 1e-140) & (size < 1e140)):
        return plain(np.sqrt(np.sum(u * u, axis=axis)))
    unit = np.where(size > 0, size, 1.0)
    return plain(np.squeeze(unit, axis=axis) * np.sqrt(np.sum((u / unit) ** 2, axis=axis)))


def _logsumexp(u: Array) -> Value:
    largest = np.max(u)
    return float(largest + np.log(np.sum(np.exp(u - largest))))


REDUCTIONS: Mapping[str, Function] = {
    "sum": lambda u, axis=None: plain(ufuncs.total(u, axis)),
    "mean": lambda u, axis=None: plain(ufuncs.total(u, axis) / (u.size if axis is None else u.shape[axis])),
    "prod": lambda u, axis=None: plain(np.prod(u, axis=axis)),
    "amax": lambda u, axis=None: plain(np.max(u, axis=axis)),
    "amin": lambda u, axis=None: plain(np.min(u, axis=axis)),
    "norm": _norm,
    "dot": lambda u, v: float(np.dot(np.ravel(u), np.ravel(v))),
    "logsumexp": _logsumexp,
    "var": lambda u: float(np.var(u)),
    "std": lambda u: float(np.std(u)),
    "argmax": lambda u, axis=None: plain(np.argmax(u, axis=axis).astype(np.float64)),
    "argmin": lambda u, axis=None: plain(np.argmin(u, axis=axis).astype(np.float64)),
}
"""What a reduction names: the arrays, then the axis if there is one."""


def _literal(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    sizes = literal_shape([shape(a) for a in args], span)
    return _one_block(args) if len(sizes) > 1 else np.array(args, dtype=np.float64)


def _one_block(args: Sequence[Any]) -> Array:
    """The arrays as rows of one; those that lie in memory at equal distances, as columns of a table do, are not copied."""
    base, first = args[0].base, args[0]
    if len(args) > 1 and base is not None and base.flags.c_contiguous and base.dtype == first.dtype:
        starts = [a.__array_interface__["data"][0] for a in args]
        step = starts[1] - starts[0]
        if step >= first.nbytes and all(
            a.base is base and a.flags.c_contiguous and start == starts[0] + k * step
            for k, (a, start) in enumerate(zip(args, starts, strict=True))
        ):
            offset = starts[0] - base.__array_interface__["data"][0]
            whole = (len(args), *first.shape)
            return np.ndarray(whole, first.dtype, base, offset, (step, *first.strides))
    return np.stack(args)


def _matmul(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    u, v = args
    matmul_shape(row, [shape(u), shape(v)], span)
    return plain(np.asarray(u) @ np.asarray(v))


def _matmul_left(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    g, v = args
    return plain(np.asarray(g) @ np.asarray(v).T if len(shape(v)) == 2 else np.multiply.outer(g, v))


def _matmul_right(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    u, g = args
    return plain(np.asarray(u).T @ np.asarray(g) if len(shape(u)) == 2 else np.multiply.outer(u, g))


def _transpose(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    if len(shape(args[0])) > 2:
        raise shape_error(row, [shape(args[0])], span, "only a matrix has rows and columns to exchange")
    return np.transpose(args[0])


def _expand_dims(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    axis = whole(args[1], span)
    room_for_an_axis(shape(args[0]), span)
    return np.expand_dims(args[0], checked_axis(row, axis, (*shape(args[0]), 1), span))


def _softmax(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    u = np.asarray(args[0])
    powers = np.exp(u - np.max(u, axis=-1, keepdims=True))
    return np.asarray(powers / np.sum(powers, axis=-1, keepdims=True))


def _log_softmax(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    u = np.asarray(args[0])
    moved = u - np.max(u, axis=-1, keepdims=True)
    others = np.exp(moved)
    np.put_along_axis(others, np.argmax(moved, axis=-1, keepdims=True), 0.0, axis=-1)
    return np.asarray(moved - np.log1p(np.sum(others, axis=-1, keepdims=True)))


def _place(args: Sequence[Value], inside: Shape, span: Span) -> tuple[int, ...]:
    return checked_place([whole(a, span) for a in args], inside, span)


def _index(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    place = _place(args[1:], shape(args[0]), span)
    return plain(np.asarray(args[0])[place])


def _scatter(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    zeros = np.zeros(shape(args[1]))
    zeros[_place(args[2:], zeros.shape, span)] = args[0]
    return zeros


def _filled(value: float) -> ArrayFunction:
    def filled(row: Primitive, args: Sequence[Value], span: Span) -> Value:
        return np.full(checked_size([whole(a, span) for a in args], span), value)

    return filled


WHOLE_ARRAYS: Mapping[str, ArrayFunction] = {
    **VALUES,
    "literal": _literal,
    "matmul": _matmul,
    "matmul_left": _matmul_left,
    "matmul_right": _matmul_right,
    "transpose": _transpose,
    "expand_dims": _expand_dims,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "index": _index,
    "scatter": _scatter,
    "zeros": _filled(0.0),
    "ones": _filled(1.0),
    "numel": lambda row, args, span: float(np.size(args[0])),
}
"""What linear and general rows name."""


# --- rows and texts -------------------------------------------------------------------------------------------------------


def apply(row: Primitive, args: Sequence[Value], span: Span = NOWHERE) -> Value:
    """The value of a row that is no choice. Raises AutodiffError for shapes that don't fit; never warns."""
    if not any(isinstance(a, np.ndarray) for a in args) and (row.kind == ELEMENTWISE or row.scalar_meaning):
        return _of_numbers(row)(*args)
    args = [a if k < row.conditions else number(a) for k, a in enumerate(args)]
    try:
        if row.kind == REDUCTION:
            return _reduced(row, args, span)
        if row.kind != ELEMENTWISE:
            return WHOLE_ARRAYS[row.value](row, args, span)
        shapes = [shape(a) for a in args]
        if len(set(shapes)) > 1 and (wide := broadcast(shapes)):
            grown(row, shapes, wide, span)
        value = ufuncs.function(row)(*args)
        if not row.definition:
            return value
        wide = np.broadcast_shapes(*shapes)  # a choice that went one way may have seen some arguments only
        return value if shape(value) == wide else np.broadcast_to(value, wide)
    except ValueError:
        raise shape_error(row, [shape(a) for a in args], span) from None


def _reduced(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    if row.params[-1] == "axis":
        axis = checked_axis(row, whole(args[1], span), shape(args[0]), span)
        return REDUCTIONS[row.value](args[0], axis)
    if len({shape(a) for a in args}) > 1:
        raise shape_error(row, [shape(a) for a in args], span, "both must have the same shape")
    return REDUCTIONS[row.value](*args)


@lru_cache(maxsize=1024)
def _of_numbers(row: Primitive) -> Function:
    return templates.compiled(row.scalar_meaning, row.params) if row.scalar_meaning else templates.value(row)


class ArrayValues(Algebra[Value]):
    """Arrays and floats as numbers of the engine; a condition over elements decides no branch, each takes its own."""

    def constant(self, value: float) -> Value:
        return value

    def apply(self, row: Primitive, args: Sequence[Value]) -> Value:
        return apply(row, args) if row.branches is None else select(args[0], *(args[k] for k in row.branches))

    def branch(self, condition: Value) -> bool | None:
        return None if isinstance(condition, np.ndarray) else bool(condition)


_VALUES = ArrayValues()


@lru_cache(maxsize=4096)
def text(source: str, params: tuple[str, ...]) -> Function:
    """A text of the table as a function of arrays and numbers."""
    template = templates.template(source, params)
    if all(row is None or row.kind == ELEMENTWISE for row in template.graph.rows):
        return ufuncs.text(source, params)
    return lambda *args: _VALUES.text(source, params, args)


def used(source: str, params: tuple[str, ...]) -> frozenset[str]:
    """The parameters that a text depends on."""
    template = templates.template(source, params)
    return frozenset(
        template.graph.inputs[n] for n in template.graph.reaching(template.result) if n in template.graph.inputs
    )


@lru_cache(maxsize=1024)
def domain(row: Primitive) -> tuple[tuple[Function, str], ...]:
    """The row's domain for arrays: each condition, and the words for it."""
    return tuple((text(source, row.params), words) for source, words in row.domain)
