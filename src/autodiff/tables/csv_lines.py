"""Rows as lines of CSV or TSV by PyArrow, to the byte what the csv module writes for us.

>>> import numpy as np
>>> columns = {"f": np.array([1.0, np.nan, 1e-7]), "status": Statuses(3, {1: "domain"})}
>>> bytes(written(columns, ",") or b"")
b'1,ok\\n,domain\\n1e-07,ok\\n'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from autodiff.tables import arrow
from autodiff.tables.optional import library
from autodiff.tables.text import Statuses, spelled

Texts = Any
"""An array of PyArrow with the texts of some cells, or one text for all of them."""


def written(columns: Mapping[str, Sequence[Any]], delimiter: str) -> memoryview | None:
    """The lines of the rows, without a header; None where a column is one that PyArrow spells in another way."""
    compute = library("pyarrow.compute", "--data")
    texts = [_texts(column, delimiter) for column in columns.values()]
    if any(each is None for each in texts):
        return None
    join = partial(compute.binary_join_element_wise, null_handling="replace")
    found = join(*texts[:-1], join(texts[-1], "", "\n"), delimiter)
    _, ends, data = found.buffers()
    return memoryview(data)[: memoryview(ends).cast("i")[len(found)]]


def _texts(column: Any, delimiter: str) -> Texts | None:
    """A column's cells as texts of a line; null, and NaN of a result, is an empty one."""
    pa = library("pyarrow", "--data")
    if isinstance(column, Statuses):
        return arrow.statuses(column) if column.hard else "ok"
    if hasattr(column, "dtype"):
        return _numbers(column, pa.array(column, from_pandas=True).cast("string"))
    if not isinstance(column, pa.Array):
        return None
    if pa.types.is_float64(column.type):
        return _numbers(column.to_numpy(zero_copy_only=False), column.cast("string"))
    if pa.types.is_integer(column.type):
        return column.cast("string")
    return column if pa.types.is_string(column.type) and _unquoted(column, delimiter) else None


def _numbers(column: Any, texts: Texts) -> Texts:
    """PyArrow's texts in our spelling. Both are the shortest that name the number, and most are alike.

    PyArrow has `1.5e+10`, `0.00001` and `1e-7`, where we have `15000000000`, `1e-05` and `1e-07`.
    """
    np, pa = library("numpy", "--data"), library("pyarrow", "--data")
    compute = library("pyarrow.compute", "--data")
    size = np.abs(column)
    other = ((size >= 1e-9) & (size < 1e-4)) | ((size >= 1e10) & (size < 1e16))
    if other.any():
        ours = pa.array(map(spelled, column[other].tolist()), pa.string())
        texts = compute.replace_with_mask(texts, pa.array(other), ours)
    return texts


def _unquoted(column: Any, delimiter: str) -> bool:
    """Whether no text of the column needs quotes in a line."""
    _, ends, data = column.buffers()
    if data is None:
        return True
    places = memoryview(ends).cast("i")
    text = bytes(memoryview(data)[places[column.offset] : places[column.offset + len(column)]])
    return not any(sign in text for sign in (delimiter.encode(), b'"', b"\n", b"\r"))
