"""What a table is while it is read, in chunks of rows; and its rows and numbers, read with nothing but Python.

>>> list(even(records(["1,2\\n", "3\\n"], "points.csv", ","), ["x", "y"]))[0], numbers(["2", "oops"])
((1, ['1', '2'], ''), [2.0, nan])
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Any, TextIO, TypeVar

from autodiff.errors import AutodiffError, data_error, quoted, shortened

T = TypeVar("T")

CHUNK = 16384
"""Rows that are in memory at a time."""

LONGEST = 1 << 24
"""Characters of a row at most: what is longer is no table, and would fill the memory before an error is found."""

DELIMITERS = {"csv": ",", "tsv": "\t"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows: the line on which each ends, its cells by column, the function that reads a column as numbers, and the faults
    of rows that don't have a cell for each column."""

    lines: Sequence[int]
    cells: Mapping[str, Sequence[Any]]
    read: Callable[[Any], Any]
    faults: Mapping[int, str] = field(default_factory=dict)


Row = tuple[int, Sequence[Any], str]
"""The line that a row ends on, a cell for each column, and its fault where it has too few cells or too many."""


@dataclass(frozen=True, slots=True)
class Table:
    """The names of its columns, and its rows: `chunks(wanted)` reads them once, with the cells of those columns. It raises
    AutodiffError where the file can't be read on.

    `unit` is the word for the place of a row: line in a text, else row; `rows` is how many there are, where the file says
    so; `read` gives the share of the file that was read, from 0 to 1, where its size is known.
    """

    name: str
    names: tuple[str, ...]
    chunks: Callable[[Sequence[str]], Iterator[Chunk]]
    unit: str = "line"
    rows: int | None = None
    read: Callable[[], float] | None = None

    def share(self, done: int) -> float | None:
        """The share of the table that `done` rows are, from 0 to 1; None where it is unknown, as in a pipe."""
        if self.rows is not None:
            return done / self.rows if self.rows else 1.0
        return None if self.read is None else self.read()


@dataclass(frozen=True, slots=True)
class Statuses(Sequence[str]):
    """The statuses of `rows` rows, of which `hard` has those that are not "ok"."""

    rows: int
    hard: Mapping[int, str]

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, place: Any) -> Any:
        return [*self][place]

    def __iter__(self) -> Iterator[str]:
        return map(self.hard.get, range(self.rows), repeat("ok"))

    def before(self, stop: int) -> Statuses:
        """Those of the first `stop` rows."""
        return Statuses(stop, {row: status for row, status in self.hard.items() if row < stop})


@dataclass(frozen=True, slots=True)
class Written:
    """A value of JSON: its text in the file, and the value."""

    text: str
    value: Any


def numbers(cells: Sequence[Any]) -> list[float]:
    """A column of cells as floats; NaN where a cell is no number."""
    try:
        text = "".join(cells)
        if "_" not in text and text.isascii():
            values = list(map(float, cells))
            if not any(sign in text for sign in SMALL) or 0.0 not in values:
                return values
    except (TypeError, ValueError):
        pass
    return [number(cell) for cell in cells]


def number(cell: Any) -> float:
    """A cell's number, as the language reads it, 1 for true; NaN where it has none: empty, text, 1_000, ٣, 1e-400."""
    cell = _value(cell) if isinstance(cell, Written) else cell
    if not isinstance(cell, str | int | float):
        return math.nan
    if isinstance(cell, str) and ("_" in cell or not cell.strip().isascii()):
        return math.nan
    try:
        value = float(cell)
    except (ValueError, OverflowError):
        return math.nan
    return math.nan if not value and isinstance(cell, str) and re.match(VANISHING, cell) else value


def spelled(number: float) -> str:
    """The shortest text that reads back as the number, a whole one without a point."""
    return repr(number).removesuffix(".0")


SMALL = ("e-", "E-", "0" * 300)
"""A text that float64 rounds to 0 contains one of them."""

VANISHING = r"^[^eE]*[1-9]"
"""A text that is not zero itself, among those that float64 reads as 0."""


def records(lines: Iterable[str], name: str, delimiter: str, before: int = 0) -> Iterator[tuple[int, list[str]]]:
    """The lines of CSV or TSV, each with the number of its last one; `before` lines were read already."""
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))  # the row's length is limited, not the cell's
    taken = [0]
    reader = csv.reader(_limited(lines, taken), delimiter=delimiter, strict=True)
    while True:
        taken[0] = 0
        try:
            row = next(reader, None)
        except csv.Error as error:
            ends = "unexpected end" in str(error)
            hint = (
                "a quoted cell does not end"
                if ends
                else 'a quote within a quoted cell is written twice, as in "5"" wide"'
            )
            raise broken(name, before + reader.line_num, str(error), hint) from None
        except RowTooLong:
            raise too_long(name, before + reader.line_num + 1) from None
        except OSError as error:
            raise broken(name, before + reader.line_num + 1, f"can't be read: {error.strerror}") from None
        if row is None:
            return
        yield before + reader.line_num, row


class RowTooLong(Exception):
    """A row with more than LONGEST characters."""


def too_long(name: str, line: int) -> AutodiffError:
    """The error for a row that goes on for too long."""
    what = f"a row of more than {LONGEST:,} characters can't be read"
    return broken(name, line, what, "a quote may be open that nothing closes, or this is no table")


def next_part(parts: Iterator[T], end: T, name: str, line: int) -> T:
    """The next part of a file, `end` behind the last one. Raises AutodiffError where it can't be read from `line` on."""
    try:
        return next(parts, end)
    except OSError as error:
        raise broken(name, line, f"can't be read: {error.strerror}") from None
    except RowTooLong:
        raise too_long(name, line) from None


def delimiter_of(header: str) -> str:
    """What is between the names of a header: a tab or a semicolon where there is no comma, but within quotes."""
    first = re.sub('"[^"]*"', "", re.split(r"[\r\n]", header, maxsplit=1)[0])
    return next((sign for sign in "\t;" if sign in first and "," not in first), ",")


def _limited(lines: Iterable[str], taken: list[int]) -> Iterator[str]:
    """The lines; `taken` counts their characters since the caller set it to 0.

    Raises RowTooLong where that is too many.
    """
    for line in lines:
        taken[0] += len(line)
        if taken[0] > LONGEST:
            raise RowTooLong
        yield line


def lines_of(stream: TextIO) -> Iterator[str]:
    """The lines of a text. Raises RowTooLong once a line has more than LONGEST characters."""
    while line := stream.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise RowTooLong
        yield line


def header(rows: Iterator[tuple[int, list[str]]], name: str) -> tuple[str, ...]:
    """The columns' names, which the first row gives. Raises AutodiffError where there is none, and for a name twice."""
    cells = next((cells for _, cells in rows if cells), [])
    return distinct([cell.strip() for cell in cells], name)


def _value(cell: Written) -> Any:
    """The value; None where float64 has 0 for another number."""
    is_zero = cell.value == 0 and isinstance(cell.value, float)
    return kept(cell.text) if is_zero else cell.value


def content_of(cell: Any) -> Any:
    """A cell as Python's value."""
    if hasattr(cell, "as_py"):
        from autodiff.tables import arrow  # text is read without PyArrow

        return arrow.cell(cell)
    return cell.value if isinstance(cell, Written) else cell


def text_of(cell: Any) -> str:
    """A cell as text; "" where it holds nothing."""
    value = content_of(cell)
    if isinstance(value, dict | list):
        import json  # few cells have cells inside

        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else str(value).strip()


def kept(text: str) -> float | None:
    """The number of a text; None where float64 has 0 for another one."""
    value = number(text)
    return None if math.isnan(value) else value


def even(rows: Iterator[tuple[int, list[str]]], names: Sequence[str]) -> Iterator[Row]:
    """The rows with a cell for each name: a missing one is empty, a superfluous one is left out, and both are a fault.

    An empty line is no row, or the empty cell of an only column.
    """
    width = len(names)
    for line, cells in rows:
        count = len(cells)
        if count == width:
            yield line, cells, ""
        elif cells:
            why = f"column {quoted(names[count])} is missing" if count < width else f"column {width + 1} has no name"
            fault = f"{count} cells, and the header has {width}: {why}"
            yield line, [*cells, *[""] * (width - count)][:width], fault
        elif width == 1:
            yield line, [""], ""


def chunks(rows: Iterator[Row], names: Sequence[str], wanted: Sequence[str]) -> Iterator[Chunk]:
    """The rows in chunks; those before a row that can't be read come before the error is raised."""
    errors: list[AutodiffError] = []

    def until_error() -> Iterator[Row]:
        try:
            yield from rows
        except AutodiffError as error:
            errors.append(error)

    whole = until_error()
    while part := list(islice(whole, CHUNK)):
        columns = dict(zip(names, zip(*(cells for _, cells, _ in part), strict=True), strict=True))
        faults = {k: fault for k, (_, _, fault) in enumerate(part) if fault}
        yield Chunk([line for line, _, _ in part], {name: columns[name] for name in wanted}, numbers, faults)
    if errors:
        raise errors[0]


def distinct(names: Sequence[str], file: str) -> tuple[str, ...]:
    """The names of the columns. Raises AutodiffError where there is none, one is no text, or two are alike."""
    called = file if file == "stdin" else quoted(file, 200)
    if not names:
        raise data_error(f"{called} is empty", hint="the first line names the columns, such as x,y")
    if re.search("[\ud800-\udfff\0]", "\n".join(names)):
        raise data_error(f"{called}, line 1 is not UTF-8 text", hint="save it as UTF-8")
    if again := twice(names):
        raise broken(file, 1, f"column {quoted(again[0])} is there twice", "give each column a name of its own")
    return tuple(names)


def twice(names: Iterable[str]) -> list[str]:
    """The first name that comes a second time, in a list; an empty one where all are different."""
    seen = set[str]()
    for name in names:
        if name in seen:
            return [name]
        seen.add(name)
    return []


def broken(file: str, line: int, what: str, hint: str = "") -> AutodiffError:
    """The error for a file that can't be read beyond a line."""
    return data_error(f"{shortened(file, 200)}, line {line}: {what}", hint=hint)
