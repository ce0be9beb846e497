"""The point of an evaluation where arrays are in it: what a user gives as an array, in a list or as an expression.

>>> array("x", [[1, 2], [3, 4]])
array([[1., 2.],
       [3., 4.]])
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from autodiff.arrays.shapes import AXES, too_deep
from autodiff.core.lowering import Lowered
from autodiff.errors import AutodiffError, quoted
from autodiff.libraries import library


def numpy() -> Any:
    """The library, imported when the first array appears."""
    return library("numpy", "an array", "arrays")


def array(name: str, value: Any) -> Any:
    """What a user gives as an array, as one of floats. Raises AutodiffError for ragged, empty or non-finite ones."""
    np = numpy()
    if _nested_too_deep(value):
        raise AutodiffError(f"the value of {quoted(name)} is nested too deep: {too_deep()}")
    try:
        elements = np.array(plain_array(value))
    except OverflowError:
        raise AutodiffError(f"a number of {quoted(name)} is beyond the range of float64") from None
    except (TypeError, ValueError, RecursionError):
        elements = None
    if elements is None or elements.dtype.kind not in "biuf" or elements.size == 0:
        raise AutodiffError(
            f"the value of {quoted(name)} must be a number or an array of numbers, in rows of equal length",
            hint="write for example [1, 2, 3] or [[1, 2], [3, 4]]",
        )
    elements = elements.astype(np.float64)
    if not np.isfinite(elements).all():
        place = ", ".join(map(str, np.argwhere(~np.isfinite(elements))[0]))
        raise AutodiffError(f"the value of {quoted(f'{name}[{place}]')} must be a finite number")
    return elements if elements.ndim else float(elements)


def plain_array(values: Any) -> Any:
    """What a user gives as values, as an array of NumPy: NaN in place of what is masked or missing.

    Raises TypeError or ValueError for what is no number among objects, and OverflowError for one beyond float64.
    """
    np = numpy()
    values = values.detach() if getattr(values, "requires_grad", False) else values  # of a tensor, its numbers alone
    values = values.to_numpy() if hasattr(values, "to_numpy") else values
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values) and values.dtype.kind in "biuf":
        return np.where(np.ma.getmaskarray(values), np.nan, values.data)
    elements = np.asarray(values)
    if elements.dtype.kind != "O" or not elements.size:
        return elements
    numbers = [math.nan if _is_missing(element) else _number(element) for element in elements.ravel().tolist()]
    return np.array(numbers).reshape(elements.shape)


def _is_missing(element: Any) -> bool:
    """Whether an object stands for no value: None, or what pandas and NumPy have for it."""
    return element is None or type(element).__name__ in ("NAType", "NaTType", "MaskedConstant")


def _number(element: Any) -> float:
    if isinstance(element, str | bytes | complex):
        raise TypeError
    return float(element)


def _nested_too_deep(value: Any) -> bool:
    """Whether an array, or the first elements of nested lists, have more axes than there may be."""
    for _ in range(AXES):
        if not isinstance(value, list | tuple) or not value:
            return getattr(value, "ndim", 0) > AXES
        value = value[0]
    return isinstance(value, list | tuple)


def constant(lowered: Lowered, point: Mapping[str, Any]) -> Any:
    """The value of a program at a point, an array or a float. Raises DomainError where it has none."""
    numpy()
    from autodiff.arrays.algebra import evaluate

    try:
        value = evaluate(lowered, point).values[lowered.result]
    except AutodiffError as error:
        raise error.within(lowered.source) from None
    return value if getattr(value, "shape", None) else float(value)
