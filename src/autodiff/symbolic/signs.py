"""Signs of formulas: comparisons with 0 that hold for every number, as `x^2 + 1 > 0` and `exp(x) != 0` do.

>>> never_negative(rules.TABLE["exp", 1]), never_negative(rules.TABLE["sin", 1])
(True, False)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

from autodiff.core import rules, templates
from autodiff.core.primitive import Primitive
from autodiff.symbolic.expression import Symbols
from autodiff.symbolic.monomial import Exact

_UNEQUAL, _ABOVE, _AT_LEAST = (rules.TABLE[name, 2] for name in ("!=", ">", ">="))
_UNKNOWN, _NOT_NEGATIVE, _POSITIVE = range(3)

_GRID = [s * (k / 64 + 2.0**-20) for k in range(2400) for s in (1, -1)] + [-1.0, 0.0, 1.0]
"""Points between the ends of every domain of the table, and the ends: acos(u) is positive but at 1."""


def always_holds(symbols: Symbols, atom: int) -> bool:
    """Whether a comparison with 0 holds for every number, as x^2 + 1 > 0 does."""
    row, args = symbols.graph.rows[atom], symbols.graph.args[atom]
    if row not in (_UNEQUAL, _ABOVE, _AT_LEAST) or symbols.graph.constants.get(args[1]) != 0.0:
        return False
    sign = _signs(symbols, args[0])
    return sign == _POSITIVE or (row is _AT_LEAST and sign == _NOT_NEGATIVE)


def _signs(symbols: Symbols, root: int) -> int:
    """What is known of the sign of an equation: from even powers, sums and products, and functions that are never negative."""
    signs: dict[int, int] = {}
    todo = [root]
    while todo:
        node = todo[-1]
        parts = _bases(symbols, node)
        missing = [part for part in parts if part not in signs]
        if missing and len(todo) < 100:  # deeper than that no sign is known
            todo.extend(missing)
            continue
        todo.pop()
        signs[node] = _sign(symbols, node, signs) if not missing else _UNKNOWN
    return signs[root]


def _bases(symbols: Symbols, node: int) -> list[int]:
    terms = symbols.as_sum(node)
    return [base for factors in terms for base, _ in factors if base != node]


def _sign(symbols: Symbols, node: int, signs: Mapping[int, int]) -> int:
    terms = symbols.as_sum(node)
    term_signs = []
    for factors, amount in terms.items():
        parts = [_power_sign(_known(symbols, base, node, signs), *exponent) for base, exponent in factors]
        term_signs.append(min(parts, default=_POSITIVE) if amount.value > 0 else _UNKNOWN)
    if not term_signs:
        return _NOT_NEGATIVE
    return max(term_signs) if min(term_signs) >= _NOT_NEGATIVE else _UNKNOWN


def _known(symbols: Symbols, base: int, node: int, signs: Mapping[int, int]) -> int:
    if base != node:
        return signs.get(base, _UNKNOWN)
    row = symbols.graph.rows[node]
    if node in symbols.graph.constants:
        return _POSITIVE if symbols.graph.constants[node] > 0 else _UNKNOWN
    return _range(row) if row is not None and row.arity == 1 and not row.is_predicate else _UNKNOWN


def _power_sign(sign: int, symbol: int | None, number: Exact) -> int:
    if symbol is None and (number % 2 == 0 or number.denominator % 2 == 0):
        return _POSITIVE if sign == _POSITIVE or number < 0 else _NOT_NEGATIVE
    return sign if symbol is None or sign == _POSITIVE else _UNKNOWN


def never_negative(row: Primitive) -> bool:
    """Whether no value of a function of one argument is below 0."""
    return _range(row) >= _NOT_NEGATIVE


@lru_cache(maxsize=1024)
def _range(row: Primitive) -> int:
    """The sign of a function of one argument, seen on a fine grid from -37 to 37."""
    tests, value, lowest = [test for test, _ in templates.domain(row)], templates.value(row), math.inf
    for u in _GRID:
        number = value(u) if all(test(u) for test in tests) else math.inf
        if number < 0 and math.isfinite(number):
            return _UNKNOWN
        lowest = min(lowest, number) if math.isfinite(number) else lowest
    return _UNKNOWN if math.isinf(lowest) else _POSITIVE if lowest > 0 else _NOT_NEGATIVE
