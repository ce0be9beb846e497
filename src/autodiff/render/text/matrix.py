"""Hessians, Jacobians, jvp and vjp as text or JSON.

>>> from autodiff.api.matrices import hessian
>>> quiet(hessian("x^2*y", {"x": 3.0, "y": 2.0}))
'18 12 9 4 6 6 0'
"""

from __future__ import annotations

from collections.abc import Iterator

from autodiff.api.matrices import Matrix, Number, weighted_label
from autodiff.diagnostics import mixed, shown
from autodiff.errors import printable
from autodiff.render.text.answer import array


def text(matrix: Matrix) -> str:
    """A line per number: the values, then the derivatives; of a Hessian's two equal halves the upper one."""
    if None in matrix.values.values():
        return ""
    lines = [*matrix.values.items(), *((f"d{matrix.result}/d{n}", slope) for n, slope in matrix.gradient.items())]
    lines += list(_entries(matrix))
    wide = max(len(label) for label, _ in lines)
    return "\n".join(printable(f"{label:<{wide}}  {array(n)}") for label, n in lines)


def _entries(matrix: Matrix) -> Iterator[tuple[str, Number | None]]:
    if matrix.kind == "hessian":
        for i, (row, columns) in enumerate(matrix.rows.items()):
            yield from ((mixed(matrix.result, row, column), columns[column]) for column in [*columns][i:])
    elif matrix.kind == "jacobian":
        for row, columns in matrix.rows.items():
            yield from ((f"d{row}/d{column}", number) for column, number in columns.items())
    elif matrix.kind == "jvp":
        direction = ",".join(f"{name}={shown(rate)}" for name, rate in matrix.given.items())
        yield from ((f"d{row} along {direction}", columns["jvp"]) for row, columns in matrix.rows.items())
    else:
        yield from (
            (f"d{weighted_label(matrix.given)}/d{column}", number) for column, number in matrix.rows["vjp"].items()
        )


def quiet(matrix: Matrix) -> str:
    """All numbers on one line: the values, a Hessian's gradient, then row by row; empty when one does not exist."""
    if not matrix.complete:
        return ""
    rows = [n for row in matrix.rows.values() for n in row.values()]
    return " ".join(array(n) for n in (*matrix.values.values(), *matrix.gradient.values(), *rows) if n is not None)
