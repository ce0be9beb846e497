"""The descent: epochs of batches, each a forward pass, a loss, a backward pass and an update, until the epochs are done.

>>> from autodiff.core.lowering import lower
>>> from autodiff.train.model import Model
>>> objective = Model(lower("(w - 1)^2"), ["w"]).over({})
>>> [done.loss for done in descend(objective, State({"w": 0.0}, {}), Hyperparameters(epochs=3, rate=0.5))]
[1.0, 0.0, 0.0]

The same seed gives the same numbers, bit for bit, and so does a training that was interrupted and resumed: what is
random in an epoch depends on the seed and the number of the epoch alone.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from autodiff.core.evaluate import DomainError
from autodiff.errors import AutodiffError, data_error, shortened
from autodiff.train.checkpoint import State
from autodiff.train.divergence import Diverged
from autodiff.train.model import Objective, Overflow
from autodiff.train.optimizers.first_order import OPTIMIZERS, Constants, towards_zero
from autodiff.train.optimizers.schedule import Schedule
from autodiff.train.optimizers.whole_vector import TRUST_REGION, WHOLE, ParameterVector, iterations

StepHook: TypeAlias = "Callable[[State, Objective], None]"

_SAMPLES, _HOLDOUT, _ORDER, _DROPOUT = range(4)
"""The uses of a seed; each has a generator of its own."""


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """How to train.

    epochs     passes over the table in all, those of a resumed training included
    rate       what a slope is multiplied with (--lr)
    optimizer  a rule of `optimizers`, or one of WHOLE
    batch      rows per step; 0 is all of them
    seed       makes everything random
    constants  of the optimizer
    schedule   of the rate
    clip       the largest length of all slopes as one vector; 0 is any
    """

    epochs: int = 100
    rate: float = 0.1
    optimizer: str = "sgd"
    batch: int = 0
    seed: int = 0
    constants: Constants = field(default_factory=Constants)
    schedule: Schedule = field(default_factory=Schedule)
    clip: float = 0.0


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch that is done: its loss, before the updates of its steps, and the state after it.

    `measured` is the state that the loss belongs to: the one before the update; behind it for lbfgs, and for minibatches,
    whose loss is a mean over the states of the epoch.
    """

    epoch: int
    loss: float
    state: State
    measured: State


def generator(seed: int, use: int, *numbers: int) -> np.random.Generator:
    """The random numbers of one use of the seed."""
    return np.random.default_rng([seed, use, *numbers])


def sampler(seed: int) -> Any:
    """Samples of a distribution, a shape at a time: normal, uniform (-1 to 1), he, xavier.

    `he` and `xavier` are for a layer X @ W whose W has the shape: their deviation is by the rows of W, or rows and columns.
    Sources: He et al. 2015; Glorot and Bengio 2010 (the uniform one).
    """
    chance = generator(seed, _SAMPLES)

    def sample(name: str, shape: tuple[int, ...]) -> Any:
        if name == "normal":
            return chance.standard_normal(shape) if shape else float(chance.standard_normal())
        if name == "he":
            return chance.standard_normal(shape) * math.sqrt(2 / shape[0])
        reach = math.sqrt(6 / (shape[0] + shape[-1])) if name == "xavier" else 1.0
        return chance.uniform(-reach, reach, shape) if shape else float(chance.uniform(-reach, reach))

    return sample


def split(count: int, share: float, seed: int) -> tuple[Any, Any]:
    """Which rows to train on and which to hold out: (all of them, none) for a share of 0."""
    held_out = round(count * share)
    if not held_out:
        return np.arange(count), np.arange(0)
    order = generator(seed, _HOLDOUT).permutation(count)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def is_minibatch(count: int, plan: Hyperparameters) -> bool:
    """Whether a step takes some of the `count` rows only."""
    return 0 < plan.batch < count


def batches(count: int, plan: Hyperparameters, epoch: int) -> Iterator[Any]:
    """The rows of each step of an epoch, shuffled; None is all rows."""
    if not is_minibatch(count, plan):
        yield None
        return
    order = generator(plan.seed, _ORDER, epoch).permutation(count)
    for start in range(0, count, plan.batch):
        yield order[start : start + plan.batch]


def descend(
    objective: Objective, start: State, plan: Hyperparameters, on_step: StepHook | None = None
) -> Iterator[Epoch]:
    """Train from `start`, an epoch at a time. Raises Diverged where a step has no loss or no slope.

    `on_step` is called before every step with the state and the objective over the rows of the step.
    """
    if plan.optimizer in WHOLE:
        yield from _whole_vector(objective, start, plan, on_step)
        return
    count, model = objective.rows, objective.model
    state = before = start
    for epoch in range(start.epochs + 1, plan.epochs + 1):
        losses, begun = list[tuple[float, int]](), state
        for rows in batches(count, plan, epoch):
            part = objective if rows is None else objective.part(rows)
            if model.masks:
                part = part.dropped(state.parameters, generator(plan.seed, _DROPOUT, state.steps))
            if on_step is not None:
                on_step(state, part)
            try:
                loss, slopes = part.slopes(state.parameters, proximal=True)
            except (DomainError, Overflow) as cause:
                seen = range(count) if rows is None else rows
                raise Diverged(before, cause, seen, moved=before is not state) from None
            before, state = state, updated(state, slopes, plan, model.l1)
            losses.append((loss, count if rows is None else len(rows)))
        mean = _mean(losses, count)
        state = replace(state, epochs=epoch, schedule=plan.schedule.after(mean, state.schedule, plan.rate))
        yield Epoch(epoch, mean, state, state if is_minibatch(count, plan) else begun)


def _mean(losses: Sequence[tuple[float, int]], count: int) -> float:
    """The mean of the steps' losses, each as heavy as its rows; `count` rows in all."""
    total = 0.0
    for loss, rows in losses:
        total += loss * rows
    return total / count if math.isfinite(total) else math.fsum(loss * (rows / count) for loss, rows in losses)


def updated(state: State, slopes: Mapping[str, Any], plan: Hyperparameters, l1: float = 0.0) -> State:
    """One update of every parameter, by the slopes of the loss without the penalty `l1`, which has a step of its own."""
    rule, step = OPTIMIZERS[plan.optimizer], state.steps + 1
    rate = plan.rate * plan.schedule.factor(state.epochs + 1, state.schedule)
    parameters, memories = dict[str, Any](), dict[str, Mapping[str, Any]]()
    with np.errstate(all="ignore"):
        shorter = _clipped(slopes, plan.clip) if plan.clip else slopes
        for name, value in state.parameters.items():
            update = rule(value, shorter[name], state.memory.get(name, {}), step, rate, plan.constants)
            update = towards_zero(value, update, l1, rate) if l1 and rate else update
            parameters[name], memories[name] = update.value, update.memory
    return State(parameters, memories, step, state.epochs, schedule=state.schedule)


def require_plan(plan: Hyperparameters) -> None:
    """Raise AutodiffError for what is no number of epochs or rows, no rate, no seed or no optimizer."""
    optimizers = [*OPTIMIZERS, *WHOLE]
    if not isinstance(plan.optimizer, str) or plan.optimizer not in optimizers:
        raise AutodiffError(
            f"unknown optimizer {shortened(repr(plan.optimizer))}", hint=f"choose one of {', '.join(optimizers)}"
        )
    for name, value, least in (("epochs", plan.epochs, 1), ("batch_size", plan.batch, 0), ("seed", plan.seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise AutodiffError(f"{name} is a whole number from {least} on, not {shortened(repr(value))}")
    if plan.optimizer in WHOLE and plan.batch:
        message = f"{plan.optimizer} looks at all rows in each step, so it takes no batch_size"
        raise AutodiffError(message, hint="leave batch_size out")
    rate = plan.rate
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.floating) or not 0 < rate <= sys.float_info.max:
        raise AutodiffError(f"lr is a number above 0, not {shortened(repr(rate))}")


def require_memory(state: State, plan: Hyperparameters) -> None:
    """Raise AutodiffError where what an optimizer remembers does not belong to it and to the parameters."""
    try:
        if plan.optimizer in OPTIMIZERS:
            slopes = {name: 0.0 * value for name, value in state.parameters.items()}
            after = updated(state, slopes, plan).parameters
            fits = all(np.shape(after[name]) == np.shape(value) for name, value in state.parameters.items())
        elif plan.optimizer in TRUST_REGION:
            fits = ParameterVector(state.parameters).trust(state.memory) is not None
        else:
            fits = ParameterVector(state.parameters).pairs(state.memory) is not None
    except (KeyError, ValueError):
        fits = False
    if not fits:
        raise data_error(
            f"what {plan.optimizer} remembers does not belong to these parameters",
            hint='resume from the file as --save wrote it, or remove "memory" from it',
        )


def _clipped(slopes: Mapping[str, Any], longest: float) -> dict[str, Any]:
    """The slopes, shortened as one vector where they are longer; by PyTorch's formula."""
    length = math.sqrt(sum(float(np.sum(np.square(slope))) for slope in slopes.values()))
    factor = min(1.0, longest / (length + 1e-6))
    return {name: slope * factor for name, slope in slopes.items()}


def _whole_vector(
    objective: Objective, start: State, plan: Hyperparameters, on_step: StepHook | None
) -> Iterator[Epoch]:
    """An optimizer over all parameters as one vector, an iteration an epoch."""
    try:
        objective.slopes(start.parameters)
    except (DomainError, Overflow) as cause:
        raise Diverged(start, cause, range(objective.rows), moved=False) from None
    state, whole = start, ParameterVector(start.parameters)
    steps = iterations(objective, start, plan.optimizer, plan.epochs - start.epochs)
    for epoch in range(start.epochs + 1, plan.epochs + 1):
        if on_step is not None:
            on_step(state, objective)
        done = next(steps, None)
        if done is None:
            return
        loss, vector, memory = done
        state = State(whole.parts(vector), memory, state.steps + 1, epoch)
        yield Epoch(epoch, loss, state, state)
