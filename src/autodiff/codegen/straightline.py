"""Schedules of straight-line programs: in which order equations are computed, and under which guard each is.

    if(x > 0, ln(x), 0) + x*x    becomes    b1 = x > 0;  under b1: t1 = ln(x);  f = if(b1, t1, 0) + x*x

Exports write the statements down; rows of a file run them block by block, with checks between them and no guards.

>>> from autodiff.core.lowering import lower
>>> program = lower("if(x > 0, ln(x), 0)")
>>> scheduled = schedule(program.graph, [program.result], Guards(program.graph))
>>> [program.graph.rows[node].name for node in scheduled.equations if program.graph.rows[node]]
['>', 'ln', 'if']
>>> [scheduled.guard(node) for node in scheduled.equations if program.graph.rows[node]]     # ln(x) is computed under x > 0
[None, 2, None]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from autodiff.codegen.guards import ALWAYS, Guards, shared_guards
from autodiff.core import rules
from autodiff.core.graph import Graph

_NOT, _AND = rules.TABLE["not", 1], rules.TABLE["and", 2]


@dataclass(frozen=True, slots=True)
class Check:
    """A statement that computes nothing: what must hold for the results to be right.

    `finite` tells the two kinds apart: the first equation of `args` is finite (where the second, if any, holds), or the
    condition `args[0]` fails.
    """

    args: tuple[int, ...]
    finite: bool = False


@dataclass(frozen=True, slots=True)
class StraightLineProgram:
    """Statements in order, each after what it uses and after its guard.

    required  the guard that each equation is required under, as a number of `Guards`
    flags     the equation of each guard that there are statements under
    wide      equations that are computed where they are not required, too; there they may be outside their domain
    names     what the program calls its equations
    """

    graph: Graph
    statements: tuple[int | Check, ...]
    results: tuple[int, ...]
    required: Mapping[int, int] = field(default_factory=dict)
    flags: Mapping[int, int] = field(default_factory=dict)
    wide: frozenset[int] = frozenset()
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def equations(self) -> tuple[int, ...]:
        """The statements that compute something."""
        return tuple(statement for statement in self.statements if isinstance(statement, int))

    def guard(self, node: int) -> int | None:
        """The condition that must hold where an equation is computed; None where it always is."""
        return self.flags.get(self.required.get(node, ALWAYS))

    def with_last_uses(self) -> Iterator[tuple[int | Check, list[int]]]:
        """Each statement with the equations whose numbers no later statement reads."""
        last = {node: k for k, statement in enumerate(self.statements) for node in self._touched(statement)}
        last |= dict.fromkeys(self.results, len(self.statements))
        for k, statement in enumerate(self.statements):
            yield statement, [node for node in dict.fromkeys(self._touched(statement)) if last[node] == k]

    def _touched(self, statement: int | Check) -> tuple[int, ...]:
        return statement.args if isinstance(statement, Check) else (*self.graph.args[statement], statement)


def schedule(
    graph: Graph,
    results: Sequence[int],
    guards: Guards | None = None,
    *,
    checks: Sequence[Check] = (),
    names: Mapping[int, str] = MappingProxyType({}),
) -> StraightLineProgram:
    """The equations that `results` and `checks` need, depth first, each check as soon as what it reads is computed.

    With `guards` each equation is computed under its guard, else always.
    """
    required, wide = shared_guards(graph, results, guards) if guards else ({}, set[int]())
    flags = _flags(graph, required, guards) if guards else {}

    def before(node: int) -> Iterator[int]:
        if graph.rows[node] is not None and required.get(node, ALWAYS) in flags:
            yield flags[required[node]]
        yield from graph.args[node]

    done: dict[int, bool] = {}
    roots = [*results, *(arg for check in checks for arg in check.args)]
    order = [node for root in roots for node in _depth_first(root, before, done)]
    place = {node: k for k, node in enumerate(order)}
    ready: dict[int, list[Check]] = {}
    for check in checks:
        ready.setdefault(max(check.args, key=place.__getitem__), []).append(check)
    statements = tuple(statement for node in order for statement in (node, *ready.get(node, ())))
    return StraightLineProgram(graph, statements, tuple(results), required, flags, frozenset(wide), names)


def _depth_first(root: int, before: Callable[[int], Iterator[int]], done: dict[int, bool]) -> Iterator[int]:
    """What is not `done` of the equations that `root` needs, after all `before` it; False in `done` marks an equation whose arguments are being visited."""
    path = [] if root in done else [(root, before(root))]
    while path:
        node, rest = path[-1]
        done[node] = False
        following = next((a for a in rest if not done.get(a, False)), None)
        if following is None:
            done[node] = True
            path.pop()
            yield node
        else:
            assert following not in done, "a condition depends on what is needed under it"
            path.append((following, before(following)))


def _flags(graph: Graph, required: dict[int, int], guards: Guards) -> dict[int, int]:
    """The flag of every guard that an equation is under, what it is made of having got its own guard.

    A flag `a and b` can always be evaluated, because `b` is only evaluated where `a` holds. That a condition fails is
    known wherever the condition is, which may be more often than where the program itself requires it.
    """
    used = {guard for node, guard in required.items() if guard != ALWAYS and graph.rows[node] is not None}
    flags = {guard: guards.flag(guard) for guard in sorted(used)}
    todo, seen = list(flags.values()), set[int]()
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        if graph.rows[node] is _NOT:
            required[node] = required[graph.args[node][0]]
        elif graph.rows[node] is _AND and guards.is_flag(node):
            required[node] = ALWAYS
            todo.extend(graph.args[node])
    return flags
