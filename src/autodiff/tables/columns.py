"""The columns of a table that a program uses: which they are by their names, and their numbers in memory.

>>> import io
>>> from autodiff.tables import csv_blocks
>>> table = csv_blocks.table(io.BytesIO(b"width (cm),y\\n1,2\\n3,4\\n"), "points.csv")
>>> loaded = numbers_of(table, lambda names: ["width_cm", "y"])
>>> {name: column.tolist() for name, column in loaded.columns.items()}, list(loaded.lines)
({'width_cm': [1.0, 3.0], 'y': [2.0, 4.0]}, [2, 3])
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from autodiff import diagnostics
from autodiff.errors import DATA, AutodiffError, nearest, normalised, quoted, shortened
from autodiff.tables.inputs import InputFile, each_table, input_files
from autodiff.tables.optional_imports import library
from autodiff.tables.text import Chunk, Table, Written

Column = Any
"""An array of NumPy's, which is loaded only where one is made."""


@dataclass(frozen=True, slots=True)
class NumericTable:
    """Columns of equally many finite numbers; `lines[i]` is where row i is in its file, in lines or in rows (`unit`).

    Where the rows are those of several files, `files` has for each of them the row that it begins with, its name and unit.
    """

    name: str
    columns: Mapping[str, Column]
    lines: Sequence[int]
    unit: str = "line"
    files: Sequence[tuple[int, str, str]] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def place(self, row: int) -> str:
        """Where a row is: `row 5, line 6 of points.csv`."""
        files = self.files or [(0, self.name, self.unit)]
        first, name, unit = files[bisect(files, row, key=lambda file: file[0]) - 1]
        line = f", line {self.lines[row]}" if unit == "line" else ""
        return f"row {row - first + 1}{line} of {shortened(name)}"


Choose = Callable[[Collection[str]], Sequence[str]]
"""Which columns to read, from the names that a program may use."""


def load(
    files: str | Sequence[InputFile],
    choose: Choose,
    otherwise: Callable[[str], str] = lambda _: "",
    form: str | None = None,
) -> NumericTable:
    """The chosen columns of a file, or of stdin for `-`, or of several files, one behind the other.

    `otherwise` gives another next step where a column is missing. Raises AutodiffError (exit status 4) for the first row that
    lacks a cell or has one that is no finite number, for files whose columns differ, and where there is no row.
    """
    files = input_files([files], form) if isinstance(files, str) else files
    with closing(each_table(files, form)) as opened:
        tables = [numbers_of(table, choose, otherwise) for table in opened]
    if not any(map(len, tables)):
        raise AutodiffError(
            f"{shortened(tables[0].name, 200)}: there are no rows",
            exit_status=DATA,
            hint="add at least one row of numbers",
        )
    return tables[0] if len(tables) == 1 else _joined(tables)


def _joined(tables: Sequence[NumericTable]) -> NumericTable:
    """The rows of all tables, one behind the other."""
    np = library("numpy", "--data")
    starts = [0, *accumulate(map(len, tables))]
    files = [(start, table.name, table.unit) for start, table in zip(starts, tables, strict=False)]
    columns = {name: np.concatenate([table.columns[name] for table in tables]) for name in tables[0].columns}
    lines = np.concatenate([np.asarray(table.lines, int) for table in tables])
    return NumericTable(f"{len(tables)} files", columns, lines, tables[0].unit, files)


def numbers_of(table: Table, choose: Choose, otherwise: Callable[[str], str] = lambda _: "") -> NumericTable:
    """The chosen columns of a table, read to its end."""
    np = library("numpy", "--data")
    known = program_names(table.names)
    wanted = choose(known)
    for name in wanted:
        if name not in known:
            raise missing(table, name, otherwise(name))
    of = {name: column_of(table, known, name) for name in wanted}
    parts: dict[str, list[Column]] = {column: [np.empty(0)] for column in of.values()}
    places: list[Sequence[int]] = []
    for chunk in table.chunks(list(parts)):
        numbers = {column: np.asarray(chunk.read(chunk.cells[column]), float) for column in parts}
        finite = np.ones(len(chunk.lines), bool)
        for column in numbers.values():
            finite &= np.isfinite(column)
        finite[list(chunk.faults)] = False
        if not finite.all():
            raise row_fault(table, chunk, int(np.argmin(finite)), list(parts))
        places.append(chunk.lines)
        for column, part in numbers.items():
            parts[column].append(part)
    whole = {column: np.concatenate(parts.pop(column)) for column in list(parts)}  # one at a time, to save memory
    return NumericTable(
        table.name, {name: whole[column] for name, column in of.items()}, _lines(np, places), table.unit
    )


def _lines(np: Any, places: Sequence[Sequence[int]]) -> Sequence[int]:
    if not places:
        return range(0)
    first, last = places[0][0], places[-1][-1]
    if last - first + 1 == sum(map(len, places)):
        return range(first, last + 1)
    return np.concatenate(places).tolist()  # type: ignore[no-any-return]


def program_names(columns: Sequence[str]) -> dict[str, list[str]]:
    """The names that a program may use, each with its columns: the name itself, or what `identifier` makes of it."""
    known: dict[str, list[str]] = {}
    for column in columns:
        known.setdefault(identifier(column), []).append(column)
    known.pop("", None)
    return known | {normalised(column.strip()): [column] for column in columns if column.strip()}


def column_of(table: Table, known: Mapping[str, Sequence[str]], name: str) -> str:
    """The column of this name. Raises AutodiffError where it is the name of two."""
    if len(known[name]) > 1:
        raise AutodiffError(
            f"{_header(table)}: {diagnostics.listed(known[name])} are both called {quoted(name)} in a program",
            exit_status=DATA,
            hint="rename one of them",
        )
    return known[name][0]


def identifier(header: str) -> str:
    """A column's header as a name of the language; "" where nothing of it can be one."""
    name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", header)).strip("_")
    return name if not name or name.isidentifier() else f"_{name}"


def missing(table: Table, name: str, otherwise: str = "") -> AutodiffError:
    """The error for a column that a program needs and the table lacks; `otherwise` is a next step beside other names."""
    near, names = nearest(name, program_names(table.names)), list(table.names)
    advice = f"did you mean {quoted(near)}?" if near else f"its columns are {diagnostics.listed(names)}"
    if names[0].lstrip().startswith("{"):
        advice = "this looks like JSON: add --from ndjson"
    elif all(map(_is_number, names)):
        advice = f"the first line must name the columns, and it is numbers: {diagnostics.listed(names)}"
    return AutodiffError(
        f"{_header(table)}: no column {quoted(name)}, which the program needs",
        exit_status=DATA,
        hint=f"{advice}; {otherwise}" if otherwise else advice,
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _header(table: Table) -> str:
    return f"{shortened(table.name, 200)}{', line 1' if table.unit == 'line' else ''}"


def row_fault(table: Table, chunk: Chunk, row: int, columns: Sequence[str]) -> AutodiffError:
    """The error for a row of a chunk that lacks a cell, or has one that is no finite number."""
    place = f"{shortened(table.name, 200)}, {table.unit} {chunk.lines[row]}"
    if row in chunk.faults:
        return AutodiffError(f"{place}: {chunk.faults[row]}", exit_status=DATA)
    cell = bad_cell(chunk, row, columns)
    assert cell is not None
    return AutodiffError(f"{place}, column {quoted(cell.column)}: {cell}", exit_status=DATA)


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell that is no finite number: its column and its text. As a text: what is wrong with it."""

    column: str
    text: str

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not self.text

    def __str__(self) -> str:
        point = "; a decimal point is '.'" if re.fullmatch(r"\s*[+-]?\d+,\d+\s*", self.text) else ""
        return f"{quoted(self.text) if self.text else 'an empty cell'} is no finite number{point}"


def bad_cell(chunk: Chunk, row: int, columns: Sequence[str]) -> BadCell | None:
    """The first of the columns' cells in this row that is no finite number; None where all are."""
    for column in columns:
        cells = chunk.cells[column][row : row + 1]
        if not math.isfinite(float(chunk.read(cells)[0])):
            cell = cells[0].value if isinstance(cells[0], Written) else cells[0]
            return BadCell(column, "" if str(cell) == "None" else str(cell))
    return None
