"""Other starts of a search than the one that is given: the best of several, or a look for a smaller sum.

best(search, begin, options, 20, 0)        the best solution of 20 starts, and how many of them ended in its minimum
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from autodiff.errors import AutodiffError
from autodiff.fitting import minimum, objective, solve
from autodiff.fitting.problem import Problem, Vector

CLOSE = 1e-6
"""Relative difference of two sums of squares that belong to one minimum."""

TRIED_STARTS, TRIED_STEPS, TRIED_ROWS = 20, 50, 1000
"""How many starts are tried for a smaller sum, where one is asked for, with how many steps and rows at most."""

GOOD, RELATED = 0.99, 1.5
"""A fit from which no other start is tried, so that a loop over good fits takes no longer: the share of y's variance that it
explains, and the correlation of one residual with the next, at most, in deviations of that of random numbers."""


AnySolution = TypeVar("AnySolution", bound=solve.Solution)


def best(
    search: Callable[[Vector], AnySolution], begin: Vector, options: objective.Options, starts: int, seed: int
) -> tuple[AnySolution, int]:
    """The best solution that a search reaches from several starts, and how many of them ended in its minimum."""
    draw = np.random.default_rng(seed)
    solutions = [search(begin)]
    for _ in range(starts - 1):
        try:
            solutions.append(search(_drawn(draw, begin, options)))
        except AutodiffError:  # no value at a drawn start: it counts as tried
            continue
    least = min(solutions, key=lambda s: (s.cost if s.cost == s.cost else math.inf, s.ended != "converged"))
    return least, sum(s.cost <= least.cost * (1 + CLOSE) for s in solutions)


def lower_sum(
    problem: Problem, begin: Vector, options: objective.Options, solution: solve.Solution, seed: int, explained: float
) -> str:
    """A sentence about a start that leads to a smaller sum, from a short search over a sample of the rows; "" for none.

    The starts are those of `best`. Over many rows, of which passes take long, of a model that is linear in all parameters, and
    where the share of y's variance that is `explained` is large and residuals are like random numbers, none are tried.
    """
    exact = objective.is_exact(problem, solution.parameters, options)
    if solution.ended != "converged" or exact or objective.is_large(problem):
        return ""
    if explained > GOOD and not _are_related(problem, problem.residuals(solution.parameters)):
        return ""
    sample, draw = problem.sample(TRIED_ROWS), np.random.default_rng(seed)
    short = replace(options, steps=TRIED_STEPS)
    method = "lm" if options.is_plain and sample.rows >= len(begin) else "trf"
    with sample.searching():
        if options.loss == "linear" and len(minimum.linear_parameters(sample, begin)) == len(begin):
            return ""
    least, there = solution.cost * (1 - CLOSE), None
    for _ in range(TRIED_STARTS - 1):
        with suppress(AutodiffError), sample.searching():
            start = _drawn(draw, begin, options)
            if not np.isfinite(sample.residuals(start)).all():
                continue
            tried = solve.searched(sample, start, short, method).parameters
            reached = objective.cost(problem, tried, options)
            if reached < least:
                least, there = reached, tried
    if there is None:
        return ""
    place = ", ".join(f"{name} = {value:.4g}" for name, value in zip(problem.names, there, strict=True))
    sums = f"{2 * least:.4g} instead of {2 * solution.cost:.4g}"
    return f"another start leads to a smaller sum, {sums} ({place}): try --starts {TRIED_STARTS}"


def _are_related(problem: Problem, residuals: Vector) -> bool:
    """Whether residuals tell what the next one is, in the order of the rows or in that of a column."""
    apart = residuals - residuals.mean()
    orders = (apart, *(apart[np.argsort(column, kind="stable")] for column in problem.columns.values()))
    largest = max(abs(float(ordered[1:] @ ordered[:-1])) for ordered in orders)
    return largest > RELATED / math.sqrt(problem.rows) * float(apart @ apart)


def _drawn(draw: Any, begin: Vector, options: objective.Options) -> Vector:
    """A start within the bounds where both are finite, else up to ten times larger or smaller than the first one."""
    factors = 10.0 ** draw.uniform(-1, 1, len(begin))
    drawn = np.where(begin == 0, draw.standard_normal(len(begin)), begin * factors)
    both = np.isfinite(options.lower) & np.isfinite(options.upper)
    inside = draw.uniform(np.where(both, options.lower, 0), np.where(both, options.upper, 1))
    return np.asarray(np.clip(np.where(both, inside, drawn), options.lower, options.upper))
