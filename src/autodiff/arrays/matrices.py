"""Functions of whole arrays for NumPy: matrices, the order of elements, and arrays made from parts of others.

>>> from autodiff.core.rules import TABLE
>>> VALUES["inv"](TABLE["inv", 1], [np.array([[1.0, 2.0], [3.0, 4.0]])], (0, 0))
array([[-2. ,  1. ],
       [ 1.5, -0.5]])
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from autodiff.arrays.minors import Ring, cofactors, determinant
from autodiff.arrays.shapes import (
    Shape,
    checked_axis,
    checked_place,
    checked_range,
    checked_share,
    checked_size,
    concat_shape,
    grown,
    reshaped,
    shape_error,
    square_size,
    system_shape,
    vector_size,
    whole_number,
)
from autodiff.arrays.ufuncs import Array, Value, plain, shape
from autodiff.core.primitive import Primitive
from autodiff.errors import Span

ArrayFunction: TypeAlias = Callable[[Primitive, Sequence[Value], Span], Value]

SMALL = 6
"""Rows up to which determinants are sums of products: those of short numbers are then exact."""

_FLOATS = Ring[float](operator.neg, operator.add, operator.sub, operator.mul)

_FAINTEST = 1e-290
"""Below this a product may have lost digits to underflow."""


def number(value: Value) -> float:
    """A share or the end of a slice; NaN for an array."""
    return float("nan") if isinstance(value, np.ndarray) else value


def whole(value: Value, span: Span) -> int:
    """An index, an axis or a size."""
    return whole_number(number(value), span)


# --- matrices ---------------------------------------------------------------------------------------------------------


def _square(row: Primitive, value: Value, span: Span) -> Array:
    square_size(row, shape(value), span)
    return np.asarray(value, dtype=np.float64)


def _sums(matrix: Array) -> bool:
    """Whether determinants are taken as sums of products: of few rows, and far from the ends of float64."""
    sizes = np.abs(matrix[matrix != 0])
    count = len(matrix)
    return count <= SMALL and (
        sizes.size == 0 or (float(sizes.max()) < 1e300 ** (1 / count) and float(sizes.min()) > _FAINTEST ** (1 / count))
    )


def _determinant(matrix: Array) -> float:
    return determinant(matrix.tolist(), _FLOATS) if _sums(matrix) else float(np.linalg.det(matrix))


def _sign(matrix: Array) -> float:
    return float(np.sign(_determinant(matrix)) if _sums(matrix) else np.linalg.slogdet(matrix)[0])


def _cofactors(matrix: Array) -> Array:
    """By sums of products, else by U, V and the singular values: that holds for singular matrices, too."""
    size = len(matrix)
    if size == 1:
        return np.ones((1, 1))
    if _sums(matrix):
        return np.array(cofactors(matrix.tolist(), _FLOATS))
    left, values, right = np.linalg.svd(matrix)
    others = [np.prod(np.delete(values, k)) for k in range(size)]
    return np.asarray(np.linalg.det(left) * np.linalg.det(right) * ((left * others) @ right))


def _solution(matrix: Array, right: Array) -> Array:
    """The x with matrix @ x = right; NaN where there is none."""
    if _sums(matrix):
        size = _determinant(matrix)
        return _cofactors(matrix).T @ right / (size or np.nan)
    try:
        return np.asarray(np.linalg.solve(matrix, right))
    except np.linalg.LinAlgError:
        return np.full(right.shape, np.nan)


def _det(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    return _determinant(_square(row, args[0], span))


def _detsign(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    return _sign(_square(row, args[0], span))


def _cofactor(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    return _cofactors(_square(row, args[0], span))


def _logdet(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    matrix = _square(row, args[0], span)
    size = np.log(_determinant(matrix)) if _sums(matrix) else np.linalg.slogdet(matrix)[1]
    return float(size)


def _inv(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    matrix = _square(row, args[0], span)
    return _solution(matrix, np.eye(len(matrix)))


def _solve(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    system_shape(row, [shape(a) for a in args], span)
    return _solution(np.asarray(args[0], dtype=np.float64), np.asarray(args[1]))


def _trace(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    return float(np.trace(_square(row, args[0], span)))


def _diag(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    sizes = shape(args[0])
    if len(sizes) == 1:
        grown(row, [sizes], sizes * 2, span)
        return np.diag(np.asarray(args[0]))
    return np.array(np.diag(_square(row, args[0], span)))


def _outer(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    sizes = tuple(vector_size(row, shape(a), span) for a in args)
    grown(row, [shape(a) for a in args], sizes, span)
    return np.multiply.outer(args[0], args[1])


# --- running totals and order -----------------------------------------------------------------------------------------


def _axis(row: Primitive, args: Sequence[Value], span: Span) -> int:
    """The axis that a call names, of a vector its only one."""
    if row.params[-1] == "axis":
        return checked_axis(row, whole(args[-1], span), shape(args[0]), span)
    vector_size(row, shape(args[0]), span, f"name the axis: {row.name}(u, axis)" * (len(shape(args[0])) > 1))
    return 0


def _cumsum(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    return np.cumsum(args[0], axis=_axis(row, args, span))


def _cumprod(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    return np.cumprod(args[0], axis=_axis(row, args, span))


def _flip(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    return np.flip(np.asarray(args[0]), _axis(row, args, span))


def _sort(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    vector_size(row, shape(args[0]), span)
    return np.sort(args[0])


def _argsort(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    vector_size(row, shape(args[0]), span)
    return np.argsort(args[0], kind="stable").astype(np.float64)


def _permute(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    size = vector_size(row, shape(args[0]), span)
    places = np.asarray(args[1])
    if shape(places) != (size,) or not np.array_equal(np.sort(places), np.arange(size)):
        raise shape_error(row, [shape(a) for a in args], span, "i has each place of u once: 0, 1, … in any order")
    return np.asarray(np.asarray(args[0])[places.astype(int)])


def _quantile(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    """Of the median, the share is a half."""
    size = vector_size(row, shape(args[0]), span)
    place = (checked_share(number(args[1]), span) if len(args) > 1 else 0.5) * (size - 1)
    ordered, low = np.sort(args[0]), int(place)
    share = place - low
    return float(ordered[low] if share == 0 else (1 - share) * ordered[low] + share * ordered[low + 1])


# --- arrays made from parts of others -----------------------------------------------------------------------------------


def _concat(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    concat_shape(row, [shape(a) for a in args], span)
    return np.concatenate([np.asarray(a) for a in args])


def _reshape(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    return np.reshape(args[0], reshaped(row, shape(args[0]), [whole(a, span) for a in args[1:]], span))


def _reshape_like(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    if np.size(args[0]) != np.size(args[1]):
        raise shape_error(row, [shape(a) for a in args], span, "both must have as many elements")
    return plain(np.reshape(args[0], shape(args[1])))


def _cut(row: Primitive, args: Sequence[Value], sizes: Shape, span: Span) -> tuple[Any, ...]:
    """Where the part is that `slice` takes, and `unslice` puts: after the arguments start, stop, axis."""
    axis = checked_axis(row, whole(args[2], span), sizes, span)
    last = np.inf if number(args[1]) == np.inf else whole(args[1], span)
    start, stop = checked_range(whole(args[0], span), last, sizes[axis], span)
    return (*[slice(None)] * axis, slice(start, stop))


def _at(row: Primitive, args: Sequence[Value], sizes: Shape, span: Span) -> tuple[Any, ...]:
    """Where the part is that `take` takes, and `put` puts: after the arguments i, axis."""
    axis = checked_axis(row, whole(args[1], span), sizes, span)
    return (*[slice(None)] * axis, *checked_place([whole(args[0], span)], (sizes[axis],), span))


_Where: TypeAlias = Callable[[Primitive, Sequence[Value], Shape, Span], "tuple[Any, ...]"]


def _taking(where: _Where) -> ArrayFunction:
    def taken(row: Primitive, args: Sequence[Value], span: Span) -> Value:
        return plain(np.asarray(args[0])[where(row, args[1:], shape(args[0]), span)])

    return taken


def _putting(where: _Where) -> ArrayFunction:
    def put(row: Primitive, args: Sequence[Value], span: Span) -> Value:
        zeros = np.zeros(shape(args[1]))
        zeros[where(row, args[2:], zeros.shape, span)] = args[0]
        return zeros

    return put


def _len(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    return float(len(np.asarray(args[0])))


def _one_hot(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    (size,) = checked_size([whole(args[1], span)], span)
    grown(row, [shape(args[0])], (*shape(args[0]), size), span)
    return np.asarray(np.expand_dims(args[0], -1) == np.arange(size), dtype=np.float64)


VALUES: Mapping[str, ArrayFunction] = {
    "det": _det,
    "detsign": _detsign,
    "cofactor": _cofactor,
    "logdet": _logdet,
    "inv": _inv,
    "solve": _solve,
    "trace": _trace,
    "diag": _diag,
    "outer": _outer,
    "cumsum": _cumsum,
    "cumprod": _cumprod,
    "flip": _flip,
    "sort": _sort,
    "argsort": _argsort,
    "permute": _permute,
    "quantile": _quantile,
    "concat": _concat,
    "reshape": _reshape,
    "reshape_like": _reshape_like,
    "slice": _taking(_cut),
    "unslice": _putting(_cut),
    "take": _taking(_at),
    "put": _putting(_at),
    "len": _len,
    "one_hot": _one_hot,
}
"""What a row's value column names."""
