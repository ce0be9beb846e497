"""Where a table comes from: a file or stdin, in the format that was asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from io import BufferedIOBase, TextIOWrapper
from stat import S_ISREG
from typing import BinaryIO, cast

from autodiff.errors import DATA, AutodiffError, quoted
from autodiff.tables import stdin
from autodiff.tables.optional import has
from autodiff.tables.text import DELIMITERS, Table, delimited, lines_of_json


@contextmanager
def opened(path: str, form: str, *, keep: bool = False) -> Iterator[Table]:
    """The table in a file, or on stdin for `-`, read on while its chunks are asked for; with `keep` to be passed through.

    Bytes that are no UTF-8 stay what they are: such a cell is no number, and is passed through unchanged.
    """
    name = "stdin" if path == "-" else path
    try:
        content: BinaryIO = stdin.opened(stdin.TABLE) if path == "-" else open(path, "rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise AutodiffError(f"can't read {quoted(path, 200)}: {error.strerror}", exit_status=DATA) from None
    except ValueError:
        raise AutodiffError(f"{quoted(path, 200)} is no file name", exit_status=DATA) from None
    try:
        with _table(content, name, form, keep=keep) as table:
            yield replace(table, read=_read(content))
    finally:
        if path != "-":
            content.close()


@contextmanager
def _table(content: BinaryIO, name: str, form: str, *, keep: bool) -> Iterator[Table]:
    if form not in (*DELIMITERS, "ndjson"):
        from autodiff.tables import arrow  # PyArrow is an extra

        yield arrow.table(content, name, form)
    elif form in DELIMITERS and has("pyarrow"):
        from autodiff.tables import csv_blocks  # as above

        yield csv_blocks.table(cast("BufferedIOBase", content), name, DELIMITERS[form])
    else:
        stream = TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape", newline="")
        try:
            if form == "ndjson":
                yield lines_of_json(stream, name, keep=keep)
            else:
                yield delimited(stream, name, DELIMITERS[form])
        finally:
            stream.detach()  # closed with it, stdin would be closed too


def _read(content: BinaryIO) -> Callable[[], float] | None:
    """What tells how much of a file was read; None for a pipe and a device, whose end nobody knows."""
    try:
        status = os.fstat(content.fileno())
    except OSError:  # a stream that is no file
        return None
    return partial(_part, content, status.st_size) if S_ISREG(status.st_mode) and status.st_size else None


def _part(content: BinaryIO, size: int) -> float:
    return min(content.tell() / size, 1.0)
