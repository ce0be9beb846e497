"""A program over a table: one row in, one row out, in bounded memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autodiff.batch.compile import INPUT, Compiled
from autodiff.errors import HARD_POINT, AutodiffError, data_error, quoted, shortened
from autodiff.libraries import library
from autodiff.tables.cells import bad_cell
from autodiff.tables.columns import column_of, missing, program_names, row_fault
from autodiff.tables.text import Chunk, Statuses, Table


@dataclass(slots=True)
class Count:
    """The rows of a run: how many there are, how many of each status that is not "ok", where the first of them is, and what is
    wrong with the first row that has no cell for each column.

    named  places have the file's name, since there are several files
    """

    named: bool = False
    rows: int = 0
    hard: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    def __str__(self) -> str:
        parts = (f"{n} {status} (first in {self.first[status]})" for status, n in self.hard.most_common())
        fault = f"; {self.fault}" if self.fault else ""
        return f"{sum(self.hard.values())} of {self.rows} rows are not ok: {', '.join(parts)}{fault}"

    @property
    def statuses(self) -> dict[str, int]:
        """How many rows have each status."""
        return {"ok": self.rows - sum(self.hard.values()), **dict(self.hard.most_common())}

    def merge(self, other: Count) -> None:
        """Count the rows of another run, which come behind these."""
        self.rows += other.rows
        self.hard.update(other.hard)
        self.first = {**other.first, **self.first}
        self.fault = self.fault or other.fault

    def add(self, table: Table, chunk: Chunk, status: Statuses, columns: Sequence[str]) -> None:
        """Count the first rows of a chunk, which have these statuses; `columns` are the ones that inputs are read from."""
        self.rows += len(status)
        self.hard.update(status.hard.values())
        file = f" of {shortened(table.name, 200)}" if self.named else ""
        for row, name in sorted(status.hard.items()):
            place = f"{table.unit} {chunk.lines[row]}{file}"
            if name == INPUT and name not in self.first and row not in chunk.faults:
                cell = bad_cell(chunk, row, columns)
                if cell and not cell.is_empty:  # an empty cell needs no message
                    self.fault = f"{place}, column {quoted(cell.column)}: {cell}"
            self.first.setdefault(name, place)
        if not self.fault and (faulty := [row for row in chunk.faults if row < len(status)]):
            self.fault = f"{table.unit} {chunk.lines[faulty[0]]}{file}: {chunk.faults[faulty[0]]}"


def columns_of(table: Table, inputs: Sequence[str], fixed: Mapping[str, Any]) -> dict[str, str]:
    """Which column of the table each of the `inputs` is read from, the `fixed` ones left out.

    Raises AutodiffError for an input without a column or with two values.
    """
    known = program_names(table.names)
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
    kept: Sequence[str] = (),
    fail_fast: bool = False,
) -> Iterator[dict[str, Sequence[Any]]]:
    """The rows' answers, chunk by chunk, as columns: value and slopes (arrays, NaN for none), status; behind
    the table's own columns `kept`.

    Raises AutodiffError where the table can't be read on and, with `fail_fast`, at the first row that is not ok; the
    rows before it are handed out first.
    """
    of = columns_of(table, compiled.lowered.inputs, fixed)
    names = [compiled.lowered.name, *(f"d{compiled.lowered.name}/d{name}" for name in compiled.sources), "status"]
    if compiled.lowered.name == names[-1]:
        raise AutodiffError("the result and its status would be one column", hint="call the result something else")
    require_free(table.name, kept, names)
    np, shown, rows = library("numpy", "--data"), [*kept, *names], 0
    for chunk in table.chunks(list(dict.fromkeys([*kept, *of.values()]))):
        numbers, status = _answers(chunk, compiled, of, fixed)
        stop = min(status.hard, default=len(status)) if fail_fast else len(status)
        if stop < len(status):
            numbers, status = [column[:stop] for column in numbers], status.before(stop)
        count.add(table, chunk, status, list(of.values()))
        cells = [chunk.cells[name][:stop] for name in kept]
        rows += stop
        yield dict(zip(shown, [*cells, *numbers, status], strict=True))
        if stop < len(chunk.lines):
            raise _stopped(table, chunk, stop, compiled, of, fixed)
    if not rows:
        yield {name: np.empty(0) if name in names[:-1] else () for name in shown}


def filled(chunks: Iterable[Mapping[str, Sequence[Any]]]) -> Iterator[Mapping[str, Sequence[Any]]]:
    """The chunks that have rows; where none has, the first one, which names the columns."""
    first, rows = None, 0
    for columns in chunks:
        first = first or columns
        if len(columns["status"]):
            rows += len(columns["status"])
            yield columns
    if not rows and first is not None:
        yield first


def require_free(table: str, kept: Sequence[str], names: Sequence[str]) -> None:
    """Raise AutodiffError where a column `kept` of the table, which is passed through, has the name of a result."""
    if taken := [name for name in kept if name in names]:
        raise data_error(
            f"{shortened(table, 200)}, line 1: column {quoted(taken[0])} is what a result is called",
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
