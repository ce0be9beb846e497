"""Tables as text, read row by row in chunks: CSV, TSV and NDJSON with nothing but Python.

>>> import io
>>> table = delimited(io.StringIO("x,y\\n1,2\\n3,oops\\n"), "points.csv", ",")
>>> table.names, [(chunk.lines, numbers(chunk.cells["y"])) for chunk in table.chunks(["y"])]
(('x', 'y'), [([2, 3], [2.0, nan])])
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice, repeat
from typing import Any, TextIO, TypeVar, overload

from autodiff.errors import DATA, AutodiffError, quoted, shortened
from autodiff.tables import limits

T = TypeVar("T")

CHUNK = 16384
"""Rows that are in memory at a time."""

DELIMITERS = {"csv": ",", "tsv": "\t"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows: where each stands (the line it ends on), its cells by column, how a column is read as numbers, and what is
    wrong with the rows that have no cell for each column."""

    lines: Sequence[int]
    cells: Mapping[str, Sequence[Any]]
    read: Callable[[Any], Any]
    faults: Mapping[int, str] = field(default_factory=dict)


Row = tuple[int, Sequence[Any], str]
"""The line that a row ends on, a cell for each column, and what is wrong with it where they had to be made to fit."""


@dataclass(frozen=True, slots=True)
class Table:
    """What its columns are called, and its rows: `chunks(wanted)` reads them once, with the cells of those columns, and
    raises AutodiffError where the file can't be read on.

    `unit` is what rows are counted in: lines of a text, else rows; `rows` how many there are, where the file says so;
    `read` tells how much of the file was read, from 0 to 1, where it has an end that is known.
    """

    name: str
    names: tuple[str, ...]
    chunks: Callable[[Sequence[str]], Iterator[Chunk]]
    unit: str = "line"
    rows: int | None = None
    read: Callable[[], float] | None = None

    def share(self, done: int) -> float | None:
        """How much of the table `done` rows are, from 0 to 1; None where nobody knows, as in a pipe."""
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

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return [self[row] for row in range(self.rows)[place]]
        return self.hard.get(range(self.rows)[place], "ok")

    def __iter__(self) -> Iterator[str]:
        return map(self.hard.get, range(self.rows), repeat("ok"))

    def before(self, stop: int) -> Statuses:
        """Those of the first `stop` rows."""
        return Statuses(stop, {row: status for row, status in self.hard.items() if row < stop})


def delimited(stream: TextIO, name: str, delimiter: str = "") -> Table:
    """A table of CSV or TSV; its first line names the columns. An empty line is no row, or an only column's empty cell.

    Without a delimiter the first line tells it: see `delimiter_of`.
    """
    lines = lines_of(stream)
    if not delimiter:
        first = next_part(lines, "", name, 1)
        delimiter, lines = delimiter_of(first), chain([first], lines)
    rows = records(lines, name, delimiter)
    names = header(rows, name)
    return Table(name, names, partial(chunks, even(rows, names), names))


@dataclass(frozen=True, slots=True)
class Written:
    """A value of JSON: its text as it stands in the file, and what it is."""

    text: str
    value: Any


def lines_of_json(stream: TextIO, name: str, *, keep: bool = False) -> Table:
    """A table of one JSON object a line; the first one names the columns. Raises AutodiffError when it is none.

    With `keep` its cells are Written.
    """
    rows = _json_rows(stream, name, _as_written if keep else _object)
    first = next(rows, None)
    if first is None:
        return Table(name, (), lambda _: iter(()))
    if isinstance(first[1], str):
        raise broken(name, first[0], first[1], 'a row looks like {"x": 4.0, "y": 1}')
    names = first[1]
    _distinct(list(names), name)

    def cells() -> Iterator[Row]:
        for line, row in chain([first], rows):
            if isinstance(row, str):
                yield line, [None] * len(names), row
                continue
            odd = "" if row.keys() <= names.keys() else next(key for key in row if key not in names)
            fault = f"column {quoted(odd)} is not in the first row" if odd else ""
            yield line, [row.get(column) for column in names], fault

    return Table(name, tuple(names), partial(chunks, cells(), tuple(names)))


def numbers(cells: Sequence[Any]) -> list[float]:
    """A column of cells as floats; NaN where a cell is no number."""
    try:
        text = "".join(cells)
        if "_" not in text and text.isascii():
            found = list(map(float, cells))
            if not any(sign in text for sign in _SMALL) or 0.0 not in found:
                return found
    except (TypeError, ValueError):
        pass
    return [number(cell) for cell in cells]


def number(cell: Any) -> float:
    """A cell's number, as the language reads it, 1 for true; NaN where it has none: empty, text, 1_000, ٣, 1e-400."""
    cell = _kept_small(cell) if isinstance(cell, Written) else cell
    if not isinstance(cell, str | int | float):
        return math.nan
    if isinstance(cell, str) and ("_" in cell or not cell.strip().isascii()):
        return math.nan
    try:
        found = float(cell)
    except (ValueError, OverflowError):
        return math.nan
    return math.nan if not found and isinstance(cell, str) and re.match(VANISHING, cell) else found


def spelled(number: float) -> str:
    """The shortest text that reads back as the number, a whole one without a point."""
    return repr(number).removesuffix(".0")


_SMALL = ("e-", "E-", "0" * 300)
"""One of them stands in a text that float64 rounds to 0."""

VANISHING = r"^[^eE]*[1-9]"
"""A text that is not zero itself, among those that float64 reads as 0."""


def records(lines: Iterable[str], name: str, delimiter: str, before: int = 0) -> Iterator[tuple[int, list[str]]]:
    """The lines of CSV or TSV, each with the number of its last one; `before` lines were read already."""
    csv.field_size_limit(max(csv.field_size_limit(), limits.LONGEST))  # the row's length is limited, not the cell's
    taken = [0]
    reader = csv.reader(_limited(lines, taken), delimiter=delimiter, strict=True)
    while True:
        taken[0] = 0
        try:
            row = next(reader, None)
        except csv.Error as error:
            hint = "a quoted cell does not end" if "unexpected end" in str(error) else ""
            raise broken(name, before + reader.line_num, str(error), hint) from None
        except TooLong:
            raise too_long(name, before + reader.line_num + 1) from None
        except OSError as error:
            raise broken(name, before + reader.line_num + 1, f"can't be read: {error.strerror}") from None
        if row is None:
            return
        yield before + reader.line_num, row


class TooLong(Exception):
    """A row with more than LONGEST characters."""


def too_long(name: str, line: int) -> AutodiffError:
    """The error for a row that goes on for too long."""
    return broken(name, line, limits.too_long(), limits.OPEN)


def next_part(parts: Iterator[T], end: T, name: str, line: int) -> T:
    """The next part of a file, `end` behind the last one. Raises AutodiffError where it can't be read from `line` on."""
    try:
        return next(parts, end)
    except OSError as error:
        raise broken(name, line, f"can't be read: {error.strerror}") from None
    except TooLong:
        raise too_long(name, line) from None


def delimiter_of(header: str) -> str:
    """What is between the names of a header: a tab or a semicolon where there is no comma."""
    first = re.split(r"[\r\n]", header, maxsplit=1)[0]
    return next((sign for sign in "\t;" if sign in first and "," not in first), ",")


def _limited(lines: Iterable[str], taken: list[int]) -> Iterator[str]:
    """The lines, and in `taken` how many characters of them there were since somebody has set it to 0.

    Raises TooLong where that is too many.
    """
    for line in lines:
        taken[0] += len(line)
        if taken[0] > limits.LONGEST:
            raise TooLong
        yield line


def lines_of(stream: TextIO) -> Iterator[str]:
    """The lines of a text, of which no more than LONGEST characters are looked at. Raises TooLong behind these."""
    while line := stream.readline(limits.LONGEST + 1):
        if len(line) > limits.LONGEST:
            raise TooLong
        yield line


def header(rows: Iterator[tuple[int, list[str]]], name: str) -> tuple[str, ...]:
    """The columns' names, which the first row gives. Raises AutodiffError where there is none, and for a name twice."""
    cells = next((cells for _, cells in rows if cells), [])
    return _distinct([cell.strip() for cell in cells], name)


def _json_rows(
    stream: TextIO, name: str, read: Callable[[str], dict[str, Any] | str]
) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """The objects, each with its line; what is wrong with a line in the place of one."""
    line, lines = 0, lines_of(stream)
    while True:
        line += 1
        text = next_part(lines, "", name, line)
        if not text:
            return
        if text.strip():
            yield line, read(text.rstrip())


def _object(text: str) -> dict[str, Any] | str:
    try:
        row = json.loads(text, parse_constant=_no_number, object_pairs_hook=_paired)
        if isinstance(row, dict) and any(sign in text for sign in _SMALL) and 0.0 in row.values():
            row = json.loads(text, parse_constant=_no_number, parse_float=_kept, object_pairs_hook=_paired)
    except json.JSONDecodeError as error:
        return f"column {error.colno} is not JSON: {error.msg}"
    except (RecursionError, ValueError):
        return "is not a JSON object of numbers"
    if isinstance(row, _Doubled):
        return f"column {quoted(row.name)} is there twice"
    return row if isinstance(row, dict) else "is not a JSON object"


class _Doubled(dict[str, Any]):
    """An object that has the key `name` twice; where it stands inside a cell nobody minds."""

    name = ""


def _paired(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        found = _Doubled(found)
        found.name = twice(name for name, _ in pairs)[0]
    return found


def _as_written(text: str) -> dict[str, Any] | str:
    """The object with the texts of its values."""
    row = _object(text)
    if isinstance(row, str):
        return row
    found, at, odd = dict[str, Any](), text.index("{") + 1, list[str]()
    decoder = json.JSONDecoder(parse_constant=odd.append)
    for value in row.values():  # which has told that all of it is well-formed: a text is between its signs
        name, at = decoder.raw_decode(text, text.index('"', at))
        start = _SPACE.match(text, text.index(":", at) + 1).end()  # type: ignore[union-attr]
        _, at = decoder.raw_decode(text, start)
        found[name] = Written(json.dumps(value) if odd else text[start:at], value)
        odd.clear()
    return found


_SPACE = re.compile(r"[ \t\n\r]*")


def _kept_small(cell: Written) -> Any:
    """The value; None where float64 has 0 for another number."""
    small = cell.value == 0 and isinstance(cell.value, float)
    return _kept(cell.text) if small else cell.value


def _no_number(_: str) -> None:
    """NaN and Infinity are not JSON, but some programs write them for a number that is missing."""


def _kept(text: str) -> float | None:
    """The number; None where float64 has 0 for another one."""
    found = number(text)
    return None if math.isnan(found) else found


def even(rows: Iterator[tuple[int, list[str]]], names: Sequence[str]) -> Iterator[Row]:
    """The rows with a cell for each name: what a line lacks is empty, what it has too much is left out, and both are said.

    An empty line is no row, or the empty cell of an only column.
    """
    wide = len(names)
    for line, cells in rows:
        if len(cells) == wide:
            yield line, cells, ""
        elif cells:
            place = (
                f"column {quoted(names[len(cells)])} is missing"
                if len(cells) < wide
                else f"column {wide + 1} has no name"
            )
            fault = f"{len(cells)} cells, and the header has {wide}: {place}"
            yield line, [*cells, *[""] * (wide - len(cells))][:wide], fault
        elif wide == 1:
            yield line, [""], ""


def chunks(rows: Iterator[Row], names: Sequence[str], wanted: Sequence[str]) -> Iterator[Chunk]:
    """The rows in chunks; those before a row that can't be read are handed out before the error is."""
    trouble: list[AutodiffError] = []

    def until_trouble() -> Iterator[Row]:
        try:
            yield from rows
        except AutodiffError as error:
            trouble.append(error)

    whole = until_trouble()
    while part := list(islice(whole, CHUNK)):
        columns = dict(zip(names, zip(*(cells for _, cells, _ in part), strict=True), strict=True))
        faults = {k: fault for k, (_, _, fault) in enumerate(part) if fault}
        yield Chunk([line for line, _, _ in part], {name: columns[name] for name in wanted}, numbers, faults)
    if trouble:
        raise trouble[0]


def _distinct(names: Sequence[str], file: str) -> tuple[str, ...]:
    if not names:
        raise AutodiffError(
            f"{quoted(file, 200)} is empty", exit_status=DATA, hint="the first line names the columns, such as x,y"
        )
    if any("\ud800" <= c <= "\udfff" or c == "\0" for name in names for c in name):
        raise AutodiffError(f"{quoted(file, 200)}, line 1 is not UTF-8 text", exit_status=DATA, hint="save it as UTF-8")
    if again := twice(names):
        raise broken(file, 1, f"column {quoted(again[0])} is there twice")
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
    return AutodiffError(f"{shortened(file, 200)}, line {line}: {what}", exit_status=DATA, hint=hint)
