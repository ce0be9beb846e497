"""Rows as lines of CSV, TSV or NDJSON by PyArrow, to the byte what `writer.written` makes of them cell by cell.

>>> import numpy as np
>>> columns = {"f": np.array([1.0, np.nan, 1e-7]), "status": Statuses(3, {1: "domain"})}
>>> bytes(written(columns, "csv") or b"")
b'1,ok\\n,domain\\n1e-07,ok\\n'
>>> bytes(written(columns, "ndjson") or b"").splitlines()[1]
b'{"f": null, "status": "domain"}'
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autodiff.libraries import library
from autodiff.tables import arrow
from autodiff.tables.text import DELIMITERS, Statuses, spelled

Texts = Any
"""An array of PyArrow with the texts of some cells, or one text for all of them."""


def written(columns: Mapping[str, Sequence[Any]], form: str) -> memoryview | None:
    """The lines of the rows, without a header; None where a column is one that PyArrow spells in another way."""
    compute = library("pyarrow.compute", "--data")
    is_json = form not in DELIMITERS
    texts = [_texts(column, _JSON if is_json else _quoted_in(DELIMITERS[form]), is_json) for column in columns.values()]
    if any(cells is None for cells in texts):
        return None
    if is_json:
        names = [f", {json.dumps(name, ensure_ascii=False)}: " for name in columns]
        names[0] = "{" + names[0].removeprefix(", ")
        parts = [part for name, cells in zip(names, texts, strict=True) for part in (_same(name), cells)]
        parts, between, empty = [*parts, _same("}\n")], "", "null"
    else:
        last = compute.binary_join_element_wise(texts[-1], *map(_same, ("", "\n")), null_handling="replace")
        parts, between, empty = [*texts[:-1], last], DELIMITERS[form], ""
    joined = compute.binary_join_element_wise(*parts, _same(between), null_handling="replace", null_replacement=empty)
    _, ends, data = joined.buffers()
    return memoryview(data)[: memoryview(ends).cast("i")[len(joined)]]


def _same(text: str) -> Texts:
    """A text for all rows. Given Python's text itself, PyArrow would load pandas, which takes half a second."""
    return arrow.of_texts([text])[0]


def _texts(column: Any, quoted: re.Pattern[bytes], is_json: bool) -> Texts | None:
    """A column's cells as texts of a line, null for what is none, and NaN of a result; texts with `quoted` are written
    cell by cell.
    """
    pa = library("pyarrow", "--data")
    if isinstance(column, Statuses):
        return _text_cells(arrow.statuses(column), is_json) if column.hard else _same('"ok"' if is_json else "ok")
    if hasattr(column, "dtype"):
        return _numbers(column, arrow.of_floats(column).cast("string"), is_json)
    if not isinstance(column, pa.Array):
        return None
    if pa.types.is_float64(column.type):
        values = arrow.floats(column)
        if is_json and library("numpy", "--data").isfinite(values).sum() + column.null_count < len(values):
            return None  # NaN and infinities of the file, which JSON has not
        return _numbers(values, column.cast("string"), is_json)
    if pa.types.is_integer(column.type):
        return column.cast("string")
    if not pa.types.is_string(column.type) or quoted.search(arrow.bytes_of(column)):
        return None
    return _text_cells(column, is_json)


def _text_cells(column: Texts, is_json: bool) -> Texts:
    if not is_json:
        return column
    compute, quote = library("pyarrow.compute", "--data"), _same('"')
    return compute.binary_join_element_wise(quote, column, quote, _same(""), null_handling="emit_null")


def _numbers(column: Any, texts: Texts, is_json: bool) -> Texts:
    """PyArrow's texts in our spelling. Both are the shortest that name the number, and most are alike.

    PyArrow has `1.5e+10`, `0.00001` and `1e-7`, where we have `15000000000`, `1e-05` and `1e-07`; and `1`, as CSV has,
    where JSON has `1.0`.
    """
    np, compute = library("numpy", "--data"), library("pyarrow.compute", "--data")
    size = np.abs(column)
    if is_json:
        with np.errstate(invalid="ignore"):  # a signalling NaN
            whole = (size < 1e10) & (np.rint(size) == size)
        if whole.any():
            with_point = compute.binary_join_element_wise(texts, *map(_same, (".0", "")), null_handling="emit_null")
            texts = compute.if_else(arrow.of_conditions(whole), with_point, texts)
    other = ((size >= 1e-9) & (size < 1e-4)) | ((size >= 1e10) & (size < 1e16))
    if other.any():
        spelling: Callable[[float], object] = repr if is_json else spelled
        ours = arrow.of_texts([str(spelling(number)) for number in column[other].tolist()])
        texts = compute.replace_with_mask(texts, arrow.of_conditions(other), ours)
    return texts


_JSON = re.compile(rb'["\\\x00-\x1f]')
"""What JSON writes with a backslash."""


def _quoted_in(delimiter: str) -> re.Pattern[bytes]:
    """What a cell of CSV has quotes for."""
    return re.compile(rb'["\r\n' + re.escape(delimiter.encode()) + rb"]")
