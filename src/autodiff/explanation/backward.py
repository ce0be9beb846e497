"""The backward pass as data: chains and paths of factors with their running products, and what they are.

>>> from autodiff.explanation.build import explain
>>> (chain,) = explain("y = x^2; sin(y)", {"x": 0.0}).blocks
>>> [(step.factor.rule, step.factor.slope.formula, step.so_far) for step in chain.steps]
[('sine rule', 'cos(y)', 1.0), ('power rule', '2*x', 0.0)]
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from autodiff.explanation import factors, paths
from autodiff.explanation.context import Analysis
from autodiff.explanation.model import Cancelling, ChainStep, Factor, FormulaText, PathChain, Slope
from autodiff.explanation.spellings import as_factor, product, written_out
from autodiff.notation.parts import LONGEST, size

SHORT_NAMES, SHORT_EQUATIONS = 16, 400
"""Names, and equations along their paths, up to which a slope is written as a short formula of the steps."""

NAMES, STEPS = 500, 20_000
"""Names that the backward table has at most, and its steps after which no further name begins."""


def blocks_of(analysis: Analysis) -> tuple[PathChain, ...]:
    reached = [name for name, node in analysis.plain.items() if analysis.counts.get(node)][:NAMES]
    if not reached:
        return ()
    links = paths.largest(
        analysis.lowered.result, analysis.order, analysis.flows, lambda p, a: analysis.numbers.get((p, a), 1.0)
    )
    largest = {name: [link.places() for link in links[analysis.wanted[name]]] for name in reached}
    analysis.routes = {name: _in_text_order(analysis, name, routes) for name, routes in largest.items()}
    if all(analysis.counts[analysis.wanted[name]] == 1 for name in reached):
        return (_chain(analysis, {name: routes[0] for name, routes in analysis.routes.items()}),)
    blocks: list[PathChain] = []
    for name, routes in analysis.routes.items():
        if sum(len(block.steps) for block in blocks) < STEPS:
            blocks += _paths(analysis, name, routes)
    return tuple(blocks)


def _in_text_order(analysis: Analysis, name: str, routes: list[list[int]]) -> list[list[int]]:
    """All paths of a name in the order of the text; of more than are listed, the largest first."""
    if analysis.counts[analysis.wanted[name]] > paths.MOST:
        return routes
    return sorted(routes, key=lambda route: [analysis.turn(place, arg) for place, arg in itertools.pairwise(route)])


def _chain(analysis: Analysis, chains: Mapping[str, list[int]]) -> PathChain:
    """One table for names that are each reached by one path: the steps that several share come once, then the rest of each."""
    short = all(len(name) <= 3 for name in chains)
    shared: dict[int, int] = {}
    for route in chains.values():
        for node in route[1:]:
            shared[node] = shared.get(node, 0) + 1
    steps: list[ChainStep] = []
    products: dict[int, float | None] = {analysis.lowered.result: 1.0}
    for i, (name, route) in enumerate(_beside_each_other(chains)):
        own = name if short else chr(ord("a") + i % 26)
        fresh = next(k for k, node in enumerate([*route, -1]) if node not in products)
        for k in range(fresh, len(route)):
            by_all = shared[route[k]] == len(chains)
            mark = "" if by_all else own if shared[route[k]] == 1 else _mark(analysis, route[k])
            (step,) = _steps(analysis, route[k - 1 : k + 1], mark, products[route[k - 1]], k - 1)
            products[route[k]] = step.so_far
            steps.append(step)
    return PathChain(tuple(steps), next(iter(chains)) if len(chains) == 1 else "")


def _beside_each_other(chains: Mapping[str, list[int]]) -> list[tuple[str, list[int]]]:
    """The names in their order, but those that share the longest part of their paths next to each other."""
    first: dict[int, int] = {}
    for route in chains.values():
        for node in route:
            first.setdefault(node, len(first))
    return sorted(chains.items(), key=lambda chain: [first[node] for node in chain[1]])


def _mark(analysis: Analysis, node: int) -> str:
    """What marks a step that some of the names share: the place that it leads to, where that is short."""
    name = analysis.places.names[node]
    return name if len(name) <= 3 else ""


def _steps(analysis: Analysis, route: Sequence[int], mark: str, so_far: float | None, start: int) -> list[ChainStep]:
    steps = []
    for i, (place, arg) in enumerate(itertools.pairwise(route), start=start + 1):
        factor = analysis.factor(place, arg)
        so_far = None if factor.value is None or so_far is None else so_far * factor.value
        is_answer = analysis.places.names[arg] in analysis.plain and analysis.counts[arg] == 1
        whole = analysis.counts[arg] == 1
        exact, beyond = analysis.exact_adjoint(arg) if whole else analysis.exact_product(route[: i - start + 1])
        so_far = None if beyond else exact if so_far is None else so_far
        steps.append(ChainStep(f"{i}{mark}", factor, so_far, whole, is_answer, beyond))
    return steps


def _paths(analysis: Analysis, name: str, routes: list[list[int]]) -> list[PathChain]:
    names = analysis.places.names
    blocks = []
    for route in routes:
        steps = [s._replace(answer=s.answer and s.factor.by == name) for s in _steps(analysis, route, "", 1.0, 0)]
        total = (steps[-1].so_far if steps else 1.0) if analysis.trace is not None else None
        beyond = steps[-1].beyond if steps else ""
        blocks.append(PathChain(tuple(steps), name, tuple(names[node] for node in reversed(route)), total, beyond))
    return blocks


def cancelling(analysis: Analysis, blocks: Sequence[PathChain]) -> tuple[Cancelling, ...]:
    """The first steps whose product gets simpler with each further factor."""
    if len(blocks) != 1 or blocks[0].path or not blocks[0].steps:
        return ()
    by_name = {name: node for node, name in analysis.places.names.items()}
    steps = [step for step in blocks[0].steps if step.label.isdigit()]
    simpler = _simpler(analysis, [(by_name[step.factor.of], by_name[step.factor.by]) for step in steps])
    if simpler is None:
        return ()
    last = steps[simpler[0] - 1]
    return (Cancelling(simpler[0], last.factor.by, simpler[1], last.so_far),)


def _simpler(analysis: Analysis, pairs: Sequence[tuple[int, int]]) -> tuple[int, FormulaText] | None:
    """How many of the first factors have a product that is simpler than that of one factor less, and this product."""
    before = 0
    for known, pair in enumerate(pairs[:6], start=1):
        if analysis.formula(*pair) is None:
            return None
        graph, product = analysis.formulas.total([pairs[:known]])
        now = size(graph, product)
        if known > 1 and now < before:
            return known, written_out(graph, product)
        before = now
    return None


def slope(analysis: Analysis, name: str, whole: Mapping[str, FormulaText]) -> Slope:
    node = analysis.wanted[name]
    count = analysis.counts.get(node, 0)
    value = forwards = ulps = None
    if analysis.answer is not None:
        value = analysis.answer.gradient[name]
        forwards = (analysis.answer.forward or {}).get(name)
        ulps = analysis.answer.ulps_apart(name).get(name)
    chain: tuple[Factor, ...] = ()
    if count == 1 and name in analysis.plain and node != analysis.lowered.result:
        route = _only_route(analysis, node)
        chain = tuple(analysis.factor(p, a) for p, a in itertools.pairwise(route)) if len(route) < 40 else ()
    listed = min(count, paths.MOST) if name in analysis.listed else 0
    formula = whole.get(name) if name in analysis.plain and not _has_other_paths(analysis, node) else None
    textbook = _by_textbook(analysis, name) if analysis.places.calls and analysis.routes.get(name) else None
    if textbook and (not formula or _calls(analysis, name) or len(textbook.formula) < len(formula.formula)):
        formula = textbook
    formula = formula if formula and formula.formula else None
    short, because = _short(analysis, name) if name in analysis.plain and count == listed else (None, "")
    beyond = analysis.exact_adjoint(node)[1] if value == 0 and name in analysis.plain else ""
    return Slope(
        name, value, count, listed, formula, chain, forwards, ulps, short=short, because=because, beyond=beyond
    )


def _has_other_paths(analysis: Analysis, source: int) -> bool:
    """Whether `source` reaches the result by further paths where other branches are taken, which the formula of all branches counts."""
    if analysis.trace is None or not analysis.trace.taken:
        return False
    active = factors.active(analysis.places, [source], None)
    return any(
        set(factors.structure(analysis.places, place, active)) - set(analysis.flows[place])
        for place in analysis.flows
        if place in active
    )


def _calls(analysis: Analysis, name: str) -> bool:
    """Whether a path from `name` leads through a call whose slope is not what its equations lead to."""
    routes = analysis.routes.get(name, ())
    return any(
        analysis.formulas.is_textbook(place, arg) for route in routes for place, arg in itertools.pairwise(route)
    )


def _by_textbook(analysis: Analysis, name: str) -> FormulaText | None:
    """The slope of such a path as a formula of the inputs."""
    routes = [list(itertools.pairwise(route)) for route in analysis.routes[name]]
    if sum(len(analysis.places.inside[place]) for route in routes for place, _ in route) > SHORT_EQUATIONS:
        return None
    graph, node = analysis.formulas.of_inputs(*analysis.formulas.total(routes))
    return written_out(graph, node) if size(graph, node) <= LONGEST else None


def _short(analysis: Analysis, name: str) -> tuple[FormulaText | None, str]:
    """The slope as a formula of the steps, where that is shorter than its factors; and why it holds, if at this point only."""
    routes = [list(itertools.pairwise(route)) for route in analysis.routes.get(name, ())]
    factors = [(place, arg) for path in routes for place, arg in path]
    formulas = [analysis.text(*pair) for pair in factors if analysis.formula(*pair) is not None]
    inner = sum(len(analysis.places.inside[place]) for place, _ in factors)
    if len(analysis.wanted) > SHORT_NAMES or len(formulas) < max(2, len(factors)) or inner > SHORT_EQUATIONS:
        return None, ""
    known = _in_order(analysis, routes, formulas)
    if known is None and not (_has_names(analysis, routes) and (len(routes) > 1 or _calls(analysis, name))):
        return None, ""
    best, because = known or written_out(*analysis.formulas.total(routes)), ""
    for group in _rows_that_sum_to_one(analysis, name):
        for left_out in group if any(element in best.formula for element in group) else ():
            others = [element for element in group if element != left_out]
            text = written_out(*analysis.formulas.total(routes, {left_out: others}))
            if 0 < len(text.formula) < len(best.formula):
                best, because = text, f"{' + '.join(group)} = 1"
    long = "*".join(text.formula for text in formulas if text.formula != "1").replace(" ", "")
    return (best, because) if 0 < len(best.formula.replace(" ", "")) < len(long) else (None, "")


def _has_names(analysis: Analysis, routes: Sequence[Sequence[tuple[int, int]]]) -> bool:
    """Whether the places on the way have names that mean something: of the user, or as the value of a call."""
    known = {
        *analysis.lowered.assigned.values(),
        *analysis.graph.inputs,
        *analysis.places.calls,
        analysis.lowered.result,
    }
    args = {arg for call in analysis.places.calls.values() for nodes in call.args for arg in nodes}
    return all({place, arg} <= known | args for route in routes for place, arg in route)


def _in_order(
    analysis: Analysis, routes: list[list[tuple[int, int]]], slopes: Sequence[FormulaText]
) -> FormulaText | None:
    """The factors of one path, those that cancel as one, the others as they are: `(yhat - y)*x`."""
    simpler = _simpler(analysis, routes[0]) if len(routes) == 1 else None
    if simpler is None:
        return None
    known, first = simpler
    rest = [slope for slope in slopes[known:] if slope.formula != "1"]
    return product([as_factor(slope) for slope in (first, *rest)]) if rest else first


def _rows_that_sum_to_one(analysis: Analysis, name: str) -> Iterator[list[str]]:
    """The rows of other arrays than that of `name` whose numbers sum to 1, as those of a target do that names a class."""
    at = {} if analysis.answer is None else analysis.answer.at
    rows: dict[str, list[str]] = {}
    for element in at:
        if element.endswith("]") and element.partition("[")[0] != name.partition("[")[0]:
            rows.setdefault(element.rpartition(",")[0] or element.partition("[")[0], []).append(element)
    for group in rows.values():
        if 1 < len(group) <= paths.MOST and sum(at[element] for element in group) == 1.0:
            yield group


def _only_route(analysis: Analysis, source: int) -> list[int]:
    """The one path from the result to `source`."""
    above = {arg: place for place, args in analysis.flows.items() for arg in args if place in analysis.counts}
    route = [source]
    while route[-1] != analysis.lowered.result:
        route.append(above[route[-1]])
    return route[::-1]
