"""Tables of one JSON object a line (NDJSON); the first object names the columns.

>>> import io
>>> table = lines_of_json(io.StringIO('{"x": 1, "y": true}\\n{"x": 2.5}\\n'), "points.ndjson")
>>> table.names, [[numbers(chunk.cells[name]) for name in table.names] for chunk in table.chunks(["x", "y"])]
(('x', 'y'), [[[1.0, 2.5], [1.0, nan]]])
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any, TextIO

from autodiff.errors import quoted
from autodiff.tables.text import (
    SMALL,
    Row,
    Table,
    Written,
    broken,
    chunks,
    distinct,
    kept,
    lines_of,
    next_part,
    numbers,
    twice,
)

__all__ = ["lines_of_json", "numbers"]


def lines_of_json(stream: TextIO, name: str, *, keep: bool = False) -> Table:
    """A table of one JSON object a line; the first one names the columns. Raises AutodiffError when it is none.

    With `keep` its cells are Written, and a key that the first object lacks is a fault of its row, since nothing of a row
    that is kept may be lost. Without, it is one where another key is missing, which may be the same by another name.
    """
    rows = _json_rows(stream, name, _as_written if keep else _object)
    first = next(rows, None)
    if first is None:
        return Table(name, (), lambda _: iter(()))
    if isinstance(first[1], str):
        raise broken(name, first[0], first[1], 'a row looks like {"x": 4.0, "y": 1}')
    names = first[1]
    distinct(list(names), name)

    def cells() -> Iterator[Row]:
        for line, row in chain([first], rows):
            if isinstance(row, str):
                yield line, [None] * len(names), row
                continue
            strict = keep or not names.keys() <= row.keys()
            unknown = next((key for key in row if key not in names), "") if strict else ""
            fault = f"column {quoted(unknown)} is not in the first row" if unknown else ""
            yield line, [row.get(column) for column in names], fault

    return Table(name, tuple(names), partial(chunks, cells(), tuple(names)))


def _json_rows(
    stream: TextIO, name: str, read: Callable[[str], dict[str, Any] | str]
) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """The objects, each with its line; for a line that is none, its fault."""
    line, lines = 0, lines_of(stream)
    while True:
        line += 1
        text = next_part(lines, "", name, line)
        if not text:
            return
        if text.strip():
            yield line, read(text.rstrip())


def _object(text: str) -> dict[str, Any] | str:
    try:
        row = json.loads(text, parse_constant=_no_number, object_pairs_hook=_paired)
        if isinstance(row, dict) and any(sign in text for sign in SMALL) and 0.0 in row.values():
            row = json.loads(text, parse_constant=_no_number, parse_float=kept, object_pairs_hook=_paired)
    except json.JSONDecodeError as error:
        return f"column {error.colno} is not JSON: {error.msg}"
    except (RecursionError, ValueError):
        return "is not a JSON object of numbers"
    if isinstance(row, _Doubled):
        return f"column {quoted(row.name)} is there twice"
    return row if isinstance(row, dict) else "is not a JSON object"


class _Doubled(dict[str, Any]):
    """An object that has the key `name` twice, which is a fault of a row, but not inside a cell."""

    name = ""


def _paired(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        row = _Doubled(row)
        row.name = twice(name for name, _ in pairs)[0]
    return row


def _as_written(text: str) -> dict[str, Any] | str:
    """The object with the texts of its values."""
    row = _object(text)
    if isinstance(row, str):
        return row
    cells, at, constants = dict[str, Any](), text.index("{") + 1, list[str]()
    decoder = json.JSONDecoder(parse_constant=constants.append)
    for value in row.values():  # the object is well-formed, so the next quote begins a name and a colon ends it
        name, at = decoder.raw_decode(text, text.index('"', at))
        start = _SPACE.match(text, text.index(":", at) + 1).end()  # type: ignore[union-attr]
        _, at = decoder.raw_decode(text, start)
        cells[name] = Written(json.dumps(value) if constants else text[start:at], value)
        constants.clear()
    return cells


_SPACE = re.compile(r"[ \t\n\r]*")


def _no_number(_: str) -> None:
    """NaN and Infinity are not JSON, but some programs write them for a missing number."""
