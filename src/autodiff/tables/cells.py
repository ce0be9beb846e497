"""What single cells of tables are: nothing, a number, or the name of a class; and what is wrong with one.

>>> is_class("10th", "10th"), is_class("5%", "5%"), is_class("[1]", [1])
(True, False, False)
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autodiff.errors import quoted
from autodiff.tables.text import Chunk, content_of, text_of

MISSING = frozenset(("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"))
"""Cells that hold nothing, for `--missing drop` and `mean`."""

NUMBER_LIKE = re.compile(
    r"(?=.*\d)[(+\-−–]?[$€£¥]?(0x[\da-f]+|[\s\d.,_'’+\-−–eE/:*^×·%‰$€£¥()]+)|\d{4}-?\d\d-?\d\d[T\s]\d.*"
    r"|[+\-−–]?(inf|infinity|nan|∞)|.*[\ud800-\udfff].*",
    re.IGNORECASE | re.DOTALL,
)
"""Texts that are rather a number in another spelling, a share, an amount, a date or a time, or no text at all, than the name
of a class."""


def is_class(text: str, cell: Any) -> bool:
    """Whether a cell, with its text, may be the name of a class: dates, lists and objects are none."""
    return isinstance(content_of(cell), str) and not NUMBER_LIKE.fullmatch(text)


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell that is no finite number: its column and its text. As a text: what is wrong with it."""

    column: str
    text: str

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not self.text

    def __str__(self) -> str:
        advice = next((text for pattern, text in _ADVICE.items() if re.match(pattern, self.text)), "")
        return f"{quoted(self.text) if self.text else 'an empty cell'} is no finite number{advice}"


_ADVICE = {
    r"\s*[+-]?\d+,\d+\s*$": "; a decimal point is '.'",
    r"\d{4}-\d\d|\d+[/.]\d+[/.]\d|\d+:\d\d": "; write a date or a time as a number, such as the days since the first one",
}
"""What may be written instead, by the beginning of a cell."""


def bad_cell(chunk: Chunk, row: int, columns: Sequence[str]) -> BadCell | None:
    """The first of the columns' cells in this row that is no finite number; None where all are."""
    for column in columns:
        cells = chunk.cells[column][row : row + 1]
        if not math.isfinite(float(chunk.read(cells)[0])):
            return BadCell(column, text_of(cells[0]))
    return None
