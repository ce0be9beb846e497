"""The steps that people see: which equations of a program have a name, and what each is made of directly.

`y = x^2; z = sin(y)` has the places x, y and z: the user's own statements. An expression without names has one place per
operation, called v1, v2, …; so has every statement with `atoms`, and one statement with `expand`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from autodiff.calculus import rules
from autodiff.calculus.blame import written
from autodiff.calculus.lower import Lowered
from autodiff.calculus.symbolic import segment
from autodiff.errors import AutodiffError, nearest, quoted

_ADD, _SUB, _SAME = rules.TABLE["+", 2], rules.TABLE["-", 2], rules.TABLE["+", 1]


@dataclass(frozen=True, slots=True)
class Places:
    """A program and its named equations, arguments first.

    `names` says what each place is called, `inside[p]` lists the equations between a place and the places that it is
    made of, both ends included, ascending; an input has none.
    """

    lowered: Lowered
    names: Mapping[int, str]
    inside: Mapping[int, list[int]]

    def arguments(self, place: int) -> list[int]:
        """The places that this one is made of directly."""
        return [node for node in self.inside.get(place, ()) if node in self.names and node != place]


def places(lowered: Lowered, *, atoms: bool = False, expand: Collection[str] = ()) -> Places:
    """The places of a program. Raises AutodiffError when `expand` names no statement."""
    lowered = _with_own_result(lowered)
    graph = lowered.graph
    order = graph.reaching(lowered.result)
    chosen = {node for node in order if node in graph.inputs or node in graph.names}
    operations = [node for node in order if _is_step(lowered, node)]
    if atoms or not any(node in graph.names and node != lowered.result for node in order):
        chosen.update(_merged(lowered, operations))
    for name in expand:
        chosen.update(set(_merged(lowered, operations)) & _behind(lowered, name, chosen))
    names = _names(lowered, sorted(chosen | {lowered.result}))
    inside = {node: segment(graph, node, names) for node in names if graph.rows[node] is not None}
    return Places(lowered, names, inside)


def _with_own_result(lowered: Lowered) -> Lowered:
    """A result that is an input, a number, or bears another name already gets an equation of its own: f = y."""
    graph, result = lowered.graph, lowered.result
    if graph.rows[result] is not None and graph.names.get(result, lowered.name) == lowered.name:
        return lowered
    copy = graph.named(result, lowered.name, len(graph), _SAME, graph.spans[result])
    return replace(lowered, result=copy)


def _is_step(lowered: Lowered, node: int) -> bool:
    """Conditions are part of the choice that they stand in; numbers are numbers."""
    row = lowered.graph.rows[node]
    return row is not None and not row.truth


def _merged(lowered: Lowered, operations: Collection[int]) -> Iterator[int]:
    """The operations that are steps: of a + b + c only the whole sum is one."""
    graph = lowered.graph
    uses: dict[int, list[int]] = {}
    for node in operations:
        for arg in graph.args[node]:
            uses.setdefault(arg, []).append(node)
    for node in operations:
        row, users = graph.rows[node], uses.get(node, [])
        absorbed = (row is _ADD or row is _SUB) and len(users) == 1 and graph.rows[users[0]] in (_ADD, _SUB)
        if not absorbed or graph.args[users[0]][0] != node or node in graph.names or node == lowered.result:
            yield node


def _behind(lowered: Lowered, name: str, chosen: Collection[int]) -> set[int]:
    """The equations inside the statement called `name`."""
    node = lowered.assigned.get(name, lowered.result if name == lowered.name else -1)
    if node < 0:
        near = nearest(name, lowered.assigned)
        known = ", ".join(list(lowered.assigned)[:12])
        raise AutodiffError(
            f"no statement is called {quoted(name)}",
            hint=f"did you mean {quoted(near)}?" if near else f"its statements are {known}" if known else "",
        )
    return set(segment(lowered.graph, node, dict.fromkeys(chosen)))


def _names(lowered: Lowered, nodes: list[int]) -> dict[int, str]:
    graph = lowered.graph
    known = graph.inputs | graph.names | {lowered.result: lowered.name}
    taken = {*known.values(), *lowered.assigned}
    fresh = (f"v{i}" for i in range(1, len(nodes) + len(taken) + 2) if f"v{i}" not in taken)
    return {node: known[node] if node in known else next(fresh) for node in nodes}


def as_written(lowered: Lowered, place: int) -> str:
    """The right-hand side of a place in the user's own words; longer ones are cut in the middle."""
    row = lowered.graph.rows[place]
    source = lowered.graph.args[place][0] if row is _SAME and place in lowered.graph.names else place
    return written(lowered, source)
