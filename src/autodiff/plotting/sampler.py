"""Values and slopes of a program over one variable, by the batch engine; by the one-shot evaluation where digits are lost.

>>> xs, values, slopes = Sampler("x^2", "x", {}).sure(np.array([1.0, 2.0]))
>>> values.tolist(), slopes.tolist()
([1.0, 4.0], [2.0, 4.0])
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from autodiff.api.answer import Answer
from autodiff.batch import compile as batch
from autodiff.errors import AutodiffError, quoted

Vector: TypeAlias = NDArray[np.float64]

RECOMPUTED = 250
"""Samples that are computed again by the one-shot evaluation where float64 loses digits. Others are left out: nothing is
drawn that is not sure."""

WIDEST = 1e150
"""Numbers up to which a range is drawn: distances, and their products with slopes, stay in the range of float64."""

NARROWEST = 1e-11
"""The narrowest range beside its larger end: float64 has some numbers for each sample of it."""


def require_range(variable: str, start: float, stop: float) -> None:
    """Raise AutodiffError for a range that is empty, too wide or too narrow to be sampled."""
    if not start < stop:
        raise AutodiffError(
            f"the range of {variable} is empty: {start:g} to {stop:g}", hint=f"write for example {variable}=-2..2"
        )
    largest = max(abs(start), abs(stop))
    if not largest <= WIDEST:
        raise AutodiffError(f"the range of {variable} reaches {largest:g}, and numbers up to {WIDEST:g} are drawn")
    if stop - start < max(NARROWEST * largest, 1 / WIDEST):
        raise AutodiffError(
            f"the range of {variable} is too narrow: float64 has too few numbers in it", hint="give a wider one"
        )


def others(compiled: batch.Compiled, variables: Collection[str], at: Mapping[str, float]) -> dict[str, float]:
    """The values of the inputs that are not plotted over. Raises AutodiffError where there is none."""
    names = [name for name in compiled.lowered.inputs if name not in variables]
    for name in names:
        if name not in at:
            range_hint = ", or plot over it with --range" if len(variables) == 1 else ""
            raise AutodiffError(f"{quoted(name)} has no value", hint=f"give it one with --at {name}=1{range_hint}")
    return {name: at[name] for name in names}


@dataclass(slots=True)
class Sampler:
    """Value and slope of the program `text` by `variable`, other inputs fixed. Raises AutodiffError where one is missing."""

    text: str
    variable: str
    fixed: Mapping[str, float]
    compiled: batch.Compiled = field(init=False)

    def __post_init__(self) -> None:
        self.compiled = batch.compile(self.text, [self.variable])
        self.fixed = others(self.compiled, [self.variable], self.fixed)

    def approximate(self, xs: Vector) -> tuple[Vector, Vector, NDArray[np.bool_]]:
        """Values and slopes as float64 has them, NaN where there is none, and which of them are sure."""
        value, gradient, sure = self.compiled.approximate(**{**self.fixed, self.variable: xs})
        value, slope = np.array(np.broadcast_to(value, xs.shape)), np.array(gradient[self.variable])
        value[~np.isfinite(value)] = np.nan
        slope[~(np.isfinite(slope) & np.isfinite(value))] = np.nan
        return value, slope, np.broadcast_to(sure, xs.shape) | np.isnan(value)

    def sure(self, xs: Vector) -> tuple[Vector, Vector, Vector]:
        """The xs whose values and slopes are sure, and these: where float64 loses digits, by the one-shot evaluation.

        Of many such xs only some are kept.
        """
        value, slope, known = self.approximate(xs)
        unsure = np.flatnonzero(~known)
        if len(unsure) > RECOMPUTED:
            unsure = unsure[np.linspace(0, len(unsure) - 1, RECOMPUTED).astype(int)]
        for k in unsure:
            answer = self.answer(float(xs[k]))
            value[k], slope[k] = number(answer.value), number(answer.gradient[self.variable])
        kept = known.copy()
        kept[unsure] = True
        return xs[kept], value[kept], slope[kept]

    def answer(self, x: float) -> Answer:
        """The one-shot answer."""
        return self.compiled.answer({**self.fixed, self.variable: x})


def number(value: object) -> float:
    """A value or slope of an answer; NaN where there is none."""
    return value if isinstance(value, float) else math.nan
