"""The answers of many parts in one file, in order.

>>> import io
>>> page = io.BytesIO()
>>> joined_parts([b"x\\n1\\n", b"2\\n"], "csv", page); page.getvalue()
b'x\\n1\\n2\\n'
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from autodiff.batch.table import filled
from autodiff.tables.text import DELIMITERS
from autodiff.tables.writer import writer


def joined_parts(parts: Iterable[bytes], form: str, stream: BinaryIO) -> None:
    """Write the parts one behind the other: lines of text as they are, and Arrow streams in the format `form`."""
    if form in (*DELIMITERS, "ndjson"):
        for part in parts:
            stream.write(part)
        return
    from autodiff.tables import arrow  # text does without PyArrow

    with writer(form, stream) as write:
        for columns in filled(columns for part in parts for columns in arrow.columns_of(part)):
            write(columns)
