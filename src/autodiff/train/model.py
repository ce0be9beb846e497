"""A program with data and parameters: its loss, and the slope of the loss in every parameter.

>>> from autodiff.core.lowering import lower
>>> model = Model(lower("mean((w*x - y)^2)"), ["w"])
>>> model.over({"x": np.array([1.0, 2.0]), "y": np.array([2.0, 4.0])}).slopes({"w": 0.0})
(10.0, {'w': -10.0})

What does not depend on a parameter is computed once per table. On a corner the slope is the one that PyTorch takes: descent needs a number.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from autodiff.arrays import algebra
from autodiff.arrays.algebra import ArrayTrace, Linear
from autodiff.arrays.linearize import used_by_partials
from autodiff.arrays.straight import StraightPass, flagged, of_program
from autodiff.arrays.ufuncs import number, shape
from autodiff.core.evaluate import DomainError
from autodiff.core.linearize import active
from autodiff.core.lowering import Lowered
from autodiff.train.minibatch_sweep import FEWEST, Sweep, SweepPlan, Swept, plan
from autodiff.train.row_axis import mixing_equations, row_axes

CONVENTION = "torch"

OFTEN = 4
"""Passes over values of the same shapes after which the next ones are worth a function of their own."""

Values = Mapping[str, Any]


class Overflow(Exception):
    """A number beyond float64 that no operation of the program makes: the slope in `name`, from equation `node` on; without
    a name, the loss with its penalties."""

    def __init__(self, name: str, node: int) -> None:
        super().__init__(name)
        self.name, self.node = name, node


class Model:
    """The loss of `lowered` as a function of its parameters; `over` gives it the rows.

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
        self.nothing_dropped = dict.fromkeys(self.masks, 1.0)
        nodes = {name: lowered.node(name) for name in parameters}
        self.sources: dict[str, int] = {name: node for name, node in nodes.items() if node is not None}
        self._plans: dict[tuple[Any, ...], SweepPlan | None] = {}
        self._passes: dict[tuple[Any, ...], StraightPass | None] = {}
        self._seen: Counter[tuple[Any, ...]] = Counter()

    def over(self, columns: Values, *, once: bool = True) -> Objective:
        """The loss over these columns, as a function of the parameters alone; `once` is whether values without a parameter
        are computed once, and not in each pass."""
        objective = Objective(self, columns)
        if not once:
            objective.fixed = None
        return objective

    def fixed(self, columns: Values) -> dict[int, Any] | None:
        """The values that depend on no parameter and are used by one that does: they are the same in all steps.

        None where one of them has no value: an untaken branch of a condition may not need it, so each pass decides anew.
        """
        if not self.frontier:
            return {}
        try:
            return self.inactive(self.frontier, columns)
        except DomainError:
            return None

    def inactive(self, nodes: Sequence[int], columns: Values) -> dict[int, Any]:
        """The values of equations that depend on no parameter."""
        run = algebra.evaluate(self.lowered, {**self.nothing_dropped, **columns}, results=nodes)
        return {node: run.values[node] for node in nodes}

    def adjoints(self, run: ArrayTrace, ends: Collection[int] = ()) -> dict[int, Any]:
        """The backward pass: the slope of the loss in the parameters, or in `ends`."""
        edges = None if run.inactive or ends else self._edges
        to, seed = [*(ends or self.sources.values())], 1.0 / np.size(run.values[self.lowered.result])
        return algebra.vjp(run, to, CONVENTION, seed, edges, kept=frozenset(to))

    def passed(self, given: Mapping[int, Any]) -> tuple[Any, dict[int, Any]] | None:
        """The value and its slopes in the parameters by one function, where `given` had these shapes often."""
        straight = self._passes.get(_shapes(given))
        with flagged(flags := list[str]()):
            done = straight and straight(flags, *(number(given[node]) for node in straight.inputs), 1.0)
        return (done[0][0], dict(zip(self.sources.values(), done[1][0], strict=True))) if done else None

    def note(self, given: Mapping[int, Any], run: ArrayTrace) -> None:
        """Count a pass over `given`; make a function of it where there were others."""
        self._seen.update([shapes := _shapes(given)])
        if self._seen[shapes] == OFTEN:
            self._passes[shapes] = of_program(run, self.active_order, self._edges, self.sources.values(), CONVENTION)

    def sweep(self, parameters: Values, fixed: Mapping[int, Any] | None, rows: int) -> Sweep | None:
        """The sweep in blocks, where there are many rows and what is fixed is known; None where one pass takes them all."""
        if fixed is None or rows < 2 * FEWEST:
            return None
        key = (rows, tuple((name, np.shape(value)) for name, value in parameters.items()))
        if key not in self._plans:
            self._plans[key] = plan(self.lowered, fixed, parameters, rows, CONVENTION)
        sweep_plan = self._plans[key]
        return None if sweep_plan is None or rows < 2 * sweep_plan.size else Sweep(sweep_plan, fixed, rows, CONVENTION)

    def penalized(self, loss: float, parameters: Values) -> float:
        """The loss and what the size of the parameters adds to it. Raises Overflow where that is beyond float64."""
        penalty = 0.0
        for weight in parameters.values():
            penalty += self.l1 * float(np.sum(np.abs(weight))) if self.l1 else 0.0
            penalty += self.l2 * float(np.sum(np.square(weight))) if self.l2 else 0.0  # a square may be an infinity
        if not math.isfinite(loss + penalty):
            raise Overflow("", self.lowered.result)
        return loss + penalty

    def slope(self, slope: Any, value: Any, l1: float) -> Any:
        """A parameter's slope as a number or an array of its own, penalties included: of |w| at 0 the one that makes the
        slope as small as it can be."""
        slope = 0.0 * value if slope is None else slope
        if self.l2:
            slope = slope + 2 * self.l2 * value
        if l1:
            at_zero = np.sign(slope) * np.maximum(np.abs(slope) - l1, 0.0)
            slope = np.where(np.asarray(value) == 0, at_zero, slope + l1 * np.sign(value))
        return np.array(slope) if np.ndim(value) else float(slope)

    def steep(self, run: ArrayTrace) -> int:
        """The equation from which on, going back, a slope is not finite."""
        graph, seed = self.lowered.graph, 1.0 / np.size(run.values[self.lowered.result])
        adjoints = algebra.vjp(run, [*self.sources.values()], CONVENTION, seed)
        for node in reversed(run.order):
            infinite = [a for a in graph.args[node] if a in adjoints and not np.all(np.isfinite(adjoints[a]))]
            if infinite and node in adjoints and np.all(np.isfinite(adjoints[node])):
                return node
        return self.lowered.result

    # --- what is known before the first step -------------------------------------------------------------------------

    @cached_property
    def active(self) -> bytearray:
        """A flag per equation: whether its value depends on a parameter."""
        return self.lowered.graph.depending(self.sources.values())

    @cached_property
    def _order(self) -> list[int]:
        return self.lowered.graph.reaching(self.lowered.result)

    @cached_property
    def needed(self) -> frozenset[int]:
        """The equations that the loss is made from."""
        return frozenset(self._order)

    @cached_property
    def active_order(self) -> list[int]:
        """Those of them that depend on a parameter."""
        return [node for node in self._order if self.active[node]]

    @cached_property
    def frontier(self) -> list[int]:
        """The equations without a parameter that those with one use, or that the loss is."""
        graph, active = self.lowered.graph, self.active
        behind = {a for node in self.active_order for a in graph.args[node] if not active[a]}
        return sorted(behind | ({self.lowered.result} if not active[self.lowered.result] else set()))

    @cached_property
    def _edges(self) -> Linear:
        """The active equations, each with the arguments that its adjoint goes to."""
        return algebra.linear(ArrayTrace(self.lowered, [], self._order), list(self.sources.values()))

    unused = cached_property(lambda self: self.unused_behind(self.sources.values()))

    def unused_behind(self, ends: Iterable[int]) -> Mapping[int, Sequence[int]]:
        """Per equation, the values that neither the rest of the forward pass nor the backward pass to `ends` uses;
        none of a program with conditions, where it depends on the branch."""
        graph, order = self.lowered.graph, self.active_order
        if any((row := graph.rows[node]) is not None and row.branches is not None for node in order):
            return {}
        through = active(graph, self._order, ends)
        used = (used_by_partials(graph, node, through) for node in order if node in through)
        kept = {self.lowered.result, *self.frontier, *ends}.union(*used)
        unused: dict[int, list[int]] = {}
        last_use = {a: node for node in order for a in graph.args[node]}
        for value in last_use.keys() - kept:
            unused.setdefault(last_use[value], []).append(value)
        return unused


class Objective:
    """A model over `columns`: the loss of its parameters, and the slope of the loss in each of them."""

    has_rows = True
    """Whether this process has the rows themselves, and not only sums over them."""

    def __init__(self, model: Model, columns: Values) -> None:
        self.model, self.columns = model, columns

    @cached_property
    def fixed(self) -> Mapping[int, Any] | None:
        """The values that depend on no parameter; None where each pass must compute them."""
        return self.model.fixed(self.columns)

    @property
    def rows(self) -> int:
        """How many rows there are; a program without a table has one."""
        return len(next(iter(self.columns.values()))) if self.columns else 1

    def slopes(self, parameters: Values, *, proximal: bool = False) -> tuple[float, dict[str, Any]]:
        """The loss, and its slope in each parameter, shaped like it; for a `proximal` step without that of the l1 penalty.

        Raises DomainError where a value does not exist, Overflow where a slope or the loss leaves the range of float64.
        """
        model, l1 = self.model, 0.0 if proximal else self.model.l1
        swept = self._swept(parameters, slopes=True)
        if swept is not None:
            gradient = {name: model.slope(swept.slopes.get(name), value, l1) for name, value in parameters.items()}
            if all(map(_finite, gradient.values())):
                return model.penalized(swept.value, parameters), gradient
        return self._slopes_of_one_pass(parameters, l1)

    def loss(self, parameters: Values) -> float:
        """The loss alone. Raises as `slopes` does."""
        swept = self._swept(parameters, slopes=False)
        if swept is None:
            return self.loss_of(self.run(parameters), parameters)
        return self.model.penalized(swept.value, parameters)

    def value(self, parameters: Values) -> Any:
        """The last statement, whatever its shape, without penalties."""
        swept = self._swept(parameters, slopes=False)
        if swept is not None and swept.is_number:
            return swept.value
        return self.run(parameters).values[self.model.lowered.result]

    def run(self, parameters: Values, keep: Collection[int] = (), *, whole: bool = False) -> ArrayTrace:
        """The forward pass: all that depends on a parameter, and `keep`; what a backward pass to `keep`, or to the parameters,
        does not use is freed, but not with `whole`."""
        model, fixed = self.model, self.fixed
        point = {**model.nothing_dropped, **self.columns, **parameters}
        if fixed is None:
            return algebra.evaluate(model.lowered, point)
        lacking = [node for node in keep if not model.active[node] and node not in fixed and node in model.needed]
        known = {**fixed, **model.inactive(lacking, self.columns)} if lacking else fixed
        unused = {} if whole else model.unused_behind(keep) if keep else model.unused
        return algebra.evaluate(model.lowered, point, known, order=[*known, *model.active_order], unused=unused)

    def part(self, rows: Any) -> Objective:
        """The same over some of the rows, with what is fixed taken from all of them where it keeps rows apart."""
        part = self.model.over({name: column[rows] for name, column in self.columns.items()}, once=False)
        if (axes := self._axes_of_fixed) is not None:
            inputs = self.model.lowered.graph.inputs
            part.fixed = {
                node: part.columns[inputs[node]]
                if node in inputs
                else (value if axes[node] is None else np.take(value, rows, axis=axes[node]))
                for node, value in (self.fixed or {}).items()
            }
        return part

    def dropped(self, parameters: Values, chance: np.random.Generator) -> Objective:
        """The same with a random mask for each dropout: 0 where an element is dropped, else the factor that keeps the mean."""
        graph, values = self.model.lowered.graph, self.run(parameters).values
        masks: dict[str, Any] = {}
        for name, share in self.model.masks.items():
            mask = graph.find(name)
            (whole,) = {np.shape(v) for a, v in zip(graph.args, values, strict=True) if mask in a and v is not None}
            masks[name] = (chance.random(whole) >= share) / (1 - share)
        return self.model.over({**self.columns, **masks}, once=False)

    @cached_property
    def _axes_of_fixed(self) -> Mapping[int, int | None] | None:
        """The axis of the rows in each fixed value; None where one is made from several rows, such as a mean, so that each
        minibatch has its own."""
        model, columns = self.model, self.columns
        if not self.fixed or model.masks or self.rows < 3:
            return None
        graph, order = model.lowered.graph, model.lowered.graph.reaching(*model.frontier)

        def values(rows: int) -> Mapping[int, Any]:
            return model.inactive(order, {name: column[:rows] for name, column in columns.items()})

        try:
            axes = row_axes(values, order)
        except DomainError:
            return None
        return None if mixing_equations(graph, order, axes) else axes

    def _swept(self, parameters: Values, *, slopes: bool) -> Swept | None:
        """The loss and its slopes by a sweep in blocks; None where there is none, or a number on the way does not exist."""
        sweep = self.model.sweep(parameters, self.fixed, self.rows)
        return None if sweep is None else sweep.swept(parameters, slopes=slopes)

    def _slopes_of_one_pass(self, parameters: Values, l1: float) -> tuple[float, dict[str, Any]]:
        model, given = self.model, self.given(parameters)
        if (done := model.passed(given)) is None:
            run = self.run(parameters)
            done = run.values[model.lowered.result], model.adjoints(run)
            if given:
                model.note(given, run)
        gradient = {
            name: model.slope(done[1].get(model.sources.get(name, -1)), value, l1) for name, value in parameters.items()
        }
        for name, slope in gradient.items():
            if not _finite(slope):
                raise Overflow(name, model.steep(self.run(parameters)))
        return self.model.penalized(_averaged(done[0]), parameters), gradient

    def given(self, parameters: Values) -> dict[int, Any]:
        """The values that a pass starts from; none where each pass must find out what is fixed."""
        fixed, sources = self.fixed, self.model.sources
        return {} if fixed is None else {**fixed, **{node: parameters[name] for name, node in sources.items()}}

    def loss_of(self, run: ArrayTrace, parameters: Values) -> float:
        """The loss that a forward pass gives. Raises Overflow where it is beyond float64."""
        return self.model.penalized(_averaged(run.values[self.model.lowered.result]), parameters)


def _averaged(value: Any) -> float:
    """The mean of the elements."""
    with np.errstate(over="ignore"):
        mean = float(np.mean(value))
    return mean if math.isfinite(mean) else float(np.sum(value / np.size(value)))


def _shapes(given: Mapping[int, Any]) -> tuple[Any, ...]:
    return tuple((node, shape(value)) for node, value in given.items())


def _finite(slope: Any) -> bool:
    return bool(np.all(np.isfinite(slope)))
