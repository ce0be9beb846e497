"""Where underflow may have taken digits of a result: it is so small that float64 has not all of them.

>>> from autodiff.core import rules
>>> bool(faint(rules.TABLE["*", 2], [1e-200, 1e-200], 0.0)), bool(faint(rules.TABLE["*", 2], [0.0, 1e-200], 0.0))
(True, False)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autodiff.core import templates
from autodiff.core.primitive import Primitive

FAINT = 2.0**-1022
"""The smallest number with all its digits."""

_ALIKE = "+ - neg same abs min max floor ceil round sign mod sqrt cbrt ln log2 log10 log1p expm1"
_CURVES = "sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
_KEEPING = frozenset(f"{_ALIKE} {_CURVES} sum mean".split())
"""Values that are only tiny where an argument is, and as exact."""

_THROUGH = frozenset([*"*/^", "atan2"])
"""Values that are exactly 0 where an argument is, and lose digits elsewhere."""


@lru_cache(maxsize=1024)
def keeps(row: Primitive) -> bool:
    """Whether the row's value loses no digits by being tiny."""
    if row.is_predicate or row.branches is not None or row.value in _KEEPING:
        return True
    if not row.definition:
        return False
    rows = templates.template(row.definition, row.params).graph.rows
    return all(
        inner is None or inner.is_predicate or inner.branches is not None or inner.value in _KEEPING for inner in rows
    )


def faint(row: Primitive, args: Sequence[Any], value: Any) -> Any:
    """Where a row's value may have lost digits by underflow; a 0 that is made of a 0 has not."""
    small = False if keeps(row) else np.abs(value) < FAINT
    if not np.any(small):
        return False
    for a in args if row.value in _THROUGH or row.arity == 1 else ():
        small = small & np.not_equal(a, 0.0)
    return small
