"""Least squares where columns of the model have errors, too: orthogonal distances, by ODRPACK95 (the package odrpack).

>>> import numpy as np
>>> data = {"x": np.array([1.0, 2.0, 4.0]), "y": np.array([2.0, 5.0, 8.0]), "s": np.full(3, 0.5)}
>>> measured = MeasuredColumns.of(Problem.of("a*x", data, "y", {"a": 1.0}, "s"), data, {"x": "0.1"})
>>> found = measured.minimize(np.array([1.0]), Options(np.array([-np.inf]), np.array([np.inf])))
>>> found.ended, round(float(found.parameters[0]), 4)
('converged', 2.098)

Minimized is the sum over the rows of ((model(x + d) - y)/sigma)² + (d/sigma_x)², over the parameters and the errors d of x
(Boggs, Byrd and Schnabel 1987, https://doi.org/10.1137/0908085). With the model's slopes by x, an error of x is one of the
fitted value, so that for given d a row has the deviation sqrt(sigma² + (slope*sigma_x)²), and what remains is a plain problem.
At the minimum its sum of squares is that of both errors, and its Jacobian gives the covariance of the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodiff.batch import compile as batch
from autodiff.errors import HARD_POINT, AutodiffError, data_error, quoted
from autodiff.fitting import minimum, objective, solve
from autodiff.fitting.objective import Options
from autodiff.fitting.problem import Problem, Vector
from autodiff.fitting.target import deviations_of
from autodiff.libraries import library
from autodiff.tables.frames import require_finite

TOLERANCE = 1e-15
"""Change of the sum and of the parameters, relatively, at which ODRPACK95 ends: its own are those of half the digits."""

REFUSED = 1e100
"""A residual in place of one that does not exist, so that a step there is not taken."""

POLISHED = 1e-10
"""The offset at which the parameters are right to all digits that are printed."""

ROUNDS = 8
"""How often ODRPACK95 goes on: with parameters at bounds fixed, or from points of the curve that are nearer."""

SHARES, STEPS = tuple(side * share for share in (0.5, 1.0, 1.5, 2.0, 3.0, 4.0) for side in (1, -1)), 5
"""Errors of x that are tried for a nearer point of the curve, in standard deviations, and the steps from each."""


@dataclass(frozen=True, slots=True)
class OrthogonalSolution(solve.Solution):
    """A solution with the errors of the columns, a row of them per column.

    plain   the problem of y alone that has the same sum of squares and the same slopes there
    slopes  of the model by the columns with errors
    offset  the cosine between the residuals and the slopes of the whole problem: 0 at a minimum
    """

    plain: Problem
    errors: Vector
    slopes: Vector
    offset: float


@dataclass(frozen=True, slots=True)
class MeasuredColumns:
    """A problem in which some of the model's columns are measured with errors.

    problem     as if they were exact, and `sigma` the deviation of each y
    names       of these columns, their numbers `x` and the standard deviations of these, both shaped (columns, rows)
    model       the model with its slopes by the parameters and by these columns
    """

    problem: Problem
    sigma: Vector
    names: tuple[str, ...]
    x: Vector
    deviations: Vector
    model: batch.Compiled

    @classmethod
    def of(cls, problem: Problem, columns: Mapping[str, Vector], expressions: Mapping[str, str]) -> MeasuredColumns:
        """Deviations as expressions of the columns. Raises AutodiffError for names that are no columns of the model, numbers
        that are no deviations, and fewer rows than parameters."""
        for name in expressions:
            if name not in problem.columns:
                raise AutodiffError(
                    f"--sigma-x names {quoted(name)}, which is no column of the model",
                    hint=f"its columns are {', '.join(problem.columns)}" if problem.columns else "it has none",
                )
        deviations = {name: deviations_of(text, columns, f"--sigma-x {name}") for name, text in expressions.items()}
        require_finite({f"--sigma-x {name}": numbers for name, numbers in deviations.items()})
        sigma = np.asarray(problem.sigma)
        for name, numbers in deviations.items():
            with np.errstate(all="ignore"):
                squares = np.square(numbers / sigma)
            if not (np.isfinite(squares) & (squares > 0)).all():
                raise data_error(
                    f"the squares of --sigma and --sigma-x {name} are too far apart for float64",
                    hint="measure the column in another unit; an x that is as good as exact needs no --sigma-x",
                )
        if problem.rows < len(problem.names):
            raise data_error(
                f"with --sigma-x there must be as many rows as parameters, and there are {problem.rows} and {len(problem.names)}",
                hint="write numbers for some of the parameters",
            )
        return cls(
            problem, sigma, (*deviations,), np.array([problem.columns[name] for name in deviations]),
            np.array([*deviations.values()]),
            batch.compiled(problem.model.lowered, (*problem.names, *deviations), exact=False),
        )  # fmt: skip

    def minimize(self, start: Vector, options: Options) -> OrthogonalSolution:
        """The parameters of least sum near `start`, or near those that are best for exact columns."""
        exact = minimum.minimize(self.problem, start, options)
        self._require_slopes(start)
        begins = [exact.parameters, start] if exact.ended == "converged" else [start]
        solutions = [self._solved(begin, options) for begin in begins]
        least = min(solution.cost for solution in solutions) * (1 + minimum.FALL)
        best = min((s for s in solutions if not s.cost > least), key=lambda s: s.ended != "converged")
        best = replace(best, steps=exact.steps + sum(solution.steps for solution in solutions))
        if exact.ended == "flat":
            return replace(best, ended="flat")
        if not best.cost <= objective.cost(self.problem, start, options) or solve.ran_away(best.plain, start, best):
            return replace(best, ended="diverged")
        return best

    def _require_slopes(self, parameters: Vector) -> None:
        _, slopes = self._evaluated(self.problem.columns, parameters)
        for name in self.names:
            if not np.isfinite(slopes[name]).all():
                raise AutodiffError(
                    f"at the start the model has no slope by {name} in row {int(np.argmin(np.isfinite(slopes[name]))) + 1}",
                    source=self.model.lowered.source, hint="start from other parameters, or leave the row out", exit_status=HARD_POINT,
                )  # fmt: skip

    def _evaluated(self, columns: Mapping[str, Vector], parameters: Vector) -> tuple[Vector, Mapping[str, Vector]]:
        """The fitted values, and their slopes by each parameter and each column with errors."""
        at = dict(zip(self.problem.names, map(float, parameters), strict=True))
        with np.errstate(all="ignore"):
            value, gradient, _ = self.model.approximate(**columns, **at)
        rows = self.problem.rows
        return np.broadcast_to(value, rows), {name: np.broadcast_to(slope, rows) for name, slope in gradient.items()}

    def _solved(self, begin: Vector, options: Options) -> OrthogonalSolution:
        """What ODRPACK95 reaches from these parameters; again with those fixed that are at a bound, where it does not end."""
        fixed = np.zeros(len(begin), dtype=bool)
        best, steps = self._judged(begin, np.zeros((len(self.names), self.problem.rows)), options), 0
        for _ in range(ROUNDS):
            result = self._searched(best, fixed, options)
            steps += int(result.niter)
            if not (np.isfinite(result.beta).all() and np.isfinite(result.delta).all()):
                break
            solution = self._judged(result.beta, result.delta, options, out_of_steps=result.info % 10 == 4)
            if not solution.cost > best.cost * (1 + objective.TOLERANCE):
                best = self._polished(solution, options)
            nearer, distance = self._nearer(best)
            fixed = ~objective.free(self.problem, best.parameters, options)
            if distance < 2 * best.cost * (1 - objective.TOLERANCE):
                best, fixed = self._judged(best.parameters, nearer, options), np.zeros(len(begin), dtype=bool)
            elif best.ended == "converged" or not fixed.any() or fixed.all():
                break
        return replace(best, steps=steps)

    def _polished(self, best: OrthogonalSolution, options: Options) -> OrthogonalSolution:
        """The solution after some Gauss-Newton steps of what is not at a bound, as long as they bring it nearer to a minimum."""
        free = np.asarray(objective.free(self.problem, best.parameters, options))
        for _ in range(solve.POLISHING):
            if best.offset <= POLISHED or not math.isfinite(best.cost):
                break
            plain, step = best.plain, np.zeros(len(free))
            with np.errstate(all="ignore"):
                residuals, jacobian = plain.residuals(best.parameters), plain.jacobian(best.parameters)[:, free]
                sizes = np.linalg.norm(jacobian, axis=0)
                if not (np.isfinite(sizes) & (sizes > 0)).all():
                    break
                step[free] = np.linalg.lstsq(jacobian / sizes, -residuals, rcond=1e-12)[0] / sizes
                errors = self._best_errors(best.slopes, (residuals + jacobian @ step[free]) * np.asarray(plain.sigma))
            moved = best.parameters + step
            if ((moved < options.lower) | (moved > options.upper)).any():
                break
            solution = self._judged(moved, errors, options)
            if not (solution.offset < best.offset and solution.cost <= best.cost * (1 + objective.TOLERANCE)):
                break
            best = solution
        return best

    def _nearer(self, solution: OrthogonalSolution) -> tuple[Vector, float]:
        """The errors with which each row is nearest the curve, of a solution's and of those that some steps from others lead to,
        and the sum of the squared distances.

        A search ends at a point of the curve from which all near ones are farther away; another one may be nearer.
        """
        best, least = solution.errors, np.full(self.problem.rows, math.inf)
        for k, share in [(0, 0.0), *((k, share) for k in range(len(self.names)) for share in SHARES)]:
            errors = solution.errors.copy()
            if share:
                errors[k] = share * self.deviations[k]
            for _ in range(STEPS if share else 1):
                values, gradient = self._evaluated(self._with(errors), solution.parameters)
                slopes, vertical = _finite(gradient, self.names), values - self.problem.y
                with np.errstate(all="ignore"):
                    squares = (vertical / self.sigma) ** 2 + np.square(errors / self.deviations).sum(axis=0)
                    best, least = np.where(squares < least, errors, best), np.fmin(squares, least)
                    errors = self._best_errors(slopes, vertical - (slopes * errors).sum(axis=0))
        return best, float(least.sum())

    def _best_errors(self, slopes: Vector, above: Vector) -> Vector:
        """The errors with which each row is nearest a model that is straight, and so far above y at the measured columns."""
        variance = self.sigma**2 + np.square(slopes * self.deviations).sum(axis=0)
        return np.asarray(-(self.deviations**2) * slopes * (above / variance))

    def _with(self, errors: Vector) -> dict[str, Vector]:
        """The model's columns with these errors added."""
        columns = {**self.problem.columns}
        for name, error in zip(self.names, errors, strict=True):
            columns[name] = columns[name] + error
        return columns

    def _searched(self, begin: OrthogonalSolution, fixed: Vector, options: Options) -> Any:
        """ODRPACK95's result; its functions of the same x and parameters are evaluated together."""
        odrpack = library("odrpack", "a fit with errors in x", "odr")
        problem, sigma = self.problem, self.sigma
        latest: tuple[bytes, Vector, Mapping[str, Vector]] = b"", sigma, {}

        def at(x: Vector, parameters: Vector) -> tuple[bytes, Vector, Mapping[str, Vector]]:
            nonlocal latest
            key = x.tobytes() + parameters.tobytes()
            if latest[0] != key:
                moved = dict(zip(self.names, x.copy().reshape(len(self.names), -1), strict=True))
                latest = key, *self._evaluated({**problem.columns, **moved}, parameters)
            return latest

        def fitted(x: Vector, parameters: Vector) -> Vector:
            values = at(x, parameters)[1]
            return values if np.isfinite(values).all() else problem.y + REFUSED * sigma

        def slopes(x: Vector, parameters: Vector, names: Sequence[str]) -> Vector:
            return _finite(at(x, parameters)[2], names)[None]

        return odrpack.odr_fit(
            fitted, self.x, problem.y, begin.parameters, delta0=begin.errors, weight_y=sigma[None, None] ** -2.0,
            weight_x=self.deviations[:, None] ** -2.0, scale_delta=1 / self.deviations,
            bounds=(options.lower, options.upper) if options.bounded else None, fix_beta=fixed if fixed.any() else None,
            jac_beta=lambda x, parameters: slopes(x, parameters, problem.names),
            jac_x=lambda x, parameters: slopes(x, parameters, self.names),
            maxit=options.steps, sstol=TOLERANCE, partol=TOLERANCE,
        )  # fmt: skip

    def _judged(
        self, parameters: Vector, errors: Vector, options: Options, *, out_of_steps: bool = False
    ) -> OrthogonalSolution:
        """These parameters and errors of the columns as a solution, converged if the sum has no slope there."""
        columns = self._with(errors)
        _, gradient = self._evaluated(columns, parameters)
        slopes = _finite(gradient, self.names)
        plain = replace(
            self.problem, columns=columns, y=self.problem.y + (slopes * errors).sum(axis=0),
            sigma=np.sqrt(self.sigma**2 + np.square(slopes * self.deviations).sum(axis=0)), _latest=None, _sums={},
        )  # fmt: skip
        with np.errstate(all="ignore"):
            vertical = (plain.fitted(parameters) - self.problem.y) / self.sigma
            whole = float(vertical @ vertical + np.square(errors / self.deviations).sum())
        rest = 2 * objective.cost(plain, parameters, options)  # the whole, less what other errors of x would take away
        if not math.isfinite(whole) or not math.isfinite(rest):
            return OrthogonalSolution(parameters, "stuck", math.inf, 0, plain, errors, slopes, 1.0)
        along = math.sqrt(max(whole - rest, 0.0) / whole) if math.sqrt(whole) > objective.EXACT * plain.size else 0.0
        offset = math.hypot(objective.offset(plain, parameters, options), along)
        with np.errstate(all="ignore"):
            shifts = slopes * (self.x + errors) / self.sigma
            rounding = float(4 * objective.ROUNDING * np.linalg.norm(shifts) / np.sqrt(whole))  # of x + d to float64
        least = max(objective.attainable(plain, parameters, options), rounding if rounding < math.inf else 0.0)
        ended: solve.Ending = "converged" if offset <= least else "out of steps" if out_of_steps else "stuck"
        return OrthogonalSolution(parameters, ended, whole / 2, 0, plain, errors, slopes, offset)


def _finite(slopes: Mapping[str, Vector], names: Sequence[str]) -> Vector:
    """The slopes by these names, a row for each, with 0 where there is none."""
    return np.asarray(np.nan_to_num(np.array([slopes[name] for name in names]), nan=0.0, posinf=0.0, neginf=0.0))
