"""Sums of weighted columns as one product of a vector and a matrix, which a processor does several times as fast.

    w0*x0 + w1*x1 + w2*x2 + b    becomes    [w0, w1, w2] @ [x0, x1, x2] + b

>>> from autodiff.core.lowering import lower
>>> lowered = lower("tanh(a*x - b*y + c*x + d)")
>>> found, of = gathered(lowered, {lowered.node(name) for name in "abcd"}, {lowered.node(name) for name in "xy"})
>>> [row.name for row in found.graph.rows if row]
['-', '[…]', '[…]', '@', '+', 'tanh']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import literal
from autodiff.errors import Span

FEWEST = 3
"""Products for which it is worth while."""

_ADD, _SUBTRACT, _TIMES, _NEGATE = (rules.TABLE[key] for key in (("+", 2), ("-", 2), ("*", 2), ("-", 1)))
_MATRIX = rules.TABLE["@", 2]

Term = tuple[int, bool]
"""An equation, and whether it is subtracted."""


def gathered(lowered: Lowered, numbers: Collection[int], columns: Collection[int]) -> tuple[Lowered, dict[int, int]]:
    """The program with its sums of `numbers` times `columns` gathered, and what each equation that is left became."""
    order = lowered.graph.reaching(lowered.result)
    uses = Counter(arg for node in order for arg in lowered.graph.args[node])
    inside: set[int] = set()
    sums: dict[int, list[Term]] = {}
    for node in reversed(order):
        if node not in inside and lowered.graph.rows[node] in (_ADD, _SUBTRACT):
            terms, within = _terms(lowered.graph, node, uses)
            products = [term for term, _ in terms if _weighted(lowered.graph, term, numbers, columns)]
            if len(products) >= FEWEST:
                sums[node] = terms
                inside |= within | {term for term in products if uses[term] == 1}
    return _rewritten(lowered, order, sums, inside, numbers, columns)


def _terms(graph: Graph, root: int, uses: Mapping[int, int]) -> tuple[list[Term], set[int]]:
    """What a sum adds up, from the left, and the sums inside it that nothing else uses."""
    terms: list[Term] = []
    within: set[int] = set()
    todo: list[Term] = [(root, False)]
    while todo:
        node, minus = todo.pop()
        row = graph.rows[node]
        if row not in (_ADD, _SUBTRACT) or (node != root and uses[node] > 1):
            terms.append((node, minus))
            continue
        within.add(node)
        left, right = graph.args[node]
        todo += [(right, minus != (row is _SUBTRACT)), (left, minus)]
    return terms, within - {root}


def _weighted(graph: Graph, node: int, numbers: Collection[int], columns: Collection[int]) -> tuple[int, int] | None:
    """The number and the column of which an equation is the product."""
    if graph.rows[node] is not _TIMES:
        return None
    left, right = graph.args[node]
    if left in numbers and right in columns:
        return left, right
    return (right, left) if right in numbers and left in columns else None


def _rewritten(
    lowered: Lowered,
    order: list[int],
    sums: Mapping[int, list[Term]],
    inside: Collection[int],
    numbers: Collection[int],
    columns: Collection[int],
) -> tuple[Lowered, dict[int, int]]:
    graph, rewritten = lowered.graph, Graph()
    of: dict[int, int] = {}
    for node in order:
        row, span = graph.rows[node], graph.spans[node]
        if row is None:
            of[node] = graph.copied(node, rewritten, of)
        elif node in sums:
            pairs = [(_weighted(graph, term, numbers, columns), minus) for term, minus in sums[node]]
            weighted = [(of[pair[0]], of[pair[1]], minus) for pair, minus in pairs if pair]
            rest = [(of[term], minus) for (term, minus), (pair, _) in zip(sums[node], pairs, strict=True) if not pair]
            of[node] = _sum(rewritten, weighted, rest, span)
        elif node not in inside:
            of[node] = rewritten.call(row, tuple(of[a] for a in graph.args[node]), span)
    kept = {name: of[node] for name, node in lowered.assigned.items() if node in of}
    return Lowered(rewritten, of[lowered.result], lowered.name, lowered.inputs, kept, lowered.source), of


def _sum(graph: Graph, weighted: list[tuple[int, int, bool]], rest: list[Term], span: Span) -> int:
    weights = [graph.call(_NEGATE, (weight,), span) if minus else weight for weight, _, minus in weighted]
    row = literal(len(weighted))
    vector = graph.call(row, tuple(weights), span)
    matrix = graph.call(row, tuple(column for _, column, _ in weighted), span)
    total = graph.call(_MATRIX, (vector, matrix), span)
    for term, minus in rest:
        total = graph.call(_SUBTRACT if minus else _ADD, (total, term), span)
    return total
