"""Optimizers over all parameters as one vector: the vector, and their iterations, each with what is remembered of each parameter.

>>> vector = ParameterVector({"w": 1.0, "b": np.array([2.0, 3.0])})
>>> vector.joined({"b": [2.0, 3.0], "w": 1.0})
array([1., 2., 3.])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autodiff.core.evaluate import DomainError
from autodiff.train.checkpoint import State
from autodiff.train.model import Objective, Overflow

if TYPE_CHECKING:
    from autodiff.train.optimizers.lbfgs import Pairs
    from autodiff.train.optimizers.trust_region import Trust, TwiceDifferentiableLoss

TRUST_REGION = ("lm", "newton")
"""Optimizers that keep a matrix of the parameters."""

WHOLE = ("lbfgs", *TRUST_REGION)
"""Optimizers that choose the length of their steps, over all parameters as one vector and all rows."""

Iterations: TypeAlias = "Iterator[tuple[float, Any, Mapping[str, Mapping[str, Any]]]]"
"""For each iteration the loss, the vector, and what is remembered of each parameter."""


def iterations(objective: Objective, start: State, optimizer: str, count: int) -> Iterations:
    """At most `count` iterations of one of WHOLE from a state."""
    whole = ParameterVector(start.parameters)
    if optimizer == "lbfgs":
        return _quasi_newton(objective, start, whole, count)
    return _trust_region(curved(objective, whole, optimizer), start, whole, count)


def _quasi_newton(objective: Objective, start: State, whole: ParameterVector, count: int) -> Iterations:
    from autodiff.train.optimizers.lbfgs import minimize  # needs SciPy

    def slopes(vector: Any) -> tuple[float, Any] | None:
        try:
            loss, gradient = objective.slopes(whole.parts(vector))
        except (DomainError, Overflow):
            return None
        return loss, whole.joined(gradient)

    for done in minimize(slopes, whole.joined(start.parameters), whole.pairs(start.memory), count):
        yield done.loss, done.vector, whole.memory(done.pairs)


def _trust_region(loss: TwiceDifferentiableLoss, start: State, whole: ParameterVector, count: int) -> Iterations:
    from autodiff.train.optimizers.trust_region import minimize  # other optimizers do without

    for reached, vector, (radius, scale) in minimize(
        loss, whole.joined(start.parameters), whole.trust(start.memory), count
    ):
        parts = whole.parts(scale)
        yield reached, vector, {name: {"radius": radius, "scale": parts[name]} for name in parts}


def curved(objective: Objective, whole: ParameterVector, optimizer: str) -> TwiceDifferentiableLoss:
    """The loss with the curvature that an optimizer of TRUST_REGION takes."""
    from autodiff.train.optimizers.curvature import LeastSquares, Newton  # other optimizers do without

    return (LeastSquares if optimizer == "lm" else Newton)(objective, whole)


def whole_hessian(product: Callable[[Any], Any], size: int) -> Any:
    """The Hessian of `size` parameters, from its products with a direction along each."""
    matrix = np.stack([product(unit) for unit in np.eye(size)])
    return (matrix + matrix.T) / 2


class ParameterVector:
    """Parameters of all shapes as one vector, and what the optimizers of it remember as a memory of each parameter."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.shapes = {name: np.shape(value) for name, value in parameters.items()}

    def joined(self, parts: Mapping[str, Any]) -> Any:
        """The parameters, or their slopes, as one vector."""
        return np.concatenate([np.ravel(parts[name]).astype(np.float64) for name in self.shapes])

    def parts(self, vector: Any) -> dict[str, Any]:
        """The same back."""
        values, at = {}, 0
        for name, shape in self.shapes.items():
            size = int(np.prod(shape, dtype=int))
            values[name] = vector[at : at + size].reshape(shape).copy() if shape else float(vector[at])
            at += size
        return values

    def memory(self, pairs: Pairs) -> dict[str, dict[str, Any]]:
        """The steps and the changes of the slope that belong to each parameter, oldest first."""
        steps, changes = ([self.parts(pair[k]) for pair in pairs] for k in (0, 1))
        return {
            name: {"steps": np.array([s[name] for s in steps]), "changes": np.array([c[name] for c in changes])}
            for name in (self.shapes if pairs else ())
        }

    def trust(self, memory: Mapping[str, Mapping[str, Any]]) -> Trust:
        """The radius and the scales. Raises KeyError or ValueError where a memory does not belong to these parameters."""
        from autodiff.train.optimizers.trust_region import Trust

        if not memory:
            return Trust()
        (radius,) = {float(np.squeeze(memory[name]["radius"])) for name in self.shapes}
        scale = {name: np.reshape(memory[name]["scale"], shape) for name, shape in self.shapes.items()}
        return Trust(radius, self.joined(scale))

    def pairs(self, memory: Mapping[str, Mapping[str, Any]]) -> Pairs:
        """The same back. Raises KeyError or ValueError where a memory does not belong to these parameters."""
        if not memory:
            return ()
        kept = [[np.atleast_1d(memory[name][key]) for name in self.shapes] for key in ("steps", "changes")]
        (count,) = {len(part) for parts in kept for part in parts}
        steps, changes = (
            np.concatenate(
                [p.reshape(count, *s).reshape(count, -1) for p, s in zip(parts, self.shapes.values(), strict=True)],
                axis=1,
            )
            for parts in kept
        )
        return tuple(zip(steps, changes, strict=True))
