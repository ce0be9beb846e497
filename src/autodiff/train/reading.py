"""The rows of a training in memory: columns of numbers, columns of texts as codes, missing cells left out or kept as NaN.

>>> import io
>>> from autodiff.tables import csv_blocks
>>> table = csv_blocks.table(io.BytesIO(b"x,kind\\n1,b\\n,a\\n3,a\\n"), "rows.csv")
>>> found, codes = rows_of([table], lambda names: ["x", "kind"], missing="drop")
>>> {name: column.tolist() for name, column in found.columns.items()}, list(found.lines), codes
({'x': [1.0, 3.0], 'kind': [1.0, 0.0]}, [2, 4], {'kind': ['a', 'b']})
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from autodiff.errors import DATA, AutodiffError, quoted, shortened
from autodiff.tables import columns as numeric
from autodiff.tables.columns import BadCell, Choose, NumericTable, column_of, program_names, row_fault
from autodiff.tables.text import Chunk, Table, Written

Missing = Literal["error", "drop", "mean"]

MISSING = frozenset(("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"))
"""Cells that hold nothing, for `--missing drop` and `mean`."""

MOST_CODES = 100_000
"""Different texts of a column: more are rather names than classes."""


_NUMBER_LIKE = re.compile(r"[\d.,_'+\-eE ]*|[+-]?(inf|infinity|nan)|.*[\ud800-\udfff].*", re.IGNORECASE | re.DOTALL)
"""Texts that are rather a number in another spelling, or no text at all, than the name of a class."""


@dataclass(slots=True)
class _Column:
    """What is known of a column while it is read; `texts` numbers its texts in the order in which they come."""

    name: str
    parts: list[Any] = field(default_factory=list)
    texts: dict[str, int] = field(default_factory=dict)
    first_text: tuple[int, str] | None = None
    has_numbers: bool = False


def rows_of(
    tables: Iterable[Table], choose: Choose, otherwise: Callable[[str], str] = lambda _: "", missing: Missing = "error"
) -> tuple[NumericTable, dict[str, list[str]]]:
    """The chosen columns of tables, one behind the other, and the texts of each column of texts, sorted: the place of a text
    is its code.

    A column none of whose cells is a number, or looks like one, is one of texts. A missing cell is NaN with `missing="mean"`. Raises
    AutodiffError (exit status 4) for the first row that lacks a cell, or has one of another kind than its column.
    """
    columns: dict[str, _Column] = {}
    lines, files, count = list[Any](), list[tuple[int, str, str]](), 0
    for table in tables:
        known = program_names(table.names)
        if not files:
            columns = {
                name: _Column(column_of(table, known, name)) for name in _chosen(table, choose, known, otherwise)
            }
        files.append((count, table.name, table.unit))
        for chunk in table.chunks(list(dict.fromkeys(column.name for column in columns.values()))):
            lines.append(_add_chunk(table, chunk, columns, missing))
            count += len(lines[-1])
    name = files[0][1] if len(files) == 1 else f"{len(files)} files"
    if not count:
        raise AutodiffError(
            f"{shortened(name, 200)}: there are no rows" + (" without a missing cell" if lines else ""),
            exit_status=DATA, hint="add at least one row of numbers",
        )  # fmt: skip
    whole, codes = dict[str, Any](), dict[str, list[str]]()
    for key, column in columns.items():
        whole[key], texts = _whole(name, column)
        codes |= {key: texts} if texts else {}
    places = np.concatenate(lines)
    straight = len(files) == 1 and places[-1] - places[0] + 1 == len(places)
    rows: Sequence[int] = range(int(places[0]), int(places[-1]) + 1) if straight else places.tolist()
    return NumericTable(name, whole, rows, files[0][2], files if len(files) > 1 else ()), codes


def _add_chunk(table: Table, chunk: Chunk, columns: Mapping[str, _Column], missing: Missing) -> Any:
    """Put the cells of a chunk to those of their columns; the lines of its rows that count. Raises the first fault."""
    by_column = {column.name: column for column in columns.values()}
    if chunk.faults:
        raise row_fault(table, chunk, min(chunk.faults), list(by_column))
    present = np.ones(len(chunk.lines), bool)
    faults = [_add(table, chunk, column, present, missing) for column in by_column.values()]
    if found := [fault for fault in faults if fault is not None]:
        raise min(found, key=lambda fault: fault[0])[1]
    if missing == "drop" and not present.all():
        for column in by_column.values():
            column.parts[-1] = column.parts[-1][present]
    places = (
        np.arange(chunk.lines.start, chunk.lines.stop) if isinstance(chunk.lines, range) else np.asarray(chunk.lines)
    )
    return places[present] if missing == "drop" else places


def _whole(name: str, column: _Column) -> tuple[Any, list[str]]:
    """A column's numbers, and its texts in the order of their codes."""
    values = np.concatenate(column.parts)
    column.parts.clear()  # one column at a time, to save memory
    if not column.texts:
        return values, []
    if np.isnan(values).any():
        raise AutodiffError(
            f"{shortened(name, 200)}, column {quoted(column.name)}: a cell is missing, and texts have no mean",
            exit_status=DATA, hint="--missing drop leaves such rows out",
        )  # fmt: skip
    order = {text: k for k, text in enumerate(sorted(column.texts))}
    return np.array([float(order[text]) for text in column.texts])[values.astype(int)], list(order)


def _chosen(
    table: Table, choose: Choose, known: dict[str, list[str]], otherwise: Callable[[str], str]
) -> Sequence[str]:
    wanted = choose(known)
    for name in wanted:
        if name not in known:
            raise numeric.missing(table, name, otherwise(name))
    return wanted


def _add(
    table: Table, chunk: Chunk, column: _Column, present: Any, missing: Missing
) -> tuple[int, AutodiffError] | None:
    """Put the cells of a chunk to those of their column, and clear `present` where one is missing; or the first fault."""
    cells = chunk.cells[column.name]
    numbers = np.array(chunk.read(cells), float)
    lacking = np.flatnonzero(~np.isfinite(numbers))
    texts = {int(row): text_of(cells[int(row)]) for row in lacking}
    absent = [row for row, text in texts.items() if text in MISSING and (missing != "error" or not text)]
    column.has_numbers = column.has_numbers or len(lacking) < len(numbers)
    if absent and missing == "error":
        return absent[0], _fault(table, column, chunk.lines[absent[0]], texts[absent[0]])
    present[absent] = False
    numbers[absent] = np.nan
    gone = set(absent)
    for row, text in texts.items():
        if row in gone:
            continue
        column.first_text = column.first_text or (chunk.lines[row], text)
        if _NUMBER_LIKE.fullmatch(text):
            return row, _fault(table, column, chunk.lines[row], text)
        if column.has_numbers or len(column.texts) > MOST_CODES:
            return row, _fault(table, column, *column.first_text)
        numbers[row] = column.texts.setdefault(text, len(column.texts))
    if column.first_text and column.has_numbers:
        return 0, _fault(table, column, *column.first_text)
    column.parts.append(numbers)
    return None


def text_of(cell: Any) -> str:
    """A cell as text; "" where it holds nothing."""
    value = cell.value if isinstance(cell, Written) else cell.as_py() if hasattr(cell, "as_py") else cell
    return "" if value is None else str(value).strip()


def _fault(table: Table, column: _Column, line: int, text: str) -> AutodiffError:
    place = f"{shortened(table.name, 200)}, {table.unit} {line}, column {quoted(column.name)}"
    if len(column.texts) > MOST_CODES:
        return AutodiffError(f"{place}: more than {MOST_CODES:,} different texts are no classes", exit_status=DATA)
    hint = "" if text else "--missing drop leaves such rows out, --missing mean fills them"
    return AutodiffError(f"{place}: {BadCell(column.name, text)}", exit_status=DATA, hint=hint)
