"""A CSV file as columns of numbers.

    table = read("placements.csv", ["cgpa", "placed"])
    table.columns["cgpa"]                      # array([9.11, 8.9, 7. , 6.56, 4.56])
    table.lines[0]                             # 2, the line of the first row in the file

The first line names the columns. A name that is no identifier is made one: `sepal length (cm)` is `sepal_length_cm`.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from autodiff.errors import DATA, AutodiffError, nearest, quoted, shortened
from autodiff.tables import limits, stdin

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equally many numbers; `lines[i]` is the line of the file that row i stands on."""

    name: str
    columns: Mapping[str, Column]
    lines: Sequence[int]

    def __len__(self) -> int:
        return len(self.lines)


def read(path: str, choose: Callable[[Sequence[str]], Sequence[str]]) -> Table:
    """The columns that `choose` picks from the names of all, of a file or of stdin for `-`.

    Raises AutodiffError (exit status 4) for a faulty one.
    """
    found = None if path == "-" else _quickly(path, choose)
    if found is not None:
        return found
    text = _text(path)
    path = _name(path)
    records = _Records(path, text)
    names = records.names()
    wanted = list(choose(names))
    columns, lines = records.numbers([names.index(name) for name in wanted], wanted)
    if not lines:
        raise _fault(path, "there are no rows below the header", hint="add at least one row of numbers")
    return Table(path, dict(zip(wanted, columns, strict=True)), lines)


def _name(path: str) -> str:
    return "stdin" if path == "-" else path


def _text(path: str) -> str:
    try:
        if path == "-":
            return b"".join(_bounded(stdin.opened(stdin.TABLE), "stdin")).decode("utf-8-sig")
        with open(path, "rb") as file:
            return b"".join(_bounded(file, path)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        raise _fault(
            _name(path), f"byte {error.object[error.start]:#04x} is not UTF-8", line, hint="save the file as UTF-8"
        ) from None
    except OSError as error:
        raise _fault(_name(path), f"can't be read: {error.strerror}") from None
    except ValueError:
        raise _fault(path, "is no file name") from None


_LARGE = 100_000
"""Bytes from which on a file is tried by NumPy's reader."""

_PIECE = 4_000_000
"""Bytes that are read at a time: beside its numbers, a large file takes little room."""


def _quickly(path: str, choose: Callable[[Sequence[str]], Sequence[str]]) -> Table | None:
    """A large file by NumPy's reader, when it is plain finite numbers from line 2 on; else None, and it is read with care."""
    try:
        if not Path(path).is_file() or Path(path).stat().st_size < _LARGE:
            return None
        with open(path, "rb") as file:
            rows = _count(file, path) - 1
            file.seek(0)
            first = file.readline()
            header = first.decode("utf-8-sig")
            if header.count('"') % 2 or "\r" in header.rstrip("\r\n"):
                return None
            records = _Records(path, header)
            names = records.names()
            wanted = list(choose(names))
            columns = np.empty((len(wanted), rows))
            places, at = [names.index(name) for name in wanted], 0
            for piece in _pieces(file):
                found = _numbers(piece, records.delimiter, len(names))
                if found is None:
                    return None
                columns[:, at : at + len(found)] = found.T[places]
                at += len(found)
    except (OSError, ValueError):
        return None
    return Table(path, dict(zip(wanted, columns, strict=True)), range(2, 2 + rows)) if at == rows > 0 else None


def _bounded(file: BinaryIO, path: str) -> Iterator[bytes]:
    """The bytes of a file in pieces. Raises AutodiffError for a line that is too long to be one of a table."""
    line, begun = 1, 0
    while piece := file.read(_PIECE):
        ends = [end for end in (piece.find(b"\n"), piece.find(b"\r")) if end >= 0]
        begun += min(ends, default=len(piece))
        if begun > limits.LONGEST:
            raise _fault(path, limits.too_long(), line, hint=limits.OPEN)
        line += piece.count(b"\n")
        if ends:
            begun = len(piece) - 1 - max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        yield piece


def _count(file: BinaryIO, path: str) -> int:
    """The lines of a file."""
    lines, last = 0, b"\n"
    for piece in _bounded(file, path):
        lines, last = lines + piece.count(b"\n"), piece[-1:]
    return lines + (last != b"\n")


def _pieces(file: BinaryIO) -> Iterator[str]:
    """What is left of a file, some whole lines at a time. Raises ValueError when it is not ASCII."""
    while piece := file.read(_PIECE):
        yield (piece + file.readline()).decode("ascii")


def _numbers(text: str, delimiter: str, width: int) -> NDArray[Any] | None:
    """Lines as rows of finite numbers; None when one is anything else."""
    if any(odd in text for odd in ('"', "#", "\n\n", "\n\r\n")) or text[:1].isspace():
        return None
    found = np.loadtxt(io.StringIO(text), delimiter=delimiter, ndmin=2, comments=None)
    return found if found.shape[1] == width and np.isfinite(found).all() else None


class _Records:
    """The lines of a file, cell by cell, each known by its line and its column."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text
        self.header = re.match(r"[^\r\n]*(?:\r\n|\r|\n)?", text)[0]  # type: ignore[index]
        self.delimiter = next((d for d in "\t;" if d in self.header and "," not in self.header), ",")

    def rows(self) -> Iterable[tuple[int, list[str]]]:
        """Every line that is not blank, as (line number, cells)."""
        csv.field_size_limit(max(csv.field_size_limit(), limits.LONGEST))
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter, strict=True)
        try:
            start = 1
            for cells in reader:
                if cells:
                    yield start, cells
                start = reader.line_num + 1
        except csv.Error as error:
            raise _fault(self.path, f"this is not CSV: {error}", reader.line_num) from None

    def names(self) -> list[str]:
        """The columns' names as identifiers, all different."""
        first = next(iter(self.rows()), None)
        if first is None:
            raise _fault(self.path, "the file is empty", hint="the first line names the columns")
        names = [identifier(cell) for cell in first[1]]
        for k, name in enumerate(names):
            if not name:
                raise _fault(
                    self.path, f"column {k + 1} has no name", first[0], hint="the first line names the columns"
                )
        if len(set(names)) < len(names):
            again = next(name for name in names if names.count(name) > 1)
            raise _fault(self.path, f"two columns are called {quoted(again)}", first[0])
        return names

    def numbers(self, places: Sequence[int], names: Sequence[str]) -> tuple[NDArray[Any], list[int]]:
        """The chosen columns, one row of the result each, and every row's line."""
        rows = iter(self.rows())
        width = len(next(rows)[1])
        found: list[list[float]] = []
        lines = []
        for line, cells in rows:
            if len(cells) != width:
                raise _fault(self.path, f"there are {len(cells)} cells, and {width} columns", line)
            found.append([self._number(cells[k], line, name) for k, name in zip(places, names, strict=True)])
            lines.append(line)
        return np.array(found, dtype=np.float64).reshape(len(lines), len(places)).T.copy(), lines

    def _number(self, cell: str, line: int, column: str) -> float:
        text = cell.strip()
        try:
            number = float(text) if "_" not in text else float("nan")
        except ValueError:
            number = float("nan")
        if number - number == 0:
            return number
        if not text:
            raise _fault(self.path, "this cell is empty", line, column, "fill it in, or remove the row")
        hint = "a decimal point is '.'" if re.fullmatch(r"[+-]?\d+,\d+", text) else ""
        raise _fault(self.path, f"{quoted(text)} is not a finite number", line, column, hint)


def identifier(header: str) -> str:
    """A column's header as a name of the language; "" when nothing of it can be one."""
    name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", header)).strip("_")
    return name if not name or name.isidentifier() else f"_{name}"


def _fault(path: str, what: str, line: int = 0, column: str = "", hint: str = "") -> AutodiffError:
    place = "".join([f", line {line}" if line else "", f", column {shortened(column)}" if column else ""])
    return AutodiffError(f"{quoted(path, 200)}{place}: {what}", hint=hint, exit_status=DATA)


def missing(path: str, name: str, names: Sequence[str]) -> AutodiffError:
    """The error for a column that a program needs and the file lacks."""
    near = nearest(name, names)
    listed = ", ".join(shortened(n) for n in names[:12])
    return _fault(
        path,
        f"there is no column {quoted(name)}",
        hint=f"did you mean {quoted(near)}?"
        if near
        else f"its columns are {listed}; a parameter is given with --params",
    )
