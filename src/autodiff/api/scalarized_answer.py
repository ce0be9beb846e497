"""Arrays whose digits rounding, overflow or underflow may have taken: the program is written out, and done as numbers are.

>>> from autodiff import evaluate
>>> evaluate("prod(x)", {"x": [1e-200, 1e-200, 1e300]}).value
1e-100
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autodiff.api import array_answer
from autodiff.arrays.inputs import numpy
from autodiff.arrays.shapes import elements as named_elements
from autodiff.core.lowering import Lowered
from autodiff.errors import INTERNAL, AutodiffError

if TYPE_CHECKING:
    from autodiff.arrays.scalarize import Flat


def evaluate(
    by_numbers: Callable[..., Any],
    lowered: Lowered,
    point: Mapping[str, Any],
    names: Mapping[str, int],
    mode: str,
    *,
    asked: bool,
    check: bool,
    convention: str,
) -> dict[str, Any]:
    """The fields of an answer that arrays fill, as in `elements`; `by_numbers` answers a program over plain numbers."""
    found, run = dict[str, Any](), None
    try:
        found, run = array_answer.evaluate(lowered, point, names, mode, asked=asked, check=check, convention=convention)
    except AutodiffError as error:
        if error.exit_status != INTERNAL or _stable(lowered, point, names):
            raise
        disagreement = error  # rounding or underflow may have spoilt a sweep
    unsure = run is not None and found["value"] is not None and not _sure(lowered, point, names, found)
    if run is not None and not unsure:
        return found
    flat = array_answer.written(lowered, point)
    if flat is None:
        if not found:
            raise disagreement
        return _normwise(lowered, point, names, found) if unsure else found
    numbers = array_answer.as_elements(point)
    if flat.result.shape:
        beside = array_answer.array_result(flat.result.shape, lowered, names, asked=asked)
        return _values(by_numbers, flat, numbers, found, beside)
    parts = {
        element: node
        for name, source in names.items()
        for element, node in zip(_called(name, flat, source), flat.blocks[source].nodes, strict=True)
    }
    if found and (run is None or found["verdicts"]) and len(parts) * len(flat.lowered.graph) > array_answer.LOOKS:
        return found  # each element on a corner would be looked at from both sides
    answer = by_numbers(flat.lowered, numbers, parts, mode, check=check, convention=convention)
    if found and found.get("value") is None and answer.value is None and answer.status == found.get("status", "ok"):
        return found  # which names the element by its place
    return {
        **{field: getattr(answer, field) for field in _KEPT},
        "gradient": _gathered(answer.gradient, names, flat),
        "forward": answer.forward and _gathered(answer.forward, names, flat),
    }


def _sure(
    lowered: Lowered,
    point: Mapping[str, Any],
    names: Mapping[str, int],
    found: Mapping[str, Any],
    *,
    normwise: bool = False,
) -> bool:
    from autodiff.verify import random_rounding  # loads NumPy

    slopes = found["gradient"] if found.get("status", "ok") == "ok" else {}
    return random_rounding.sure(lowered, point, names, found["value"], slopes, normwise=normwise)


def _stable(lowered: Lowered, point: Mapping[str, Any], names: Mapping[str, int]) -> bool:
    """Whether the value and the slopes of a sweep stay when every result is rounded at random."""
    from autodiff.arrays.sweeps import vjp

    run = array_answer.swept(lowered, point)
    slopes = vjp(run, [*names.values()])
    return _sure(
        lowered,
        point,
        names,
        {
            "value": run.values[lowered.result],
            "gradient": {name: slopes.get(node, 0.0) for name, node in names.items()},
        },
    )


def _normwise(
    lowered: Lowered, point: Mapping[str, Any], names: Mapping[str, int], found: Mapping[str, Any]
) -> dict[str, Any]:
    """The numbers of a program that is too large to be done again, where they are right beside the largest of each array;
    else none."""
    if _sure(lowered, point, names, found, normwise=True):
        note = "elements near 0 are right to 12 digits of the largest in their array only: the program is too large to prove them"
        return {**found, "notes": (*found.get("notes", ()), note)}
    why = f"rounding may have taken the digits here, and the program is too large to prove them ({array_answer.EQUATIONS:,} equations)"
    return {**found, "value": None, "gradient": dict.fromkeys(names), "forward": None, "status": "unknown", "why": why}


_KEPT = ("value", "status", "why", "hint", "span", "verdicts", "notes", "convention", "checked")


def _called(name: str, flat: Flat, source: int) -> Sequence[str]:
    return [*named_elements(name, flat.blocks[source].shape)]


def _gathered(slopes: Mapping[str, float | None], names: Mapping[str, int], flat: Flat) -> dict[str, Any]:
    """The slopes of elements in arrays shaped like the names they are of; NaN in an array for one that does not exist."""
    np, found = numpy(), dict[str, Any]()
    for name, source in names.items():
        shape, parts = flat.blocks[source].shape, [slopes[each] for each in _called(name, flat, source)]
        known = [math.nan if slope is None else slope for slope in parts]
        found[name] = np.reshape(known, shape) if shape else parts[0]
    return found


def _values(
    by_numbers: Callable[..., Any],
    flat: Flat,
    numbers: Mapping[str, float],
    found: dict[str, Any],
    beside: Mapping[str, Any],
) -> dict[str, Any]:
    """The same for an array as the result, which has no slopes: each element's value."""
    if len(flat.result.nodes) * len(flat.lowered.graph) > array_answer.LOOKS:
        return found
    answers = [by_numbers(flat.lowered._replace(result=node), numbers, {}) for node in flat.result.nodes]
    broken = next((answer for answer in answers if answer.value is None), None)
    if broken is not None:
        known = found.get("value") is None and found["status"] == broken.status
        return found if known else {field: getattr(broken, field) for field in ("status", "why", "hint", "span")}
    value = numpy().reshape([answer.value for answer in answers], flat.result.shape)
    notes = dict.fromkeys(note for answer in answers for note in answer.notes)
    return {**beside, "value": value, "notes": (*beside["notes"], *notes)}
