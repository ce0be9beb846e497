"""Whether a place without a slope is a minimum: where the loss does not curve upwards, it is computed at some distance.

    falls_somewhere(training, parameters, loss)      whether it is lower along a direction that is flat or bent down

Of few parameters the Hessian is computed; of many its least eigenvalue, from products with it. Source: Golub and Van Loan 2013,
section 10.1 (the Lanczos method), with all directions made orthogonal again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from autodiff.core.evaluate import DomainError
from autodiff.train.model import Overflow
from autodiff.train.optimizers.whole_vector import ParameterVector, whole_hessian
from autodiff.train.training import Training

Vector: TypeAlias = Any
Product: TypeAlias = "Callable[[Vector], Vector]"
"""The Hessian of the loss times a direction."""

FEW = 30
"""The most parameters of which the whole Hessian is computed; of more, that many products with it."""

SAMPLE = 20_000
"""Rows from which the curvature is estimated; what it suggests is tried on all rows."""

FLAT, FALLS, NOTHING = 1e-6, 1e-10, 1e-24
"""A direction is flat in which a step as long as the parameters changes the loss by at most this share; by how much it must
fall there, of itself and of the first loss, beside which a smaller one is 0 but for rounding."""

NEGATIVE = 1e-7
"""The share of the largest curvature above which a negative one is no rounding."""

LENGTHS = (0.01, 0.1, 1.0)
"""How far along a direction the loss is computed, in sizes of the parameters."""

SHARES = (1e-4, 1e-3, 1e-2, 0.1, 1.0)
"""Falls of the loss that a negative curvature predicts, beside the loss, for more distances."""

COMBINATIONS = 8
"""Random directions within those that are flat: the loss may fall only where several parameters move."""


def falls_somewhere(training: Training, parameters: Mapping[str, Any], loss: float) -> bool:
    """Whether the loss falls along a direction in which its curvature is nearly 0 or negative, so that a slope of 0 shows no
    minimum."""
    vector = ParameterVector(parameters)
    here = vector.joined(parameters)
    product = _hessian_product(training, parameters, vector)
    directions = _directions if len(here) <= FEW else _bent_down_of_many
    lower = loss - max(FALLS * abs(loss), NOTHING * abs(training.state.first or 0.0))
    for direction, lengths in directions(product, here, loss):
        for length in (*lengths, *(-length for length in lengths)):
            there = training.measured(vector.parts(here + length * direction))[0]
            if there is not None and there < lower:
                return True
    return False


def hessian(training: Training, parameters: Mapping[str, Any]) -> Vector:
    """The Hessian of the loss, estimated from a sample of the rows where they are many; not finite where it has none."""
    vector = ParameterVector(parameters)
    return whole_hessian(_hessian_product(training, parameters, vector), len(vector.joined(parameters)))


def _hessian_product(training: Training, parameters: Mapping[str, Any], vector: ParameterVector) -> Product:
    """The exact product, of a sample of the rows; by differences of slopes where this process has no rows."""
    from autodiff.train.optimizers.curvature import hessian_products  # most trainings end without it

    objective = training.trained
    if objective.has_rows:
        try:
            rows = objective.rows
            sample = objective.part(np.arange(SAMPLE) * rows // SAMPLE) if rows > SAMPLE else objective
            return hessian_products(sample, vector, parameters)
        except (DomainError, Overflow):
            pass
    here = vector.joined(parameters)
    size = np.where(here == 0, 1.0, np.abs(here))

    def product(direction: Vector) -> Vector:
        step = 1e-5 / float(np.max(np.abs(direction) / size))
        ahead, behind = (training.measured(vector.parts(here + sign * step * direction))[1] for sign in (1, -1))
        if not ahead or not behind:
            return np.full(len(here), np.nan)
        return (vector.joined(ahead) - vector.joined(behind)) / (2 * step)

    return product


def _directions(product: Product, here: Vector, loss: float) -> Iterator[tuple[Vector, tuple[float, ...]]]:
    """The directions that are flat or bent down, and how far to go along each."""
    hessian = whole_hessian(product, len(here))
    if not np.isfinite(hessian).all():
        return
    values, vectors = np.linalg.eigh(hessian)
    yield from _bent_down(values, vectors, loss)
    chance = np.random.default_rng(0)
    for size in (np.where(here == 0, 1.0, np.abs(here)), np.maximum(1.0, np.abs(here))):
        with np.errstate(all="ignore"):
            scaled = hessian * np.outer(size, size)
        if not np.isfinite(scaled).all():
            continue
        values, vectors = np.linalg.eigh(scaled)
        flat = vectors[:, values / 2 <= FLAT * abs(loss)]
        yield from ((size * direction, LENGTHS) for direction in flat.T)
        for weights in chance.standard_normal((COMBINATIONS if flat.shape[1] > 1 else 0, flat.shape[1])):
            yield size * (flat @ weights), LENGTHS


def _bent_down_of_many(product: Product, here: Vector, loss: float) -> Iterator[tuple[Vector, tuple[float, ...]]]:
    """The direction of the least curvature where that is negative, by the Lanczos method from a random start."""
    basis = np.empty((0, len(here)))
    following = np.random.default_rng(0).standard_normal(len(here))
    images = np.empty((0, len(here)))
    for _ in range(FEW):
        basis = np.vstack([basis, following / np.linalg.norm(following)])
        images = np.vstack([images, product(basis[-1])])
        if not np.isfinite(images[-1]).all():
            return
        following = images[-1]
        for _ in range(2):  # once leaves rounding
            following = following - (basis @ following) @ basis
        if np.linalg.norm(following) <= 1e-10 * np.linalg.norm(images[-1]):
            break
    projected = basis @ images.T
    values, vectors = np.linalg.eigh((projected + projected.T) / 2)
    yield from _bent_down(values[:1], basis.T @ vectors[:, :1], loss, float(np.abs(values).max()))


def _bent_down(
    values: Vector, vectors: Vector, loss: float, largest: float | None = None
) -> Iterator[tuple[Vector, tuple[float, ...]]]:
    """The eigenvectors of negative curvature, with lengths after which the fall that it predicts can be measured."""
    largest = float(np.abs(values).max()) if largest is None else largest
    for value, direction in zip(values, vectors.T, strict=True):
        if value < -NEGATIVE * largest:
            yield direction, (*LENGTHS, *(float(np.sqrt(2 * share * abs(loss) / -value)) for share in SHARES))
