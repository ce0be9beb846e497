"""Derivatives of a higher order, and Hessians: in ball arithmetic, else by series and from both sides of special points.

>>> from autodiff import evaluate
>>> evaluate("x^3*abs(x)", {"x": 0.0}, order=4).derivatives
(0.0, 0.0, 0.0, None)
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autodiff import diagnostics
from autodiff.api import proven_answer
from autodiff.api.answer import Answer
from autodiff.api.matrices import BEYOND, Matrix, Number, first_three, without
from autodiff.core.evaluate import DomainError, Trace, primal
from autodiff.core.lowering import Lowered
from autodiff.diagnostics import SEVERITY
from autodiff.nonsmooth.verdict import Verdict, verdict
from autodiff.numbers import float_taylor
from autodiff.numbers.float_taylor import FloatSeries
from autodiff.numbers.taylor import Expansion

if TYPE_CHECKING:
    from autodiff.verify.digits import Pinned

_ONE_SIDED = 8
"""The highest order that is computed from both sides of a special point: that is slow."""

_TOLERANCE = 1e-9
"""Two ways to the same second derivative differ by less than this, relative to the largest entry."""

_UNKNOWN = "is not known here: float64 can't tell its digits"


def higher(
    answer: Answer, lowered: Lowered, names: Mapping[str, int], order: int, point: Mapping[str, float]
) -> Answer:
    """The answer with its derivatives up to `order`; behind one that does not exist there is none."""
    empty = answer._replace(order=order, derivatives=(None,) * order)
    (name, source), first = next(iter(names.items())), next(iter(answer.gradient.values()))
    if answer.value is None or first is None:
        return empty
    balls = proven_answer.ball_taylor()
    proven = None if balls is None else balls.derivatives(lowered, point, source, order, answer.digits)
    if proven is not None and proven.numbers and None not in proven.numbers:
        numbers = [first, *proven.numbers[1:]]
        return _in_digits(empty, name, numbers, proven) if answer.digits else _up_to_overflow(empty, name, numbers)
    try:
        run = primal(lowered, answer.at)
    except DomainError:
        return _unsure(empty, name, (first,), installed=proven is not None)
    if proven is None:
        numbers = float_taylor.derivatives(lowered, run, source, order)
    else:
        numbers = [math.nan if number is None else float(number) for number in proven.numbers or [None] * order]
    numbers[0] = float(first)
    known = _known(empty, lowered, run, name, source, numbers)
    return _with_digits(known, lowered, name, first, point) if answer.digits else known


def _known(empty: Answer, lowered: Lowered, run: Trace, name: str, source: int, numbers: list[float | None]) -> Answer:
    """The answer with derivatives as far as they exist; `numbers` has NaN for those without a series here."""
    order, verdicts = empty.order, _one_sided(lowered, run, empty.at, source, numbers)
    known = next((m for m, number in enumerate(numbers) if number is None or not math.isfinite(number)), order)
    sound = tuple(number + 0.0 for number in numbers[:known] if number is not None)
    orders = {m: diagnostics.order(empty.result, name, m) for m in (*verdicts, known + 1)}
    sides = diagnostics.sided({orders[m]: verdict for m, verdict in verdicts.items()})
    empty = empty._replace(notes=(*empty.notes, *sides))
    if known == order or math.isinf(numbers[known] or 0.0):
        return _up_to_overflow(empty, name, numbers)
    if numbers[known] is None:
        return _unsure(empty, name, sound, installed=False)
    label, spot = orders[known + 1], Expansion(lowered, run, [source], order, FloatSeries()).culprit()
    side = verdicts.get(known + 1)
    return empty._replace(
        derivatives=(*sound, *(None,) * (order - known)),
        status="unknown" if side is None else side.status,
        why=f"{label} is not known here" if spot is None else diagnostics.beyond(lowered, label, spot, side),
        span=None if spot is None else lowered.graph.spans[spot],
    )


def _up_to_overflow(empty: Answer, name: str, numbers: Sequence[Any]) -> Answer:
    """The answer with derivatives that are each the nearest float64; behind one that overflows there is none."""
    sound = tuple(number + 0.0 for number in itertools.takewhile(math.isfinite, numbers))
    if len(sound) == len(numbers):
        return empty._replace(derivatives=sound)
    why = f"{diagnostics.order(empty.result, name, len(sound) + 1)} {BEYOND}"
    return empty._replace(derivatives=(*sound, *empty.derivatives[len(sound) :]), status="overflow", why=why, span=None)


def _in_digits(empty: Answer, name: str, numbers: Sequence[str], proven: Pinned) -> Answer:
    """The answer with derivatives as texts of proven digits."""
    sizes = [f"{diagnostics.order(empty.result, name, m)} {size}" for m, size in enumerate(proven.sizes, 1) if size]
    notes = tuple(dict.fromkeys((*empty.notes, *sizes)))
    return empty._replace(derivatives=tuple(numbers), bits=max(empty.bits, proven.bits), notes=notes)


def _with_digits(answer: Answer, lowered: Lowered, name: str, first: Any, point: Mapping[str, float]) -> Answer:
    """The answer at a special point with so many digits of each derivative as were asked for."""
    texts = proven_answer.limits(lowered, point, name, answer.order, answer.digits)
    texts = [first, *(None if n is None else text for n, text in zip(answer.derivatives[1:], texts[1:], strict=True))]
    sound = tuple(itertools.takewhile(lambda text: text is not None, texts))
    missing = (None,) * (len(texts) - len(sound))
    known = answer._replace(derivatives=(*sound, *missing))
    if not missing or answer.derivatives[len(sound)] is None:
        return known
    why = f"{diagnostics.order(answer.result, name, len(sound) + 1)} is not known to {answer.digits} digits here"
    return known._replace(status="unknown", why=why, notes=())


def _one_sided(
    lowered: Lowered, run: Trace, point: Mapping[str, float], source: int, numbers: list[float | None]
) -> dict[int, Verdict]:
    """The verdicts on derivatives that have no series in powers of the step, up to one that does not exist.

    Those that are there are filled in; `numbers` holds the derivatives of orders 1, 2, …
    """
    verdicts: dict[int, Verdict] = {}
    for m, number in enumerate(numbers[:_ONE_SIDED], 1):
        if number is not None and math.isnan(number):
            verdicts[m] = _sides(verdict(lowered, run, point, source, m), lowered, point, source, m)
            numbers[m - 1] = number = math.nan if (slope := verdicts[m].slope) is None else slope
        if number is None or not math.isfinite(number):
            break
    return verdicts


def _sides(seen: Verdict, lowered: Lowered, point: Mapping[str, float], source: int, order: int) -> Verdict:
    """The verdict; where float64's series do not have one, the derivative that both sides have in balls."""
    if seen.status != "unknown" or source not in lowered.graph.inputs or proven_answer.ball_taylor() is None:
        return seen
    text = proven_answer.limits(lowered, point, lowered.graph.inputs[source], order, 17)[-1]
    return seen if text is None else Verdict("ok", slope=float(text), left=float(text), right=float(text))


def _unsure(answer: Answer, name: str, sound: tuple[float, ...], *, installed: bool) -> Answer:
    """The answer with the `sound` derivatives alone, and that float64 can't give the others."""
    label = diagnostics.order(answer.result, name, len(sound) + 1)
    why = f"{label} {_UNKNOWN}"
    if not installed:
        answer = answer._replace(hint=proven_answer.INSTALL)
        why += ", and ball arithmetic is not installed"
    return answer._replace(derivatives=(*sound, *answer.derivatives[len(sound) :]), status="unknown", why=why)


# --- Hessian ------------------------------------------------------------------------------------------------------------


def second_derivatives(
    matrix: Matrix, lowered: Lowered, point: Mapping[str, float], names: Mapping[str, int]
) -> Matrix:
    """The Hessian with its rows; `matrix` has the value and the gradient."""
    columns = [*names.values()]
    balls = proven_answer.ball_taylor()
    proven = (
        {}
        if balls is None
        else dict(zip(names, balls.hessian_rows(lowered, point, columns, matrix.digits), strict=True))
    )
    numbers = {name: _row(names, row.numbers) for name, row in proven.items()}
    spot, verdicts = None, dict[str, Verdict]()
    if not proven or not all(row.numbers and None not in row.numbers for row in proven.values()):
        try:
            run = primal(lowered, point)
        except DomainError:
            pairs = [diagnostics.mixed(lowered.name, a, b) for a, b in _pairs(names)]
            return without(replace(matrix, checked=False), pairs, "unknown", _UNKNOWN)
        if not proven:
            floats = {n: float_taylor.hessian_row(lowered, run, node, columns) for n, node in names.items()}
            numbers = {name: _row(names, row) for name, row in floats.items()}
            if any(None in row for row in floats.values()):
                matrix = replace(matrix, hint=proven_answer.INSTALL)
        verdicts = _from_both_sides(matrix, lowered, run, point, names, numbers)
        spot = Expansion(lowered, run, columns, 2, FloatSeries()).culprit()
    known = _judged(matrix, numbers, lowered, spot, verdicts)
    return _entries_with_digits(known, lowered, point, names, proven) if matrix.digits else known


def _from_both_sides(
    matrix: Matrix,
    lowered: Lowered,
    run: Trace,
    point: Mapping[str, float],
    names: Mapping[str, int],
    numbers: Mapping[str, dict[str, float]],
) -> dict[str, Verdict]:
    """The verdicts on second derivatives by one name that have no series here; those that exist are filled in."""
    verdicts: dict[str, Verdict] = {}
    for name, source in names.items():
        if math.isnan(numbers[name][name]) and matrix.gradient[name] is not None:
            verdicts[name] = _sides(verdict(lowered, run, point, source, 2), lowered, point, source, 2)
            numbers[name][name] = math.nan if (slope := verdicts[name].slope) is None else slope
    return verdicts


def _row(names: Mapping[str, int], numbers: Sequence[Number | None]) -> dict[str, float]:
    """A row by name, NaN for what is not known."""
    known = numbers or [None] * len(names)
    return {name: math.nan if number is None else float(number) for name, number in zip(names, known, strict=True)}


def _pairs(names: Iterable[str]) -> Iterable[tuple[str, str]]:
    return itertools.combinations_with_replacement(names, 2)


def _judged(
    matrix: Matrix,
    numbers: Mapping[str, Mapping[str, float]],
    lowered: Lowered,
    spot: int | None,
    verdicts: Mapping[str, Verdict],
) -> Matrix:
    """The Hessian from its rows: what both halves agree on; a name without a slope has no second derivative."""
    known = [n for row in numbers.values() for n in row.values()]
    tolerance = _TOLERANCE * max((abs(n) for n in known if math.isfinite(n)), default=0.0)
    rows: dict[str, dict[str, Number | None]] = {row: {} for row in numbers}
    missing: dict[str, Verdict | None] = {}
    for row, column in _pairs(numbers):
        halves = numbers[row][column], numbers[column][row]
        sound = _same(*halves, tolerance, digits=matrix.digits)
        sloped = matrix.gradient[row] is not None and matrix.gradient[column] is not None
        rows[row][column] = rows[column][row] = halves[0] + 0.0 if sound and sloped else None
        if sloped and not sound:
            missing[diagnostics.mixed(lowered.name, row, column)] = verdicts.get(row) if row == column else None
    matrix = replace(matrix, rows={row: {column: rows[row][column] for column in numbers} for row in numbers})
    if not missing:
        return replace(matrix, checked=matrix.status == "ok")
    matrix = replace(matrix, checked=False)
    if any(map(math.isinf, known)):
        return without(matrix, [*missing], "overflow", BEYOND)
    statuses = {"unknown" if numbers is None else numbers.status for numbers in missing.values()}
    return replace(
        matrix,
        status=max(matrix.status, *statuses, key=SEVERITY.index),
        why="; ".join(filter(None, [matrix.why, _reasons(lowered, missing, spot)])),
        span=matrix.span if matrix.span or spot is None else lowered.graph.spans[spot],
    )


def _same(a: float, b: float, tolerance: float, *, digits: int) -> bool:
    """Whether both halves have a number, and the same; a proven one may be beyond float64's range."""
    return a == b if digits else math.isfinite(a) and math.isfinite(b) and abs(a - b) <= tolerance


def _reasons(lowered: Lowered, missing: Mapping[str, Verdict | None], spot: int | None) -> str:
    """Why second derivatives are not there: those with a verdict first, then the others."""
    known = {
        name: verdict
        for name, verdict in missing.items()
        if verdict is not None and verdict.status != "unknown" and spot is not None
    }
    reasons = [diagnostics.beyond(lowered, name, spot, v) for name, v in [*known.items()][:3] if spot is not None]
    rest = [name for name in missing if name not in known]
    what = "rounding" if spot is None else diagnostics.written(lowered, spot)
    return "; ".join([*reasons, *([f"{first_three(rest)} is not known here, because of {what}"] if rest else [])])


def _entries_with_digits(
    matrix: Matrix,
    lowered: Lowered,
    point: Mapping[str, float],
    names: Mapping[str, int],
    proven: Mapping[str, Pinned],
) -> Matrix:
    """The Hessian with so many digits of each entry as were asked for."""
    rows: dict[str, dict[str, Number | None]] = {}
    notes, missing = list(matrix.notes), []
    for row, entries in matrix.rows.items():
        pinned = proven[row]
        texts = dict(zip(names, pinned.numbers or [None] * len(names), strict=True))
        sizes = dict(zip(names, pinned.sizes, strict=False))
        if texts[row] is None and entries[row] is not None:
            texts[row] = proven_answer.limits(lowered, point, row, 2, matrix.digits)[1]
        rows[row] = {column: None if number is None else texts[column] for column, number in entries.items()}
        labels = {column: diagnostics.mixed(lowered.name, row, column) for column in names}
        notes += [f"{labels[column]} {size}" for column, size in sizes.items() if size]
        missing += [labels[c] for c, number in entries.items() if number is not None and rows[row][c] is None]
    bits = max(matrix.bits, *(pinned.bits for pinned in proven.values()))
    matrix = replace(matrix, rows=rows, bits=bits, notes=tuple(dict.fromkeys(notes)))
    if not missing:
        return matrix
    return without(replace(matrix, checked=False), missing, "unknown", f"is not known to {matrix.digits} digits here")
