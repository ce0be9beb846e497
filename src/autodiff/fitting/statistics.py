"""How sure fitted parameters are: standard errors, correlations, bands, influence, and what the data don't determine.

>>> import numpy as np
>>> found = estimate(("a",), np.array([0.4, -0.2]), np.array([[1.0], [2.0]]), known=False)
>>> round(found.errors["a"], 9), found.undetermined
(0.2, ())

From the model's exact slopes at the solution, as if it were linear there (Bates and Watts 1988, chapter 2; influence:
Cook 1977, https://doi.org/10.1080/00401706.1977.10489493).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from autodiff.fitting.problem import Problem, Vector

RANK = 1e-9
"""Singular values of the Jacobian with columns of length 1, beside the largest, below which a direction is undetermined: rows
are sure to 10 digits."""

LEAST_RANK = 1e-13
"""The same where the slopes are right to float64's last digits."""

NORMAL = 1e-4
"""Condition of the normal equations down to which they give singular values to 12 digits."""

PROVEN = 12
"""Rows whose slopes are computed with proven digits, to see how many digits float64's have."""

SHARE = 1e-3
"""Parts of an undetermined direction beside its largest below which they are rounding."""


LARGEST = 1e150
"""Slopes whose squares are within the range of float64."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """errors        the standard error of each parameter; None where the data don't determine it
    correlations  of each pair of parameters that have errors
    undetermined  directions in which the parameters may move and the model stays as it is: a step of each parameter
    deviation     the standard deviation of the residuals, per degree of freedom; None without one
    freedom       rows less the combinations of parameters that are determined
    covariance    of the parameters, shaped (parameters, parameters); 0 for those without an error
    root          times its transpose it is the covariance for residuals of deviation 1, of the parameters that move
    moves         which parameters these are
    known         whether the covariance comes from deviations that are given, and not from the residuals
    """

    errors: Mapping[str, float | None]
    correlations: Mapping[tuple[str, str], float]
    undetermined: tuple[Mapping[str, float], ...]
    deviation: float | None
    freedom: int
    covariance: Vector
    root: Vector
    moves: tuple[int, ...]
    known: bool


def estimate(
    names: Sequence[str], residuals: Vector, jacobian: Vector, *, known: bool,
    free: Sequence[bool] | None = None, matrix: Vector | None = None, rank: float = RANK,
) -> Estimate:  # fmt: skip
    """The errors of parameters, from weighted residuals and their slopes.

    known   the residuals are in units of known deviations, so that these are not estimated from them
    free    which parameters moved freely; one that is at its bound has no error
    matrix  the products of the Jacobian's columns, where they are known already
    rank    singular values beside the largest below which a direction is undetermined
    """
    moves = [k for k in range(len(names)) if free is None or free[k]]
    kept = jacobian if len(moves) == len(names) else jacobian[:, moves]
    with np.errstate(over="ignore"):
        matrix = kept.T @ kept if matrix is None else matrix[np.ix_(moves, moves)]
    if not (np.diagonal(matrix) <= LARGEST**2).all():  # a search that diverged
        moves, kept, matrix = [], jacobian[:, :0], np.empty((0, 0))
    sizes = np.sqrt(np.diagonal(matrix))
    sizes = np.where(sizes > 0, sizes, 1.0)
    singular, right = _singular(kept, sizes, matrix)
    good = singular > rank * max(singular[0], 1.0) if len(singular) else np.zeros(0, dtype=bool)
    freedom = len(residuals) - int(good.sum())
    undetermined = _directions([names[k] for k in moves], right[~good], sizes)
    unsure = {name for direction in undetermined for name in direction}
    square = float(residuals @ residuals) / freedom if freedom > 0 else None
    variance = 1.0 if known else square
    inverse = right[good].T / singular[good]
    within = inverse @ inverse.T / np.outer(sizes, sizes)
    covariance = np.zeros((len(names), len(names)))
    if variance is not None:
        covariance[np.ix_(moves, moves)] = variance * within
    deviations = np.sqrt(np.diagonal(covariance))
    sure = [k for k in moves if names[k] not in unsure and variance is not None]
    with np.errstate(all="ignore"):
        between = covariance / np.outer(deviations, deviations)
    return Estimate(
        {name: float(deviations[k]) if k in sure else None for k, name in enumerate(names)},
        {
            (names[i], names[j]): float(between[i, j])
            for n, i in enumerate(sure)
            for j in sure[n + 1 :]
            if deviations[i] * deviations[j] > 0
        },
        tuple(undetermined),
        None if square is None else float(np.sqrt(square)),
        freedom,
        covariance,
        inverse / sizes[:, None],
        tuple(moves),
        known,
    )


def slope_error(problem: Problem, parameters: Vector) -> float:
    """The largest error of the model's slopes, as a share of the largest slope by the same parameter, in `PROVEN` of the rows;
    infinite where their digits can't be proven."""
    slopes, worst = problem.slopes(parameters), 0.0
    largest = np.abs(slopes).max(axis=0)
    for row in np.unique(np.linspace(0, problem.rows - 1, PROVEN).astype(int)).tolist():
        gradient = problem.answer(parameters, row, digits=20).gradient
        for slope, size, exact in zip(slopes[row].tolist(), largest.tolist(), gradient.values(), strict=True):
            if exact is None or not np.isfinite(slope):
                return math.inf
            error = abs(Fraction(exact) - Fraction(slope))
            worst = max(worst, float(error) / size) if error else worst
    return worst


def influence(residuals: Vector, jacobian: Vector, estimated: Estimate) -> tuple[Vector, Vector]:
    """Of each row its leverage (how much of its own y is in its fitted value, 0 to 1) and Cook's distance, NaN without a deviation."""
    whitened = jacobian[:, estimated.moves] @ estimated.root
    leverage = np.minimum(np.einsum("ij,ij->i", whitened, whitened), 1.0)
    variance = 1.0 if estimated.known else (estimated.deviation or np.nan) ** 2
    with np.errstate(all="ignore"):
        distance = residuals**2 * leverage / (max(estimated.root.shape[1], 1) * variance * (1 - leverage) ** 2)
    return leverage, distance


def _singular(jacobian: Vector, sizes: Vector, matrix: Vector) -> tuple[Vector, Vector]:
    """Singular values, largest first, and right vectors (rows) of the Jacobian with columns of length 1.

    From the normal equations where they are good enough, since these cost one pass; else from a QR decomposition.
    """
    if not len(sizes):
        return sizes, matrix
    squares, turned = np.linalg.eigh(matrix / np.outer(sizes, sizes))
    if squares[0] > NORMAL * squares[-1]:
        return np.sqrt(squares[::-1]), turned[:, ::-1].T
    scaled = jacobian / sizes
    triangle = np.linalg.qr(scaled, mode="r") if len(scaled) > scaled.shape[1] else scaled
    _, singular, right = np.linalg.svd(triangle, full_matrices=True)
    return np.concatenate([singular, np.zeros(len(right) - len(singular))]), right


def _directions(names: Sequence[str], undetermined: Vector, sizes: Vector) -> list[Mapping[str, float]]:
    """Each undetermined direction as a step per parameter, the largest of them 1: of equal ones the first."""
    directions: list[Mapping[str, float]] = []
    for row in _plain_basis(undetermined):
        size = np.abs(row)
        step = np.where(size > SHARE * size.max(), row / sizes, 0.0)
        step = step / step[int(np.argmax(np.abs(step) > (1 - 1e-6) * np.abs(step).max()))]
        directions.append({name: float(part) for name, part in zip(names, step, strict=True) if part})
    return directions


def _plain_basis(rows: Vector) -> Vector:
    """A basis of the same space with as many zeros as elimination gives, so that a direction of two names shows no others."""
    basis = np.array(rows, dtype=float)
    for done in range(len(basis)):
        pivot, column = np.unravel_index(int(np.argmax(np.abs(basis[done:]))), basis[done:].shape)
        basis[[done, done + int(pivot)]] = basis[[done + int(pivot), done]]
        basis[done] /= basis[done, column]
        others = np.arange(len(basis)) != done
        basis[others] -= np.outer(basis[others, column], basis[done])
    return basis


def band(slopes: Vector, estimated: Estimate, level: float, noise: Vector | float = 0.0) -> Vector:
    """Half the width of the band around the fitted values: of the curve, or with the rows' `noise` of new values.

    The normal distribution where the deviations are given; else Student's with the degrees of freedom, so that few rows give
    a wide band. NaN without any.
    """
    from scipy.special import ndtri, stdtrit

    if estimated.freedom <= 0 and not estimated.known:
        return np.full(len(slopes), np.nan)
    quantile = ndtri(0.5 + level / 2) if estimated.known else stdtrit(estimated.freedom, 0.5 + level / 2)
    variance = np.einsum("ij,ij->i", slopes @ estimated.covariance, slopes)
    return np.asarray(quantile * np.sqrt(np.maximum(variance, 0) + np.square(noise)))
