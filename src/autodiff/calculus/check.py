"""Checked before printed: an answer of one mode must agree with one sweep of the other, within rounding."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from autodiff.calculus import local
from autodiff.calculus.forward import forward
from autodiff.calculus.lower import Lowered
from autodiff.calculus.primal import Run
from autodiff.calculus.reverse import reverse

_EPSILON, _TINIEST = 2.0**-52, 5e-324


def direction(sources: Mapping[str, int]) -> dict[str, float]:
    """A fixed pseudo-random direction: a weight in (0.25, 0.75) for each name, the golden ratio's multiples mod 1."""
    return {name: 0.25 + 0.5 * ((k * 0.6180339887498949) % 1) for k, name in enumerate(sources, start=1)}


def agrees(
    lowered: Lowered,
    run: Run,
    point: Mapping[str, float],
    sources: Mapping[str, int],
    gradient: Mapping[str, float],
    mode: str,
) -> bool | None:
    """Whether `gradient`, times a fixed direction, is what one sweep of the mode that did not make it gives.

    None when the other sweep leaves the range of float64 where the first one did not, so that nothing can be said.
    """
    along = direction(sources)
    here = math.fsum(along[name] * gradient[name] for name in sources)
    adjoints: Mapping[int, float]
    tangents: list[float] | None = None
    if mode == "forward":
        adjoints = reverse(lowered, run, list(sources.values()))
        there = math.fsum(along[name] * adjoints.get(node, 0.0) for name, node in sources.items())
    else:
        tangents = _directional(lowered, point, sources, along)
        there = tangents[lowered.result]
    if not (math.isfinite(here) and math.isfinite(there)):
        return None
    if abs(here - there) <= 4 * _EPSILON * abs(here):
        return True
    allowed = _rounding(lowered, run, sources, tangents or _directional(lowered, point, sources, along))
    return None if not math.isfinite(allowed) else abs(here - there) <= allowed


def _directional(
    lowered: Lowered, point: Mapping[str, float], sources: Mapping[str, int], along: Mapping[str, float]
) -> list[float]:
    seeds: dict[int, dict[str, float]] = {}
    for name, node in sources.items():
        seed = seeds.setdefault(node, {"along": 0.0})
        seed["along"] += along[name]
    duals = forward(lowered, point, seeds)
    return [0.0 if dual is None else dual.tangent.get("along", 0.0) for dual in duals]


def _rounding(lowered: Lowered, run: Run, sources: Mapping[str, int], tangents: Sequence[float]) -> float:
    """How far two sweeps over the same slopes may drift apart.

    Each product of an adjoint, a slope and a tangent is rounded once in either sweep; where one underflows the loss is
    the smallest float times what it is multiplied with later.
    """
    graph = lowered.graph
    adjoints = reverse(lowered, run, list(sources.values()))
    sizes, losses = [], []
    for node, g in adjoints.items():
        if graph.rows[node] is None or node in run.taken:
            continue
        args = graph.args[node]
        values = [run.values[a] for a in args]
        for k, slope in local.slopes(graph, node, values, run.values[node], [a in adjoints for a in args]):
            sizes.append(abs(g * slope * tangents[args[k]]))
            losses.append(_TINIEST * (abs(g) + abs(tangents[args[k]])))
    fan = max(4, math.isqrt(len(sizes)))
    return fan * _EPSILON * math.fsum(sizes) + 4 * math.fsum(losses)
