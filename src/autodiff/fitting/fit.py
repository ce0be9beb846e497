"""Fit a curve to data: the parameters, their standard errors, and how the search ended.

>>> data = {"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 2.7, 7.4, 20.1]}
>>> found = fit("a*exp(b*x)", data, y="y", start={"a": 1, "b": 0.5})
>>> found.ended, round(found.params["b"], 3), round(found.errors["b"], 4)
('converged', 1.001, 0.0015)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np

from autodiff import display
from autodiff.errors import AutodiffError, quoted, with_flags
from autodiff.fitting import arguments, curve, minimum, objective, other_starts, solve, statistics
from autodiff.fitting.orthogonal import MeasuredColumns
from autodiff.fitting.problem import Problem, Vector
from autodiff.fitting.target import chooser
from autodiff.language.ast import Reading
from autodiff.tables.columns import program_names
from autodiff.tables.frames import column_names

EXACT = 1e-12
"""Residuals that are rounding, in parts of the largest y: what they say of single rows is chance."""

TRADE = 0.99
"""Correlation from which on the data hardly distinguish two parameters."""


MANY = 100_000
"""Rows up to which a note names those that move the parameters much."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rows:
    """Of each row, as arrays: the fitted value, y less it, the band around it, leverage (how much of its own y is in the
    fitted value, 0 to 1), and influence (Cook's distance).
    """

    fitted: Vector
    residuals: Vector
    lower: Vector
    upper: Vector
    leverage: Vector
    influence: Vector


def _itself(computed: T) -> T:
    return computed


@dataclass(frozen=True)
class Fit:
    """Fitted parameters and how sure they are.

    params        each parameter
    errors        its standard error, None where the data don't determine it or there are as many parameters as rows
    ended         "converged", "out of steps", "stuck", "flat" or "diverged"; the numbers are a minimum only if it is "converged"
    at_bound      parameters that are held at a bound; they have no error
    correlations  of each pair of parameters
    undetermined  directions in which the parameters may move and the model stays as it is
    ssr           sum of the squared residuals, each divided by its sigma where that is known
    deviation     standard deviation of the residuals; None without a degree of freedom
    freedom       degrees of freedom: rows less the combinations of free parameters that the data determine
    r_squared     share of the variance of y that the model takes away; None where y does not vary
    rows, steps   rows of the data, and steps of the search
    starts        how many starts were tried and how many ended in the same minimum
    notes         sentences about what should be known of the numbers
    by_row        the rows: fitted values, residuals, bands, leverage, influence; computed when they are asked for
    with_data     the fitted curve with its band beside the data, as a picture shows them; computed when it is asked for
    """

    params: Mapping[str, float]
    errors: Mapping[str, float | None]
    ended: solve.Ending
    at_bound: tuple[str, ...]
    correlations: Mapping[tuple[str, str], float]
    undetermined: tuple[Mapping[str, float], ...]
    ssr: float
    deviation: float | None
    freedom: int
    r_squared: float | None
    rows: int
    steps: int
    starts: tuple[int, int]
    notes: tuple[str, ...]
    compute_rows: Callable[[], Rows] = field(repr=False, compare=False)
    compute_curve: Callable[[], curve.FittedCurve] = field(repr=False, compare=False)
    readings: tuple[Reading, ...] = ()

    __str__ = display.text
    _repr_html_ = display.notebook_html
    to_html, to_latex, to_markdown = display.html, display.latex, display.markdown
    to_svg = display.svg

    @cached_property
    def by_row(self) -> Rows:
        return self.compute_rows()

    @cached_property
    def with_data(self) -> curve.FittedCurve:
        return self.compute_curve()

    def __getstate__(self) -> dict[str, Any]:
        """What pickle keeps: the fields, and the rows and the curve instead of how they are computed."""
        kept = {"compute_rows": partial(_itself, self.by_row), "compute_curve": partial(_itself, self.with_data)}
        return self.__dict__ | kept

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `autodiff fit --format json`."""
        params = {}
        for name, value in self.params.items():
            error = self.errors[name]
            params[name] = {"value": value, "stderr": error} | ({"at_bound": True} if name in self.at_bound else {})
        return {
            "params": params,
            "ended": self.ended,
            "rows": self.rows,
            "degrees_of_freedom": self.freedom,
            "residual_sd": self.deviation,
            "ssr": self.ssr if math.isfinite(self.ssr) else None,
            "r_squared": self.r_squared,
            "correlations": [{"of": list(pair), "value": value} for pair, value in self.correlations.items()],
            "undetermined": [dict(direction) for direction in self.undetermined],
            "steps": self.steps,
            "starts": {"tried": self.starts[0], "same_minimum": self.starts[1]},
            "notes": list(self.notes),
        }


@np.errstate(all="ignore")  # sums that leave the range of float64 are judged by their result
@with_flags
def fit(
    text: str,
    data: Mapping[str, Any],
    y: str,
    start: Mapping[str, float],
    *,
    sigma: str | None = None,
    sigma_x: Mapping[str, str | float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    loss: str = "linear",
    loss_scale: float = 1.0,
    starts: int = 1,
    seed: int = 0,
    level: float = 0.95,
    prediction: bool = False,
    steps: int = 2000,
    strict: bool = False,
) -> Fit:
    """Fit the program `text` to the column or expression `y` of `data` by least squares.

    data        an array of numbers for each column, all of one length; a pandas, Polars or Arrow table will do
    start       where the search for each parameter begins; every other input of the program is a column
    sigma       column or expression with the standard deviation of each y: rows are weighted by it, and errors come
                from it alone; without it all rows weigh the same and the deviation is estimated from the residuals
    sigma_x     for columns of the model that have errors, too, their standard deviation: a number, or a column or expression as
                for `sigma`, which is needed beside it; least is then the sum of the squared distances from the curve
    bounds      (lowest, highest) for some parameters; an infinity where there is none
    loss        linear, or one that heeds outliers less: soft_l1, huber, cauchy, arctan; it bends at `loss_scale`
    starts      how many starts are tried; the others are drawn around the first, or within finite bounds, by `seed`
    level       of the band in `by_row`, around the curve or, with `prediction`, around new values of y

    Raises AutodiffError for names that don't fit, and (exit status 3) where the model has no value at the start.
    Needs NumPy and SciPy (the extra `fit`), and for `sigma_x` odrpack (the extra `odr`).
    """
    bounds, sigma_x = {} if bounds is None else bounds, {} if sigma_x is None else sigma_x
    arguments.require_options(y, sigma, start, bounds, loss_scale, starts, level, steps, seed)
    uncertain = arguments.uncertain(sigma_x, sigma, loss, prediction=prediction)
    hidden: list[Reading] = []
    targets = (y, sigma, *uncertain.values())
    wanted = chooser(text, start, targets, hidden, strict=strict)(program_names(column_names(data)))
    columns = arguments.columns_of(data, wanted)
    problem = Problem.of(text, columns, y, start, sigma, strict=strict)
    problem.readings = (*problem.readings, *hidden)
    begin = np.array([float(start[name]) for name in problem.names])
    options = _options(problem, begin, bounds, loss, loss_scale, steps)
    if uncertain:
        measured = MeasuredColumns.of(problem, columns, uncertain)
        nearest, same = other_starts.best(partial(measured.minimize, options=options), begin, options, starts, seed)
        return _fit(nearest.plain, options, nearest, (int(starts), same), level, y, prediction=False, measured=measured)
    search = partial(minimum.minimize, problem, options=options)
    solution, same = other_starts.best(search, begin, options, starts, seed)
    fitted = _fit(problem, options, solution, (int(starts), same), level, y, prediction=prediction)
    explained = fitted.r_squared or 0.0
    lower_sum = other_starts.lower_sum(problem, begin, options, solution, seed, explained) if starts == 1 else ""
    return replace(fitted, notes=(*fitted.notes, lower_sum)) if lower_sum else fitted


def _options(
    problem: Problem, begin: Vector, bounds: Mapping[str, tuple[float, float]], loss: str, scale: float, steps: int
) -> objective.Options:
    if not isinstance(loss, str) or loss not in objective.LOSSES:
        raise AutodiffError(f"there is no loss {quoted(str(loss))}", hint=f"there are {', '.join(objective.LOSSES)}")
    for name, (low, high) in bounds.items():
        if name not in problem.names:
            raise AutodiffError(
                f"there are bounds for {quoted(str(name))}, which is no parameter",
                hint=f"the parameters are {', '.join(problem.names)}",
            )
        number = float(begin[problem.names.index(name)])
        if not low < high:
            raise AutodiffError(
                f"the bounds of {quoted(name)} leave nothing between them: {low:g} to {high:g}",
                hint=f"to hold {name} there, write the number for it" if low == high else "give the lower one first",
            )
        if not low <= number <= high:
            raise AutodiffError(
                f"the start of {quoted(name)}, {number:g}, is outside its bounds, {low:g} to {high:g}",
                hint="start between them",
            )
    lower = np.array([bounds.get(name, (-math.inf, math.inf))[0] for name in problem.names])
    upper = np.array([bounds.get(name, (-math.inf, math.inf))[1] for name in problem.names])
    return objective.Options(lower, upper, loss, scale, steps)


def _fit(
    problem: Problem, options: objective.Options, solution: solve.Solution, starts: tuple[int, int], level: float,
    target: str, *, prediction: bool, measured: MeasuredColumns | None = None,
) -> Fit:  # fmt: skip
    """The fit at a solution; with `measured` columns, rows and the curve are those of what they were measured to be."""
    parameters, shown = solution.parameters, measured.problem if measured else problem
    free = objective.free(problem, parameters, options)
    residuals, jacobian = objective.weighted(problem, parameters, options)
    known = problem.sigma is not None
    matrix = problem.sums(parameters).matrix if objective.by_sums(problem, options) else None
    estimated = partial(statistics.estimate, problem.names, residuals, jacobian, known=known, free=free, matrix=matrix)
    estimate = estimated()
    finer = estimated(rank=statistics.LEAST_RANK) if estimate.undetermined else estimate
    if len(finer.undetermined) < len(estimate.undetermined):  # slopes are sure to 10 digits, and most are right to more
        error = 10 * statistics.slope_error(problem, parameters)
        estimate = estimated(rank=min(max(statistics.LEAST_RANK, error), statistics.RANK))

    @np.errstate(all="ignore")
    def rows() -> Rows:
        noise: Any = 0.0
        if prediction:
            noise = problem.sigma if problem.sigma is not None else estimate.deviation or math.nan
        fitted = shown.fitted(parameters)
        half = statistics.band(shown.slopes(parameters), estimate, level, noise)
        leverage, influence = statistics.influence(*objective.weighted(problem, parameters, options), estimate)
        return Rows(fitted, shown.y - fitted, fitted - half, fitted + half, leverage, influence)

    outliers = []
    largest = float(np.abs(problem.y).max(initial=0))
    if problem.rows <= MANY and estimate.freedom > 0 and np.abs(problem.residuals(parameters)).max() > EXACT * largest:
        outliers = np.flatnonzero(rows().influence > 1).tolist()
    plain = problem.residuals(parameters)
    squares, total = float(plain @ plain), math.nan
    if not known:
        centred = problem.y - problem.y.mean()
        total = float(np.sum(np.square(centred, out=centred)))
    deviations = dict(zip(measured.names, measured.deviations, strict=True)) if measured else {}
    axes = ", ".join([*deviations, target])
    distances = [f"residuals are distances from the curve, in standard deviations of {axes}"] if measured else []
    at_bound = tuple(name for name, moved in zip(problem.names, free, strict=True) if not moved)
    return Fit(
        dict(zip(problem.names, map(float, parameters), strict=True)),
        estimate.errors,
        solution.ended,
        at_bound,
        estimate.correlations,
        estimate.undetermined,
        squares,
        estimate.deviation,
        estimate.freedom,
        1 - squares / total if 0 < total < math.inf else None,
        problem.rows,
        solution.steps,
        starts,
        (*_notes(problem, estimate, solution, at_bound, starts, options, outliers), *distances),
        rows,
        partial(curve.curve, shown, parameters, estimate, target, level, deviations, prediction=prediction),
        problem.readings,
    )


def _notes(
    problem: Problem, estimate: statistics.Estimate, solution: solve.Solution, at_bound: tuple[str, ...],
    starts: tuple[int, int], options: objective.Options, outliers: Sequence[int],
) -> list[str]:  # fmt: skip
    notes = []
    if solution.ended != "converged":
        notes.append(
            {
                "out of steps": "the search was not done after the steps allowed: these are no least squares yet",
                "stuck": "no step makes the sum smaller, and its slope is not 0: these may be no least squares",
                "flat": "near here a parameter changes nothing, further away it may, and slopes don't show where: this may be no least sum",
                "diverged": "a parameter went so far that it has no effect, or the sum did not get smaller: there is no minimum here",
            }[solution.ended]
            + "; try other starts (--starts 20) or bounds"
        )
    for direction in estimate.undetermined:
        (name, *others) = direction
        if others:
            steps = ", ".join(f"{n} by {step:.3g}" for n, step in direction.items())
            notes.append(
                f"the data don't determine {' and '.join(direction)} separately: moving {steps} changes nothing"
            )
        elif minimum.has_effect(problem, solution.parameters, name):
            notes.append(f"the model has no slope by {name} here, so nothing says how sure it is")
        else:
            notes.append(f"the data don't determine {name}: moving it changes nothing here")
    notes += [
        f"{a} and {b} trade off (correlation {value:.4f}): the data hardly tell them apart"
        for (a, b), value in sorted(estimate.correlations.items(), key=lambda item: -abs(item[1]))[:3]
        if abs(value) >= TRADE
    ]
    notes += [
        f"{name} is at its bound, so it has no error, and the others are as if it were fixed there" for name in at_bound
    ]
    if estimate.freedom <= 0 and not estimate.known:
        notes.append("there are not more rows than parameters, so nothing says how sure they are")
    if options.loss != "linear":
        notes.append("with a robust loss the errors are those of a weighted fit, and approximate")
    if starts[0] > 1:
        notes.append(
            f"{starts[1]} of {starts[0]} starts ended {'in this minimum' if solution.ended == 'converged' else 'here'}"
        )
    if outliers:
        listed = ", ".join(str(k + 1) for k in outliers[:5])
        notes.append(
            f"row{'s' * (len(outliers) > 1)} {listed}{', …' if len(outliers) > 5 else ''} "
            f"move{'s' * (len(outliers) == 1)} the parameters much by {'itself' if len(outliers) == 1 else 'themselves'} (Cook's distance above 1)"
        )
    return notes
