"""The slip of swapping the two terms of a difference whose sign decides whether the answer has a value.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> slip = swapped_terms(lower(parse("1/sqrt(x^2 - 1)")), [({"x": 0.5}, 1.1547005383792517), ({"x": 0.0}, 1.0)])
>>> slip.why
'x^2 - 1 is negative there, and with its terms swapped the answer is right'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autodiff.core import rules
from autodiff.core.evaluate import DomainError, primal
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.diagnostics import written
from autodiff.grading.slip import Slip, close

_SUB, _NEG = rules.TABLE["-", 2], rules.TABLE["-", 1]


def swapped_terms(answered: Lowered, derivatives: Sequence[tuple[Mapping[str, float], float]]) -> Slip | None:
    """The slip, where the answer has none of these derivatives and has all with one difference the other way round."""
    if not derivatives:
        return None
    try:
        primal(answered, derivatives[0][0])
    except DomainError as trouble:
        node = trouble.node
    else:
        return None
    graph = answered.graph
    for arg in graph.args[node]:
        if graph.rows[arg] is _SUB:
            swapped = _negated(answered, arg)
            if all(_is(swapped, at, derivative) for at, derivative in derivatives):
                why = f"{written(answered, arg)} is negative there, and with its terms swapped the answer is right"
                return Slip("sign", why, written(answered, node), graph.spans[node])
    return None


def _negated(answered: Lowered, negative: int) -> Lowered:
    """The same equations, one of which has the other sign."""
    old, graph = answered.graph, Graph()
    of: dict[int, int] = {}
    for node in old.reaching(answered.result):
        row = old.rows[node]
        if row is None:
            leaf = node in old.constants
            of[node] = graph.constant(old.constants[node]) if leaf else graph.input(old.inputs[node])
        else:
            of[node] = graph.call(row, tuple(of[a] for a in old.args[node]))
        if node == negative:
            of[node] = graph.call(_NEG, (of[node],))
    return answered._replace(graph=graph, result=of[answered.result])


def _is(answered: Lowered, at: Mapping[str, float], derivative: float) -> bool:
    try:
        return close(primal(answered, at).values[answered.result], derivative)
    except DomainError:
        return False
