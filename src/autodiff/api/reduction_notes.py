"""Notes for reductions of a scalar: without shapes every name is a scalar, so mean(x) is x.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.api.elementwise_view import numbers_of
>>> note(numbers_of(parse("mean(x^2) + norm(y)")))
'x and y are each taken as one number: mean(x^2) is x^2, norm(y) is abs(y)'

A loss of the prelude is meant for one row as well, so there is no note on what is inside it.
"""

from __future__ import annotations

from collections.abc import Iterator

from autodiff.api.elementwise_view import OverNumbers
from autodiff.arrays.scalarize import Flat
from autodiff.core import prelude
from autodiff.core.graph import Graph
from autodiff.core.primitive import ELEMENTWISE
from autodiff.diagnostics import listed, written
from autodiff.errors import shortened
from autodiff.notation.infix import infix
from autodiff.symbolic.adjoint import image, tidied
from autodiff.symbolic.expression import Symbols

_SHOWN = 3
"""Reductions that a note names."""

_READABLE = 40
"""Equations up to which a reduction's meaning is written out."""


def note(numbers: OverNumbers) -> str:
    """Which names are taken as one number, and what reductions are then; "" where none is of a name's number."""
    nodes = list(reduced(numbers))
    if not nodes:
        return ""
    graph = numbers.written.graph
    names = [graph.inputs[n] for n in graph.reaching(*nodes) if n in graph.inputs]
    means = list(dict.fromkeys(_means(numbers, node) for node in nodes))
    more = [f"and {len(means) - _SHOWN} more are alike"] if len(means) > _SHOWN else []
    taken = "is taken as one number" if len(names) == 1 else "are each taken as one number"
    return f"{_joined(names)} {taken}: {', '.join([*means[:_SHOWN], *more])}"


def require_elements(numbers: OverNumbers) -> None:
    """Raise AutodiffError for a reduction of a scalar: what is right for a scalar may be wrong for an array."""
    node = next(reduced(numbers), None)
    if node is None:
        return
    raise numbers.written.error(
        node,
        f"every name is taken as one number, and then {_means(numbers, node)}; for an array the answer may be another",
        "write the elements, such as [x0, x1]; or leave the reduction out where one number is meant",
    )


def reduced(numbers: OverNumbers) -> Iterator[int]:
    """The equations of reductions, as the program is written, whose argument is a number that depends on an input."""
    lowered, flat = numbers.written, numbers.flat
    if flat is None:
        return
    graph = lowered.graph
    depending = graph.depending(graph.inputs)
    for node, (row, args) in enumerate(zip(graph.rows, graph.args, strict=True)):
        if row is None or row.kind == ELEMENTWISE or not row.scalar_meaning or not depending[node]:
            continue
        if not any(flat.blocks[a].shape for a in args) and not prelude.calls(lowered.source, graph.spans[node]):
            yield node


def _means(numbers: OverNumbers, node: int) -> str:
    """`mean(x^2) is x^2`, tidied; names that the program assigns stay names."""
    text = shortened(written(numbers.written, node))
    assert numbers.flat is not None  # else there are no reductions
    flat: Flat = numbers.flat
    names = {of: name for name, of in flat.lowered.assigned.items() if numbers.written.assigned.get(name) != node}
    meaning = _tidied(flat.lowered.graph, flat.blocks[node].nodes[0], names)
    return f"{text} is {meaning or 'that of one number'}"


def _tidied(graph: Graph, root: int, stops: dict[int, str]) -> str:
    """The formula of an equation in which the `stops` are names; "" when it is too long to read."""
    if root in stops:
        return shortened(stops[root], 60)
    seen, symbols = image(graph, root, stops), Symbols()
    if len(seen.of) > _READABLE:
        return ""
    return shortened(infix(symbols.graph, tidied(symbols, seen.symbols.graph, seen.of[root])), 60)


def _joined(names: list[str]) -> str:
    return f"{listed(names[:-1])} and {shortened(names[-1])}" if 1 < len(names) <= 12 else listed(names)
