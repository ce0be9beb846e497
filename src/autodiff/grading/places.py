"""Points where a condition, a corner or a jump of a formula is met, between two such points, and on both sides.

>>> from autodiff.core.lowering import lower
>>> answer = lower("2x + if(x > 1 and x < 1.0001, 1, 0)")
>>> [at["x"] for at in places([answer])][:3]
[1.0, 1.00005, 1.0001]
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from autodiff.core import templates
from autodiff.core.evaluate import DomainError, number
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import Primitive, equalities
from autodiff.core.templates import Number
from autodiff.grading.line_search import TOO_FEW, Curve, grid, zeros
from autodiff.grading.mistake_rules import DIV, NEG, POW, SAME
from autodiff.language.exact_float import decimal
from autodiff.record import Record

NAMES = 10
"""Names that are followed, each along a line on which the others do not change."""

_EQUATIONS = 1_000_000
"""Equations that the search may evaluate."""

_STEEP_EQUATIONS, _STEEP_ROOTS = 60_000, 4
"""Equations that the search for steep places may evaluate, and places that are looked for of one argument along a line."""

_ROOTS = 40
"""Points that are looked for of one condition along a line."""

_MOST = 150
"""Points along a line."""

Values = Mapping[int, float]
"""The values of equations, without those that have none."""


class Gap(Record):
    """A function of an equation's arguments that is 0 where a condition changes, or a row has a corner or is steep.

    node     the equation, where it has a jump at which its first argument equals the second or a number
    at_jump  the equation's value there
    """

    part: Lowered
    args: Sequence[int]
    difference: Number
    node: int = -1
    at_jump: float = 0.0

    def of(self, values: Values) -> float | None:
        """The function where the equations have these values; None where it has none."""
        args = [values.get(a) for a in self.args]
        if any(a is None for a in args):
            return None
        try:
            gap = self.difference(*args)
        except (ArithmeticError, ValueError):
            return None
        return None if gap != gap or isinstance(gap, complex) else gap


class Line(NamedTuple):
    """The values of one name that are worth a trial, the other names having the values of `others`.

    special  where a condition, a corner or a jump is met, between two of these, and beside them
    steep    where an argument of a function is 0, 1 or -1: a step or a peak may be there, however narrow
    jumps    where equations jump whose value there is known
    """

    name: str
    others: Mapping[str, float]
    special: Sequence[float]
    steep: Sequence[float]
    jumps: Sequence[tuple[float, Gap]]

    def points(self, values: Iterable[float]) -> Iterator[dict[str, float]]:
        """The points of the line at these values of its name."""
        return ({**self.others, self.name: value} for value in values)


def places(parts: Sequence[Lowered]) -> Iterator[dict[str, float]]:
    """Points at, between and beside the special points of the formulas, along a line for each of the first names."""
    return (point for line in lines(parts) for point in line.points(line.special))


def lines(parts: Sequence[Lowered]) -> Iterator[Line]:
    """A line for each of the first names of the formulas."""
    gaps, steep = special_gaps(parts), [gap for part in parts for gap in _steep_gaps(part)]
    if not gaps and not steep:
        return
    names = tuple(dict.fromkeys(name for part in parts for name in part.inputs))
    chance = random.Random(20_261_130)
    count = max(len(names[:NAMES]), 1)
    for name in names[:NAMES]:
        others = {other: float(f"{chance.uniform(1, 2):.4g}") for other in names}
        yield line(gaps, steep, name, others, count)


def line(gaps: Sequence[Gap], steep: Sequence[Gap], name: str, others: Mapping[str, float], count: int) -> Line:
    """The line of `name` through the point `others`; there are `count` lines to follow."""
    special = _roots(gaps, name, others, _EQUATIONS // count, _ROOTS) if gaps else []
    arguments = _roots(steep, name, others, _STEEP_EQUATIONS // count, _STEEP_ROOTS) if steep else []
    jumps = [(root, gap) for root, gap in special if gap.node >= 0]
    return Line(name, others, _around(_short(special)), _from_zero(_short(arguments))[:_MOST], jumps)


def _short(roots: Iterable[tuple[float, Gap]]) -> set[float]:
    """The roots, and each with twelve digits: a number that was typed has few."""
    return {value + 0.0 for root, _ in roots for value in (root, float(f"{root:.12g}"))}


def _from_zero(values: Iterable[float]) -> list[float]:
    return sorted(values, key=lambda value: (abs(value), value))


def special_gaps(parts: Sequence[Lowered]) -> list[Gap]:
    """What is 0 at the corners and jumps of the formulas."""
    return [gap for part in parts for gap in _special_gaps(part)]


def _special_gaps(part: Lowered) -> Iterator[Gap]:
    graph = part.graph
    for node in graph.reaching(part.result):
        row, args = graph.rows[node], graph.args[node]
        if row is not None and not all(a in graph.constants for a in args):
            for difference, at_jump in _differences(row):
                jumps = at_jump is not None
                yield Gap(part, args, difference, node if jumps else -1, at_jump or 0.0)


@lru_cache(maxsize=1024)
def _differences(row: Primitive) -> tuple[tuple[Number, float | None], ...]:
    """What is 0 at the corners and jumps of a row, `u - v` for `u == v`, and the row's value there if it jumps and has one."""
    jump = row.jump.condition if row.jump else ""
    equations = dict.fromkeys(sides for text in (jump, row.kink) for sides in equalities(text))
    return tuple(
        (
            templates.compiled(f"({left}) - ({right})", row.params),
            templates.value(row)(*(0.0,) * row.arity) if f"{left} == {right}" == jump in _AT_JUMPS else None,
        )
        for left, right in equations
    )


_AT_JUMPS = ("u == v", "u == 0")
"""Conditions of jumps at which the value of a row is that of arguments which are all 0."""


_LEVELS = tuple(templates.compiled(text, ("u",)) for text in ("u", "u - 1", "u + 1"))


def _steep_gaps(part: Lowered) -> Iterator[Gap]:
    """The arguments, divisors and bases of the functions, less 0, 1 and -1, but for arguments that are a name."""
    graph = part.graph
    arguments = dict[int, None]()
    for node in graph.reaching(part.result):
        row, args = graph.rows[node], graph.args[node]
        if row is None or row.kind != "elementwise" or row.is_predicate:
            continue
        if row is DIV:
            arguments[args[1]] = None
        elif (len(args) == 1 and row not in (NEG, SAME)) or (row is POW and args[1] in graph.constants):
            arguments[args[0]] = None
    for argument in arguments:
        if graph.rows[argument] is not None:
            for difference in _LEVELS:
                yield Gap(part, (argument,), difference)


def values_at(part: Lowered, order: Sequence[int], point: Mapping[str, float]) -> dict[int, float]:
    """The values of these equations, without those that have none."""
    graph, values = part.graph, dict[int, float]()
    for node in order:
        row, args = graph.rows[node], graph.args[node]
        if row is None:
            values[node] = graph.leaf(node, point)
        elif row.branches is not None:
            if args[0] in values:
                taken = args[row.branches[0] if values[args[0]] else row.branches[1]]
                if taken in values:
                    values[node] = values[taken]
        elif all(a in values for a in args):
            try:
                values[node] = number(graph, node, [values[a] for a in args])
            except (DomainError, ArithmeticError, ValueError):
                continue
    return values


# --- along a line -----------------------------------------------------------------------------------------------------


def _roots(
    gaps: Sequence[Gap], name: str, others: Mapping[str, float], budget: int, most: int
) -> list[tuple[float, Gap]]:
    """Where the gaps are 0 along the line; at `most` so many of each are looked for."""
    xs = grid(float(c) for gap in gaps for c in gap.part.graph.constants.values())
    together, left = _together(gaps, xs, name, others, budget)
    roots = list[tuple[float, Gap]]()
    for gap in gaps:
        known = together.get(id(gap.part), {})
        order = gap.part.graph.reaching(*gap.args)
        values = sorted({*xs, *_short(roots)}) if most == _ROOTS else xs
        if (len(order) + 1) * (len(values) - len(known) + TOO_FEW) > left:
            continue
        left -= (len(order) + 1) * (len(values) - len(known))
        for root, steps in zeros(_along(gap, order, name, others, known), values, most):
            left -= (len(order) + 1) * steps
            roots.append((root, gap))
            if left < 0:
                break
    return roots


def _together(
    gaps: Sequence[Gap], xs: Sequence[float], name: str, others: Mapping[str, float], budget: int
) -> tuple[dict[int, dict[float, Values]], int]:
    """The values of all that the gaps are made of, at each point of the grid and by the part's id; and the budget left."""
    known: dict[int, dict[float, Values]] = {}
    for part in {id(gap.part): gap.part for gap in gaps}.values():
        order = part.graph.reaching(*{a for gap in gaps if gap.part is part for a in gap.args})
        if 2 * len(order) * len(xs) <= budget:
            budget -= len(order) * len(xs)
            known[id(part)] = {x: values_at(part, order, {**others, name: x}) for x in xs}
    return known, budget


def _along(
    gap: Gap, order: Sequence[int], name: str, others: Mapping[str, float], known: Mapping[float, Values]
) -> Curve:
    return lambda x: gap.of(known[x] if x in known else values_at(gap.part, order, {**others, name: x}))


def _around(roots: Iterable[float]) -> list[float]:
    """The values to try: special points first, with one between each two neighbours, then their sides."""
    special = sorted(sorted(roots, key=abs)[:_MOST])
    between = [_rounded(a, b) for a, b in pairwise(special)]
    beside = [r + d for r in special for d in (-1e-3 * (abs(r) or 1.0), 1e-3 * (abs(r) or 1.0))]
    ends = [1.5 * r for r in (special[:1] + special[-1:])]
    inner = _from_zero({*special, *between})
    finite = filter(math.isfinite, dict.fromkeys([*inner[:_MOST], *ends, *beside[:_MOST]]))
    return [decimal(repr(value), value) for value in finite]


def _rounded(a: float, b: float) -> float:
    """A number between both, of as few digits as there is one."""
    middle = a / 2 + b / 2
    return next((value for digits in range(2, 17) if a < (value := float(f"{middle:.{digits}g}")) < b), middle)
