"""A program with data and parameters: its loss, and the slope of the loss in every parameter.

>>> from autodiff import parse
>>> from autodiff.core.lowering import lower
>>> model = Model(lower(parse("mean((w*x - y)^2)")), ["w"])
>>> model.over({"x": np.array([1.0, 2.0]), "y": np.array([2.0, 4.0])}).slopes({"w": 0.0})
(10.0, {'w': -10.0})

What does not depend on a parameter is computed once per table. On a corner the slope is the one that PyTorch takes: descent needs a number.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from autodiff.arrays import algebra
from autodiff.arrays.algebra import ArrayTrace, Linear
from autodiff.core import rules, templates
from autodiff.core.evaluate import DomainError
from autodiff.core.graph import Graph, reached
from autodiff.core.linearize import active
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, UNDEFINED, ZERO
from autodiff.train.minibatch_sweep import FEWEST, Sweep, SweepPlan, Swept, plan
from autodiff.train.row_axis import mixing_equations, row_axes

CONVENTION = "torch"

_SIZE = rules.TABLE["numel", 1]

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

    def sweep(self, parameters: Values, fixed: Mapping[int, Any] | None, rows: int) -> Sweep | None:
        """The sweep in blocks, where there are many rows and what is fixed is known; None where one pass takes them all."""
        if fixed is None or rows < 2 * FEWEST:
            return None
        key = (rows, tuple((name, np.shape(value)) for name, value in parameters.items()))
        if key not in self._plans:
            self._plans[key] = plan(self.lowered, fixed, parameters, rows, CONVENTION)
        sweep_plan = self._plans[key]
        return None if sweep_plan is None or rows < 2 * sweep_plan.size else Sweep(sweep_plan, fixed, rows, CONVENTION)

    def penalty(self, parameters: Values) -> float:
        """What the size of the parameters adds to the loss."""
        penalty = 0.0
        for weight in parameters.values():
            penalty += self.l1 * float(np.sum(np.abs(weight))) if self.l1 else 0.0
            penalty += self.l2 * float(np.sum(np.square(weight))) if self.l2 else 0.0  # a square may be an infinity
        return penalty

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
        used = (_of_partials(graph, node, through) for node in order if node in through)
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
                return self._penalized(swept.value, parameters), gradient
        return self._slopes_of_one_pass(parameters, l1)

    def loss(self, parameters: Values) -> float:
        """The loss alone. Raises as `slopes` does."""
        swept = self._swept(parameters, slopes=False)
        value = self._averaged(self.run(parameters)) if swept is None else swept.value
        return self._penalized(value, parameters)

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
        model = self.model
        run = self.run(parameters)
        adjoints = model.adjoints(run)
        gradient = {
            name: model.slope(adjoints.get(model.sources.get(name, -1)), value, l1)
            for name, value in parameters.items()
        }
        for name, slope in gradient.items():
            if not _finite(slope):
                raise Overflow(name, model.steep(run))
        return self.loss_of(run, parameters), gradient

    def loss_of(self, run: ArrayTrace, parameters: Values) -> float:
        """The loss that a forward pass gives. Raises Overflow where it is beyond float64."""
        return self._penalized(self._averaged(run), parameters)

    def _penalized(self, loss: float, parameters: Values) -> float:
        """The loss with the penalties. Raises Overflow where that is beyond float64."""
        whole = loss + self.model.penalty(parameters)
        if not math.isfinite(whole):
            raise Overflow("", self.model.lowered.result)
        return whole

    def _averaged(self, run: ArrayTrace) -> float:
        value = np.asarray(run.values[self.model.lowered.result])
        with np.errstate(over="ignore"):
            mean = float(np.mean(value))
        return mean if math.isfinite(mean) else float(np.sum(value / value.size))


def _of_partials(graph: Graph, node: int, active: Collection[int]) -> set[int]:
    """The values that the partials of an equation in its `active` arguments are made from."""
    row, args = graph.rows[node], graph.args[node]
    if row is None:
        return set()
    values = dict(zip(row.params, args, strict=True)) | {"w": node}
    partials = [
        text for text, a in zip(row.partials, args, strict=True) if a in active and text not in (ZERO, UNDEFINED)
    ]
    if partials and row.kink:
        return set(values.values())
    names = (*values, *(() if row.kind in (ELEMENTWISE, REDUCTION) else ("g",)))
    return {values[name] for text in partials for name in _used(text, names) if name in values}


@lru_cache(maxsize=1024)
def _used(text: str, names: tuple[str, ...]) -> frozenset[str]:
    """The names whose values a text uses, and not their sizes alone, as the mean's partial does."""
    text_of = templates.template(text, names)
    graph = text_of.graph
    nodes = reached(text_of.result, lambda node: () if graph.rows[node] is _SIZE else graph.args[node])
    return frozenset(graph.inputs[node] for node in nodes if node in graph.inputs)


def _finite(slope: Any) -> bool:
    return bool(np.all(np.isfinite(slope)))
