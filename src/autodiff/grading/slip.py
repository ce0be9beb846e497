"""What a slip is, and the slips of an answer as a whole, which no rule at one equation explains.

>>> slip = Slip("exponent", "the answer is x times the derivative")
>>> slip.to_dict()
{'kind': 'exponent', 'why': 'the answer is x times the derivative'}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from autodiff.core import rules
from autodiff.core.evaluate import DomainError, Trace, primal
from autodiff.core.lowering import Lowered
from autodiff.diagnostics import written
from autodiff.errors import Span

_CLOSE = 1e-9
_ROUNDED = 0.005  # how far from 1 a factor is that may be a constant with two or more digits


@dataclass(frozen=True, slots=True)
class Sample:
    """A point, the program's values there, the derivative's number and the answer's."""

    at: Mapping[str, float]
    run: Trace
    derivative: float
    answer: float


@dataclass(frozen=True, slots=True)
class Slip:
    """A mistake, the part of the program that it was made at, and the sentence that says so."""

    kind: str
    why: str
    where: str = ""
    span: Span = (0, 0)

    def to_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = {"kind": self.kind, "why": self.why}
        return data | ({"where": self.where, "span": list(self.span)} if self.where else {})


def close(a: float, b: float) -> bool:
    """Whether two numbers are the same but for rounding."""
    return abs(a - b) <= _CLOSE * max(abs(a), abs(b))


def whole_answer(lowered: Lowered, samples: Sequence[Sample]) -> Slip | None:
    """What went wrong with the answer as a whole."""
    if len(samples) > 2 and all(close(s.answer, s.run.values[lowered.result]) for s in samples):
        return Slip("not differentiated", "this is the program itself, not its derivative")
    return None


def scaled_answer(samples: Sequence[Sample]) -> Slip | None:
    """A constant factor too many or too few, or a constant added."""
    if len(samples) < 3:
        return None
    ratios = [s.answer / s.derivative for s in samples if s.derivative]
    scaled = len(ratios) > 1 and bool(ratios[0]) and not close(ratios[0], 1.0)
    if scaled and all(close(s.answer, ratios[0] * s.derivative) for s in samples):
        rounded = ": a constant is rounded" if abs(ratios[0] - 1) < _ROUNDED else ""
        return Slip("constant factor", f"the answer is {ratios[0]:.10g} times the derivative{rounded}")
    steps = [s.answer - s.derivative for s in samples]
    spread = max(abs(s.answer) for s in samples) * _CLOSE
    if abs(steps[0]) > 100 * spread and all(abs(step - steps[0]) <= spread for step in steps):
        sign, step = "plus" if steps[0] > 0 else "minus", abs(steps[0])
        return Slip("constant term", f"the answer is the derivative {sign} {step:.10g}")
    return None


def answer_by_variable(lowered: Lowered, source: int, samples: Sequence[Sample]) -> Slip | None:
    """The variable as a factor or a divisor too many; none where a branch without it is taken."""
    places = [(s, s.run.values[source]) for s in samples if s.run.values[source] is not None]
    if len(places) < max(3, len(samples)) or not any(s.answer and abs(x) != 1 for s, x in places):
        return None
    name = lowered.graph.names.get(source) or lowered.graph.inputs[source]
    if all(close(s.answer, s.derivative * x) for s, x in places):
        return Slip("exponent", f"the answer is {name} times the derivative")
    if all(close(s.answer * x, s.derivative) for s, x in places):
        return Slip("exponent", f"the answer is the derivative divided by {name}")
    return None


_SUB = rules.TABLE["-", 2]


def swapped_terms(answered: Lowered, derivatives: Sequence[tuple[Mapping[str, float], float]]) -> Slip | None:
    """The slip, where the answer has none of these derivatives and has all with one difference the other way round."""
    if not derivatives:
        return None
    try:
        primal(answered, derivatives[0][0])
    except DomainError as trouble:
        node = trouble.node
    else:
        return None
    graph = answered.graph
    for arg in graph.args[node]:
        if graph.rows[arg] is _SUB:
            swapped = _turned(answered, arg)
            if all(_is(swapped, at, derivative) for at, derivative in derivatives):
                why = f"{written(answered, arg)} is negative there, and with its terms swapped the answer is right"
                return Slip("sign", why, written(answered, node), graph.spans[node])
    return None


def _turned(answered: Lowered, difference: int) -> Lowered:
    """The same equations, one of which has its terms swapped."""
    graph = copy(answered.graph)
    graph.args = [args[::-1] if node == difference else args for node, args in enumerate(graph.args)]
    return answered._replace(graph=graph)


def _is(answered: Lowered, at: Mapping[str, float], derivative: float) -> bool:
    try:
        return close(primal(answered, at).values[answered.result], derivative)
    except DomainError:
        return False
