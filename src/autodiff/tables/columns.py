"""The columns of a table that a program uses: which they are by their names, and their numbers in memory.

>>> import io
>>> from autodiff.tables.text import delimited
>>> table = delimited(io.StringIO("width (cm),y\\n1,2\\n3,4\\n"), "points.csv", ",")
>>> loaded = numbers_of(table, lambda names: ["width_cm", "y"])
>>> {name: column.tolist() for name, column in loaded.columns.items()}, list(loaded.lines)
({'width_cm': [1.0, 3.0], 'y': [2.0, 4.0]}, [2, 3])
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autodiff import diagnostics
from autodiff.errors import DATA, AutodiffError, nearest, normalised, quoted, shortened
from autodiff.tables.optional import library
from autodiff.tables.reader import opened
from autodiff.tables.text import Chunk, Table, Written

Column = Any
"""An array of NumPy's, which is loaded only where one is made."""


@dataclass(frozen=True, slots=True)
class NumericTable:
    """Columns of equally many finite numbers; `lines[i]` is where row i is in the file, in lines or in rows (`unit`)."""

    name: str
    columns: Mapping[str, Column]
    lines: Sequence[int]
    unit: str = "line"

    def __len__(self) -> int:
        return len(self.lines)


Choose = Callable[[Collection[str]], Sequence[str]]
"""Which columns to read, from the names that a program may use."""


def load(
    path: str, choose: Choose, otherwise: Callable[[str], str] = lambda _: "", form: str | None = None
) -> NumericTable:
    """The chosen columns of a file, or of stdin for `-`; `otherwise` gives another next step where one is missing.

    Raises AutodiffError (exit status 4) for the first row that lacks a cell, or has one that is no finite number.
    """
    with opened(path, form) as table:
        return numbers_of(table, choose, otherwise)


def numbers_of(table: Table, choose: Choose, otherwise: Callable[[str], str] = lambda _: "") -> NumericTable:
    """The chosen columns of a table, read to its end."""
    np = library("numpy", "--data")
    known = program_names(table)
    wanted = choose(known)
    for name in wanted:
        if name not in known:
            raise missing(table, name, otherwise(name))
    of = {name: column_of(table, known, name) for name in wanted}
    parts: dict[str, list[Column]] = {column: [] for column in of.values()}
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
    if not places:
        raise AutodiffError(
            f"{shortened(table.name, 200)}: there are no rows", exit_status=DATA, hint="add at least one row of numbers"
        )
    whole = {column: np.concatenate(parts.pop(column)) for column in list(parts)}  # one at a time, to save memory
    return NumericTable(
        table.name, {name: whole[column] for name, column in of.items()}, _joined(np, places), table.unit
    )


def _joined(np: Any, places: Sequence[Sequence[int]]) -> Sequence[int]:
    first, last = places[0][0], places[-1][-1]
    count = sum(map(len, places))
    if last - first + 1 == count:
        return range(first, last + 1)
    return np.concatenate(places).tolist()  # type: ignore[no-any-return]


def program_names(table: Table) -> dict[str, list[str]]:
    """The names that a program may use, each with its columns: the name itself, or what `identifier` makes of it."""
    known: dict[str, list[str]] = {}
    for column in table.names:
        known.setdefault(identifier(column), []).append(column)
    known.pop("", None)
    return known | {normalised(column.strip()): [column] for column in table.names if column.strip()}


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
    near = nearest(name, program_names(table))
    advice = f"did you mean {quoted(near)}?" if near else f"its columns are {diagnostics.listed(list(table.names))}"
    return AutodiffError(
        f"{_header(table)}: no column {quoted(name)}, which the program needs",
        exit_status=DATA,
        hint=f"{advice}; {otherwise}" if otherwise else advice,
    )


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
