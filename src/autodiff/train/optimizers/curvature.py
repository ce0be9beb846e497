"""The losses that have a curvature: by the exact Hessian, for Newton's method, and as squares, for Levenberg-Marquardt.

    Newton(objective, vector).expansion(start)       the loss at the vector `start`, its slope and its Hessian

`vector` joins the parameters of the objective, see `ParameterVector`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from autodiff.arrays import algebra
from autodiff.arrays.second_order import AdjointRates
from autodiff.core import templates
from autodiff.core.evaluate import DomainError
from autodiff.core.primitive import ELEMENTWISE, LINEAR, Primitive
from autodiff.diagnostics import written
from autodiff.errors import AutodiffError
from autodiff.train.minibatch_sweep import MEANS, SUMS
from autodiff.train.model import CONVENTION, Model, Objective, Overflow
from autodiff.train.optimizers.whole_vector import whole_hessian

Vector: TypeAlias = Any

MOST = {"newton": 1000, "lm": 50_000_000}
"""The most parameters, of which Newton's method keeps a square matrix; the most rows times parameters."""


# --- Newton's method ---------------------------------------------------------------------------------------------------


class _LossOfVector:
    """The loss of an objective, whose parameters `vector` joins."""

    def __init__(self, objective: Objective, vector: Any) -> None:
        self.objective, self.vector, self.model = objective, vector, objective.model

    def loss(self, vector: Vector) -> float:
        """The loss; infinite where there is none, and there is no expansion either."""
        try:
            return self.objective.loss(self.vector.parts(vector))
        except (DomainError, Overflow):
            return math.inf


class Newton(_LossOfVector):
    """The loss with its exact Hessian."""

    def expansion(self, vector: Vector) -> WithHessian | None:
        parameters = self.vector.parts(vector)
        try:
            loss, slopes = self.objective.slopes(parameters)
            hessian = whole_hessian(hessian_products(self.objective, self.vector, parameters), len(vector))
        except (DomainError, Overflow):
            return None
        whole = np.isfinite(loss) and np.isfinite(hessian).all()
        return WithHessian(loss, self.vector.joined(slopes), hessian) if whole else None


def hessian_products(objective: Objective, vector: Any, parameters: Any) -> Callable[[Vector], Vector]:
    """The exact Hessian of the loss times a direction. Raises DomainError and Overflow where there is no loss."""
    model, shapes = objective.model, vector.shapes
    run = objective.run(parameters, whole=True)
    rates = AdjointRates(run, list(model.sources.values()), CONVENTION, 1.0 / np.size(run.values[model.lowered.result]))
    zero = {name: np.zeros(shape) for name, shape in shapes.items()}

    def product(direction: Vector) -> Vector:
        directions = vector.parts(direction)
        moved = rates({node: directions[name] for name, node in model.sources.items()})
        slopes = {n: np.broadcast_to(moved.get(node, 0.0), shapes[n]) for n, node in model.sources.items()}
        return vector.joined({**zero, **slopes}) + 2 * model.l2 * direction

    return product


class WithHessian:
    """A loss with its slope and its Hessian: `sizes` are the roots of its diagonal."""

    def __init__(self, loss: float, slope: Vector, hessian: Vector) -> None:
        self.loss, self.slope, self.hessian = loss, slope, hessian

    @property
    def sizes(self) -> Vector:
        return np.sqrt(np.abs(np.diagonal(self.hessian)))

    def spectrum(self, scale: Vector) -> tuple[Vector, Vector, Vector]:
        """In parameters times `scale`: the eigenvalues, smallest first, the eigenvectors as columns, the slope along each."""
        values, directions = np.linalg.eigh(self.hessian / np.outer(scale, scale))
        return values, directions, directions.T @ (self.slope / scale)


# --- Levenberg-Marquardt -----------------------------------------------------------------------------------------------


class LeastSquares(_LossOfVector):
    """A loss that is a sum of squares, as the squares of its residuals: of each node of `squared`, times the root of how
    heavy its square is in the loss."""

    def __init__(self, objective: Objective, vector: Any) -> None:
        super().__init__(objective, vector)
        self.squared = squares(self.model)

    def expansion(self, vector: Vector) -> WithResiduals | None:
        model, parameters = self.model, self.vector.parts(vector)
        graph = model.lowered.graph
        try:
            run = self.objective.run(parameters, whole=True)
            loss = self.objective.loss_of(run, parameters)
        except (DomainError, Overflow):
            return None
        weights = algebra.vjp(run, self.squared, "", 1.0 / np.size(run.values[model.lowered.result]))
        for node, weight in weights.items():
            if np.any(weight < 0):
                why = f"lm minimizes sums of squares, and {written(model.lowered, node)} is subtracted"
                raise model.lowered.error(node, why, "take --optimizer newton or lbfgs")
        roots = {node: np.sqrt(weights[node]) for node in self.squared if node in weights}
        bases = {node: graph.args[node][0] for node in roots}
        residuals = [np.ravel(root * run.values[bases[node]]) for node, root in roots.items()]
        columns = []
        size = len(vector)
        for unit in np.eye(size):
            directions = self.vector.parts(unit)
            moved = algebra.jvp(run, {node: directions[name] for name, node in model.sources.items()})
            columns.append(
                [
                    np.ravel(np.broadcast_to(root * moved.get(bases[n], 0.0), np.shape(root)))
                    for n, root in roots.items()
                ]
            )
        slopes = np.stack([np.concatenate(column) for column in columns], axis=1)
        values = np.concatenate(residuals)
        if model.l2:
            root = math.sqrt(model.l2)
            values, slopes = np.concatenate([values, root * vector]), np.concatenate([slopes, root * np.eye(size)])
        whole = np.isfinite(values).all() and np.isfinite(slopes).all()
        return WithResiduals(loss, values, slopes) if whole else None


class WithResiduals:
    """A loss with the residuals whose squares it adds up, and their slopes, shaped (residuals, parameters)."""

    def __init__(self, loss: float, residuals: Vector, slopes: Vector) -> None:
        self.loss, self.residuals, self.slopes = loss, residuals, slopes

    @cached_property
    def slope(self) -> Vector:
        return 2 * self.slopes.T @ self.residuals

    @property
    def sizes(self) -> Vector:
        return math.sqrt(2) * np.linalg.norm(self.slopes, axis=0)

    def spectrum(self, scale: Vector) -> tuple[Vector, Vector, Vector]:
        left, singular, right = np.linalg.svd(self.slopes / scale, full_matrices=False)
        return 2 * singular[::-1] ** 2, right[::-1].T, 2 * (singular * (left.T @ self.residuals))[::-1]


def squares(model: Model) -> list[int]:
    """The squares that the loss of a model adds up. Raises AutodiffError for one that is something else."""
    graph, active = model.lowered.graph, model.active
    squared, todo = list[int](), [model.lowered.result]
    while todo:
        node = todo.pop()
        row, args = graph.rows[node], graph.args[node]
        if not active[node] or node in squared:
            continue
        if row is not None and (
            (row.value == "^" and graph.constants.get(args[1]) == 2) or (row.value == "*" and args[0] == args[1])
        ):
            squared.append(node)
        elif row is not None and _is_linear(row, [bool(active[a]) for a in args]):
            todo += args
        else:
            raise model.lowered.error(
                node,
                f"lm minimizes sums of squares, and {written(model.lowered, node)} is no square",
                "write the loss as mse(y, p), or take --optimizer newton or lbfgs",
            )
    return sorted(squared)


def _is_linear(row: Primitive, active: Sequence[bool]) -> bool:
    """Whether an equation is linear in its `active` arguments, and every one of these has a part of its own in it."""
    if row.branches is not None:
        return not any(active[: row.conditions])
    if row.kind == LINEAR or row.value in (*SUMS, *MEANS):
        return sum(active) == 1
    names = {"w", *(name for name, moves in zip(row.params, active, strict=True) if moves)}
    texts = [text for text, moves in zip(row.partials, active, strict=True) if moves]
    return row.kind == ELEMENTWISE and all(names.isdisjoint(templates.used(t, (*row.params, "w"))) for t in texts)


def require_fit(optimizer: str, model: Model, parameters: Any, rows: int) -> None:
    """Raise AutodiffError for a loss that the optimizer can't take, and for a matrix that would be too large."""
    count = sum(map(np.size, parameters.values()))
    if optimizer == "lm":
        squares(model)
    numbers = rows * count if optimizer == "lm" else count
    if numbers > MOST[optimizer]:
        what = f"{rows:,} rows × {count:,} parameters" if optimizer == "lm" else f"the square of {count:,} parameters"
        raise AutodiffError(
            f"{optimizer} keeps a matrix of {what}, which is too large", hint="take --optimizer lbfgs or adam"
        )
