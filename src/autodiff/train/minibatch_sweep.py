"""A loss over many rows, a block of rows at a time: what a block needs stays in the cache, and no column gets a copy.

    mean((w*x - y)^2)    of 1,000,000 rows is the mean of the means of its blocks, and so are its slopes

It works where rows meet in sums and means only, and only the answer is made from those, which `plan` decides. The
equations are then of three sorts: those before the rows (of parameters alone), those of each row, those after the sums.

>>> from autodiff.core.lowering import lower
>>> lowered = lower("sqrt(mean((w^2*x - y)^2))")
>>> known = {node: np.ones(9) for node, name in lowered.graph.inputs.items() if name in "xy"} | lowered.graph.constants
>>> found = plan(lowered, known, {"w": 2.0}, 9, "torch")
>>> [len(nodes) for nodes in (found.before, found.rows, found.after)], len(found.gates)
([2, 4, 1], 1)
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodiff.arrays import algebra
from autodiff.arrays.algebra import ArrayTrace, Linear
from autodiff.arrays.straight import StraightPass, flagged, is_straight
from autodiff.arrays.ufuncs import in_pairs, number, shape
from autodiff.core.evaluate import DomainError
from autodiff.core.graph import reached
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import REDUCTION, Primitive
from autodiff.errors import AutodiffError
from autodiff.train.fuse_matmul import gathered
from autodiff.train.row_axis import BY_ROW, PICKED, keeps_rows_apart, row_axis

ELEMENTS, APART = 16384, 65536
"""Of the largest value in a block, of a straight pass and of one equation after the other: few enough for a cache, and
enough to outweigh a pass over the equations."""

FEWEST = 1024
"""Rows of a block, however wide they are."""

SUMS, MEANS = ("sum", "dot"), ("mean",)
"""Where rows meet: reductions of everything to a number, for which blocks can be added."""

Known = Mapping[int, Any]
Shapes = Mapping[int, "tuple[int, ...]"]


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """The equations that are not known beforehand, by when they are computed, arguments first.

    lowered  the program whose equations they are: with its sums of weighted columns gathered
    of       what the given program's known equations became
    before   equations of parameters alone
    rows     those of each row, sums and means included
    after    those that are made from the sums and means
    ends     the sums and means, each with whether it is a mean; the result itself where that has an element per row
    gates    the ones of `before` that those of the rows use
    axes     of the known values that have an element per row, the axis of the rows, counted from the last: -1
    edges    the active equations, each with the arguments that its adjoint goes to, in the order of their values
    by_row   the same of the equations of the rows alone
    number   whether the result is a number
    size     rows of a block
    passes   the equations of the rows as functions, without and with slopes; none where they are computed one by one
    """

    lowered: Lowered
    of: Mapping[int, int]
    before: tuple[int, ...]
    rows: tuple[int, ...]
    after: tuple[int, ...]
    ends: Mapping[int, bool]
    gates: tuple[int, ...]
    axes: Mapping[int, int]
    edges: Linear
    by_row: Linear
    number: bool
    size: int
    passes: tuple[StraightPass, ...]


def plan(
    lowered: Lowered, known: Known, parameters: Mapping[str, Any], count: int, convention: str
) -> SweepPlan | None:
    """How to compute the equations of `count` rows in blocks; None where that can't be done.

    `known` are the values that depend on no parameter, columns among them. The axis of the rows is the
    one whose length differs between a trial with two rows and one with three.
    """
    axes = _axes(known, count)
    shapes = None if not axes else _shapes(lowered, known, axes, parameters, 2)
    if not axes or shapes is None:
        return None
    numbers = {node for node, size in shapes.items() if size == ()}
    columns = {node for node, axis in axes.items() if shape(known[node]) == (count,)}
    fused, of = gathered(lowered, numbers, columns)
    known = {of[node]: value for node, value in known.items() if node in of}
    axes = {of[node]: axis for node, axis in axes.items() if node in of}
    two, three = (_shapes(fused, known, axes, parameters, rows) for rows in (2, 3))
    if two is None or three is None:
        return None
    sorts = _sorted(fused, axes, {node: row_axis(two[node], three[node]) for node in two})
    if sorts is None:
        return None
    before, rows, after, ends = sorts
    used = {a for node in rows for a in fused.graph.args[node]}
    largest = max((math.prod(three[node]) // 3 for node in rows if not _only_arranged(fused, node)), default=1)
    gates = tuple(node for node in before if node in used)
    sources = [node for node in before if fused.graph.inputs.get(node) in parameters]
    active = algebra.linear(ArrayTrace(fused, [], [*two]), sources)
    edges, by_row = (
        {node: active[node] for node in order if node in active}
        for order in ([*before, *sorted((*ends, *after))], rows)
    )
    fixed = [{n: shape(v) for n, v in _part(known, axes, slice(0, rows)).items()} for rows in (2, 3)]
    pairs = {node: (sizes[0][node], sizes[1][node]) for sizes in (fixed, (two, three)) for node in sizes[0]}
    passes: tuple[StraightPass, ...] = ()
    if is_straight(fused.graph, rows, pairs):
        passes = tuple(StraightPass(fused.graph, rows, [*ends], by_row, to, pairs, convention) for to in ((), gates))
    size = max(FEWEST, (ELEMENTS if passes else APART) // max(largest, 1))
    number = two[fused.result] == ()
    return SweepPlan(
        fused, of, tuple(before), tuple(rows), tuple(after), ends, gates, axes, edges, by_row, number, size, passes
    )


def _sorted(
    lowered: Lowered, axes: Mapping[int, int], changed: Mapping[int, int | None]
) -> tuple[list[int], list[int], list[int], dict[int, bool]] | None:
    """The equations before the rows, of the rows and after them, and the ends; None where rows meet otherwise."""
    graph, wide = lowered.graph, set(axes)
    before, rows, after, ends = list[int](), list[int](), list[int](), dict[int, bool]()
    late: set[int] = set()
    for node, axis in changed.items():
        row, args = graph.rows[node], graph.args[node]
        meets, waits = not wide.isdisjoint(args), not late.isdisjoint(args)
        if row is None or not meets:
            if axis is not None or (row is not None and row.branches):
                return None
            (after if waits else before).append(node)
            late |= {node} if waits else set()
            continue
        if row.value in PICKED and args[0] in wide:
            return None
        rows.append(node)
        if not waits and axis is not None and keeps_rows_apart(row, axis):
            wide.add(node)
        elif not waits and axis is None and _adds(row):
            ends[node] = row.value in MEANS
            late.add(node)
        else:
            return None
    if lowered.result in wide:
        ends[lowered.result] = True
    return (before, rows, after, ends) if ends else None


def _axes(known: Known, count: int) -> dict[int, int] | None:
    """Where the rows are in each known value that has them; None where that is not clear."""
    axes = {}
    for node, value in known.items():
        places = [k for k, size in enumerate(shape(value)) if size == count]
        if len(places) > 1:
            return None
        if places:
            axes[node] = places[0] - len(shape(value))
    return axes


def _shapes(
    lowered: Lowered, known: Known, axes: Mapping[int, int], parameters: Mapping[str, Any], rows: int
) -> Shapes | None:
    """The shape of every equation that is not known, when there are so many rows."""
    part, order = _part(known, axes, slice(0, rows)), _unknown(lowered, known)
    try:
        run = algebra.evaluate(lowered, parameters, part, order=[*part, *order])
    except (DomainError, AutodiffError):
        return None
    return {node: shape(run.values[node]) for node in order}


def _unknown(lowered: Lowered, known: Known) -> list[int]:
    """The equations that the result needs and that are not known, arguments first."""
    needed = reached(lowered.result, lambda node: () if node in known else lowered.graph.args[node])
    return sorted(needed.difference(known))


def _adds(row: Primitive) -> bool:
    return row.kind == REDUCTION and row.params[-1] != "axis" and row.value in (*SUMS, *MEANS)


def _only_arranged(lowered: Lowered, node: int) -> bool:
    """Whether an equation is an array of what is there already."""
    row = lowered.graph.rows[node]
    return row is not None and row.value in BY_ROW[:1]


def _part(known: Known, axes: Mapping[int, int], rows: slice) -> dict[int, Any]:
    """The known values of some of the rows."""
    return {node: _rows_of(value, axes.get(node), rows) for node, value in known.items()}


def _rows_of(value: Any, axis: int | None, rows: slice) -> Any:
    return value if axis is None else value[(..., rows, *[slice(None)] * (-1 - axis))]


@dataclass(frozen=True, slots=True)
class Swept:
    """The last statement, averaged unless it `is_number`, and its slope in each parameter that it depends on."""

    value: float
    slopes: Mapping[str, Any]
    is_number: bool


@dataclass(frozen=True, slots=True)
class Sums:
    """Of some rows: what they add to each sum and mean, and to its slopes in the gates, None where there are none."""

    ends: list[float]
    slopes: list[list[Any]]

    def __add__(self, other: Sums) -> Sums:
        slopes = [[*map(_plus, *parts)] for parts in zip(self.slopes, other.slopes, strict=True)]
        return Sums([*map(operator.add, self.ends, other.ends)], slopes)


class Sweep:
    """Both sweeps over the blocks of `count` rows, with `known` as for the plan.

    Each answer is None where a number on the way does not exist or overflows: a pass over the whole table says which.
    """

    def __init__(self, plan: SweepPlan, known: Known, count: int, convention: str) -> None:
        self.lowered, self.plan, self.count, self.convention = plan.lowered, plan, count, convention
        self.known = {plan.of[node]: value for node, value in known.items() if node in plan.of}
        self.narrow = {node: value for node, value in self.known.items() if node not in plan.axes}

    def swept(self, parameters: Mapping[str, Any], *, slopes: bool) -> Swept | None:
        """The value and, with `slopes`, its slopes."""
        try:
            return self.combined(parameters, self.sums(parameters, slopes=slopes), slopes=slopes)
        except DomainError:
            return None

    def sums(self, parameters: Mapping[str, Any], *, slopes: bool, rows: int | None = None) -> Sums:
        """What the rows add to the sums and means, and to the slopes of those in the gates.

        rows  all rows that the means are over, of which these are a part; None for these

        Raises DomainError where a number on the way does not exist.
        """
        before, flags = self._narrow(parameters, {}), list[str]()
        gates = {gate: before.values[gate] for gate in self.plan.gates}
        with flagged(flags):
            return in_pairs(self._blocks(gates, rows or self.count, slopes, flags))

    def combined(self, parameters: Mapping[str, Any], sums: Sums, *, slopes: bool) -> Swept | None:
        """The value and the slopes from the sums over all rows; None where one of them is not finite.

        Raises DomainError where a number on the way does not exist.
        """
        if not all(map(math.isfinite, sums.ends)):
            return None
        before = self._narrow(parameters, {})
        ends = dict(zip(self.plan.ends, sums.ends, strict=False))
        run = self._narrow(parameters, {node: before.values[node] for node in self.plan.before} | ends)
        value = run.values[self.lowered.result]
        seed = 1.0 / np.size(value)
        pairs = ([*zip(self.plan.gates, parts, strict=True)] for parts in sums.slopes)
        edges = self.plan.edges | {
            end: [(gate, part) for gate, part in at if part is not None] for end, at in zip(ends, pairs, strict=False)
        }
        adjoints = algebra.vjp(run, (), self.convention, seed, edges) if slopes else {}
        return Swept(
            float(np.mean(value)),
            {name: adjoints[node] for node, name in self.lowered.graph.inputs.items() if node in adjoints},
            self.plan.number,
        )

    def _narrow(self, parameters: Mapping[str, Any], known: Known) -> ArrayTrace:
        """The equations without rows: those before the rows alone or, with their values and the sums known, all."""
        plan = self.plan
        order = [*plan.before, *sorted((*plan.ends, *plan.after))] if known else [*plan.before]
        results = () if known else (order or list(self.narrow))[-1:]
        values = algebra.evaluate(
            self.lowered, parameters, {**self.narrow, **known}, results=results, order=[*self.narrow, *order]
        )
        return replace(values, order=order)

    def _blocks(self, gates: dict[int, Any], rows: int, slopes: bool, flags: list[str]) -> Iterator[Sums]:
        """What each block adds to the sums over all `rows`."""
        plan, size = self.plan, self.plan.size
        straight = plan.passes[slopes] if plan.passes else None
        whole = (
            [
                (gates[node], None) if node in gates else (self.known[node], plan.axes.get(node))
                for node in straight.inputs
            ]
            if straight
            else []
        )
        rooms = [np.empty((size, *tail)) for tail in straight.rooms] if straight else []
        for start in range(0, self.count, size):
            part, count = slice(start, start + size), min(size, self.count - start)
            if start == 0 or count < size:
                weights = [count / rows if mean else 1.0 for mean in plan.ends.values()]
                rooms = [room[:count] for room in rooms]
            done = None
            if straight is not None:
                given = [number(value if axis is None else _rows_of(value, axis, part)) for value, axis in whole]
                done = straight(flags, *given, *weights, *rooms)
            values, parts = done or self._one_by_one(gates, part, weights, slopes)
            means = (float(np.mean(value)) if shape(value) else value for value in values)
            yield Sums([*map(operator.mul, weights, means)], parts)

    def _one_by_one(
        self, gates: dict[int, Any], rows: slice, weights: Sequence[float], slopes: bool
    ) -> tuple[Any, Any]:
        """The same, one equation after the other. Raises DomainError where a number on the way does not exist."""
        plan, known = self.plan, gates | _part(self.known, self.plan.axes, rows)
        run = algebra.evaluate(self.lowered, {}, known, results=[*plan.ends], order=[*known, *plan.rows])
        run = replace(run, order=plan.rows)
        parts = [self._back(run, end, weight) for end, weight in zip(plan.ends, weights, strict=True)] if slopes else []
        return [run.values[end] for end in plan.ends], [[part.get(gate) for gate in gates] for part in parts]

    def _back(self, run: ArrayTrace, end: int, weight: float) -> dict[int, Any]:
        """The slopes of a sum or mean in the equations of the block."""
        at = replace(run, lowered=self.lowered._replace(result=end))
        seed = weight / np.size(run.values[end])
        return algebra.vjp(at, self.plan.gates, self.convention, seed, None if run.inactive else self.plan.by_row)


def _plus(part: Any, other: Any) -> Any:
    return other if part is None else part if other is None else part + other
