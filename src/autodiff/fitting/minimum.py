"""Search for a least sum of squares, and leave points that have no slope without being a minimum.

>>> import numpy as np
>>> problem = Problem.of("a^2*x", {"x": np.array([1.0, 2.0]), "y": np.array([4.0, 8.0])}, "y", {"a": 0.0})
>>> least = minimize(problem, np.array([0.0]), Options(np.array([-np.inf]), np.array([np.inf])))
>>> least.ended, abs(round(float(least.parameters[0]), 9))
('converged', 2.0)

The methods of `solve` end where the sum has no slope. That may be a maximum, a saddle, an inflection, or a place where the model
doesn't depend on a parameter at all, so the curvature is looked at as well: where the sum does not curve upwards, it is
computed at some distance, and the search goes on from a point where it is smaller.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from autodiff.errors import AutodiffError
from autodiff.fitting import objective, solve
from autodiff.fitting.objective import Options
from autodiff.fitting.problem import Problem, Vector
from autodiff.fitting.solve import Solution

DEPARTURES = 8
"""How often a search goes on from a smaller sum."""

CANDIDATES = 5
"""Points of a smaller sum that are tried: in some the model may have no slope."""

CURVED = 1e-7
"""Eigenvalues of the Hessian with a diagonal of 1 and -1 that are above rounding and the error of a difference."""

FALL = 1e-9
"""The share by which a sum is smaller for certain."""

DISTANCES = (1e-3, 1e-2, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 2.0)
"""How far from a point without a slope the sum is computed, in sizes of the parameters."""

NEAR = 1e-2
"""The distance up to which a model is constant that has neither a slope nor a curvature."""

SAME, CHANGED = 1e-9, 1e-6
"""Changes of the fitted values beside y: up to which they are rounding, and from which on they are not."""

SAMPLE = 20_000
"""Rows from which the curvature is estimated; what it suggests is tried on all rows."""


def minimize(problem: Problem, start: Vector, options: Options) -> Solution:
    """The parameters near `start` of least cost. Raises AutodiffError where the model has no value at the start."""
    solution = _with_linear_parameters(problem, start, options, solve.solve(problem, start, options))
    for _ in range(DEPARTURES):
        if solution.ended != "converged" or objective.is_exact(problem, solution.parameters, options):
            return solution
        place = _Place.of(problem, solution, start, options)
        with problem.searching(), np.errstate(all="ignore"):
            lower = place.lower()
        lower = [point for point in lower[:CANDIDATES] if place.is_higher_than(point)]
        with problem.searching(), np.errstate(all="ignore"):
            flat = not lower and place.is_flat()
        if not lower:
            return replace(solution, ended="flat") if flat else solution
        following = _departed(problem, lower, options)
        if following is None or not following.cost < solution.cost:
            return replace(solution, ended="stuck")
        solution = replace(following, steps=solution.steps + following.steps)
    return replace(solution, ended="stuck")


def _departed(problem: Problem, points: list[Vector], options: Options) -> Solution | None:
    """What the search from the first point reaches at which the model has a value and slopes; None without one."""
    for point in points:
        with suppress(AutodiffError):
            return solve.solve(problem, point, options)
    return None


def _with_linear_parameters(problem: Problem, start: Vector, options: Options, solution: Solution) -> Solution:
    """A better solution than one that failed, from a start whose linear parameters are those of least squares.

    A start in another unit than y, such as 1 where 1e15 is right, makes the first step so long that the other parameters
    leave the range in which the model depends on them.
    """
    if solution.ended == "converged":
        return solution
    with problem.searching(), np.errstate(all="ignore"):
        moved = _linear_solved(problem, start, options)
    if moved is None:
        return solution
    try:
        second = solve.solve(problem, moved, options)
    except AutodiffError:
        return solution
    better = second.ended == "converged" and not second.cost > solution.cost * (1 + FALL)
    return replace(second, steps=solution.steps + second.steps) if better else solution


def linear_parameters(problem: Problem, start: Vector) -> list[int]:
    """The places of parameters in which together the model is linear."""
    jacobian, linear = problem.jacobian(start), list[int]()
    for k in range(len(start)):
        tried = [*linear, k]
        moved = start.copy()
        moved[tried] += np.maximum(np.abs(start[tried]), 1) * (1 + 0.3 * np.arange(len(tried)))
        if np.allclose(problem.jacobian(moved)[:, tried], jacobian[:, tried], rtol=1e-9, atol=0):
            linear = tried
    return linear


def _linear_solved(problem: Problem, start: Vector, options: Options) -> Vector | None:
    """The start with the parameters in which the model is linear at their least squares; None where there are none."""
    linear = linear_parameters(problem, start)
    jacobian, residuals = problem.jacobian(start), problem.residuals(start)
    sizes = np.linalg.norm(jacobian[:, linear], axis=0)
    if not linear or not (np.isfinite(sizes) & (sizes > 0)).all() or not np.isfinite(residuals).all():
        return None
    moved = start.copy()
    moved[linear] += np.linalg.lstsq(jacobian[:, linear] / sizes, -residuals, rcond=1e-10)[0] / sizes
    moved = np.clip(moved, options.lower, options.upper)
    return moved if np.isfinite(moved).all() else None


@dataclass(frozen=True, slots=True)
class _Place:
    """A point at which the sum has no slope along the parameters that are free.

    sizes    how large each parameter is there or at the start; 1 at least from a start at 0
    slopes   the length of each column of the Jacobian
    hessian  of the cost
    """

    problem: Problem
    options: Options
    parameters: Vector
    cost: float
    sizes: Vector
    slopes: Vector
    free: Vector
    hessian: Vector

    @classmethod
    def of(cls, problem: Problem, solution: Solution, start: Vector, options: Options) -> _Place:
        parameters = solution.parameters
        sizes = np.maximum(np.abs(parameters), np.where(start == 0, 1.0, np.abs(start)))
        with np.errstate(all="ignore"):
            slopes = objective.column_lengths(problem, parameters, options)
            cost = objective.cost(problem, parameters, options)
            # a standard error is short enough for a difference, and stays within a narrow peak
            errors = 0.1 * math.sqrt(2 * cost / problem.rows) / slopes
            steps = np.clip(
                np.where(slopes > 0, errors, math.inf),
                1e-8 * np.where(parameters == 0, sizes, np.abs(parameters)),
                1e-4 * sizes,
            )
            with problem.searching():
                hessian = _hessian(problem.sample(SAMPLE), parameters, steps, options)
        free = np.asarray(objective.free(problem, parameters, options))
        return cls(problem, options, parameters, cost, sizes, slopes, free, hessian)

    def lower(self) -> list[Vector]:
        """Points at some distance where the cost is smaller, the one where it is smallest first."""
        points: list[tuple[float, Vector]] = []
        for direction, lengths in self._directions():
            for length in lengths:
                moved = self.parameters + length * direction
                if not ((moved >= self.options.lower) & (moved <= self.options.upper)).all():
                    continue
                reached = objective.cost(self.problem, moved, self.options)
                if reached < self.cost * (1 - FALL):
                    points.append((reached, moved))
        return [point for _, point in sorted(points, key=lambda pair: pair[0])]

    def is_higher_than(self, point: Vector) -> bool:
        """Whether the cost at a point is less, by more than rounding the parameters changes it."""
        rounding = objective.attainable(self.problem, self.parameters, self.options) ** 2
        return objective.cost(self.problem, point, self.options) < self.cost * (1 - max(FALL, 4 * rounding))

    def _directions(self) -> Iterator[tuple[Vector, Vector]]:
        """Where the cost may fall, and how far to go: where it does not curve upwards, and away from bounds."""
        free = np.flatnonzero(self.free)
        unit = np.eye(len(self.parameters))
        both = np.concatenate([DISTANCES, np.negative(DISTANCES)])
        for k in range(len(self.parameters)):
            if not self.free[k] or self._is_without_slope(k):
                yield unit[k] * self.sizes[k], both
        hessian = self.hessian[np.ix_(free, free)]
        if not len(free) or not np.isfinite(hessian).all():
            return
        diagonal = np.abs(np.diagonal(hessian))
        scales = np.where(diagonal > 0, 1 / np.sqrt(diagonal), self.sizes[free])
        curvatures, vectors = np.linalg.eigh(hessian * np.outer(scales, scales))
        for curvature, vector in zip(curvatures, vectors.T, strict=True):
            if curvature > CURVED:
                continue
            direction = np.zeros(len(self.parameters))
            direction[free] = scales * vector
            far = 1 / np.max(np.abs(direction) / self.sizes)
            natural = math.sqrt(0.2 * self.cost / max(-curvature, CURVED)) / far
            yield direction * far, np.concatenate([both, *(s * natural * np.array([0.03, 0.3, 1, 3]) for s in (1, -1))])

    def _is_without_slope(self, k: int) -> bool:
        return bool(self.slopes[k] * self.sizes[k] <= objective.NEGLIGIBLE * self.problem.size)

    def is_flat(self) -> bool:
        """Whether the model is constant near here along a free parameter, and not so further away, or along all of them."""
        constant = 0
        for k in np.flatnonzero(self.free):
            if not self._is_without_slope(int(k)) or self.hessian[k, k] * self.sizes[k] ** 2 > CURVED * self.cost:
                continue
            near, away = [max(self._changes(int(k), lengths), default=0.0) for lengths in _near_and_away()]
            if near <= SAME:
                constant += 1
                if away > CHANGED:
                    return True
        return 0 < constant == int(self.free.sum())

    def _changes(self, k: int, lengths: list[float]) -> list[float]:
        """How much the fitted values change beside y where the parameter moves by so many times its size."""
        before, changes = self.problem.fitted(self.parameters), []
        for length in lengths:
            moved = self.parameters.copy()
            moved[k] += length * self.sizes[k]
            if self.options.lower[k] <= moved[k] <= self.options.upper[k]:
                change = float(np.linalg.norm(self.problem.fitted(moved) - before))
                changes.append(
                    change / max(float(np.linalg.norm(self.problem.y)), 1e-300) if change == change else math.inf
                )
        return changes


def has_effect(problem: Problem, parameters: Vector, name: str) -> bool:
    """Whether the fitted values change near here with a parameter by which they have no slope."""
    moved = parameters.copy()
    k = problem.names.index(name)
    moved[k] += NEAR * max(abs(parameters[k]), 1)
    with problem.searching(), np.errstate(all="ignore"):
        change = float(np.linalg.norm(problem.fitted(moved) - problem.fitted(parameters)))
    return change > CHANGED * float(np.linalg.norm(problem.y))


def _near_and_away() -> tuple[list[float], list[float]]:
    both = [sign * distance for distance in DISTANCES for sign in (1, -1)]
    return [d for d in both if abs(d) <= NEAR], [d for d in both if abs(d) > NEAR]


def _hessian(problem: Problem, parameters: Vector, steps: Vector, options: Options) -> Vector:
    """Second derivatives of the cost, from differences of its exact slopes."""
    columns = []
    for k, step in enumerate(steps):
        moved = np.zeros(len(steps))
        moved[k] = step
        sides = (objective.weighted(problem, parameters + sign * moved, options) for sign in (1, -1))
        ahead, behind = (jacobian.T @ residuals for residuals, jacobian in sides)
        columns.append((ahead - behind) / (2 * step))
    hessian = np.array(columns)
    return np.asarray((hessian + hessian.T) / 2)
