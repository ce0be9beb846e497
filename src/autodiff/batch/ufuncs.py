"""The rows of the table over blocks of numbers: NumPy's functions, or the one-shot evaluation's own, one by one.

Every operation takes its arguments and `out`, an array to write to. Functions that take four numbers at a time may differ
from `math` by 4 units in the last place, so they are called only where that is allowed.

>>> out = np.empty(2)
>>> operation(rules.TABLE["^", 2], [None, 3.0], exact=True)(np.array([2.0, -1.5]), 3.0, out=out)
>>> out
array([ 8.   , -3.375])
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autodiff.batch.jit.libm import LIBRARY
from autodiff.batch.jit.libmvec import vector_function
from autodiff.batch.whole_powers import by_products, is_product
from autodiff.codegen.targets.numpy import CALLS
from autodiff.core import rules, templates
from autodiff.core.floats import PRODUCTS, ieee
from autodiff.core.primitive import Primitive
from autodiff.numbers import float_functions
from autodiff.numbers.float_functions import (
    BESIDE_IT,
    ITS_REST,
    TERMS,
    ZERO_OF_DIGAMMA,
    digamma_at_its_zero,
    polynomial,
    tail_coefficient,
)

Numbers: TypeAlias = Any
"""An array of float64, of truth values for a condition, or one number for all rows."""

Operation: TypeAlias = Callable[..., object]

_OPERATORS: dict[tuple[str, int], Operation] = {
    ("+", 2): np.add,
    ("-", 2): np.subtract,
    ("*", 2): np.multiply,
    ("/", 2): np.divide,
    ("-", 1): np.negative,
    ("+", 1): np.positive,
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
_NUMPY: dict[tuple[str, int], Operation] = {
    **_OPERATORS,
    **{key: getattr(np, text[3:].partition("(")[0]) for key, text in CALLS.items() if text.startswith("np.")},
}
"""The rows as NumPy has them, in float64 and in its longest numbers: the operators, and what exports to NumPy call."""

_EXACT_FUNCTIONS = {1: "sqrt abs sign floor ceil round", 2: "mod min max"}
_EXACT = _OPERATORS.keys() | {(name, arity) for arity, names in _EXACT_FUNCTIONS.items() for name in names.split()}
"""The rows in which IEEE 754 leaves no choice."""


def _choose(c: Numbers, u: Numbers, v: Numbers, out: Numbers) -> None:
    np.copyto(out, v)
    np.copyto(out, u, where=c)


def _root(u: Numbers, _: float, out: Numbers) -> None:
    np.sqrt(u, out)


def _product(exponent: float) -> Operation:
    """A power by products, or by a square root."""
    if exponent % 1:
        return _root

    def run(u: Numbers, _: float, out: Numbers) -> None:
        base = np.divide(1.0, u) if exponent < 0 else u
        power = by_products(base, int(abs(exponent)), lambda a, b: np.multiply(a, b, out))
        if power is not out:
            np.copyto(out, power)

    return run


_POWER, _CHOICE, _CUBE_ROOT = rules.TABLE["^", 2], rules.TABLE["if", 3], rules.TABLE["cbrt", 1]
_GAMMA, _LGAMMA = rules.TABLE["gamma", 1], rules.TABLE["lgamma", 1]
_DIGAMMA, _POLYGAMMA = rules.TABLE["digamma", 1], rules.TABLE["polygamma", 2]


def _cube_root(roots: Operation) -> Operation:
    """As `floats.cbrt` does it, from roots that may be a few units in the last place off."""

    def run(u: Numbers, out: Numbers) -> None:
        root = np.empty(out.shape)
        roots(u, out=root)
        np.subtract(root, (root - u / (root * root)) / 3.0, out)
        np.copyto(out, root, where=np.isnan(out))

    return run


def operation(row: Primitive, constants: Sequence[float | None], *, exact: bool) -> Operation:
    """How `row` is computed; `constants` are the arguments that are one number, None where they are not."""
    key = (row.name, row.arity)
    if row is _CHOICE:
        return _choose
    if key in _EXACT:
        return _NUMPY[key]
    if row is _POWER and is_product(constants[1], exact=exact):
        return _product(constants[1] or 0.0)
    by_four = None if exact else _by_four(row)
    if row is _CUBE_ROOT and by_four is not None:
        return _cube_root(by_four)
    if row is _GAMMA and not exact:
        return _mapped(math.gamma, ieee(math.gamma))
    if row is _LGAMMA and not exact:
        return _lgamma
    if row is _DIGAMMA and not exact:
        return polygamma(0)
    if row is _POLYGAMMA and not exact and constants[0] in range(HIGHEST + 1):
        derivative = polygamma(int(constants[0] or 0))
        return lambda _, u, out: derivative(u, out)
    calls = by_four or _by_arrow(row) or one_by_one(row)
    return _with_products(calls) if row is _POWER else calls


def extended(row: Primitive, constants: Sequence[float | None]) -> Operation | None:
    """How `row` is computed in NumPy's longest numbers; None where that is only so in float64."""
    if row is _CHOICE or (row is _POWER and constants[1] in PRODUCTS):
        return operation(row, constants, exact=True)
    return _NUMPY.get((row.name, row.arity))


def _with_products(power: Operation) -> Operation:
    """A power that multiplies where one-shot does."""
    products = {exponent: _product(exponent) for exponent in PRODUCTS}

    def run(u: Numbers, v: Numbers, out: Numbers) -> None:
        power(u, v, out=out)
        for exponent, product in products.items():
            here = np.broadcast_to(np.equal(v, exponent), out.shape)
            if here.any():
                powers = np.empty(len(out))
                product(u, v, powers)
                np.copyto(out, powers, where=here)

    return run


_C_NAMES = LIBRARY | {"^": "pow", "atan2": "atan2", "cbrt": "cbrt"}
"""Values of rows that the C library has, and their names there."""


def _by_four(row: Primitive) -> Operation | None:
    """The row by the C library's functions over four numbers at a time; None where there is none."""
    function = vector_function(_C_NAMES[row.value]) if row.value in _C_NAMES else None
    if function is None:
        return None

    def run(*args: Numbers, out: Numbers) -> None:
        # the sign of a zero must not reach atan2
        function.over(out, *(np.ascontiguousarray(np.broadcast_to(a, out.shape) + 0.0) for a in args))

    return run


_RAISING = {"hypot": "hypot"} | LIBRARY
"""Values of rows that are a function of `math` wherever that one does not raise, which is three times as fast."""


@lru_cache(maxsize=256)
def one_by_one(row: Primitive) -> Operation:
    """The row as one-shot computes it, for each number of a block."""
    total = templates.value(row)
    return _mapped(getattr(math, _RAISING[row.value]) if row.value in _RAISING else total, total)


def _mapped(quick: Callable[..., float], total: Callable[..., float]) -> Operation:
    """A function of floats for each number of a block; `total` where `quick` raises for one of them."""

    def run(*args: Numbers, out: Numbers) -> None:
        columns = [np.broadcast_to(a, out.shape).tolist() for a in args]
        try:
            out[:] = np.fromiter(map(quick, *columns), float, len(out))
        except (ValueError, OverflowError):
            out[:] = np.fromiter(map(total, *columns), float, len(out))

    return run


def _lgamma(u: Numbers, out: Numbers) -> None:
    """Python's, which is a few units in the last place off, but beside the zeros 1 and 2 Taylor's series around 2."""
    _mapped(math.lgamma, ieee(math.lgamma))(u, out=out)
    x = np.broadcast_to(u, out.shape)
    near = (x > 0.5) & (x < 3.5)
    v = x[near]
    shift = np.where(v > 2.5, np.log(np.abs(v - 1)), np.where(v < 1.5, -np.log(v), 0.0))
    out[near] = polynomial(_lgamma_at_2(), v - np.rint(v)) + shift


@lru_cache(maxsize=1)
def _lgamma_at_2() -> Sequence[float]:
    """The coefficients of s, s², … of ln Γ(2 + s); the first is 1 - γ."""
    return [0.42278433509846714, *(float_functions.polygamma(k - 1, 2.0) / math.factorial(k) for k in range(2, 30))]


_BY_ARROW = "exp expm1 ln log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
_ARROW = {"^": "power", "atan2": "atan2"} | {name: name for name in _BY_ARROW.split()}
"""Values of rows as PyArrow calls them."""


def _by_arrow(row: Primitive) -> Operation | None:
    """The row by PyArrow, which calls the C library's function as `math` does; None where it is missing or too old."""
    if row.value not in _ARROW:
        return None
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
        # by buffers: `pa.array` and `to_numpy` load pandas, which takes half a second; the sign of a zero must not reach atan2
        full = (np.add(np.broadcast_to(a, out.shape), 0.0) for a in args)
        given = (pa.Array.from_buffers(pa.float64(), len(out), [None, pa.py_buffer(a)]) for a in full)
        out[:] = np.frombuffer(function(*given).buffers()[1], count=len(out))

    return run


# --- the polygamma functions, as `numbers.float_functions` has them: the same terms, summed with their rounding errors ------

Vector: TypeAlias = NDArray[np.float64]

HIGHEST = 3
"""The order up to which no power of an argument leaves the range of float64 before the result does."""


def polygamma(n: int) -> Callable[..., None]:
    """The n-th derivative of ψ, n = 0, …, HIGHEST, as an operation with `out`; NaN at 0, -1, -2, …"""

    @np.errstate(all="ignore")  # terms that vanish, and poles
    def run(u: Any, out: Vector) -> None:
        x = np.broadcast_to(u, out.shape)
        below = x < 0
        beside = x - ZERO_OF_DIGAMMA
        sums = _summed(_terms(n, np.where(below, 1 - x, x)))
        if below.any():
            f = x[below] - np.rint(x[below])
            right = [(-1) ** n * sums[below], *(-((-1) ** n) * term for term in _terms(n, -f, 1))]
            sums[below] = _summed([*right, *_terms(n, f)])
        if n == 0 and (near := np.abs(beside) < BESIDE_IT).any():
            sums[near] = polynomial(digamma_at_its_zero(), beside[near] - ITS_REST)
        out[:] = np.where((x <= 0) & (x % 1 == 0), np.nan, sums)

    return run


def _terms(n: int, u: Vector, first: int = 0) -> Iterator[Vector]:
    """u + first > 0, or u > -1: the terms of a sum that shifts up to where the asymptotic series holds, and those of the series."""
    sign, scale = (1.0 if n % 2 else -1.0), float(math.factorial(n))
    shifts = np.maximum(np.ceil(12 + n - u), first)
    x = u + shifts
    yield sign * scale / n * x ** (n // 2 - n) * x ** -(n // 2) if n else np.log(x)
    for k in range(first, 13 + n):
        yield np.where(k < shifts, sign * scale / (u + k) ** (n + 1), 0.0)
    yield sign * 0.5 * scale / x ** (n + 1)
    for k in range(1, TERMS):
        yield sign * tail_coefficient(n, k) * x ** -(2 * k + n)


def _summed(terms: Iterable[Vector]) -> Vector:
    """The sum of the terms and of what rounding takes of each addition."""
    total: Vector = np.zeros(1)
    carried: Vector = total
    for term in terms:
        after = total + term
        part = after - total
        carried = carried + ((total - (after - part)) + (term - part))
        total = after
    return np.asarray(np.where(np.isfinite(carried), total + carried, total))
