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
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from autodiff.api.answer import Answer
from autodiff.api.array_answer import array_answer
from autodiff.api.scalar_answer import Query
from autodiff.arrays import algebra
from autodiff.batch.compile import INPUT, Compiled, compiled
from autodiff.batch.parts import not_assigned
from autodiff.core.evaluate import DomainError
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered, lower
from autodiff.core.primitive import ELEMENTWISE
from autodiff.diagnostics import outside, written
from autodiff.errors import AutodiffError, Span, quoted
from autodiff.language.ast import Assign, Expr, Expression, Name, ParsedProgram
from autodiff.train.declarations import Kept, declared, with_matrices
from autodiff.train.resolver import Resolver
from autodiff.train.row_axis import PROBES, mixing_equations, row_axes
from autodiff.verify.array_digits import unmoved
from autodiff.verify.random_rounding import sweeps

BLOCK = 4096
"""Rows that are evaluated at a time."""

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
        names: Sequence[str],
        kept: Kept | None = None,
        *,
        strict: bool = False,
    ) -> None:
        self.kept = Kept() if kept is None else kept
        outputs = _named(of)
        program_of_columns = declared(text, names, parameters, self.kept, behind=list(outputs.values()), strict=strict)
        self.readings = program_of_columns.program.readings
        resolver = Resolver(parameters, self.kept, None)
        program = resolver.resolved(program_of_columns.program)
        self.lowered, self.nodes, limits = _with_outputs(program, list(outputs), resolver.ranges)
        graph = self.lowered.graph
        self._order = graph.reaching(*self.nodes.values())
        self._limits = {node: limit for node, limit in limits.items() if node in set(self._order)}
        needed = [graph.inputs[node] for node in self._order if node in graph.inputs]
        self.parameters = {name: parameters[name] for name in needed if name in parameters}
        self._masks = dict.fromkeys(resolver.masks, 1.0)
        self.matrices = {
            name: program_of_columns.matrices[name] for name in needed if name in program_of_columns.matrices
        }
        inputs = [n for name in needed if name not in self._masks for n in self.matrices.get(name, (name,))]
        self.inputs = [name for name in dict.fromkeys(inputs) if name not in parameters]
        constants = [*self.parameters.values()]
        plain = not self.matrices and not self._limits and all(isinstance(number, float) for number in constants)
        self._compiled = _plain_outputs(self.lowered, self.nodes) if plain else None
        self._axes: dict[int, int | None] | None = None
        self._shapes: dict[int, tuple[int, ...]] = {}
        for number in PROBES:
            with suppress(DomainError):
                self._axes = self._axes or self._row_axes(dict.fromkeys(self.inputs, np.array([number])))

    def of_rows(self, columns: Columns, rows: int) -> tuple[dict[str, Any], dict[int, str]]:
        """The columns of the outputs, NaN in rows without a value, and the statuses of those rows.

        Rows that float64 may not be enough for are computed again. Raises AutodiffError for shapes that don't fit, and for
        an equation that computes a value from several rows.
        """
        if self._compiled is not None:
            return self._of_plain_rows(self._compiled, columns, rows)
        whole: dict[str, Any] = {name: np.full(rows, np.nan) for name in self.names}
        statuses: dict[int, str] = {}
        todo = [(block, min(block + BLOCK, rows)) for block in range(0, rows, BLOCK)]
        while todo:
            start, end = todo.pop()
            part = {name: column[start:end] for name, column in columns.items()}
            try:
                values = self._values(part)
                if self._axes is None:
                    self._axes = self._row_axes({name: column[:1] for name, column in part.items()})
                    whole = {name: np.full(rows, np.nan) for name in self.names}
                bad = self._out_of_range(values, end - start)
                split = self._split(values, end - start)
                doubtful = self._doubtful(part, split, end - start) & ~bad
            except DomainError as trouble:
                if end - start > 1:  # some of these rows have a value
                    todo += [((start + end) // 2, end), (start, (start + end) // 2)]
                    continue
                if self._axes is None:  # no row with a value came yet, so that shapes are not known
                    statuses[start] = "domain" if trouble.needs else "overflow"
                    continue
                bad, doubtful = np.zeros(1, bool), np.ones(1, bool)
                split = dict.fromkeys(self.names, np.full(1, np.nan))
            statuses |= dict.fromkeys((start + np.flatnonzero(bad)).tolist(), INPUT)
            for name, column in split.items():
                whole[name][start:end] = np.where(bad, np.nan, column)
            for row in (start + np.flatnonzero(doubtful)).tolist():
                numbers, status, _, _ = self._one_row({name: column[row : row + 1] for name, column in columns.items()})
                statuses |= {} if status == "ok" else {row: status}
                for name in whole:
                    whole[name][row] = numbers.get(name, np.nan)
        return whole, statuses

    def fault(self, columns: Columns, row: int) -> tuple[str, Span | None]:
        """Why a row has no value, and where."""
        at = {name: column[row : row + 1] for name, column in columns.items()}
        try:
            self._values(at)
        except DomainError as trouble:
            return outside(self.lowered, trouble, {}), self.lowered.graph.spans[trouble.node]
        _, _, why, span = self._one_row(at)
        return why, span

    def _of_plain_rows(
        self, outputs: Mapping[str, Compiled], columns: Columns, rows: int
    ) -> tuple[dict[str, Any], dict[int, str]]:
        """The same where a row has plain numbers alone: as `eval --data` computes them."""
        given, whole, statuses = {**self._masks, **self.parameters, **columns}, dict[str, Any](), dict[int, str]()
        for name, output in outputs.items():
            batch = output.batch(**{key: given[key] for key in output.lowered.inputs})
            whole[name] = np.array(np.broadcast_to(batch.value, rows))
            hard = batch.hard if batch.value.shape else dict.fromkeys(range(rows), batch.hard.get(0, "ok"))
            statuses |= {row: s for row, s in hard.items() if s != "ok" and row not in statuses}
        for column in whole.values():
            column[list(statuses)] = np.nan
        return whole, statuses

    def _doubtful(self, columns: Columns, split: Columns, rows: int) -> Any:
        """The rows in which an output has other digits when every result is moved by a few roundings."""
        doubtful = np.zeros(rows, bool)
        point, results = self._point(columns), list(self.nodes.values())
        for rounding in sweeps():
            moved_point = rounding.inputs(point)
            values = algebra.evaluate(self.lowered, moved_point, shake=rounding, results=results).values
            for name, moved in self._split(values, rows).items():
                doubtful |= ~unmoved(split[name], moved, rounding.roundings)
        return doubtful

    def _one_row(self, columns: Columns) -> tuple[dict[str, float], str, str, Span | None]:
        """The elements of the outputs in one row by one-shot evaluation; without them a status, the reason and its place."""
        numbers = dict[str, float]()
        values: list[Any] = [None] * len(self.lowered.graph)
        for name, node in self.nodes.items():
            answer = _answer_of_row(self.lowered, node, name, self._point(columns))
            if answer.status != "ok" or answer.value is None:
                return numbers, answer.status, answer.why, answer.span
            values[node] = answer.value
        numbers = {name: float(column[0]) for name, column in self._split(values, 1).items()}
        return numbers, "ok", "", None

    @property
    def names(self) -> list[str]:
        """The columns of the outputs: one for each element that an output has in a row."""
        return [name for name, _, _ in self._places]

    @property
    def _places(self) -> list[tuple[str, int, tuple[int, ...]]]:
        """The columns of the outputs: their names, equations and elements."""
        places: list[tuple[str, int, tuple[int, ...]]] = []
        for name, node in self.nodes.items():
            shape = self._shapes.get(node, ())
            if not shape:
                places.append((name, node, ()))
            places += [(f"{name}[{', '.join(map(str, k))}]", node, k) for k in np.ndindex(shape) if shape]
        return places

    def _out_of_range(self, values: Sequence[Any], rows: int) -> Any:
        """Which rows have a class or an index that the training did not have."""
        bad = np.zeros(rows, bool)
        for node, limit in self._limits.items():
            codes = np.asarray(values[node])
            bad |= (codes < 0) | (codes >= limit) | (codes != np.floor(codes))
        return bad

    def _point(self, columns: Columns) -> dict[str, Any]:
        return {**self._masks, **self.parameters, **with_matrices(columns, self.matrices)}

    def _values(self, columns: Columns) -> list[Any]:
        results = list(self.nodes.values())
        try:
            return algebra.evaluate(self.lowered, self._point(columns), results=results).values
        except AutodiffError as error:
            raise error.within(self.lowered.source) from None

    def _row_axes(self, row: Columns) -> dict[int, int | None]:
        """The row axis of every equation, from the shapes for two and for three times a row. Raises AutodiffError for an
        equation that computes a value from several rows."""

        def values(rows: int) -> list[Any]:
            return self._values({name: np.repeat(column, rows, axis=0) for name, column in row.items()})

        axes = row_axes(values, self._order)
        two = values(2)
        for node in self.nodes.values():
            shape, axis = np.shape(two[node]), axes[node]
            self._shapes[node] = shape if axis is None else (*shape[:axis], *shape[len(shape) + axis + 1 :])
        for node in mixing_equations(self.lowered.graph, self._order, axes):
            raise self.lowered.error(
                node,
                f"{written(self.lowered, node)} is computed from several rows, so a row alone has no prediction",
                "give its value with --at, or write standardise(x) in the trained program, which keeps the mean",
            )
        return axes

    def _split(self, values: Sequence[Any], rows: int) -> dict[str, Any]:
        """The columns of the outputs."""
        assert self._axes is not None
        split: dict[str, Any] = {}
        for name, node, place in self._places:
            value: Any = np.asarray(values[node], float)
            axis = self._axes[node]
            value = np.broadcast_to(value, (rows, *value.shape)) if axis is None else np.moveaxis(value, axis, 0)
            split[name] = value[(slice(None), *place)]
        return split


def _with_outputs(
    program: ParsedProgram, names: Sequence[str], ranges: Sequence[tuple[Expr, int]]
) -> tuple[Lowered, dict[str, int], dict[int, int]]:
    """The program with its last statements, the outputs, as names; the equations of those and of what has a limit."""
    statements, count = list(program.statements[: -len(names)]), len(names)
    assigned = [s.target.name for s in statements if isinstance(s, Assign)]
    for k, (name, last) in enumerate(zip(names, program.statements[-count:], strict=True)):
        if not isinstance(last, Expression):
            raise AutodiffError(
                f"--of takes names and expressions, not {quoted(name)}", hint="such as --of P,argmax(P)"
            )
        if isinstance(last.body, Name) and last.body.name not in (*assigned, *program.given):
            raise not_assigned(last.body.name, assigned)
        statements.append(Assign(Name(f"output {k}", last.span), last.body, last.span))
    for k, (codes, _) in enumerate(ranges):
        statements.append(Assign(Name(f"code {k}", codes.span), codes, codes.span))
    lowered = lower(program.with_statements(statements))
    nodes = {name: lowered.assigned[f"output {k}"] for k, name in enumerate(names)}
    limits = dict[int, int]()
    for k, (_, limit) in enumerate(ranges):
        node = lowered.assigned[f"code {k}"]  # a copy of what is there already
        limits[lowered.graph.args[node][0]] = limit
    return lowered, nodes, limits


def _named(of: Sequence[str]) -> dict[str, str]:
    """The column's name and the expression of each output: `species = argmax(P)`, or an expression, its own name."""
    expressions: dict[str, str] = {}
    for text in of:
        match = re.fullmatch(r"\s*(\w+)\s*=(?!=)(.*)", text, re.DOTALL)
        name, expression = (match[1], match[2].strip()) if match else (text.strip(), text.strip())
        if name == "status":
            raise AutodiffError(
                "a result and its status would be one column", hint="call the result something else: y = …"
            )
        if name in expressions:
            raise AutodiffError(
                f"--of gives {quoted(name)} twice", hint=f"call one of them something else: {name}2 = …"
            )
        expressions[name] = expression
    return expressions


# --- rows that float64 may not be enough for are computed again, as `eval --data` does ----------------------------------


def _plain_outputs(lowered: Lowered, nodes: Mapping[str, int]) -> dict[str, Compiled] | None:
    """The outputs as functions over columns; None where one of them needs an array within a row."""
    graph = lowered.graph
    rows = {graph.rows[node] for node in graph.reaching(*nodes.values())}
    if any(row is not None and row.kind != ELEMENTWISE for row in rows):
        return None
    return {name: compiled(_of_output(lowered, node, name), [], exact=False) for name, node in nodes.items()}


def _of_output(lowered: Lowered, node: int, name: str) -> Lowered:
    """The equations of one output alone, so that columns which only the loss needs have no part in them."""
    graph, before = Graph(), lowered.graph
    copies = before.carried([node], graph.constant, graph.input, graph.call)
    for old, new in copies.items():
        graph.spans[new] = before.spans[old]
        if old != node and old in before.names:
            graph.names[new] = before.names[old]
    return Lowered(graph, copies[node], name, tuple(graph.inputs.values()), {}, lowered.source)


def _answer_of_row(lowered: Lowered, node: int, name: str, point: Mapping[str, Any]) -> Answer:
    """The one-shot answer for an output at a point that has the columns of one row, as arrays of one element."""
    output = _of_output(lowered, node, name)
    at = {key: value if np.shape(value) else float(value) for key in output.inputs for value in [point[key]]}
    return array_answer(Query(output, at, {}, check=False), wrt_given=False)
