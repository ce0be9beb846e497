"""When an equation is needed: of a choice only the taken branch is, and code that is written down once must know it.

    if(x > 0, ln(x), 0)     needs ln(x) under x > 0; what both branches use is needed always

A need is a number in `Guards`: 0 is always; every other one narrows a need by a condition that holds or fails.
`flag(need)` is the equation of the condition as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from autodiff.core import rules
from autodiff.core.graph import Graph

ALWAYS = 0

_ALTERNATIVES = 20  # of an `or` that are looked through for one that stands there already

_AND, _OR, _NOT = rules.TABLE["and", 2], rules.TABLE["or", 2], rules.TABLE["not", 1]


class Guards:
    """Guards over the conditions of one graph; flags are put into that graph.

    A flag looks at a condition only where that condition is needed itself, because `and` is lazy. Those in `eager` are
    flags of `a or b`, both of which are flags: to look at the second does no harm, whatever the first one is.
    """

    def __init__(self, graph: Graph, eager: Iterable[int] = ()) -> None:
        self.graph = graph
        self.eager = set(eager)
        self._parent = [0]
        self._ancestor = [0]  # a far one, so that `both` takes as many steps as a depth has digits
        self._depth = [0]
        self._literal: list[tuple[int, bool]] = [(-1, True)]
        self._flag: dict[int, int] = {}
        self._flagged: dict[int, int] = {}
        self._known: dict[tuple[int, int, bool], int] = {}
        self._met: dict[tuple[int, int, bool], int] = {}

    def within(self, need: int, condition: int, *, holds: bool) -> int:
        """`need`, and there where `condition` holds (or fails).

        `a and b` that holds narrows twice, as does `a or b` that fails; so needs that imply each other are seen to.
        """
        asked = (need, condition, holds)
        todo = [(condition, holds)]
        while todo:
            node, true = todo.pop()
            if (need, node, true) in self._met:
                need = self._met[need, node, true]
                continue
            row, args = self.graph.rows[node], self.graph.args[node]
            flagged = self._flagged.get(node)
            if true and flagged is not None and self.both(need, flagged) == need:
                need = flagged
            elif row is _NOT:
                todo.append((args[0], not true))
            elif row is (_AND if true else _OR):
                todo += [(args[1], true), (args[0], true)]
            else:
                need = self._narrowed(need, node, true)
        self._met[asked] = need
        return need

    def _narrowed(self, need: int, condition: int, holds: bool) -> int:
        key = (need, condition, holds)
        if key not in self._known:
            self._known[key] = len(self._parent)
            self._parent.append(need)
            self._ancestor.append(self._far(need))
            self._depth.append(self._depth[need] + 1)
            self._literal.append((condition, holds))
        return self._known[key]

    def _far(self, parent: int) -> int:
        """The far ancestor of a need below `parent`; how far depends on the depth alone (E. Myers, Inf. Proc. Letters 17, 1983)."""
        depth, far = self._depth, self._ancestor[parent]
        farther = self._ancestor[far]
        return farther if depth[parent] - depth[far] == depth[far] - depth[farther] else parent

    def both(self, a: int, b: int) -> int:
        """The narrowest need that holds wherever a or b does and is made of what they share."""
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
        for one, other in ((a, b), (b, a)):
            if self._parent[one] == shared and self._mentions(one, other):
                return one
        if self.opposite(a, b):
            return shared
        one = self.graph.call(_OR, (self.flag(a), self.flag(b)))
        need = self.within(shared, one, holds=True)
        self.eager.add(one)
        self._flag[need], self._flagged[one] = one, need
        return need

    def opposite(self, a: int, b: int) -> bool:
        """Whether a and b are one need narrowed by a condition that holds, and by the same condition that fails."""
        (c, yes), (d, no) = self._literal[a], self._literal[b]
        return self._parent[a] == self._parent[b] and c == d and yes != no

    def _mentions(self, one: int, other: int) -> bool:
        """Whether `one` is a need of `c or d or …` in which the flag of `other` stands."""
        node, holds = self._literal[one]
        flag = self.flag(other)
        for _ in range(_ALTERNATIVES):
            if not holds or self.graph.rows[node] is not _OR:
                return False
            node, last = self.graph.args[node]
            if flag in (node, last):
                return True
        return False

    def is_flag(self, node: int) -> bool:
        """Whether an equation is the flag of a need."""
        return node in self._flagged

    def flag(self, need: int) -> int:
        """The equation that is true where `need` holds. There is none for ALWAYS."""
        path = []
        while need not in self._flag and need != ALWAYS:
            path.append(need)
            need = self._parent[need]
        for step in reversed(path):
            condition, holds = self._literal[step]
            own = condition if holds else self.graph.call(_NOT, (condition,))
            self._flag[step] = self.graph.call(_AND, (self._flag[need], own)) if need != ALWAYS else own
            self._flagged.setdefault(self._flag[step], step)
            need = step
        return self._flag[need]


def required_guards(graph: Graph, results: Iterable[int], needs: Guards) -> dict[int, int]:
    """The need of every equation that `results` are made from, as numbers in `needs`; the results are needed always."""
    found: dict[int, int] = dict.fromkeys(results, ALWAYS)
    for node in range(max(found), -1, -1):
        if node in found:
            for arg, need in uses(graph, node, found[node], needs).items():
                found[arg] = needs.either(found[arg], need) if arg in found else need
    return found


def shared_guards(graph: Graph, results: Iterable[int], needs: Guards) -> tuple[dict[int, int], set[int]]:
    """A need of every equation that holds wherever it is needed, and the equations for which it also holds elsewhere.

    Guards that differ are not joined by `or` but widened to what they share. So the conditions of a need never depend on
    what is needed under it, and there is always an order in which the equations can be written down.
    """
    found: dict[int, int] = dict.fromkeys(results, ALWAYS)
    wide: set[int] = set()
    for node in range(max(found), -1, -1):
        if node not in found:
            continue
        for arg, need in uses(graph, node, found[node], needs, needs.both).items():
            if arg not in found:
                found[arg] = need
                if node in wide:
                    wide.add(arg)
                continue
            before, shared = found[arg], needs.both(found[arg], need)
            if shared == before:
                exact = arg not in wide or (shared == need and node not in wide)
            elif shared == need:
                exact = node not in wide
            else:
                exact = needs.opposite(before, need) and arg not in wide and node not in wide
            found[arg] = shared
            (wide.discard if exact else wide.add)(arg)
    return found, wide


def uses(
    graph: Graph, node: int, need: int, needs: Guards, joined: Callable[[int, int], int] | None = None
) -> Mapping[int, int]:
    """What equation `node` needs of its arguments when it is needed itself under `need`; `joined` is `needs.either`."""
    joined = joined or needs.either
    row, args = graph.rows[node], graph.args[node]
    if row is None or row.branches is None or node in needs.eager:
        return dict.fromkeys(args, need)
    wanted = {args[0]: need}
    for k, holds in zip(row.branches, (True, False), strict=True):
        branch = needs.within(need, args[0], holds=holds)
        wanted[args[k]] = joined(wanted[args[k]], branch) if args[k] in wanted else branch
    return wanted
