"""Newton's method and Levenberg-Marquardt: the step that minimizes a quadratic model of the loss within a trusted radius.

    minimize(Newton(objective, vector), start, Trust(), 50)       gives, per iteration, the loss, the vector, and what is remembered

The models are in `curvature`: that of Newton's method has the exact Hessian, that of Levenberg-Marquardt the products of the
residuals' slopes. An iteration depends on the vector and on what is remembered alone, so a training can be saved between any two. Sources: Moré
and Sorensen 1983 (the step), Moré 1978 (scale and radius), Conn, Gould and Toint 2000, algorithm 6.1.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from autodiff.errors import HARD_POINT, AutodiffError

if TYPE_CHECKING:
    from autodiff.train.optimizers.curvature import LeastSquares, Newton, WithHessian, WithResiduals

Vector: TypeAlias = Any
SecondOrderModel: TypeAlias = "WithHessian | WithResiduals"
TwiceDifferentiableLoss: TypeAlias = "Newton | LeastSquares"

FIRST_RADIUS = 1.0
"""Of the first step, times the length of the parameters. A larger one leads to plateaus far away."""

ACCEPTED, POOR, GOOD = 1e-4, 0.25, 0.75
"""The share of the predicted fall of the loss that a step must reach, below which the radius shrinks, above which it grows."""

ROUNDING = 1e-12
"""A predicted fall below this share of the loss can't be measured: steps are then judged by the slope."""

MEASURABLE, NEARBY = 100 * ROUNDING, 1e-2
"""The share of the loss that a negative curvature must predict as its fall, and how far away, in sizes of the parameters or 1."""

SHORTER = 60
"""Radii that are tried in one iteration."""


class Trust(NamedTuple):
    """What an iteration leaves to the next one: the radius, 0 before the first, and the scale of each parameter."""

    radius: float = 0.0
    scale: Vector = None


def minimize(
    curved: TwiceDifferentiableLoss, start: Vector, trust: Trust, iterations: int
) -> Iterator[tuple[float, Vector, Trust]]:
    """The loss and the vector that each iteration ended with, and what the next one remembers, until no step makes the loss
    smaller. Raises AutodiffError where there is no curvature at the start."""
    here, vector = curved.expansion(start), start
    if here is None:
        raise AutodiffError(
            "the loss has no curvature at the start: a second derivative does not exist, or is beyond 1.8e308",
            exit_status=HARD_POINT, hint="start from other parameters, or take --optimizer lbfgs",
        )  # fmt: skip
    for _ in range(iterations):
        scale = here.sizes if trust.scale is None else np.maximum(trust.scale, here.sizes)
        positive = np.where(scale > 0, scale, 1.0)
        length = float(np.linalg.norm(positive * vector))
        radius = trust.radius or FIRST_RADIUS * (length or 1.0)
        step = _accepted(curved, here, vector, positive, radius)
        if step is None:
            return
        here, vector, radius = step
        trust = Trust(radius, scale)
        yield here.loss, vector, trust


def _accepted(
    curved: TwiceDifferentiableLoss, here: SecondOrderModel, vector: Vector, scale: Vector, radius: float
) -> tuple[SecondOrderModel, Vector, float] | None:
    """The first step, with a radius that shrinks, that lowers the loss as predicted; None where there is none."""
    values, directions, slope = here.spectrum(scale)
    if not slope.any() and values[0] >= 0:
        return None
    for _ in range(SHORTER):
        step = within(values, slope, radius)
        predicted = -float(slope @ step + values @ step**2 / 2)
        moved = vector + directions @ step / scale
        if not predicted > 0 or not np.isfinite(moved).all() or np.array_equal(moved, vector):
            return None
        length = float(np.linalg.norm(step))
        measurable = _measurable(here.loss, values, directions, vector, scale)
        if predicted <= ROUNDING * abs(here.loss) and radius < measurable:
            radius = measurable
            continue
        if predicted <= ROUNDING * abs(here.loss):
            there = curved.expansion(moved)
            flatter = there is not None and np.linalg.norm(there.slope / scale) < 0.99 * np.linalg.norm(slope)
            return (there, moved, radius) if there is not None and flatter else None
        share = (here.loss - curved.loss(moved)) / predicted
        if share < POOR:
            radius = length / 4
        elif share > GOOD:
            radius = max(radius, 2 * length)
        there = curved.expansion(moved) if share > ACCEPTED else None
        if there is not None:
            return there, moved, radius
        radius = min(radius, length / 4)
    return None


def _measurable(loss: float, values: Vector, directions: Vector, vector: Vector, scale: Vector) -> float:
    """The radius at which the fall along a negative curvature can be measured, as beside a maximum; 0 where that is far away."""
    if values[0] >= -1e-14 * np.abs(values).max():
        return 0.0
    radius = math.sqrt(2 * MEASURABLE * abs(loss) / -float(values[0]))
    step = radius * np.abs(directions[:, 0] / scale)
    return radius if (step <= NEARBY * np.maximum(1.0, np.abs(vector))).all() else 0.0


def height(here: SecondOrderModel) -> float:
    """How far the loss is above the minimum of its quadratic model; infinite where that has none.

    For a sum of squares this is, beside the loss, the squared cosine between the residuals and their slopes.
    """
    values, _, slope = here.spectrum(np.where(here.sizes > 0, here.sizes, 1.0))
    small = 1e-14 * float(np.abs(values).max(initial=0.0))
    if float(values[0]) < -small:
        return math.inf
    along = values > small
    if not along.any() and slope.any():  # a loss that is linear here
        return math.inf
    return float(np.sum(slope[along] ** 2 / values[along]) / 2)


def within(values: Vector, slope: Vector, radius: float) -> Vector:
    """The step of at most `radius` that minimizes slope·step + values·step²/2, along the eigenvectors of the curvature.

    >>> within(np.array([1.0, 4.0]), np.array([1.0, 4.0]), 10.0)
    array([-1., -1.])
    """
    least, largest = float(values[0]), float(np.abs(values).max())
    if least > 1e-14 * largest:
        whole = -slope / values
        if np.linalg.norm(whole) <= radius:
            return np.asarray(whole)
    floor = max(0.0, -least)
    high = math.log(max(float(np.linalg.norm(slope)) / radius, 1e-250))
    low = high - 100.0
    for _ in range(60):  # the length falls as the shift of the eigenvalues rises
        middle = (low + high) / 2
        longer = np.linalg.norm(slope / (values + floor + math.exp(middle))) > radius
        low, high = (middle, high) if longer else (low, middle)
    step = np.asarray(-slope / (values + floor + math.exp(high)))
    rest = radius**2 - float(step @ step)
    if least < -1e-14 * largest and rest > 1e-3 * radius**2:  # the slope has no part along the most negative curvature
        step[0] += math.copysign(math.sqrt(rest), -slope[0])
    return step
