"""Formulas too long for one line, as statements with named parts: `t1 = x*x; t2 = t1*t1; t2*t2`.

`y = y*y` fifteen times is 46 equations and 2.9 billion characters as one formula: so sizes are counted before anything
is written. What is written reads back as a program with the same value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autodiff.core.graph import Graph
from autodiff.core.primitive import Primitive
from autodiff.notation.infix import PLAIN
from autodiff.notation.write import Notation, write
from autodiff.symbolic.adjoint import segment

LONGEST = 80
"""Equations that a formula may have before its parts get names."""

_SAVED = 8
"""Equations that a name for a shared part must save."""


@dataclass(frozen=True, slots=True)
class Parted:
    """Formulas with their named parts: `parts` (name, text) in the order to be read, then a text per result."""

    parts: tuple[tuple[str, str], ...]
    results: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([*(f"{name} = {text}" for name, text in self.parts), *self.results])


def size(graph: Graph, node: int) -> int:
    """How many names, numbers and functions the formula of an equation has when it is written out."""
    return _sizes(graph, segment(graph, node, {}))[node]


def parted(
    graph: Graph,
    results: Sequence[int],
    style: Notation = PLAIN,
    taken: Collection[str] = (),
    names: Mapping[int, str] | None = None,
) -> Parted:
    """The formulas of `results`; one that is longer than LONGEST is cut into named parts, t1, t2, …

    `taken` are names that a part must not have, beside those in the formulas; `names` are names that parts have already,
    should they be cut out.
    """
    known = names or {}
    names = dict(_named(graph, results, {*taken, *known.values(), *graph.inputs.values()}, known))
    parts = tuple((name, write(graph, node, style, names)) for node, name in names.items())
    return Parted(parts, tuple(names[r] if r in names else write(graph, r, style, names) for r in results))


def _named(
    graph: Graph, results: Sequence[int], taken: Collection[str], known: Mapping[int, str]
) -> Iterator[tuple[int, str]]:
    """The equations that get a name: of formulas that are too long the shared parts and, one by one, the long ones."""
    if not results:
        return
    order = graph.reaching(*results)
    whole = _sizes(graph, order)
    if all(whole[r] <= LONGEST for r in results):
        return
    uses = Counter(arg for node in order for arg in graph.args[node])
    fresh = (name for name in (f"t{i}" for i in range(1, len(order) + len(taken) + 2)) if name not in taken)
    sizes: dict[int, int] = {}
    for node in order:
        sizes[node] = 1 + sum(sizes[a] for a in graph.args[node])
        is_condition = (row := graph.rows[node]) is not None and row.is_predicate
        lazy = row is not None and row.branches is not None
        shared = sizes[node] > 2 if node in known else _worth_a_name(row, uses[node], sizes[node])
        if (
            row is not None
            and not is_condition
            and (shared or (sizes[node] > LONGEST // 2 and not lazy))
            and node not in results
        ):
            sizes[node] = 1
            yield node, known[node] if node in known else next(fresh)


def _worth_a_name(row: Primitive | None, uses: int, size: int) -> bool:
    """Whether a shared part is shorter by its name; x^2 and x + 1 are read quicker than one."""
    return (uses - 1) * (size - 1) > _SAVED and (size > 3 or (row is not None and row.name.isidentifier()))


def _sizes(graph: Graph, order: Sequence[int]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for node in order:
        sizes[node] = 1 + sum(sizes[a] for a in graph.args[node])
    return sizes
