"""Whole matrices at a point, and products with them: Hessian, Jacobian, jvp and vjp; of arrays, element by element.

>>> hessian("100*(y - x^2)^2 + (1 - x)^2", {"x": 1.0, "y": 1.0}).rows
{'y': {'y': 200.0, 'x': -400.0}, 'x': {'y': -400.0, 'x': 802.0}}
>>> jacobian("u = x*y; v = x + y", {"x": 2.0, "y": 3.0}, of=["u", "v"]).rows
{'u': {'x': 3.0, 'y': 2.0}, 'v': {'x': 1.0, 'y': 1.0}}
>>> hessian("prod(x)", {"x": [2.0, 3.0]}).rows
{'x[0]': {'x[0]': 0.0, 'x[1]': 1.0}, 'x[1]': {'x[0]': 1.0, 'x[1]': 0.0}}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from autodiff import diagnostics, display
from autodiff.api.answer import Answer, known
from autodiff.api.elementwise_view import OverNumbers, over_elements
from autodiff.api.evaluate import inputs_only, parse, proven_digits, results
from autodiff.api.inputs import named, sources
from autodiff.api.scalar_answer import Query
from autodiff.diagnostics import SEVERITY
from autodiff.errors import Span, shortened, with_flags
from autodiff.language.ast import ParsedProgram, Reading

if TYPE_CHECKING:
    from autodiff.nonsmooth.verdict import Status

Number: TypeAlias = Any
"""A float64, or a text of proven digits."""


UNSLOPED = ("corner", "infinite", "jump", "unknown")
"""Statuses of points where slopes are missing, though there may be one along some direction."""


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
    digits     how many proven digits were asked for; numbers are then texts of them; 0 for float64
    bits       the precision of the ball arithmetic that proved these
    """

    kind: str
    result: str
    values: Mapping[str, Number | None]
    rows: Mapping[str, Mapping[str, Number | None]]
    at: Mapping[str, float]
    gradient: Mapping[str, Number | None] = field(default_factory=dict)
    given: Mapping[str, float] = field(default_factory=dict)
    status: Status = "ok"
    why: str = ""
    hint: str = ""
    span: Span | None = None
    notes: tuple[str, ...] = ()
    checked: bool = False
    digits: int = 0
    bits: int = 0
    readings: tuple[Reading, ...] = field(default=(), repr=False)
    source: str = field(default="", repr=False)

    __str__ = display.text
    _repr_html_ = display.notebook_html
    _repr_latex_ = display.notebook_latex
    to_html, to_latex, to_markdown = display.html, display.latex, display.markdown

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
            "digits": self.digits or None,
            "bits": (self.digits and self.bits) or None,
        }
        data |= {"at": dict(self.at), "status": self.status, "checked": self.checked}
        return data | known(optional)


@with_flags
def hessian(
    text: str,
    at: Mapping[str, Any] | None = None,
    wrt: Sequence[str] | None = None,
    *,
    strict: bool = False,
    digits: int = 0,
) -> Matrix:
    """All second derivatives by inputs, by forward over reverse: one pair of sweeps for each row.

    Each number off the diagonal is found twice, in two rows; where rounding makes them differ it is not given. With
    `digits`, 1 to 1,000, every number is a text of so many proven digits:

    >>> hessian("exp(x*y)", {"x": 1.0, "y": 2.0}, digits=20).rows["x"]
    {'x': '29.556224395722600909', 'y': '22.167168296791950682'}

    Raises AutodiffError for a mistake in the text or the arguments.
    """
    from autodiff.api.higher_order import second_derivatives  # the other matrices need no series

    program = parse(text, strict=strict, given=at, wrt=wrt)
    over = over_elements(program, {} if at is None else at)
    names = _sources(over, wrt)
    inputs_only(over.lowered, names)
    answer = Query(over.lowered, over.point, names, digits=proven_digits(digits)).answer()
    rows: dict[str, dict[str, Number | None]] = {row: dict.fromkeys(names) for row in names}
    matrix = _matrix("hessian", program, over, {over.lowered.name: answer}, rows, gradient=answer.gradient)
    if answer.value is None or not names:
        return replace(matrix, checked=False)
    return second_derivatives(matrix, over.lowered, over.point, names)


@with_flags
def jacobian(
    text: str,
    at: Mapping[str, Any] | None = None,
    wrt: Sequence[str] | None = None,
    *,
    of: Sequence[str] = (),
    strict: bool = False,
    digits: int = 0,
) -> Matrix:
    """The first derivatives of several results, names that the program assigns; of its last result when `of` is empty.

    >>> jacobian("u = x/3; v = x*y", {"x": 1.0, "y": 2.0}, of=["u", "v"], digits=20).rows["u"]
    {'x': '0.33333333333333333333', 'y': '0'}

    Raises AutodiffError for a mistake in the text or the arguments.
    """
    program = parse(text, strict=strict, given=at, wrt=wrt)
    over = over_elements(program, {} if at is None else at, many=True)
    names = _sources(over, wrt)
    answers = _answers(over, names, over.names([*filter(None, named(of))] or [over.lowered.name]), digits)
    return _matrix("jacobian", program, over, answers, {name: answer.gradient for name, answer in answers.items()})


@with_flags
def jvp(
    text: str,
    at: Mapping[str, Any] | None = None,
    direction: Mapping[str, Any] | None = None,
    *,
    of: Sequence[str] = (),
    strict: bool = False,
    digits: int = 0,
) -> Matrix:
    """How fast results change when the inputs move in a direction: one forward sweep for each result.

    >>> jvp("x*y/3", {"x": 1.0, "y": 2.0}, {"x": 1.0}, digits=20).rows
    {'f': {'jvp': '0.66666666666666666667'}}

    Raises AutodiffError for a mistake in the text or the arguments.
    """
    program = parse(text, strict=strict, given=at)
    over = over_elements(program, {} if at is None else at, many=True)
    rates = {} if direction is None else over.numbers(direction, "a direction")
    names = sources(over.lowered, [*rates], of_result=False)
    answers = _answers(over, names, over.names([*filter(None, named(of))] or [over.lowered.name]), digits)
    from autodiff.api.directions import TIME, along  # a Hessian needs none

    line, of_line = along(over.lowered, over.point, names, rates, digits)
    rows: dict[str, dict[str, Number | None]] = {}
    missing = []
    for name, answer in answers.items():
        node = results(over.lowered, [name])[name]
        directional = answer.complete or answer.status in UNSLOPED  # there may be a slope along an edge
        moved = line.of(of_line[node], name).answer() if directional else answer
        speed = moved.gradient.get(TIME)
        rows[name] = {"jvp": speed}
        if directional and moved.status == "overflow":
            missing.append(f"the rate of {shortened(name)}")
        elif directional:
            verdict = None if speed is not None else moved.verdicts.get(TIME)
            why = moved.why if verdict is None else diagnostics.directed(name, verdict)
            unknown = answer.value is None and moved.value is not None  # where only the slope is, without balls
            answers[name] = (answer.filled(moved.value, answer.gradient) if unknown else answer)._replace(
                status=moved.status,
                why=why,
                hint="",
                span=answer.span if why else None,
                bits=max(answer.bits, moved.bits),
            )
    matrix = _matrix("jvp", program, over, answers, rows, given=rates)
    return without(matrix, missing, "overflow", BEYOND) if missing else matrix


@with_flags
def vjp(
    text: str,
    at: Mapping[str, Any] | None = None,
    weights: Mapping[str, Any] | None = None,
    wrt: Sequence[str] | None = None,
    *,
    strict: bool = False,
    digits: int = 0,
) -> Matrix:
    """The slopes of a weighted sum of results by one reverse sweep. `weights` name the results.

    >>> vjp("u = x^2; v = x/3", {"x": 1.0}, {"u": 1.0, "v": 2.0}, digits=20).rows
    {'vjp': {'x': '2.6666666666666666667'}}

    Raises AutodiffError for a mistake in the text or the arguments.
    """
    program = parse(text, strict=strict, given=at, wrt=wrt)
    over = over_elements(program, {} if at is None else at, many=True)
    given = {} if weights is None else over.numbers(weights, "a weighted sum")
    given = given or dict.fromkeys(over.names([over.lowered.name]), 1.0)
    names = _sources(over, wrt)
    answers = _answers(over, {}, [*given], digits)
    rows: dict[str, dict[str, Number | None]] = {"vjp": dict.fromkeys(names)}
    if all(answer.complete for answer in answers.values()):
        from autodiff.api.directions import weighted  # see above

        query = Query(over.lowered, over.point, names, digits=digits)
        slopes = weighted(query, results(over.lowered, [*given]), given, weighted_label(given)).answer()
        rows["vjp"] = dict(slopes.gradient)
        answers[""] = slopes
    matrix = _matrix("vjp", program, over, answers, rows, given=given)
    return replace(matrix, values={name: value for name, value in matrix.values.items() if name})


def _sources(over: OverNumbers, wrt: Sequence[str] | None) -> dict[str, int]:
    """What is differentiated by; an array's elements in its place."""
    return sources(over.lowered, None if wrt is None else over.names(wrt), of_result=False)


def _answers(over: OverNumbers, names: Mapping[str, int], of: Sequence[str], digits: int) -> dict[str, Answer]:
    """The value and the slopes of each result."""
    query = Query(over.lowered, over.point, names, digits=proven_digits(digits))
    return {name: query.of(node, name).answer() for name, node in results(over.lowered, of).items()}


def _matrix(
    kind: str,
    program: ParsedProgram,
    over: OverNumbers,
    answers: Mapping[str, Answer],
    rows: Mapping[str, Mapping[str, Number | None]],
    *,
    gradient: Mapping[str, Number | None] = MappingProxyType({}),
    given: Mapping[str, float] = MappingProxyType({}),
) -> Matrix:
    """The record of answers about several results: the worst status, and the reasons and notes of all."""
    every = [*answers.values()]
    worst = max(every, key=lambda answer: SEVERITY.index(answer.status))
    reasons = list(dict.fromkeys(answer.why for answer in every if answer.why))
    return Matrix(
        kind,
        over.lowered.name,
        {name: answer.value for name, answer in answers.items()},
        rows,
        over.point,
        dict(gradient),
        dict(given),
        status=worst.status,
        why="; ".join(reasons[:3]),
        hint="" if worst.status == "corner" else worst.hint,
        span=worst.span,
        notes=tuple(dict.fromkeys(note for answer in every for note in answer.notes)),
        checked=all(answer.checked for answer in every),
        digits=every[0].digits,
        bits=max(answer.bits for answer in every),
        readings=program.readings,
        source=program.source,
    )


BEYOND = "overflows: it is beyond 1.8e308"


def without(matrix: Matrix, missing: Sequence[str], status: Status, reason: str) -> Matrix:
    """The matrix with why entries are not there."""
    return replace(
        matrix,
        status=max(matrix.status, status, key=SEVERITY.index),
        why="; ".join(filter(None, [matrix.why, f"{first_three(missing)} {reason}"])),
    )


def first_three(names: Sequence[str]) -> str:
    """`a, b, c and 2 more`."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def weighted_label(weights: Mapping[str, float]) -> str:
    """How a weighted sum is called: `(u + 2*v)`, of one result with the weight 1 its name."""
    terms = " + ".join(n if weight == 1 else f"{diagnostics.shown(weight)}*{n}" for n, weight in weights.items())
    return terms if terms in weights else f"({terms})"
