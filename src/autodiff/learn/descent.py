"""The descent: epochs of batches, each a forward pass, a loss, a backward pass and an update, until the epochs are done.

>>> from autodiff import parse
>>> from autodiff.calculus.lower import lower
>>> model = Model(lower(parse("(w - 1)^2")), ["w"])
>>> [done.loss for done in descend(model, {}, State({"w": 0.0}, {}), Plan(epochs=3, rate=0.5))]
[1.0, 0.0, 0.0]

The same seed gives the same numbers, bit for bit, and so does a training that was interrupted and resumed: what is
random in an epoch hangs on the seed and the number of the epoch alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from autodiff.calculus.primal import Outside
from autodiff.learn.model import Model, Overflow
from autodiff.learn.optimizers import OPTIMIZERS
from autodiff.learn.saved import State

Columns: TypeAlias = Mapping[str, Any]
Look: TypeAlias = Callable[[State, Columns], None]

_SAMPLES, _HOLDOUT, _ORDER = range(3)
"""What a seed is used for; each use has a generator of its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train.

    epochs     passes over the table in all, those of a resumed training included
    rate       what a slope is multiplied with (--lr)
    optimizer  sgd, momentum, adam or lbfgs
    batch      rows per step; 0 is all of them
    seed       makes everything random
    """

    epochs: int = 100
    rate: float = 0.1
    optimizer: str = "sgd"
    batch: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch that is done: its loss, as its rows saw it before their updates, and where the training stands now."""

    epoch: int
    loss: float
    state: State


class Diverged(Exception):
    """A step whose loss or slope does not exist.

    `state` is the last one whose loss was good, `cause` says what went out of range, `rows` which rows of the table the
    step looked at.
    """

    def __init__(self, state: State, cause: Outside | Overflow, rows: Sequence[int]) -> None:
        super().__init__(state.steps)
        self.state, self.cause, self.rows = state, cause, rows


def generator(seed: int, use: int, *numbers: int) -> np.random.Generator:
    """The random numbers of one use of the seed."""
    return np.random.default_rng([seed, use, *numbers])


def sampler(seed: int) -> Any:
    """Samples of the standard normal distribution, a shape at a time."""
    chance = generator(seed, _SAMPLES)
    return lambda shape: chance.standard_normal(shape) if shape else float(chance.standard_normal())


def split(count: int, share: float, seed: int) -> tuple[Any, Any]:
    """Which rows to train on and which to hold out: (all of them, none) for a share of 0."""
    held = round(count * share)
    if not held:
        return np.arange(count), np.arange(0)
    order = generator(seed, _HOLDOUT).permutation(count)
    return np.sort(order[held:]), np.sort(order[:held])


def batches(count: int, plan: Plan, epoch: int) -> Iterator[Any]:
    """The rows of each step of an epoch, shuffled; None is all rows."""
    if not plan.batch or plan.batch >= count:
        yield None
        return
    order = generator(plan.seed, _ORDER, epoch).permutation(count)
    for start in range(0, count, plan.batch):
        yield order[start : start + plan.batch]


def descend(model: Model, columns: Columns, start: State, plan: Plan, look: Look | None = None) -> Iterator[Epoch]:
    """Train from `start`, an epoch at a time. Raises Diverged where a step has no loss or no slope.

    `look` is shown every step before it is taken, as (state, the columns of its rows).
    """
    if plan.optimizer == "lbfgs":
        yield from _quasi_newton(model, columns, start, plan, look)
        return
    count = len(next(iter(columns.values()))) if columns else 1
    fixed = model.fixed(columns)
    state = before = start
    for epoch in range(start.epochs + 1, plan.epochs + 1):
        total = 0.0
        for rows in batches(count, plan, epoch):
            part = columns if rows is None else {name: column[rows] for name, column in columns.items()}
            if look is not None:
                look(state, part)
            try:
                loss, slopes = model.slopes(state.parameters, part, fixed if rows is None else None)
            except (Outside, Overflow) as cause:
                raise Diverged(before, cause, range(count) if rows is None else rows) from None
            before, state = state, updated(state, slopes, plan)
            total += loss * (count if rows is None else len(rows))
        state = replace(state, epochs=epoch)
        yield Epoch(epoch, total / count, state)


def updated(state: State, slopes: Mapping[str, Any], plan: Plan) -> State:
    """One update of every parameter."""
    rule, step = OPTIMIZERS[plan.optimizer], state.steps + 1
    with np.errstate(all="ignore"):
        moved = {
            name: rule(value, slopes[name], state.memory.get(name, {}), step, plan.rate)
            for name, value in state.parameters.items()
        }
    return State({n: m[0] for n, m in moved.items()}, {n: m[1] for n, m in moved.items()}, step, state.epochs)


def _quasi_newton(model: Model, columns: Columns, start: State, plan: Plan, look: Look | None) -> Iterator[Epoch]:
    """L-BFGS by SciPy, an iteration an epoch; it keeps no memory between calls, so a resumed one starts its memory anew."""
    from autodiff.learn.quasi_newton import minimize

    shapes = {name: np.shape(value) for name, value in start.parameters.items()}
    fixed = model.fixed(columns)
    good = start
    if look is not None:
        look(start, columns)
    count = len(next(iter(columns.values()))) if columns else 1

    def unpacked(vector: Any) -> dict[str, Any]:
        found, at = {}, 0
        for name, shape in shapes.items():
            size = int(np.prod(shape, dtype=int))
            found[name] = vector[at : at + size].reshape(shape).copy() if shape else float(vector[at])
            at += size
        return found

    def slopes(vector: Any) -> tuple[float, Any]:
        try:
            loss, found = model.slopes(unpacked(vector), columns, fixed)
        except (Outside, Overflow) as cause:
            raise Diverged(good, cause, range(count)) from None
        return loss, np.concatenate([np.ravel(found[name]) for name in shapes])

    vector = np.concatenate([np.ravel(value).astype(np.float64) for value in start.parameters.values()])
    try:
        for k, (loss, reached) in enumerate(minimize(slopes, vector, plan.epochs - start.epochs), start=1):
            good = State(unpacked(reached), {}, start.steps + k, start.epochs + k)
            yield Epoch(start.epochs + k, loss, good)
    except Diverged as trouble:
        raise Diverged(good, trouble.cause, trouble.rows) from None
