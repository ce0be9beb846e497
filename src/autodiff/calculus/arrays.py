"""The meaning of the table's texts for NumPy arrays; numbers among them stay floats and are treated as everywhere else.

>>> from autodiff.calculus.rules import TABLE
>>> apply(TABLE["sigmoid", 1], [np.array([0.0, 1000.0])])
array([0.5, 1. ])

This is the room that imports NumPy: it is entered when the first array appears. A function that NumPy lacks is the float
one, applied element by element: slower, but with the same digits whatever is installed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autodiff.calculus import algebra
from autodiff.calculus.lower import Lowered
from autodiff.calculus.ops import EACH, FOLD, Row
from autodiff.calculus.shapes import (
    Shape,
    checked_axis,
    checked_place,
    checked_size,
    matmul_shape,
    ragged,
    shape_error,
    whole_number,
)
from autodiff.errors import Span

Array: TypeAlias = NDArray[Any]
Value: TypeAlias = "float | Array"
Function: TypeAlias = Callable[..., Value]

NOWHERE: Span = (0, 0)

_PIECE = 16384
"""Elements of a large array that a text is computed for at a time: its intermediate results stay in the cache."""


def shape(value: Value) -> Shape:
    """The shape of an array; () for a number."""
    return value.shape if isinstance(value, np.ndarray) else ()


def plain(value: Any) -> Value:
    """An array without axes as a float."""
    return value if isinstance(value, np.ndarray) and value.ndim else float(value)


def number(value: Value) -> Value:
    """Conditions counted as 1 and 0."""
    return value.astype(np.float64) if isinstance(value, np.ndarray) and value.dtype == np.bool_ else value


# --- the functions that a value column names ---------------------------------------------------------------------------


def _slow(name: str) -> Function:
    function = np.frompyfunc(algebra.FLOATS[name], _ARGUMENTS.get(name, 1), 1)

    def elementwise(*args: Value) -> Value:
        return np.asarray(function(*args), dtype=np.float64)

    return elementwise


_ARGUMENTS = {"polygamma": 2, "spherical_jn": 2}

SLOW = ("gamma", "lgamma", "digamma", "polygamma", "spherical_jn", "erf", "erfc")
"""Functions that NumPy lacks. They raise no floating-point flag, so their results are looked at."""

EACHWISE: Mapping[str, Function] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": np.true_divide,
    "^": operator.pow,
    "neg": operator.neg,
    "same": operator.pos,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "not": np.logical_not,
    "min": np.minimum,
    "max": np.maximum,
    "round": np.rint,
    "ln": np.log,
    "atan2": lambda u, v: np.arctan2(u + 0.0, v + 0.0),
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    **{
        name: getattr(np, name)
        for name in [
            "abs", "mod", "floor", "ceil", "sign", "cosh", "log1p", "log2", "log10", "sqrt", "cbrt", "exp", "exp2",
            "expm1", "sin", "cos", "tan", "sinh", "tanh", "hypot",
        ]
    },
    **{name: _slow(name) for name in SLOW},
}  # fmt: skip
"""What an elementwise row names; at least one argument is an array."""


def _norm(u: Array, axis: int | None = None) -> Value:
    size = np.max(np.abs(u), axis=axis, keepdims=True)
    if np.all((size > 1e-140) & (size < 1e140)):
        return plain(np.sqrt(np.sum(u * u, axis=axis)))
    unit = np.where(size > 0, size, 1.0)
    return plain(np.squeeze(unit, axis=axis) * np.sqrt(np.sum((u / unit) ** 2, axis=axis)))


def _logsumexp(u: Array) -> Value:
    largest = np.max(u)
    return float(largest + np.log(np.sum(np.exp(u - largest))))


FOLDS: Mapping[str, Function] = {
    "sum": lambda u, axis=None: plain(np.sum(u, axis=axis)),
    "mean": lambda u, axis=None: plain(np.mean(u, axis=axis)),
    "prod": lambda u, axis=None: plain(np.prod(u, axis=axis)),
    "amax": lambda u, axis=None: plain(np.max(u, axis=axis)),
    "amin": lambda u, axis=None: plain(np.min(u, axis=axis)),
    "norm": _norm,
    "dot": lambda u, v: float(np.dot(np.ravel(u), np.ravel(v))),
    "logsumexp": _logsumexp,
    "var": lambda u: float(np.var(u)),
    "std": lambda u: float(np.std(u)),
    "argmax": lambda u, axis=None: plain(np.argmax(u, axis=axis).astype(np.float64)),
}
"""What a reduction names: the arrays, then the axis if there is one."""


def _literal(row: Row, args: Sequence[Value], span: Span) -> Value:
    shapes = [shape(a) for a in args]
    if len(set(shapes)) > 1:
        raise ragged(shapes, span)
    return _one_block(args) if shapes[0] else np.array(args, dtype=np.float64)


def _one_block(args: Sequence[Any]) -> Array:
    """The arrays as rows of one; rows that lie in memory as such already (columns of a table) are not copied."""
    base, first = args[0].base, args[0]
    if base is not None and all(a.base is base and a.flags.c_contiguous for a in args) and base.flags.c_contiguous:
        starts = [a.__array_interface__["data"][0] for a in args]
        if all(b - a == first.nbytes for a, b in pairwise(starts)) and base.dtype == first.dtype:
            offset = (starts[0] - base.__array_interface__["data"][0]) // base.itemsize
            whole = base.reshape(-1)[offset : offset + len(args) * first.size]
            return np.asarray(whole.reshape(len(args), *first.shape))
    return np.stack(args)


def _matmul(row: Row, args: Sequence[Value], span: Span) -> Value:
    u, v = args
    matmul_shape(row, [shape(u), shape(v)], span)
    return plain(np.asarray(u) @ np.asarray(v))


def _matmul_left(row: Row, args: Sequence[Value], span: Span) -> Value:
    g, v = args
    return plain(np.asarray(g) @ np.asarray(v).T if len(shape(v)) == 2 else np.multiply.outer(g, v))


def _matmul_right(row: Row, args: Sequence[Value], span: Span) -> Value:
    u, g = args
    return plain(np.asarray(u).T @ np.asarray(g) if len(shape(u)) == 2 else np.multiply.outer(u, g))


def _transpose(row: Row, args: Sequence[Value], span: Span) -> Value:
    if len(shape(args[0])) > 2:
        raise shape_error(row, [shape(args[0])], span, "only a matrix has rows and columns to exchange")
    return np.transpose(args[0])


def _expand_dims(row: Row, args: Sequence[Value], span: Span) -> Value:
    axis = whole_number(_number(args[1], span), span)
    return np.expand_dims(args[0], checked_axis(row, axis, (*shape(args[0]), 1), span))


def _softmax(row: Row, args: Sequence[Value], span: Span) -> Value:
    u = np.asarray(args[0])
    powers = np.exp(u - np.max(u, axis=-1, keepdims=True))
    return np.asarray(powers / np.sum(powers, axis=-1, keepdims=True))


def _number(value: Value, span: Span) -> float:
    if isinstance(value, np.ndarray):
        return whole_number(float("nan"), span)
    return value


def _place(args: Sequence[Value], inside: Shape, span: Span) -> tuple[int, ...]:
    return checked_place([whole_number(_number(a, span), span) for a in args], inside, span)


def _index(row: Row, args: Sequence[Value], span: Span) -> Value:
    place = _place(args[1:], shape(args[0]), span)
    return plain(np.asarray(args[0])[place])


def _scatter(row: Row, args: Sequence[Value], span: Span) -> Value:
    zeros = np.zeros(shape(args[1]))
    zeros[_place(args[2:], zeros.shape, span)] = args[0]
    return zeros


def _filled(value: float) -> Callable[[Row, Sequence[Value], Span], Value]:
    def made(row: Row, args: Sequence[Value], span: Span) -> Value:
        return np.full(checked_size([whole_number(_number(a, span), span) for a in args], span), value)

    return made


MADE: Mapping[str, Callable[[Row, Sequence[Value], Span], Value]] = {
    "literal": _literal,
    "matmul": _matmul,
    "matmul_left": _matmul_left,
    "matmul_right": _matmul_right,
    "transpose": _transpose,
    "expand_dims": _expand_dims,
    "softmax": _softmax,
    "index": _index,
    "scatter": _scatter,
    "zeros": _filled(0.0),
    "ones": _filled(1.0),
    "numel": lambda row, args, span: float(np.size(args[0])),
}
"""What rows that are linear or free name."""


# --- rows and texts -------------------------------------------------------------------------------------------------------


def apply(row: Row, args: Sequence[Value], span: Span = NOWHERE) -> Value:
    """The value of a row that is no choice. Raises AutodiffError for shapes that don't fit; never warns."""
    if not any(isinstance(a, np.ndarray) for a in args) and (row.kind == EACH or row.alone):
        return _alone(row)(*args)
    args = [a if k < row.conditions else number(a) for k, a in enumerate(args)]
    if row.kind == FOLD:
        return _folded(row, args, span)
    if row.kind != EACH:
        return MADE[row.value](row, args, span)
    try:
        found = eachwise(row)(*args)
        if not row.value.startswith("= "):
            return found
        wide = np.broadcast_shapes(*map(shape, args))  # a choice that went one way may have seen some arguments only
        return found if shape(found) == wide else np.broadcast_to(found, wide)
    except ValueError:
        raise shape_error(row, [shape(a) for a in args], span) from None


def _folded(row: Row, args: Sequence[Value], span: Span) -> Value:
    if row.params[-1] == "axis":
        axis = checked_axis(row, whole_number(_number(args[1], span), span), shape(args[0]), span)
        return FOLDS[row.value](args[0], axis)
    if len({shape(a) for a in args}) > 1:
        raise shape_error(row, [shape(a) for a in args], span, "both must have the same shape")
    return FOLDS[row.value](*args)


@lru_cache(maxsize=1024)
def _alone(row: Row) -> Function:
    return algebra.compiled(row.alone, row.params) if row.alone else algebra.value(row)


@lru_cache(maxsize=1024)
def eachwise(row: Row) -> Function:
    """The value of an elementwise row as a function of its arguments."""
    return text(row.value[2:], row.params) if row.value.startswith("= ") else EACHWISE[row.value]


@lru_cache(maxsize=4096)
def text(source: str, params: tuple[str, ...]) -> Function:
    """A text of the table as a function of arrays and numbers. A text over elements is computed in pieces."""
    template = algebra.template(source, params)
    rows = [row for row in template.graph.rows if row is not None]
    names = dict.fromkeys(template.graph.inputs)

    def whole(*args: Value) -> Value:
        values: list[Any] = [None] * len(template.graph)
        for node, given in zip(names, args, strict=True):
            values[node] = given
        return compute(template, values)

    return in_pieces(whole) if all(row.kind == EACH for row in rows) else whole


def used(source: str, params: tuple[str, ...]) -> frozenset[str]:
    """The parameters that a text depends on."""
    template = algebra.template(source, params)
    return frozenset(
        template.graph.inputs[n] for n in template.graph.reaching(template.result) if n in template.graph.inputs
    )


def compute(lowered: Lowered, values: list[Any]) -> Value:
    """The result of a text, given its inputs. A choice that goes one way for all elements leaves the other one asleep."""
    graph = lowered.graph
    stack = [lowered.result]
    while stack:
        node = stack[-1]
        row, wanted = graph.rows[node], graph.args[node]
        if values[node] is not None:
            stack.pop()
            continue
        if row is None:
            values[node] = graph.constants[node]
            continue
        if row.pick is not None and values[wanted[0]] is not None:
            wanted = (wanted[0], *branches(values[wanted[0]], wanted, row.pick))
        elif row.pick is not None:
            wanted = wanted[:1]
        missing = [a for a in wanted if values[a] is None]
        stack.extend(missing)
        if missing:
            continue
        if row.pick is None:
            values[node] = apply(row, [values[a] for a in wanted])
        else:
            values[node] = chosen(values[wanted[0]], [values[a] for a in wanted[1:]])
    return values[lowered.result]  # type: ignore[no-any-return]


def branches(condition: Value, args: Sequence[int], pick: tuple[int, int]) -> tuple[int, ...]:
    """The arguments that a choice needs: one, or both where elements differ."""
    yes, no = args[pick[0]], args[pick[1]]
    if not isinstance(condition, np.ndarray):
        return (yes,) if condition else (no,)
    if condition.all():
        return (yes,)
    return (yes, no) if condition.any() else (no,)


def chosen(condition: Value, sides: Sequence[Value]) -> Value:
    """What a choice is, given the branches that it needs."""
    if len(sides) == 2:
        return select(condition, *sides)
    (side,) = sides
    if isinstance(condition, np.ndarray) and shape(side) != condition.shape:
        return np.broadcast_to(side, np.broadcast_shapes(condition.shape, shape(side)))
    return side


def select(condition: Value, yes: Value, no: Value) -> Value:
    """yes where the condition holds, else no. By their bits where arrays are large: np.where stumbles over random ones."""
    if np.size(condition) < _PIECE or any(np.asarray(side).dtype != np.float64 for side in (yes, no)):
        return np.where(condition, yes, no)
    one, other = (np.asarray(side, dtype=np.float64).view(np.int64) for side in (yes, no))
    mask = np.asarray(condition).astype(np.int64)
    np.negative(mask, out=mask)
    return np.asarray(((one ^ other) & mask) ^ other).view(np.float64)


def in_pieces(function: Function) -> Function:
    """`function` of elements, computed piece by piece where the arguments are large arrays of one shape."""

    def pieces(*args: Value) -> Value:
        arrays = [a for a in args if isinstance(a, np.ndarray)]
        if (
            not arrays
            or arrays[0].size <= 2 * _PIECE
            or any(a.shape != arrays[0].shape or not a.flags.c_contiguous for a in arrays)
        ):
            return function(*args)
        flat = [a.reshape(-1) if isinstance(a, np.ndarray) else a for a in args]
        result: Array | None = None
        for start in range(0, arrays[0].size, _PIECE):
            piece = slice(start, start + _PIECE)
            found = function(*(a[piece] if isinstance(a, np.ndarray) else a for a in flat))
            if result is None:
                result = np.empty(arrays[0].size, dtype=np.asarray(found).dtype)
            result[piece] = found
        assert result is not None  # the array is not empty
        return result.reshape(arrays[0].shape)

    return pieces


@lru_cache(maxsize=1024)
def domain(row: Row) -> tuple[tuple[Function, str], ...]:
    """The row's domain for arrays: each condition, and the words for it."""
    return tuple((text(source, row.params), words) for source, words in algebra.conditions(row))
