"""Local slopes: the factors of the chain rule, from the one table, for both sweeps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from autodiff.core import templates
from autodiff.core.evaluate import Trace
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ZERO, Primitive

CONVENTIONS: dict[str, Callable[[Primitive], tuple[str, ...]]] = {
    "torch": lambda row: row.torch,
    "jax": lambda row: row.jax,
    "zero": lambda row: ("0",) * row.arity,
}
"""The frameworks whose number may replace a partial on a kink; a row without one keeps its own.

The columns were read off torch 2.13 (minimum, maximum, clamp, hypot, functional.*) and JAX 0.10 (jnp.*, jnp.clip, nn.*).
"""


def agreed(row: Primitive, k: int, convention: str) -> str:
    """The partial in argument k by a convention on the row's kink; "" where there is none, or it is the row's own."""
    texts = CONVENTIONS[convention](row) if convention and row.kink else ()
    return texts[k] if texts and texts[k] != row.partials[k] else ""


FRAMEWORKS = {"torch": "PyTorch", "jax": "JAX"}
"""The names of the frameworks, by the names of their conventions."""


Linearization: TypeAlias = dict[int, list[tuple[int, float]]]
"""A program made linear at a point: each equation that moves → (argument, local slope) for each argument that moves."""


def linearize(lowered: Lowered, run: Trace, sources: Iterable[int], convention: str = "") -> Linearization:
    """The factors of the chain rule between `sources` and the equations that depend on them, arguments first.

    Both sweeps run over these; what `sources` don't move is not in here.
    """
    graph, values, taken = lowered.graph, run.values, run.taken
    linear: Linearization = {}
    is_active = bytearray(len(graph))
    for source in sources:
        is_active[source] = 1
    simple = {row for row in set(graph.rows) if row is not None and _is_simple(row, convention)}
    # by number, as equations that are written down are summed (`straight`): then both round alike
    for node in sorted(run.order) if taken else run.order:
        args = graph.args[node]
        flags = tuple([is_active[a] for a in args])
        if 1 not in flags:
            continue
        if node in taken:
            edges = [(taken[node], 1.0)] if is_active[taken[node]] else []
        elif (row := graph.rows[node]) in simple:
            # with the arguments that the check calls it with, so that both share the cache
            edges = templates.partials(row, flags, ())(args, *[values[a] for a in args], values[node])
        else:
            edges = partials(graph, node, [values[a] for a in args], values[node], flags, args, convention)
        if edges:
            linear[node] = edges
            is_active[node] = 1
    return linear


def active(
    graph: Graph,
    order: Iterable[int],
    sources: Iterable[int],
    taken: Mapping[int, int] = MappingProxyType({}),
    inactive: Collection[int] = (),
) -> set[int]:
    """The equations in `order`, arguments first, that depend on one of `sources`: a derivative flows through them.

    taken     the branch that each choice took; without a point, a choice depends on what any of its branches does
    inactive  equations that are known not to depend on a source
    """
    reached = set(sources)
    for node in order:
        row = graph.rows[node]
        if row is None or node in reached or node in inactive:
            continue
        ways = zip(graph.args[node], row.partials, strict=True)
        if (
            taken[node] in reached
            if node in taken
            else any(a in reached and partial != ZERO and a not in inactive for a, partial in ways)
        ):
            reached.add(node)
    return reached


def _is_simple(row: Primitive, convention: str) -> bool:
    """Whether the row's slopes depend on nothing but its arguments: no constant beside them, and no convention."""
    return not (templates.needs_static_args(row) or (convention and row.kink))


def partials(
    graph: Graph,
    node: int,
    args: Sequence[float],
    result: float,
    active_args: Sequence[object],
    to: Sequence[int],
    convention: str = "",
) -> list[tuple[int, float]]:
    """The local slope of equation `node` in each argument that moves it, with what `to` calls that argument.

    `active_args[k]` tells whether argument k depends on what is varied; the slope of one that doesn't is never evaluated,
    so its zero is exact whatever the other arguments are. A `convention` only counts exactly on a corner.
    """
    row = graph.rows[node]
    assert row is not None
    texts = CONVENTIONS[convention](row) if convention and row.kink else ()
    if texts not in ((), row.partials) and templates.compiled(row.kink, row.params)(*args):
        params = (*row.params, "w")
        kept = ((k, text) for k, text in enumerate(texts) if active_args[k] and text != ZERO)
        return [(to[k], templates.compiled(text, params)(*args, result)) for k, text in kept]
    return templates.partials(row, tuple(active_args), templates.static_args(graph, node))(to, *args, result)
