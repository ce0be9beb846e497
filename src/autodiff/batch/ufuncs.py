"""The rows of the table over blocks of numbers: NumPy's functions, or the one-shot evaluation's own, one by one.

Every operation takes its arguments and `out`, an array to write to. NumPy's functions use the processor's wide registers and
let other threads run; they may differ from `math` in the last places (3 units for cbrt, 2 at most for the others), so
they stand in for it only where that is allowed.

>>> out = np.empty(2)
>>> operation(rules.TABLE["^", 2], [None, 3.0], exact=True)(np.array([2.0, -1.5]), 3.0, out=out)
>>> out
array([ 8.   , -3.375])
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from autodiff.core import rules, templates
from autodiff.core.primitive import Primitive

Numbers: TypeAlias = Any
"""An array of float64, of truth values for a condition, or one number for all rows."""

Operation: TypeAlias = Callable[..., object]

_EXACT: dict[tuple[str, int], Operation] = {
    ("+", 2): np.add,
    ("-", 2): np.subtract,
    ("*", 2): np.multiply,
    ("/", 2): np.divide,
    ("-", 1): np.negative,
    ("+", 1): np.positive,
    ("sqrt", 1): np.sqrt,
    ("abs", 1): np.abs,
    ("sign", 1): np.sign,
    ("floor", 1): np.floor,
    ("ceil", 1): np.ceil,
    ("round", 1): np.rint,
    ("mod", 2): np.mod,
    ("min", 2): np.minimum,
    ("max", 2): np.maximum,
    ("<", 2): np.less,
    ("<=", 2): np.less_equal,
    (">", 2): np.greater,
    (">=", 2): np.greater_equal,
    ("==", 2): np.equal,
    ("!=", 2): np.not_equal,
    ("not", 1): np.logical_not,
    ("and", 2): np.logical_and,
    ("or", 2): np.logical_or,
}
"""What IEEE 754 leaves no choice in."""

_FAST: dict[tuple[str, int], Operation] = {
    ("cbrt", 1): np.cbrt,
    ("exp", 1): np.exp,
    ("exp2", 1): np.exp2,
    ("expm1", 1): np.expm1,
    ("ln", 1): np.log,
    ("log2", 1): np.log2,
    ("log10", 1): np.log10,
    ("log1p", 1): np.log1p,
    ("sin", 1): np.sin,
    ("cos", 1): np.cos,
    ("tan", 1): np.tan,
    ("asin", 1): np.arcsin,
    ("acos", 1): np.arccos,
    ("atan", 1): np.arctan,
    ("sinh", 1): np.sinh,
    ("cosh", 1): np.cosh,
    ("tanh", 1): np.tanh,
    ("asinh", 1): np.arcsinh,
    ("acosh", 1): np.arccosh,
    ("atanh", 1): np.arctanh,
    ("atan2", 2): np.arctan2,
    ("hypot", 2): np.hypot,
    ("^", 2): np.power,
}


def _choose(c: Numbers, u: Numbers, v: Numbers, out: Numbers) -> None:
    np.copyto(out, v)
    np.copyto(out, u, where=c)


def _square(u: Numbers, _: float, out: Numbers) -> None:
    np.multiply(u, u, out)


def _cube(u: Numbers, _: float, out: Numbers) -> None:
    np.multiply(u, u, out)
    np.multiply(out, u, out)


def _fourth(u: Numbers, _: float, out: Numbers) -> None:
    np.multiply(u, u, out)
    np.multiply(out, out, out)


def _reciprocal(u: Numbers, _: float, out: Numbers) -> None:
    np.divide(1.0, u, out)


def _reciprocal_square(u: Numbers, _: float, out: Numbers) -> None:
    np.divide(1.0, u, out)
    np.multiply(out, out, out)


def _root(u: Numbers, _: float, out: Numbers) -> None:
    np.sqrt(u, out)


_PRODUCTS: dict[float, Operation] = {
    2.0: _square, 3.0: _cube, 4.0: _fourth, -1.0: _reciprocal, -2.0: _reciprocal_square, 0.5: _root,
}  # fmt: skip
"""The powers of `special.PRODUCTS`."""

_POWER, _CHOICE, _CUBE_ROOT = rules.TABLE["^", 2], rules.TABLE["if", 3], rules.TABLE["cbrt", 1]


def _cube_root(u: Numbers, out: Numbers) -> None:
    """As `special.cbrt` does it."""
    root = np.fromiter(map(math.cbrt, np.broadcast_to(u, out.shape).tolist()), float, len(out))
    np.subtract(root, (root - u / (root * root)) / 3.0, out)
    np.copyto(out, root, where=(root == 0) | ~np.isfinite(root))


def operation(row: Primitive, constants: Sequence[float | None], *, exact: bool) -> Operation:
    """How `row` is computed; `constants` are the arguments that are one number, None where they are not."""
    key = (row.name, row.arity)
    if row is _CHOICE:
        return _choose
    if key in _EXACT:
        return _EXACT[key]
    if row is _POWER and constants[1] in _PRODUCTS:
        return _PRODUCTS[constants[1] or 0.0]
    if not exact and key in _FAST:
        return _FAST[key]
    if row is _CUBE_ROOT:
        return _cube_root
    alone = one_by_one(row)
    by_arrow = _by_arrow(row) if row.value in _ARROW else None
    return alone if by_arrow is None else _with_products(by_arrow) if row is _POWER else by_arrow


def extended(row: Primitive, constants: Sequence[float | None]) -> Operation | None:
    """How `row` is computed in NumPy's longest numbers; None where that is only so in float64."""
    key = (row.name, row.arity)
    if row is _CHOICE or (row is _POWER and constants[1] in _PRODUCTS) or key in _EXACT:
        return operation(row, constants, exact=True)
    return _FAST.get(key)


def _with_products(power: Operation) -> Operation:
    """A power that multiplies where one-shot does."""

    def run(u: Numbers, v: Numbers, out: Numbers) -> None:
        power(u, v, out=out)
        for exponent, product in _PRODUCTS.items():
            here = np.broadcast_to(np.equal(v, exponent), out.shape)
            if here.any():
                products = np.empty(len(out))
                product(u, v, products)
                np.copyto(out, products, where=here)

    return run


_SAME = "exp exp2 expm1 log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc"
_RAISING = {"ln": "log", "gamma": "gamma", "lgamma": "lgamma", "hypot": "hypot"}
_RAISING |= {name: name for name in _SAME.split()}
"""Values of rows that are a function of `math` wherever that one does not raise, which is three times as fast."""


@lru_cache(maxsize=256)
def one_by_one(row: Primitive) -> Operation:
    """The row as one-shot computes it, for each number of a block."""
    total = templates.value(row)
    quick = getattr(math, _RAISING[row.value]) if row.value in _RAISING else total

    def run(*args: Numbers, out: Numbers) -> None:
        columns = [np.broadcast_to(a, out.shape).tolist() for a in args]
        try:
            out[:] = np.fromiter(map(quick, *columns), float, len(out))
        except (ValueError, OverflowError):
            out[:] = np.fromiter(map(total, *columns), float, len(out))

    return run


_BY_ARROW = "exp expm1 ln log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
_ARROW = {"^": "power", "atan2": "atan2"} | {name: name for name in _BY_ARROW.split()}
"""Values of rows as PyArrow calls them."""


def _by_arrow(row: Primitive) -> Operation | None:
    """The row by PyArrow, which calls the C library's function as `math` does; None where it is missing or too old."""
    try:
        import pyarrow as pa
        import pyarrow.compute as pc
    except ImportError:
        return None
    function = getattr(pc, _ARROW[row.value], None)
    if function is None:
        return None
    alone = one_by_one(row)

    def run(*args: Numbers, out: Numbers) -> None:
        if all(isinstance(a, float) for a in args):
            alone(*args, out=out)
            return
        given = [a if isinstance(a, float) else pa.array(a + 0.0) for a in args]  # atan2 knows no sign of a zero
        out[:] = function(*given).to_numpy()

    return run
