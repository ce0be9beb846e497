"""Where a table comes from: a file or stdin, in the format that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase, TextIOWrapper
from typing import cast

from autodiff.data.extra import has
from autodiff.data.rows import DELIMITERS, Table, delimited, lines_of_json
from autodiff.errors import DATA, AutodiffError, quoted


@contextmanager
def opened(path: str, form: str) -> Iterator[Table]:
    """The table in a file, or on stdin for `-`, read on while its chunks are asked for.

    Bytes that are no UTF-8 stay what they are: such a cell is no number, and is passed through unchanged.
    """
    name = "stdin" if path == "-" else path
    try:
        content = sys.stdin.buffer if path == "-" else open(path, "rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise AutodiffError(f"can't read {quoted(path, 200)}: {error.strerror}", exit_status=DATA) from None
    except ValueError:
        raise AutodiffError(f"{quoted(path, 200)} is no file name", exit_status=DATA) from None
    if form not in (*DELIMITERS, "ndjson"):
        from autodiff.data import arrow  # PyArrow is an extra

        try:
            yield arrow.table(content, name, form)
        finally:
            content.close()
        return
    if form in DELIMITERS and has("pyarrow"):
        from autodiff.data import blocks  # the plain reader needs no NumPy

        try:
            yield blocks.table(cast("BufferedIOBase", content), name, DELIMITERS[form])
        finally:
            if path != "-":
                content.close()
        return
    stream = TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield lines_of_json(stream, name) if form == "ndjson" else delimited(stream, name, DELIMITERS[form])
    finally:
        stream.detach()
        if path != "-":
            content.close()
