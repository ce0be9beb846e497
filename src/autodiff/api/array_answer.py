"""Value and gradient of a program where arrays appear: the NumPy sweeps' numbers, else those of the program written out.

The sweeps' numbers are the answer where no element is at a special point and rounding, overflow and underflow cost no
digits. Otherwise the program is written out by elements, and answered as equations of numbers are.

>>> from autodiff import evaluate
>>> evaluate("sum(x^2)", {"x": [1.0, 3.0]}).gradient["x"]
array([2., 6.])
>>> evaluate("prod(x)", {"x": [1e-200, 1e-200, 1e300]}).value
1e-100
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from autodiff import diagnostics
from autodiff.api import inputs
from autodiff.api.answer import Answer
from autodiff.api.scalar_answer import Query, without_value
from autodiff.arrays.inputs import numpy
from autodiff.arrays.shapes import elements
from autodiff.core.evaluate import DomainError
from autodiff.core.lowering import Lowered
from autodiff.errors import INTERNAL, AutodiffError
from autodiff.nonsmooth.verdict import Verdict

if TYPE_CHECKING:
    from autodiff.api.array_gradient import Gradient
    from autodiff.arrays.scalarize import Flat

EQUATIONS = 20_000
"""Equations that the program written out may have."""

ONE_SIDED = 200_000
"""Equations times elements whose one-sided slopes are computed: a few seconds."""

Trouble: TypeAlias = Literal["", "outside", "special", "rounding"]
"""Why the sweeps' answer does not count: no value, a special point or an overflow, or digits lost to rounding."""


def as_numbers(lowered: Lowered, point: Mapping[str, Any], names: Sequence[str]) -> Flat | None:
    """The same program over plain numbers: when the point, the result and what a slope is asked for are numbers.

    None when they are not. Raises AutodiffError for shapes that don't fit.
    """
    if any(not isinstance(value, float) for value in point.values()):
        return None
    from autodiff.arrays.scalarize import flatten  # not needed for plain numbers

    flat = flatten(lowered, {})
    of_numbers = flat is not None and not flat.result.shape and all(flat.lowered.node(n) is not None for n in names)
    return flat if of_numbers else None


def array_answer(query: Query, *, wrt_given: bool) -> Answer:
    """The answer where the point or the program has arrays.

    wrt_given   whether the caller named what to differentiate by; else an array as the result is no mistake
    """
    lowered, names, empty, digits = query.lowered, query.names, query.empty, query.digits
    swept, trouble = (empty, "outside") if digits else _by_sweeps(query, wrt_given=wrt_given)
    if not trouble:
        return swept
    from autodiff.arrays.scalarize import flatten  # most arrays need none

    flat = flatten(lowered, {name: numpy().shape(value) for name, value in empty.at.items()}, EQUATIONS)
    if flat is None or (flat.result.shape and len(flat.result.nodes) * len(flat.lowered.graph) > ONE_SIDED):
        if digits:
            raise AutodiffError(
                f"the program is too large for {digits} digits: its elements are more than {EQUATIONS:,} operations",
                hint="take smaller arrays, or leave the digits out",
            )
        return _normwise(swept, lowered, names) if trouble == "rounding" else swept
    if flat.result.shape:
        answer = _of_each_element(_array_result(empty, flat.result.shape, names, wrt_given=wrt_given), flat, digits)
    else:
        parts = {e: node for n, source in names.items() for e, node in _elements(n, flat, source).items()}
        by_elements = query._replace(lowered=flat.lowered, point=_as_elements(query.point), names=parts, most=ONE_SIDED)
        answer = _gathered(by_elements.answer(), names, flat)._replace(at=query.point)
    named = not digits and swept.value is None and answer.value is None and swept.status == answer.status
    return swept if named else answer  # the sweeps' message names an element by its place


# --- by sweeps ----------------------------------------------------------------------------------------------------------


def _by_sweeps(query: Query, *, wrt_given: bool) -> tuple[Answer, Trouble]:
    """The answer of the NumPy sweeps; with trouble, the answer for a program that is too large to be written out."""
    numpy()
    from autodiff.api.array_gradient import Gradient
    from autodiff.arrays.algebra import evaluate, special_points

    lowered, names, empty = query.lowered, query.names, query.empty
    try:
        run = evaluate(lowered, empty.at)
    except DomainError as trouble:
        return without_value(empty, lowered, trouble), "outside"
    except AutodiffError as error:
        raise error.within(lowered.source) from None
    value = run.values[lowered.result]
    if getattr(value, "shape", None):
        answer = _array_result(empty, value.shape, names, wrt_given=wrt_given).filled(value + 0.0, {})
        return answer, "" if _sure(answer, lowered, names) else "rounding"
    slopes = Gradient(lowered, run, empty.at, names, empty.mode)
    answer = empty.filled(float(value), slopes.gradient, slopes.forward)
    special = special_points(run)
    if reached := query.reached(special):
        return _without_sides(answer, lowered, slopes, special[0], [*reached]), "special"
    beyond = [n for n in names if not numpy().isfinite(slopes.gradient[n]).all()]
    if beyond:
        return _overflown(answer, slopes, beyond), "special"
    checked = None
    try:
        checked = slopes.confirmed([*names]) if query.check else None
    except AutodiffError as error:
        if error.exit_status != INTERNAL or _sure(answer, lowered, names):
            raise
    return answer._replace(checked=checked), "" if _sure(answer, lowered, names) else "rounding"


def _array_result(empty: Answer, shape: tuple[int, ...], names: Mapping[str, int], *, wrt_given: bool) -> Answer:
    """The answer beside an array as the result. Raises AutodiffError where slopes of it were asked for."""
    hint = f"take sum({empty.result}) or mean({empty.result}), or one element"
    what = f"the result is an array of shape {shape}, and a slope is of a number"
    if wrt_given and names:
        raise AutodiffError(what, hint=hint)
    return empty._replace(gradient={}, notes=(f"{what}: {hint}",) if names else ())


def _without_sides(answer: Answer, lowered: Lowered, slopes: Gradient, special: int, names: Sequence[str]) -> Answer:
    """The answer where a program is too large for one-sided slopes at its special points."""
    what = f"an element of {diagnostics.written(lowered, special)} is on a corner"
    why = f"is not known here: {what}, and the program is too large to look at both sides"
    missing = {name: slopes.missing(name) for name in names}
    known = answer.filled(
        answer.value, {**answer.gradient, **missing}, answer.forward and {**answer.forward, **missing}
    )
    return known.lacking(
        "unknown",
        _reasons([f"d{answer.result}/d{name} {why}" for name in names]),
        span=lowered.graph.spans[special],
        verdicts={name: Verdict("unknown", node=special) for name in names},
    )


def _overflown(answer: Answer, slopes: Gradient, names: Sequence[str]) -> Answer:
    """The answer where slopes leave the range of float64, in a program that is too large to be done again."""
    np = numpy()
    missing = [
        element
        for name in names
        for element, slope in zip(elements(name, slopes.shape(name)), np.ravel(slopes.gradient[name]), strict=True)
        if not math.isfinite(slope)
    ]
    kept = {name: np.where(np.isfinite(slopes.gradient[name]), slopes.gradient[name], np.nan) for name in names}
    known = {name: slope if slopes.shape(name) else None for name, slope in kept.items()}
    why = _reasons([f"d{answer.result}/d{element} overflows: it is beyond 1.8e308" for element in missing])
    verdicts = dict.fromkeys(missing, Verdict("overflow"))
    filled = answer.filled(answer.value, {**answer.gradient, **known}, answer.forward)
    return filled.lacking("overflow", why, verdicts=verdicts)


def _reasons(reasons: Sequence[str]) -> str:
    return "; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")


def _sure(answer: Answer, lowered: Lowered, names: Mapping[str, int], *, normwise: bool = False) -> bool:
    """Whether the value and the slopes stay when every result is rounded at random."""
    from autodiff.verify import array_digits  # loads NumPy

    return array_digits.sure(lowered, answer.at, names, answer.value, answer.gradient, normwise=normwise)


def _normwise(answer: Answer, lowered: Lowered, names: Mapping[str, int]) -> Answer:
    """The numbers of a program that is too large to be done again, where they are right beside the largest of each array;
    else none."""
    if _sure(answer, lowered, names, normwise=True):
        note = "elements near 0 are right to 12 digits of the largest in their array only: the program is too large to prove them"
        return answer._replace(notes=(*answer.notes, note))
    why = (
        f"rounding may have taken the digits here, and the program is too large to prove them ({EQUATIONS:,} equations)"
    )
    return answer.filled(None, dict.fromkeys(names)).lacking("unknown", why)


# --- by elements --------------------------------------------------------------------------------------------------------


def _as_elements(point: Mapping[str, Any]) -> dict[str, float]:
    """The point as numbers: x[0], x[1], … in place of an array x."""
    numbers: dict[str, float] = {}
    for name, value in point.items():
        numbers |= dict(zip(elements(name, numpy().shape(value)), inputs.elements(point, name), strict=True))
    return numbers


def _elements(name: str, flat: Flat, source: int) -> dict[str, int]:
    """The equations of a name's elements."""
    block = flat.blocks[source]
    return dict(zip(elements(name, block.shape), block.nodes, strict=True))


def _gathered(answer: Answer, names: Mapping[str, int], flat: Flat) -> Answer:
    """The answer with slopes in arrays shaped like the names they are of; NaN in an array for one that does not exist."""

    def shaped(slopes: Mapping[str, Any]) -> dict[str, Any]:
        blocks = {name: flat.blocks[source] for name, source in names.items()}
        parts = {name: [slopes[element] for element in _elements(name, flat, names[name])] for name in names}
        return {
            name: _array(part, blocks[name].shape) if blocks[name].shape else part[0] for name, part in parts.items()
        }

    few = len(answer.verdicts) < 20
    return answer._replace(
        gradient=shaped(answer.gradient),
        forward=answer.forward and shaped(answer.forward),
        verdicts={element: verdict for element, verdict in answer.verdicts.items() if verdict.status != "ok" or few},
    )


def _array(numbers: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """An array of floats, or of texts."""
    known = [math.nan if number is None else number for number in numbers]
    texts = any(isinstance(number, str) for number in known)
    return numpy().array(known, dtype=object if texts else float).reshape(shape)


def _of_each_element(empty: Answer, flat: Flat, digits: int) -> Answer:
    """The answer for an array as the result, which has no slopes: each element's value."""
    query = Query(flat.lowered, _as_elements(empty.at), {}, digits=digits)
    answers = [query.of(node, flat.lowered.name).answer() for node in flat.result.nodes]
    broken = next((answer for answer in answers if answer.value is None), None)
    if broken is not None:
        return empty._replace(notes=()).lacking(broken.status, broken.why, hint=broken.hint, span=broken.span)
    return empty.filled(
        _array([answer.value for answer in answers], flat.result.shape),
        {},
        notes=tuple(dict.fromkeys(note for answer in answers for note in answer.notes)),
        digits=digits,
        bits=max(answer.bits for answer in answers) if digits else 0,
        checked=True if digits else None,
    )
