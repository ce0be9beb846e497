"""Minimize a sum of squares, and report how the search ended.

>>> import numpy as np
>>> from autodiff.fitting.problem import Problem
>>> problem = Problem.of("a*x", {"x": np.array([1.0, 2.0]), "y": np.array([2.0, 5.0])}, "y", {"a": 1.0})
>>> found = solve(problem, np.array([1.0]), Options(np.array([-np.inf]), np.array([np.inf])))
>>> found.ended, found.parameters
('converged', array([2.4]))

SciPy does the steps, with our exact Jacobian. MINPACK's Levenberg-Marquardt method goes first; where rows are few, or its
end is doubtful, the trust-region method is tried as well, and the smaller sum is kept. Over many rows, a trust region over
the normal equations goes before them: it reads the Jacobian once a step. Some Gauss-Newton steps at the end bring the
parameters to the last digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from autodiff.errors import HARD_POINT, AutodiffError
from autodiff.fitting.objective import (
    NEGLIGIBLE,
    TOLERANCE,
    Options,
    attainable,
    by_sums,
    cost,
    free,
    is_large,
    offset,
    unit_columns,
)
from autodiff.fitting.problem import Problem, Vector
from autodiff.fitting.statistics import LARGEST
from autodiff.libraries import library

Ending = Literal["converged", "out of steps", "stuck", "flat", "diverged"]


FAR = 10
"""How many times its start a parameter is at least where it ran away."""

NO_EFFECT = 1e-10
"""The effect of a parameter on the model beside that at its start, where it has none."""

SMALLEST = 1e-150
"""Slopes whose squares are within the range of float64; the largest ones are `statistics.LARGEST`."""

POLISHING = 12
"""Gauss-Newton steps at the end, at most."""

POLISHED = 1e-12
"""The offset from which on another step over many rows moves no parameter by more than a millionth of its error."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Parameters, how the search for them ended, the cost (half the sum of losses), and the steps taken."""

    parameters: Vector
    ended: Ending
    cost: float
    steps: int


def solve(problem: Problem, start: Vector, options: Options) -> Solution:
    """The parameters near `start` of least cost. Raises AutodiffError where the model has no value at the start."""
    large = is_large(problem)
    begun = _begun(problem, start, options)
    plain = options.is_plain and problem.rows >= len(start)
    best: Solution | None = None
    for method in (*(("normal",) if large else ()), "lm", "trf") if plain else ("trf",):
        if best is not None and best.ended == "converged" and large:
            break
        with problem.searching():
            solution = searched(problem, start, options, method)
            solution = _polished(problem, solution, options) if method == "normal" else solution
        solution = _polished(problem, solution, options)
        if best is None or (solution.cost, solution.ended != "converged") < (best.cost, best.ended != "converged"):
            best = solution
    assert best is not None
    if not np.isfinite(best.cost) or best.cost > begun:
        return replace(best, ended="diverged")
    best = _nearest_to_start(problem, start, best, options)
    return replace(best, ended="diverged") if best.ended == "converged" and ran_away(problem, start, best) else best


def _begun(problem: Problem, start: Vector, options: Options) -> float:
    """The cost at the start. Raises AutodiffError where it has none, or squares leave the range of float64.

    Over many rows the sums of a search show that at once, unless there is something to name.
    """
    if by_sums(problem, options):
        with problem.searching():
            sums = problem.sums(start)
        if sums.complete and problem.size < LARGEST and (np.diagonal(sums.matrix) > SMALLEST).all():
            return sums.squares / 2
    problem.require_values(start)
    begun = cost(problem, start, options)
    if not np.isfinite(begun):
        raise AutodiffError(
            "at the start the sum of squares is beyond the range of float64",
            hint="start nearer to the data, or divide both the model and --y by a large number",
            exit_status=HARD_POINT,
        )
    _require_squares(problem, start)
    return begun


def _require_squares(problem: Problem, start: Vector) -> None:
    """Raise AutodiffError where squares of y or of the model's slopes leave the range of float64."""
    y = problem.y if problem.sigma is None else problem.y / problem.sigma
    sizes = {"--y": float(np.abs(y).max(initial=0.0))}
    for name, size in zip(problem.names, _sizes(problem.jacobian(start)), strict=True):
        sizes[f"the model's slope by {name}"] = float(size)
    for what, size in sizes.items():
        if size > LARGEST or 0 < size < SMALLEST:
            raise AutodiffError(
                f"{what} is {size:.3g} at the start, whose square is beyond the range of float64",
                hint="measure the columns in larger or smaller units",
                exit_status=HARD_POINT,
            )


def _sizes(jacobian: Vector) -> Vector:
    """The largest slope by each parameter, without its sign."""
    return np.asarray(np.maximum(jacobian.max(axis=0, initial=0.0), -jacobian.min(axis=0, initial=0.0)))


def ran_away(problem: Problem, start: Vector, solution: Solution) -> bool:
    """Whether a parameter went so far that it has no effect any more: the sum has no minimum on the way there."""
    far = np.abs(solution.parameters) > FAR * np.maximum(np.abs(start), 1)
    if not far.any():
        return False
    # the effect of a change by a share: that of a factor stays as large as the model, however large the factor gets
    before = np.linalg.norm(problem.jacobian(start), axis=0) * np.maximum(np.abs(start), 1)
    after = np.linalg.norm(problem.jacobian(solution.parameters), axis=0) * np.abs(solution.parameters)
    return bool((far & (after < NO_EFFECT * before)).any())


def searched(problem: Problem, start: Vector, options: Options, method: str) -> Solution:
    """What one of SciPy's methods finds."""
    optimize = library("scipy.optimize", "a fit", "fit")
    if method == "normal":
        return _by_normal_equations(problem, start, options, optimize)
    given: dict[str, Any] = {"max_nfev": options.steps}
    if method == "trf":
        given |= {"loss": options.loss, "f_scale": options.scale}
        if options.bounded:
            given["bounds"] = (options.lower, options.upper)

    def residuals(parameters: Vector) -> Vector:
        values = problem.residuals(parameters)
        # MINPACK takes no infinity; a huge number is rejected likewise
        return values if method == "trf" or np.isfinite(values).all() else np.full_like(values, 1e150)

    with np.errstate(all="ignore"):
        result = optimize.least_squares(
            residuals, start, jac=problem.jacobian, method=method, x_scale="jac",
            xtol=1e-15, ftol=1e-15, gtol=1e-15, **given,
        )  # fmt: skip
    parameters = np.asarray(result.x, dtype=float)
    return Solution(
        parameters,
        _ending(problem, parameters, options, out_of_steps=result.status == 0),
        cost(problem, parameters, options),
        int(result.njev or result.nfev),
    )


def _by_normal_equations(problem: Problem, start: Vector, options: Options, optimize: Any) -> Solution:
    """Gauss-Newton steps in a trust region: the Jacobian goes into a small matrix, so that a step costs one pass over it.

    That squares the condition of the problem, which slows the steps of a bad one down, and does not move the minimum.
    """
    first = problem.sums(start)
    sizes = np.sqrt(np.diagonal(first.matrix))
    sizes = np.where(sizes > 0, sizes, 1.0)
    length = math.sqrt(first.squares)

    def value_and_slope(scaled: Vector) -> tuple[float, Vector]:
        value = cost(problem, scaled / sizes, options)
        return (value, problem.sums(scaled / sizes).slope / sizes) if np.isfinite(value) else (np.inf, scaled)

    def curvature(scaled: Vector) -> Vector:
        return np.asarray(problem.sums(scaled / sizes).matrix / np.outer(sizes, sizes))

    with np.errstate(all="ignore"):
        result = optimize.minimize(
            value_and_slope, start * sizes, jac=True, hess=curvature, method="trust-exact",
            options={"gtol": 1e-2 * TOLERANCE * length, "maxiter": options.steps, "initial_trust_radius": max(length, 1e-8), "max_trust_radius": 1e8 * max(length, 1e-8)},
        )  # fmt: skip
    parameters = np.asarray(result.x / sizes, dtype=float)
    ended = _ending(problem, parameters, options, out_of_steps=result.status == 1)
    return Solution(parameters, ended, cost(problem, parameters, options), int(result.nit))


def _ending(problem: Problem, parameters: Vector, options: Options, *, out_of_steps: bool = False) -> Ending:
    if offset(problem, parameters, options) <= attainable(problem, parameters, options):
        return "converged"
    return "out of steps" if out_of_steps else "stuck"


def _polished(problem: Problem, solution: Solution, options: Options) -> Solution:
    """The solution after some Gauss-Newton steps, as long as they bring the residuals nearer to a minimum."""
    if options.loss != "linear" or not free(problem, solution.parameters, options).all():
        return solution
    best, distance = solution, offset(problem, solution.parameters, options)
    for _ in range(POLISHING):
        if is_large(problem) and distance <= POLISHED:
            break
        with np.errstate(all="ignore"):
            step = _gauss_newton(problem, best.parameters) if np.isfinite(best.cost) else None
            moved = None if step is None else best.parameters + step
            if moved is None or not np.isfinite(moved).all():
                break
            if options.bounded and not ((moved > options.lower) & (moved < options.upper)).all():
                break
            nearer, reached = offset(problem, moved, options), cost(problem, moved, options)
        if not (nearer < distance and reached <= best.cost * (1 + 1e-9)):
            break
        best, distance = replace(best, parameters=moved, cost=reached), nearer
    return replace(best, ended="converged") if distance <= attainable(problem, best.parameters, options) else best


def _nearest_to_start(problem: Problem, start: Vector, solution: Solution, options: Options) -> Solution:
    """The solution without its part along directions that change nothing: where the search leaves it is rounding's doing."""
    if is_large(problem) or solution.ended != "converged":
        return solution
    jacobian = problem.jacobian(solution.parameters)
    sizes = np.linalg.norm(jacobian, axis=0)
    if not (np.isfinite(sizes).all() and (sizes > 0).all()):
        return solution
    _, singular, right = np.linalg.svd(np.linalg.qr(jacobian / sizes, mode="r"))
    free_directions = right[int((singular > NEGLIGIBLE * singular[0]).sum()) :]
    away = (solution.parameters - start) * sizes
    parameters = solution.parameters - free_directions.T @ (free_directions @ away) / sizes
    if not len(free_directions) or ((parameters < options.lower) | (parameters > options.upper)).any():
        return solution
    reached = cost(problem, parameters, options)
    if not reached <= solution.cost * (1 + 1e-9) or _ending(problem, parameters, options) != "converged":
        return solution  # they change the model farther away
    return replace(solution, parameters=parameters, cost=reached)


def _gauss_newton(problem: Problem, parameters: Vector) -> Vector | None:
    """The step to the minimum of the linear problem, None where it has no single one."""
    if is_large(problem):
        sizes, matrix, slope = unit_columns(*problem.sums(parameters)[1:3])
        squares = np.linalg.eigvalsh(matrix)
        return None if squares[0] <= NEGLIGIBLE * squares[-1] else np.asarray(-np.linalg.solve(matrix, slope) / sizes)
    jacobian = problem.jacobian(parameters)
    sizes = np.linalg.norm(jacobian, axis=0)
    if not (sizes > 0).all():
        return None
    step, _, rank, _ = np.linalg.lstsq(jacobian / sizes, -problem.residuals(parameters), rcond=1e-12)
    return step / sizes if rank == len(step) else None
