"""What an update is: parameters and their slopes in, new parameters out. The formulas are PyTorch's.

>>> sgd(1.0, 4.0, {}, 1, 0.25)
(0.0, {})

A memory is a plain dictionary, so that it can be saved.
Sources: Polyak 1964 (momentum); Kingma and Ba 2015, algorithm 1 (Adam).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

Value: TypeAlias = Any
"""A float or an array."""

Memory: TypeAlias = "Mapping[str, Value]"
Update: TypeAlias = "Callable[[Value, Value, Memory, int, float], tuple[Value, Memory]]"
"""(parameter, slope, memory, number of the step from 1, rate) → (new parameter, new memory)."""

MOMENTUM, FIRST, SECOND, TINY = 0.9, 0.9, 0.999, 1e-8


def sgd(value: Value, slope: Value, memory: Memory, step: int, rate: float) -> tuple[Value, Memory]:
    """value - rate*slope"""
    return value - rate * slope, memory


def momentum(value: Value, slope: Value, memory: Memory, step: int, rate: float) -> tuple[Value, Memory]:
    """The slopes so far, each 0.9 times as heavy as the one after it."""
    velocity = MOMENTUM * memory["velocity"] + slope if memory else slope
    return value - rate * velocity, {"velocity": velocity}


def adam(value: Value, slope: Value, memory: Memory, step: int, rate: float) -> tuple[Value, Memory]:
    """The mean of the slopes over the root of the mean of their squares, both corrected for their start at 0."""
    mean = memory["mean"] if memory else 0.0 * slope
    square = memory["square"] if memory else 0.0 * slope
    mean = mean + (1 - FIRST) * (slope - mean)
    square = SECOND * square + (1 - SECOND) * slope * slope
    size = np.sqrt(square) / np.sqrt(1 - SECOND**step) + TINY
    moved = value - rate / (1 - FIRST**step) * (mean / size)
    return moved if np.ndim(moved) else float(moved), {"mean": mean, "square": square}


OPTIMIZERS: Mapping[str, Update] = {"sgd": sgd, "momentum": momentum, "adam": adam}
"""By name; `lbfgs` is no rule for one parameter: see `quasi_newton`."""

FORMULAS = {
    "sgd": "old - lr × slope",
    "momentum": "old - lr × velocity, velocity = 0.9 × velocity + slope",
    "adam": "old - lr × mean slope / (root of the mean square + 1e-8)",
    "lbfgs": "old + step along the quasi-Newton direction",
}
"""How people write the update."""
