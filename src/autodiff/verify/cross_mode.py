"""Checked before printed: one mode must agree with a sweep of the other, and rules with the values that they belong to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from autodiff.core import templates
from autodiff.core.evaluate import Trace
from autodiff.core.jvp import jvp
from autodiff.core.linearize import Linearization
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ZERO, Primitive
from autodiff.verify.difference import contradicts

AGREE, DISAGREE, BLURRED, BEYOND = "agree", "disagree", "blurred", "beyond"
"""Outcomes of comparing one mode's gradient with the other mode."""

_EPSILON, _TINIEST = 2.0**-52, 5e-324

FEW = 2.0**-7
"""Numbers that differ by more than this part of them have few digits in common."""

USES = 8
"""How many uses of a rule are compared with values beside the point; so the cost does not grow with the program."""


def direction(sources: Mapping[str, int]) -> dict[str, float]:
    """A fixed pseudo-random direction: a weight in (0.25, 0.75) for each name, the golden ratio's multiples mod 1."""
    return {name: 0.25 + 0.5 * ((k * 0.6180339887498949) % 1) for k, name in enumerate(sources, start=1)}


def compared(
    lowered: Lowered,
    run: Trace,
    factors: Linearization,
    sources: Mapping[str, int],
    gradient: Mapping[str, float],
    mode: str,
    backward: Mapping[int, float],
) -> str:
    """Whether `gradient`, times a fixed direction, is what one sweep of the mode that did not make it gives.

    `backward` is what a reverse sweep over the same factors found. AGREE, DISAGREE, BLURRED where the two differ by no
    more than rounding may, and yet in their leading digits, or BEYOND where the other sweep leaves the range of float64.
    """
    weights = direction(sources)
    here = math.fsum(weights[name] * gradient[name] for name in sources)
    tangents = None
    if mode == "forward":
        there = math.fsum(weights[name] * backward.get(node, 0.0) for name, node in sources.items())
    else:
        tangents = _tangents(factors, sources, weights)
        there = tangents.get(lowered.result, 0.0)
    apart = abs(here - there)
    if not math.isfinite(apart):
        return BEYOND
    # a lower bound of `_rounding` from the sources alone, which needs no pass over all equations
    least = max(4, math.isqrt(len(factors))) * _EPSILON * math.fsum(abs(weights[n] * gradient[n]) for n in sources)
    if apart <= least:
        return AGREE
    allowed = _rounding(run, factors, backward, tangents or _tangents(factors, sources, weights))
    if not math.isfinite(allowed):
        return BEYOND
    if apart > allowed:
        return DISAGREE
    return BLURRED if apart > FEW * max(abs(here), abs(there)) else AGREE


def broken_rule(lowered: Lowered, run: Trace, factors: Linearization) -> int | None:
    """An equation whose slope, by its rule in the table, is not what the rule's own values say; None if there is none."""
    graph, seen = lowered.graph, Counter[Primitive]()
    for node in run.order:
        row = graph.rows[node]
        if row is None or row.is_predicate or node in run.taken or seen[row] == USES:
            continue
        if node in factors or ZERO in row.partials:
            seen[row] += 1
            args = graph.args[node]
            values = [run.values[a] for a in args]
            static_args, claims = templates.static_args(graph, node), _claims(row, args, factors.get(node, ()))
            if any(math.isfinite(slope) and contradicts(row, k, values, slope, static_args) for k, slope in claims):
                return node
    return None


def _claims(row: Primitive, args: Sequence[int], edges: Iterable[tuple[int, float]]) -> Iterator[tuple[int, float]]:
    """The slopes that were taken from a rule, zeros included: (place of the argument, slope)."""
    todo = iter(edges)
    edge = next(todo, None)
    for k, text in enumerate(row.partials):
        if text == ZERO:
            yield k, 0.0
        elif edge is not None and edge[0] == args[k]:
            yield k, edge[1]
            edge = next(todo, None)


def _tangents(factors: Linearization, sources: Mapping[str, int], weights: Mapping[str, float]) -> Mapping[int, float]:
    seeds: dict[int, float] = {}
    for name, node in sources.items():
        seeds[node] = seeds.get(node, 0.0) + weights[name]
    return jvp(factors, seeds)


def _rounding(
    run: Trace, factors: Linearization, backward: Mapping[int, float], tangents: Mapping[int, float]
) -> float:
    """How far two sweeps over the same slopes, which gave these adjoints and tangents, may drift apart.

    Each product of an adjoint, a slope and a tangent is rounded once in either sweep; where one underflows the loss is
    the smallest float times what it is multiplied with later.
    """
    taken, sizes, underflow = run.taken, list[float](), 0.0
    for node, g in backward.items():
        if node in taken:
            continue
        for arg, slope in factors.get(node, ()):
            rate = tangents.get(arg, 0.0)
            sizes.append(abs(g * slope * rate))
            underflow += (abs(g) + abs(rate)) * _TINIEST
    fan = max(4, math.isqrt(len(sizes)))
    return fan * _EPSILON * math.fsum(sizes) + 4 * underflow
