"""Parquet and Arrow files by PyArrow, with their types, in chunks.

>>> import io, pyarrow
>>> page = io.BytesIO()
>>> with writer("arrow", page) as write:
...     write({"x": pyarrow.array([1, None])})
>>> points = table(io.BytesIO(page.getvalue()), "points.arrow", "arrow")
>>> points.names, [numbers(chunk.cells["x"]).tolist() for chunk in points.chunks(["x"])]
(('x',), [[1.0, nan]])
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO, cast

from autodiff.errors import data_error, quoted, shortened
from autodiff.libraries import library
from autodiff.tables import text as rows
from autodiff.tables.text import CHUNK, Chunk, Statuses, Table, Written, twice

Column = Any
"""An array of PyArrow, which has no type information."""

_SHORT_CHUNKS, _NARROW = 16, 16
"""Chunks of CHUNK rows before there are four times as many rows in each, and columns at most for that."""


def table(content: BinaryIO, name: str, form: str) -> Table:
    """The table in a Parquet or Arrow file. Raises AutodiffError where it is none, and where PyArrow is missing."""
    pa = library("pyarrow", form.capitalize())
    batches: Callable[[Sequence[str]], Iterable[Any]]
    try:
        if form == "parquet":
            if not content.seekable():
                raise data_error(
                    "Parquet is read from its end, so it can't come through a pipe or compressed",
                    hint="give the name of the file itself, or send the Arrow format: --from arrow",
                )
            file = library("pyarrow.parquet", "Parquet").ParquetFile(content)
            names, rows, batches = file.schema_arrow.names, file.metadata.num_rows, partial(_of_parquet, file)
        else:
            names, all_batches = _ipc(pa, content)
            rows, batches = None, lambda _: all_batches
    except (pa.ArrowException, OSError) as error:
        raise data_error(f"{quoted(name, 200)} is no {form.capitalize()} file: {_first_line(error)}") from None
    if again := twice(names):
        raise data_error(f"{quoted(name, 200)}: column {quoted(again[0])} is there twice", hint="rename one of them")
    return Table(name, tuple(names), partial(_chunks, pa, batches, name), unit="row", rows=rows)


def numbers(column: Column) -> Any:
    """A column as floats; NaN where a cell is no number."""
    types = library("pyarrow", "this file").types
    kind = column.type
    if types.is_dictionary(kind):
        return numbers(column.dictionary_decode())
    if types.is_boolean(kind):
        column, kind = column.cast("int8"), None
    if kind is None or types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind):
        return floats(column if kind is not None and types.is_float64(kind) else column.cast("float64", safe=False))
    if types.is_string(kind) or types.is_large_string(kind):
        values = _of_texts(column)
        if values is not None:
            return values
    if types.is_temporal(kind):
        return library("numpy", "this file").full(len(column), float("nan"))
    return rows.numbers(cells(column))


def cells(column: Column) -> list[Any]:
    """A column's cells as Python's values. Texts stand for what Python has no value for: bytes, nanoseconds of a time, times
    before the year 1 and after 9999; a time in a zone that this machine does not know is one in UTC.
    """
    pa = library("pyarrow", "this file")
    kind = column.type
    cuts = pa.types.is_time64(kind) and kind.unit == "ns"
    if not (cuts or pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)):
        try:
            return cast("list[Any]", column.to_pylist())
        except (OverflowError, ValueError, KeyError):  # as PyArrow raises them for such times
            pass
    return [cell(scalar) for scalar in column]


def cell(scalar: Any) -> Any:
    """A cell of a column as `cells` has it. Raises AutodiffError for a time within a list or a struct that has no text."""
    pa = library("pyarrow", "this file")
    kind, text = scalar.type, ""
    try:
        value = scalar.as_py()
        if isinstance(value, bytes):
            return value.decode("utf-8", "surrogateescape")  # other bytes stay what they are when the text is written
        if not (pa.types.is_time64(kind) and kind.unit == "ns" and value is not None and scalar.value % 1000):
            return value
    except (OverflowError, ValueError, KeyError):
        pass
    try:
        text = scalar.cast("string").as_py()
    except pa.ArrowException:
        if pa.types.is_timestamp(kind) and kind.tz not in (None, "UTC"):
            return cell(scalar.cast(pa.timestamp(kind.unit, "UTC")))
    if not text:
        raise data_error(
            f"a cell of the type {shortened(str(kind))} has no text", hint="keep it with --to parquet or --to arrow"
        )
    if text.startswith("<"):  # beyond the years that PyArrow writes
        return scalar.value
    text = re.sub(r"\.0+(?!\d)", "", text).replace("Z", "+00:00")
    return re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text) if pa.types.is_timestamp(kind) and kind.tz else text


def repeated(value: Any, rows: int) -> Column:
    """A column with the same value in every row."""
    return library("pyarrow", "this file").repeat(value, rows)


def floats(column: Column) -> Any:
    """An array of float64 as one of NumPy, NaN for null; PyArrow's own way loads pandas, which takes half a second."""
    np = library("numpy", "this file")
    valid, data = column.buffers()
    if data is None:
        return np.full(len(column), np.nan)
    values = np.frombuffer(data, np.float64)[column.offset : column.offset + len(column)]
    if not column.null_count:
        return values
    bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")
    return np.where(bits[column.offset : column.offset + len(column)], values, np.nan)


def of_floats(values: Any) -> Column:
    """NumPy's float64 as an array, null for NaN."""
    np, pa = library("numpy", "this file"), library("pyarrow", "this file")
    values = np.ascontiguousarray(values, np.float64)
    number = values == values
    valid = None if number.all() else pa.py_buffer(np.packbits(number, bitorder="little"))
    return pa.Array.from_buffers(pa.float64(), len(values), [valid, pa.py_buffer(values)])


def of_texts(texts: Sequence[str]) -> Column:
    """Texts as an array."""
    np = library("numpy", "this file")
    cells = [text.encode("utf-8", "surrogateescape") for text in texts]
    ends = np.zeros(len(cells) + 1, np.int32)
    np.cumsum([len(cell) for cell in cells], out=ends[1:])
    return _of_bytes(ends, b"".join(cells))


def _of_bytes(ends: Any, content: bytes) -> Column:
    pa = library("pyarrow", "this file")
    return pa.Array.from_buffers(pa.string(), len(ends) - 1, [None, pa.py_buffer(ends), pa.py_buffer(content)])


def of_conditions(values: Any) -> Column:
    """NumPy's truth values as an array."""
    np, pa = library("numpy", "this file"), library("pyarrow", "this file")
    bits = pa.py_buffer(np.packbits(values, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, bits])


def bytes_of(column: Column) -> bytes:
    """All texts of an array, one behind the other."""
    _, ends, data = column.buffers()
    if data is None:
        return b""
    places = memoryview(ends).cast("i")
    return bytes(memoryview(data)[places[column.offset] : places[column.offset + len(column)]])


def _of_texts(column: Column) -> Any:
    """Texts as floats, NaN for an empty one; None where there is another that PyArrow finds no number in."""
    pa, compute = library("pyarrow", "this file"), library("pyarrow.compute", "this file")
    try:
        return _not_vanished(column, floats(column.cast("float64")))
    except pa.ArrowInvalid:
        filled = compute.if_else(compute.equal(column, ""), None, column)
    try:
        return _not_vanished(filled, floats(filled.cast("float64")))
    except pa.ArrowInvalid:
        return None


def _not_vanished(column: Column, values: Any) -> Any:
    """The numbers, NaN where the text is none that float64 has, such as 1e-400."""
    zero = values == 0
    if not zero.any():
        return values
    pa, compute = library("pyarrow", "this file"), library("pyarrow.compute", "this file")
    texts = column.filter(pa.array(zero))
    if compute.max(compute.binary_length(texts)).as_py() < len("1e-324"):  # as of nearly all that are 0
        return values
    vanished = zero.copy()
    vanished[zero] = compute.match_substring_regex(texts, rows.VANISHING).to_numpy(zero_copy_only=False)
    values = values.copy()
    values[vanished] = float("nan")
    return values


def statuses(column: Statuses) -> Column:
    """The statuses as an array of texts."""
    if column.hard:
        return of_texts(list(column))
    np, rows = library("numpy", "this file"), len(column)
    return _of_bytes(np.arange(0, 2 * rows + 1, 2, dtype=np.int32), b"ok" * rows)


def columns_of(stream: bytes) -> Iterator[dict[str, Column]]:
    """The columns of each batch in the bytes of an Arrow stream; without rows where it has none."""
    reader = library("pyarrow.ipc", "Arrow").open_stream(stream)
    names, batches = reader.schema.names, 0
    for batch in reader:
        batches += 1
        yield dict(zip(names, batch.columns, strict=True))
    if not batches:
        yield dict(zip(names, (column.combine_chunks() for column in reader.schema.empty_table().columns), strict=True))


@contextmanager
def writer(form: str, stream: BinaryIO) -> Iterator[Callable[[Mapping[str, Sequence[Any]]], None]]:
    """The function that writes rows to `stream`; the first rows decide the types."""
    pa = library("pyarrow", form.capitalize())
    opened: list[tuple[Any, Any]] = []  # the schema and the open file, once there are rows

    def write(columns: Mapping[str, Sequence[Any]]) -> None:
        schema = opened[0][0] if opened else None
        fields = [None] * len(columns) if schema is None else [field.type for field in schema]
        arrays = [_array(pa, name, column, kind) for (name, column), kind in zip(columns.items(), fields, strict=True)]
        batch = pa.record_batch(arrays, names=list(columns))
        if not opened:
            opened.append((batch.schema, _opened(form, stream, batch.schema)))
        opened[0][1].write_batch(batch)

    try:
        yield write
    finally:
        if opened:
            opened[0][1].close()


def _opened(form: str, stream: BinaryIO, schema: Any) -> Any:
    if form == "parquet":  # a dictionary of numbers that are nearly all different takes longer than the numbers
        kinds = library("pyarrow", "Parquet").types
        repeated = [field.name for field in schema if not kinds.is_floating(field.type)]
        return library("pyarrow.parquet", "Parquet").ParquetWriter(stream, schema, use_dictionary=repeated or False)
    return library("pyarrow.ipc", "Arrow").new_stream(stream, schema)


def _array(pa: Any, name: str, column: Any, kind: Any) -> Column:
    """A column in the type that the file has for it: numbers (NaN becomes null), texts, or the type that PyArrow infers."""
    if isinstance(column, pa.Array):
        return column if kind in (None, column.type) else _cast(pa, name, column, kind)
    if hasattr(column, "dtype"):
        return of_floats(column)
    if isinstance(column, Statuses):
        return statuses(column)
    cells = [cell.value if isinstance(cell, Written) else cell for cell in column]
    if kind is None and all(cell is None or isinstance(cell, str) for cell in cells):
        kind = pa.string()
    try:
        return pa.array(cells, kind)
    except (pa.ArrowException, UnicodeEncodeError, OverflowError) as error:
        raise data_error(
            f"column {quoted(name)} has no one type to be kept with: {_first_line(error)}",
            hint="write a text instead: --to csv or --to ndjson",
        ) from None


def _cast(pa: Any, name: str, column: Column, kind: Any) -> Column:
    """A column of a further file in the type that the first one has."""
    try:
        return column.cast(kind)
    except pa.ArrowException as error:
        raise data_error(
            f"column {quoted(name)} is {kind} in the first file and {column.type} in another: {_first_line(error)}",
            hint="write a text instead: --to csv or --to ndjson",
        ) from None


def _ipc(pa: Any, content: BinaryIO) -> tuple[Sequence[str], Iterable[Any]]:
    """The column names and batches of an Arrow file, or of an Arrow stream, which a pipe can carry."""
    ipc = library("pyarrow.ipc", "Arrow")
    if content.seekable():
        try:
            file = ipc.open_file(content)
            return file.schema.names, (file.get_batch(k) for k in range(file.num_record_batches))
        except pa.ArrowInvalid:
            content.seek(0)
    stream = ipc.open_stream(content)
    return stream.schema.names, stream


def _of_parquet(file: Any, wanted: Sequence[str]) -> Iterator[Any]:
    size = 4 * CHUNK if len(wanted) <= _NARROW else CHUNK
    return cast("Iterator[Any]", file.iter_batches(batch_size=size, columns=list(wanted)))


def _chunks(
    pa: Any, batches: Callable[[Sequence[str]], Iterable[Any]], name: str, wanted: Sequence[str]
) -> Iterator[Chunk]:
    done = 0
    try:
        for batch in batches(wanted):
            # what a chunk costs, whatever its size, is lost in longer ones; the first results come from short ones
            size = 4 * CHUNK if done >= _SHORT_CHUNKS * CHUNK and len(wanted) <= _NARROW else CHUNK
            for start in range(0, batch.num_rows, size):
                part = batch.slice(start, size)
                cells = dict(zip(part.schema.names, part.columns, strict=True))
                yield Chunk(
                    range(done + 1, done + 1 + part.num_rows), {column: cells[column] for column in wanted}, numbers
                )
                done += part.num_rows
    except (pa.ArrowException, OSError) as error:
        raise data_error(f"{shortened(name, 200)}, row {done + 1}: can't be read: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return shortened(str(error).partition("\n")[0], 200)
