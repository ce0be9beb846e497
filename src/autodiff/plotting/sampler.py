"""Values and slopes of a program over one or two variables, its other inputs fixed, for drawing.

>>> sampler = Sampler("a*x^2", ("x",), {"a": 3.0})
>>> sampler.sure(np.array([1.0, 2.0]))[1:]
(array([ 3., 12.]), array([ 6., 12.]))
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autodiff.api.answer import Answer
from autodiff.api.evaluate import parse
from autodiff.batch.compile import Compiled, compiled
from autodiff.core.lowering import lower
from autodiff.errors import AutodiffError, quoted

Vector: TypeAlias = NDArray[np.float64]

RECOMPUTED = 100
"""Samples that are computed again by the one-shot evaluation where float64 loses digits. Others are left out: nothing is
drawn that is not sure."""

RECOMPUTED_OF_GRID = 4000
"""The same over two variables, where rows are computed again together."""

INVISIBLE = 1e-4
"""Differences of values that a picture over two variables does not show, in parts of all values."""

WIDEST = 1e150
"""Numbers up to which a range is drawn: distances, and their products with slopes, stay in the range of float64."""

NARROWEST = 1e-11
"""The narrowest range beside its larger end: float64 has some numbers for each sample of it."""

SMALLEST = 1e-280
"""The narrowest range around 0: steps between its samples are no denormal numbers, nor what Matplotlib takes for none."""


def require_range(variable: str, start: float, stop: float) -> None:
    """Raise AutodiffError for a range that is empty, too wide or too narrow to be sampled."""
    if not start < stop:
        raise AutodiffError(
            f"the range of {variable} is empty: {start:g} to {stop:g}", hint=f"write for example {variable}=-2..2"
        )
    largest = max(abs(start), abs(stop))
    if not largest <= WIDEST:
        raise AutodiffError(f"the range of {variable} reaches {largest:g}, and numbers up to {WIDEST:g} are drawn")
    if stop - start < max(NARROWEST * largest, SMALLEST):
        raise AutodiffError(
            f"the range of {variable} is too narrow: float64 has too few numbers in it", hint="give a wider one"
        )


@dataclass(slots=True)
class Sampler:
    """The program `text` over `variables`, other inputs `fixed`. Raises AutodiffError where one is missing.

    sloped  whether slopes are wanted; without them they are 0
    bits    the least precision that a sample needed where float64 lost digits: others of the curve often need the same
    """

    text: str
    variables: tuple[str, ...]
    fixed: Mapping[str, float]
    sloped: bool = True
    bits: int = field(default=0, init=False)
    compiled: Compiled = field(init=False)

    def __post_init__(self) -> None:
        lowered = lower(parse(self.text, given={*self.variables, *self.fixed}))
        for name in lowered.inputs:
            if name not in self.variables and name not in self.fixed:
                raise AutodiffError(
                    f"{quoted(name)} has no value", hint=f"give it one with --at {name}=1, or plot over it with --range"
                )
        self.fixed = {n: x for n, x in self.fixed.items() if n in lowered.inputs and n not in self.variables}
        self.compiled = compiled(
            lowered, [n for n in self.variables if self.sloped and n in lowered.inputs], exact=False
        )

    @property
    def by_balls(self) -> bool:
        """Whether some function has no algorithm in float64: each number of it takes as long as a thousand of another."""
        plan = self.compiled.plan
        return plan is not None and any(row.by_balls for row, _ in plan.calls)

    @property
    def variable(self) -> str:
        """The variable of a curve."""
        return self.variables[0]

    def over(self, *places: Any) -> dict[str, Any]:
        """The inputs of the program where the variables are `places`, numbers or arrays."""
        given = dict(zip(self.variables, places, strict=True))
        return {name: given.get(name, self.fixed.get(name)) for name in self.compiled.lowered.inputs}

    def approximate(self, *places: Vector) -> tuple[Vector, list[Vector], NDArray[np.bool_]]:
        """Values and slopes as float64 has them, NaN where there is none, and which of them are sure."""
        shape = places[0].shape
        value, gradient, sure = self.compiled.approximate(**self.over(*places))
        value = np.array(np.broadcast_to(value, shape))
        value[~np.isfinite(value)] = np.nan
        slopes = [np.array(np.broadcast_to(gradient.get(name, 0.0), shape)) for name in self.variables]
        for slope in slopes:
            slope[~(np.isfinite(slope) & np.isfinite(value))] = np.nan
        return value, slopes, np.broadcast_to(sure, shape) | np.isnan(value)

    def everywhere(self, *places: Vector) -> tuple[Vector, list[Vector]] | None:
        """Values and slopes, computed again where float64 loses digits; where these are many, some are, and if a picture
        would show the difference there is None.
        """
        value, slopes, known = self.approximate(*places)
        unsure = np.flatnonzero(~known)
        if not len(unsure):
            return value, slopes
        many = len(unsure) > RECOMPUTED_OF_GRID
        if many:
            unsure = unsure[:: len(unsure) // RECOMPUTED]
        before = value.flat[unsure]
        again, again_slopes = self.one_by_one(*(place.flat[unsure] for place in places))
        for column, numbers in zip((value, *slopes), (again, *again_slopes), strict=True):
            column.flat[unsure] = numbers
        shown = INVISIBLE * float(np.nanmax(value) - np.nanmin(value))
        return (
            None if many and not np.allclose(before, again, rtol=0.0, atol=shown, equal_nan=True) else (value, slopes)
        )

    def one_by_one(self, *places: Vector) -> tuple[Vector, list[Vector]]:
        """Values and slopes as the rows of a table have them, NaN where there is none."""
        rows = self.compiled.batch(**self.over(*places))
        return rows.value, [np.broadcast_to(rows.gradient.get(name, 0.0), rows.value.shape) for name in self.variables]

    def sure(self, xs: Vector) -> tuple[Vector, Vector, Vector]:
        """The xs whose values and slopes are sure, and these: where float64 loses digits, by the one-shot evaluation.

        Of many such xs only some are kept.
        """
        value, (slope,), known = self.approximate(xs)
        unsure = np.flatnonzero(~known)
        if len(unsure) > RECOMPUTED:
            unsure = unsure[np.linspace(0, len(unsure) - 1, RECOMPUTED).astype(int)]
        for k in unsure:
            value[k], slope[k] = self.exact(float(xs[k]))
        kept = known.copy()
        kept[unsure] = True
        return xs[kept], value[kept], slope[kept]

    def exact(self, x: float) -> tuple[float, float]:
        """Value and slope of the one-shot answer, NaN where it has none."""
        answer = self.compiled.answer(self.over(x), least_bits=self.bits)
        self.bits = min(self.bits or answer.bits, answer.bits or self.bits)
        slope = answer.gradient.get(self.variable, 0.0)
        return math.nan if answer.value is None else float(answer.value), math.nan if slope is None else float(slope)

    def answer(self, *place: float) -> Answer:
        """The one-shot answer."""
        return self.compiled.answer(self.over(*place))
