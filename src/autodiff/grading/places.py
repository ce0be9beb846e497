"""Points where a condition, a corner or a jump of a formula is met, between two such points, and on both sides.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> answer = lower(parse("2x + if(x > 1 and x < 1.0001, 1, 0)"))
>>> [at["x"] for at in places([answer])][:3]
[1.0, 1.00005, 1.0001]
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from autodiff.core import templates
from autodiff.core.evaluate import DomainError, number
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import Primitive, equalities
from autodiff.core.templates import Number
from autodiff.language.exact_float import decimal

NAMES = 10
"""Names that are followed, each along a line on which the others do not change."""

_EQUATIONS = 1_000_000
"""Equations that the search may evaluate."""

_ROOTS = 40
"""Points that are looked for of one condition along a line."""

_MOST = 150
"""Points along a line."""

_PER_DECADE = 12
_SMALLEST, _LARGEST = -9, 15
"""Powers of ten between which a line is followed."""

_TOO_FEW = 50  # a grid with less points shows nothing


@dataclass(frozen=True, slots=True)
class _Gap:
    """Two numbers that are equal where a condition changes, or a row has a corner: their difference along a line."""

    part: Lowered
    node: int
    order: Sequence[int]
    difference: Number

    def at(self, point: Mapping[str, float]) -> float | None:
        """The difference at a point; None where there is none."""
        values = _values(self.part, self.order, point)
        args = [values.get(a) for a in self.part.graph.args[self.node]]
        if any(a is None for a in args):
            return None
        try:
            gap = self.difference(*args)
        except (ArithmeticError, ValueError):
            return None
        return None if gap != gap or isinstance(gap, complex) else gap


def places(parts: Sequence[Lowered]) -> Iterator[dict[str, float]]:
    """Points at, between and beside the special points of the formulas, along a line for each of the first names."""
    gaps = [gap for part in parts for gap in _gaps(part)]
    if not gaps:
        return
    names = tuple(dict.fromkeys(name for part in parts for name in part.inputs))
    chance = random.Random(20_261_130)
    budget = _EQUATIONS // max(len(names[:NAMES]), 1)
    for name in names[:NAMES]:
        others = {other: float(f"{chance.uniform(1, 2):.4g}") for other in names if other != name}
        for value in _along(gaps, name, others, budget):
            yield {other: value if other == name else others[other] for other in names}


def _gaps(part: Lowered) -> Iterator[_Gap]:
    graph = part.graph
    for node in graph.reaching(part.result):
        row, args = graph.rows[node], graph.args[node]
        if row is None or all(a in graph.constants for a in args):
            continue
        for difference in _differences(row):
            yield _Gap(part, node, graph.reaching(*args), difference)


@lru_cache(maxsize=1024)
def _differences(row: Primitive) -> tuple[Number, ...]:
    """What is 0 at the corners and jumps of a row: `u - v` for `u == v`."""
    texts = [row.kink, row.jump.condition if row.jump else ""]
    equations = dict.fromkeys(sides for text in texts for sides in equalities(text))
    return tuple(templates.compiled(f"({left}) - ({right})", row.params) for left, right in equations)


def _values(part: Lowered, order: Sequence[int], point: Mapping[str, float]) -> dict[int, float]:
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


def _along(gaps: Sequence[_Gap], name: str, others: Mapping[str, float], budget: int) -> list[float]:
    """The values of one name to try: special points first, with one between each two neighbours, then their sides."""
    grid = _grid(gaps)
    roots = set[float]()
    left = budget
    for gap in gaps:
        cost = len(gap.order) + 1
        if cost * (len(grid) + _TOO_FEW) > left:
            continue
        values = sorted({*grid, *roots})
        left -= cost * len(values)
        along = _line(gap, name, others)
        for root, steps in _zeros(along, values):
            left -= cost * steps
            roots |= {root + 0.0, float(f"{root:.12g}") + 0.0}
            if left < 0:
                break
    special = sorted(sorted(roots, key=abs)[:_MOST])
    between = [_rounded(a, b) for a, b in pairwise(special)]
    beside = [r + d for r in special for d in (-1e-3 * (abs(r) or 1.0), 1e-3 * (abs(r) or 1.0))]
    ends = [1.5 * r for r in (special[:1] + special[-1:])]
    inner = sorted({*special, *between}, key=lambda value: (abs(value), value))
    return [decimal(repr(value), value) for value in dict.fromkeys([*inner[:_MOST], *ends, *beside[:_MOST]])]


def _line(gap: _Gap, name: str, others: Mapping[str, float]) -> Callable[[float], float | None]:
    return lambda value: gap.at({**others, name: value})


def _rounded(a: float, b: float) -> float:
    """A number between both, of as few digits as there is one."""
    middle = a / 2 + b / 2
    return next((value for digits in range(2, 17) if a < (value := float(f"{middle:.{digits}g}")) < b), middle)


def _grid(gaps: Sequence[_Gap]) -> list[float]:
    """The values to follow a line by: powers of ten and what lies between, small steps near 0, the formulas' own numbers."""
    sizes = [10.0 ** (k / _PER_DECADE) for k in range(_SMALLEST * _PER_DECADE, _LARGEST * _PER_DECADE + 1)]
    near = [k / 8 for k in range(100)]
    own = [abs(c) for gap in gaps for c in map(float, gap.part.graph.constants.values()) if abs(c) < 1e300]
    return sorted({side * size for size in (*sizes, *near, *own[:100]) for side in (-1.0, 1.0)})


def _zeros(along: Callable[[float], float | None], values: Sequence[float]) -> Iterator[tuple[float, int]]:
    """Where a function is 0, or changes its sign, nearest to 0 first, each with the evaluations that it took."""
    known = [(x, g) for x in values if (g := along(x)) is not None]
    if len(known) < _TOO_FEW:
        return
    levels = [0.0]
    if min(g for _, g in known) >= 0.0:  # a sawtooth, as x - floor(x) is, falls to 0 where it jumps
        levels.append(max(g for _, g in known) / 2)
    for level in levels:
        shifted = [(x, g - level) for x, g in known]
        brackets = [(a, b) for a, b in pairwise(shifted) if a[1] == 0 or (a[1] < 0) != (b[1] < 0)]
        brackets.sort(key=lambda pair: min(abs(pair[0][0]), abs(pair[1][0])))
        for a, b in brackets[:_ROOTS]:
            yield _bisected(along, level, a, b)
        yield from _dips(along, level, shifted)


def _bisected(
    along: Callable[[float], float | None], level: float, a: tuple[float, float], b: tuple[float, float]
) -> tuple[float, int]:
    """The zero between two points, to the last digit."""
    (low, below), (high, above), steps = a, b, 0
    if not below:
        return low, 1
    while above and steps < 80:
        middle = low / 2 + high / 2
        value = along(middle) if low < middle < high else None
        if value is None:
            break
        steps += 1
        if (value - level < 0) == (below < 0) and value != level:
            low = middle
        else:
            high, above = middle, value - level
    return high, steps + 1


def _dips(
    along: Callable[[float], float | None], level: float, known: Sequence[tuple[float, float]]
) -> Iterator[tuple[float, int]]:
    """Zeros between points of one sign, where the function comes near 0 and leaves again."""
    dips = [
        (known[k - 1], known[k], known[k + 1])
        for k in range(1, len(known) - 1)
        if known[k - 1][1] * known[k][1] > 0 < known[k][1] * known[k + 1][1]
        and abs(known[k][1]) < min(abs(known[k - 1][1]), abs(known[k + 1][1]))
    ]
    dips.sort(key=lambda dip: abs(dip[1][0]))
    for left, middle, right in dips[:_ROOTS]:
        lowest, steps = _lowest(along, level, left, middle, right)
        yield lowest[0], steps
        if (lowest[1] < 0) != (middle[1] < 0):
            yield _bisected(along, level, left, lowest)
            yield _bisected(along, level, lowest, right)


def _lowest(
    along: Callable[[float], float | None],
    level: float,
    left: tuple[float, float],
    middle: tuple[float, float],
    right: tuple[float, float],
) -> tuple[tuple[float, float], int]:
    """Where the function is nearest to 0, or past it, by thirds."""
    sign, (low, best, high) = (1.0 if middle[1] > 0 else -1.0), (left[0], middle, right[0])
    for steps in range(60):
        x = best[0] / 2 + (low if best[0] - low > high - best[0] else high) / 2
        value = along(x)
        if value is None or x == best[0]:
            return best, steps + 1
        if (value - level) * sign <= best[1] * sign:
            low, high = (low, best[0]) if x < best[0] else (best[0], high)
            best = x, value - level
        elif x < best[0]:
            low = x
        else:
            high = x
        if best[1] * sign <= 0:
            break
    return best, steps + 1
