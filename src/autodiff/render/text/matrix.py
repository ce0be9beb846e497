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


def text(found: Matrix) -> str:
    """A line per number: the values, then the derivatives; of a Hessian's two equal halves the upper one."""
    if None in found.values.values():
        return ""
    lines = [*found.values.items(), *((f"d{found.result}/d{n}", slope) for n, slope in found.gradient.items())]
    lines += list(_entries(found))
    wide = max(len(label) for label, _ in lines)
    return "\n".join(printable(f"{label:<{wide}}  {_text(n)}") for label, n in lines)


def _text(number: Number | None) -> str:
    return "none" if number is None else number if isinstance(number, str) else shown(number)


def _entries(found: Matrix) -> Iterator[tuple[str, Number | None]]:
    if found.kind == "hessian":
        for i, (row, columns) in enumerate(found.rows.items()):
            yield from ((mixed(found.result, row, column), columns[column]) for column in [*columns][i:])
    elif found.kind == "jacobian":
        for row, columns in found.rows.items():
            yield from ((f"d{row}/d{column}", number) for column, number in columns.items())
    elif found.kind == "jvp":
        direction = ",".join(f"{name}={shown(rate)}" for name, rate in found.given.items())
        yield from ((f"d{row} along {direction}", columns["jvp"]) for row, columns in found.rows.items())
    else:
        yield from (
            (f"d{weighted_label(found.given)}/d{column}", number) for column, number in found.rows["vjp"].items()
        )


def quiet(found: Matrix) -> str:
    """All numbers on one line: the values, a Hessian's gradient, then row by row; empty when one does not exist."""
    if not found.complete:
        return ""
    rows = [n for row in found.rows.values() for n in row.values()]
    return " ".join(_text(n) for n in (*found.values.values(), *found.gradient.values(), *rows) if n is not None)
