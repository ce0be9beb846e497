"""Is a formula the derivative of a program: by symbols where that is cheap, else at many points, each with error bounds.

>>> compare("sin(x^2)", "cos(x^2)*2x").verdict
'yes'
>>> found = compare("sin(x^2)", "cos(x)*2x")
>>> found.verdict, found.at, found.slip.kind
('no', {'x': 2.0}, 'inner function')
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autodiff.answer import parse
from autodiff.calculus.blame import listed, shown
from autodiff.calculus.lower import Lowered
from autodiff.calculus.primal import Outside, Run, primal
from autodiff.calculus.straight import straight
from autodiff.calculus.suspects import suspects
from autodiff.calculus.symbolic import image
from autodiff.calculus.symbolic import slopes as formulas
from autodiff.calculus.tidy import Symbols
from autodiff.checking.bounded import Ball, Noise, bounded
from autodiff.checking.points import points
from autodiff.checking.slips import Sample, Slip, explain
from autodiff.errors import AutodiffError, nearest, quoted
from autodiff.language.syntax import Assign, Expression, Name, Program, Reading, Statement
from autodiff.over import numbers_of, over_numbers
from autodiff.point import sources
from autodiff.single import refuse

ENOUGH = 40
"""Points that must agree before two formulas count as the same."""

_TRIED = 400
_MARGIN = 4.0  # the error bounds are of first order
_SHARP = 1e-7  # a point says something when the bounds are this small beside the numbers
_SAMPLES = 12  # points that slips are looked for at
_NOWHERE = "no point was found where the program has a derivative"
_LARGEST = 20_000  # equations up to which the tidied formulas are compared


@dataclass(frozen=True, slots=True)
class Compared:
    """What came out: verdict "yes", "no" or "undecided", and why.

    at, derivative, answer   where they differ, and the two numbers (None: no value there)
    slip                     the slip that gives exactly this answer, if one does; `second` with it if it takes two
    method                   "symbols" or "points"; `agreed` points were the same
    notes                    what is different where only one of both is defined
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
    parsed = parse(program, strict=strict)
    numbers = numbers_of(parsed)
    refuse(numbers)
    lowered = numbers.lowered
    name, source = _variable(lowered, wrt)
    given = parse(answer, strict=strict)
    answered = _answered(parsed, lowered, given)
    empty = Compared("undecided", name, lowered.name, readings=(*parsed.readings, *given.readings))
    found = straight(lowered, {name: source})
    slope = Lowered(found.graph, found.slopes[name], name, lowered.inputs, {}, "")
    same = _same_formula(lowered, source, answered)
    trials = list(_trials(lowered, slope, answered))
    return _judged(empty, trials, same=same, lowered=lowered, source=source)


def _variable(lowered: Lowered, wrt: str | None) -> tuple[str, int]:
    if wrt is None and len(lowered.inputs) != 1:
        raise AutodiffError(
            f"by which name is the answer a derivative? The program's inputs are {listed(lowered.inputs)}"
            if lowered.inputs
            else "the program has no inputs to differentiate by",
            hint="add --wrt NAME" if lowered.inputs else "",
        )
    return next(iter(sources(lowered, list(lowered.inputs) if wrt is None else [wrt]).items()))


# --- the answer, in the program's names -------------------------------------------------------------------------------


def _answered(program: Program, lowered: Lowered, given: Program) -> Lowered:
    """The equations of the answer behind the program's own statements, whose names it may use."""
    own = {s.target.name for s in program.statements if not isinstance(s, Expression)}
    for statement in given.statements:
        if not isinstance(statement, Expression) and statement.target.name in own:
            raise AutodiffError(
                f"{quoted(statement.target.name)} has a meaning in the program already",
                span=statement.target.span,
                source=given.source,
                hint="choose another name in the answer",
            )
    together = parse(f"{program.source}\n{given.source}")
    count = len(program.statements)
    named, last = together.statements[:count], together.statements[count - 1]
    taken = own | {s.target.name for s in given.statements if not isinstance(s, Expression)}
    if isinstance(last, Expression) and lowered.name not in taken:
        named = (*named[:-1], Assign(Name(lowered.name, last.span), last.body, last.span))
    statements = (*named, *_as_values(together.statements[count:]))
    answered = over_numbers(Program(together.source, statements, together.readings))
    known = [*lowered.inputs, *lowered.assigned]
    for name in answered.inputs:
        if name not in lowered.inputs:
            near = nearest(name, known)
            raise AutodiffError(
                f"the answer has {quoted(name)}, which the program does not have",
                hint=f"did you mean {quoted(near)}?" if near else f"the program's names are {listed(known)}",
            )
    return answered


def _as_values(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """`dy = 2x` answers as `2x` does."""
    last = statements[-1]
    return (*statements[:-1], Expression(last.body, last.span)) if isinstance(last, Assign) else statements


# --- by symbols -------------------------------------------------------------------------------------------------------


def _same_formula(lowered: Lowered, source: int, answered: Lowered) -> bool:
    """Whether both formulas become one when they are tidied."""
    if len(lowered.graph) + len(answered.graph) > _LARGEST:
        return False
    symbols = Symbols()
    seen = image(lowered.graph, lowered.result, {}, symbols)
    if source not in seen.of:
        derivative = symbols.constant(0.0)
    else:
        stops = {} if source in lowered.graph.inputs else {source: lowered.graph.names[source]}
        seen = image(lowered.graph, lowered.result, stops, symbols)
        found = formulas(lowered.graph, lowered.result, stops, [source], seen)
        derivative = _tidied(Lowered(symbols.graph, found.get(source, symbols.constant(0.0)), "", (), {}, ""), symbols)
    answer = _tidied(answered, symbols)
    return derivative == answer or symbols.plus(derivative, symbols.negative(answer)) == symbols.constant(0.0)


def _tidied(lowered: Lowered, symbols: Symbols) -> int:
    graph = lowered.graph
    of: dict[int, int] = {}
    for node in graph.reaching(lowered.result):
        row = graph.rows[node]
        if row is not None:
            of[node] = symbols.call(row, tuple(of[a] for a in graph.args[node]))
        elif node in graph.constants:
            of[node] = symbols.constant(graph.constants[node])
        else:
            of[node] = symbols.input(graph.inputs[node])
    return of[lowered.result]


# --- at points --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Trial:
    """A point with both numbers there: None where there is none; `said` is "same", "differs", "unclear" or "one-sided"."""

    at: Mapping[str, float]
    derivative: Ball | None
    answer: Ball | None
    run: Run | None
    said: str


def _trials(lowered: Lowered, slope: Lowered, answered: Lowered) -> Iterator[_Trial]:
    """Trials until enough points agree, or enough of them differ to look for the slip."""
    constants = {c for part in (lowered, answered) for c in part.graph.constants.values() if abs(c) < 1e9}
    same = differs = 0
    for at in points(lowered.inputs, constants, _TRIED):
        trial = _trial(lowered, slope, answered, at)
        if trial is None:
            continue
        yield trial
        same += trial.said == "same"
        differs += trial.said == "differs"
        if same >= ENOUGH or differs >= _SAMPLES:
            return


def _trial(lowered: Lowered, slope: Lowered, answered: Lowered, at: Mapping[str, float]) -> _Trial | None:
    """Both numbers at a point; None where rounding or a corner of the program leaves nothing to be said."""
    try:
        answer: Ball | None = bounded(answered, at)
    except Outside as trouble:
        if not trouble.needs:
            return None  # too large for a float, which says nothing about the formula
        answer = None
    except Noise:
        return None
    try:
        run = primal(lowered, at)
        derivative = None if suspects(lowered, run) else bounded(slope, at)
    except Outside as trouble:
        return _Trial(at, None, answer, None, "one-sided") if trouble.needs and answer is not None else None
    except Noise:
        return None
    if derivative is None:
        return None
    return _Trial(at, derivative, answer, run, _said(derivative, answer))


def _said(derivative: Ball, answer: Ball | None) -> str:
    if answer is None:
        return "one-sided"
    noise = _MARGIN * (derivative.error + answer.error)
    if abs(derivative.value - answer.value) > noise:
        return "differs"
    size = max(abs(derivative.value), abs(answer.value))
    return "same" if noise <= _SHARP * size or noise == 0 else "unclear"


def _judged(empty: Compared, trials: Sequence[_Trial], *, same: bool, lowered: Lowered, source: int) -> Compared:
    apart = [t for t in trials if t.said == "differs"]
    agreed = sum(t.said == "same" for t in trials)
    lost = [t for t in trials if t.derivative is not None and t.answer is None]
    if apart:
        return _no(empty, apart, trials, lowered, source)
    if same or agreed >= ENOUGH // 4 or (agreed and not lowered.inputs):
        notes = tuple(_notes(trials, empty.wrt))
        return replace(empty, verdict="yes", method="symbols" if same else "points", agreed=agreed, notes=notes)
    if lost and not agreed and not any(t.answer for t in trials if t.derivative):
        return replace(empty, verdict="no", at=lost[0].at, derivative=_value(lost[0].derivative))
    return replace(empty, agreed=agreed, why=_unclear(trials, agreed))


def _unclear(trials: Sequence[_Trial], agreed: int) -> str:
    if not any(t.derivative for t in trials):
        return _NOWHERE
    if agreed:
        return f"both agree at {agreed} points, too few to be sure; at all others one of them has no value or rounding decides"
    return "at every point that was tried the two differ by less than rounding may make"


def _value(ball: Ball | None) -> float | None:
    return None if ball is None else ball.value + 0.0


def _notes(trials: Sequence[_Trial], wrt: str) -> Iterator[str]:
    """Where only one of both is defined, by an example each."""
    if not any(t.derivative for t in trials):
        yield _NOWHERE
    lost = next((t for t in trials if t.derivative is not None and t.answer is None), None)
    more = next((t for t in trials if t.derivative is None and t.answer is not None), None)
    if lost is not None:
        yield (
            f"the same where both are defined; at {where(lost.at)} the derivative is"
            f" {shown(lost.derivative.value if lost.derivative else 0.0)} and the answer has no value"
        )
    if more is not None:
        yield (
            f"at {where(more.at)} the answer has a value, {shown(more.answer.value if more.answer else 0.0)},"
            f" and the program has none: its derivative by {wrt} exists only where the program does"
        )


def where(at: Mapping[str, float]) -> str:
    """`x = 2, y = 3`."""
    return ", ".join(f"{name} = {shown(value)}" for name, value in at.items()) or "every point"


def _no(empty: Compared, apart: Sequence[_Trial], trials: Sequence[_Trial], lowered: Lowered, source: int) -> Compared:
    first = apart[0]
    same = [t for t in trials if t.said == "same"]
    samples = [
        Sample(t.at, t.run, t.derivative.value, t.answer.value)
        for t in [*apart[: max(_SAMPLES - len(same), _SAMPLES // 2)], *same][:_SAMPLES]
        if t.run is not None and t.derivative is not None and t.answer is not None
    ]
    found = explain(lowered, source, samples)
    return replace(
        empty,
        verdict="no",
        agreed=sum(t.said == "same" for t in trials),
        at=first.at,
        derivative=_value(first.derivative),
        answer=_value(first.answer),
        slip=found[0] if found else None,
        second=found[1] if len(found) > 1 else None,
    )
