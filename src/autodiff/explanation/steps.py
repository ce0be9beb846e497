"""The steps that people see: which equations of a program have a name, and what each is made of directly.

`y = x^2; z = sin(y)` has the places x, y and z: the user's own statements. An expression without names has one place per
operation, called v1, v2, … (a long sum is one); so has every statement with `atoms`, and one statement with `expand`.
A call of a loss, or of a function of a whole array such as softmax, is one step, and so are its arguments.

>>> from autodiff.core.lowering import lower
>>> list(places(lower("sin(x^2)")).names.values())
['x', 'v1', 'f']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from autodiff.core import rules
from autodiff.core.graph import Graph, WrittenOut, reached
from autodiff.core.lowering import Lowered
from autodiff.diagnostics import listed, written
from autodiff.errors import AutodiffError, did_you_mean, quoted
from autodiff.symbolic.adjoint import segment

_ADD, _SUB, SAME = rules.TABLE["+", 2], rules.TABLE["-", 2], rules.TABLE["+", 1]

FEW = 3
"""Terms up to which a sum is a step per sign."""


@dataclass(frozen=True, slots=True)
class Places:
    """A program and its named equations, arguments first.

    names   the name of each place
    inside  the equations between a place and the places that it is made of, both ends included, ascending; an input has none
    calls   the call that a place is the value of, where that is one step
    beside  the names of the other values of these calls, which the result does not need and slopes may: -p[0]*p[1]
    """

    lowered: Lowered
    names: Mapping[int, str]
    inside: Mapping[int, list[int]]
    calls: Mapping[int, WrittenOut]
    beside: Mapping[int, str]

    def stops(self, place: int) -> Mapping[int, str]:
        """Where the equations of a place end: at every other place; those of a call at its arguments alone."""
        if place not in self.calls:
            return self.names
        return {arg: self.names[arg] for args in self.calls[place].args for arg in args if arg in self.names}

    def arguments(self, place: int) -> list[int]:
        """The places that this one is made of directly."""
        stops = self.stops(place)
        return [node for node in self.inside.get(place, ()) if node in stops and node != place]

    def own(self, place: int) -> list[int]:
        """The equations of a place alone, itself included, ascending."""
        stops = self.stops(place)
        return [node for node in self.inside.get(place, ()) if node == place or node not in stops]


def two_arrows(lowered: Lowered) -> tuple[Lowered, dict[int, int]]:
    """The program where the base and the exponent of x^x are equations of their own, and where each equation is there.

    So that the power rule and the exponential rule each have their own arrow.
    """
    graph = lowered.graph
    twice = {n for n in graph.reaching(lowered.result) if _is_of_itself(graph, n)}
    if not twice:
        return lowered, {}
    copied, of = Graph(), dict[int, int]()
    taken = {*graph.inputs.values(), *lowered.assigned, lowered.name}
    for node, (row, args, span) in enumerate(zip(graph.rows, graph.args, graph.spans, strict=True)):
        if row is None or node not in twice:
            of[node] = graph.copied(node, copied, of)
            continue
        there = tuple(copied.twin(SAME, (of[a],), span) for a in args)
        fresh = next(k for k in range(1, len(taken) + 2) if taken.isdisjoint(_ends(k)))
        copied.names.update(zip(there, _ends(fresh), strict=True))
        taken.update(_ends(fresh))
        of[node] = copied.twin(row, there, span)
    copied.names.update((of[node], name) for node, name in graph.names.items())
    copied.calls.update((of[node], _moved(call, of)) for node, call in graph.calls.items())
    copied.parts.update((of[node], part) for node, part in graph.parts.items())
    assigned = {name: of[node] for name, node in lowered.assigned.items()}
    return lowered._replace(graph=copied, result=of[lowered.result], assigned=assigned), of


def _is_of_itself(graph: Graph, node: int) -> bool:
    """Whether an equation is a function of one equation twice, with a rule of its own for each: x^x, but not x*x."""
    row, args = graph.rows[node], graph.args[node]
    own_rules = row is not None and row.rule in dict(row.rule_by_argument).values()
    return own_rules and args[0] == args[1] and args[0] not in graph.constants and node not in graph.parts


def _ends(k: int) -> tuple[str, str]:
    return ("base", "exponent") if k == 1 else (f"base{k}", f"exponent{k}")


def _moved(call: WrittenOut, of: Mapping[int, int]) -> WrittenOut:
    args = tuple(tuple(of[node] for node in nodes) for nodes in call.args)
    return call._replace(args=args, outputs=tuple(of[node] for node in call.outputs))


def places(lowered: Lowered, *, atoms: bool = False, expand: Collection[str] = ()) -> Places:
    """The places of a program. Raises AutodiffError when `expand` names neither a statement nor a function called."""
    lowered = _with_own_result(lowered)
    graph = lowered.graph
    statements = {*lowered.assigned.values(), lowered.result}
    order = graph.reaching(lowered.result)
    opened = {node for name in expand for node in _called(lowered, order, name)}
    calls = _calls(lowered, order, opened)
    hidden = _hidden(lowered, order, calls)
    chosen = {node for node in order if node in graph.inputs or node in graph.names}
    absorbed = _absorbed(lowered, order)
    operations = {node for node in order if _is_step(lowered, node) and node not in absorbed} - hidden
    if atoms or not any(node in statements and node != lowered.result for node in order):
        chosen.update(operations)
    for node in opened:
        chosen.update(operations.intersection(segment(graph, node, dict.fromkeys(chosen))))
    chosen.update(calls)
    chosen.update(operations.intersection(arg for call in calls.values() for args in call.args for arg in args))
    renamed = _repeated(lowered, order)
    others = {node for call in calls.values() for node in call.outputs} - calls.keys() - graph.constants.keys()
    chosen -= renamed.keys()
    calls = {renamed.get(node, node): call for node, call in calls.items()}
    chosen.add(lowered.result)
    all_names = _names(lowered, sorted(chosen | others))
    names = {node: name for node, name in all_names.items() if node in chosen}
    beside = {node: name for node, name in all_names.items() if node not in chosen}
    named = Places(lowered, names, {}, calls, beside)
    inside = {node: segment(graph, node, named.stops(node)) for node in names if graph.rows[node] is not None}
    return Places(lowered, names, inside, calls, beside)


def _calls(lowered: Lowered, order: Collection[int], opened: Collection[int]) -> dict[int, WrittenOut]:
    """The calls that are one step: those of an input's numbers that are not opened."""
    graph, known = lowered.graph, lowered.graph.calls
    active = graph.depending(graph.inputs)
    chosen = (node for node in order if node in known and active[node] and node not in opened)
    return {node: known[node] for node in chosen if graph.rows[node] is not None}


def _hidden(lowered: Lowered, order: Collection[int], calls: Mapping[int, WrittenOut]) -> set[int]:
    """The equations inside of calls, but for those that the program uses elsewhere."""
    graph, inner = lowered.graph, set[int]()
    for node, call in calls.items():
        ends = {arg for args in call.args for arg in args}
        if node not in ends:
            inner |= reached(node, lambda n, ends=ends: () if n in ends else graph.args[n]) - ends - {node}  # type: ignore[misc]
    inner -= calls.keys()
    used = {arg for node in order if node not in inner and node not in calls for arg in graph.args[node]}
    return inner - used


def _with_own_result(lowered: Lowered) -> Lowered:
    """A result that is an input, a number, or bears another name already gets an equation of its own: f = y."""
    graph, result = lowered.graph, lowered.result
    if graph.rows[result] is not None and graph.names.get(result, lowered.name) == lowered.name:
        return lowered
    copy = graph.named(result, lowered.name, len(graph), SAME, graph.spans[result])
    return lowered._replace(result=copy)


def _is_step(lowered: Lowered, node: int) -> bool:
    """Whether an equation is an operation: not a leaf, and not a condition, which is part of its choice."""
    row = lowered.graph.rows[node]
    return row is not None and not row.is_predicate


def _uses(graph: Graph, order: Collection[int]) -> Mapping[int, int]:
    """How often each equation is an argument."""
    return Counter(arg for node in order for arg in graph.args[node])


def _absorbed(lowered: Lowered, order: Collection[int]) -> set[int]:
    """The partial sums of a long sum a + b - c + …: it is one step, not one for every sign."""
    graph, absorbed = lowered.graph, set[int]()
    uses = _uses(graph, order)
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


def _called(lowered: Lowered, order: Collection[int], name: str) -> list[int]:
    """The statement called `name` with the calls in it; of a function, the equations of every call."""
    graph = lowered.graph
    if name in lowered.assigned or name == lowered.name:
        node = lowered.assigned.get(name, lowered.result)
        return [node, *(n for n in segment(graph, node, dict.fromkeys(graph.names)) if n in graph.calls)]
    calling = [node for node in order if node in graph.calls and graph.calls[node].name == name]
    if calling:
        return calling
    known = f"its statements are {listed(lowered.assigned)}" if lowered.assigned else ""
    hint = did_you_mean(name, lowered.assigned, known or "it has none: every operation is a step already")
    raise AutodiffError(f"no statement is called {quoted(name)}", hint=hint)


def _repeated(lowered: Lowered, order: Collection[int]) -> dict[int, int]:
    """Operations that a statement only gives its name to, each with that statement: they are that statement's own."""
    graph = lowered.graph
    uses = _uses(graph, order)
    named = ((graph.args[node][0], node) for node in order if node in graph.names and graph.rows[node] is SAME)
    return {
        arg: node for arg, node in named if uses[arg] == 1 and arg not in graph.names and graph.rows[arg] is not None
    }


def _names(lowered: Lowered, nodes: list[int]) -> dict[int, str]:
    graph = lowered.graph
    elements = {node: name for name, node in lowered.assigned.items() if name.endswith("]")}
    known = elements | graph.inputs | graph.names | {lowered.result: lowered.name}
    taken = {*known.values(), *lowered.assigned}
    fresh = (f"v{i}" for i in range(1, len(nodes) + len(taken) + 2) if f"v{i}" not in taken)
    return {node: known[node] if node in known else next(fresh) for node in nodes}


def as_written(lowered: Lowered, place: int) -> str:
    """The right-hand side of a place in the user's own words; longer ones are cut in the middle."""
    row = lowered.graph.rows[place]
    source = lowered.graph.args[place][0] if row is SAME and place in lowered.graph.names else place
    return written(lowered, source)
