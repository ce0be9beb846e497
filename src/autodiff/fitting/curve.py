"""The fitted curve with its band, beside the data: what a picture of a fit shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from autodiff.fitting import statistics
from autodiff.fitting.problem import Problem, Vector

PLACES, BESIDE = 400, 0.03
"""Places at which the curve is computed, and how far it goes on beside the data, in parts of their range."""


@dataclass(frozen=True, slots=True)
class FittedCurve:
    """Of the model over x, ascending: the fitted values and the ends of their band, NaN where these are not known.

    across  what x is: the model's column; the fitted value where it has several, the number of the row where none
    up      what is fitted
    at, y   the data, and `sigma` the deviation of each y, `sigma_at` that of what is across, where they are given
    band    which band it is
    """

    model: str
    across: str
    up: str
    x: Vector
    fitted: Vector
    lower: Vector
    upper: Vector
    at: Vector
    y: Vector
    sigma: Vector | None
    sigma_at: Vector | None
    band: str


@np.errstate(all="ignore")
def curve(
    problem: Problem, parameters: Vector, estimate: statistics.Estimate, target: str, level: float,
    deviations: Mapping[str, Vector], *, prediction: bool,
) -> FittedCurve:  # fmt: skip
    """The curve at these parameters; the band is that of the curve or, with `prediction`, that of new values of y; none over
    several columns. `deviations` are those of columns with errors.

    Where each y has its own deviation, the band of new values has that between two y's, on a straight line.
    """
    places = _along(problem)
    across, x = _across(places, parameters)
    _, at = _across(problem, parameters)
    noise: Vector | float = 0.0
    if prediction:
        order = np.argsort(at, kind="stable")
        given = problem.sigma
        noise = (estimate.deviation or math.nan) if given is None else np.interp(x, at[order], given[order])
    half = statistics.band(places.slopes(parameters), estimate, level, noise)
    if len(problem.columns) > 1:  # rows side by side there may be far from each other in the columns
        half = np.full(places.rows, math.nan)
    fitted, order = places.fitted(parameters), np.argsort(x, kind="stable")
    lower, upper = (fitted + side * half for side in (-1, 1))
    band = f"{100 * level:g} % band of {'new values' if prediction else 'the curve'}"
    return FittedCurve(
        problem.model.lowered.source, across, target, x[order], fitted[order], lower[order], upper[order],
        at, problem.y, problem.sigma, deviations.get(across), band,
    )  # fmt: skip


def _along(problem: Problem) -> Problem:
    """The problem over evenly spaced places of its column, a little beyond the data; itself where it has not one column."""
    if len(problem.columns) != 1:
        return problem
    ((name, column),) = problem.columns.items()
    low, high = float(column.min()), float(column.max())
    room = BESIDE * (high - low) or 0.5 * max(abs(low), 1.0)
    x = np.linspace(low - room, high + room, PLACES)
    return replace(problem, columns={name: x}, y=np.zeros(PLACES), sigma=None, _latest=None, _sums={})


def _across(problem: Problem, parameters: Vector) -> tuple[str, Vector]:
    if not problem.columns:
        return "row", np.arange(1.0, problem.rows + 1)
    if len(problem.columns) > 1:
        return "fitted value", problem.fitted(parameters)
    return next(iter(problem.columns.items()))
