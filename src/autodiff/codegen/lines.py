"""Which equations of an export get a line of their own; the others are written inside the only line that uses them.

if(x > 0, ln(x), 0) + x*x    becomes    b1 = x > 0;  under b1: t1 = ln(x);  f = if(b1, t1, 0) + x*x
"""

from __future__ import annotations

from dataclasses import replace

from autodiff.codegen.dialect import Dialect, ExportEquations
from autodiff.codegen.guards import Guards
from autodiff.codegen.straightline import StraightLineProgram, schedule


def with_lines(parts: ExportEquations, dialect: Dialect) -> StraightLineProgram:
    """The program whose statements are the lines of an export."""
    program = schedule(parts.graph, parts.results, Guards(parts.graph, parts.eager), names=parts.names)
    graph, required, flags = parts.graph, program.required, program.flags
    own = _with_own_line(program, dialect)
    live = set(parts.results)
    for node in reversed(program.equations):
        if node in live:
            live.update(graph.args[node])
            if node in own and graph.rows[node] is not None and required[node] in flags:
                own.add(flags[required[node]])
                live.add(flags[required[node]])
    written = (node for node in program.equations if node in own and node in live and graph.rows[node] is not None)
    return replace(program, statements=tuple(written))


def _with_own_line(program: StraightLineProgram, dialect: Dialect) -> set[int]:
    """Results, named equations, those with several users, and parts of what would be too long otherwise."""
    graph = program.graph
    own = {*program.results, *program.names}
    inside = _inline(program, dialect)
    size: dict[int, int] = {}
    for node in program.equations:
        row = graph.rows[node]
        if row is None:
            size[node] = 0
            continue
        if (row.name, row.arity) in dialect.repeats:
            own.update(a for a in graph.args[node] if graph.rows[a] is not None)
        size[node] = 1 + sum(0 if a in own else size[a] for a in graph.args[node])
        if size[node] > dialect.longest:  # the largest parts get lines, so that what remains is short
            for arg in sorted(set(graph.args[node]), key=lambda a: -size[a]):
                if size[arg] and size[node] > dialect.longest:
                    own.add(arg)
                    size[node] -= size[arg] * graph.args[node].count(arg)
                    size[arg] = 0
        if node in own or node not in inside:
            size[node] = 0
            own.add(node)
    return own


def _inline(program: StraightLineProgram, dialect: Dialect) -> set[int]:
    """The equations that may be written inside the only line that uses them."""
    graph, required = program.graph, program.required
    users: dict[int, list[int]] = {}
    for node in program.equations:
        for arg in graph.args[node]:
            users.setdefault(arg, []).append(node)
    inline = set()
    for node, (user, *others) in users.items():
        if not others:
            row = graph.rows[user]
            same = required[node] == required[user]
            lazy = dialect.nested and row is not None and row.branches is not None and not same
            if same or (lazy and _branch_only(graph.args[user], node)):
                inline.add(node)
    return inline


def _branch_only(args: tuple[int, ...], node: int) -> bool:
    """Whether the choice of `args` uses `node` as a branch only, which need not be evaluated."""
    return args[0] != node and args.count(node) == 1
