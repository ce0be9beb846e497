"""Columns of tables that are in memory: a mapping, or a table of pandas, Polars or Arrow; none of these is imported.

>>> {name: column.tolist() for name, column in columns_of({"x": [1, 2], "other": "abc"}, ["x"]).items()}
{'x': [1.0, 2.0]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autodiff.errors import AutodiffError, quoted, shortened


def columns_of(table: Any, names: Sequence[str]) -> dict[str, Any]:
    """The columns of these names as arrays of float64. Raises AutodiffError where one is missing or holds no numbers."""
    import numpy as np

    known = table.keys() if isinstance(table, Mapping) else getattr(table, "column_names", None)
    known = list(getattr(table, "columns", ()) if known is None else known)
    columns: dict[str, Any] = {}
    for name in names:
        if name not in known:
            listed = ", ".join(shortened(str(column)) for column in known[:8]) or "none"
            raise AutodiffError(f"the table has no column {quoted(name)}", hint=f"its columns are {listed}")
        column = table[name]
        values = column.to_numpy() if hasattr(column, "to_numpy") else column
        try:
            columns[name] = np.asarray(values, dtype=float)
        except (TypeError, ValueError):
            raise AutodiffError(f"the column {quoted(name)} of the table holds no numbers") from None
    return columns
