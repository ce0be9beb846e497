"""The backward pass as data: chains and paths of factors with their running products, and what they are.

>>> from autodiff.explanation.build import explain
>>> (chain,) = explain("y = x^2; sin(y)", {"x": 0.0}).blocks
>>> [(step.factor.rule, step.factor.slope.formula, step.so_far) for step in chain.steps]
[('sine rule', 'cos(y)', 1.0), ('power rule', '2*x', 0.0)]
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from autodiff.explanation import paths
from autodiff.explanation.context import Analysis
from autodiff.explanation.model import Cancelling, ChainStep, Factor, FormulaText, PathChain, Slope
from autodiff.explanation.spellings import written_out
from autodiff.notation.parts import size

NAMES, STEPS = 500, 20_000
"""Names that the backward table leads to at most, and its steps after which no further name begins."""


def blocks_of(analysis: Analysis) -> tuple[PathChain, ...]:
    alive = [name for name, node in analysis.plain.items() if analysis.counts.get(node)]
    if not alive:
        return ()
    links = paths.largest(
        analysis.lowered.result, analysis.order, analysis.flows, lambda p, a: analysis.numbers.get((p, a), 1.0)
    )
    routes = {name: [link.places() for link in links[analysis.wanted[name]]] for name in alive[:NAMES]}
    alive = list(routes)
    if all(analysis.counts[analysis.wanted[name]] == 1 for name in alive):
        return (_chain(analysis, {name: routes[name][0][::-1] for name in alive}),)
    blocks: list[PathChain] = []
    for name in alive:
        if sum(len(block.steps) for block in blocks) < STEPS:
            blocks += _paths(analysis, name, [route[::-1] for route in routes[name]])
    return tuple(blocks)


def _chain(analysis: Analysis, chains: Mapping[str, list[int]]) -> PathChain:
    """One table for names that are each reached by one path: what they share once, then each one's own rest."""
    routes = list(chains.values())
    shared = next(
        (i for i, nodes in enumerate(zip(*routes, strict=False)) if len(set(nodes)) > 1), min(map(len, routes))
    )
    steps = [*_steps(analysis, routes[0][:shared], "", 1.0, 0)]
    so_far = steps[-1].so_far if steps else 1.0
    short = all(len(name) <= 3 for name in chains)
    for i, (name, route) in enumerate(chains.items()):
        mark = "" if len(chains) == 1 else name if short else chr(ord("a") + i % 26)
        steps += _steps(analysis, route[shared - 1 :], mark, so_far, shared - 1)
    return PathChain(tuple(steps), next(iter(chains)) if len(chains) == 1 else "")


def _steps(analysis: Analysis, route: Sequence[int], mark: str, so_far: float | None, start: int) -> list[ChainStep]:
    steps = []
    for i, (place, arg) in enumerate(itertools.pairwise(route), start=start + 1):
        factor = analysis.factor(place, arg)
        so_far = None if factor.value is None or so_far is None else so_far * factor.value
        is_answer = analysis.places.names[arg] in analysis.plain and analysis.counts[arg] == 1
        steps.append(ChainStep(f"{i}{mark}", factor, so_far, analysis.counts[arg] == 1, is_answer))
    return steps


def _paths(analysis: Analysis, name: str, routes: list[list[int]]) -> list[PathChain]:
    names = analysis.places.names
    if analysis.counts[analysis.wanted[name]] <= paths.MOST:
        routes = sorted(routes, key=lambda route: (len(route), route))
    blocks = []
    for route in routes:
        steps = [s._replace(answer=s.answer and s.factor.by == name) for s in _steps(analysis, route, "", 1.0, 0)]
        total = (steps[-1].so_far if steps else 1.0) if analysis.trace is not None else None
        blocks.append(PathChain(tuple(steps), name, tuple(names[node] for node in reversed(route)), total))
    return blocks


def cancelling(analysis: Analysis, blocks: Sequence[PathChain]) -> tuple[Cancelling, ...]:
    """The first steps whose product gets simpler as the next factor joins analysis."""
    if len(blocks) != 1 or blocks[0].path or not blocks[0].steps:
        return ()
    by_name = {name: node for node, name in analysis.places.names.items()}
    steps = [step for step in blocks[0].steps if step.label.isdigit()][:6]
    pairs = [(by_name[step.factor.of], by_name[step.factor.by]) for step in steps]
    before = 0
    for known, step in enumerate(steps, start=1):
        if analysis.formula(*pairs[known - 1]) is None:
            return ()
        graph, product = analysis.formulas.product(pairs[:known])
        now = size(graph, product)
        if known > 1 and now < before:
            return (Cancelling(known, step.factor.by, written_out(graph, product), step.so_far),)
        before = now
    return ()


def slope(analysis: Analysis, name: str, whole: Mapping[str, FormulaText]) -> Slope:
    node = analysis.wanted[name]
    count = analysis.counts.get(node, 0)
    value = forwards = ulps = None
    if analysis.answer is not None:
        value = analysis.answer.gradient[name]
        forwards = (analysis.answer.forward or {}).get(name)
        ulps = analysis.answer.ulps_apart().get(name)
    chain: tuple[Factor, ...] = ()
    if count == 1 and name in analysis.plain and node != analysis.lowered.result:
        route = _only_route(analysis, node)
        chain = tuple(analysis.factor(p, a) for p, a in itertools.pairwise(route)) if len(route) < 40 else ()
    listed = min(count, paths.MOST) if name in analysis.listed else 0
    formula = whole.get(name) if name in analysis.plain else None
    return Slope(name, value, count, listed, formula if formula and formula.formula else None, chain, forwards, ulps)


def _only_route(analysis: Analysis, source: int) -> list[int]:
    """The one path from the result to `source`."""
    above = {arg: place for place, args in analysis.flows.items() for arg in args if place in analysis.counts}
    route = [source]
    while route[-1] != analysis.lowered.result:
        route.append(above[route[-1]])
    return route[::-1]
