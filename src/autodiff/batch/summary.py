"""What came out of a run, in one pass: how many rows have a number in each column, and the least, the largest and the mean.

>>> import numpy as np
>>> from collections import Counter
>>> summary = Summary()
>>> summary.add({"f": np.array([1.0, np.nan, 3.0]), "status": ("ok", "domain", "ok")})
>>> print(summary.text(Count(rows=3, hard=Counter(domain=1))))
rows   3
ok     2
domain 1
<BLANKLINE>
column  numbers  min  max  mean
f             2    1    3     2
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autodiff.batch.table import Count
from autodiff.errors import shortened
from autodiff.libraries import library
from autodiff.tables.text import spelled

_UNITS = 1126
"""Every float64 is a whole number of 2**-1126: 53 digits, the last of which has the exponent -1073 - 53 in the least number."""


@dataclass(slots=True)
class ColumnSummary:
    """The numbers of a column: how many, the least and the largest, and their sum in units of 2**-_UNITS, which is exact."""

    numbers: int = 0
    least: float = math.inf
    largest: float = -math.inf
    total: int = 0

    @property
    def mean(self) -> float:
        """The mean, rounded once."""
        return self.total / (self.numbers << _UNITS)

    def add(self, other: ColumnSummary) -> None:
        """Add the numbers of another column."""
        self.numbers += other.numbers
        self.least, self.largest = min(self.least, other.least), max(self.largest, other.largest)
        self.total += other.total


@dataclass(slots=True)
class Summary:
    """The columns of the results of some rows."""

    columns: dict[str, ColumnSummary] = field(default_factory=dict)

    def add(self, columns: Mapping[str, Sequence[Any]], kept: int = 0) -> None:
        """Add a chunk's results, which come behind the table's own `kept` columns; the status, the last one, has no numbers."""
        np = library("numpy", "--data")
        for name, column in list(columns.items())[kept:-1]:
            values = np.asarray(column, float)
            values = values[np.isfinite(values)]
            own = self.columns.setdefault(name, ColumnSummary())
            if len(values):
                own.add(
                    ColumnSummary(len(values), float(np.min(values)), float(np.max(values)), _exact_sum(np, values))
                )

    def merge(self, other: Summary) -> None:
        """Add the summary of other rows, which come behind these."""
        for name, column in other.columns.items():
            self.columns.setdefault(name, ColumnSummary()).add(column)

    def text(self, count: Count) -> str:
        """The summary as people read it."""
        statuses = {"rows": count.rows, **count.statuses}
        wide = max(map(len, statuses))
        head = [f"{name:<{wide}} {number}" for name, number in statuses.items()]
        rows = [("column", "numbers", "min", "max", "mean")]
        rows += [(shortened(name), *_cells(column)) for name, column in self.columns.items()]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) if not k else cell.rjust(width) for k, (cell, width) in enumerate(pairs))
            for pairs in (list(zip(row, widths, strict=True)) for row in rows)
        ]
        return "\n".join([*head, "", *lines])


def _exact_sum(np: Any, values: Any) -> int:
    """The sum of a chunk's numbers in units of 2**-_UNITS: those of one exponent are added as whole numbers of at most 27
    digits, of which float64 adds 2**26 exactly.
    """
    mantissas, exponents = np.frexp(values)
    high = np.floor(mantissas * 2.0**26)
    low = (mantissas * 2.0**26 - high) * 2.0**27
    places, total = exponents + (_UNITS - 53), 0
    for shift, digits in ((27, high), (0, low)):
        sums = np.bincount(places, digits)
        total += sum(int(sums[place]) << (int(place) + shift) for place in np.flatnonzero(sums))
    return total


def _cells(column: ColumnSummary) -> tuple[str, str, str, str]:
    if not column.numbers:
        return "0", "", "", ""
    return str(column.numbers), spelled(column.least), spelled(column.largest), spelled(column.mean)
