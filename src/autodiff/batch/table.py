"""A program over a table: one row in, one row out, in bounded memory."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autodiff.batch.compile import INPUT, Compiled
from autodiff.errors import DATA, HARD_POINT, AutodiffError, quoted, shortened
from autodiff.tables.columns import bad_cell, column_of, missing, program_names, row_fault
from autodiff.tables.optional import library
from autodiff.tables.text import Chunk, Statuses, Table


@dataclass(slots=True)
class Count:
    """What a run met: how many rows, how many of each status that is not "ok", the line of the first of them, and what is
    wrong with the first row that has no cell for each column."""

    rows: int = 0
    hard: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)
    unit: str = "line"
    fault: str = ""

    def add(self, chunk: Chunk, status: Statuses, columns: Sequence[str]) -> None:
        """Count the first rows of a chunk, which have these statuses; `columns` are the ones that inputs are read from."""
        self.rows += len(status)
        self.hard.update(status.hard.values())
        for row, met in sorted(status.hard.items()):
            if met == INPUT and met not in self.first and row not in chunk.faults:
                cell = bad_cell(chunk, row, columns)
                if cell and not cell.is_empty:  # an empty cell is seen without being told
                    self.fault = f"{self.unit} {chunk.lines[row]}, column {quoted(cell.column)}: {cell}"
            self.first.setdefault(met, chunk.lines[row])
        if not self.fault and (faults := [row for row in chunk.faults if row < len(status)]):
            self.fault = f"{self.unit} {chunk.lines[faults[0]]}: {chunk.faults[faults[0]]}"

    def __str__(self) -> str:
        parts = (f"{n} {status} (first in {self.unit} {self.first[status]})" for status, n in self.hard.most_common())
        fault = f"; {self.fault}" if self.fault else ""
        return f"{sum(self.hard.values())} of {self.rows} rows are not ok: {', '.join(parts)}{fault}"


def columns_of(table: Table, inputs: Sequence[str], fixed: Mapping[str, Any]) -> dict[str, str]:
    """Which column of the table each of the `inputs` is read from, the `fixed` ones left out.

    Raises AutodiffError for an input without a column or with two values.
    """
    known = program_names(table)
    both = [name for name in fixed if name in known]
    if both:
        raise AutodiffError(f"{quoted(both[0])} has a column and a value by --at", hint="give one of them")
    inputs = [name for name in inputs if name not in fixed]
    lacking = [name for name in inputs if name not in known]
    if lacking and table.names:
        otherwise = f"or give the value for all rows: --at {shortened(lacking[0])}=VALUE"
        raise missing(table, lacking[0], otherwise)
    return {name: column_of(table, known, name) for name in inputs if name in known}


def results(
    table: Table,
    compiled: Compiled,
    fixed: Mapping[str, float],
    count: Count,
    *,
    keep: bool = False,
    fail_fast: bool = False,
) -> Iterator[dict[str, Sequence[Any]]]:
    """The rows' answers, chunk by chunk, as columns: value and slopes (arrays, NaN for none), status; with `keep` behind
    the table's own.

    Raises AutodiffError where the table can't be read on and, with `fail_fast`, at the first row that is not ok; the
    rows before it are handed out first.
    """
    of = columns_of(table, compiled.lowered.inputs, fixed)
    count.unit = table.unit
    names = [compiled.lowered.name, *(f"d{compiled.lowered.name}/d{name}" for name in compiled.sources), "status"]
    if compiled.lowered.name == names[-1]:
        raise AutodiffError("the result and its status would be one column", hint="call the result something else")
    if keep:
        require_free(table, names)
    shown = [*(table.names if keep else ()), *names]
    for chunk in table.chunks(table.names if keep else list(dict.fromkeys(of.values()))):
        numbers, status = _answers(chunk, compiled, of, fixed)
        stop = min(status.hard, default=len(status)) if fail_fast else len(status)
        if stop < len(status):
            numbers, status = [column[:stop] for column in numbers], status.before(stop)
        count.add(chunk, status, list(of.values()))
        kept = [chunk.cells[name][:stop] for name in table.names] if keep else []
        yield dict(zip(shown, [*kept, *numbers, status], strict=True))
        if stop < len(chunk.lines):
            raise _stopped(table, chunk, stop, compiled, of, fixed)
    if not count.rows:
        yield {name: array("d") if name in names[:-1] else () for name in shown}


def require_free(table: Table, names: Sequence[str]) -> None:
    """Raise AutodiffError where a column of the table, which is passed through, has the name of a result."""
    if taken := [name for name in table.names if name in names]:
        raise AutodiffError(
            f"{shortened(table.name, 200)}, line 1: column {quoted(taken[0])} is what a result is called",
            exit_status=DATA,
            hint="rename it, or the result: y = …",
        )


def _answers(
    chunk: Chunk, compiled: Compiled, of: Mapping[str, str], fixed: Mapping[str, float]
) -> tuple[list[Any], Statuses]:
    """The columns of the results, arrays with NaN for none, and the statuses."""
    np = library("numpy", "--data")
    rows = len(chunk.lines)
    given = {name: np.asarray(chunk.read(chunk.cells[column]), float) for name, column in of.items()}
    batch = compiled.batch(**given, **{name: fixed[name] for name in compiled.lowered.inputs if name in fixed})
    hard = batch.hard if given else dict.fromkeys(range(rows), batch.hard[0]) if batch.hard else {}
    columns = [np.broadcast_to(column, rows) for column in (batch.value, *batch.gradient.values())]
    if chunk.faults:
        hard = {**hard, **dict.fromkeys(chunk.faults, INPUT)}
        columns = [_without(column, list(chunk.faults)) for column in columns]
    return columns, Statuses(rows, hard)


def _without(column: Any, places: Sequence[int]) -> Any:
    """A copy of the column with no number at these places."""
    copy = column.astype(float)
    copy[places] = math.nan
    return copy


def _stopped(
    table: Table, chunk: Chunk, row: int, compiled: Compiled, of: Mapping[str, str], fixed: Mapping[str, float]
) -> AutodiffError:
    if row in chunk.faults or bad_cell(chunk, row, list(of.values())):
        return row_fault(table, chunk, row, list(of.values()))
    point = {name: float(chunk.read(chunk.cells[column][row : row + 1])[0]) for name, column in of.items()}
    answer = compiled.answer({name: point[name] if name in point else fixed[name] for name in compiled.lowered.inputs})
    assert answer.status != INPUT
    place = f"{shortened(table.name, 200)}, {table.unit} {chunk.lines[row]}"
    return AutodiffError(f"{place}: {answer.why}", exit_status=HARD_POINT, span=answer.span, source=answer.source)
