"""What a program of train and predict may declare about its columns: matrices of columns, classes, scales, dropout.

    X = standardise(columns(* except species)); Y = one_hot(species); H = dropout(tanh(X @ W), 0.2); e = U[user]

`columns(…)` becomes an input that is a matrix; the others become operations of the language once the rows are known.

>>> found = declared("X = columns(a..c); L = mse(y, X @ w)", ["a", "b", "c", "y"], ["w"])
>>> found.matrices, sorted(needed(found))
({'columns(a..c)': ('a', 'b', 'c')}, ['a', 'b', 'c', 'w', 'y'])
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import numpy as np

from autodiff.core import rules
from autodiff.core.lowering import lower
from autodiff.diagnostics import listed, not_an_input
from autodiff.errors import AutodiffError, Span, data_error, did_you_mean, quoted, shortened
from autodiff.language.ast import (
    CONSTANTS,
    TRAINING_CALLS,
    Array,
    Assign,
    Call,
    Define,
    Expr,
    Expression,
    Index,
    Name,
    ParsedProgram,
    Reading,
    Statement,
    rewritten,
    walk,
)
from autodiff.language.parser import parse, parse_behind

_COLUMNS = re.compile(r"\bcolumns\s*\(([^()]*)\)")

Columns = Mapping[str, Any]


@dataclass(slots=True)
class Kept:
    """What the rows of a training decided and its predictions use; saved with the parameters.

    columns  the columns of each `columns(…)`
    codes    the texts of each column of texts, in the order of their codes 0, 1, …
    classes  how many classes each `one_hot(…)` has
    scales   the mean and the deviation of each `standardise(…)`
    means    what a missing cell of a column is taken for
    """

    columns: dict[str, list[str]] = field(default_factory=dict)
    codes: dict[str, list[str]] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    scales: dict[str, list[Any]] = field(default_factory=dict)
    means: dict[str, float] = field(default_factory=dict)

    def joined(self, other: Kept) -> Kept:
        """What both have, the other one's where they differ."""
        return Kept(*(getattr(self, part) | getattr(other, part) for part in self.__slots__))


@dataclass(frozen=True, slots=True)
class Declared:
    """A program with its declarations still in it; `matrices` has the columns of each input that is a matrix of columns."""

    program: ParsedProgram
    matrices: Mapping[str, tuple[str, ...]]


def declared(
    text: str,
    names: Sequence[str],
    parameters: Collection[str],
    kept: Kept | None = None,
    *,
    behind: Sequence[str] = (),
    strict: bool = False,
) -> Declared:
    """The program `text` over a table with the columns `names`, with the statements `behind` after its own.

    Where `kept` knows the columns of a `columns(…)`, those are taken: a new table may have others beside them.
    """
    functions, given = rules.functions() | TRAINING_CALLS, {*parameters, *names}
    masked = _masked(text, {})
    try:
        program = parse(masked, functions, strict=strict, given=given)
        source = text if program.source == masked else program.source  # that of LaTeX is another one
        if behind:
            assigned = {s.target.name for s in program.statements if isinstance(s, Assign)}
            for more in behind:
                parse(_masked(more, {}), functions, given=given | assigned)  # its mistakes are shown alone
            joined = "\n;\n".join(behind)
            longer = parse_behind(program, _masked(joined, {}), functions)
            source = f"{source}\n;\n{joined}"
            program = program.with_statements(longer.statements, source)
    except AutodiffError as error:
        error.source = text if error.source == masked else error.source
        raise
    calls: dict[int, tuple[str, str]] = {}
    _masked(source, calls)
    if not calls:
        return Declared(program, {})
    matrices: dict[str, tuple[str, ...]] = {}
    usable = [name for name in names if name not in parameters]

    def named(node: Expr) -> Expr:
        if not isinstance(node, Name) or node.span[0] not in calls:
            return node
        key, items = calls[node.span[0]]
        if key not in matrices:
            known = kept.columns.get(key) if kept is not None else None
            span = node.span[0], node.span[0] + len(key)
            matrices[key] = tuple(known) if known is not None else _listed(items, usable, span, source)
        return Name(key, node.span)

    statements = [with_body(s, rewritten(s.body, named)) for s in program.statements]
    return Declared(program.with_statements(statements, source), matrices)


def _masked(text: str, calls: dict[int, tuple[str, str]]) -> str:
    """The text with a name as long in place of each `columns(…)`, whose arguments are no expressions."""

    def mask(call: re.Match[str]) -> str:
        calls[call.start()] = re.sub(r"\s+", " ", call[0]), call[1]
        return f"columns{'_' * (len(call[0]) - len('columns') - 1)} "

    return _COLUMNS.sub(mask, text)


def _listed(items: str, names: Sequence[str], span: Span, source: str) -> tuple[str, ...]:
    """The columns that `a, f1..f30` and `* except y` name, in the order of the table for a range."""

    def place(name: str) -> int:
        if name in names:
            return names.index(name)
        raise data_error(
            f"no column {quoted(name)} for columns({shortened(items.strip())})",
            span=span,
            source=source,
            hint=did_you_mean(name, names, f"its columns are {listed(names)}"),
        )

    first, exception, left_out = items.partition(" except ")
    columns: dict[str, None] = {}
    for item in (part.strip() for part in first.split(",")):
        ends = re.fullmatch(r"(\w+)\s*\.\.\s*(\w+)", item)
        if item == "*":
            columns |= dict.fromkeys(names)
        elif ends:
            start, end = place(ends[1]), place(ends[2])
            if start > end:
                raise AutodiffError(
                    f"columns({item}): {quoted(ends[2])} is left of {quoted(ends[1])} in the table",
                    span=span, source=source, hint=f"write columns({ends[2]}..{ends[1]})",
                )  # fmt: skip
            columns |= dict.fromkeys(names[start : end + 1])
        elif re.fullmatch(r"\w+", item):
            columns[names[place(item)]] = None
        else:
            raise AutodiffError(
                f"columns(…) can't be read at {quoted(item)}",
                span=span, source=source, hint="write columns(a, b), columns(a..d), columns(*) or columns(* except y)",
            )  # fmt: skip
    for item in (part.strip() for part in left_out.split(",") if exception):
        columns.pop(names[place(item)], None)
    if not columns:
        raise AutodiffError("columns(…) names no column", span=span, source=source, hint="give a table with --data")
    return tuple(columns)


def needed(program: Declared) -> list[str]:
    """The inputs of the program, columns of its matrices in place of those."""
    statements = [with_body(s, rewritten(s.body, _without_declaration)) for s in program.program.statements]
    inputs = lower(program.program.with_statements(statements)).inputs
    return list(dict.fromkeys(n for name in inputs for n in program.matrices.get(name, (name,))))


def is_declaration(node: Expr) -> TypeGuard[Call]:
    """Whether a call is about the rows of the table: `one_hot(x)`; `one_hot(x, 3)` is a function as any other."""
    return isinstance(node, Call) and node.name in TRAINING_CALLS and rules.find(node.name, len(node.args)) is None


def _without_declaration(node: Expr) -> Expr:
    """A node with the same inputs, and none of the declarations."""
    if is_declaration(node) and node.args:
        return node.args[0]
    if isinstance(node, Index) and varying(node.indices):
        return Array((node.base, *node.indices), node.span)
    return node


def declarations_of_rows(program: Declared) -> list[Expr]:
    """The parts of a program that only all rows together give a meaning: scales, classes, dropout, rows of a parameter."""
    bodies = [statement.body for statement in program.program.statements]
    return [node for node in walk(tuple(bodies)) if _without_declaration(node) is not node]


def varying(nodes: tuple[Expr, ...]) -> list[str]:
    """The names in expressions that are no constants."""
    return [node.name for node in walk(nodes) if isinstance(node, Name) and node.name not in CONSTANTS]


def with_body(statement: Statement, body: Expr) -> Statement:
    """The statement with another expression."""
    if body is statement.body:
        return statement
    if isinstance(statement, Define):
        return Define(statement.target, statement.params, body, statement.span)
    if isinstance(statement, Assign):
        return Assign(statement.target, body, statement.span)
    return Expression(body, statement.span)


def with_matrices(columns: Columns, matrices: Mapping[str, Sequence[str]], *, by_rows: bool = False) -> dict[str, Any]:
    """The columns, and the matrices of them: in memory each column on its own, of which a product with all rows takes half
    the time, or `by_rows`, for those that take a few rows at a time."""
    whole = {name: [columns[column] for column in members] for name, members in matrices.items()}
    stacked = {name: np.stack(members, axis=1) if by_rows else np.stack(members).T for name, members in whole.items()}
    return {**columns, **stacked}


def taken(columns: Columns, rows: Any) -> dict[str, Any]:
    """The columns and matrices of some of the rows, as they lie in memory."""
    return {
        name: column[rows] if column.flags.c_contiguous else np.take(column.T, rows, axis=-1).T
        for name, column in columns.items()
    }


def fitting(inputs: Sequence[str], parameters: Collection[str], columns: Collection[str]) -> None:
    """Raise AutodiffError for parameters that are no inputs of the program, or are columns as well, or are none at all."""
    for name in parameters:
        if name in columns:
            raise AutodiffError(f"{quoted(name)} is a parameter and a column of the data", hint="rename the parameter")
        if name not in inputs:
            raise not_an_input(f"the parameter {quoted(name)} is not an input of the program", inputs)
    if not parameters:
        raise AutodiffError("there is nothing to train", hint="name the parameters and their start: --params w=0,b=0")


def chooser(
    text: str,
    parameters: Sequence[str],
    watch: Sequence[str],
    kept: Kept | None = None,
    readings: list[Reading] | None = None,
    *,
    strict: bool = False,
) -> Callable[[Collection[str]], list[str]]:
    """Which of a file's columns a program needs: its inputs that are no parameters.

    `kept` gets those of each matrix, `readings` what the program says of the columns that it doesn't need.
    """

    def choose(names: Collection[str]) -> list[str]:
        wanted: dict[str, None] = {}
        for more in ([], *([expression] for expression in watch)):
            program = declared(text, list(names), parameters, behind=more, strict=strict)
            wanted |= dict.fromkeys(needed(program))
            if readings is not None and not more:
                readings.extend(r for r in program.program.readings if r.text in names and r.text not in wanted)
            if kept is not None:
                kept.columns |= {key: list(columns) for key, columns in program.matrices.items()}
        used = [name for name in wanted if name not in parameters or name in names]
        places = {name: k for k, name in enumerate(names)}
        return sorted(used, key=lambda name: places.get(name, -1))

    return choose


def without_data(text: str, parameters: Sequence[str]) -> None:
    """Raise AutodiffError when the program needs data and there is none."""
    for name in needed(declared(text, [], parameters)):
        if name not in parameters:
            raise data_error(
                f"{quoted(name)} is neither a parameter nor a column",
                hint="give it a start with --params, or a table that has it with --data",
            )
