"""What rounding may have done to arrays: the sweeps are done again with every result moved by a few roundings at random.

An answer that moves has few digits. This is stochastic arithmetic (J. Vignes, A stochastic arithmetic for reliable
scientific computation, Mathematics and Computers in Simulation 35 (1993)): an estimate, twice, with a margin of 8.

>>> from autodiff import parse
>>> from autodiff.calculus.lower import lower
>>> lowered, x = lower(parse("sum((exp(x) - 1)/x)")), np.array([1e-9, 1.0])
>>> sure(lowered, {"x": x}, {"x": 0}, 2.718281911199416, {"x": np.array([-81.7, 1.0])})
False
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autodiff.calculus import array_sweeps, array_values
from autodiff.calculus.lower import Lowered
from autodiff.calculus.ops import EACH, Row
from autodiff.calculus.primal import Outside
from autodiff.errors import AutodiffError
from autodiff.typed import Typed

_MOVED = 16 * 2.0**-53
"""How far a result is moved, in parts of it: at least half of that, up or down."""

_ALLOWED = 2e-12
"""How far an answer may move then: a sixteenth of it is an error in the thirteenth digit."""

_ROWS = 1e-10
"""The same for rows over data: a sixteenth of it is an error in the eleventh digit."""

_ARITHMETIC = frozenset(["+", "-", "*", "neg", "same", "abs", "min", "max", "floor", "ceil", "round", "sign"])
"""Operations that are exact where numbers are short."""


class RandomRounding:
    """Moves results at random, from a fixed seed."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)

    def constant(self, value: float) -> float:
        """A constant, moved where it is not exactly what was typed."""
        return float(self.number(value)) if isinstance(value, Typed) else value

    def arguments(self, row: Row, args: list[Any]) -> list[Any]:
        """The arguments of a row that adds up inside, which rounds as they are moved."""
        return args if row.kind == EACH else [self._unless_short(a) for a in args]

    def result(self, row: Row, value: Any) -> Any:
        """The result of a row."""
        if row.truth or row.kind != EACH:
            return value
        return self._unless_short(value) if row.value in _ARITHMETIC else self.number(value)

    def part(self, value: Any) -> Any:
        """What flows back to an argument."""
        return self._unless_short(value)

    def number(self, value: Any) -> Any:
        """A number or an array, each element moved."""
        signed = self._chance.uniform(0.5, 1.0, np.shape(value)) * self._chance.choice([-1.0, 1.0], np.shape(value))
        return value * (1.0 + _MOVED * signed)

    def _unless_short(self, value: Any) -> Any:
        if value is None or np.asarray(value).dtype.kind != "f":
            return value
        scaled = np.asarray(value) * 1024.0
        short = (np.abs(scaled) <= 2.0**40) & (scaled == np.floor(scaled))
        return np.where(short, value, self.number(value)) if np.shape(value) else value if short else self.number(value)


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
    return all(
        _stays(RandomRounding(seed), lowered, point, names, value, gradient, normwise=normwise) for seed in (1, 2)
    )


def unmoved(number: Any, moved: Any) -> Any:
    """Where rows stay the same to 10 digits."""
    with np.errstate(all="ignore"):
        return np.abs(number - moved) <= _ROWS * np.abs(number) + 5e-323


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
        run = array_values.values(lowered, point, shake=rounding)
    except (Outside, AutodiffError):
        return False
    if not _same(value, run.values[lowered.result], normwise=normwise):
        return False
    if not gradient:
        return True
    slopes = array_sweeps.backward(run, list(names.values()), shake=rounding)
    pairs = ((gradient[name], slopes.get(node, 0.0)) for name, node in names.items() if name in gradient)
    return all(_same(number, moved, normwise=normwise) for number, moved in pairs)


def _same(number: Any, moved: Any, *, normwise: bool) -> bool:
    number = np.asarray(number, float)
    with np.errstate(all="ignore"):
        size = np.max(np.abs(number), initial=0.0, where=~np.isnan(number)) if normwise else np.abs(number)
        near = np.abs(number - moved) <= _ALLOWED * size + 5e-323
    return bool(np.all(near | np.isnan(number)))
