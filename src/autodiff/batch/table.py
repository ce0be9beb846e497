"""A program over a table: one row in, one row out, in bounded memory."""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from autodiff import diagnostics
from autodiff.batch.compile import INPUT, Compiled
from autodiff.errors import DATA, HARD_POINT, AutodiffError, nearest, normalised, quoted, shortened
from autodiff.tables.optional import library
from autodiff.tables.text import Chunk, Statuses, Table, Written

FORMATS = {
    "csv": "csv", "tsv": "tsv", "tab": "tsv", "ndjson": "ndjson", "jsonl": "ndjson",
    "parquet": "parquet", "arrow": "arrow", "feather": "arrow", "arrows": "arrow",
}  # fmt: skip
"""The format of a file by its extension."""


def format_of(path: str, option: str) -> str:
    """The format that a file's name tells. Raises AutodiffError naming the option where it tells none."""
    extension = PurePath(path).suffix.removeprefix(".").lower()
    if extension not in FORMATS:
        known = ", ".join(sorted(set(FORMATS.values())))
        raise AutodiffError(f"{quoted(path, 200)} does not tell its format", hint=f"add {option} with one of {known}")
    return FORMATS[extension]


@dataclass(slots=True)
class Count:
    """What a run met: how many rows, how many of each status that is not "ok", the line of the first of them, and what is
    wrong with the first row that has no cell for each column."""

    rows: int = 0
    hard: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)
    unit: str = "line"
    fault: str = ""

    def __str__(self) -> str:
        parts = (f"{n} {status} (first in {self.unit} {self.first[status]})" for status, n in self.hard.most_common())
        fault = f"; {self.fault}" if self.fault else ""
        return f"{sum(self.hard.values())} of {self.rows} rows are not ok: {', '.join(parts)}{fault}"


def columns_of(table: Table, compiled: Compiled, fixed: Mapping[str, float]) -> dict[str, str]:
    """Which column of the table each input is read from, the `fixed` ones left out.

    Raises AutodiffError for an input without a column or with two values.
    """
    from autodiff.tables.csv_columns import identifier  # loads NumPy

    alike: dict[str, list[str]] = {}
    for name in table.names:
        alike.setdefault(identifier(name), []).append(name)
    exact = {normalised(name.strip()): name for name in table.names}
    found = {name: names[0] for name, names in alike.items()} | exact
    both = [name for name in fixed if name in found]
    if both:
        raise AutodiffError(f"{quoted(both[0])} has a column and a value by --at", hint="give one of them")
    inputs = compiled.lowered.inputs
    for name in inputs:
        if name not in exact and len(names := alike.get(name, [])) > 1:
            raise AutodiffError(
                f"{shortened(table.name, 200)}, line 1: {diagnostics.listed(names)} are both called {quoted(name)} in a program",
                exit_status=DATA,
                hint="rename one of them",
            )
    missing = [name for name in inputs if name not in found and name not in fixed]
    if missing and table.names:
        near = nearest(missing[0], found)
        has = f"did you mean {quoted(near)}?" if near else f"its columns are {diagnostics.listed(list(table.names))}"
        has = _other_separator(table.names) or has
        raise AutodiffError(
            f"{shortened(table.name, 200)}, line 1: no column {quoted(missing[0])}, which the program needs",
            exit_status=DATA,
            hint=f"{has}; or give the value for all rows: --at {shortened(missing[0])}=VALUE",
        )
    return {name: found[name] for name in inputs if name in found}


def _other_separator(names: Sequence[str]) -> str:
    """The next step where the header was not parted, because it has another character between its names."""
    if len(names) != 1:
        return ""
    if "\t" in names[0]:
        return "its names have tabs between them: add --from tsv"
    return "its names have ';' between them: write ',' between cells and '.' in numbers" if ";" in names[0] else ""


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
    of = columns_of(table, compiled, fixed)
    count.unit = table.unit
    names = [compiled.lowered.name, *(f"d{compiled.lowered.name}/d{name}" for name in compiled.sources), "status"]
    if compiled.lowered.name == names[-1]:
        raise AutodiffError("the result and its status would be one column", hint="call the result something else")
    if keep and (taken := [name for name in table.names if name in names]):
        raise AutodiffError(
            f"{shortened(table.name, 200)}, line 1: column {quoted(taken[0])} is what a result is called",
            exit_status=DATA,
            hint="rename it, or the result: y = …",
        )
    shown = [*(table.names if keep else ()), *names]
    for chunk in table.chunks(table.names if keep else list(dict.fromkeys(of.values()))):
        numbers, status = _answers(chunk, compiled, of, fixed)
        stop = min(status.hard, default=len(status)) if fail_fast else len(status)
        if stop < len(status):
            numbers, status = [column[:stop] for column in numbers], status.before(stop)
        _counted(count, chunk, status, of)
        kept = [chunk.cells[name][:stop] for name in table.names] if keep else []
        yield dict(zip(shown, [*kept, *numbers, status], strict=True))
        if stop < len(chunk.lines):
            raise _stopped(table, chunk, stop, compiled, of, fixed)
    if not count.rows:
        yield {name: array("d") if name in names[:-1] else () for name in shown}


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
    found = column.astype(float)
    found[places] = math.nan
    return found


def _counted(count: Count, chunk: Chunk, status: Statuses, of: Mapping[str, str]) -> None:
    count.rows += len(status)
    count.hard.update(status.hard.values())
    for row, each in sorted(status.hard.items()):
        if each == INPUT and each not in count.first and row not in chunk.faults:
            column, text = _unread(chunk, row, of)
            if text:  # an empty cell is seen without being told
                count.fault = f"{count.unit} {chunk.lines[row]}, column {quoted(column)}: {_no_number(text)}"
        count.first.setdefault(each, chunk.lines[row])
    if not count.fault and (met := [row for row in chunk.faults if row < len(status)]):
        count.fault = f"{count.unit} {chunk.lines[met[0]]}: {chunk.faults[met[0]]}"


def _unread(chunk: Chunk, row: int, of: Mapping[str, str]) -> tuple[str, str]:
    """The first column whose cell in this row is no finite number, and the cell's text; two empty texts for none."""
    for column in of.values():
        cells = chunk.cells[column][row : row + 1]
        if not math.isfinite(float(chunk.read(cells)[0])):
            cell = cells[0].value if isinstance(cells[0], Written) else cells[0]
            return column, "" if str(cell) == "None" else str(cell)
    return "", ""


def _no_number(text: str) -> str:
    point = "; a decimal point is '.'" if re.fullmatch(r"\s*[+-]?\d+,\d+\s*", text) else ""
    return f"{quoted(text) if text else 'an empty cell'} is no finite number{point}"


def _stopped(
    table: Table, chunk: Chunk, row: int, compiled: Compiled, of: Mapping[str, str], fixed: Mapping[str, float]
) -> AutodiffError:
    place = f"{shortened(table.name, 200)}, {table.unit} {chunk.lines[row]}"
    if row in chunk.faults:
        return AutodiffError(f"{place}: {chunk.faults[row]}", exit_status=DATA)
    column, text = _unread(chunk, row, of)
    if column:
        return AutodiffError(f"{place}, column {quoted(column)}: {_no_number(text)}", exit_status=DATA)
    point = {name: float(chunk.read(chunk.cells[column][row : row + 1])[0]) for name, column in of.items()}
    answer = compiled.answer({name: point[name] if name in point else fixed[name] for name in compiled.lowered.inputs})
    assert answer.status != INPUT
    return AutodiffError(f"{place}: {answer.why}", exit_status=HARD_POINT, span=answer.span, source=answer.source)
