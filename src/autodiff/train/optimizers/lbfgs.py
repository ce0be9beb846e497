"""L-BFGS: a step along a quasi-Newton direction, made from the last steps and slopes; its length is from SciPy's line search.

    minimize(slopes, start, (), 50)    gives, per iteration, the loss, the vector, and the steps that are remembered

An iteration depends on the vector and the remembered steps alone, so a training can be saved between any two. Sources: Nocedal
and Wright 2006, algorithms 7.4 (the two loops) and 3.5 (the line search, by strong Wolfe conditions).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from autodiff.libraries import library

REMEMBERED = 10
"""Steps."""

ROUNDING = 2.0**-52

FLAT = 1e-12
"""The largest slope at which the search ends."""

DECREASE, LENGTHS = 1e-4, 120
"""The share of the fall that the slope predicts which a step must reach; how many lengths are tried."""

Vector: TypeAlias = Any
Pairs: TypeAlias = "tuple[tuple[Vector, Vector], ...]"
"""For each remembered step, oldest first: the step, and how much the slope changed along it."""

Slopes: TypeAlias = "Callable[[Vector], tuple[float, Vector] | None]"
"""The loss and its slope; None where it has none."""


class Iteration(NamedTuple):
    """Where an iteration ended: the loss there, the vector, and what the next one remembers."""

    loss: float
    vector: Vector
    pairs: Pairs


def minimize(slopes: Slopes, start: Vector, pairs: Pairs, iterations: int) -> Iterator[Iteration]:
    """Each iteration, until no step makes the loss smaller. There must be a loss at the start.

    Raises AutodiffError when SciPy is not installed.
    """
    search = library("scipy.optimize", "lbfgs", "lbfgs").line_search
    seen = _LastEvaluation(slopes)
    here = Iteration(seen.loss(start), start, pairs)
    for _ in range(iterations):
        slope = seen.slope(here.vector)
        if np.max(np.abs(slope)) <= FLAT:
            return
        there = _step(search, seen, here, slope)
        if there is None and here.pairs:  # the quasi-Newton model does not descend here: steepest descent
            there = _step(search, seen, here._replace(pairs=()), slope)
        if there is None:
            return
        here = there
        yield here


def _step(search: Callable[..., Any], seen: _LastEvaluation, here: Iteration, slope: Vector) -> Iteration | None:
    """A step that lowers the loss, or the slope where the loss changes by rounding only; None where there is none."""
    direction = _direction(slope, here.pairs)

    def by_wolfe(*_: Any) -> float | None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it returns None where it finds no length
            length: float | None = search(seen.loss, seen.slope, here.vector, direction, slope, here.loss)[0]
        return length

    for length_of in (by_wolfe, _by_slope, _by_doubling):
        length = length_of(seen, here, direction, slope)
        if length is None:
            continue
        vector = here.vector + length * direction
        loss, there = seen.loss(vector), seen.slope(vector)
        rounding, flatter = 4 * ROUNDING * abs(here.loss), np.max(np.abs(there)) < np.max(np.abs(slope))
        if loss < here.loss - rounding or (
            flatter and loss <= here.loss + rounding
        ):  # either alone would go in circles
            return _iteration(here, slope, loss, vector, there)
    return None


def _iteration(here: Iteration, slope: Vector, loss: float, vector: Vector, there: Vector) -> Iteration:
    """The iteration that ends at `vector`; its step is remembered where the slope rises along it."""
    step, change = vector - here.vector, there - slope
    bent = float(step @ change) > ROUNDING * float(change @ change)
    pairs = (*here.pairs, (step, change))[-REMEMBERED:] if bent else here.pairs
    return Iteration(loss, vector, pairs)


def _by_slope(seen: _LastEvaluation, here: Iteration, direction: Vector, slope: Vector) -> float | None:
    """The step's length where differences of the loss are rounding: by the slope, as the Wolfe conditions ask.

    Source: Hager and Zhang 2005, the approximate Wolfe conditions.
    """
    steep = float(slope @ direction)
    near, far, length = 0.0, np.inf, 1.0
    for _ in range(30):
        vector = here.vector + length * direction
        rises = seen.loss(vector) > here.loss + 4 * ROUNDING * abs(here.loss)
        there = np.inf if rises else float(seen.slope(vector) @ direction)
        if 0.9 * steep <= there <= -0.8 * steep:
            return length
        near, far = (length, far) if there < 0 else (near, length)
        length = 2 * length if far == np.inf else (near + far) / 2
    return None


def _by_doubling(seen: _LastEvaluation, here: Iteration, direction: Vector, slope: Vector) -> float | None:
    """The step's length where the slope is 0 nowhere along it, as before a corner or the end of a domain: it gets shorter until
    the loss falls, or else doubled as long as the loss falls further.
    """
    steep = float(slope @ direction)

    def loss(length: float) -> float:
        there = seen.loss(here.vector + length * direction)
        return there if there < here.loss + DECREASE * length * steep else np.inf

    length, least = 1.0, loss(1.0)
    if least == np.inf:
        shorter = (4.0**-k for k in range(1, LENGTHS))
        return next((length for length in shorter if loss(length) < np.inf), None)
    for _ in range(LENGTHS):
        reached = loss(2 * length)
        if not reached < least:
            break
        length, least = 2 * length, reached
    return length


def _direction(slope: Vector, pairs: Pairs) -> Vector:
    """The quasi-Newton direction, by the two loops over the remembered steps."""
    if not pairs:
        return -slope / max(1.0, float(np.linalg.norm(slope)))
    direction, weights = -slope, []
    for step, change in reversed(pairs):
        weights.append(float(step @ direction) / float(step @ change))
        direction = direction - weights[-1] * change
    step, change = pairs[-1]
    direction = direction * (float(step @ change) / float(change @ change))
    for (step, change), weight in zip(pairs, reversed(weights), strict=True):
        direction = direction + (weight - float(change @ direction) / float(step @ change)) * step
    return direction


class _LastEvaluation:
    """The loss and the slope as the two functions that a line search calls, computed together."""

    def __init__(self, slopes: Slopes) -> None:
        self._slopes = slopes
        self._at: Vector = None
        self._evaluated: tuple[float, Vector] | None = None

    def loss(self, vector: Vector) -> float:
        """Infinite where there is none: a line search then takes a shorter step."""
        self._evaluate(vector)
        return np.inf if self._evaluated is None else self._evaluated[0]

    def slope(self, vector: Vector) -> Vector:
        self._evaluate(vector)
        return np.full(len(vector), np.nan) if self._evaluated is None else self._evaluated[1]

    def _evaluate(self, vector: Vector) -> None:
        if self._at is None or not np.array_equal(self._at, vector):
            self._at, self._evaluated = vector.copy(), self._slopes(vector)
