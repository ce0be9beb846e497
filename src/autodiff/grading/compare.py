"""Is a formula the derivative of a program: by symbols where that is cheap, else at many points, each with error bounds.

>>> compare("sin(x^2)", "cos(x^2)*2x").verdict
'yes'
>>> found = compare("sin(x^2)", "cos(x)*2x")
>>> found.verdict, found.at, found.slip.kind
('no', {'x': 2.0}, 'inner function')
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autodiff import display
from autodiff.api.elementwise_view import numbers_of
from autodiff.api.evaluate import parse
from autodiff.api.inputs import sources
from autodiff.api.reduction_notes import require_elements
from autodiff.codegen.gradient import gradient_equations
from autodiff.core.lowering import Lowered
from autodiff.diagnostics import listed, shown
from autodiff.errors import AutodiffError, quoted, shortened
from autodiff.grading.diagnose import OfTyping, antiderivative, explain
from autodiff.grading.missing_brackets import missing_brackets
from autodiff.grading.names import in_names
from autodiff.grading.sampling import ENOUGH, SAMPLES, Trial, trials
from autodiff.grading.slip import Sample, Slip, swapped_terms
from autodiff.language.ast import Define, Expression, ParsedProgram, Reading
from autodiff.language.derivative_notation import LATEX_BLANK, last_part, stated
from autodiff.symbolic.adjoint import slope_by, tidied
from autodiff.symbolic.expression import Symbols
from autodiff.verify.error_bound import BoundedValue

_LARGEST = 20_000  # equations up to which the tidied formulas are compared

_NOWHERE = "no point was found where the program has a derivative"


@dataclass(frozen=True, slots=True)
class Compared:
    """What came out: verdict "yes", "no" or "undecided", and why.

    at, derivative, answer   where they differ, and the two numbers (None: no value there)
    slip                     the slip that gives exactly this answer, if one does; `second` with it if it takes two
    method                   "symbols" or "points"; `agreed` points were the same
    notes                    what is different where only one of both is defined, or by how little the two differ
    """

    verdict: str
    wrt: str
    result: str
    method: str = "points"
    agreed: int = 0
    at: Mapping[str, float] = field(default_factory=dict)
    derivative: float | None = None
    answer: float | None = None
    slip: Slip | None = None
    second: Slip | None = None
    why: str = ""
    notes: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = field(default=(), repr=False)

    __str__ = display.text
    _repr_html_ = display.notebook_html
    to_html, to_markdown = display.html, display.markdown

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-ready data; keys that say nothing are left out."""
        data: dict[str, Any] = {"verdict": self.verdict, "wrt": self.wrt, "method": self.method, "agreed": self.agreed}
        if self.verdict == "no":
            data |= {"at": dict(self.at), "derivative": self.derivative, "answer": self.answer}
            data["slips"] = [slip.to_dict() for slip in (self.slip, self.second) if slip is not None]
        optional = {"why": self.why, "notes": list(self.notes)}
        return data | {key: value for key, value in optional.items() if value}


def compare(program: str, answer: str, wrt: str | None = None, *, strict: bool = False) -> Compared:
    """Whether `answer` is the derivative of `program` by `wrt` (its only input when None).

    The answer may use the names that the program assigns, and its result's. Raises AutodiffError for a mistake in
    either text, for a name that the program does not have, and for a program with a sum or another reduction of a name:
    every name is one number, so that mean(x^2) would be x^2. A loss of the prelude is the loss of one row.
    """
    parsed = parse(program, strict=strict, wrt=wrt)
    numbers = numbers_of(parsed)
    require_elements(numbers)
    lowered = numbers.lowered
    answer, wrt = _without_left_side(parsed, lowered, answer, wrt)
    answer, steps = _without_steps(answer, strict=strict)
    if not lowered.inputs and wrt is None and not lowered.assigned:
        wrt = "x"
    if not lowered.inputs and wrt is not None and wrt.isidentifier() and wrt not in lowered.assigned:
        lowered.graph.input(wrt)  # the derivative of a constant is 0 by any name
        lowered = lowered._replace(inputs=(wrt,))
    name, source = _variable(lowered, wrt)
    defined = [statement.target.name for statement in parsed.statements if isinstance(statement, Define)]
    given = parse(answer, strict=strict, given={*lowered.assigned, *parsed.given}, functions=defined)

    def read(text: str) -> Lowered:
        return in_names(parsed, lowered, parse(text, given={*lowered.assigned, *parsed.given}, functions=defined))

    answered = in_names(parsed, lowered, given)
    readings = {str(reading): reading for reading in (*parsed.readings, *steps, *given.readings)}
    empty = Compared("undecided", name, lowered.name, readings=tuple(readings.values()))
    equations = gradient_equations(lowered, {name: source})
    slope = Lowered(equations.graph, equations.slopes[name], name, lowered.inputs, {}, "")
    same = _same_formula(lowered, source, answered)
    tried = list(trials(lowered, source, slope, answered, proved=same))
    return _judged(
        empty, tried, same=same, lowered=lowered, source=source, answered=answered,
        of_typing=lambda samples: missing_brackets(given.source, read, samples),
    )  # fmt: skip


def _without_left_side(
    program: ParsedProgram, lowered: Lowered, answer: str, wrt: str | None
) -> tuple[str, str | None]:
    """The answer and its variable where the answer begins with what it is the derivative of, as in `y' = 2x`."""
    left_side = stated(answer) if isinstance(answer, str) else None
    if left_side is None or left_side.of in lowered.inputs:
        return answer, wrt
    last = program.statements[-1]
    own = (
        {lowered.name}
        if not isinstance(last, Expression)
        else {lowered.name, left_side.of}
        if left_side.of.isidentifier()
        else set()
    )
    if (
        left_side.of
        and left_side.of not in own
        and parse(left_side.of).statements[-1:] != (Expression(last.body, last.span),)
    ):
        raise AutodiffError(
            f"the answer is the derivative of {quoted(left_side.of)}, and the program is {quoted(program.source)}",
            hint="write the formula alone",
        )
    if left_side.wrt and wrt is not None and left_side.wrt != wrt.strip():
        raise AutodiffError(
            f"the answer is a derivative by {quoted(left_side.wrt)}, and {quoted(wrt)} is asked for",
            hint="leave --wrt out",
        )
    return left_side.text, left_side.wrt or wrt


def _without_steps(answer: str, *, strict: bool) -> tuple[str, tuple[Reading, ...]]:
    """The end of an answer with its steps, as in `2*x^1 = 2x`, and that it alone is read. Raises AutodiffError for an empty one."""
    if not isinstance(answer, str):
        return answer, ()
    if not answer.strip():
        raise AutodiffError("the answer is empty", hint='write a formula, such as "2x"')
    last, steps = last_part(answer)
    reading = Reading(
        shortened(steps, 60), f"its last part, {shortened(last.removeprefix(LATEX_BLANK), 60)}", (0, len(steps))
    )
    if steps and strict:
        raise AutodiffError(f"doubtful: {reading}", hint="with --strict, write the last part alone")
    return last, (reading,) if steps else ()


def _variable(lowered: Lowered, wrt: str | None) -> tuple[str, int]:
    if wrt is None and len(lowered.inputs) != 1:
        raise AutodiffError(
            f"by which name is the answer a derivative? The program's inputs are {listed(lowered.inputs)}"
            if lowered.inputs
            else "the program has no inputs to differentiate by",
            hint="add --wrt NAME" if lowered.inputs else "",
        )
    return next(iter(sources(lowered, list(lowered.inputs) if wrt is None else [wrt]).items()))


def _judged(
    empty: Compared,
    trials: Sequence[Trial],
    *,
    same: bool,
    lowered: Lowered,
    source: int,
    answered: Lowered,
    of_typing: OfTyping,
) -> Compared:
    apart = [t for t in trials if t.outcome == "differs"]
    agreed = sum(t.outcome == "same" for t in trials)
    unanswered = [t for t in trials if t.derivative is not None and t.answer is None]
    if apart:
        return _no(empty, apart, trials, lowered, source, answered, of_typing)
    if same or agreed >= ENOUGH // 4 or (agreed and not lowered.inputs):
        notes = tuple(_notes(trials, empty.wrt))
        return replace(empty, verdict="yes", method="symbols" if same else "points", agreed=agreed, notes=notes)
    if unanswered and not agreed and not any(t.answer for t in trials if t.derivative):
        at, known = unanswered[0].at, [(t.at, t.derivative.value) for t in unanswered[:SAMPLES] if t.derivative]
        slip = swapped_terms(answered, known)
        return replace(empty, verdict="no", at=at, derivative=_value(unanswered[0].derivative), slip=slip)
    return replace(empty, agreed=agreed, why=_unclear(trials, agreed))


def _same_formula(lowered: Lowered, source: int, answered: Lowered) -> bool:
    """Whether `answered` is the slope of `lowered` in equation `source`; never where both are too long to say so."""
    if len(lowered.graph) + len(answered.graph) > _LARGEST:
        return False
    symbols = Symbols()
    derivative = tidied(symbols, symbols.graph, slope_by(lowered, source, symbols))
    answer = tidied(symbols, answered.graph, answered.result)
    return derivative == answer or symbols.plus(derivative, symbols.negative(answer)) == symbols.constant(0.0)


def _unclear(trials: Sequence[Trial], agreed: int) -> str:
    if not any(t.derivative for t in trials):
        return _NOWHERE
    if agreed:
        return f"both agree at {agreed} points, too few to be sure; at all others one of them has no value or rounding decides"
    return "at every point that was tried the two differ by less than rounding may make"


def _value(number: BoundedValue | None) -> float | None:
    return None if number is None else number.value + 0.0


def _notes(trials: Sequence[Trial], wrt: str) -> Iterator[str]:
    """Where only one of both is defined, by an example each."""
    if not any(t.derivative for t in trials):
        yield _NOWHERE
    unanswered = next((t for t in trials if t.derivative is not None and t.answer is None), None)
    more = next((t for t in trials if t.derivative is None and t.answer is not None), None)
    if unanswered is not None:
        yield (
            f"the same where both are defined; at {where(unanswered.at)} the derivative is"
            f" {shown(unanswered.derivative.value if unanswered.derivative else 0.0)} and the answer has no value"
        )
    if more is not None:
        none = (
            f"and the program has none: its derivative by {wrt} exists only where the program does"
            if more.run is None
            else f"and the rules give the program no derivative by {wrt} from both sides"
        )
        yield f"at {where(more.at)} the answer has a value, {shown(more.answer.value if more.answer else 0.0)}, {none}"


def where(at: Mapping[str, float]) -> str:
    """`x = 2, y = 3`."""
    return ", ".join(f"{name} = {shown(value)}" for name, value in at.items()) or "every point"


def _no(
    empty: Compared,
    apart: Sequence[Trial],
    trials: Sequence[Trial],
    lowered: Lowered,
    source: int,
    answered: Lowered,
    of_typing: OfTyping,
) -> Compared:
    apart = sorted(apart, key=lambda t: (not _visible(t), -_relative(t)))
    first = apart[0]
    same = [t for t in trials if t.outcome == "same"]
    samples = [
        Sample(t.at, t.run, t.derivative.value, t.answer.value)
        for t in [*filter(_visible, apart[: max(SAMPLES - len(same), SAMPLES // 2)]), *same][:SAMPLES]
        if t.run is not None and t.derivative is not None and t.answer is not None
    ]
    slips = explain(lowered, source, samples, of_typing) if _visible(first) else ()
    if len(slips) != 1 and (integrated := antiderivative(answered, empty.wrt, lowered, samples)):
        slips = (integrated,)
    return replace(
        empty,
        verdict="no",
        agreed=sum(t.outcome == "same" for t in trials),
        at=first.at,
        derivative=_value(first.derivative),
        answer=_value(first.answer),
        slip=slips[0] if slips else None,
        second=slips[1] if len(slips) > 1 else None,
        notes=(first.remark,) if first.remark else () if _visible(first) else (_hidden(first),),
    )


def _visible(trial: Trial) -> bool:
    """Whether the two numbers differ as they are printed, and are within float64."""
    derivative, answer = _value(trial.derivative), _value(trial.answer)
    return derivative != answer and all(number is not None and math.isfinite(number) for number in (derivative, answer))


def _relative(trial: Trial) -> float:
    """The difference in parts of the derivative, where balls gave it."""
    return abs(trial.difference) / ((abs(trial.derivative.value) if trial.derivative else 0.0) or 1.0)


def _hidden(trial: Trial) -> str:
    size = f"by {shown(abs(trial.difference))}" if trial.difference else "by less than float64's smallest number"
    return f"the two differ {size}, which does not show beside these numbers"
