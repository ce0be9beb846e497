"""What a program with trained parameters gives for the rows of a table: some of its names, a block of rows at a time.

>>> outputs = Outputs("P = w*x + b; L = mse(y, P)", ["P"], {"w": 2.0, "b": 1.0}, ["x"])
>>> outputs.inputs
['x']
>>> outputs.of_rows({"x": np.array([1.0, 2.0])}, 2)
({'P': array([3., 5.])}, {})

As in a training, a column is an array over the rows; an equation that computes a value from several rows is an error.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from autodiff.arrays import algebra
from autodiff.batch.compile import INPUT
from autodiff.batch.table import Count, columns_of, require_free
from autodiff.core import rules
from autodiff.core.evaluate import DomainError
from autodiff.core.lowering import Lowered, lower
from autodiff.diagnostics import outside, written
from autodiff.errors import HARD_POINT, AutodiffError, Span, nearest, quoted, shortened
from autodiff.language.ast import Assign, Expression, Name, Program
from autodiff.language.parser import parse, parse_behind
from autodiff.tables.columns import row_fault
from autodiff.tables.text import Statuses, Table
from autodiff.train.row_axis import mixing_equations, row_axis

BLOCK = 4096
"""Rows that are evaluated at a time."""

PROBES = (1.0, 0.5, 2.0, 0.0, -0.5)
"""Numbers for the columns with which shapes are found out before the first row is read."""

Columns = Mapping[str, Any]


class Outputs:
    """The names and expressions `of` of the program `text`, at the values `parameters`, over rows with the columns `names`.

    `inputs` are the columns that they need. Raises AutodiffError for an output that the program does not have.
    """

    def __init__(
        self,
        text: str,
        of: Sequence[str],
        parameters: Mapping[str, Any],
        names: Collection[str],
        *,
        strict: bool = False,
    ) -> None:
        program = parse(text, rules.functions(), strict=strict, given={*parameters, *names})
        self.readings = program.readings
        self.lowered, self.nodes = _with_outputs(program, of)
        graph = self.lowered.graph
        self._order = graph.reaching(*self.nodes.values())
        needed = [graph.inputs[node] for node in self._order if node in graph.inputs]
        self.parameters = {name: parameters[name] for name in needed if name in parameters}
        self.inputs = [name for name in needed if name not in parameters]
        self._axes: dict[int, int | None] | None = None
        self._shapes: dict[int, tuple[int, ...]] = {}
        for number in PROBES:
            with suppress(DomainError):
                self._axes = self._axes or self._row_axes(dict.fromkeys(self.inputs, np.array([number])))

    def of_rows(self, columns: Columns, rows: int) -> tuple[dict[str, Any], dict[int, str]]:
        """The columns of the outputs, NaN in rows without a value, and the statuses of those rows.

        Raises AutodiffError for shapes that don't fit, and for an equation that computes a value from several rows.
        """
        whole: dict[str, Any] = {name: np.full(rows, np.nan) for name in self.names}
        statuses: dict[int, str] = {}
        todo = [(block, min(block + BLOCK, rows)) for block in range(0, rows, BLOCK)]
        while todo:
            start, end = todo.pop()
            part = {name: column[start:end] for name, column in columns.items()}
            try:
                values = self._values(part)
            except DomainError as trouble:
                if end - start == 1:
                    statuses[start] = "domain" if trouble.needs else "overflow"
                else:  # some of these rows have a value
                    todo += [((start + end) // 2, end), (start, (start + end) // 2)]
                continue
            if self._axes is None:
                self._axes = self._row_axes({name: column[:1] for name, column in part.items()})
                whole = {name: np.full(rows, np.nan) for name in self.names}
            for name, column in self._split(values, end - start).items():
                whole[name][start:end] = column
        return whole, statuses

    def fault(self, columns: Columns, row: int) -> tuple[str, Span]:
        """Why a row has no value, and where."""
        try:
            self._values({name: column[row : row + 1] for name, column in columns.items()})
        except DomainError as trouble:
            return outside(self.lowered, trouble, {}), self.lowered.graph.spans[trouble.node]
        raise AssertionError("the row has a value")

    @property
    def names(self) -> list[str]:
        """The columns of the outputs: one for each element that an output has in a row."""
        return [name for name, _, _ in self._places]

    @property
    def _places(self) -> list[tuple[str, int, tuple[int, ...]]]:
        """The columns of the outputs: their names, equations and elements."""
        found: list[tuple[str, int, tuple[int, ...]]] = []
        for name, node in self.nodes.items():
            shape = self._shapes.get(node, ())
            if not shape:
                found.append((name, node, ()))
            found += [(f"{name}[{', '.join(map(str, k))}]", node, k) for k in np.ndindex(shape) if shape]
        return found

    def _values(self, columns: Columns) -> list[Any]:
        results = list(self.nodes.values())
        try:
            return algebra.evaluate(self.lowered, {**self.parameters, **columns}, results=results).values
        except AutodiffError as error:
            raise error.within(self.lowered.source) from None

    def _row_axes(self, row: Columns) -> dict[int, int | None]:
        """The row axis of every equation, from the shapes for two and for three times a row. Raises AutodiffError for an
        equation that computes a value from several rows."""
        two, three = (
            self._values({name: np.repeat(column, count, axis=0) for name, column in row.items()}) for count in (2, 3)
        )
        axes = {node: row_axis(np.shape(two[node]), np.shape(three[node])) for node in self._order}
        for node in self.nodes.values():
            shape, axis = np.shape(two[node]), axes[node]
            self._shapes[node] = shape if axis is None else (*shape[:axis], *shape[len(shape) + axis + 1 :])
        for node in mixing_equations(self.lowered.graph, self._order, axes):
            raise AutodiffError(
                f"{written(self.lowered, node)} is computed from several rows, so a row alone has no prediction",
                span=self.lowered.graph.spans[node],
                source=self.lowered.source,
                hint="give its value with --at, or write standardise(x) in the trained program, which keeps the mean",
            )
        return axes

    def _split(self, values: Sequence[Any], rows: int) -> dict[str, Any]:
        """The columns of the outputs."""
        assert self._axes is not None
        found: dict[str, Any] = {}
        for name, node, place in self._places:
            value: Any = np.asarray(values[node], float)
            axis = self._axes[node]
            value = np.broadcast_to(value, (rows, *value.shape)) if axis is None else np.moveaxis(value, axis, 0)
            found[name] = value[(slice(None), *place)]
        return found


def predictions(
    table: Table, outputs: Outputs, count: Count, *, keep: bool = False, fail_fast: bool = False
) -> Iterator[dict[str, Sequence[Any]]]:
    """The rows' outputs, chunk by chunk, as columns: the outputs (NaN for none), status; with `keep` behind the table's own.

    Raises AutodiffError where the table can't be read on and, with `fail_fast`, at the first row that is not ok.
    """
    of = columns_of(table, outputs.inputs, outputs.parameters)
    read = list(dict.fromkeys(of.values()))
    for chunk in table.chunks(table.names if keep else read):
        rows, usable = len(chunk.lines), np.ones(len(chunk.lines), bool)
        numbers = {name: np.asarray(chunk.read(chunk.cells[column]), float) for name, column in of.items()}
        for column in numbers.values():
            usable &= np.isfinite(column)
        usable[list(chunk.faults)] = False
        good = np.flatnonzero(usable)
        numbers = {name: column[good] for name, column in numbers.items()}
        values, lacking = outputs.of_rows(numbers, len(good))
        hard = {int(row): INPUT for row in np.flatnonzero(~usable)} | {int(good[k]): s for k, s in lacking.items()}
        stop = min(hard, default=rows) if fail_fast else rows
        whole: dict[str, Any] = {name: np.full(rows, np.nan) for name in values}
        for name, column in values.items():
            whole[name][good] = column
        if keep:
            require_free(table, table.names, [*whole, "status"])
        status = Statuses(rows, dict(sorted(hard.items()))).before(stop)
        count.add(table, chunk, status, read)
        kept = {name: chunk.cells[name][:stop] for name in table.names} if keep else {}
        yield {**kept, **{name: column[:stop] for name, column in whole.items()}, "status": status}
        if stop < rows:
            if hard[stop] == INPUT:
                raise row_fault(table, chunk, stop, read)
            why, span = outputs.fault(numbers, int(np.searchsorted(good, stop)))
            place = f"{shortened(table.name, 200)}, {table.unit} {chunk.lines[stop]}"
            source = outputs.lowered.source
            raise AutodiffError(f"{place}: {why}", exit_status=HARD_POINT, span=span, source=source)
    if not count.rows:
        yield dict.fromkeys((*(table.names if keep else ()), *outputs.names, "status"), ())


def _with_outputs(program: Program, of: Sequence[str]) -> tuple[Lowered, dict[str, int]]:
    """The program with a statement more for each output, and the equations of those, by name."""
    assigned = [s.target.name for s in program.statements if isinstance(s, Assign)]
    statements, labels = list(program.statements), dict[str, str]()
    source = program.source
    for k, text in enumerate(of):
        name, expression = _named(text)
        if name in labels:
            raise AutodiffError(
                f"--of gives {quoted(name)} twice", hint=f"call one of them something else: {name}2 = …"
            )
        if expression.isidentifier() and expression not in assigned:
            raise _not_assigned(expression, assigned)
        parse(expression, rules.functions(), given=program.given.union(assigned))  # its mistakes are shown alone
        longer = parse_behind(Program(source, tuple(statements), (), program.given), expression, rules.functions())
        last = longer.statements[-1]
        if not isinstance(last, Expression):
            raise AutodiffError(
                f"--of takes names and expressions, not {quoted(text)}", hint="such as --of P,argmax(P)"
            )
        labels[name], source = f"output {k}", longer.source
        statements.append(Assign(Name(labels[name], last.span), last.body, last.span))
    lowered = lower(Program(source, tuple(statements), program.readings, program.given))
    return lowered, {name: lowered.assigned[label] for name, label in labels.items()}


def _named(text: str) -> tuple[str, str]:
    """The column's name and the expression of an output: `species = argmax(P)`, or an expression, which is its own name."""
    match = re.fullmatch(r"\s*(\w+)\s*=(?!=)(.*)", text, re.DOTALL)
    return (match[1], match[2].strip()) if match else (text.strip(), text.strip())


def _not_assigned(name: str, assigned: Collection[str]) -> AutodiffError:
    near = nearest(name, assigned)
    known = ", ".join(map(shortened, assigned)) or "none"
    return AutodiffError(
        f"--of {shortened(name)}: the program assigns no such name",
        hint=f"did you mean {quoted(near)}?" if near else f"its names are {known}",
    )
