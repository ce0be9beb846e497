"""Whether digits of arrays are sure: answers that stay the same when every result on the way is moved by a few roundings.

>>> from autodiff.core.lowering import lower
>>> lowered, x = lower("sum((exp(x) - 1)/x)"), np.array([1e-9, 1.0])
>>> sure(lowered, {"x": x}, {"x": 0}, 2.718281911199416, {"x": np.array([-81.7, 1.0])})
False
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autodiff.arrays import algebra
from autodiff.core.evaluate import DomainError
from autodiff.core.lowering import Lowered
from autodiff.errors import AutodiffError
from autodiff.verify.random_rounding import TAKEN, RandomRounding, sweeps

_ALLOWED = 1.25e-13
"""How far an answer may move for each rounding: that is an error in the thirteenth digit."""

_UNSEEN = 2.0**-1060
"""How far a 0 in rows may move, which tails such as x*exp(-x^2) are in most rows: a sixteenth of it is 5e-321."""

_ROWS = 6.25e-12
"""The same for rows over data: one rounding makes an error in the eleventh digit."""


def sure(
    lowered: Lowered,
    point: Mapping[str, Any],
    names: Mapping[str, int],
    value: Any,
    gradient: Mapping[str, Any],
    *,
    normwise: bool = False,
) -> bool:
    """Whether the value and the slopes stay the same to 12 digits when every result is moved by a few roundings.

    normwise   measure the error of an element by the largest of its array, not by itself
    """
    return all(_stays(rounding, lowered, point, names, value, gradient, normwise=normwise) for rounding in sweeps())


def unmoved(number: Any, moved: Any, roundings: int) -> Any:
    """Where rows stay the same to 10 digits, when every result is moved by so many roundings."""
    with np.errstate(all="ignore"):
        least = np.where(np.equal(number, 0.0), _UNSEEN, TAKEN)
        return np.abs(number - moved) <= roundings * _ROWS * np.abs(number) + least


def _stays(
    rounding: RandomRounding,
    lowered: Lowered,
    point: Mapping[str, Any],
    names: Mapping[str, int],
    value: Any,
    gradient: Mapping[str, Any],
    *,
    normwise: bool,
) -> bool:
    try:
        run = algebra.evaluate(lowered, rounding.inputs(point), shake=rounding)
    except (DomainError, AutodiffError):
        return False
    allowed = rounding.roundings * _ALLOWED
    if not _same(value, run.values[lowered.result], allowed, normwise=normwise):
        return False
    if not gradient:
        return True
    slopes = algebra.vjp(run, list(names.values()), shake=rounding)
    pairs = ((gradient[name], slopes.get(node, 0.0)) for name, node in names.items() if name in gradient)
    return all(_same(number, moved, allowed, normwise=normwise) for number, moved in pairs)


def _same(number: Any, moved: Any, allowed: float, *, normwise: bool) -> bool:
    number = np.asarray(number, float)
    with np.errstate(all="ignore"):
        size = np.max(np.abs(number), initial=0.0, where=~np.isnan(number)) if normwise else np.abs(number)
        near = np.abs(number - moved) <= allowed * size + TAKEN
    return bool(np.all(near | np.isnan(number)))
