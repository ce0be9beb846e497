"""Texts of the table over arrays, element by element: each becomes straight Python whose operations are NumPy's.

    max(u, 0) + log1p(exp(-abs(u)))    becomes    maximum(u, 0.0) + log1p(exp(negative(abs(u))))

An intermediate result is freed as soon as it is used, so that the next one takes its place in the cache. Numbers among
the arguments stay floats, and what is made from numbers alone is computed as everywhere else.

>>> text("max(u, 0) + v", ("u", "v"))(np.array([-1.0, 2.0]), 0.5)
array([0.5, 2.5])
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, reduce
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from autodiff.core import templates
from autodiff.core.floats import OPERATORS
from autodiff.core.primitive import Primitive

T = TypeVar("T", bound=Any)

Array: TypeAlias = NDArray[Any]
Value: TypeAlias = "float | Array"
Function: TypeAlias = Callable[..., Value]
Shape: TypeAlias = "tuple[int, ...]"

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


# --- what a value column names -----------------------------------------------------------------------------------------


def one_by_one(function: Callable[..., float], arity: int) -> Function:
    """A function of floats, for each element."""
    function = np.frompyfunc(function, arity, 1)

    def elementwise(*args: Value) -> Value:
        return np.asarray(function(*args), dtype=np.float64)

    return elementwise


def _cube_root(u: Value) -> Value:
    """As `floats.cbrt` does it, but from NumPy's root."""
    root = np.cbrt(u)
    steps = (root != 0) & np.isfinite(root)
    safe = np.where(steps, root, 1.0)
    return np.where(steps, safe - (safe - np.where(steps, u, 1.0) / (safe * safe)) / 3.0, root)


EACHWISE: Mapping[str, Function] = {
    **OPERATORS,
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "neg": np.negative,
    "/": np.true_divide,
    "^": operator.pow,
    "not": np.logical_not,
    "min": np.minimum,
    "max": np.maximum,
    "round": np.rint,
    "ln": np.log,
    "cbrt": _cube_root,
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
            "abs", "mod", "floor", "ceil", "sign", "cosh", "log1p", "log2", "log10", "sqrt", "exp", "exp2",
            "expm1", "sin", "cos", "tan", "sinh", "tanh", "hypot",
        ]
    },
}  # fmt: skip
"""What an elementwise row names, where NumPy has it; at least one argument is an array."""


@lru_cache(maxsize=1024)
def function(row: Primitive) -> Function:
    """The value of an elementwise row as a function of its arguments, at least one of them an array."""
    if row.definition:
        return text(row.definition, row.params)
    return EACHWISE.get(row.value) or one_by_one(templates.value(row), row.arity)


# --- choices and pieces ------------------------------------------------------------------------------------------------


def select(condition: Value, yes: Value, no: Value) -> Value:
    """yes where the condition holds, else no; by bit masks for large arrays, since np.where is slow for random conditions."""
    if np.size(condition) < _PIECE or any(np.asarray(side).dtype != np.float64 for side in (yes, no)):
        return np.where(condition, yes, no)
    chosen, otherwise = (np.asarray(side, dtype=np.float64).view(np.int64) for side in (yes, no))
    mask = np.asarray(condition).astype(np.int64)
    np.negative(mask, out=mask)
    return np.asarray(((chosen ^ otherwise) & mask) ^ otherwise).view(np.float64)


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
            value = function(*(a[piece] if isinstance(a, np.ndarray) else a for a in flat))
            if result is None:
                result = np.empty(arrays[0].size, dtype=np.asarray(value).dtype)
            result[piece] = value
        assert result is not None  # the array is not empty
        return result.reshape(arrays[0].shape)

    return pieces


# --- texts -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def text(source: str, params: tuple[str, ...]) -> Function:
    """A text of the table over elements, as a function of arrays and numbers."""

    def whole(*args: Value) -> Value:
        return _compiled(source, params, tuple(isinstance(a, np.ndarray) for a in args))(*map(number, args))

    return in_pieces(whole)


@lru_cache(maxsize=8192)
def _compiled(source: str, params: tuple[str, ...], arrays: tuple[bool, ...]) -> Function:
    """The text for arguments of which `arrays` marks those that are arrays."""
    template = templates.template(source, params)
    kinds = dict(zip(params, (ARRAY if is_array else NUMBER for is_array in arrays), strict=True))
    operations = Operations({node: kinds[name] for node, name in template.graph.inputs.items()})
    lines, (result,) = templates.as_python(template.graph, (template.result,), params, (), operations.written)
    return cast(Function, templates.python_function(params, lines, result, operations.names))


NUMBER, MAYBE, ARRAY = range(3)
"""What an equation is known to be, before it is computed."""


class Operations:
    """Equations as Python over NumPy's arrays, each from the texts of its arguments."""

    def __init__(self, kinds: dict[int, int]) -> None:
        self.kinds = kinds
        self.conditions: set[int] = set()
        self.names: dict[str, Any] = {"inf": math.inf, "nan": math.nan, "number": number, "either": _either}

    def written(self, node: int, row: Primitive, args: list[int], operands: list[str]) -> str:
        if row.is_predicate or (row.branches and any(args[k] in self.conditions for k in row.branches)):
            self.conditions.add(node)
        kinds = [self.kinds.get(a, NUMBER) for a in args]
        if row.branches is not None:
            return self._choice(node, kinds, operands, row.branches)
        kind = self.kinds[node] = max(kinds, default=NUMBER)
        given = self.numbers(row, args, operands)
        if kind == ARRAY and row.value in templates.INFIX and row.arity == 2:
            return f"{given[0]} {row.value} {given[1]}"
        if kind == ARRAY and row.definition:
            self.kinds[node] = MAYBE  # by its own choices, it may be a number
        name = f"f{len(self.names)}"
        self.names[name] = (templates.value, _by_kind, function)[kind](row)
        return f"{name}({', '.join(given)})"

    def numbers(self, row: Primitive, args: list[int], operands: list[str]) -> list[str]:
        """The operands, with conditions counted as 1 and 0 where the row takes numbers."""
        return [
            f"number({operand})" if a in self.conditions and k >= row.conditions else operand
            for k, (a, operand) in enumerate(zip(args, operands, strict=True))
        ]

    def _choice(self, node: int, kinds: list[int], operands: list[str], branches: tuple[int, int]) -> str:
        """A branch that no element takes is not evaluated."""
        yes, no = branches
        sides = kinds[yes] if kinds[yes] == kinds[no] else MAYBE
        self.kinds[node] = kinds[0] if kinds[0] != NUMBER else sides
        if kinds[0] == NUMBER:
            return f"{operands[yes]} if {operands[0]} else {operands[no]}"
        return f"either({operands[0]}, lambda: {operands[yes]}, lambda: {operands[no]})"


@lru_cache(maxsize=1024)
def _by_kind(row: Primitive) -> Function:
    """The row for arguments that may be numbers or arrays."""
    alone, over = templates.value(row), function(row)
    return lambda *args: over(*args) if any(isinstance(a, np.ndarray) for a in args) else alone(*args)


def _either(condition: Value, yes: Callable[[], Value], no: Callable[[], Value]) -> Value:
    """The branch that all elements take, or each element's own."""
    if not np.ndim(condition):
        return yes() if condition else no()
    assert isinstance(condition, np.ndarray)
    if condition.any() and not condition.all():
        return select(condition, yes(), no())
    side = yes() if condition.all() else no()
    if shape(side) == condition.shape:
        return side
    return np.broadcast_to(side, np.broadcast_shapes(condition.shape, shape(side)))


_BLOCK = 512
"""Terms that are added up one after the other, of which rounding takes at most as many units in the last place."""

_DOT = 16_384
"""The same for products, which the library adds up in sixteen lanes or more."""


def total(u: Array, axis: int | tuple[int, ...] | None = None) -> Any:
    """The sum along axes, in blocks where NumPy would add up all rows one after the other."""
    axes = axis if isinstance(axis, tuple) else () if axis is None else (axis,)
    rows = axes[0] % u.ndim if len(axes) == 1 and u.ndim else -1
    if rows < 0 or rows == u.ndim - 1 or u.shape[rows] <= _BLOCK:
        return u.sum(axis=axis)
    parts = np.array_split(u, -(-u.shape[rows] // _BLOCK), axis=rows)
    return total(np.stack([np.sum(part, axis=rows) for part in parts], axis=rows), rows)


def dot(u: Array, v: Array) -> float:
    """The sum of the products of two flat arrays."""
    if len(u) <= _DOT:
        return float(np.dot(u, v))
    return math.fsum(float(np.dot(u[at : at + _DOT], v[at : at + _DOT])) for at in range(0, len(u), _DOT))


def in_pairs(numbers: Iterable[T]) -> T:
    """The sum of numbers, arrays or the like as a tree, which keeps rounding small: neighbours first, then the sums of neighbours.

    >>> in_pairs([1.0, 2.0, 3.0])
    6.0
    """
    sums: list[T] = []
    for count, summand in enumerate(numbers, 1):
        sums.append(summand)
        while not count & 1:
            right = sums.pop()
            sums[-1] = sums[-1] + right
            count >>= 1
    return cast(T, reduce(lambda right, left: left + right, reversed(sums)))
