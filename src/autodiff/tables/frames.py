"""Columns of tables that are in memory: a mapping, or a table of pandas, Polars or Arrow; none of these is imported.

>>> {name: column.tolist() for name, column in columns_of({"x": [1, 2], "other": "abc"}, ["x"]).items()}
{'x': [1.0, 2.0]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autodiff.errors import DATA, AutodiffError, quoted, shortened


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


def require_finite(columns: Mapping[str, Any], hint: str = "") -> None:
    """Raise AutodiffError (exit status 4) for the first column that holds NaN or an infinity, with its row."""
    import numpy as np

    for name, column in columns.items():
        if len(bad := np.flatnonzero(~np.isfinite(column))):
            value = "missing" if np.isnan(column[bad[0]]) else "infinite"
            raise AutodiffError(
                f"the column {quoted(name)} is {value} in row {bad[0] + 1}", exit_status=DATA, hint=hint
            )


def without_missing(columns: Mapping[str, Any], missing: str) -> tuple[dict[str, Any], list[int]]:
    """The columns and the numbers of their rows, from 1: with "drop" those without NaN, with "mean" all, with "error" none lacks one.

    Raises AutodiffError for a cell that is missing, with "error", for one that is infinite, and for another word.
    """
    import numpy as np

    if missing not in ("error", "drop", "mean"):
        raise AutodiffError(f"missing is error, drop or mean, not {quoted(missing)}")
    present = np.ones(max((len(column) for column in columns.values()), default=0), bool)
    if missing != "error":
        for column in columns.values():
            present &= ~np.isnan(column)
    require_finite(
        {name: column[present] for name, column in columns.items()},
        'missing="drop" leaves such rows out, missing="mean" fills them' if missing == "error" else "",
    )
    if len(present) and not present.any():
        raise AutodiffError("every row of the table lacks a cell", exit_status=DATA)
    if missing not in ("error", "drop"):
        present[:] = True
    return {name: column[present] for name, column in columns.items()}, (1 + np.flatnonzero(present)).tolist()
