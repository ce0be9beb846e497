"""What all targets but SQL and LaTeX share: functions made of lines, each under a condition or under none.

Where lines are numbers, those under a condition are in a block of their own; where they are arrays, every element is
computed, and what a masked line works on is replaced by a harmless number first (`_masked`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from autodiff.codegen.dialect import Dialect, ExportEquations, body, exported
from autodiff.codegen.lines import Names, name_lines, named, with_lines
from autodiff.codegen.registry import Request
from autodiff.codegen.straightline import StraightLineProgram
from autodiff.codegen.syntax import Spelling, harmless
from autodiff.core import rules
from autodiff.core.graph import reached
from autodiff.core.primitive import Primitive


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Lines of one function; their texts are in the target's syntax, what is around them is not written yet.

    inputs      the parameters' names
    lines       (name, text, condition or "", whether it is a condition itself)
    results     the texts of the results
    attempts    whether a line may be outside its domain where it does not matter
    """

    inputs: tuple[str, ...]
    lines: tuple[tuple[str, str, str, bool], ...]
    results: tuple[str, ...]
    attempts: bool = False

    @property
    def guarded(self) -> list[tuple[str, bool]]:
        """The names that get their value under a condition, and whether each is a condition."""
        return [(name, is_condition) for name, _, under, is_condition in self.lines if under]


@dataclass(frozen=True, slots=True)
class ExportModule:
    """A whole export: definitions of what the target lacks (name, block, row), then the function itself."""

    functions: tuple[tuple[str, CodeBlock, Primitive], ...]
    spelled: tuple[Primitive, ...]
    main: CodeBlock
    names: Mapping[Primitive, str]


def module(request: Request, dialect: Dialect, reserved: Sequence[str], *, ascii_only: bool = False) -> ExportModule:
    """The request in blocks, its names free of `reserved` words and of each other."""
    parts = exported(request.lowered, request.sources, dialect)
    bodies = _bodies(parts, dialect)
    names = Names(reserved, ascii_only=ascii_only)
    called = {row: names.fresh(row.name) for row in [*bodies, *_own(parts, bodies, dialect)]}
    dialect = replace(dialect, spelling=replace(dialect.spelling, functions=called))
    taken = list(names.taken)
    functions = tuple(
        (called[row], _function(inner, dialect, Names(taken, ascii_only=ascii_only)), row)
        for row, inner in bodies.items()
    )
    inputs = {name: names.fresh(name) for name in request.lowered.inputs}
    program = with_lines(parts, dialect)
    of, results = named(names, program, request.lowered, request.sources, inputs)
    main = _block(program, dialect, of, tuple(inputs.values()), results)
    return ExportModule(functions, tuple(_own(parts, bodies, dialect)), main, called)


def _bodies(parts: ExportEquations, dialect: Dialect) -> dict[Primitive, ExportEquations]:
    """The definitions that the program needs, and those that they need, each before its users."""
    bodies: dict[Primitive, ExportEquations] = {}
    todo = [*reversed(parts.functions)]
    while todo:
        row = todo[-1]
        if row in bodies or (row.name, row.arity) in dialect.own:
            todo.pop()
            continue
        inner = body(row, dialect)
        own = [r for r in inner.functions if (r.name, r.arity) not in dialect.own]
        missing = [r for r in own if r not in bodies]
        todo.extend(missing)
        if not missing:
            bodies[row] = inner
            todo.pop()
    return bodies


def _own(parts: ExportEquations, bodies: Mapping[Primitive, ExportEquations], dialect: Dialect) -> list[Primitive]:
    """The rows that the target's own definitions are needed for."""
    rows = [row for p in [parts, *bodies.values()] for row in p.functions if (row.name, row.arity) in dialect.own]
    return list(dict.fromkeys(rows))


def _function(parts: ExportEquations, dialect: Dialect, names: Names) -> CodeBlock:
    program = with_lines(parts, dialect)
    inputs = {program.graph.input(name): names.fresh(name) for name in parts.graph.inputs.values()}
    of = dict(inputs)
    name_lines(names, program, of)
    return _block(program, dialect, of, tuple(inputs.values()), ())


def _block(
    program: StraightLineProgram,
    dialect: Dialect,
    of: Mapping[int, str],
    inputs: tuple[str, ...],
    results: Sequence[str],
) -> CodeBlock:
    """The lines as text. Results that are no line of their own (a constant, an input, one twice) get one at the end."""
    graph, spelling = program.graph, dialect.spelling
    last = program.results[0]
    written, attempts = [], False
    for node in program.equations:
        if not results and node == last:
            continue  # a definition returns its last line
        row, under = graph.rows[node], program.guard(node)
        is_condition = row is not None and row.is_predicate
        flag = "" if under is None else of[under]
        masked = spelling if dialect.nested or not flag else _masked(program, spelling, of, node, flag)
        text = masked.text(graph, node, of)
        if node in program.wide and _may_fail(program, of, node):
            text, attempts = dialect.attempt.format(text), True
        written.append((of[node], text, flag, is_condition))
    if not results:
        rest = {n: name for n, name in of.items() if n != last or graph.rows[n] is None}
        return CodeBlock(
            inputs,
            tuple(written),
            (spelling.text(graph, last, rest),) if last not in graph.inputs else (of[last],),
            attempts,
        )
    for node, name in zip(program.results, results, strict=True):
        if of.get(node) != name:
            written.append((name, of[node] if node in of else spelling.text(graph, node, of), "", False))
    return CodeBlock(inputs, tuple(written), tuple(results), attempts)


def _masked(program: StraightLineProgram, spelling: Spelling, of: Mapping[int, str], root: int, flag: str) -> Spelling:
    """The spelling of one line in which every operand is a harmless number where `flag` does not hold."""
    graph = program.graph
    safe: dict[tuple[int, int], str] = {}
    for node in _tree(program, of, root):
        row, args = graph.rows[node], graph.args[node]
        if row is None or row.is_predicate or row.branches is not None:
            continue
        numbers = harmless(row, tuple(graph.constants.get(a) for a in args))
        for k, arg in enumerate(args):
            total = row in _TOTAL or (row is _DIVIDED and args[1] in graph.constants)
            if arg not in graph.constants and not (total and program.required[arg] == program.required[root]):
                inner = of.get(arg) or replace(spelling, safe=dict(safe)).text(graph, arg, of)
                safe[node, k] = spelling.choice.format(flag, inner, spelling.number(numbers[k]))
    return replace(spelling, safe=safe)


def _tree(program: StraightLineProgram, of: Mapping[int, str], root: int) -> list[int]:
    """The equations that are written in one line."""
    graph = program.graph
    return sorted(reached(root, lambda n: [a for a in graph.args[n] if a not in of and graph.rows[a] is not None]))


def _may_fail(program: StraightLineProgram, of: Mapping[int, str], root: int) -> bool:
    """Whether one line has parts that are not defined for every number."""
    rows = [program.graph.rows[node] for node in _tree(program, of, root)]
    return any(row is not None and row not in _TOTAL and not row.is_predicate and row.branches is None for row in rows)


_TOTAL = frozenset(rules.TABLE[key] for key in (("+", 2), ("-", 2), ("*", 2), ("-", 1), ("+", 1)))
_DIVIDED = rules.TABLE["/", 2]
"""Rows that take every number (a division does where it is by one); only a number from outside the condition could overflow in them."""


def grouped(block: CodeBlock) -> Iterator[tuple[str, list[tuple[str, str, bool]]]]:
    """The lines in runs under one condition: (condition or "", [(name, text, whether a condition)])."""
    for under, run in groupby(block.lines, key=lambda line: line[2]):
        yield under, [(name, text, is_condition) for name, text, _, is_condition in run]
