"""How a training ends: converged, out of epochs, stuck or diverged; and the parameters that it keeps, those of least loss.

>>> judge(first=1.0, least=0.25, last=0.25, slope=1e-3)
'out of epochs'
>>> judge(first=1.0, least=0.25, last=1e132, slope=1e-3)
'diverged'
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from autodiff.diagnostics import shown
from autodiff.errors import HARD_POINT, AutodiffError
from autodiff.train.checkpoint import ROUNDING, State
from autodiff.train.divergence import Diverged
from autodiff.train.loop import descend
from autodiff.train.minimum import FEW, falls_somewhere, hessian
from autodiff.train.optimizers.first_order import OPTIMIZERS
from autodiff.train.optimizers.whole_vector import TRUST_REGION, WHOLE, ParameterVector, curved
from autodiff.train.training import Training

Ended = Literal["converged", "out of epochs", "stopped early", "flat", "stuck", "diverged", "interrupted"]

TOLERANCE = 1e-6
"""The relative slope below which a training has converged."""

SMALL_LOSS = 1e-3
"""The share of the first loss to which a slope is compared where the loss is smaller. A larger one calls flat valleys minima."""

NO_EFFECT = 1e-10
"""The effect of a parameter beside the largest that it had on the way, where it has none."""

FAR, NEAR = 1000.0, 1e-6
"""How many times the least loss the last one may be, where it is above `NEAR` times the first one: below, the loss is at 0."""

TRIED_EPOCHS, TRIED_ROWS = 1000, 3_000_000
"""The most epochs, and rows in all of them, for which a rate is tried."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a training ended, and the parameters of the least loss.

    loss     of the rows trained on, with these parameters; None where it has no value
    slope    the largest slope of the loss in a parameter there, in absolute value; None where there is none
    epoch    after which they were reached; 0 is the start
    validation_loss  the loss of the rows held out, and `watched` the watched expressions, there
    why      what went wrong and, in `advice`, what to do; empty where nothing did
    rate     a smaller rate that was tried and lowers the loss, where this one diverged
    """

    ended: Ended
    loss: float | None
    slope: float | None
    epoch: int
    parameters: Mapping[str, Any]
    validation_loss: float | None = None
    watched: Mapping[str, float | None] = field(default_factory=dict)
    validation_watched: Mapping[str, float | None] = field(default_factory=dict)
    why: str = ""
    advice: str = ""
    rate: float | None = None


def judge(first: float | None, least: float, last: float | None, slope: float, *, stopped: bool = False) -> Ended:
    """How a training ended, from its first, least and last loss and the relative slope at the least one.

    `stopped` means that the optimizer found no further step. A loss that has no value is None.
    """
    if slope <= TOLERANCE:
        return "converged"
    if last is None or (first is not None and _is_above(last, first)):
        return "diverged"
    if least > 0 and last > FAR * least and (first is None or last > NEAR * abs(first)):
        return "diverged"
    return "stuck" if stopped or (first is not None and not _is_above(first, least)) else "out of epochs"


def relative_slope(slopes: Mapping[str, Any], parameters: Mapping[str, Any], loss: float, first: float | None) -> float:
    """The largest slope relative to the loss and to its parameter, which a stopping rule compares with its tolerance.

    Both have a smallest size, since near 0 no slope would be small enough: 1 for a parameter; for the loss a thousandth of
    the first loss, or of 1 where that is less, so that small units of the loss make no difference. Source: Dennis and
    Schnabel 1983, section 7.2.
    """
    size = _size(loss, first)
    steep = max(float(np.max(np.abs(s) * np.maximum(1.0, np.abs(parameters[n])))) for n, s in slopes.items())
    return steep / size if size else math.inf if steep else 0.0


def _size(loss: float, first: float | None) -> float:
    """What changes of the loss are compared with."""
    return max(abs(loss), SMALL_LOSS * min(1.0, abs(loss if first is None else first)))


def _has_no_effect(training: Training, parameters: Mapping[str, Any]) -> bool:
    """Whether a parameter that an optimizer with a matrix moved has no effect on the loss any more."""
    vector = ParameterVector(parameters)
    here = curved(training.trained, vector, training.plan.optimizer).expansion(vector.joined(parameters))
    _, scale = vector.trust(training.state.memory)
    return here is not None and scale is not None and bool((here.sizes < NO_EFFECT * scale).any())


def _at_minimum(training: Training, parameters: Mapping[str, Any], loss: float, slopes: Mapping[str, Any]) -> bool:
    """Whether the quadratic model of the loss has its minimum here, which shows more than the slope where that is mostly
    rounding."""
    from autodiff.train.optimizers.curvature import WithHessian  # other optimizers do without
    from autodiff.train.optimizers.trust_region import SecondOrderModel, height

    vector, optimizer = ParameterVector(parameters), training.plan.optimizer
    whole = vector.joined(parameters)
    here: SecondOrderModel | None = None
    if optimizer in TRUST_REGION:
        here = curved(training.trained, vector, optimizer).expansion(whole)
    elif len(whole) <= FEW:
        matrix = hessian(training, parameters)
        here = WithHessian(loss, vector.joined(slopes), matrix) if np.isfinite(matrix).all() else None
    return here is not None and height(here) <= TOLERANCE**2 * _size(loss, training.state.first)


def conclude(training: Training, *, interrupted: bool = False) -> Ending:
    """How the training ended, once its `epochs` are done, have raised or were interrupted."""
    state, best = training.state, training.state.best
    last, slopes = training.measured(state.parameters)
    loss, parameters, epoch = last, state.parameters, state.epochs
    if training.patience and best is not None and best.validation_loss is not None:
        loss, slopes = training.measured(best.parameters)
        parameters, epoch = best.parameters, best.epoch
    elif best is not None and (last is None or _is_above(last, best.loss)):
        least, least_slopes = training.measured(best.parameters)  # of minibatches, best.loss is a mean over an epoch
        if least is not None and (last is None or _is_above(last, least)):
            loss, slopes, parameters, epoch = least, least_slopes, best.parameters, best.epoch
    ended: Ended = "interrupted" if interrupted else "diverged"
    if loss is not None and not interrupted and not training.failed:
        stopped = state.epochs < training.plan.epochs
        steep = relative_slope(slopes, parameters, loss, state.first) if slopes else math.inf
        ends_itself = training.plan.optimizer in TRUST_REGION or (stopped and training.plan.optimizer in WHOLE)
        if ends_itself and slopes and steep > TOLERANCE and _at_minimum(training, parameters, loss, slopes):
            steep = 0.0
        ended = judge(state.first, loss, last, steep, stopped=stopped and not training.stopped_early)
        without_effect = (
            ended == "converged" and training.plan.optimizer in TRUST_REGION and _has_no_effect(training, parameters)
        )
        if without_effect or (ended == "converged" and falls_somewhere(training, parameters, loss)):
            ended = "flat"
        ended = "stopped early" if ended == "out of epochs" and training.stopped_early else ended
    has_records = state.epochs > training.start.epochs
    ending = Ending(
        ended,
        loss,
        max(float(np.max(np.abs(slope))) for slope in slopes.values()) if slopes else None,
        epoch,
        parameters,
        training.validation_loss(parameters) if has_records else None,
        training.watched(parameters) if has_records else {},
        training.validation_watched(parameters) if has_records else {},
    )
    return _explained(ending, training, last) if ended == "diverged" else ending


def trained(training: Training) -> Training:
    """The training after all its epochs, with its ending and the parameters of the least loss.

    Raises AutodiffError where there is no loss to start from, and for what is no divergence.
    """
    failure: AutodiffError | None = None
    try:
        for _ in training.epochs():
            pass
    except AutodiffError as error:
        if error.exit_status != HARD_POINT:
            raise
        failure = error
    ending = conclude(training)
    if failure is not None and ending.loss is None:
        raise failure
    if failure is not None:
        ending = replace(ending, why=failure.message, advice=failure.hint or ending.advice)
    training.ending = replace(ending, advice=ending.advice.replace("--lr ", "lr="))
    training.state = replace(training.state, parameters=ending.parameters)
    return training


def to_save(training: Training, ending: Ending) -> State:
    """The state from which a training goes on; after a divergence the one of least loss, with nothing remembered."""
    if ending.ended != "diverged":
        return training.state
    return replace(training.state, parameters=ending.parameters, memory={}, steps=0, epochs=ending.epoch)


def _is_above(loss: float, other: float) -> bool:
    """Whether a loss is larger than another one by more than rounding."""
    return loss > other + ROUNDING * abs(other)


def _explained(ending: Ending, training: Training, last: float | None) -> Ending:
    """A divergence with what the loss did, and a rate to try."""
    first = training.state.first
    why = "the training diverged: the last step leads to no loss"
    if last is not None and ending.loss is not None:
        start = first if first is not None and _is_above(last, first) else ending.loss
        why = f"the training diverged: the loss rose from {shown(start)} to {shown(last)}"
    if training.plan.optimizer not in OPTIMIZERS or first is None:
        return replace(ending, why=why, advice="start from other parameters")
    epochs = min(training.plan.epochs, TRIED_EPOCHS, max(3, TRIED_ROWS // training.rows))
    for rate in _smaller(training.plan.rate):
        loss = _tried(training, rate, epochs)
        if loss is not None:
            passed = f"{epochs} epoch{'s' * (epochs != 1)}"
            advice = f"try a smaller rate: with --lr {shown(rate)} the loss is {loss:.6g} after {passed}"
            return replace(ending, why=why, advice=advice, rate=rate)
    advice = "no smaller rate that was tried lowers the loss: scale the columns, or start from other parameters"
    return replace(ending, why=why, advice=advice)


def _smaller(rate: float) -> Iterator[float]:
    """Rates to try, from half of this one down: 3, 1, 0.3, 0.1, …"""
    power = math.floor(math.log10(min(rate, 10.0)))
    for exponent in range(power, power - 9, -1):
        yield from (smaller for smaller in (float(f"3e{exponent}"), float(f"1e{exponent}")) if smaller <= rate / 2)


def _tried(training: Training, rate: float, epochs: int) -> float | None:
    """The loss after a short training from the same start with this rate; None where that is not close to the least loss on the way."""
    start, losses = training.start, list[float]()
    plan = replace(training.plan, rate=rate, epochs=training.start.epochs + epochs)
    state = start
    try:
        for done in descend(training.trained, start, plan):
            losses.append(done.loss)
            state = done.state
    except Diverged:
        return None
    loss, _ = training.measured(state.parameters)
    falls = loss is not None and loss < losses[0] and loss - min(losses) <= 0.1 * (losses[0] - min(losses))
    return loss if falls else None
