"""A program with data and parameters: its loss, and the slope of the loss in every parameter.

>>> from autodiff import parse
>>> from autodiff.core.lowering import lower
>>> model = Model(lower(parse("mean((w*x - y)^2)")), ["w"])
>>> model.slopes({"w": 0.0}, {"x": np.array([1.0, 2.0]), "y": np.array([2.0, 4.0])})
(10.0, {'w': -10.0})

What does not depend on a parameter is computed once per table; a value that the backward pass does not need is freed.
On a corner the slope is the one that PyTorch takes: descent needs a number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from autodiff.arrays import algebra, functions
from autodiff.arrays.algebra import ArrayTrace, Linear
from autodiff.core.evaluate import DomainError
from autodiff.core.linearize import active
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, UNDEFINED, ZERO
from autodiff.train.minibatch_sweep import FEWEST, Sweep, SweepPlan, plan
from autodiff.train.row_axis import mixing_equations, row_axis

CONVENTION = "torch"

Values = Mapping[str, Any]


class Overflow(Exception):
    """A slope that is beyond float64: in `name`, from equation `node` on."""

    def __init__(self, name: str, node: int) -> None:
        super().__init__(name)
        self.name, self.node = name, node


class Model:
    """The loss of `lowered` over columns of data, as a function of its parameters.

    `l1` and `l2` add that many times the sum of |w| and of w² over all parameters to the loss. `masks` are the inputs of
    dropout with the share that is dropped; outside a step of the training nothing is.
    """

    def __init__(
        self,
        lowered: Lowered,
        parameters: Iterable[str],
        l1: float = 0.0,
        l2: float = 0.0,
        masks: Mapping[str, float] | None = None,
    ) -> None:
        self.lowered, self.l1, self.l2 = lowered, l1, l2
        self.masks: Mapping[str, float] = masks or {}
        self._nothing_dropped = dict.fromkeys(self.masks, 1.0)
        nodes = {name: lowered.node(name) for name in parameters}
        self.sources: dict[str, int] = {name: node for name, node in nodes.items() if node is not None}
        self._plans: dict[tuple[Any, ...], SweepPlan | None] = {}

    def slopes(
        self, parameters: Values, columns: Values, fixed: Mapping[int, Any] | None = None, *, proximal: bool = False
    ) -> tuple[float, dict[str, Any]]:
        """The loss, and its slope in each parameter, shaped like it; for a `proximal` step without that of the l1 penalty.

        Raises DomainError where a value does not exist, Overflow where a slope leaves the range of float64.
        """
        l1 = 0.0 if proximal else self.l1
        sweep = self._sweep(parameters, columns, fixed)
        swept = None if sweep is None else sweep.slopes(parameters)
        if swept is not None:
            found = {name: self._slope(swept.slopes.get(name), value, l1) for name, value in parameters.items()}
            if all(map(_finite, found.values())):
                return swept.value + self._penalty(parameters), found
        run = self.run(parameters, columns, fixed, lean=True)
        adjoints = self.adjoints(run, CONVENTION)
        found = {
            name: self._slope(adjoints.get(self.sources.get(name, -1)), value, l1) for name, value in parameters.items()
        }
        for name, slope in found.items():
            if not _finite(slope):
                raise Overflow(name, self._steep(run, adjoints))
        return self._averaged(run) + self._penalty(parameters), found

    def loss(self, parameters: Values, columns: Values, fixed: Mapping[int, Any] | None = None) -> float:
        """The loss alone."""
        sweep = self._sweep(parameters, columns, fixed)
        value = None if sweep is None else sweep.value(parameters)
        value = self._averaged(self.run(parameters, columns, fixed, lean=True)) if value is None else value
        return value + self._penalty(parameters)

    def value(self, parameters: Values, columns: Values, fixed: Mapping[int, Any] | None = None) -> Any:
        """The last statement, whatever its shape, without penalties."""
        sweep = self._sweep(parameters, columns, fixed)
        value = None if sweep is None or not sweep.plan.number else sweep.value(parameters)
        return self.run(parameters, columns, fixed, lean=True).values[self.lowered.result] if value is None else value

    def run(
        self,
        parameters: Values,
        columns: Values,
        fixed: Mapping[int, Any] | None = None,
        *,
        lean: bool = False,
        keep: Collection[int] = (),
    ) -> ArrayTrace:
        """The forward pass; `lean` keeps only what the backward pass needs, and the equations in `keep`."""
        point = {**self._nothing_dropped, **columns, **parameters}
        if fixed is None:
            return algebra.evaluate(self.lowered, point)
        spare = self._spare if lean else None
        if spare and keep:
            spare = {node: [done for done in sparing if done not in keep] for node, sparing in spare.items()}
        resting = [node for node in keep if not self._moving[node] and node not in fixed and node in self._needed]
        known = {**fixed, **self._resting(resting, columns)} if resting else fixed
        return algebra.evaluate(self.lowered, point, known, spare, order=[*known, *self._moving_order])

    def _resting(self, nodes: Sequence[int], columns: Values) -> dict[int, Any]:
        """The values of equations that depend on no parameter."""
        run = algebra.evaluate(self.lowered, {**self._nothing_dropped, **columns}, results=nodes)
        return {node: run.values[node] for node in nodes}

    def fixed(self, columns: Values) -> dict[int, Any] | None:
        """The values that depend on no parameter and are used by one that does: they are the same in all steps.

        None where one of them has no value: an untaken branch of a condition may hide that, so each pass must look.
        """
        if not self._frontier:
            return {}
        try:
            return self._resting(self._frontier, columns)
        except DomainError:
            return None

    def cut(self, columns: Values, fixed: Mapping[int, Any] | None) -> Callable[[Any, Values], dict[int, Any]] | None:
        """The function that gives the values of `fixed`, which are of all rows, for some rows, of which it gets the columns.

        None where one of them is made from several rows, such as a mean, so that each minibatch has its own.
        """
        if not fixed or self.masks:
            return None
        count = len(next(iter(columns.values()), ()))
        graph, order = self.lowered.graph, self.lowered.graph.reaching(*self._frontier)
        try:
            two, three = (
                self._resting(order, {name: column[:rows] for name, column in columns.items()}) for rows in (2, 3)
            )
        except DomainError:
            return None
        axes = {node: row_axis(np.shape(two[node]), np.shape(three[node])) for node in order}
        if count < 3 or mixing_equations(graph, order, axes):
            return None

        def of_rows(rows: Any, part: Values) -> dict[int, Any]:
            return {
                node: part[graph.inputs[node]]
                if node in graph.inputs
                else (value if axes[node] is None else np.take(value, rows, axis=axes[node]))
                for node, value in fixed.items()
            }

        return of_rows

    def dropped(self, parameters: Values, columns: Values, chance: np.random.Generator) -> dict[str, Any]:
        """A random mask for each dropout: 0 where an element is dropped, else the factor that keeps the mean."""
        graph, values = self.lowered.graph, self.run(parameters, columns).values
        masks: dict[str, Any] = {}
        for name, share in self.masks.items():
            mask = graph.find(name)
            (whole,) = {np.shape(v) for a, v in zip(graph.args, values, strict=True) if mask in a and v is not None}
            masks[name] = (chance.random(whole) >= share) / (1 - share)
        return masks

    def adjoints(self, run: ArrayTrace, convention: str = "") -> dict[int, Any]:
        """The backward pass: the slope of the loss in every equation between it and the parameters."""
        value = run.values[self.lowered.result]
        edges = None if run.inactive else self._edges
        return algebra.vjp(run, list(self.sources.values()), convention, 1.0 / np.size(value), edges)

    def _sweep(self, parameters: Values, columns: Values, fixed: Mapping[int, Any] | None) -> Sweep | None:
        """The sweep in blocks, where there are many rows and what is fixed is known; None where one pass takes them all."""
        count = len(next(iter(columns.values()))) if columns else 0
        if fixed is None or count < 2 * FEWEST:
            return None
        key = (count, tuple((name, np.shape(value)) for name, value in parameters.items()))
        if key not in self._plans:
            self._plans[key] = plan(self.lowered, fixed, parameters, count)
        found = self._plans[key]
        if found is None or count < 2 * found.size:
            return None
        return Sweep(found, fixed, count, CONVENTION)

    def _averaged(self, run: ArrayTrace) -> float:
        return float(np.mean(run.values[self.lowered.result]))

    def _penalty(self, parameters: Values) -> float:
        penalty = 0.0
        for weight in parameters.values() if self.l1 or self.l2 else ():
            penalty += self.l1 * float(np.sum(np.abs(weight))) + self.l2 * float(np.sum(np.square(weight)))
        return penalty

    def _slope(self, slope: Any, value: Any, l1: float) -> Any:
        """A parameter's slope as a number or an array of its own, penalties included: of |w| at 0 the one that makes the
        slope as small as it can be."""
        slope = 0.0 * value if slope is None else slope
        if self.l2:
            slope = slope + 2 * self.l2 * value
        if l1:
            at_zero = np.sign(slope) * np.maximum(np.abs(slope) - l1, 0.0)
            slope = np.where(np.asarray(value) == 0, at_zero, slope + l1 * np.sign(value))
        return np.array(slope) if np.ndim(value) else float(slope)

    def _steep(self, run: ArrayTrace, adjoints: Mapping[int, Any]) -> int:
        """The equation from which on, going back, a slope is not finite."""
        graph = self.lowered.graph
        for node in reversed(run.order):
            lost = [a for a in graph.args[node] if a in adjoints and not np.all(np.isfinite(adjoints[a]))]
            if lost and node in adjoints and np.all(np.isfinite(adjoints[node])):
                return node
        return self.lowered.result

    def moves(self, node: int) -> bool:
        """Whether the value of an equation depends on a parameter."""
        return bool(self._moving[node])

    # --- what is known before the first step -------------------------------------------------------------------------

    @cached_property
    def _moving(self) -> bytearray:
        """A flag per equation: whether its value depends on a parameter."""
        graph = self.lowered.graph
        flags = bytearray(len(graph))
        for node in self.sources.values():
            flags[node] = 1
        for node, args in enumerate(graph.args):
            flags[node] = flags[node] or any(flags[a] for a in args)
        return flags

    @cached_property
    def _order(self) -> list[int]:
        return self.lowered.graph.reaching(self.lowered.result)

    @cached_property
    def _needed(self) -> frozenset[int]:
        return frozenset(self._order)

    @cached_property
    def _moving_order(self) -> list[int]:
        return [node for node in self._order if self._moving[node]]

    @cached_property
    def _frontier(self) -> list[int]:
        graph, moving = self.lowered.graph, self._moving
        behind = {a for node in self._moving_order for a in graph.args[node] if not moving[a]}
        return sorted(behind | ({self.lowered.result} if not moving[self.lowered.result] else set()))

    @cached_property
    def _active(self) -> set[int]:
        """The equations that a derivative flows through."""
        return active(self.lowered.graph, self._order, self.sources.values())

    @cached_property
    def _edges(self) -> Linear:
        """The active equations, each with the arguments that its adjoint goes to."""
        return algebra.linear(ArrayTrace(self.lowered, [], self._order), list(self.sources.values()))

    @cached_property
    def _spare(self) -> Mapping[int, Sequence[int]] | None:
        """Per equation, the values that neither the rest of this pass nor the backward pass uses."""
        graph, order = self.lowered.graph, self._moving_order
        rows = [graph.rows[node] for node in order]
        if any(row is not None and row.branches is not None for row in rows):
            return None
        last = {a: node for node in order for a in graph.args[node]}
        kept = {self.lowered.result, *self.sources.values(), *self._frontier}
        for node in order:
            kept |= self._needed_back(node)
        spare: dict[int, list[int]] = {}
        for value, node in last.items():
            if value not in kept:
                spare.setdefault(node, []).append(value)
        return spare

    def _needed_back(self, node: int) -> set[int]:
        """The values that the partials of an equation use."""
        graph = self.lowered.graph
        row, args = graph.rows[node], graph.args[node]
        if row is None:
            return set()
        names = (*row.params, "w") if row.kind in (ELEMENTWISE, REDUCTION) else (*row.params, "w", "g")
        of = dict(zip(row.params, args, strict=True)) | {"w": node}
        texts = [
            text
            for text, a in zip(row.partials, args, strict=True)
            if a in self._active and text not in (ZERO, UNDEFINED)
        ]
        if texts and row.kink:
            return set(of.values())
        return {of[name] for text in texts for name in functions.used(text, names) if name in of}


def _finite(slope: Any) -> bool:
    return bool(np.all(np.isfinite(slope)))
