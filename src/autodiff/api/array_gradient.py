"""The gradient of a number by arrays and numbers, from the NumPy sweeps, and its confirmation by the other mode.

>>> from autodiff.core.lowering import lower
>>> lowered, point = lower("sum(x^2)"), {"x": np.array([1.0, 2.0])}
>>> found = Gradient(lowered, algebra.evaluate(lowered, point), point, {"x": 0}, "reverse")
>>> found.gradient["x"], found.confirmed(["x"])
(array([2., 4.]), True)
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from autodiff import diagnostics
from autodiff.arrays import algebra
from autodiff.arrays.algebra import ArrayTrace
from autodiff.core.lowering import Lowered
from autodiff.verify.array_difference import broken_rule, direction

_EPSILON = 2.0**-52


class Gradient:
    """The slopes of `lowered` in `names`, each shaped like its name: `gradient`, and in mode both `forward` beside it."""

    def __init__(
        self, lowered: Lowered, run: ArrayTrace, point: Mapping[str, Any], names: Mapping[str, int], mode: str
    ) -> None:
        self.lowered, self.run, self.point, self.names, self.mode = lowered, run, point, names, mode
        self.gradient = self._reverse() if mode != "forward" else self._forward()
        self.forward = self._forward() if mode == "both" else None

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a name's value, and so of its slope."""
        value = self.run.values[self.names[name]]
        return tuple(np.shape(self.point.get(name, 0.0) if value is None else value))

    def _reverse(self) -> dict[str, Any]:
        """One sweep downward for all names."""
        adjoints = algebra.vjp(self.run, list(self.names.values()))
        return {name: self._filled(name, adjoints.get(node, 0.0)) for name, node in self.names.items()}

    def missing(self, name: str) -> Any:
        """A slope that is not known: NaN for each element of an array."""
        shape = self.shape(name)
        return np.full(shape, math.nan) if shape else None

    def _filled(self, name: str, slope: Any) -> Any:
        """A slope in the shape of its name."""
        shape = self.shape(name)
        return np.array(np.broadcast_to(slope, shape), dtype=float) + 0.0 if shape else float(slope) + 0.0

    def _forward(self) -> dict[str, Any]:
        """A sweep upward for every element of every name."""
        slopes = {}
        for name, node in self.names.items():
            shape = self.shape(name)
            units = np.eye(math.prod(shape))
            rates = [self._along({node: unit.reshape(shape) if shape else 1.0}) for unit in units]
            slopes[name] = self._filled(name, np.reshape(rates, shape))
        return slopes

    def _along(self, seeds: Mapping[int, Any]) -> float:
        return float(algebra.jvp(self.run, seeds).get(self.lowered.result, 0.0))

    def confirmed(self, names: Collection[str]) -> bool | None:
        """Whether one sweep of the other mode along a fixed direction agrees for `names`; None where that is undecided.

        Raises AutodiffError when they disagree, or when the values beside the point contradict a rule.
        """
        checked = {name: self.names[name] for name in names if np.all(np.isfinite(self.gradient[name]))}
        along = {name: direction(self.shape(name), 1 + 7919 * k) for k, name in enumerate(checked)}
        tangents = algebra.jvp(self.run, {node: along[name] for name, node in checked.items()})
        adjoints = algebra.vjp(self.run, list(checked.values()))
        here = math.fsum(float(np.sum(along[name] * self.gradient[name])) for name in checked)
        there = float(tangents.get(self.lowered.result, 0.0))
        if self.mode == "forward":
            there = math.fsum(float(np.sum(along[n] * adjoints.get(node, 0.0))) for n, node in checked.items())
        allowed = 16 * _EPSILON * algebra.sizes(self.run, adjoints, tangents) + 1e-300
        if not (math.isfinite(there) and math.isfinite(allowed)):
            return None
        if abs(here - there) > allowed:
            raise diagnostics.disagreement()
        if (node := broken_rule(self.run)) is not None:
            raise diagnostics.rejected(self.lowered, node)
        return True
