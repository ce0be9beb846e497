"""Derivatives of a higher order: Taylor series, and a look from both sides where there is none.

>>> from autodiff import evaluate
>>> evaluate("x^3*abs(x)", {"x": 0.0}, order=4).derivatives
(0.0, 0.0, 0.0, None)
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from autodiff.answer import Answer
from autodiff.calculus import blame, local, steps, underflow
from autodiff.calculus.check import DISAGREE, compared
from autodiff.calculus.corners import Verdict, verdict
from autodiff.calculus.lower import Lowered
from autodiff.calculus.primal import Outside, Run, primal
from autodiff.calculus.reverse import adjoints
from autodiff.calculus.steps import Number
from autodiff.errors import INTERNAL, AutodiffError

_LOOKED = 8
"""The highest order that is looked at from both sides: such a look is slow."""


def higher(answer: Answer, lowered: Lowered, names: Mapping[str, int], order: int) -> Answer:
    """The answer with its derivatives up to `order`; behind one that does not exist there is none."""
    empty = answer._replace(order=order, derivatives=(None,) * order)
    (name, source), first = next(iter(names.items())), next(iter(answer.gradient.values()))
    if answer.value is None or first is None:
        return empty
    proven = _proven(lowered, answer.at, source, order)
    if proven and None not in proven:
        return _of_balls(empty, name, first, proven)
    try:
        run = primal(lowered, answer.at)
    except Outside:  # the answer has a wider range of exponents
        return _faded(empty, name, (first,))
    made = steps.Steps(lowered, run, answer.at, [source], order)
    found = made.derivatives(source)
    if found[0].lost and (found[0].spoilt or underflow.moved(found[0].value, first)):
        return _faded(empty, name, (first,))
    if not found[0].lost:
        _as_swept(lowered, run, names, found[0].value)
    found = [old if new is None else Number(new) for old, new in zip(found, proven or [None] * order, strict=True)]
    found[0] = Number(first)
    looked = _beside(lowered, run, answer.at, source, found)
    known = next((m for m, number in enumerate(found) if not number.sound), order)
    sound = tuple(number.value + 0.0 for number in found[:known])
    orders = {m: blame.order(answer.result, name, m) for m in (*looked, known + 1)}
    empty = empty._replace(notes=(*answer.notes, *blame.sided({orders[m]: one for m, one in looked.items()})))
    if known == order:
        return empty._replace(derivatives=sound)
    if found[known].spoilt:
        return _faded(empty, name, sound)
    over = math.isinf(found[known].value)
    lost, spot = orders[known + 1], None if over else made.plain.culprit()
    return empty._replace(
        derivatives=(*sound, *(None,) * (order - known)),
        status="overflow" if over else looked[known + 1].status if known + 1 in looked else "unknown",
        why=f"{lost} overflows: it is beyond 1.8e308"
        if spot is None
        else blame.beyond(lowered, lost, spot, looked.get(known + 1)),
        span=None if spot is None else lowered.graph.spans[spot],
    )


def _proven(lowered: Lowered, point: Mapping[str, float], source: int, order: int) -> list[float | None]:
    """The derivatives that ball arithmetic finds; none where it is not installed, or the point is a hard one."""
    try:
        from autodiff.verify import ball_series
    except ImportError:
        return []
    return ball_series.derivatives(lowered, point, source, order)


def _of_balls(empty: Answer, name: str, first: float, proven: Sequence[float | None]) -> Answer:
    """The answer with derivatives that are each the nearest float64; behind one that overflows there is none."""
    numbers = [first, *(number for number in proven[1:] if number is not None)]
    sound = list(itertools.takewhile(math.isfinite, numbers))
    if len(sound) == len(numbers):
        return empty._replace(derivatives=tuple(number + 0.0 for number in sound))
    why = f"{blame.order(empty.result, name, len(sound) + 1)} overflows: it is beyond 1.8e308"
    lost = (None,) * (len(numbers) - len(sound))
    return empty._replace(derivatives=(*sound, *lost), status="overflow", why=why)


def _beside(
    lowered: Lowered, run: Run, point: Mapping[str, float], source: int, found: list[Number]
) -> dict[int, Verdict]:
    """The derivatives that have no series in powers of the step, looked at from both sides, up to one that is not there.

    Those that are there are filled in; `found` holds the derivatives of orders 1, 2, …
    """
    looked: dict[int, Verdict] = {}
    for m, number in enumerate(found[:_LOOKED], 1):
        if math.isnan(number.value):
            looked[m] = verdict(lowered, run, point, source, m)
            found[m - 1] = number._replace(value=math.nan if (slope := looked[m].slope) is None else slope)
        if not found[m - 1].sound:
            break
    return looked


def _as_swept(lowered: Lowered, run: Run, names: Mapping[str, int], slope: float) -> None:
    """Raise AutodiffError where the first derivative of a series is not the one that a sweep gives."""
    factors = local.factors(lowered, run, names.values())
    backward = adjoints(lowered.result, factors, names.values())
    gradient = dict.fromkeys(names, slope)
    if math.isfinite(slope) and compared(lowered, run, factors, names, gradient, "forward", backward) == DISAGREE:
        raise AutodiffError(
            "the Taylor series and the adjoint sweep disagree: a bug in autodiff, so no number is printed",
            exit_status=INTERNAL,
            hint="please report the program and the point",
        )


def _faded(answer: Answer, name: str, sound: tuple[float, ...]) -> Answer:
    """The `sound` derivatives alone: the series of the others has no wider range of exponents."""
    lost = blame.order(answer.result, name, len(sound) + 1)
    why = f"{lost} is not known here: a number on the way is below 2.2e-308, where float64 loses digits"
    return answer._replace(derivatives=(*sound, *answer.derivatives[len(sound) :]), status="unknown", why=why)
