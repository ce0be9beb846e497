"""The meaning of the table's texts for NumPy arrays; numbers among them stay floats and are treated as everywhere else.

>>> from autodiff.core.rules import TABLE
>>> apply(TABLE["sigmoid", 1], [np.array([0.0, 1000.0])])
array([0.5, 1. ])

This module imports NumPy, and is itself imported when the first array appears. A function that NumPy lacks is the float
function, applied element by element: slower, but with the same digits whatever is installed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autodiff.arrays import matrices, ufuncs
from autodiff.arrays.shapes import LAST, Places, Shape, broadcast, grown, shape_error
from autodiff.arrays.ufuncs import Array, Function, Value, number, plain, select, shape
from autodiff.arrays.whole_arrays import WholeArrays
from autodiff.core import templates
from autodiff.core.algebra import Algebra
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, Primitive
from autodiff.errors import Span

NOWHERE: Span = (0, 0)

_TALL = 16384
"""Rows of a matrix that are multiplied with a vector at a time."""

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


class NumPyArrays(WholeArrays[Value]):
    """NumPy's arrays, and floats, of the call at `span`."""

    def __init__(self, span: Span = NOWHERE) -> None:
        self.span = span

    def shape(self, a: Value) -> Shape:
        return shape(a)

    def constant_of(self, a: Value) -> float:
        return float(a)

    def constant(self, value: float) -> Value:
        return value

    def filled(self, value: float, shape: Shape) -> Value:
        return np.full(shape, value)

    def joined(self, args: Sequence[Value], shape: Shape) -> Value:
        if len(shape) == np.ndim(args[0]):
            return np.concatenate([np.asarray(a) for a in args])
        return _one_block(args) if len(shape) > 1 else np.array(args, dtype=np.float64)

    def in_shape(self, a: Value, shape: Shape) -> Value:
        return plain(np.reshape(a, shape))

    def part(self, a: Value, places: Places) -> Value:
        return plain(np.asarray(a)[places])

    def placed(self, part: Value, places: Places, shape: Shape) -> Value:
        zeros = np.zeros(shape)
        zeros[places] = part
        return zeros

    def transposed(self, a: Value) -> Value:
        return np.transpose(a)

    def product(self, a: Value, b: Value) -> Value:
        """BLAS takes half as long again for a tall matrix and a vector as for parts of them that fit a processor's cache."""
        a, b = np.asarray(a), np.asarray(b)
        if a.ndim + b.ndim != 3 or len(a) <= _TALL:
            return plain(a @ b)
        parts = (slice(start, start + _TALL) for start in range(0, len(a), _TALL))
        if b.ndim == 1:
            return np.concatenate([a[part] @ b for part in parts])
        return np.asarray(sum(a[part] @ b[part] for part in parts))

    def outer_product(self, a: Value, b: Value) -> Value:
        return plain(np.multiply.outer(a, b))

    def total(self, a: Value) -> Value:
        return float(np.sum(a))

    def running(self, operator: str, a: Value, axis: int) -> Value:
        return np.cumsum(a, axis=axis) if operator == "+" else np.cumprod(a, axis=axis)

    def ordered(self, a: Value) -> Value:
        return np.sort(a)

    def order(self, a: Value) -> Value:
        return np.argsort(a, kind="stable").astype(np.float64)

    def permuted(self, row: Primitive, a: Value, places: Value) -> Value:
        if not np.array_equal(np.sort(places), np.arange(np.size(places))):
            raise self.no_permutation(row, [a, places])
        return np.asarray(np.asarray(a)[np.asarray(places).astype(int)])

    def between(self, low: Value, high: Value, share: float) -> Value:
        return (1 - share) * low + share * high

    def gathered(self, a: Value, places: Value) -> Value:
        return plain(np.asarray(a)[_whole_places(places, len(np.asarray(a)))])

    def summed_at(self, part: Value, places: Value, shape: Shape) -> Value:
        at, columns = np.ravel(_whole_places(places, shape[0])), np.reshape(part, (np.size(places), -1))
        sums = [np.bincount(at, weights=column, minlength=shape[0]) for column in columns.T]
        return np.stack(sums, axis=-1).reshape(shape)

    def one_hots(self, a: Value, size: int) -> Value:
        return np.asarray(np.expand_dims(a, -1) == np.arange(size), dtype=np.float64)

    def determinant(self, row: Primitive, a: Value) -> Value:
        return matrices.DETERMINANTS[row.value](np.asarray(a, dtype=np.float64))

    def cofactors(self, a: Value) -> Value:
        return matrices.cofactors(np.asarray(a, dtype=np.float64))

    def inverse(self, a: Value) -> Value:
        return self.solution(a, np.eye(len(np.asarray(a))))

    def solution(self, a: Value, b: Value) -> Value:
        return matrices.solution(np.asarray(a, dtype=np.float64), np.asarray(b))

    def softmax(self, row: Primitive, args: Sequence[Value]) -> Value:
        u = np.asarray(args[0])
        powers = np.exp(u - np.max(u, axis=-1, keepdims=True))
        return np.asarray(powers / np.sum(powers, axis=-1, keepdims=True))

    def log_softmax(self, row: Primitive, args: Sequence[Value]) -> Value:
        u = np.asarray(args[0])
        moved = u - np.max(u, axis=-1, keepdims=True)
        others = np.exp(moved)
        np.put_along_axis(others, np.argmax(moved, axis=-1, keepdims=True), 0.0, axis=-1)
        return np.asarray(moved - np.log1p(np.sum(others, axis=-1, keepdims=True)))


def _whole_places(places: Value, count: int) -> Any:
    """Places as whole numbers below `count`; for those that are none, which the domain reports, the nearest one."""
    return np.clip(np.nan_to_num(places, nan=0.0, posinf=count, neginf=0.0), 0, count - 1).astype(np.intp)


# --- rows and texts -------------------------------------------------------------------------------------------------------


def apply(row: Primitive, args: Sequence[Value], span: Span = NOWHERE) -> Value:
    """The value of a row that is no choice. Raises AutodiffError for shapes that don't fit; never warns."""
    along = row.kind == REDUCTION and row.params[-1] == "axis" and args[-1] != LAST
    if not any(isinstance(a, np.ndarray) for a in args) and (
        row.kind == ELEMENTWISE or (row.scalar_meaning and not along)
    ):
        return _of_numbers(row)(*args)
    args = [a if k < row.conditions else number(a) for k, a in enumerate(args)]
    try:
        if row.kind == REDUCTION:
            return _reduced(row, args, span)
        if row.kind != ELEMENTWISE:
            return NumPyArrays(span).of_row(row, args)
        shapes = tuple(map(shape, args))
        wide = shapes[0] if len(set(shapes)) == 1 else _common(shapes)
        if wide is None:
            raise ValueError
        if wide and wide is not shapes[0]:
            grown(row, shapes, wide, span)
        value = ufuncs.function(row)(*args)
        if not row.definition or shape(value) == wide:
            return value
        return np.broadcast_to(value, wide)  # of a choice that took one branch, the other may not have been evaluated
    except ValueError:
        raise shape_error(row, [shape(a) for a in args], span) from None


_common = lru_cache(maxsize=256)(broadcast)
"""The shape of what has these shapes; None where they don't fit each other."""

_PRODUCTS: Mapping[str, Function] = {
    "matmul": lambda a, b: plain(a @ b),
    "matmul_left": lambda g, b: plain(g @ b.T) if b.ndim == 2 else np.multiply.outer(g, b),
    "matmul_right": lambda a, g: plain(a.T @ g) if a.ndim == 2 else np.multiply.outer(a, g),
}
"""The products of `WholeArrays` for a block of rows."""


def of_arrays(row: Primitive) -> Function:
    """The value of a row of whole arrays for arguments whose shapes fit, at least one of them an array."""
    if row.kind == REDUCTION and row.params[-1] != "axis":
        return REDUCTIONS[row.value]
    if row.kind == REDUCTION:
        return lambda *args: _reduced(row, args, NOWHERE)
    method = getattr(NumPyArrays(), row.value)
    return _PRODUCTS.get(row.value) or (lambda *args: method(row, args))


def _reduced(row: Primitive, args: Sequence[Value], span: Span) -> Value:
    if row.params[-1] == "axis":
        return REDUCTIONS[row.value](args[0], NumPyArrays(span).axis(row, args))
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
    rows = [row for row in template.graph.rows if row is not None]
    if all(row.kind == ELEMENTWISE for row in rows):
        return ufuncs.text(source, params)
    if any(row.branches for row in rows):
        return lambda *args: _VALUES.text(source, params, args)
    names: dict[str, object] = {"inf": math.inf, "nan": math.nan, "apply": apply}

    def written(node: int, row: Primitive, _: list[int], operands: list[str]) -> str:
        names[f"row{node}"] = row
        return f"apply(row{node}, [{', '.join(operands)}])"

    lines, (result,) = templates.as_python(template.graph, (template.result,), params, (), written)
    return templates.python_function(params, lines, result, names)


@lru_cache(maxsize=1024)
def domain(row: Primitive) -> tuple[tuple[Function, str], ...]:
    """The row's domain for arrays: each condition, and the words for it."""
    return tuple((text(source, row.params), words) for source, words in row.domain)
