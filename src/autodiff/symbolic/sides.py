"""Whether a formula is the same on both sides of a place where a part of it steps: sin(x)*sign(sin(x)) is continuous."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from autodiff.core.primitive import Primitive
from autodiff.symbolic.conditions import EQUAL, breaks, judged
from autodiff.symbolic.expression import Symbols


def same_on_both_sides(symbols: Symbols, node: int, place: int) -> bool:
    """Whether an equation has one value on both sides of a place u = v: no step there is left in it when v stands for u."""
    graph = symbols.graph
    if graph.rows[place] is not EQUAL:
        return False
    u, v = graph.args[place]
    product = symbols.as_product(u)
    if len(product.factors) == 1 and symbols.number(v) == 0:
        u = product.factors[0][0]
    known, steps = {u: v, symbols.negative(u): symbols.negative(v)}, set[int]()
    used = graph.reaching(
        _beside(symbols, node, place, known, steps), *(_beside(symbols, side, place, {}, steps) for side in (u, v))
    )
    return steps.isdisjoint(used) and all(isfinite(graph.constants.get(part, 0.0)) for part in used)


def _beside(symbols: Symbols, node: int, place: int, known: Mapping[int, int], steps: set[int]) -> int:
    """An equation with one of its own, put into `steps`, for each step at a place; `known` are others in place of some."""
    graph, of = symbols.graph, dict(known)
    for part in graph.reaching(node):
        row, args = graph.rows[part], tuple([of[a] for a in graph.args[part]])
        if part in of:
            continue
        if row is None:
            of[part] = part
        elif _steps(symbols, row, graph.args[part], place) or _steps(symbols, row, args, symbols.constant(1.0)):
            of[part] = symbols.own(EQUAL, (place, part))
            steps.add(of[part])
        else:
            of[part] = judged(symbols, row, args)
    return of[node]


def _steps(symbols: Symbols, row: Primitive, args: tuple[int, ...], place: int) -> bool:
    return any(kind != "corner" and place == other for kind, other in breaks(symbols, row, args))
