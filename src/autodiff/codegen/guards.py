"""Guards: under which condition an equation is required. Of a choice only the taken branch is.

    if(x > 0, ln(x), 0)     requires ln(x) under x > 0; what both branches use is required always

A guard is a number in `Guards`: 0 is always; every other narrows a guard by a condition that holds or fails.
`flag(guard)` is the equation of the condition as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from autodiff.core import rules
from autodiff.core.graph import Graph

ALWAYS = 0

_ALTERNATIVES = 20  # of an `or` that are searched for a flag that is among them already

_AND, _OR, _NOT = rules.TABLE["and", 2], rules.TABLE["or", 2], rules.TABLE["not", 1]


class Guards:
    """Guards over the conditions of one graph; flags are put into that graph.

    A flag evaluates a condition only where that condition is required itself, because `and` is lazy. Those in `eager` are
    flags of `a or b`, both of which are flags: to evaluate the second does no harm, whatever the first is.
    """

    def __init__(self, graph: Graph, eager: Iterable[int] = ()) -> None:
        self.graph = graph
        self.eager = set(eager)
        self._parent = [0]
        self._ancestor = [0]  # a far ancestor, so that `both` takes as many steps as a depth has digits
        self._depth = [0]
        self._literal: list[tuple[int, bool]] = [(-1, True)]
        self._flag: dict[int, int] = {}
        self._flagged: dict[int, int] = {}
        self._known: dict[tuple[int, int, bool], int] = {}
        self._met: dict[tuple[int, int, bool], int] = {}

    def within(self, guard: int, condition: int, *, holds: bool) -> int:
        """`guard`, and there where `condition` holds (or fails).

        `a and b` that holds narrows twice, as does `a or b` that fails; so guards that imply each other are recognized.
        """
        key = (guard, condition, holds)
        todo = [(condition, holds)]
        while todo:
            node, true = todo.pop()
            if (guard, node, true) in self._met:
                guard = self._met[guard, node, true]
                continue
            row, args = self.graph.rows[node], self.graph.args[node]
            flagged = self._flagged.get(node)
            if true and flagged is not None and self.both(guard, flagged) == guard:
                guard = flagged
            elif row is _NOT:
                todo.append((args[0], not true))
            elif row is (_AND if true else _OR):
                todo += [(args[1], true), (args[0], true)]
            else:
                guard = self._narrowed(guard, node, true)
        self._met[key] = guard
        return guard

    def _narrowed(self, guard: int, condition: int, holds: bool) -> int:
        key = (guard, condition, holds)
        if key not in self._known:
            self._known[key] = len(self._parent)
            self._parent.append(guard)
            self._ancestor.append(self._far(guard))
            self._depth.append(self._depth[guard] + 1)
            self._literal.append((condition, holds))
        return self._known[key]

    def _far(self, parent: int) -> int:
        """The far ancestor of a guard below `parent`; how far depends on the depth alone (E. Myers, Inf. Proc. Letters 17, 1983)."""
        depth, far = self._depth, self._ancestor[parent]
        farther = self._ancestor[far]
        return farther if depth[parent] - depth[far] == depth[far] - depth[farther] else parent

    def both(self, a: int, b: int) -> int:
        """The narrowest guard that holds wherever a or b does and is made of what they share."""
        depth, parent, far = self._depth, self._parent, self._ancestor
        if depth[a] < depth[b]:
            a, b = b, a
        while depth[a] > depth[b]:
            a = far[a] if depth[far[a]] >= depth[b] else parent[a]
        while a != b:
            a, b = (far[a], far[b]) if far[a] != far[b] else (parent[a], parent[b])
        return a

    def either(self, a: int, b: int) -> int:
        """Where a or b holds, exactly."""
        shared = self.both(a, b)
        if shared in (a, b):
            return shared
        for first, second in ((a, b), (b, a)):
            if self._parent[first] == shared and self._mentions(first, second):
                return first
        if self.opposite(a, b):
            return shared
        flag = self.graph.call(_OR, (self.flag(a), self.flag(b)))
        guard = self.within(shared, flag, holds=True)
        self.eager.add(flag)
        self._flag[guard], self._flagged[flag] = flag, guard
        return guard

    def opposite(self, a: int, b: int) -> bool:
        """Whether a and b are one guard narrowed by a condition that holds, and by the same condition that fails."""
        (c, yes), (d, no) = self._literal[a], self._literal[b]
        return self._parent[a] == self._parent[b] and c == d and yes != no

    def _mentions(self, guard: int, other: int) -> bool:
        """Whether `guard` is one of `c or d or …` with the flag of `other` among them."""
        node, holds = self._literal[guard]
        flag = self.flag(other)
        for _ in range(_ALTERNATIVES):
            if not holds or self.graph.rows[node] is not _OR:
                return False
            node, last = self.graph.args[node]
            if flag in (node, last):
                return True
        return False

    def is_flag(self, node: int) -> bool:
        """Whether an equation is the flag of a guard."""
        return node in self._flagged

    def flag(self, guard: int) -> int:
        """The equation that is true where `guard` holds. There is none for ALWAYS."""
        path = []
        while guard not in self._flag and guard != ALWAYS:
            path.append(guard)
            guard = self._parent[guard]
        for step in reversed(path):
            condition, holds = self._literal[step]
            own = condition if holds else self.graph.call(_NOT, (condition,))
            self._flag[step] = self.graph.call(_AND, (self._flag[guard], own)) if guard != ALWAYS else own
            self._flagged.setdefault(self._flag[step], step)
            guard = step
        return self._flag[guard]


def required_guards(graph: Graph, results: Iterable[int], guards: Guards) -> dict[int, int]:
    """The exact guard of every equation that `results` are made from, as numbers in `guards`; that of the results is ALWAYS."""
    required: dict[int, int] = dict.fromkeys(results, ALWAYS)
    for node in range(max(required), -1, -1):
        if node in required:
            for arg, guard in _of_arguments(graph, node, required[node], guards, guards.either).items():
                required[arg] = guards.either(required[arg], guard) if arg in required else guard
    return required


def shared_guards(graph: Graph, results: Iterable[int], guards: Guards) -> tuple[dict[int, int], set[int]]:
    """A guard of every equation that holds wherever it is required, and the equations for which it also holds elsewhere.

    Guards that differ are not joined by `or` but widened to what they share. So the conditions of a guard never depend on
    what is required under it, and there is always an order in which the equations can be written down.
    """
    required: dict[int, int] = dict.fromkeys(results, ALWAYS)
    wide: set[int] = set()
    for node in range(max(required), -1, -1):
        if node not in required:
            continue
        for arg, guard in _of_arguments(graph, node, required[node], guards, guards.both).items():
            if arg not in required:
                required[arg] = guard
                if node in wide:
                    wide.add(arg)
                continue
            before, shared = required[arg], guards.both(required[arg], guard)
            if shared == before:
                exact = arg not in wide or (shared == guard and node not in wide)
            elif shared == guard:
                exact = node not in wide
            else:
                exact = guards.opposite(before, guard) and arg not in wide and node not in wide
            required[arg] = shared
            (wide.discard if exact else wide.add)(arg)
    return required, wide


def _of_arguments(
    graph: Graph, node: int, guard: int, guards: Guards, join: Callable[[int, int], int]
) -> Mapping[int, int]:
    """The guard of each argument of equation `node` as far as that one requires it, itself required under `guard`."""
    row, args = graph.rows[node], graph.args[node]
    if row is None or row.branches is None or node in guards.eager:
        return dict.fromkeys(args, guard)
    required = {args[0]: guard}
    for k, holds in zip(row.branches, (True, False), strict=True):
        branch = guards.within(guard, args[0], holds=holds)
        required[args[k]] = join(required[args[k]], branch) if args[k] in required else branch
    return required
