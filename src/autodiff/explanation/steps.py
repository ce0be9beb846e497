"""The steps that people see: which equations of a program have a name, and what each is made of directly.

`y = x^2; z = sin(y)` has the places x, y and z: the user's own statements. An expression without names has one place per
operation, called v1, v2, … (a long sum is one); so has every statement with `atoms`, and one statement with `expand`.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> list(places(lower(parse("sin(x^2)"))).names.values())
['x', 'v1', 'f']
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from autodiff.core import rules
from autodiff.core.lowering import Lowered
from autodiff.core.prelude import Loss, loss
from autodiff.core.prelude import names as names_of_losses
from autodiff.diagnostics import written
from autodiff.errors import AutodiffError, nearest, quoted
from autodiff.symbolic.adjoint import segment

_ADD, _SUB, _SAME = rules.TABLE["+", 2], rules.TABLE["-", 2], rules.TABLE["+", 1]

FEW = 4
"""Terms up to which a sum is a step per sign."""


@dataclass(frozen=True, slots=True)
class Places:
    """A program and its named equations, arguments first.

    names   the name of each place
    inside  the equations between a place and the places that it is made of, both ends included, ascending; an input has none
    losses  the loss that a place calls, if it does nothing else
    """

    lowered: Lowered
    names: Mapping[int, str]
    inside: Mapping[int, list[int]]
    losses: Mapping[int, Loss]

    def arguments(self, place: int) -> list[int]:
        """The places that this one is made of directly."""
        return [node for node in self.inside.get(place, ()) if node in self.names and node != place]

    def own(self, place: int) -> list[int]:
        """The equations of a place alone, itself included, ascending."""
        return [node for node in self.inside.get(place, ()) if node == place or node not in self.names]


def places(lowered: Lowered, *, atoms: bool = False, expand: Collection[str] = ()) -> Places:
    """The places of a program. Raises AutodiffError when `expand` names no statement."""
    lowered = _with_own_result(lowered)
    graph = lowered.graph
    order = graph.reaching(lowered.result)
    chosen = {node for node in order if node in graph.inputs or node in graph.names}
    absorbed = _absorbed(lowered, order)
    operations = [node for node in order if _is_step(lowered, node) and node not in absorbed]
    if atoms or not any(node in graph.names and node != lowered.result for node in order):
        chosen.update(operations)
    for name in expand:
        for node in _called(lowered, name, chosen):
            chosen.update(set(operations) & set(segment(graph, node, dict.fromkeys(chosen))))
    chosen -= _repeated(lowered, order)
    names = _names(lowered, sorted(chosen | {lowered.result}))
    inside = {node: segment(graph, node, names) for node in names if graph.rows[node] is not None}
    named = Places(lowered, names, inside, {})
    whole = [node for node in inside if sum(graph.rows[n] is not _SAME for n in named.own(node)) > 1]
    losses = {node: called for node in whole if (called := _loss(lowered, node)) is not None}
    return Places(lowered, names, inside, losses)


def _loss(lowered: Lowered, place: int) -> Loss | None:
    """The loss that a statement calls and does nothing else: bce(y, p), but not bce(y, p) + l2(w)."""
    if place != lowered.result and place not in lowered.assigned.values():
        return None
    name, _, rest = as_written(lowered, place).partition("(")
    if name not in names_of_losses():
        return None
    depth = [1 + rest[:i].count("(") - rest[:i].count(")") for i in range(1, len(rest) + 1)]
    return loss(name) if 0 in depth and depth.index(0) == len(rest) - 1 else None


def _with_own_result(lowered: Lowered) -> Lowered:
    """A result that is an input, a number, or bears another name already gets an equation of its own: f = y."""
    graph, result = lowered.graph, lowered.result
    if graph.rows[result] is not None and graph.names.get(result, lowered.name) == lowered.name:
        return lowered
    copy = graph.named(result, lowered.name, len(graph), _SAME, graph.spans[result])
    return lowered._replace(result=copy)


def _is_step(lowered: Lowered, node: int) -> bool:
    """Whether an equation is an operation: not a leaf, and not a condition, which is part of its choice."""
    row = lowered.graph.rows[node]
    return row is not None and not row.is_predicate


def _absorbed(lowered: Lowered, order: Collection[int]) -> set[int]:
    """The partial sums of a long sum a + b - c + …: it is one step, not one for every sign."""
    graph, absorbed = lowered.graph, set[int]()
    uses: dict[int, int] = {}
    for node in order:
        for arg in graph.args[node]:
            uses[arg] = uses.get(arg, 0) + 1
    length: dict[int, int] = {}
    for node in order:
        if graph.rows[node] in (_ADD, _SUB):
            first = graph.args[node][0]
            inner = length.get(first, 1) if uses[first] == 1 and first not in graph.names else 1
            length[node] = inner + 1
    wanted: dict[int, bool] = {}
    for node in sorted(length, reverse=True):
        first = graph.args[node][0]
        long = wanted.get(node, length[node] > FEW)
        if long and length.get(first) == length[node] - 1 and uses[first] == 1 and first not in graph.names:
            absorbed.add(first)
            wanted[first] = True
    return absorbed


def _called(lowered: Lowered, name: str, chosen: Collection[int]) -> list[int]:
    """The statement called `name`; of a loss, every statement that calls it."""
    if name in lowered.assigned or name == lowered.name:
        return [lowered.assigned.get(name, lowered.result)]
    calling = [node for node in chosen if (called := _loss(lowered, node)) is not None and called.name == name]
    if calling:
        return calling
    near = nearest(name, lowered.assigned)
    known = ", ".join(list(lowered.assigned)[:12])
    raise AutodiffError(
        f"no statement is called {quoted(name)}",
        hint=f"did you mean {quoted(near)}?"
        if near
        else f"its statements are {known}"
        if known
        else "it has none: every operation is a step already",
    )


def _repeated(lowered: Lowered, order: Collection[int]) -> set[int]:
    """Operations that a statement only gives its name to: they are that statement's own."""
    graph = lowered.graph
    uses: dict[int, int] = {}
    for node in order:
        for arg in graph.args[node]:
            uses[arg] = uses.get(arg, 0) + 1
    named = (graph.args[node][0] for node in order if node in graph.names and graph.rows[node] is _SAME)
    return {arg for arg in named if uses[arg] == 1 and arg not in graph.names and graph.rows[arg] is not None}


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
