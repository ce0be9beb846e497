"""Which results of floats are exact: operations that never round, and functions of short numbers with short values.

>>> from autodiff.core.rules import TABLE
>>> exactly(TABLE["sqrt", 1], [4.0], 2.0), exactly(TABLE["sqrt", 1], [2.0], 2.0**0.5)
(True, False)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from autodiff.core import templates
from autodiff.core.primitive import Primitive

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
"""How it is seen that a function of short numbers has a short value exactly."""
