"""What a fit minimizes: half the sum of the losses of its residuals, and how far from a minimum of it parameters are.

>>> import numpy as np
>>> problem = Problem.of("a*x", {"x": np.array([1.0, 2.0]), "y": np.array([2.0, 5.0])}, "y", {"a": 1.0})
>>> cost(problem, np.array([1.0]), Options(np.array([-np.inf]), np.array([np.inf])))
5.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodiff.fitting.problem import Problem, Vector

TOLERANCE = 1e-6
"""The largest cosine between the residuals and the space of the model's slopes at a minimum (the relative offset of
Bates and Watts 1981, https://doi.org/10.1080/00401706.1981.10486272)."""

ROUNDING = 2.0**-53
"""The largest change, relatively, of a number that is rounded to float64."""

LOSSES = ("linear", "soft_l1", "huber", "cauchy", "arctan")


EXACT = 1e-10
"""Residuals beside y that are rounding, so that a model is met exactly."""


SMALL = 200_000
"""Elements of a Jacobian up to which a second method costs little."""


NEGLIGIBLE = 1e-13
"""Eigenvalues of the normal equations beside the largest that are rounding."""


@dataclass(frozen=True, slots=True)
class Options:
    """lower and upper bounds per parameter, the loss of a residual and the residual at which it bends, steps at most."""

    lower: Vector
    upper: Vector
    loss: str = "linear"
    scale: float = 1.0
    steps: int = 2000

    @property
    def bounded(self) -> bool:
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    @property
    def is_plain(self) -> bool:
        """Whether it is about squares alone, so that Levenberg-Marquardt's method takes it."""
        return not self.bounded and self.loss == "linear"


def is_exact(problem: Problem, parameters: Vector, options: Options) -> bool:
    """Whether the residuals are rounding."""
    return math.sqrt(2 * cost(problem, parameters, options)) <= EXACT * problem.size


def by_sums(problem: Problem, options: Options) -> bool:
    """Whether rows are so many that a step is made from sums over them, and not from the Jacobian."""
    return options.loss == "linear" and is_large(problem)


def is_large(problem: Problem) -> bool:
    return problem.rows * len(problem.names) > SMALL


def cost(problem: Problem, parameters: Vector, options: Options) -> float:
    """Half the sum of the losses of all residuals."""
    with np.errstate(all="ignore"):
        if by_sums(problem, options):
            return problem.sums(parameters).squares / 2
        if options.loss == "linear":
            residuals = problem.residuals(parameters)
            return float(residuals @ residuals) / 2
        squares = (problem.residuals(parameters) / options.scale) ** 2
        return float(0.5 * options.scale**2 * np.sum(_losses(squares, options.loss)))


def weights(problem: Problem, parameters: Vector, options: Options) -> Vector | None:
    """The slope of the loss by the squared residual, row by row: what a robust loss weighs a row with; None for squares."""
    if options.loss == "linear":
        return None
    squares = (problem.residuals(parameters) / options.scale) ** 2
    if options.loss == "huber":
        return np.where(squares <= 1, 1.0, 1 / np.sqrt(np.maximum(squares, 1)))
    return np.asarray({"soft_l1": (1 + squares) ** -0.5, "cauchy": 1 / (1 + squares), "arctan": 1 / (1 + squares**2)}[options.loss])  # fmt: skip


def _losses(squares: Vector, loss: str) -> Vector:
    """SciPy's loss functions of z, the squared residual."""
    if loss == "huber":
        return np.where(squares <= 1, squares, 2 * np.sqrt(np.maximum(squares, 1)) - 1)
    if loss == "soft_l1":
        return np.asarray(2 * (np.sqrt(1 + squares) - 1))
    return np.asarray(np.log1p(squares) if loss == "cauchy" else np.arctan(squares))


def offset(problem: Problem, parameters: Vector, options: Options) -> float:
    """The cosine between the residuals and the model's slopes: 0 at a minimum. 0, too, where the model meets y exactly.

    Parameters at a bound that the slope pushes against don't count.
    """
    with np.errstate(all="ignore"):
        length = math.sqrt(2 * cost(problem, parameters, options)) if options.loss == "linear" else math.nan
        if length <= EXACT * problem.size:
            return 0.0
        moves = free(problem, parameters, options)
        if not moves.any():
            return 0.0
        if by_sums(problem, options):
            _, matrix, slope, _ = problem.sums(parameters)
            _, matrix, slope = unit_columns(matrix[np.ix_(moves, moves)], slope[moves])
            squares, turned = np.linalg.eigh(matrix)
            good = squares > NEGLIGIBLE * squares[-1]
            return float(np.linalg.norm((turned[:, good].T @ slope) / np.sqrt(squares[good]))) / length
        residuals, jacobian = weighted(problem, parameters, options)
        length = float(np.sqrt(residuals @ residuals))
        if length <= EXACT * problem.size:
            return 0.0
        kept = jacobian[:, moves]
        sizes = np.linalg.norm(kept, axis=0)
        kept = kept[:, sizes > 0] / sizes[sizes > 0]
        if not kept.shape[1]:
            return 0.0
        left, singular, _ = np.linalg.svd(kept, full_matrices=False)
        left = left[:, singular > 1e-10 * singular[0]]
        return float(np.linalg.norm(left.T @ residuals)) / length


def attainable(problem: Problem, parameters: Vector, options: Options) -> float:
    """The offset up to which parameters are at a minimum: `TOLERANCE`, or what rounding them to float64 leaves, where that
    is more, as where large terms of a model cancel."""
    with np.errstate(all="ignore"):
        slopes = column_lengths(problem, parameters, options)
        length = np.sqrt(2 * cost(problem, parameters, options))
        rounding = float(ROUNDING * (slopes @ np.abs(parameters)) / np.float64(length))
    return max(TOLERANCE, rounding) if rounding < math.inf else TOLERANCE


def column_lengths(problem: Problem, parameters: Vector, options: Options) -> Vector:
    """The lengths of the Jacobian's columns."""
    if by_sums(problem, options):
        return np.asarray(np.sqrt(np.diagonal(problem.sums(parameters).matrix)))
    return np.asarray(np.linalg.norm(problem.jacobian(parameters), axis=0))


def free(problem: Problem, parameters: Vector, options: Options) -> Any:
    """Which parameters are not held at a bound."""
    if not options.bounded:
        return np.ones(len(parameters), dtype=bool)
    near = 1e-8 * np.maximum(1, np.abs(parameters))
    return (parameters - options.lower > near) & (options.upper - parameters > near)


def weighted(problem: Problem, parameters: Vector, options: Options) -> tuple[Vector, Vector]:
    """Residuals and Jacobian, scaled by the root of what a robust loss weighs each row with."""
    residuals, jacobian = problem.residuals(parameters), problem.jacobian(parameters)
    weight = weights(problem, parameters, options)
    if weight is not None:
        root = np.sqrt(weight)
        return residuals * root, jacobian * root[:, None]
    return residuals, jacobian


def unit_columns(matrix: Vector, slope: Vector) -> tuple[Vector, Vector, Vector]:
    """The lengths of the Jacobian's columns, and the normal equations for columns of length 1."""
    sizes = np.sqrt(np.diagonal(matrix))
    sizes = np.where(sizes > 0, sizes, 1.0)
    return sizes, matrix / np.outer(sizes, sizes), slope / sizes
