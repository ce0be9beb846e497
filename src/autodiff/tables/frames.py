"""Columns of tables that are in memory: a mapping, or a table of pandas, Polars or Arrow; none of these is imported.

>>> {name: column.tolist() for name, column in columns_of({"x": [1, 2], "other": "abc"}, ["x"]).items()}
{'x': [1.0, 2.0]}
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from autodiff import diagnostics
from autodiff.arrays.inputs import plain_array
from autodiff.errors import AutodiffError, data_error, quoted, shortened
from autodiff.tables.cells import NUMBER_LIKE
from autodiff.tables.columns import program_names
from autodiff.tables.text import twice


def columns_of(table: Any, names: Sequence[str], codes: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """The columns of these names as arrays of float64, NaN for what is masked or missing; names are those of a program, so
    that a column `width (cm)` is `width_cm`.

    codes   gets the texts of each column of texts, sorted, whose places are its numbers; without it texts are an error

    Raises AutodiffError where a column is missing, is there twice or holds no numbers.
    """
    known = program_names(column_names(table))
    columns: dict[str, Any] = {}
    for name in names:
        if name not in known:
            listed = ", ".join(shortened(str(column)) for column in column_names(table)[:8]) or "none"
            raise AutodiffError(f"the table has no column {quoted(name)}", hint=f"its columns are {listed}")
        if len(known[name]) > 1:
            raise data_error(
                f"the columns {diagnostics.listed(known[name])} of the table are both called {quoted(name)} in a program",
                hint="rename one of them",
            )
        columns[name] = _floats(table[known[name][0]], name, codes)
    return columns


def column_names(table: Any) -> list[str]:
    """The names of a table's columns that are texts. Raises AutodiffError where one is there twice, and for no table."""
    if hasattr(table, "collect"):
        raise AutodiffError("a LazyFrame has no rows yet", hint="collect it first: table.collect()")
    known = table.keys() if isinstance(table, Mapping) else getattr(table, "column_names", None)
    names = [name for name in (getattr(table, "columns", ()) if known is None else known) if isinstance(name, str)]
    if again := twice(names):
        raise data_error(f"column {quoted(again[0])} of the table is there twice", hint="rename one of them")
    return names


def _floats(column: Any, name: str, codes: dict[str, list[str]] | None) -> Any:
    """A column as floats; one of texts as their codes."""
    import numpy as np

    no_numbers = AutodiffError(f"the column {quoted(name)} of the table holds no numbers")
    try:
        numbers = plain_array(column)
        if numbers.dtype.kind in "biuf":
            return numbers.astype(float, copy=False)
    except OverflowError:
        raise AutodiffError(f"a value of the column {quoted(name)} is beyond the range of float64") from None
    except (TypeError, ValueError):
        pass
    if not isinstance(column, Iterable):
        raise no_numbers
    cells = list(column.to_pylist() if hasattr(column, "to_pylist") else column)
    texts = [cell for cell in cells if isinstance(cell, str)]
    present = [isinstance(cell, str) or bool(cell == cell and cell is not None) for cell in cells]
    if codes is None or not texts or len(texts) != sum(present):
        raise no_numbers
    codes[name] = sorted(set(texts))
    if no_class := next(filter(NUMBER_LIKE.fullmatch, codes[name]), ""):
        raise data_error(f"the column {quoted(name)} of the table holds {quoted(no_class)}, which is no number")
    places = {text: float(k) for k, text in enumerate(codes[name])}
    return np.array([places.get(cell, np.nan) if isinstance(cell, str) else np.nan for cell in cells])


def require_finite(columns: Mapping[str, Any], hint: str = "") -> None:
    """Raise AutodiffError (exit status 4) for the first column that holds NaN or an infinity, with its row."""
    import numpy as np

    for name, column in columns.items():
        if len(bad := np.flatnonzero(~np.isfinite(column))):
            value = "missing" if np.isnan(column[bad[0]]) else "infinite"
            raise data_error(f"the column {quoted(name)} is {value} in row {bad[0] + 1}", hint=hint)


def without_missing(
    columns: Mapping[str, Any],
    missing: str,
    codes: Collection[str] = (),
    advice: str = 'missing="drop" leaves such rows out, missing="mean" fills them',
) -> tuple[dict[str, Any], list[int]]:
    """The columns and the numbers of their rows, from 1: with "drop" those without NaN, with "mean" all, with "error" none lacks one.

    Raises AutodiffError for a cell that is missing, with "error", for one that is infinite, and for another word.
    """
    import numpy as np

    if not isinstance(missing, str) or missing not in ("error", "drop", "mean"):
        raise AutodiffError(f"missing is error, drop or mean, not {shortened(repr(missing))}")
    if scalars := [name for name, column in columns.items() if not np.ndim(column)]:
        raise data_error(f"the column {quoted(scalars[0])} is one number, and a column has one for each row")
    lengths = {name: len(column) for name, column in columns.items()}
    if len({*lengths.values()}) > 1:
        listed = ", ".join(f"{shortened(name)} {length}" for name, length in lengths.items())
        raise data_error(f"columns are equally long, and these are not: {listed}")
    if not all(lengths.values()):
        raise data_error("the table has no rows", hint="add at least one row of numbers")
    if missing not in ("error", "drop") and (texts := [name for name in codes if np.isnan(columns[name]).any()]):
        raise data_error(
            f"the column {quoted(texts[0])} lacks a cell, and texts have no mean",
            hint='missing="drop" leaves such rows out',
        )
    present = np.ones(max(lengths.values(), default=0), bool)
    if missing != "error":
        for column in columns.values():
            present &= ~np.isnan(column)
    require_finite({name: column[present] for name, column in columns.items()}, advice if missing == "error" else "")
    if len(present) and not present.any():
        raise data_error("every row of the table lacks a cell")
    if missing not in ("error", "drop"):
        present[:] = True
    return {name: column[present] for name, column in columns.items()}, (1 + np.flatnonzero(present)).tolist()
