"""CSV and TSV by PyArrow's reader, block by block; what is not plain, the plain reader reads, so that all of it means the same.

The plain reader is that of `text`, with nothing but Python; without PyArrow it reads every block.

>>> import io
>>> points = table(io.BytesIO(b"x,y\\n" + b"1,2\\n" * 20_000), "points.csv", ",")
>>> [(len(chunk.lines), type(chunk.cells["y"]).__name__) for chunk in points.chunks(["y"])]
[(20000, 'DoubleArray')]

Blocks end where lines do. PyArrow reads those in which lines are rows and quotes enclose whole cells; where it finds
cells missing, text that is not UTF-8, or other than a row for each line, the block is read again with care.
"""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from io import BufferedIOBase, StringIO
from itertools import chain
from typing import Any

from autodiff.libraries import has, library
from autodiff.tables import arrow
from autodiff.tables import text as rows
from autodiff.tables.text import Chunk, Table

BLOCK = 1 << 18
"""Bytes that are read at a time at first: some ten thousand rows."""

SMALL_BLOCKS = 16
"""Blocks of that size at the beginning of a text; all further ones have four times as many bytes, which parse faster."""

LEAST = 1 << 15
"""Bytes from which on PyArrow earns the time that it takes to load."""

AHEAD = 4
"""Blocks of a file that are read and parsed, on other cores, while an earlier one is used."""

_LINE = 1 << 17
"""Bytes of a line up to which it is plain: one that is longer is read with care."""

_MARK = b"\xef\xbb\xbf"

_NAMED_DELIMITER = re.compile(rb'"?sep=([,;:|\t ])"?\r?\n', re.IGNORECASE)
"""A first line that says to Excel what is between cells."""


def table(content: BufferedIOBase, name: str, delimiter: str = "", *, keep: bool = False) -> Table:
    """A table of CSV or TSV; its first line names the columns. An empty line is no row, or an only column's empty cell.

    Without a delimiter the first line decides, which may be `sep=;`: see `text.delimiter_of`. Unless its cells are to be kept, blocks of numbers
    only are read as numbers.
    """
    pages = _Pages(content, name, delimiter)
    first = pages.rows()
    names = rows.header(first, name)
    return Table(name, names, partial(_chunks, pages, first, names, keep))


class _Pages:
    """A text in blocks of whole lines, and how many of its lines were read."""

    def __init__(self, content: BufferedIOBase, name: str, delimiter: str) -> None:
        self.name, self.line, self.is_file = name, 0, _is_file(content)
        blocks: Iterator[bytes] = (
            block if k else block.removeprefix(_MARK) for k, block in enumerate(_blocks(content))
        )
        if not delimiter:
            first = rows.next_part(blocks, b"", name, 1)
            if named := _NAMED_DELIMITER.fullmatch(first):
                delimiter, self.line = named[1].decode(), 1
            else:
                delimiter, blocks = rows.delimiter_of(first.decode("utf-8", "replace")), chain([first], blocks)
        self.delimiter, self.blocks = delimiter, blocks
        self._page, self._end = StringIO(), 0

    def rows(self, *begun: bytes) -> Iterator[tuple[int, list[str]]]:
        """The rows by the plain reader, from the block `begun` on, up to one with cells that ends where a block does."""
        pages = map(self._opened, chain(begun, self.blocks))
        for line, cells in rows.records(chain.from_iterable(pages), self.name, self.delimiter, self.line):
            self.line = line
            yield line, cells
            if cells and self._page.tell() == self._end:
                return

    def _opened(self, block: bytes) -> StringIO:
        text = block.decode("utf-8", "surrogateescape")
        self._page, self._end = StringIO(text, newline=""), len(text)
        return self._page


def _chunks(
    pages: _Pages, first: Iterator[tuple[int, list[str]]], names: tuple[str, ...], keep: bool, wanted: Sequence[str]
) -> Iterator[Chunk]:
    yield from rows.chunks(rows.even(first, names), names, wanted)
    has_texts, by_pyarrow = keep, has("pyarrow")

    def parse(block: bytes) -> Cells | None:
        nonlocal has_texts
        if not by_pyarrow or len(block) < LEAST:
            return None
        cells = None if has_texts else _cells(block, pages.delimiter, names, wanted, "float64")
        if cells is None and (cells := _cells(block, pages.delimiter, names, wanted, "string")):
            has_texts = True  # those behind this block are not tried as numbers any more
        return cells

    with _ahead(pages, parse) if by_pyarrow and pages.is_file else nullcontext(parse) as cells_of:
        while block := rows.next_part(pages.blocks, b"", pages.name, pages.line + 1):
            if (block_cells := cells_of(block)) is None:
                yield from rows.chunks(rows.even(pages.rows(block), names), names, wanted)
                continue
            lines, cells = block_cells
            yield Chunk(range(pages.line + 1, pages.line + 1 + lines), cells, arrow.numbers)
            pages.line += lines


Cells = tuple[int, dict[str, Any]]
"""How many rows, and their cells as arrays of PyArrow: of numbers, or of texts."""


@contextmanager
def _ahead(pages: _Pages, parse: Callable[[bytes], Cells | None]) -> Iterator[Callable[[bytes], Cells | None]]:
    """Read and parse blocks on other cores, before they are asked for: the function gives what `parse` makes of the last one."""
    from concurrent.futures import Future, ThreadPoolExecutor

    waiting, latest = deque[tuple[bytes, Future[Any]]](), deque[Future[Any]](maxlen=1)

    def first() -> bytes:
        block, future = waiting.popleft()
        latest.append(future)
        return block

    def blocks(unread: Iterator[bytes], pool: ThreadPoolExecutor) -> Iterator[bytes]:
        failure = None
        try:
            for block in unread:
                waiting.append((block, pool.submit(parse, block)))
                if len(waiting) == AHEAD:
                    yield first()
        except Exception as error:  # it counts when the blocks before it are used
            failure = error
        while waiting:
            yield first()
        if failure is not None:
            raise failure

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        pages.blocks = blocks(pages.blocks, pool)
        yield lambda _: latest[0].result()


def _is_file(content: BufferedIOBase) -> bool:
    """Whether it is a regular file of more than a few blocks, reading which never waits for a writer."""
    try:
        status = os.fstat(content.fileno())
    except (OSError, AttributeError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > 2 * AHEAD * BLOCK


def _blocks(content: BufferedIOBase) -> Iterator[bytes]:
    """The first line as soon as it is there, then whole lines, of about BLOCK bytes together or, later, four times as many.

    Raises OSError, and RowTooLong for a line that does not end, when the whole lines before it are handed out.
    """
    pending, searched, begun, count, size = bytearray(), 0, False, 0, BLOCK
    try:
        while more := content.read1(size):
            pending += more
            count += len(more)
            size = BLOCK if count < SMALL_BLOCKS * BLOCK else 4 * BLOCK
            if not begun and (end := pending.find(b"\n", searched) + 1):
                begun = True
                yield _taken(pending, end)
            if len(pending) >= size:
                if end := _end(pending, searched):
                    yield _taken(pending, end)
                searched = max(len(pending) - 1, 0)
            if len(pending) > rows.LONGEST:
                raise rows.RowTooLong
    except OSError:
        if end := _end(pending, searched):
            yield _taken(pending, end)
        raise
    yield bytes(pending)


def _taken(pending: bytearray, end: int) -> bytes:
    """The first bytes of a buffer, which are removed from it."""
    with memoryview(pending) as view:
        block = bytes(view[:end])
    del pending[:end]
    return block


def _end(text: bytearray, start: int) -> int:
    """Where the last whole line ends; a carriage return at the very end may be half of one."""
    return max(text.rfind(b"\n", start), text.rfind(b"\r", start, len(text) - 1)) + 1


def _cells(block: bytes, delimiter: str, names: Sequence[str], wanted: Sequence[str], kind: str) -> Cells | None:
    """The rows of a block; None where cells are not of this kind, and for a block that the plain reader must read."""
    if not _is_plain(block, delimiter):
        return None
    pa = library("pyarrow", "--data")
    place = {name: str(k) for k, name in enumerate(names)}
    try:
        parsed = _parsed(pa, block, delimiter, len(names), [place[name] for name in wanted] or ["0"], kind)
    except pa.ArrowInvalid:
        return None
    may_be_empty = kind == "string" or parsed.column(0).null_count  # PyArrow finds no cell in an empty line
    if len(names) > 1 and may_be_empty and _has_empty_line(block):
        return None
    cells = {name: pa.concat_arrays(parsed.column(place[name]).chunks) for name in wanted}
    if kind == "string" or _are_read_as_written(cells.values(), block):
        return parsed.num_rows, cells
    return None


def _has_empty_line(block: bytes) -> bool:
    """Whether a line of a plain block is empty."""
    np = library("numpy", "--data")
    text = np.frombuffer(b"\n" + block, np.uint8)
    ends = text == ord("\n")
    return bool((ends[:-1] & (ends[1:] | (text[1:] == ord("\r")))).any())


def _are_read_as_written(columns: Iterable[Any], block: bytes) -> bool:
    """Whether numbers say what their texts do: none is infinite or NaN by its text, and none is too small for float64."""
    np = library("numpy", "--data")
    zeros = False
    for column in columns:
        values = arrow.floats(column)
        finite = np.isfinite(values)
        if not finite.all() and np.count_nonzero(finite) + column.null_count < len(values):
            return False
        zeros = zeros or not values.all()
    return not (zeros and _may_vanish(block))


def _may_vanish(block: bytes) -> bool:
    """Whether a number may be below 5e-324: its text has an exponent of three digits, or hundreds of zeros."""
    if b"0" * 200 in block:  # one of two ways to write 0.000…01 needs so many
        return True
    return any(tiny.search(block) for sign, tiny in _EXPONENTS if sign in block)


_EXPONENTS = (b"e", re.compile(rb"e-\d{3}")), (b"E", re.compile(rb"E-\d{3}"))
"""A letter that is rarely in a block of numbers is found sooner than the pattern that begins with it."""


def _parsed(pa: Any, block: bytes, delimiter: str, width: int, columns: list[str], kind: str) -> Any:
    """Those of the `width` columns, which are called 0, 1, …, as texts, or as numbers, null for an empty cell."""
    reader = library("pyarrow.csv", "--data")
    return reader.read_csv(
        pa.BufferReader(block),
        reader.ReadOptions(column_names=[str(k) for k in range(width)], block_size=len(block) + 1, use_threads=False),
        reader.ParseOptions(delimiter=delimiter, quote_char='"' if b'"' in block else False, ignore_empty_lines=False),
        reader.ConvertOptions(column_types=dict.fromkeys(columns, kind), include_columns=columns, null_values=[""]),
    )


def _is_plain(block: bytes, delimiter: str) -> bool:
    """Whether lines end alike, none is too long for the plain reader, and every quote opens or ends a cell within a line."""
    width = _LINE // 2  # a line that is longer fills one of these
    return (
        b"\0" not in block
        and (b"\r" not in block or block.count(b"\r") == block.count(b"\r\n"))
        and all(block.find(b"\n", k, k + width) >= 0 for k in range(0, len(block) - width, width))
        and (b'"' not in block or _is_quoted_plainly(block, delimiter))
    )


def _is_quoted_plainly(block: bytes, delimiter: str) -> bool:
    np = library("numpy", "--data")
    text = np.frombuffer(b"\n" + block + b"\n", np.uint8)
    quotes, ends = np.flatnonzero(text == ord('"')), np.flatnonzero(text == ord("\n"))
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    begins = np.isin(text[opening - 1], (ord(delimiter), ord("\n"))).all()
    stops = np.isin(text[closing + 1], (ord(delimiter), ord("\n"), ord("\r"))).all()
    return bool(begins and stops and (np.searchsorted(ends, opening) == np.searchsorted(ends, closing)).all())
