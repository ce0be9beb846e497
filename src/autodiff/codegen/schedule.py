"""The lines of an export: which equations get one, in what order, and under which condition each is needed.

    if(x > 0, ln(x), 0) + x*x    becomes    b1 = x > 0;  under b1: t1 = ln(x);  f = if(b1, t1, 0) + x*x

An equation that is used once stands inside the line that uses it, while that stays short. The order keeps every line
behind its parts and behind the condition it is under.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autodiff.codegen import fallbacks, validity
from autodiff.codegen.guards import ALWAYS, Guards, shared_guards
from autodiff.codegen.straightline import Emitter, StraightLineProgram, straight_line_program
from autodiff.core import rules, templates
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import Primitive
from autodiff.errors import AutodiffError

_SAME, _NOT, _AND = (rules.TABLE[key] for key in (("+", 1), ("not", 1), ("and", 2)))

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the lines may be made of.

    native     the rows that the target writes by itself
    spelled    rows for which it has a definition of its own
    in_place   whether what it lacks becomes equations in place (or a function: `functions` of the ExportEquations)
    nested     whether a branch of a choice may stand inside the choice, which looks at it only when it is taken
    longest    equations that a line may hold
    raises     whether a function outside its domain stops the program
    attempt    how a line is written that may be outside its domain where it does not matter
    instead    what is written instead of a row that the target may stop at
    repeats    rows that are written with an argument more than once, which must be a name or a number then
    """

    name: str
    native: Collection[Key]
    spelled: Collection[Key] = ()
    in_place: bool = False
    nested: bool = True
    longest: int = 6
    raises: bool = False
    attempt: str = "{}"
    repeats: Collection[Key] = ()
    instead: Callable[[Emitter, Primitive, tuple[int, ...], Callable[[str], int]], int | None] | None = None


@dataclass(frozen=True, slots=True)
class ExportEquations:
    """Equations that a target can write: results in order, the program's names, and the rows that need a function."""

    graph: Graph
    results: tuple[int, ...]
    names: Mapping[int, str]
    functions: tuple[Primitive, ...]
    eager: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Listing:
    """`lines` in writing order; `need` of each equation, the `flag` of each need that lines are under, known `names`.

    The equations in `wide` are computed elsewhere too: there they may be outside their domain, and that is no fault.
    """

    graph: Graph
    lines: tuple[int, ...]
    need: Mapping[int, int]
    flag: Mapping[int, int]
    results: tuple[int, ...]
    names: Mapping[int, str]
    wide: frozenset[int] = frozenset()

    def under(self, node: int) -> int | None:
        """The condition that must hold where a line is needed; None when it always is."""
        return self.flag.get(self.need[node])


def exported(lowered: Lowered, sources: Mapping[str, int], dialect: Dialect) -> ExportEquations:
    """Value, then slopes, in rows that the target knows."""
    found = straight_line_program(lowered, sources)
    found, results = validity.guarded(lowered, found, [found.slopes[name] for name in sources], raises=dialect.raises)
    return spelled(found, results, dialect)


def spelled(found: StraightLineProgram, results: Sequence[int], dialect: Dialect) -> ExportEquations:
    """The equations with what the target lacks put in place, or listed as functions to be defined."""
    line, graph = Emitter(), found.graph
    functions: dict[Primitive, None] = {}
    of: dict[int, int] = {}
    for name in graph.inputs.values():
        line.graph.input(name)
    for node in graph.reaching(*results):
        row = graph.rows[node]
        if row is None:
            known = graph.constants
            of[node] = line.graph.constant(known[node]) if node in known else line.graph.input(graph.inputs[node])
        else:
            of[node] = _put(line, row, tuple(of[a] for a in graph.args[node]), dialect, functions)
    names = {of[node]: name for node, name in reversed(list(found.names.items())) if node in of}
    eager = frozenset(of[node] for node in found.eager if node in of)
    whole = tuple(line.number(of[r]) for r in results)
    used = {line.graph.rows[node] for node in line.graph.reaching(*whole)}  # some are folded away by their users
    return ExportEquations(line.graph, whole, names, tuple(row for row in functions if row in used), eager)


def body(row: Primitive, dialect: Dialect) -> ExportEquations:
    """The definition of a function that the target lacks; its inputs are the row's parameters."""
    line = Emitter()
    given = tuple(line.graph.input(name) for name in row.params)
    result = line.text(fallbacks.definition(row), row.params, given)
    return spelled(StraightLineProgram(line.graph, result, {}, {}), (result,), dialect)


def _put(
    line: Emitter, row: Primitive, args: tuple[int, ...], dialect: Dialect, functions: dict[Primitive, None]
) -> int:
    """`row(args)` in equations that the target knows: a stack, because definitions name other rows."""
    key = (row.name, row.arity)
    text = fallbacks.with_constant(row, tuple(line.graph.constants.get(a) for a in args))
    if text and (row is fallbacks.POWER or (key not in dialect.native and key not in dialect.spelled)):
        return _in_place(line, text, row, args, dialect, functions)
    known = line.graph.constants
    if row.branches is None and row is not _NOT and any(math.isnan(known.get(a, 0.0)) for a in args):
        return line.graph.constant(0.0 if row.is_predicate else math.nan)
    if row.domain and all(a in known for a in args) and not _inside(row, *(known[a] for a in args)):
        return line.graph.constant(math.nan)  # compilers warn of it, and Python's own numbers stop at it
    if dialect.instead is not None and key in dialect.native and not row.is_predicate:
        found = dialect.instead(line, row, args, lambda text: _in_place(line, text, row, args, dialect, functions))
        if found is not None:
            return found
    if row.is_predicate or row.branches is not None or row is _SAME or key in dialect.native:
        return line.emit(row, args)
    if key in dialect.spelled:
        functions[row] = None
        return line.emit(row, args)
    order = line.graph.constants.get(args[0])
    fixed = "" if order is None else fallbacks.of_order(row, order)
    text = fixed or fallbacks.definition(row)
    if not text:
        raise _refused(row, order, dialect)
    if not fixed and not dialect.in_place:
        functions[row] = None
        return line.emit(row, args)
    return _in_place(line, text, row, args, dialect, functions)


def _refused(row: Primitive, order: float | None, dialect: Dialect) -> AutodiffError:
    """What is said of a row that the target can't have: which one it was, and which it can have."""
    orders = fallbacks.orders(row)
    which = f" with {row.params[0]} = {order:g}" if orders and order is not None else ""
    can = (
        orders
        and f"with {row.params[0]} from {orders[0]:g} to {orders[-1]:g} it can, and a slope needs one more than its value"
    )
    return AutodiffError(f"{row.name} can't be exported to {dialect.name}{which}", hint=can or "")


def _inside(row: Primitive, *args: float) -> bool:
    return all(inside(*args) for inside, _ in templates.domain(row))


def _in_place(
    line: Emitter, text: str, row: Primitive, args: tuple[int, ...], dialect: Dialect, functions: dict[Primitive, None]
) -> int:
    """Definitions go three deep (gelu, erfc, gaussian, round), so calling down into them is no recursion over a program."""
    own = Emitter()
    result = own.text(text, row.params, tuple(own.graph.input(name) for name in row.params))
    given = dict(zip(row.params, args, strict=True))

    def put(inner: Primitive, args: tuple[int, ...]) -> int:
        return _put(line, inner, args, dialect, functions)

    return own.graph.carried([result], line.graph.constant, given.__getitem__, put)[result]


# --- the order --------------------------------------------------------------------------------------------------------


def listing(parts: ExportEquations, dialect: Dialect) -> Listing:
    """The lines of `parts`."""
    graph, needs = parts.graph, Guards(parts.graph, parts.eager)
    need, wide = shared_guards(graph, parts.results, needs)
    flags = _flags(graph, need, needs)
    order = _ordered(graph, parts.results, need, flags)
    lines = _lines(parts, dialect, order, need, flags)
    return Listing(graph, lines, need, flags, parts.results, parts.names, frozenset(wide))


def _flags(graph: Graph, need: dict[int, int], needs: Guards) -> dict[int, int]:
    """The flag of every need that an equation has, what it is made of having got its own need.

    A flag `a and b` can always be looked at, because `b` is only asked where `a` holds. That a condition fails is known
    wherever the condition is, which may be more often than where the program itself asks for it.
    """
    used = {n for node, n in need.items() if n != ALWAYS and graph.rows[node] is not None}
    flags = {n: needs.flag(n) for n in sorted(used)}
    todo, seen = list(flags.values()), set[int]()
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        if graph.rows[node] is _NOT:
            need[node] = need[graph.args[node][0]]
        elif graph.rows[node] is _AND and needs.is_flag(node):
            need[node] = ALWAYS
            todo.extend(graph.args[node])
    return flags


def _ordered(graph: Graph, results: Sequence[int], need: Mapping[int, int], flags: Mapping[int, int]) -> list[int]:
    """Equations behind their arguments and their flags."""
    order: list[int] = []
    done: dict[int, bool] = {}

    def before(node: int) -> Iterator[int]:
        if graph.rows[node] is not None and need[node] in flags:
            yield flags[need[node]]
        yield from graph.args[node]

    for root in results:
        path = [] if root in done else [(root, before(root))]
        while path:
            node, rest = path[-1]
            done[node] = False
            following = next((a for a in rest if not done.get(a, False)), None)
            if following is None:
                done[node] = True
                order.append(node)
                path.pop()
            else:
                assert following not in done, "a condition depends on what is needed under it"
                path.append((following, before(following)))
    return order


def _lines(
    parts: ExportEquations, dialect: Dialect, order: Sequence[int], need: Mapping[int, int], flags: Mapping[int, int]
) -> tuple[int, ...]:
    """Which equations get a line of their own."""
    graph = parts.graph
    own = {*parts.results, *parts.names}
    inside = _inline(graph, order, need, dialect)
    size: dict[int, int] = {}
    for node in order:
        if graph.rows[node] is None:
            size[node] = 0
            continue
        row = graph.rows[node]
        if row is not None and (row.name, row.arity) in dialect.repeats:
            own.update(a for a in graph.args[node] if graph.rows[a] is not None)
        size[node] = 1 + sum(0 if a in own else size[a] for a in graph.args[node])
        whole = size[node] > dialect.longest
        if whole:  # the largest parts step out, so that what remains is short
            for arg in sorted(set(graph.args[node]), key=lambda a: -size[a]):
                if size[arg] and size[node] > dialect.longest:
                    own.add(arg)
                    size[node] -= size[arg] * graph.args[node].count(arg)
                    size[arg] = 0
        if node in own or node not in inside:
            size[node] = 0
            own.add(node)
    live = set(parts.results)
    for node in reversed(order):
        if node in live:
            live.update(graph.args[node])
            if node in own and graph.rows[node] is not None and need[node] in flags:
                own.add(flags[need[node]])
                live.add(flags[need[node]])
    return tuple(node for node in order if node in own and node in live and graph.rows[node] is not None)


def _inline(graph: Graph, order: Sequence[int], need: Mapping[int, int], dialect: Dialect) -> set[int]:
    """The equations that may stand inside the only line that uses them."""
    uses: dict[int, list[int]] = {}
    for node in order:
        for arg in graph.args[node]:
            uses.setdefault(arg, []).append(node)
    found = set()
    for node, users in uses.items():
        if len(users) == 1:
            row = graph.rows[users[0]]
            same = need[node] == need[users[0]]
            lazy = dialect.nested and row is not None and row.branches is not None and need[node] != need[users[0]]
            if same or (lazy and _branch_only(graph, node, users[0])):
                found.add(node)
    return found


def _branch_only(graph: Graph, node: int, user: int) -> bool:
    """Whether `node` is used by the choice `user` as something that may stay asleep."""
    args = graph.args[user]
    return args[0] != node and args.count(node) == 1
