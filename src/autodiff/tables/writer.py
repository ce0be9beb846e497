"""Rows out: as text, to a file that is there only when it is whole, or to stdout.

>>> import numpy as np
>>> written("csv", {"f": np.array([1.0, np.nan]), "status": ["ok", "domain"]}, head=True)
b'f,status\\n1,ok\\n,domain\\n'
>>> written("ndjson", {"f": np.array([1.0, np.nan]), "status": ["ok", "domain"]}, head=True)
b'{"f": 1.0, "status": "ok"}\\n{"f": null, "status": "domain"}\\n'
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from operator import add, ne
from typing import Any, BinaryIO, cast

from autodiff.libraries import has
from autodiff.tables import filesystems
from autodiff.tables.atomic_file import whole
from autodiff.tables.packed import packed
from autodiff.tables.text import DELIMITERS, Statuses, Written, spelled

MANY = 1000
"""Rows from which on PyArrow earns the time that it takes to load."""

AHEAD = 3
"""Blocks of rows that are being made text while earlier ones are written."""

Write = Callable[[Mapping[str, Sequence[Any]]], None]
"""Takes the columns of some rows."""


@contextmanager
def writer(form: str, stream: BinaryIO, *, head: bool = True) -> Iterator[Write]:
    """The function that writes rows to `stream` in this format; without `head`, a text does not begin with the names."""
    if form not in (*DELIMITERS, "ndjson"):
        from autodiff.tables import arrow  # PyArrow is an extra

        failed: list[bool] = []
        with arrow.writer(form, stream) as write, _in_order(stream, 1) as put:
            yield lambda columns: put(partial(_batch, write, columns, failed))
        return
    begun = not head

    def names(columns: Mapping[str, Sequence[Any]]) -> bytes:
        nonlocal begun
        first, begun = not begun, True
        return written(form, dict.fromkeys(columns, ()), head=True) if first else b""

    with _in_order(stream) as put:
        yield lambda columns: put(partial(_lines, form, columns, names(columns)))


@contextmanager
def _in_order(
    stream: BinaryIO, workers: int | None = None
) -> Iterator[Callable[[Callable[[], Sequence[bytes | memoryview]]], None]]:
    """A function that takes functions, and writes their results in the order in which it got them.

    They run in `workers` threads, by default one a core, while the caller goes on; for stdout each runs and is written at once.
    """
    if stream is getattr(sys.stdout, "buffer", None):
        yield lambda work: stream.writelines(work())
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    begun: deque[Future[Sequence[bytes | memoryview]]] = deque()

    def put(work: Callable[[], Sequence[bytes | memoryview]]) -> None:
        begun.append(pool.submit(work))
        while begun and (begun[0].done() or len(begun) > AHEAD):
            stream.writelines(begun.popleft().result())

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        try:
            yield put
        finally:  # the rows before an error are written
            for lines in begun:
                stream.writelines(lines.result())


def _batch(write: Write, columns: Mapping[str, Sequence[Any]], failed: list[bool]) -> Sequence[bytes]:
    """Write the rows, but none behind those that could not be written; nothing is left to write."""
    if not failed:
        failed.append(True)
        write(columns)
        failed.clear()
    return ()


def _lines(form: str, columns: Mapping[str, Sequence[Any]], head: bytes) -> Sequence[bytes | memoryview]:
    """The rows as text, behind `head`."""
    lines = _in_bulk(form, columns)
    return head, written(form, columns, head=False) if lines is None else lines


def _in_bulk(form: str, columns: Mapping[str, Sequence[Any]]) -> memoryview | None:
    """Many rows as PyArrow writes them; None where it is not installed, or has another spelling."""
    if len(next(iter(columns.values()))) < MANY or not has("pyarrow"):
        return None
    from autodiff.tables import lines  # few rows are written sooner than PyArrow is loaded

    return lines.written(columns, form)


def written(form: str, columns: Mapping[str, Sequence[Any]], *, head: bool) -> bytes:
    """Rows as text, NaN and None as an empty cell; with `head` the columns' names come first where the format has them."""
    values = [_values(column) for column in columns.values()]
    if form == "ndjson":
        names = [f"{json.dumps(name, ensure_ascii=False)}: " for name in columns]
        rows = (map(add, names, map(_json, row)) for row in zip(*values, strict=True))
        text = "".join(f"{{{', '.join(row)}}}\n" for row in rows)
    else:
        page = io.StringIO()
        writer = csv.writer(page, delimiter=DELIMITERS[form], lineterminator="\n")
        if head:
            writer.writerow(columns)
        writer.writerows(zip(*map(_cells, columns.values(), values), strict=True))
        text = page.getvalue()
    return text.encode("utf-8", "surrogateescape")


def _values(column: Any) -> Sequence[Any]:
    """A column as Python's values; the NaN of an array of numbers is None."""
    if hasattr(column, "to_pylist"):  # an array of PyArrow
        from autodiff.tables import arrow  # as above

        return arrow.cells(column)
    if not hasattr(column, "tolist"):
        return cast("Sequence[Any]", column)
    values = column.tolist()
    return [None if value != value else value for value in values] if any(map(ne, values, values)) else values


def _json(value: Any) -> str:
    if isinstance(value, Written):
        return value.text
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_inner)  # PyArrow's dates
    except ValueError:  # a cell of a Parquet or Arrow file that is passed through may hold NaN and infinities
        return json.dumps(_finite(value), ensure_ascii=False, default=_inner)


def _inner(value: Any) -> str:
    """What JSON has no value for, within a list or a struct of PyArrow: bytes as text, all else as Python writes it."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _finite(value: Any) -> Any:
    """The same with None for each number that JSON has not; as deep as columns have types inside types."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _shown(cell: Any) -> Any:
    """A value of JSON in a cell: texts as what they say, all else as it was written, null as an empty cell."""
    if not isinstance(cell, Written):
        return cell
    if isinstance(cell.value, str):
        # half a pair of surrogates, which JSON can write and UTF-8 has not; bytes that are no UTF-8 are half pairs in both
        return cell.text if _HALF.search(cell.value) and not _HALF.search(cell.text) else cell.value
    return None if cell.text == "null" else cell.text


_HALF = re.compile("[\ud800-\udfff]")


def _cells(column: Any, values: Sequence[Any]) -> Sequence[Any]:
    """Whole floats without a point, JSON's values as texts; the csv module writes other floats by their shortest text."""
    if isinstance(column, Statuses):
        return values
    if hasattr(column, "dtype") or str(getattr(column, "type", "")) == "double":
        return [v if v is None or not v.is_integer() else spelled(v) for v in values]
    if any(isinstance(cell, Written) for cell in values):
        return list(map(_shown, values))
    if any(isinstance(cell, bool | dict | list) for cell in values):
        return [cell if cell is None or isinstance(cell, str) else json.dumps(cell, default=_inner) for cell in values]
    return values


@contextmanager
def sink(path: str | None, *, salvage: bool = True) -> Iterator[BinaryIO]:
    """Where bytes go: stdout for None and `-`, else a file that takes its name when all is written, packed as it ends.

    salvage  keep what was written before an AutodiffError, under another name
    """
    if path is None or path == "-":
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if filesystems.is_remote(path):
        with filesystems.written_whole(path) as file, packed(file, path) as stream:
            yield stream
        return
    with whole(filesystems.local(path), salvage=salvage) as file, packed(file, path) as stream:
        yield stream
