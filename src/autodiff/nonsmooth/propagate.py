"""Many special points at once: each is expanded by itself, and the chain rule carries both sides to the result.

Above the last special points u on each way, a program f(x, u, …) is smooth. So its slope on a side is ∂f/∂x + Σ ∂f/∂u·u',
with u' the slope of u on that side, which only needs the expansion of what u is made of. An expansion of the whole
program for each name would take time with the square of its size.

>>> from autodiff.core.lowering import lower
>>> from autodiff.core.evaluate import primal
>>> from autodiff.core.special_points import special_points
>>> lowered, point = lower("x*abs(y) + 3*abs(x) + 2x"), {"x": 0.0, "y": 0.0}
>>> run = primal(lowered, point)
>>> sides = carried(lowered, run, point, {"x": 0}, special_points(lowered, run))["x"]
>>> sides.status, sides.left, sides.right
('corner', -1.0, 5.0)
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

from autodiff.core import linearize, templates
from autodiff.core.evaluate import Indeterminate, Trace
from autodiff.core.graph import Graph, reached
from autodiff.core.lowering import Lowered
from autodiff.core.vjp import vjp
from autodiff.nonsmooth.expand import OneSidedDomainError, around
from autodiff.nonsmooth.verdict import OneSided, Verdict, judged, known, same, side, verdict
from autodiff.numbers.one_sided import ROUNDING
from autodiff.numbers.one_sided_terms import Term

EXPANDED = 20_000
"""Names times equations, up to which the whole program is expanded for each name."""

MOST = 400_000
"""Names times equations to be expanded, beyond which slopes are unknown: ten seconds or so."""


def verdicts(
    lowered: Lowered,
    run: Trace,
    point: Mapping[str, float],
    names: Mapping[str, int],
    special: Sequence[int],
    most: int = MOST,
) -> dict[str, Verdict]:
    """The slopes by `names` (name → equation), all of which have a part in the special points `special`, from both sides.

    Beyond `most` names times equations to be expanded one by one, what is not plain is unknown.
    """
    size = len(run.order)
    plain = carried(lowered, run, point, names, special, most) if len(names) * size > EXPANDED else {}
    if (len(names) - len(plain)) * size > most:
        return {name: plain.get(name) or Verdict("unknown", node=special[0]) for name in names}
    return {name: plain.get(name) or verdict(lowered, run, point, node) for name, node in names.items()}


def carried(
    lowered: Lowered,
    run: Trace,
    point: Mapping[str, float],
    names: Mapping[str, int],
    special: Collection[int],
    most: int = MOST,
) -> dict[str, Verdict]:
    """The verdicts of those names for which this is plain; there is none where the value jumps, or rounding decides.

    Nor is there one where the parts that names move have more than `most` equations together.
    """
    perturbed = _perturbed(run)
    stops = {*special, *_edges(lowered, run, perturbed)}
    front = _front(lowered, run, stops)
    weights, errors = _weights(lowered, run, perturbed, names.values(), stops)
    at: dict[int, list[_Sum]] = {}
    totals = {
        name: _Sum(weights.get(node, 0.0), node in stops, [errors.get(node, 0.0)] * 2) for name, node in names.items()
    }
    for name, node in names.items():
        at.setdefault(node, []).append(totals[name])
    for stop in front:
        part, number = _part(lowered, stop)
        part_point = {name: point[name] for name in part.graph.inputs.values()}
        moved = number.keys() & at.keys()
        most -= len(moved) * len(part.graph)
        if most < 0:
            return {}
        for node in moved:
            sides = _sides(part, part_point, number[node], run.values[stop])
            for total in at[node]:
                total.add(sides, weights.get(stop, 0.0), errors.get(stop, 0.0))
    value = run.values[lowered.result]
    return {name: judged for name, total in totals.items() if (judged := total.judged(value)) is not None}


@dataclass(slots=True)
class _Sum:
    """The slope of the result on the left and on the right, as far as it is added up."""

    smooth: float
    doubtful: bool
    error_bounds: list[float]
    bends: list[float] = field(default_factory=lambda: [0.0, 0.0])
    outside: list[bool] = field(default_factory=lambda: [False, False])

    def add(self, sides: Sequence[OneSided | None] | None, weight: float, error: float) -> None:
        """Add a special point's part, of which the result has `weight`, known up to `error`."""
        self.doubtful = self.doubtful or sides is None or not error <= abs(weight) < math.inf
        if sides is None:
            return
        for k, (sign, one_sided) in enumerate(zip((-1.0, 1.0), sides, strict=True)):
            if one_sided is None:
                self.outside[k] = True
            elif weight == 0:
                self.doubtful = self.doubtful or math.isinf(one_sided.slope)
            else:
                self.bends[k] += weight * sign * one_sided.slope
                self.error_bounds[k] += abs(weight) * one_sided.error_bound + error * abs(one_sided.slope)

    def judged(self, value: float) -> Verdict | None:
        """What that comes to; None where the sides are no plain numbers, or so near that rounding may part them."""
        slopes = [
            None if outside else self.smooth + bend for bend, outside in zip(self.bends, self.outside, strict=True)
        ]
        existing = [slope for slope in slopes if slope is not None]
        if self.doubtful or not math.isfinite(self.smooth) or not existing or any(map(math.isnan, existing)):
            return None
        if not all(slope is None or known(slope, e) for slope, e in zip(slopes, self.error_bounds, strict=True)):
            return None
        left, right = (None if slope is None else value for slope in slopes)
        seen = Verdict("ok", left=slopes[0], right=slopes[1], values=(left, right))
        blurred = same(existing[0], existing[-1], sum(self.error_bounds))
        answer = judged(seen, jumps=False, equal=self.bends[0] == self.bends[1], blurred=blurred)
        return None if answer.status == "unknown" else answer


def _weights(
    lowered: Lowered, run: Trace, perturbed: Trace, sources: Collection[int], stops: Collection[int]
) -> tuple[dict[int, float], dict[int, float]]:
    """The slope of the result in every equation, by ways without a stop on them, and how far each may be off.

    The error is that of adding up, and what the rounding of values does to slopes: cos(pi/2) is not known to be other
    than 0, which shows as the slopes are taken again from values that are perturbed a little.
    """
    ends = [lowered.result, *sources]
    linear, other = (
        {node: edges for node, edges in linearize.linearize(lowered, trace, sources).items() if node not in stops}
        for trace in (run, perturbed)
    )
    weights, beside = (vjp(lowered.result, edges, ends) for edges in (linear, other))
    sizes = vjp(lowered.result, {node: [(a, abs(s)) for a, s in edges] for node, edges in linear.items()}, ends)
    return weights, {n: ROUNDING * sizes[n] + 4 * abs(beside.get(n, math.nan) - weights[n]) for n in weights}


def _perturbed(run: Trace) -> Trace:
    """The same with values that are off by what rounding may come to, each in its own way."""
    wobbles = (2 * (node * 0.6180339887498949 % 1) - 1 for node in range(len(run.values)))
    values = zip(run.values, wobbles, strict=True)
    return run._replace(values=[v if v is None else v * (1 + ROUNDING * wobble) for v, wobble in values])


def _edges(lowered: Lowered, run: Trace, perturbed: Trace) -> Iterator[int]:
    """The equations whose arguments are, or by rounding may be, at the end of a domain: sqrt(x) at 0 has no left side."""
    graph = lowered.graph
    for node in run.order:
        row, args = graph.rows[node], graph.args[node]
        if row is None or not row.domain or node in run.taken:
            continue
        ways = [(run.values[a],) if a in graph.constants else _around(graph, run, perturbed, a) for a in args]
        if not all(inside(*place) for place in product(*ways) for inside, _ in templates.domain(row)):
            yield node


def _around(graph: Graph, run: Trace, perturbed: Trace, node: int) -> tuple[float, float, float]:
    """The value of an equation, and the numbers beside it that it might be."""
    value, row = run.values[node], graph.rows[node]
    low, high = around(value)
    if row is not None and node not in run.taken:
        drift = abs(templates.value(row)(*(perturbed.values[a] for a in graph.args[node])) - value)
        low, high = min(low, value - 4 * drift), max(high, value + 4 * drift)
    return value, low, high


def _front(lowered: Lowered, run: Trace, stops: Collection[int]) -> list[int]:
    """The stops that the result is made from without another one between."""
    graph, values = lowered.graph, run.values
    way = lambda node: () if node in stops else [a for a in graph.args[node] if values[a] is not None]  # noqa: E731
    return sorted(reached(lowered.result, way).intersection(stops))


def _part(lowered: Lowered, stop: int) -> tuple[Lowered, dict[int, int]]:
    """The equations that `stop` is made from as a program of their own, and their numbers in it.

    Only these are walked, not the whole list as by `Graph.carried`: there may be as many stops as equations.
    """
    graph, part = lowered.graph, Graph()
    number: dict[int, int] = {}
    for node in sorted(reached(stop, graph.args.__getitem__)):
        number[node] = graph.copied(node, part, number)
    return lowered._replace(graph=part, result=number[stop]), number


def _sides(part: Lowered, point: Mapping[str, float], source: int, value: float) -> list[OneSided | None] | None:
    """Both sides of a special point when `source` moves; None where one is not known, or has another limit than the value."""
    sides: list[OneSided | None] = []
    for sign in (-1.0, 1.0):
        try:
            one_side = side(part, point, source, sign)
        except Indeterminate:
            return None
        except OneSidedDomainError:
            sides.append(None)
            continue
        if not one_side.meets(Term(0, Fraction(value))):
            return None
        sides.append(one_side)
    return sides
