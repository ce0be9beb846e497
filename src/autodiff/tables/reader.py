"""Where a table comes from: a file or stdin, CSV, TSV, NDJSON, Parquet or Arrow, as a name ends; compressed
ones are unpacked.

>>> format_of("rows.tsv.gz", "--from"), input_format("-"), input_format("/dev/fd/3")
('tsv', 'csv', 'csv')
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BufferedIOBase, TextIOWrapper
from pathlib import PurePath
from stat import S_ISREG
from typing import BinaryIO, cast

from autodiff.errors import AutodiffError, quoted
from autodiff.tables import filesystems
from autodiff.tables.packed import PACKED, unpacked
from autodiff.tables.text import DELIMITERS, Table

FORMATS = {
    "csv": "csv", "tsv": "tsv", "tab": "tsv", "ndjson": "ndjson", "jsonl": "ndjson",
    "parquet": "parquet", "arrow": "arrow", "feather": "arrow", "arrows": "arrow",
}  # fmt: skip
"""The format of a file by its extension."""

TEXTS = ("", "txt", "dat", "data")
"""Extensions of a file that is read as CSV; no other one is guessed."""

CONVERTED = {
    "json": "write one object a line, as jq -c '.[]' does; where it has that already, add --from ndjson",
    "zip": "unpack it, and give --data the table in it",
} | dict.fromkeys(
    ("xlsx", "xls", "ods", "sav", "dta", "sas7bdat", "rds"), "save it as CSV with the program that wrote it"
)
"""The next step for files that are not read, by their extension."""

NO_TABLE = "pipe a table into it, or give --data a file"
"""The next step where a table was to come from stdin, and that is closed."""


def format_of(path: str, option: str = "") -> str:
    """The format of a file by its name. Raises AutodiffError where the name has no known ending; `option` is the next step."""
    extension = _extension(path)
    if extension not in FORMATS:
        known = ", ".join(sorted(set(FORMATS.values())))
        advice = f"add {option} with one of {known}" if option else f"end its name with .{', .'.join(sorted(FORMATS))}"
        raise AutodiffError(f"{quoted(path, 200)} does not tell its format", hint=advice)
    return FORMATS[extension]


def input_format(path: str) -> str:
    """The format of a table to read, `-` for stdin. Raises AutodiffError where its name has an unknown ending."""
    if path == "-" or _extension(path) in TEXTS:
        return "csv"
    if advice := CONVERTED.get(_extension(path)):
        raise AutodiffError(f"{quoted(path, 200)} is of a kind that is not read", hint=advice)
    return format_of(path, "--from")


def is_table(path: str) -> bool:
    """Whether a file's name ends as that of a table does."""
    return _extension(path) in FORMATS


def _extension(path: str) -> str:
    name = PurePath(path)
    name = name.with_suffix("") if name.suffix.lower() in PACKED else name
    return name.suffix.removeprefix(".").lower()


@contextmanager
def opened(path: str, form: str | None = None, *, keep: bool = False, name: str = "") -> Iterator[Table]:
    """The table in a file, or on stdin for `-`, read on while its chunks are asked for; with `keep` to be passed through.

    `name` is what errors call it. Without a format the path decides, and the header of CSV decides what is between cells: a comma, a tab or a semicolon.
    Bytes that are no UTF-8 stay what they are: such a cell is no number, and is passed through unchanged.
    """
    name = name or ("stdin" if path == "-" else path)
    given, form = form, form or input_format(path)
    file = filesystems.open_stdin(NO_TABLE) if path == "-" else filesystems.open_to_read(path, name)
    try:
        content = unpacked(file, path)
        delimiter = DELIMITERS.get(form, "") if given or form != "csv" else ""
        with _table(content, name, form, delimiter, keep=keep) as table:
            yield replace(table, read=_read(file))
    finally:
        if path != "-":
            file.close()
        if pyarrow := sys.modules.get("pyarrow"):
            pyarrow.default_memory_pool().release_unused()  # what was read is no longer in it, but as large


@contextmanager
def _table(content: BinaryIO, name: str, form: str, delimiter: str, *, keep: bool) -> Iterator[Table]:
    if form not in (*DELIMITERS, "ndjson"):
        from autodiff.tables import arrow  # PyArrow is an extra

        yield arrow.table(content, name, form)
    elif form == "ndjson":
        from autodiff.tables.ndjson import lines_of_json  # CSV does without it

        stream = TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape", newline="")
        try:
            yield lines_of_json(stream, name, keep=keep)
        finally:
            stream.detach()  # closed with it, stdin would be closed too
    else:
        from autodiff.tables import csv_blocks  # as above

        yield csv_blocks.table(cast("BufferedIOBase", content), name, delimiter, keep=keep)


def _read(content: BinaryIO) -> Callable[[], float] | None:
    """The share of a file that was read, as a function; None for a pipe or a device, whose size is unknown."""
    try:
        status = os.fstat(content.fileno())
    except OSError:  # a stream that is no file
        return None
    size = status.st_size if S_ISREG(status.st_mode) else 0
    return (lambda: min(content.tell() / size, 1.0)) if size else None
