"""The columns of tables that a program uses: which they are by their names, and their rows in memory as numbers.

>>> import io
>>> from autodiff.tables import csv_blocks
>>> table = csv_blocks.table(io.BytesIO(b"width (cm),kind\\n1,b\\n,a\\n3,a\\n"), "points.csv")
>>> loaded, codes = rows_of([table], lambda names: ["width_cm", "kind"], missing="drop")
>>> {name: column.tolist() for name, column in loaded.columns.items()}, codes, loaded.place(1)
({'width_cm': [1.0, 3.0], 'kind': [1.0, 0.0]}, {'kind': ['a', 'b']}, 'row 2, line 4 of points.csv')
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal

from autodiff import diagnostics
from autodiff.errors import AutodiffError, data_error, did_you_mean, normalised, quoted, shortened
from autodiff.language.exact_float import is_number
from autodiff.libraries import library
from autodiff.tables.cells import MISSING, BadCell, bad_cell, is_class
from autodiff.tables.inputs import InputFile, each_table, input_files
from autodiff.tables.text import Chunk, Table, text_of

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

Missing = Literal["error", "drop", "mean"]

NEW_TEXT = "{} is no text that the training had"

MOST_CODES = 100_000
"""Different texts of a column: more are rather names than classes."""


def load(
    files: str | Sequence[InputFile],
    choose: Choose,
    otherwise: Callable[[str], str] = lambda _: "",
    form: str | None = None,
) -> NumericTable:
    """The chosen columns of a file, or of stdin for `-`, or of several files, one behind the other, which hold numbers alone."""
    files = input_files([files], form) if isinstance(files, str) else files
    with closing(each_table(files, form)) as tables:
        return rows_of(tables, choose, otherwise, texts=False)[0]


def rows_of(
    tables: Iterable[Table],
    choose: Choose,
    otherwise: Callable[[str], str] = lambda _: "",
    missing: Missing = "error",
    *,
    texts: bool = True,
    empty: bool = False,
    known: Mapping[str, Sequence[str]] | None = None,
) -> tuple[NumericTable, dict[str, list[str]]]:
    """The chosen columns of tables, one behind the other, and the texts of each column of texts, sorted: the place of a text
    is its code.

    otherwise  another next step where a column is missing
    missing    what to do about a missing cell: with "drop" its row is left out, with "mean" the cell is NaN
    texts      whether a column may be one of texts: none of its cells is a number, or looks like one
    empty      whether there may be no row
    known      the texts of columns that have their codes already: no other ones may come

    Raises AutodiffError (exit status 4) for the first row that lacks a cell, or has one of another kind than its column.
    """
    np = library("numpy", "--data")
    columns: dict[str, _ColumnReader] = {}
    places, files, count = list[Sequence[int]](), list[tuple[int, str, str]](), 0
    for table in tables:
        if not files:
            columns = {
                name: _ColumnReader(column, missing, np.empty(0), texts, tuple((known or {}).get(name, ())))
                for name, column in chosen(table, choose, otherwise).items()
            }
        files.append((count, table.name, table.unit))
        by_column = {column.name: column for column in columns.values()}
        for chunk in table.chunks(list(by_column)):
            places.append(_add_chunk(np, table, chunk, by_column, count, drop=missing == "drop"))
            count += len(places[-1])
    name = files[0][1] if len(files) == 1 else f"{len(files)} files"
    if not count and not empty:
        raise data_error(
            f"{shortened(name, 200)}: there are no rows" + (" without a missing cell" if places else ""),
            hint="add at least one row of numbers",
        )
    whole, codes = dict[str, Column](), dict[str, list[str]]()
    for key, reader in columns.items():
        whole[key], sorted_texts = reader.finished(np, name, count)
        codes |= {key: sorted_texts} if sorted_texts else {}
    several = files if len(files) > 1 else ()
    return NumericTable(name, whole, _lines(np, places, several), files[0][2], several), codes


def chosen(table: Table, choose: Choose, otherwise: Callable[[str], str]) -> dict[str, str]:
    """The column of the table that each chosen name is read from. Raises AutodiffError for a missing one."""
    known = program_names(table.names)
    wanted = choose(known)
    for name in wanted:
        if name not in known:
            raise missing(table, name, otherwise(name))
    return {name: column_of(table, known, name) for name in wanted}


def _add_chunk(
    np: Any, table: Table, chunk: Chunk, columns: Mapping[str, _ColumnReader], before: int, *, drop: bool
) -> Sequence[int]:
    """Put the cells of a chunk into their columns, behind the rows `before`; the lines of its rows that count.

    Raises the first fault.
    """
    present, added = np.ones(len(chunk.lines), bool), list[Column]()
    faults = [(row, row_fault(table, chunk, row, list(columns))) for row in sorted(chunk.faults)[:1]]
    for column in columns.values():
        numbers, fault = column.read(np, table, chunk, present)
        added.append(numbers)
        faults += [fault] if fault is not None else []
    if faults:
        raise min(faults, key=lambda fault: fault[0])[1]
    dropped = drop and not present.all()
    lines = np.asarray(chunk.lines)[present] if dropped else chunk.lines
    if not len(lines):
        return lines
    needed = before + len(lines)
    share = table.share(needed)
    for column, numbers in zip(columns.values(), added, strict=True):
        if len(column.numbers) < needed:
            column.numbers = _longer(np, column.numbers[:before], needed, share)
        column.numbers[before:needed] = numbers[present] if dropped else numbers
    return lines


def _longer(np: Any, numbers: Column, needed: int, share: float | None) -> Column:
    """The numbers in an array for all rows of a file of which `needed` are a `share`; its empty end takes no memory yet."""
    longer = np.empty(int(min(max(1.5, 1.05 / (share or 1.0)), 8) * needed))
    longer[: len(numbers)] = numbers
    return longer


def _lines(np: Any, places: Sequence[Sequence[int]], several: Sequence[Any]) -> Sequence[int]:
    """The lines of all rows: a range where they are those of one file without a gap."""
    places = [lines for lines in places if len(lines)]
    if not places:
        return range(0)
    first, last = int(places[0][0]), int(places[-1][-1])
    if not several and last - first + 1 == sum(map(len, places)):
        return range(first, last + 1)
    return np.concatenate([np.asarray(lines) for lines in places])  # type: ignore[no-any-return]


@dataclass(slots=True)
class _ColumnReader:
    """What is known of a column while it is read; `codes` numbers its texts in the order in which they come, or as `known`."""

    name: str
    missing: Missing
    numbers: Column
    texts: bool
    known: tuple[str, ...]
    codes: dict[str, int] = field(default_factory=dict)
    first_text: tuple[int, str] | None = None
    first_number: int | None = None

    def read(
        self, np: Any, table: Table, chunk: Chunk, present: Any
    ) -> tuple[Column, tuple[int, AutodiffError] | None]:
        """The cells of a chunk as numbers, and the first fault of them; clears `present` where a cell is missing."""
        numbers = np.asarray(chunk.read(chunk.cells[self.name]), float)
        finite = np.isfinite(numbers)
        if finite.all() and not self.first_text:
            if self.first_number is None and len(numbers):
                self.first_number = chunk.lines[0]
            return numbers, None
        if self.first_number is None and finite.any():
            self.first_number = chunk.lines[int(finite.argmax())]
        numbers = numbers.copy()
        return numbers, self._not_finite(table, chunk, numbers, present, np.flatnonzero(~finite).tolist())

    def _not_finite(
        self, table: Table, chunk: Chunk, numbers: Column, present: Any, lacking: list[int]
    ) -> tuple[int, AutodiffError] | None:
        """Put NaN and codes into `numbers` for the cells of the rows `lacking`, which hold no number; or the first fault."""
        if lacking and not self.texts:
            return lacking[0], row_fault(table, chunk, lacking[0], [self.name])
        texts = {row: text_of(chunk.cells[self.name][row]) for row in lacking}
        absent = [row for row, text in texts.items() if text in MISSING and (self.missing != "error" or not text)]
        if absent and self.missing == "error":
            return absent[0], self._fault(table, chunk.lines[absent[0]], texts[absent[0]])
        present[absent] = False
        numbers[absent] = math.nan
        for row, text in [(row, texts[row]) for row in sorted({*texts} - {*absent})]:
            self.first_text = self.first_text or (chunk.lines[row], text)
            if text not in self.codes and not is_class(text, chunk.cells[self.name][row]):
                return row, self._fault(table, chunk.lines[row], text)
            if self.first_number is not None:
                return row, self._fault(table, *self.first_text)
            if len(self.codes) > MOST_CODES or (self.known and text not in self.known):
                return row, self._fault(table, chunk.lines[row], text)
            numbers[row] = self.codes.setdefault(text, len(self.codes))
        if self.first_text and self.first_number is not None:
            return 0, self._fault(table, *self.first_text)
        return None

    def finished(self, np: Any, table: str, rows: int) -> tuple[Column, list[str]]:
        """The column's numbers, and its texts in the order of their codes."""
        values = np.asarray(self.numbers, float)[:rows]
        if not self.codes:
            return values, []
        if np.isnan(values).any():
            raise data_error(
                f"{shortened(table, 200)}, column {quoted(self.name)}: a cell is missing, and texts have no mean",
                hint="--missing drop leaves such rows out",
            )
        order = {text: k for k, text in enumerate(self.known or sorted(self.codes))}
        return np.array([float(order[text]) for text in self.codes])[values.astype(int)], list(order)

    def _fault(self, table: Table, line: int, text: str) -> AutodiffError:
        place = f"{shortened(table.name, 200)}, {table.unit} {line}, column {quoted(self.name)}"
        if len(self.codes) > MOST_CODES:
            return data_error(f"{place}: more than {MOST_CODES:,} different texts are no classes")
        if text and self.known and self.first_number is None:
            listed = diagnostics.listed(self.known)
            return data_error(f"{place}: {NEW_TEXT.format(quoted(text))}", hint=f"it had {listed}")
        hint = "--missing drop leaves such rows out, --missing mean fills them" if text in MISSING else ""
        if not hint and self.first_number is not None:
            hint = (
                f"there are numbers in this column, as in {table.unit} {self.first_number}: a column of texts has none"
            )
        return data_error(f"{place}: {BadCell(self.name, text)}", hint=hint)


def program_names(columns: Sequence[str]) -> dict[str, list[str]]:
    """The names that a program may use, each with its columns: the name itself as programs are read, or what `identifier` makes
    of it. A name has several columns where a program can't tell them apart, such as θ and ϑ.
    """
    by_name: dict[str, list[str]] = {}
    by_identifier: dict[str, list[str]] = {}
    for column in columns:
        name, plain = normalised(column.strip()), identifier(column)
        by_name.setdefault(name, []).append(column)
        if plain != name:
            by_identifier.setdefault(plain, []).append(column)
    return {name: known for name, known in (by_identifier | by_name).items() if name}


def column_of(table: Table, known: Mapping[str, Sequence[str]], name: str) -> str:
    """The column of this name. Raises AutodiffError where it is the name of two."""
    if len(known[name]) > 1:
        raise data_error(
            f"{_header(table)}: {diagnostics.listed(known[name])} are both called {quoted(name)} in a program",
            hint="rename one of them",
        )
    return known[name][0]


def identifier(header: str) -> str:
    """A column's header as a name of the language; "" where nothing of it can be one."""
    if header.isidentifier() and header.isascii() and "_" not in (header[0], header[-1]):
        return header
    name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", header)).strip("_")
    return name if not name or name.isidentifier() else f"_{name}"


def missing(table: Table, name: str, otherwise: str = "") -> AutodiffError:
    """The error for a column that a program needs and the table lacks; `otherwise` is a next step beside other names."""
    names = list(table.names)
    advice = did_you_mean(name, program_names(names), f"its columns are {diagnostics.listed(names)}")
    if not names:
        return data_error(f"{_header(table)}: the table is empty", hint=otherwise)
    if names[0].lstrip().startswith("{"):
        advice = "this looks like JSON: add --from ndjson"
    elif names[0].startswith("#"):
        advice = "the first line must name the columns: take the comments out"
    elif len(names) == 1 and re.search(r"\S[|:\s]+\S", names[0]) and table.unit == "line":
        advice = "between cells is a comma, a tab or a semicolon, or the sign that a first line such as sep=| names"
    elif all(map(is_number, names)):
        advice = f"the first line must name the columns, and it is numbers: {diagnostics.listed(names)}"
    return data_error(
        f"{_header(table)}: no column {quoted(name)}, which the program needs",
        hint=f"{advice}; {otherwise}" if otherwise else advice,
    )


def _header(table: Table) -> str:
    return f"{shortened(table.name, 200)}{', line 1' if table.unit == 'line' else ''}"


def row_fault(table: Table, chunk: Chunk, row: int, columns: Sequence[str]) -> AutodiffError:
    """The error for a row of a chunk that lacks a cell, or has one that is no finite number."""
    place = f"{shortened(table.name, 200)}, {table.unit} {chunk.lines[row]}"
    if row in chunk.faults:
        return data_error(f"{place}: {chunk.faults[row]}")
    cell = bad_cell(chunk, row, columns)
    assert cell is not None
    return data_error(f"{place}, column {quoted(cell.column)}: {cell}", hint="correct the cell, or leave its row out")
