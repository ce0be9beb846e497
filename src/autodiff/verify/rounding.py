"""Rounding errors of one primitive: of its value, given its arguments' errors, and of a partial within its own text.

>>> from autodiff.core import rules
>>> error_of(rules.TABLE["-", 2], [1.0, 1.0], [1e-16, 0.0], 0.0)      # exact, but for the argument
1e-16
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from autodiff.core import templates
from autodiff.core.primitive import ZERO, Primitive
from autodiff.language.exact_float import ExactFloat

LEAST = 5e-324
"""The smallest float64; a number that is off by no more is as right as float64 can say."""

EPSILON, TINY = 2.0**-53, 2.0**-1022

SIGNS: Mapping[str, tuple[int, ...]] = {"+": (1, 1), "-": (1, -1), "neg": (-1,), "same": (1,)}
"""Rows whose slopes are 1 or -1 everywhere, and these."""

_MOST_ULPS = 2.0**24
"""Beyond so many units in the last place a bound of first order says nothing: 2e-9 of the number. Up to there a part that
is known to few digits of its own may be known well enough for the sum that it is in."""

_CURVED = 1e-3
"""An argument's error from which on a function may turn within it."""


class Unsure(Exception):
    """Rounding may decide here: a condition, a domain or a special point within an argument's error."""


def rounding(constant: float) -> float:
    """How far a constant may be off what was typed; half an ulp of the smallest numbers is rounded up to the least number."""
    return max(constant.error, LEAST) if isinstance(constant, ExactFloat) else 0.0


def error_of(row: Primitive, args: Sequence[float], errors: Sequence[float], value: float) -> float:
    """How far the value of a row may be off, given its arguments' errors."""
    name = row.value
    if name == "+" or name == "-":
        return errors[0] + errors[1] + abs(rounding_of_sum(args[0], args[1] if name == "+" else -args[1], value))
    if name == "*" or is_square(row, args, errors):
        last = 1 if name == "*" else 0
        u, v, e, f = args[0], args[last], errors[0], errors[last]
        error = error_times(u, f) + error_times(v, e) + e * f
        return error if short(u) and short(v) else error + rounded(value, 1.0, exact=not (u and v))
    if row.is_predicate:
        decided(row, args, errors)
        return 0.0
    if any(errors):
        settled(row, args, errors)
        error = sum(_moved(row, k, args, e, value) for k, e in enumerate(errors) if e)
    else:
        error = 0.0
        if exactly(row, args, value):
            return 0.0
    return error if never_rounds(row) else error + rounded(value, ulps(row, args, value), exact=False)


def is_square(row: Primitive, args: Sequence[float], errors: Sequence[float]) -> bool:
    """Whether a power is a product of two equal factors."""
    return row.value == "^" and args[1] == 2.0 and not errors[1]


def rounding_of_sum(u: float, v: float, total: float) -> float:
    """What the sum of two float64 lost when it was rounded to `total`, exactly, with its sign (Knuth's TwoSum)."""
    t = total - u
    return (u - (total - t)) + (v - t)


def error_times(factor: float, error: float) -> float:
    """An error times a factor; not 0 where that underflows, since what follows may make much of it."""
    return abs(factor) * error or (LEAST if factor and error else 0.0)


def rounded(value: float, units: float, *, exact: bool) -> float:
    if exact:
        return 0.0
    return units * EPSILON * abs(value) if abs(value) >= TINY else LEAST


def ulps(row: Primitive, args: Sequence[float], value: float) -> float:
    """How many halves of a unit in the last place the row's value may be off."""
    if row.value == "^" and args[1] in _PRODUCTS:
        return _PRODUCTS[args[1]][0]
    if row.value in _HALVES:
        return _HALVES[row.value]
    units = 4.0 if row.ulp_error[0] == "4" else templates.compiled(row.ulp_error[0], (*row.params, "w"))(*args, value)
    if not units <= _MOST_ULPS:
        raise Unsure
    return 2 * units


_HALVES: Mapping[str, float] = {
    "/": 1.0,
    "sqrt": 1.0,
    **dict.fromkeys(["hypot", "exp", "exp2", "ln", "log2", "sin", "cos"], 2.0),
    **dict.fromkeys(["expm1", "log10", "log1p", "tan", "asin", "acos", "atan", "atan2", "erf", "^"], 4.0),
    **dict.fromkeys(["sinh", "cosh", "tanh", "asinh", "acosh", "atanh"], 4.0),
}
"""Functions that the C libraries have nearer than the table allows, as halves of a unit in the last place."""

_PRODUCTS: Mapping[float, tuple[float, float]] = {
    2.0: (1.0, 1.0),
    3.0: (2.0, 3.0),
    4.0: (3.0, 4.0),
    -1.0: (1.0, 4.0),
    -2.0: (3.0, 16.0),
    0.5: (1.0, 3.0),
}
"""Powers that are a few products: halves of a unit that value and slope may be off (see `floats.PRODUCTS`)."""


@lru_cache(maxsize=1024)
def _special_texts(row: Primitive) -> tuple[str, ...]:
    """The conditions whose outcome a small error must not change: domain and special points."""
    return tuple(t for t in (*(text for text, _ in row.domain), *row.special_conditions, *row.partial_domain) if t)


def settled(row: Primitive, args: Sequence[float], errors: Sequence[float]) -> None:
    """Raise Unsure where errors of the arguments may decide whether they lie in the row's domain or at a special point."""
    if row.value == "^" and args[1] in (2.0, 3.0, 4.0) and not errors[1]:
        return  # a polynomial
    for text in _special_texts(row):
        try:
            condition(text, row.params, args, errors)
        except Unsure:
            if not _is_level(row, args, errors):
                raise


def _is_level(row: Primitive, args: Sequence[float], errors: Sequence[float]) -> bool:
    """Whether a step function has one value at all ends of its arguments' errors, whatever its jump's condition says."""
    if not row.jump or any(text != ZERO for text in row.partials):
        return False
    function = templates.value(row)
    value = function(*args)
    wider = [error and error + 2 * math.ulp(arg) for arg, error in zip(args, errors, strict=True)]  # beyond a tie
    return all(end == value for k, error in enumerate(wider) if error for end in ends(function, args, k, error))


def decided(row: Primitive, args: Sequence[float], errors: Sequence[float]) -> None:
    if row.branches is None and row.arity == 2 and abs(args[0] - args[1]) <= errors[0] + errors[1] and any(errors):
        raise Unsure


def condition(text: str, params: tuple[str, ...], args: Sequence[float], errors: Sequence[float]) -> None:
    """Raise Unsure where a condition of the table may be either, its arguments being off by their errors."""
    from autodiff.verify.text_error import BOUNDED  # most programs have no condition that an error is near to

    BOUNDED.text(text, params, list(zip(args, errors, strict=True)))


def ends(function: Callable[..., float], args: Sequence[float], k: int, error: float) -> Iterator[float]:
    """The values of a function where argument k is moved to both ends of its error, and at least to the next float64."""
    step = max(error, math.ulp(args[k]))
    return (function(*args[:k], args[k] + side * step, *args[k + 1 :]) for side in (-1, 1))


def _moved(row: Primitive, k: int, args: Sequence[float], error: float, value: float) -> float:
    """The error of the row's value that an error of argument k leads to."""
    flags = tuple([j == k for j in range(len(args))])
    edges = templates.partials(row, flags, ())(range(len(args)), *args, value) if row.partials[k] != ZERO else []
    moved = error_times(edges[0][1], error) if edges else 0.0
    if error > 1e-5 * min(abs(args[k]), 1.0):  # the first order alone is not a bound
        limit = max(_CURVED, 0.25 * abs(args[k])) if row.scaling else _CURVED  # ln(u) is known where a part of u is
        if error > limit and row.value != "/" and not never_rounds(row):
            raise Unsure  # nor are both ends, where the argument has no digit: e^(-u^2) is 0 at them, and 1 between
        function = templates.value(row)
        moved = max(moved, *(abs(end - value) for end in ends(function, args, k, error)))
    if row.jump and any(text != ZERO for text in row.partials):
        _unbroken(row, k, args, error, value, edges[0][1] if edges else 0.0)
    if moved != moved:
        raise Unsure
    return moved


def _unbroken(row: Primitive, k: int, args: Sequence[float], error: float, value: float, slope: float) -> None:
    """Raise Unsure where a jump lies within an argument's error: mod(1, v) has one at a tenth, where it is 0 or v."""
    function = templates.value(row)
    step = max(error, math.ulp(args[k]))
    for end in ends(function, args, k, error):
        if not abs(end - value) <= 4 * abs(slope) * step + 16 * math.ulp(value):
            raise Unsure


def slope_error(row: Primitive, text: str, args: Sequence[float], value: float, edge: tuple[int, float]) -> float:
    """The error of a slope from rounding within its text."""
    slope = edge[1]
    if is_plain(text, row):
        return 0.0
    if not slope:
        from autodiff.verify.text_error import is_structural_zero  # most slopes are not 0

        if 0.0 in args or not value or is_structural_zero(text, row.params, (*args, value)):
            return 0.0
    if all(map(short, args)) and short(slope) and abs(slope) <= 64 and row.value in ("^", "sqrt", "abs"):
        return 0.0
    if row.value == "/" and abs(slope) >= TINY and (text == "1/v" or abs(value) >= TINY):
        return rounded(slope, 1.0, exact=False)  # one quotient
    if row.value == "^" and text == row.partials[0] and args[1] in _PRODUCTS and abs(slope) >= TINY:
        return rounded(slope, _PRODUCTS[args[1]][1], exact=False)
    units = (
        8.0
        if row.ulp_error[1] == "8"
        else templates.compiled(row.ulp_error[1], (*row.params, "w", "d"))(*args, value, slope)
    )
    if not units <= _MOST_ULPS:
        if abs(slope) < TINY:
            return 1024 * LEAST
        raise Unsure
    return rounded(slope, 2 * units, exact=False)


def is_plain(text: str, row: Primitive) -> bool:
    """Whether a slope is an argument, the value, 1 or -1: nothing within its text rounds."""
    return text in ("1", "-1", "u", "v", "w", *row.params)


# --- what is exact ------------------------------------------------------------------------------------------------------


_EXACT = frozenset(["neg", "same", "abs", "min", "max", "floor", "ceil", "round", "sign"])
"""Values of primitives that do not round."""


@lru_cache(maxsize=1024)
def never_rounds(row: Primitive) -> bool:
    """Whether a value of the row is one of its arguments, a whole number, or one of these with a sign, as relu(u) is."""
    if not row.definition:
        return row.value in _EXACT
    parts = [part for part in templates.template(row.definition, row.params).graph.rows if part is not None]
    return all(part.is_predicate or part.branches is not None or never_rounds(part) for part in parts)


def short(number: float) -> bool:
    """Whether a number has so few digits that products and powers of such are exact."""
    return abs(number) <= 4096.0 and (number * 1024.0).is_integer()


def exactly(row: Primitive, args: Sequence[float], value: float) -> bool:
    """Whether a function of exact numbers has this value exactly: cos(0) is 1, sqrt(4) is 2, 2^3 is 8."""
    if never_rounds(row):
        return True
    if row.value == "/" and not args[0]:
        return True
    if not all(map(short, (*args, value))):
        return False
    if row.value in _INVERSES:
        return _INVERSES[row.value](value, *args)
    return (row.arity == 1 and not any(args)) or (value == 0 and all(abs(a) in (0.0, 1.0, 2.0) for a in args))


_INVERSES: Mapping[str, Callable[..., bool]] = {
    "/": lambda w, u, v: w * v == u,
    "^": lambda w, u, v: v.is_integer() and (w == u**v if 0 <= v <= 8 else -8 <= v < 0 and w * u**-v == 1),
    "mod": lambda w, u, v: True,
    "sqrt": lambda w, u: w * w == u,
    "cbrt": lambda w, u: w * w * w == u,
    "hypot": lambda w, u, v: w * w == u * u + v * v,
    "exp2": lambda w, u: u.is_integer(),
    "log2": lambda w, u: w.is_integer() and 2.0**w == u,
    "log10": lambda w, u: w.is_integer() and 0 <= w <= 8 and 10.0**w == u,
    "lgamma": lambda w, u: u in (1.0, 2.0) and w == 0,
    "logit": lambda w, u: u == 0.5,
    "gamma": lambda w, u: u.is_integer() and 1 <= u <= 8,
}
"""How exactness is decided for functions of short numbers with short values."""
