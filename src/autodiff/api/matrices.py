"""Whole matrices at a point, and products with them: Hessian, Jacobian, jvp and vjp; of arrays, element by element.

>>> hessian("100*(y - x^2)^2 + (1 - x)^2", {"x": 1.0, "y": 1.0}).rows
{'y': {'y': 200.0, 'x': -400.0}, 'x': {'y': -400.0, 'x': 802.0}}
>>> jacobian("u = x*y; v = x + y", {"x": 2.0, "y": 3.0}, of=["u", "v"]).rows
{'u': {'x': 3.0, 'y': 2.0}, 'v': {'x': 1.0, 'y': 1.0}}
>>> hessian("prod(x)", {"x": [2.0, 3.0]}).rows
{'x[0]': {'x[0]': 0.0, 'x[1]': 1.0}, 'x[1]': {'x[0]': 1.0, 'x[1]': 0.0}}
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from autodiff import diagnostics
from autodiff.api.answer import Answer
from autodiff.api.elementwise_view import Elements, over_elements
from autodiff.api.evaluate import answered, parse
from autodiff.api.inputs import named, sources
from autodiff.api.proven_answer import INSTALL
from autodiff.core.evaluate import DomainError, primal
from autodiff.core.jvp import forward
from autodiff.core.lowering import Lowered
from autodiff.diagnostics import SEVERITY
from autodiff.errors import AutodiffError, Span, nearest, quoted, shortened
from autodiff.language.ast import Program, Reading
from autodiff.numbers.taylor import Expansion

if TYPE_CHECKING:
    from autodiff.nonsmooth.verdict import Verdict

_CANCELLED, _SAME, _FAINT = 0.5, 5e-13, 5e-324
"""What is left of a sum of products, in parts of its terms, where rounding has taken digits of it; how near two ways to it
are; and how far a slope that is tiny may be off, beside its own size."""

_NOISE = 1e-9
"""Two ways to the same second derivative differ by less than this, relative to the largest entry."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Derivatives by row and column at a point; None where there is none.

    kind       hessian, jacobian, jvp or vjp
    result     what the program's result is called
    values     the value of every result that was asked for
    rows       of a Hessian by two names, of a Jacobian by result and name; a jvp has one column, "jvp", a vjp one row
    gradient   with a Hessian, the first derivatives
    given      the direction of a jvp, the weights of a vjp
    at         the value of every input; where arrays are given, rows and columns and this are by their elements, `x[0]`
    status     as in an `Answer`; all but ok say `why`
    checked    whether a second way to the same numbers confirmed them
    """

    kind: str
    result: str
    values: Mapping[str, float | None]
    rows: Mapping[str, Mapping[str, float | None]]
    at: Mapping[str, float]
    gradient: Mapping[str, float | None] = field(default_factory=dict)
    given: Mapping[str, float] = field(default_factory=dict)
    status: str = "ok"
    why: str = ""
    hint: str = ""
    span: Span | None = None
    notes: tuple[str, ...] = ()
    checked: bool = False
    readings: tuple[Reading, ...] = field(default=(), repr=False)
    source: str = field(default="", repr=False)

    @property
    def complete(self) -> bool:
        """Whether every number that was asked for is there."""
        numbers = [
            *self.values.values(),
            *self.gradient.values(),
            *(n for row in self.rows.values() for n in row.values()),
        ]
        return None not in numbers

    def to_dict(self) -> dict[str, Any]:
        """The matrix as JSON-ready data: no NaN, no infinity; optional keys only where they say something."""
        data: dict[str, Any] = {"result": self.result}
        if self.kind == "hessian":
            data |= {"value": self.values[self.result], "gradient": dict(self.gradient)}
        else:
            data["values"] = dict(self.values)
        if self.kind == "jvp":
            data |= {"jvp": {name: row["jvp"] for name, row in self.rows.items()}, "direction": dict(self.given)}
        elif self.kind == "vjp":
            data |= {"vjp": dict(self.rows["vjp"]), "weights": dict(self.given)}
        else:
            data[self.kind] = {name: dict(row) for name, row in self.rows.items()}
        optional = {
            "why": self.why or None,
            "hint": self.hint or None,
            "span": None if self.span is None else list(self.span),
            "notes": list(self.notes) or None,
        }
        data |= {"at": dict(self.at), "status": self.status, "checked": self.checked}
        return data | {key: value for key, value in optional.items() if value is not None}


def hessian(
    text: str, at: Mapping[str, Any] | None = None, wrt: Sequence[str] | None = None, *, strict: bool = False
) -> Matrix:
    """All second derivatives by inputs, by forward over reverse: one pair of sweeps for each row.

    Each number off the diagonal is found twice, in two rows; where rounding makes them differ it is not given. Raises
    AutodiffError for a mistake in the text or the arguments.
    """
    program = parse(text, strict=strict, given=at)
    over = over_elements(program, {} if at is None else at)
    lowered, point, names = over.lowered, over.point, _sources(over, wrt)
    inputs_only(lowered, names)
    answer = answered(lowered, point, names)
    empty: dict[str, dict[str, float | None]] = {row: dict.fromkeys(names) for row in names}
    made = Matrix(
        "hessian",
        lowered.name,
        {lowered.name: answer.value},
        empty,
        point,
        answer.gradient,
        readings=program.readings,
        source=program.source,
        **_said([answer]),
    )
    if answer.value is None or not names:
        return made
    rows = {name: _proven_row(lowered, point, source, [*names.values()]) for name, source in names.items()}
    if all(row and None not in row for row in rows.values()):
        return _judged(made, _numbers(names, rows), lowered, None, {})
    try:
        run = primal(lowered, point)
    except DomainError:
        return _without(made, [diagnostics.mixed(lowered.name, a, b) for a, b in _pairs(names)], "unknown", _UNTOLD)
    if None in rows.values():
        from autodiff.verify import float_taylor  # where ball arithmetic is not installed

        rows = {n: float_taylor.hessian_row(lowered, run, source, [*names.values()]) for n, source in names.items()}
        if any(None in row for row in rows.values() if row):
            made = replace(made, hint=INSTALL)
    found = _numbers(names, rows)
    looked: dict[str, Verdict] = {}
    for name, source in names.items():
        if math.isnan(found[name][name]) and answer.gradient[name] is not None:
            from autodiff.nonsmooth.verdict import verdict  # most points are no hard points

            looked[name] = verdict(lowered, run, point, source, 2)
            found[name][name] = math.nan if (slope := looked[name].slope) is None else slope
    return _judged(made, found, lowered, Expansion(lowered, run, [*names.values()], 2).culprit(), looked)


def _numbers(
    names: Mapping[str, int], rows: Mapping[str, Sequence[float | None] | None]
) -> dict[str, dict[str, float]]:
    """The rows by name, NaN for what is not known."""
    return {
        name: {n: math.nan if x is None else x for n, x in zip(names, row or [None] * len(names), strict=True)}
        for name, row in rows.items()
    }


def _proven_row(
    lowered: Lowered, point: Mapping[str, float], source: int, sources: Sequence[int]
) -> list[float | None] | None:
    """A row of the Hessian by ball arithmetic, empty where it decides nothing; None where it is not installed."""
    try:
        from autodiff.verify import ball_taylor
    except ImportError:
        return None
    return ball_taylor.hessian_row(lowered, point, source, sources)


_TOO_LARGE = "overflows: it is beyond 1.8e308"
_UNTOLD = "is not known here: float64 can't tell its digits"


def _pairs(names: Iterable[str]) -> Iterable[tuple[str, str]]:
    return itertools.combinations_with_replacement(names, 2)


def _judged(
    made: Matrix,
    found: Mapping[str, Mapping[str, float]],
    lowered: Lowered,
    spot: int | None,
    looked: Mapping[str, Verdict],
) -> Matrix:
    """The Hessian from its rows: what both halves agree on; a name without a slope has no second derivative."""
    known = [n for row in found.values() for n in row.values()]
    noise = _NOISE * max((abs(n) for n in known if math.isfinite(n)), default=0.0)
    rows: dict[str, dict[str, float | None]] = {row: {} for row in found}
    lost: dict[str, Verdict | None] = {}
    for row, column in _pairs(found):
        halves = found[row][column], found[column][row]
        sound = all(map(math.isfinite, halves)) and abs(halves[0] - halves[1]) <= noise
        sloped = made.gradient[row] is not None and made.gradient[column] is not None
        rows[row][column] = rows[column][row] = halves[0] + 0.0 if sound and sloped else None
        if sloped and not sound:
            lost[diagnostics.mixed(lowered.name, row, column)] = looked.get(row) if row == column else None
    made = replace(made, rows={row: {column: rows[row][column] for column in found} for row in found})
    if not lost:
        return replace(made, checked=made.status == "ok")
    if any(map(math.isinf, known)):
        return _without(made, [*lost], "overflow", _TOO_LARGE)
    statuses = {"unknown" if one is None else one.status for one in lost.values()}
    return replace(
        made,
        status=max(made.status, *statuses, key=SEVERITY.index),
        why="; ".join(filter(None, [made.why, _lost(lowered, lost, spot)])),
        span=made.span if made.span or spot is None else lowered.graph.spans[spot],
    )


def _without(made: Matrix, lost: Sequence[str], status: str, reason: str) -> Matrix:
    """The Hessian with what is said about the entries that are not there."""
    return replace(
        made,
        status=max(made.status, status, key=SEVERITY.index),
        why="; ".join(filter(None, [made.why, f"{_listed(lost)} {reason}"])),
    )


def _lost(lowered: Lowered, lost: Mapping[str, Verdict | None], spot: int | None) -> str:
    """Why second derivatives are not there: what is so for those that were looked at from both sides, then the others."""
    known = {
        name: one for name, one in lost.items() if one is not None and one.status != "unknown" and spot is not None
    }
    reasons = [diagnostics.beyond(lowered, name, spot, one) for name, one in [*known.items()][:3] if spot is not None]
    rest = [name for name in lost if name not in known]
    what = "rounding" if spot is None else diagnostics.written(lowered, spot)
    return "; ".join([*reasons, *([f"{_listed(rest)} is not known here, because of {what}"] if rest else [])])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def jacobian(
    text: str,
    at: Mapping[str, Any] | None = None,
    wrt: Sequence[str] | None = None,
    *,
    of: Sequence[str] = (),
    mode: str = "reverse",
    strict: bool = False,
) -> Matrix:
    """The first derivatives of several results, names that the program assigns; of its last result when `of` is empty.

    Raises AutodiffError for a mistake in the text or the arguments.
    """
    program = parse(text, strict=strict, given=at)
    over = over_elements(program, {} if at is None else at, many=True)
    return _jacobian(program, over, _sources(over, wrt), over.names(of), mode)


def _sources(over: Elements, wrt: Sequence[str] | None) -> dict[str, int]:
    """What is differentiated by; an array's elements in its place."""
    return sources(over.lowered, None if wrt is None else over.names(wrt), of_result=False)


def _jacobian(program: Program, over: Elements, names: Mapping[str, int], of: Sequence[str], mode: str) -> Matrix:
    lowered, point = over.lowered, over.point
    answers = _answers(lowered, point, names, of or over.names([lowered.name]), mode)
    return Matrix(
        "jacobian",
        lowered.name,
        {name: answer.value for name, answer in answers.items()},
        {name: answer.gradient for name, answer in answers.items()},
        point,
        checked=all(answer.checked for answer in answers.values()),
        readings=program.readings,
        source=program.source,
        **_said([*answers.values()]),
    )


def jvp(
    text: str,
    at: Mapping[str, Any] | None = None,
    direction: Mapping[str, Any] | None = None,
    *,
    of: Sequence[str] = (),
    strict: bool = False,
) -> Matrix:
    """How fast results change when the inputs move in a direction: one forward sweep for each result.

    Raises AutodiffError for a mistake in the text or the arguments.
    """
    program = parse(text, strict=strict, given=at)
    over = over_elements(program, {} if at is None else at, many=True)
    rates = {} if direction is None else over.numbers(direction, "a direction")
    lowered, point, names = over.lowered, over.point, sources(over.lowered, [*rates], of_result=False)
    answers = _answers(lowered, point, names, over.names(of or [lowered.name]), "reverse")
    found = {name: _along(lowered, point, names, rates, name, answer) for name, answer in answers.items()}
    answers = {name: answer for name, (answer, _) in found.items()}
    speeds = {name: speed for name, (_, speed) in found.items()}
    made = Matrix(
        "jvp",
        lowered.name,
        {name: answer.value for name, answer in answers.items()},
        {name: {"jvp": _number(speed)} for name, speed in speeds.items()},
        point,
        given=rates,
        checked=all(answer.checked for answer in answers.values()),
        readings=program.readings,
        source=program.source,
        **_said([*answers.values()]),
    )
    lost = [f"the rate of {shortened(name)}" for name, speed in speeds.items() if speed is not None and _beyond(speed)]
    return _without(made, lost, "overflow", _TOO_LARGE) if lost else made


def _along(
    lowered: Lowered,
    point: Mapping[str, float],
    names: Mapping[str, int],
    rates: Mapping[str, float],
    result: str,
    answer: Answer,
) -> tuple[Answer, float | None]:
    """How fast a result changes; with its answer, which says why where there is no such slope.

    That is the forward sweep's number; ball arithmetic's where that or the parts of it cancel, or the answer was made of
    balls.
    """
    if not answer.complete:
        return answer, None
    there = lowered._replace(result=results(lowered, [result])[result])
    moving = {names[name]: rate for name, rate in rates.items() if rate}
    if moving and any(found.status == "ok" for found in answer.verdicts.values()):
        from autodiff.nonsmooth.verdict import along  # most points are no hard points

        found = along(there, primal(there, point), point, moving)
        why = "" if found.slope is not None else diagnostics.directed(result, found)
        return answer._replace(status=found.status, why=why), None if why else found.slope
    parts = [(answer.gradient[name] or 0.0) * rate for name, rate in rates.items()]
    seeds = {names[name]: {"": rate} for name, rate in rates.items()}
    try:
        speed = forward(there, point, seeds)[there.result].tangent.get("", 0.0)
    except DomainError:
        return answer, _proven_rate(there, point, {names[name]: rate for name, rate in rates.items()}, _total(parts))
    if answer.bits or not abs(speed - _total(parts)) <= _SAME * abs(speed) or _spoilt(parts, rates.values()):
        return answer, _proven_rate(there, point, {names[name]: rate for name, rate in rates.items()}, speed)
    return answer, speed


def _spoilt(parts: Sequence[float], factors: Iterable[float]) -> bool:
    """Whether a sum of slopes times factors may have few digits: the parts cancel, or a slope is tiny."""
    total = abs(_total(parts))
    faint = _FAINT * _total(map(abs, factors))
    return total < _CANCELLED * _total(map(abs, parts)) or faint > _FAINT + _SAME * total


def _proven_rate(lowered: Lowered, point: Mapping[str, float], rates: Mapping[int, float], otherwise: float) -> float:
    """How fast the result changes by ball arithmetic; `otherwise` where that is not to be had."""
    try:
        from autodiff.verify import digits
    except ImportError:
        return otherwise
    found = digits.rate(lowered, point, rates)
    return otherwise if found is None else found


def vjp(
    text: str,
    at: Mapping[str, Any] | None = None,
    weights: Mapping[str, Any] | None = None,
    wrt: Sequence[str] | None = None,
    *,
    strict: bool = False,
) -> Matrix:
    """The slopes of a weighted sum of results: one reverse sweep for each result. `weights` name the results.

    Raises AutodiffError for a mistake in the text or the arguments.
    """
    program = parse(text, strict=strict, given=at)
    over = over_elements(program, {} if at is None else at, many=True)
    given = {} if weights is None else over.numbers(weights, "a weighted sum")
    given = given or dict.fromkeys(over.names([over.lowered.name]), 1.0)
    rows = _jacobian(program, over, _sources(over, wrt), [*given], "reverse")
    sums: dict[str, float | None] = {}
    for name in next(iter(rows.rows.values())):
        parts = [(row[name], given[result]) for result, row in rows.rows.items()]
        known = [slope * weight for slope, weight in parts if slope is not None]
        sums[name] = _total(known) if len(known) == len(parts) else None
        weighted = [slope * weight for slope, weight in parts if slope is not None]
        if sums[name] is not None and _spoilt(weighted, given.values()):
            sums[name] = _weighted_slope(over, given, name, _total(known))
    made = replace(rows, kind="vjp", rows={"vjp": {name: _number(slope) for name, slope in sums.items()}}, given=given)
    lost = [f"the slope by {shortened(name)}" for name, slope in sums.items() if slope is not None and _beyond(slope)]
    return _without(made, lost, "overflow", _TOO_LARGE) if lost else made


def _weighted_slope(over: Elements, weights: Mapping[str, float], name: str, otherwise: float) -> float:
    """The slope of the weighted sum of results by one name, where the parts of it cancel."""
    try:
        from autodiff.verify import digits
    except ImportError:
        return otherwise
    source = sources(over.lowered, [name], of_result=False)[name]
    weighted = {node: weights[result] for result, node in results(over.lowered, [*weights]).items()}
    found = digits.weighted_slope(over.lowered, over.point, source, weighted)
    return otherwise if found is None else found


def _total(parts: Iterable[float]) -> float:
    return sum(parts, 0.0)


def _beyond(value: float) -> bool:
    return not math.isfinite(value)


def _number(value: float | None) -> float | None:
    return None if value is None or _beyond(value) else value + 0.0


def _answers(
    lowered: Lowered, point: Mapping[str, float], names: Mapping[str, int], of: Sequence[str], mode: str
) -> dict[str, Answer]:
    found = results(lowered, of)
    return {
        name: answered(lowered._replace(result=node, name=name), point, names, mode) for name, node in found.items()
    }


def _said(answers: Sequence[Answer]) -> dict[str, Any]:
    """The worst status of several answers, and what is said about all of them."""
    worst = max(answers, key=lambda answer: SEVERITY.index(answer.status))
    reasons = list(dict.fromkeys(answer.why for answer in answers if answer.why))
    return {
        "status": worst.status,
        "why": "; ".join(reasons[:3]),
        "hint": "" if worst.status == "corner" else worst.hint,
        "span": worst.span,
        "notes": tuple(dict.fromkeys(note for answer in answers for note in answer.notes)),
    }


# --- names --------------------------------------------------------------------------------------------------------------


def results(lowered: Lowered, of: Sequence[str]) -> dict[str, int]:
    """The equations of several results. Raises AutodiffError for a name that the program does not assign."""
    found: dict[str, int] = {}
    for name in named(of):
        node = lowered.assigned.get(name, lowered.result if name == lowered.name else None)
        if node is None:
            near = nearest(name, lowered.assigned)
            known = f"it assigns {diagnostics.listed(lowered.assigned)}" if lowered.assigned else ""
            raise AutodiffError(
                f"{quoted(name)} is no result of this program",
                hint=f"did you mean {quoted(near)}?" if near else known or "give its parts names: u = …; v = …",
            )
        if name in found:
            raise AutodiffError(f"{quoted(name)} stands twice among the results")
        found[name] = node
    return found


def inputs_only(lowered: Lowered, names: Mapping[str, int]) -> None:
    """Raise AutodiffError for an assigned name: it moves with the inputs, so second derivatives by both say nothing."""
    for name in names:
        if name in lowered.assigned:
            raise AutodiffError(
                f"{quoted(name)} is assigned in the program, and a Hessian is by inputs",
                hint=f"its inputs are {', '.join(map(shortened, lowered.inputs[:12]))}",
            )
