"""Derivatives of a higher order: Taylor series, and a look from both sides where there is none.

>>> from autodiff import evaluate
>>> evaluate("x^3*abs(x)", {"x": 0.0}, order=4).derivatives
(0.0, 0.0, 0.0, None)
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from autodiff import diagnostics
from autodiff.api.answer import Answer
from autodiff.api.proven_answer import INSTALL
from autodiff.core.evaluate import DomainError, Trace, primal
from autodiff.core.lowering import Lowered
from autodiff.nonsmooth.verdict import Verdict, verdict
from autodiff.numbers.taylor import Expansion

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
    except DomainError:
        return _lost(empty, name, (first,), installed=proven is not None)
    if proven is None:
        from autodiff.verify import float_taylor  # where ball arithmetic is not installed

        found = float_taylor.derivatives(lowered, run, source, order)
    else:
        found = [math.nan if number is None else number for number in proven or [None] * order]
    found[0] = first
    looked = _beside(lowered, run, answer.at, source, found)
    known = next((m for m, number in enumerate(found) if number is None or not math.isfinite(number)), order)
    sound = tuple(number + 0.0 for number in found[:known] if number is not None)
    orders = {m: diagnostics.order(answer.result, name, m) for m in (*looked, known + 1)}
    empty = empty._replace(notes=(*answer.notes, *diagnostics.sided({orders[m]: one for m, one in looked.items()})))
    if known == order:
        return empty._replace(derivatives=sound)
    if found[known] is None:
        return _lost(empty, name, sound, installed=False)
    over = math.isinf(found[known] or 0.0)
    lost, spot = orders[known + 1], None if over else Expansion(lowered, run, [source], order).culprit()
    return empty._replace(
        derivatives=(*sound, *(None,) * (order - known)),
        status="overflow" if over else looked[known + 1].status if known + 1 in looked else "unknown",
        why=f"{lost} overflows: it is beyond 1.8e308"
        if over
        else f"{lost} is not known here"
        if spot is None
        else diagnostics.beyond(lowered, lost, spot, looked.get(known + 1)),
        span=None if spot is None else lowered.graph.spans[spot],
    )


def _proven(lowered: Lowered, point: Mapping[str, float], source: int, order: int) -> list[float | None] | None:
    """The derivatives that ball arithmetic finds, none where it decides nothing; None where it is not installed."""
    try:
        from autodiff.verify import ball_taylor
    except ImportError:
        return None
    return ball_taylor.derivatives(lowered, point, source, order)


def _of_balls(empty: Answer, name: str, first: float, proven: Sequence[float | None]) -> Answer:
    """The answer with derivatives that are each the nearest float64; behind one that overflows there is none."""
    numbers = [first, *(number for number in proven[1:] if number is not None)]
    sound = list(itertools.takewhile(math.isfinite, numbers))
    if len(sound) == len(numbers):
        return empty._replace(derivatives=tuple(number + 0.0 for number in sound))
    why = f"{diagnostics.order(empty.result, name, len(sound) + 1)} overflows: it is beyond 1.8e308"
    lost = (None,) * (len(numbers) - len(sound))
    return empty._replace(derivatives=(*sound, *lost), status="overflow", why=why)


def _beside(
    lowered: Lowered, run: Trace, point: Mapping[str, float], source: int, found: list[float | None]
) -> dict[int, Verdict]:
    """The derivatives that have no series in powers of the step, looked at from both sides, up to one that is not there.

    Those that are there are filled in; `found` holds the derivatives of orders 1, 2, …
    """
    looked: dict[int, Verdict] = {}
    for m, number in enumerate(found[:_LOOKED], 1):
        if number is not None and math.isnan(number):
            looked[m] = verdict(lowered, run, point, source, m)
            found[m - 1] = number = math.nan if (slope := looked[m].slope) is None else slope
        if number is None or not math.isfinite(number):
            break
    return looked


def _lost(answer: Answer, name: str, sound: tuple[float, ...], *, installed: bool) -> Answer:
    """The `sound` derivatives alone; float64 does not tell the others."""
    lost = diagnostics.order(answer.result, name, len(sound) + 1)
    why = f"{lost} is not known here: float64 can't tell its digits"
    if not installed:
        answer = answer._replace(hint=INSTALL)
        why += ", and ball arithmetic is not installed"
    return answer._replace(derivatives=(*sound, *answer.derivatives[len(sound) :]), status="unknown", why=why)
