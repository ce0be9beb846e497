"""Value and slopes of equations at a point: float64 sweeps where their digits are sure, else ball arithmetic.

>>> from autodiff.core.lowering import lower
>>> lowered = lower("abs(x) + y")
>>> found = Query(lowered, {"x": 0.0, "y": 2.0}, {name: lowered.node(name) for name in "xy"}).answer()
>>> found.status, found.gradient
('corner', {'x': None, 'y': 1.0})
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from autodiff import diagnostics
from autodiff.api.answer import Answer
from autodiff.core import linearize
from autodiff.core.evaluate import DomainError, Trace, primal
from autodiff.core.jvp import in_all_directions
from autodiff.core.linearize import FRAMEWORKS
from autodiff.core.lowering import Lowered
from autodiff.core.special_points import special_points
from autodiff.core.vjp import vjp
from autodiff.diagnostics import SEVERITY
from autodiff.record import Record
from autodiff.verify import error_bound
from autodiff.verify.cross_mode import AGREE, DISAGREE, broken_rule, compared

if TYPE_CHECKING:
    from autodiff.nonsmooth.verdict import Verdict


class Query(Record):
    """What is asked of equations at a point.

    names       what is differentiated by, and its equations
    check       whether the other mode confirms the gradient
    convention  the framework whose number replaces a slope at a corner
    digits      how many proven digits are asked for; 0 for float64
    most        names times equations up to which one-sided slopes are computed; 0 for the usual limit
    least_bits  where float64's digits are not sure, the precision that ball arithmetic begins with; 0 where that is not known
    """

    lowered: Lowered
    point: Mapping[str, float]
    names: Mapping[str, int]
    mode: str = "reverse"
    check: bool = True
    convention: str = ""
    digits: int = 0
    most: int = 0
    least_bits: int = 0

    @property
    def empty(self) -> Answer:
        """The answer before anything is known."""
        name, source = self.lowered.name, self.lowered.source
        return Answer(name, None, dict.fromkeys(self.names), self.point, self.mode, source=source)

    def answer(self, trace: Trace | None = None) -> Answer:
        """Value and slopes; with their `trace` the equations are not evaluated again."""
        if self.digits:
            return _in_balls(self, None)
        try:
            run = primal(self.lowered, self.point) if trace is None else trace
        except DomainError as trouble:
            if trouble.needs and error_bound.outside(self.lowered, self.point, trouble):
                return without_value(self.empty, self.lowered, trouble)
            answer = _in_balls(self, None)
            beyond = answer.status == "overflow" and answer.value is None and not trouble.needs
            return without_value(self.empty, self.lowered, trouble) if beyond else answer
        special = special_points(self.lowered, run, self.names.values())
        reached = self.reached(special)
        swept = None if self.least_bits and not reached else _by_sweeps(self, run, reached)
        if swept is None:
            return _in_balls(self, run)
        return _from_both_sides(self, swept, run, special) if reached else swept

    def of(self, result: int, name: str) -> Query:
        """The same of another result, which is called `name`."""
        return self._replace(lowered=self.lowered._replace(result=result, name=name))

    def reached(self, special: Sequence[int]) -> dict[str, int]:
        """The names that move an equation of `special`."""
        behind = self.lowered.graph.movers(special)
        return {name: node for name, node in self.names.items() if node in behind}


def without_value(answer: Answer, lowered: Lowered, trouble: DomainError) -> Answer:
    """The answer where a value does not exist."""
    return answer.lacking(
        "domain" if trouble.needs else "overflow",
        diagnostics.outside(lowered, trouble, answer.at),
        hint=diagnostics.hint(lowered, trouble),
        span=lowered.graph.spans[trouble.node],
    )


# --- in float64 ---------------------------------------------------------------------------------------------------------


def _by_sweeps(query: Query, run: Trace, without: Container[str]) -> Answer | None:
    """The value, and the slopes that move no special point, confirmed by the other mode; None where float64 won't do."""
    lowered, mode, check = query.lowered, query.mode, query.check
    names = {name: node for name, node in query.names.items() if name not in without}
    factors = linearize.linearize(lowered, run, names.values())
    tangents = None
    if mode != "reverse":
        tangent = in_all_directions(factors, names).get(lowered.result, {})
        tangents = {name: tangent.get(name, 0.0) for name in names}
    backward = vjp(lowered.result, factors, names.values())
    slopes = [backward.get(node, 0.0) for node in names.values()]
    gradient = tangents if tangents is not None and mode == "forward" else dict(zip(names, slopes, strict=True))
    if not all(map(math.isfinite, (*slopes, *gradient.values(), *(tangents or {}).values()))):
        return None
    near = tangents is None or error_bound.alike(slopes, [tangents[name] for name in names])
    if check and not near and compared(lowered, run, factors, names, gradient, mode, backward) == DISAGREE:
        raise diagnostics.disagreement()
    known = error_bound.unsure(lowered, run, factors, names, slopes) if near else None
    value, unsure = known or (math.nan, [])
    sure = known is not None and (not unsure or error_bound.is_long(lowered))
    agreement = ""
    if check and sure and (names or not query.names):
        agreement = compared(lowered, run, factors, names, gradient, mode, backward)
    if agreement == DISAGREE:
        raise diagnostics.disagreement()
    if check and (node := broken_rule(lowered, run, factors)) is not None:
        raise diagnostics.rejected(lowered, node)
    if not sure:
        return None
    forward = tangents if mode == "both" else None
    checked = True if agreement == AGREE else None
    answer = query.empty.filled(float(value), gradient, forward, checked=checked)
    if unsure:
        from autodiff.api import proven_answer

        return proven_answer.proven_slopes(query, answer, unsure)
    return answer


def _from_both_sides(query: Query, answer: Answer, run: Trace, special: Sequence[int]) -> Answer:
    """The answer with the slopes by names that move a special point; in balls where float64 does not have their digits."""
    from autodiff.nonsmooth.propagate import MOST, verdicts  # most points are no special points

    sides = verdicts(query.lowered, run, answer.at, query.reached(special), special, query.most or MOST)
    if any(verdict.status == "unknown" for verdict in sides.values()):
        proven = _in_balls(query, run, sides)
        if proven.value is not None:
            return proven
    return _at_special_points(query, answer, run, sides, special)


# --- in ball arithmetic -------------------------------------------------------------------------------------------------


def _in_balls(query: Query, run: Trace | None, sides: Mapping[str, Verdict] = MappingProxyType({})) -> Answer:
    """The answer in ball arithmetic, where float64's digits are not sure, or some are asked for; `sides` is float64's."""
    from autodiff.api import proven_answer  # most answers need none

    try:
        answer, proven = proven_answer.proven_answer(query, run)
    except DomainError as trouble:
        return without_value(query.empty, query.lowered, trouble)
    if proven is None or not proven.special or answer.value is None:
        return answer
    verdicts = proven_answer.sides(query, proven, sides)
    answer = _at_special_points(query, answer, proven.run, verdicts, proven.special)
    return proven_answer.in_digits(query, answer) if query.digits else answer


# --- at special points --------------------------------------------------------------------------------------------------


def _at_special_points(
    query: Query, answer: Answer, run: Trace, verdicts: Mapping[str, Verdict], special: Sequence[int]
) -> Answer:
    """The answer with the slopes that both sides have, and why there is none for the other names."""
    lowered, convention = query.lowered, query.convention
    slopes = {name: verdict.slope for name, verdict in verdicts.items()}
    own_kinks = _own_kinks(lowered, special)
    named = FRAMEWORKS if lowered.framework_kinks and not own_kinks else {}
    in_floats = _in_floats(query) if answer.bits else run
    numbers = {framework: _by_convention(query, in_floats, verdicts, framework) for framework in named}
    frameworks = {
        name: _other_than(verdict, {framework: numbers[framework].get(name) for framework in numbers})
        for name, verdict in verdicts.items()
    }
    given = numbers.get(convention, {})
    if convention not in FRAMEWORKS:
        given = _by_convention(query, run, verdicts, convention)
    broken = [name for name, verdict in verdicts.items() if verdict.status in ("corner", "jump")]
    agreed = {name: given[name] for name in broken if name in given}
    known = {name: None if slope is None else slope + 0.0 for name, slope in (slopes | agreed).items()}
    every = {**answer.verdicts, **verdicts}
    status = max((answer.status, *(verdict.status for verdict in every.values())), key=SEVERITY.index)
    culprits = {
        name: diagnostics.culprits(lowered, special, query.names[name], every[name])
        for name in diagnostics.reported(every)
    }
    worst = next((name for name, verdict in every.items() if verdict.status == status), "")
    why = diagnostics.verdicts(lowered, answer.result, run, every, culprits)
    forward = None if answer.forward is None else {**answer.forward, **known}
    notes = tuple(diagnostics.notes(lowered, answer.result, run.taken, every, culprits, frameworks))
    filled = answer.filled(answer.value, {**answer.gradient, **known}, forward, notes=notes)
    return filled.lacking(
        status,
        "; ".join(filter(None, [answer.why, why])),
        hint=_advice(
            lowered, status, convention, [n for n in broken if n not in agreed], frameworks, own_kinks=own_kinks
        ),
        span=lowered.graph.spans[culprits[worst][0]] if status != "ok" and culprits.get(worst) else None,
        verdicts=every,
    )._replace(
        convention=convention if agreed else "",
        frameworks={name: numbers for name, numbers in frameworks.items() if numbers},
    )


def _own_kinks(lowered: Lowered, special: Sequence[int]) -> bool:
    """Whether a special point is that of a function of an array whose slopes there are not those of its equations."""
    calls = lowered.graph.calls.items()
    return any(node in special and call.row is not None and call.row.torch for node, call in calls)


def _in_floats(query: Query) -> Trace | None:
    """The values that a framework has: float64's, with which it may take another branch, or miss the special point."""
    try:
        return primal(query.lowered, query.point)
    except DomainError:
        return None


def _by_convention(
    query: Query, run: Trace | None, verdicts: Mapping[str, Verdict], convention: str
) -> dict[str, float]:
    """The numbers of a convention at a special point, without those that it gives as NaN or infinity."""
    lowered, broken = query.lowered, ("ok", "corner", "jump")
    names = {name: query.names[name] for name, verdict in verdicts.items() if verdict.status in broken}
    if not convention or run is None:
        return {}
    factors = linearize.linearize(lowered, run, names.values(), convention)
    slopes = vjp(lowered.result, factors, names.values())
    numbers = {name: slopes.get(node, 0.0) + 0.0 for name, node in names.items()}
    return {name: number for name, number in numbers.items() if math.isfinite(number)}


def _advice(
    lowered: Lowered,
    status: str,
    convention: str,
    missing: Sequence[str],
    frameworks: Mapping[str, Mapping[str, float]],
    *,
    own_kinks: bool,
) -> str:
    """What to try at a corner, or why the convention that was asked for did not help."""
    if convention in FRAMEWORKS and missing and not lowered.framework_kinks:
        return f"which of several equal elements {FRAMEWORKS[convention]} takes in order is not known here"
    if convention in FRAMEWORKS and missing and own_kinks:
        return f"what {FRAMEWORKS[convention]} gives here is not known"
    if convention and missing:
        return f"{FRAMEWORKS.get(convention, convention)} gives NaN or infinity here for {diagnostics.listed(missing)}"
    helps = status == "corner" and not convention and any(frameworks.values())
    return "--convention torch, jax or zero gives a framework's number" if helps else ""


def _other_than(verdict: Verdict, numbers: Mapping[str, float | None]) -> dict[str, float]:
    """The frameworks' numbers that are there and not the slope."""
    slope = math.nan if verdict.slope is None else verdict.slope
    known = {framework: number for framework, number in numbers.items() if number is not None}
    return {name: number for name, number in known.items() if not math.isclose(number, slope, abs_tol=1e-12)}
