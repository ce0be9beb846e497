"""What an update is: a parameter and its slope in, the new parameter out. The formulas are PyTorch's.

>>> sgd(1.0, 4.0, {}, 1, 0.25, Constants())
Updated(value=0.0, memory={}, scale=0.25)

A memory is a plain dictionary, so that it can be saved.
Sources: Polyak 1964 (momentum); Sutskever et al. 2013 (Nesterov); Kingma and Ba 2015, algorithm 1 (Adam); Loshchilov and
Hutter 2019 (AdamW); Tieleman and Hinton 2012 (RMSprop); Duchi, Hazan and Singer 2011 (AdaGrad).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Value: TypeAlias = Any
"""A float or an array."""

Memory: TypeAlias = "Mapping[str, Value]"


class Constants(NamedTuple):
    """The constants of the rules; None is what PyTorch takes for the rule.

    momentum      the weight of the steps before, 0.9 for `momentum`
    nesterov      whether the slope is that ahead of the step
    betas         of Adam: the weights of the slopes and of their squares before
    weight_decay  times the parameter is added to its slope; for adamw times the rate it is subtracted, 0.01
    """

    momentum: float | None = None
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float | None = None


class Updated(NamedTuple):
    """The new parameter and memory; `scale` is what a slope is multiplied with, element by element, in a step from rest."""

    value: Value
    memory: Memory
    scale: Value


Update: TypeAlias = "Callable[[Value, Value, Memory, int, float, Constants], Updated]"
"""(parameter, slope, memory, number of the step from 1, rate, constants) → the new parameter."""

TINY, TINIER, SQUARES = 1e-8, 1e-10, 0.99


def sgd(value: Value, slope: Value, memory: Memory, step: int, rate: float, constants: Constants) -> Updated:
    """value - rate*slope, or the slopes so far, each `momentum` times as heavy as the one after it."""
    slope = _decayed(slope, value, constants)
    momentum = constants.momentum or 0.0
    if not momentum:
        move = rate * slope
        moved = np.subtract(value, move, out=move) if isinstance(move, np.ndarray) else value - move
        return Updated(moved, memory, rate)
    velocity = momentum * memory["velocity"] + slope if memory else slope
    move = slope + momentum * velocity if constants.nesterov else velocity
    return Updated(value - rate * move, {"velocity": velocity}, rate * (1 + momentum if constants.nesterov else 1.0))


def momentum(value: Value, slope: Value, memory: Memory, step: int, rate: float, constants: Constants) -> Updated:
    """`sgd` with a momentum of 0.9."""
    weight = 0.9 if constants.momentum is None else constants.momentum
    return sgd(value, slope, memory, step, rate, constants._replace(momentum=weight))


def adam(value: Value, slope: Value, memory: Memory, step: int, rate: float, constants: Constants) -> Updated:
    """The mean of the slopes over the root of the mean of their squares, both corrected for their start at 0."""
    return _adam(value, _decayed(slope, value, constants), memory, step, rate, constants)


def adamw(value: Value, slope: Value, memory: Memory, step: int, rate: float, constants: Constants) -> Updated:
    """`adam` whose weight decay is no part of the slope."""
    decay = 0.01 if constants.weight_decay is None else constants.weight_decay
    return _adam(value * (1 - rate * decay), slope, memory, step, rate, constants)


def rmsprop(value: Value, slope: Value, memory: Memory, step: int, rate: float, constants: Constants) -> Updated:
    """The slope over the root of the mean of the squares so far."""
    slope = _decayed(slope, value, constants)
    square = SQUARES * (memory["square"] if memory else 0.0 * slope) + (1 - SQUARES) * slope * slope
    size = np.sqrt(square) + TINY
    kept: dict[str, Value] = {"square": square}
    move = slope / size
    if constants.momentum:
        move = kept["velocity"] = constants.momentum * memory.get("velocity", 0.0) + move
    return Updated(_plain(value - rate * move), kept, rate / size)


def adagrad(value: Value, slope: Value, memory: Memory, step: int, rate: float, constants: Constants) -> Updated:
    """The slope over the root of the sum of all squares."""
    slope = _decayed(slope, value, constants)
    square = (memory["square"] if memory else 0.0) + slope * slope
    scale = rate / (np.sqrt(square) + TINIER)
    return Updated(_plain(value - scale * slope), {"square": square}, scale)


def _adam(value: Value, slope: Value, memory: Memory, step: int, rate: float, constants: Constants) -> Updated:
    first, second = constants.betas
    mean = memory["mean"] if memory else 0.0 * slope
    square = memory["square"] if memory else 0.0 * slope
    mean = mean + (1 - first) * (slope - mean)
    square = second * square + (1 - second) * slope * slope
    size = np.sqrt(square) / np.sqrt(1 - second**step) + TINY
    moved = value - rate / (1 - first**step) * (mean / size)
    return Updated(_plain(moved), {"mean": mean, "square": square}, rate / size)


def _decayed(slope: Value, value: Value, constants: Constants) -> Value:
    return slope + constants.weight_decay * value if constants.weight_decay else slope


def _plain(value: Value) -> Value:
    return value if np.ndim(value) else float(value)


def towards_zero(old: Value, updated: Updated, l1: float, rate: float) -> Updated:
    """The update, then the proximal step of l1*|value|: each element goes to 0 by `scale`*l1, and stays there.

    A velocity becomes that of the step that was made, so that a parameter at its optimum rests. Source: Parikh and Boyd
    2014, section 4.2.
    """
    limit = l1 * updated.scale
    value = _plain(np.sign(updated.value) * np.maximum(np.abs(updated.value) - limit, 0.0))
    if "velocity" not in updated.memory:
        return updated._replace(value=value)
    return updated._replace(value=value, memory={**updated.memory, "velocity": (old - value) / rate})


OPTIMIZERS: Mapping[str, Update] = {
    "sgd": sgd, "momentum": momentum, "adam": adam, "adamw": adamw, "rmsprop": rmsprop, "adagrad": adagrad,
}  # fmt: skip
"""By name; the others are no rules for one parameter: see `lbfgs.minimize` and `trust_region.minimize`."""

FORMULAS = {
    "sgd": "old - lr × slope",
    "momentum": "old - lr × velocity, velocity = {momentum} × velocity + slope",
    "adam": "old - lr × mean slope / (root of the mean square + 1e-8)",
    "adamw": "old × (1 - lr × {decay}) - lr × mean slope / (root of the mean square + 1e-8)",
    "rmsprop": "old - lr × slope / (root of the mean square + 1e-8)",
    "adagrad": "old - lr × slope / (root of the sum of squares + 1e-10)",
    "lbfgs": "old + step along the quasi-Newton direction",
    "lm": "old + step within a trusted radius, least squares of the residuals' slopes",
    "newton": "old + step within a trusted radius, by slope and Hessian",
}
"""How people write the update."""


def formula(name: str, constants: Constants, l1: float = 0.0) -> str:
    """How people write the update of this optimizer with its constants."""
    weight = constants.momentum if constants.momentum is not None else 0.9 if name == "momentum" else 0.0
    text = FORMULAS["momentum" if name == "sgd" and weight else name]
    text = text.replace("{momentum}", f"{weight:g}")
    decay = constants.weight_decay if constants.weight_decay is not None else 0.01
    text = text.replace("{decay}", f"{decay:g}")
    if constants.nesterov:
        text = text.replace("lr × velocity,", f"lr × (slope + {weight:g} × velocity),")
    return f"{text}; then towards 0 by lr × {l1:g}" if l1 and name in OPTIMIZERS else text
