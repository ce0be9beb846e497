"""Check what a fit in Python is given: its table, and its options as the command has them.

>>> columns_of({"x": [1, 2], "name": ["a", "b"]}, ["x"])
{'x': array([1., 2.])}
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.errors import AutodiffError, data_error, quoted, shortened
from autodiff.fitting.problem import Vector
from autodiff.tables import frames


def require_options(
    y: object, sigma: object, start: Mapping[str, object], bounds: Mapping[str, object],
    loss_scale: float, starts: int, level: float, steps: int, seed: int,
) -> None:  # fmt: skip
    """Raise AutodiffError for what the command refuses as well, before it is computed with."""
    for what, name in (("y", y), ("sigma", sigma)):
        if not isinstance(name, str) and (what == "y" or name is not None):
            raise AutodiffError(
                f"{what} names a column or an expression of columns, such as 'y'", hint="put its numbers into the data"
            )
    for what, names, pattern in (("start", start, '{"a": 1, "b": 0.5}'), ("bounds", bounds, '{"a": (0, 1)}')):
        if not isinstance(names, Mapping):
            raise AutodiffError(f"{what} must be a dictionary of parameters", hint=f"write {what}={pattern}")
    for name, value in start.items():
        if not _is_finite(value):
            raise AutodiffError(f"the start of {quoted(str(name))} must be a finite number")
    for name, ends in bounds.items():
        pair = ends if isinstance(ends, Sequence | np.ndarray) and len(ends) == 2 else ()
        if not len(pair) or not all(isinstance(end, numbers.Real) for end in pair):
            raise AutodiffError(
                f"the bounds of {quoted(str(name))} must be two numbers, (lowest, highest)",
                hint="math.inf where there is none",
            )
    for what, value, most, rule in (
        ("loss_scale", loss_scale, math.inf, "a number above 0"),
        ("level", level, 1, "a probability, above 0 and below 1"),
    ):
        if not (isinstance(value, numbers.Real) and 0 < value < most):
            raise AutodiffError(f"{what} must be {rule}, not {shortened(repr(value))}")
    for what, value, least, most in (
        ("starts", starts, 1, 10_000),
        ("steps", steps, 1, 10**9),
        ("seed", seed, 0, math.inf),
    ):
        if not (isinstance(value, numbers.Integral) and least <= value <= most):
            rule = f"{least} to {most:,}" if most < math.inf else f"{least} on"
            raise AutodiffError(f"{what} must be a whole number from {rule}, not {shortened(repr(value))}")


def uncertain(sigma_x: Mapping[str, Any], sigma: object, loss: str, *, prediction: bool) -> dict[str, str]:
    """The deviation of each column that has errors, as an expression.

    Raises AutodiffError for what is none, and for options that mean nothing beside it.
    """
    pattern = 'write sigma_x={"x": "sx"}, or a number'
    if not isinstance(sigma_x, Mapping):
        raise AutodiffError("sigma_x must be a dictionary of columns", hint=pattern)
    for name, given in sigma_x.items():
        if not isinstance(given, str) and not (isinstance(given, numbers.Real) and _is_finite(given)):
            raise AutodiffError(
                f"sigma_x of {quoted(str(name))} must name a column, or be a finite number", hint=pattern
            )
    for holds, message, hint in (
        (sigma is None, "--sigma-x needs --sigma: errors in x are weighed against those of y", "give that of y, too, a column or a number: --sigma 0.1"),
        (loss != "linear", "--sigma-x and --loss don't go together", "a robust loss is one of errors in y alone"),
        (prediction, "--sigma-x and --prediction don't go together", "a new y is as sure as its own x: ask for the band of the curve"),
    ):  # fmt: skip
        if sigma_x and holds:
            raise AutodiffError(message, hint=hint)
    return {name: given if isinstance(given, str) else repr(float(given)) for name, given in sigma_x.items()}


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def columns_of(data: Any, names: Sequence[str]) -> dict[str, Vector]:
    """Those columns of a table in memory as arrays. Raises AutodiffError for a table without rows, and for a cell that is no number."""
    columns, _ = frames.without_missing(frames.columns_of(data, names), "error", advice="leave the row out")
    if not columns:
        raise AutodiffError("there is no column to fit to", hint="y names one, such as 'y'")
    if wide := [name for name, column in columns.items() if column.ndim != 1]:
        raise data_error(f"the column {quoted(wide[0])} has more than one number in a row")
    return columns
