"""A derivative and an answer at many points, each number with its error bound: the same there, different, or unclear.

>>> from autodiff.core.lowering import lower
>>> lowered, slope, answer = (lower(text) for text in ("x^2", "2x", "x + x"))
>>> {trial.outcome for trial in trials(lowered, lowered.graph.find("x"), slope, answer)}
{'same'}
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from autodiff.core.evaluate import DomainError, Trace, primal
from autodiff.core.lowering import Lowered
from autodiff.core.special_points import special_points
from autodiff.diagnostics import written
from autodiff.grading.corners import combinations, equalities, new_outcomes
from autodiff.grading.places import Line, lines
from autodiff.language.exact_float import decimal
from autodiff.verify.error_bound import BoundedValue, bounded
from autodiff.verify.rounding import Unsure

if TYPE_CHECKING:
    from autodiff.verify.exact_difference import ExactDifference

ENOUGH = 40
"""Points that must agree before two formulas count as the same."""

SAMPLES = 12
"""Points that slips are searched at."""

_TRIED = 400
_APART = 1e-9
"""What two formulas differ by as float64, in parts of the numbers, to be worth an error bound."""

_EXACT_EQUATIONS = 20_000
"""Equations of many digits that may be evaluated."""

_MANY = 2  # points with the most digits

_MARGIN = 4.0  # the error bounds are of first order
_SHARP = 1e-7  # a point decides when the bounds are this small beside the numbers


@dataclass(frozen=True, slots=True)
class Trial:
    """A point with both numbers there: None where there is none; `outcome` is "same", "differs", "unclear" or "one-sided".

    difference  what the derivative is more than the answer, where balls show that and the two numbers may not
    remark      what is to be said of a point that is no float64
    """

    at: Mapping[str, float]
    derivative: BoundedValue | None
    answer: BoundedValue | None
    run: Trace | None
    outcome: str
    difference: float = 0.0
    remark: str = ""


def trials(
    lowered: Lowered, source: int, slope: Lowered, answered: Lowered, *, proved: bool = False
) -> Iterator[Trial]:
    """Trials until enough points agree, or enough of them differ to search for the slip.

    lowered, source  the program, and the equation that is differentiated by
    slope            its derivative as float64 evaluates it

    Where none differs, points of special meaning are tried and many more digits are compared; where the formulas are
    `proved` to be the same, only their constants could still differ.
    """
    constants = {c for part in (lowered, answered) for c in part.graph.constants.values() if abs(c) < 1e9}
    slope, exactly = _as_written(slope), _as_written(answered)
    same = differs = 0
    seen: dict[int, tuple[Mapping[str, float], Trial | None]] = {}
    for k, at in enumerate(points(lowered.inputs, constants, _TRIED)):
        trial = _trial(lowered, slope, exactly, at)
        seen[k] = at, trial
        if trial is None:
            continue
        if trial.outcome != "unclear":
            yield trial
        same += trial.outcome == "same"
        differs += trial.outcome == "differs"
        if same >= ENOUGH or differs >= SAMPLES:
            break
    if differs:
        return
    if not proved:
        swept = list(islice(_differing(lowered, slope, exactly), SAMPLES))
        yield from swept
        differs = len(swept)
    if not differs:
        along = [] if proved else list(lines((lowered, answered)))
        searched = list(_searched(lowered, slope, exactly, answered, along))
        exact = list(_exact_trials(lowered, source, answered, list(seen.values()), searched, proved=proved))
        yield from exact
        if along and not any(trial.outcome == "differs" for trial in exact):
            yield from _equality_trials(lowered, source, answered, along)


def _exact_trials(
    lowered: Lowered,
    source: int,
    answered: Lowered,
    seen: Sequence[tuple[Mapping[str, float], Trial | None]],
    searched: Sequence[Mapping[str, float]],
    *,
    proved: bool,
) -> Iterator[Trial]:
    """Trials in ball arithmetic that float64 leaves open, and those that differ, as many as samples are wanted."""
    try:  # 30 ms, which an answer that float64 shows to be wrong does not need
        from autodiff.verify.exact_difference import BITS, MANY_BITS, exact_difference
    except ImportError:
        return
    most = min(_EXACT_EQUATIONS // (len(lowered.graph) + len(answered.graph)), _TRIED)
    open_points = [at for at, trial in seen if trial is None or trial.outcome == "unclear"]
    agreed = [at for at, trial in seen if trial is not None and trial.outcome == "same"]
    tried = [(at, MANY_BITS, True) for at in agreed[:_MANY]] + [(at, BITS, True) for at in agreed[_MANY:SAMPLES]]
    if not proved or not agreed:
        tried += [(at, BITS, False) for at in islice(open_points, ENOUGH)]
    if not proved:
        tried += [(at, BITS, True) for at in searched]
        tried += [(at, BITS, True) for at in _far(lowered.inputs)]
    differs = 0
    within = [trial for trial in tried if all(map(math.isfinite, trial[0].values()))]  # beside 1e308 is infinity
    for at, bits, known in within[:most]:
        exact = exact_difference(lowered, source, answered, _typed(at), bits)
        if exact is None or (known and exact.difference is None) or not (exact.equal or exact.difference is not None):
            continue
        yield _exact_trial(lowered, at, exact)
        differs += exact.difference is not None and exact.derivative != exact.answer
        if differs >= SAMPLES:
            break


def _searched(
    lowered: Lowered, slope: Lowered, exactly: Lowered, answered: Lowered, along: Sequence[Line]
) -> Iterator[Mapping[str, float]]:
    """Points of special meaning, first those where float64 shows a difference, those with the largest one in front.

    Steps and peaks that are steep are narrow, and conditions on several names hold together in corners alone.
    """
    parts = lowered, answered
    special = [at for row in along for at in row.points(row.special)]
    combined = list(combinations(parts, along))
    steep = [at for row in along for at in row.points(row.steep)]
    apart = [(gap, k) for k, at in enumerate([*steep, *combined]) if (gap := _apart(slope, exactly, at)) > _APART]
    apart.sort(key=lambda pair: -pair[0])
    yield from ([*steep, *combined][k] for _, k in apart[: 2 * SAMPLES])
    yield from islice(new_outcomes(parts, combined, special), ENOUGH)
    yield from special


def _apart(slope: Lowered, answered: Lowered, at: Mapping[str, float]) -> float:
    """What the two numbers of float64 differ by, in parts of the larger; 0 where one has none."""
    try:
        derivative, answer = (float(primal(part, at).values[part.result]) for part in (slope, answered))
    except DomainError:
        return 0.0
    return abs(derivative - answer) / (max(abs(derivative), abs(answer)) or 1.0)


def _exact_trial(lowered: Lowered, at: Mapping[str, float], exact: ExactDifference, remark: str = "") -> Trial:
    numbers = BoundedValue(exact.derivative, 0.0), BoundedValue(exact.answer, 0.0)
    try:
        run: Trace | None = primal(lowered, at)
    except DomainError:
        run = None
    return Trial(at, *numbers, run, "same" if exact.difference is None else "differs", exact.difference or 0.0, remark)


def _equality_trials(lowered: Lowered, source: int, answered: Lowered, along: Sequence[Line]) -> Iterator[Trial]:
    """Trials that differ at a number that no float64 is, where two sides of a condition are equal."""
    try:
        from autodiff.verify.exact_difference import equality_difference
    except ImportError:
        return
    for at, name, known in islice(equalities(answered, along), ENOUGH):
        differing = equality_difference(lowered, source, answered, at, name, known)
        if differing is not None:
            value, exact = differing
            left, *right = (written(answered, side) for side in answered.graph.args[min(known)])
            remark = f"the two differ where {left} = {right[0] if right else 0}: that is at a number beside this {name}, which is rounded"
            yield _exact_trial(lowered, {**at, name: value}, exact, remark)
            return


def _typed(at: Mapping[str, float]) -> dict[str, float]:
    """The point as it is printed and typed again: 0.1 is one tenth."""
    return {name: decimal(repr(value), value) for name, value in at.items()}


def _differing(lowered: Lowered, slope: Lowered, answered: Lowered) -> Iterator[Trial]:
    """Trials of a sweep where the two formulas differ: float64 finds the candidates, error bounds decide."""
    for at in sweep(lowered.inputs):
        if _apart(slope, answered, at) > _APART:
            trial = _trial(lowered, slope, answered, at)
            if trial is not None and trial.outcome == "differs":
                yield trial


def _as_written(lowered: Lowered) -> Lowered:
    """The same program whose constants, folded ones as well, are off by what their decimals lost as float64."""
    graph = copy(lowered.graph)
    graph.constants = {node: decimal(repr(value), value) for node, value in lowered.graph.constants.items()}
    return lowered._replace(graph=graph)


def _trial(lowered: Lowered, slope: Lowered, answered: Lowered, at: Mapping[str, float]) -> Trial | None:
    """Both numbers at a point; None where rounding or a corner of the program leaves nothing to compare."""
    try:
        answer: BoundedValue | None = bounded(answered, at)
    except DomainError as trouble:
        if not trouble.needs:
            return None  # too large for a float, which decides nothing about the formula
        answer = None
    except Unsure:
        return None
    run = None
    try:
        run = primal(lowered, at)
        derivative = None if special_points(lowered, run) else bounded(slope, at)
    except DomainError as trouble:
        return Trial(at, None, answer, run, "one-sided") if trouble.needs and answer is not None else None
    except Unsure:
        return None
    if derivative is None:
        return None
    return Trial(at, derivative, answer, run, _outcome(derivative, answer))


def _outcome(derivative: BoundedValue, answer: BoundedValue | None) -> str:
    if answer is None:
        return "one-sided"
    error_bound = _MARGIN * (derivative.error + answer.error)
    if abs(derivative.value - answer.value) > error_bound:
        return "differs"
    size = max(abs(derivative.value), abs(answer.value))
    return "same" if error_bound <= _SHARP * size or error_bound == 0 else "unclear"


# --- points -------------------------------------------------------------------------------------------------------------


SIMPLE = (1.0, 2.0, 0.5, 3.0, -1.0, -2.0, 0.25, 0.0, -0.5, 10.0, 4.0, -3.0)

SWEPT = 10
"""Names that a sweep follows."""

_STEPS = 240
"""Points of a sweep on either side of 0, 20 for each power of ten."""

_SCALES = (
    lambda r: r.uniform(-3, 3),
    lambda r: r.uniform(0, 1),
    lambda r: r.uniform(1, 2),
    lambda r: r.uniform(0, 10),
    lambda r: r.lognormvariate(0, 2),
    lambda r: -r.lognormvariate(0, 2),
    lambda r: r.lognormvariate(0, 6),
    lambda r: r.uniform(-1, 1) * 10.0 ** r.uniform(-6, 6),
)


def points(names: Sequence[str], constants: Collection[float], count: int) -> Iterator[dict[str, float]]:
    """`count` points for `names`. `constants` of the formulas are where conditions change, so points on both sides of them are tried."""
    return islice(_points(names, constants), count if names else 1)


def _points(names: Sequence[str], constants: Collection[float]) -> Iterator[dict[str, float]]:
    for k in range(len(SIMPLE)):  # neighbours get different numbers, or x*y and x^2 would look the same
        yield {name: SIMPLE[(k + i) % len(SIMPLE)] for i, name in enumerate(names)}
    chance = random.Random(20_240_229)
    edges = sorted({side * c for c in constants for side in (-1.0, 1.0)}, key=lambda c: (abs(c), c))
    near = [c + d for c in edges[:40] for d in (-0.75, -0.01, 0.01, 0.75)]
    for value in near:
        yield {name: value if len(names) == 1 or chance.random() < 0.5 else chance.choice(near) for name in names}
    while True:
        scale = chance.choice(_SCALES)
        mixed = chance.random() < 0.5
        yield {name: _rounded((chance.choice(_SCALES) if mixed else scale)(chance)) for name in names}


def sweep(names: Sequence[str]) -> Iterator[dict[str, float]]:
    """Points that follow each name in turn from 1e-6 to 1e6 and from -1e-6 to -1e6; the other names stay between 1 and 2.

    A formula that is another one beyond some corner, as `abs(x + 300)` is, is met there wherever the corner lies.
    """
    chance = random.Random(20_261_129)
    for name in names[:SWEPT]:
        for k in range(_STEPS):
            size = _rounded(10.0 ** (12 * (k + 0.5) / _STEPS - 6))
            for value in (size, -size):
                yield {other: value if other == name else _rounded(chance.uniform(1, 2)) for other in names}


def _far(names: Sequence[str]) -> Iterator[dict[str, float]]:
    """Points up to 1000 on both sides of 0, the names apart from each other."""
    for k, size in enumerate(_FAR):
        for side in (1.0, -1.0):
            yield {name: side * _FAR[(k + i) % len(_FAR)] if i else side * size for i, name in enumerate(names)}


_FAR = (20.0, 15.0, 30.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0)


def _rounded(value: float) -> float:
    """Four digits: a point that can be typed."""
    return float(f"{value:.4g}") if math.isfinite(value) else 1.0
