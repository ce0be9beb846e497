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
from typing import Any

import numpy as np

from autodiff.arrays import algebra
from autodiff.core import rules
from autodiff.core.evaluate import DomainError
from autodiff.core.lowering import lower
from autodiff.diagnostics import outside
from autodiff.errors import DATA, AutodiffError, Span, nearest, quoted, shortened
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
    Number,
    Program,
    Statement,
    rewritten,
    walk,
)
from autodiff.language.parser import parse, parse_behind

MOST_CLASSES = 10_000
"""Of a `one_hot`: more are rather a measured number than a class."""

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


@dataclass(frozen=True, slots=True)
class Declared:
    """A program with its declarations still in it; `matrices` has the columns of each input that is a matrix of columns."""

    program: Program
    matrices: Mapping[str, tuple[str, ...]]


# --- reading a program ---------------------------------------------------------------------------------------------------


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
            program = Program(source, longer.statements, program.readings, program.given)
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

    statements = tuple(_with_body(s, rewritten(s.body, named)) for s in program.statements)
    return Declared(Program(source, statements, program.readings, program.given), matrices)


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
        near = nearest(name, names)
        raise AutodiffError(
            f"no column {quoted(name)} for columns({shortened(items.strip())})",
            span=span, source=source, exit_status=DATA,
            hint=f"did you mean {quoted(near)}?" if near else f"its columns are {', '.join(map(shortened, names[:12]))}",
        )  # fmt: skip

    first, exception, left_out = items.partition(" except ")
    found: dict[str, None] = {}
    for item in (part.strip() for part in first.split(",")):
        ends = re.fullmatch(r"(\w+)\s*\.\.\s*(\w+)", item)
        if item == "*":
            found |= dict.fromkeys(names)
        elif ends:
            start, end = place(ends[1]), place(ends[2])
            if start > end:
                raise AutodiffError(
                    f"columns({item}): {quoted(ends[2])} is left of {quoted(ends[1])} in the table",
                    span=span, source=source, hint=f"write columns({ends[2]}..{ends[1]})",
                )  # fmt: skip
            found |= dict.fromkeys(names[start : end + 1])
        elif re.fullmatch(r"\w+", item):
            found[names[place(item)]] = None
        else:
            raise AutodiffError(
                f"columns(…) can't be read at {quoted(item)}",
                span=span, source=source, hint="write columns(a, b), columns(a..d), columns(*) or columns(* except y)",
            )  # fmt: skip
    for item in (part.strip() for part in left_out.split(",") if exception):
        found.pop(names[place(item)], None)
    if not found:
        raise AutodiffError("columns(…) names no column", span=span, source=source, hint="give a table with --data")
    return tuple(found)


def needed(found: Declared) -> list[str]:
    """The inputs of the program, columns of its matrices in place of those."""
    statements = tuple(_with_body(s, rewritten(s.body, _without_declaration)) for s in found.program.statements)
    program = found.program
    inputs = lower(Program(program.source, statements, program.readings, program.given)).inputs
    return list(dict.fromkeys(n for name in inputs for n in found.matrices.get(name, (name,))))


def _without_declaration(node: Expr) -> Expr:
    """A node with the same inputs, and none of the declarations."""
    if isinstance(node, Call) and node.name in TRAINING_CALLS and node.args:
        return node.args[0]
    if isinstance(node, Index) and _inputs(node.indices):
        return Call("+", (node.base, *node.indices[:1]), node.span, node.span)
    return node


def declarations_of_rows(found: Declared) -> list[Expr]:
    """The parts of a program that only all rows together give a meaning: scales, classes, dropout, rows of a parameter."""
    bodies = [statement.body for statement in found.program.statements]
    return [node for node in walk(tuple(bodies)) if _without_declaration(node) is not node]


def _inputs(nodes: tuple[Expr, ...]) -> list[str]:
    return [node.name for node in walk(nodes) if isinstance(node, Name) and node.name not in CONSTANTS]


def _with_body(statement: Statement, body: Expr) -> Statement:
    if body is statement.body:
        return statement
    if isinstance(statement, Define):
        return Define(statement.target, statement.params, body, statement.span)
    if isinstance(statement, Assign):
        return Assign(statement.target, body, statement.span)
    return Expression(body, statement.span)


# --- once the rows are known -----------------------------------------------------------------------------------------------


class Resolver:
    """Replaces declarations by operations, from the columns of all rows and of those `trained` on (a mask or numbers).

    `kept` is filled by a training and looked up by a prediction, for which `rows` is None. `masks` are the inputs that
    `dropout` makes, with their shares; `ranges` the expressions that must be whole numbers below a limit in each row.
    """

    def __init__(self, parameters: Mapping[str, Any], kept: Kept, rows: Columns | None, trained: Any = None) -> None:
        self.parameters, self.kept, self.rows, self.trained = parameters, kept, rows, trained
        self.masks: dict[str, float] = {}
        self.ranges: list[tuple[Expr, int]] = []
        self._program = Program("", ())
        self._before: list[Statement] = []

    def resolved(self, program: Program) -> Program:
        """The program without declarations. Raises AutodiffError where one stands where it has no meaning."""
        self._program, self._before = program, []
        try:
            for statement in program.statements:
                if isinstance(statement, Define):
                    self._require_none(statement)
                    self._before.append(statement)
                else:
                    self._before.append(_with_body(statement, rewritten(statement.body, self._replaced)))
        except AutodiffError as error:
            raise error.within(program.source) from None
        return Program(program.source, tuple(self._before), program.readings, program.given)

    def _require_none(self, function: Define) -> None:
        for node in walk((function.body,)):
            if isinstance(node, Call) and node.name in TRAINING_CALLS:
                raise AutodiffError(
                    f"{node.name} can't stand in a function of the program",
                    span=node.span,
                    hint=f"give its value to the function: X = {node.name}(…); f(X)",
                )

    def _replaced(self, node: Expr) -> Expr:
        if isinstance(node, Index) and len(node.indices) == 1 and _inputs(node.indices):
            return self._row_of(node)
        if not isinstance(node, Call) or node.name not in TRAINING_CALLS:
            return node
        replace: Callable[[Call], Expr] = {
            "one_hot": self._one_hot, "standardise": self._standardised, "dropout": self._dropped,
        }[node.name]  # fmt: skip
        return replace(node)

    def _text(self, node: Expr) -> str:
        return re.sub(r"\s+", "", self._program.source[slice(*node.span)])

    def _one_argument(self, call: Call) -> Expr:
        if len(call.args) != 1:
            raise AutodiffError(
                f"{call.name} takes 1 argument, not {len(call.args)}", span=call.span, hint=f"write {call.name}(x)"
            )
        return call.args[0]

    def _standardised(self, call: Call) -> Expr:
        inner, key = self._one_argument(call), self._text(call)
        if key not in self.kept.scales:
            values = np.asarray(self._of_rows(inner, call)[self.trained], float)
            deviation = np.std(values, axis=0)
            self.kept.scales[key] = [
                np.mean(values, axis=0).tolist(), np.where(deviation > 0, deviation, 1.0).tolist(),
            ]  # fmt: skip
        mean, deviation = (_literal(np.asarray(number, float), call.span) for number in self.kept.scales[key])
        return _call("/", _call("-", inner, mean), deviation)

    def _one_hot(self, call: Call) -> Expr:
        inner = self._one_argument(call)
        return self._classes(inner, self._count(call, inner))

    def _classes(self, codes: Expr, count: int) -> Expr:
        self.ranges.append((codes, count))
        span = codes.span
        return _call("==", _call("expand_dims", codes, Number(1.0, span)), _literal(np.arange(float(count)), span))

    def _count(self, call: Expr, inner: Expr) -> int:
        """How many classes there are among the rows."""
        key = self._text(call)
        if key in self.kept.classes:
            return self.kept.classes[key]
        codes = self._of_rows(inner, call)
        self._require_codes(codes, inner, MOST_CLASSES, "a column of texts becomes such codes by itself")
        count = int(np.max(codes)) + 1
        if isinstance(inner, Name) and inner.name in self.kept.codes:
            count = len(self.kept.codes[inner.name])
        self.kept.classes[key] = count
        return count

    def _require_codes(self, codes: Any, inner: Expr, limit: int, advice: str) -> None:
        bad = (codes < 0) | (codes != np.floor(codes)) | (codes >= limit)
        if np.ndim(codes) != 1 or bad.any():
            what = f"{codes[bad][0]:g} in row {int(np.argmax(bad)) + 1}" if np.ndim(codes) == 1 else "a matrix"
            raise AutodiffError(
                f"{quoted(self._text(inner))} must be a whole number from 0 to {limit - 1:,} in each row, and it is {what}",
                span=inner.span, exit_status=DATA, hint=advice,
            )  # fmt: skip

    def _row_of(self, node: Index) -> Expr:
        """`U[user]`: the row of a parameter for each row of the table."""
        base, codes = node.base, node.indices[0]
        if not isinstance(base, Name) or base.name not in self.parameters or not np.ndim(self.parameters[base.name]):
            raise AutodiffError(
                "an index that differs from row to row takes a row of a parameter",
                span=node.span,
                hint="name an array among the parameters: --params U=normal(10,3) and U[user]",
            )
        count = np.shape(self.parameters[base.name])[0]
        if self.rows is not None:
            rows = f"{base.name} has {count} row{'s' * (count != 1)}: give it one for each index"
            self._require_codes(self._of_rows(codes, node), codes, count, rows)
        return _call("@", self._classes(codes, count), base)

    def _dropped(self, call: Call) -> Expr:
        share = call.args[1].value if len(call.args) == 2 and isinstance(call.args[1], Number) else -1.0
        if not 0 <= share < 1:
            raise AutodiffError(
                "dropout takes an array and the share of it that is dropped, from 0 to below 1",
                span=call.span,
                hint="write for example dropout(h, 0.2)",
            )
        name = f"dropout at {call.span[0]}"
        self.masks[name] = share
        return _call("*", call.args[0], Name(name, call.span))

    def _of_rows(self, inner: Expr, call: Expr) -> Any:
        """The values of an expression of columns, in all rows."""
        program = self._program
        if self.rows is None:
            raise AutodiffError(
                f"{self._text(call)} is not known: nothing was kept for it with the parameters",
                span=call.span,
                hint="give --at @FILE.json that train --save wrote for this program",
            )
        lowered = lower(
            Program(program.source, (*self._before, Expression(inner, inner.span)), program.readings, program.given)
        )
        used = [lowered.graph.inputs[n] for n in lowered.graph.reaching(lowered.result) if n in lowered.graph.inputs]
        if other := [name for name in used if name not in self.rows]:
            raise AutodiffError(
                f"{self._text(call)} is computed from the columns once, and {quoted(other[0])} is none",
                span=call.span,
                hint="use it on columns, before parameters come in",
            )
        try:
            value = np.asarray(algebra.evaluate(lowered, self.rows).values[lowered.result], float)
        except DomainError as trouble:
            raise AutodiffError(
                outside(lowered, trouble, {}), span=lowered.graph.spans[trouble.node], exit_status=DATA
            ) from None
        if not value.ndim or len(value) != len(next(iter(self.rows.values()))):
            raise AutodiffError(
                f"{quoted(self._text(inner))} has no number for each row", span=inner.span, hint="use it on columns"
            )
        return value


def _call(name: str, *args: Expr) -> Call:
    span = args[0].span[0], args[0].span[1]
    return Call(name, args, span, span)


def _literal(value: Any, span: Span) -> Expr:
    """A number, or an array of numbers, as an expression."""
    if not np.ndim(value):
        return Number(float(value), span)
    return Array(tuple(_literal(part, span) for part in value), span)


def with_matrices(columns: Columns, matrices: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The columns, and the matrices of them."""
    whole = {name: np.stack([columns[column] for column in members], axis=1) for name, members in matrices.items()}
    return {**columns, **whole}
