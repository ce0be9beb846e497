"""Special points: the verdict on a slope, from the values and slopes just beside the point on either side.

>>> from autodiff.core.lowering import lower
>>> from autodiff.core.evaluate import primal
>>> lowered = lower("abs(x)")
>>> series = verdict(lowered, primal(lowered, {"x": 0.0}), {"x": 0.0}, source=0)
>>> series.status, series.left, series.right
('corner', -1.0, 1.0)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

from autodiff.core.evaluate import Indeterminate, Trace
from autodiff.core.lowering import Lowered
from autodiff.nonsmooth.expand import OneSidedDomainError, at_point, beside
from autodiff.numbers.one_sided import ROUNDING, Series
from autodiff.numbers.one_sided_terms import Term

DEPTHS = (1, 3, 5)
"""How many terms of Taylor's series are taken, one depth after the other, while the verdict is undecided; a derivative
of a higher order needs so many more."""

Status: TypeAlias = Literal["ok", "unknown", "corner", "infinite", "jump", "overflow", "domain", "input"]
"""The status of a value or a slope; all but ok say why there is no number. A row with a fault has the status "input"."""

_DIGITS, _LEAST = 2.0**-41, 64 * 5e-324
"""How far a derivative may be off, in parts of itself and beside 0, to have 12 right digits."""


@dataclass(frozen=True, slots=True)
class OneSided:
    """One side of a point: the limit of the value, the derivative along the step (maybe infinite), its error."""

    limit: Term
    slope: float
    error_bound: float

    @property
    def value(self) -> float:
        return float(self.limit.coefficient)

    def meets(self, other: Term) -> bool | None:
        """Whether the limit is the value; None where they may differ by rounding alone."""
        if self.limit.exact and other.exact:
            return self.limit.coefficient == other.coefficient
        value = float(other.coefficient)
        apart = self.limit.error + other.error + ROUNDING * abs(value)
        return True if self.value == value else None if abs(self.value - value) <= apart else False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict for one name: its status, its slope if there is one, and the values and slopes on the left and on the right.

    `left` and `right` are slopes, `values` the values there; None where a side has no values or is not decided.
    `node` is the equation that prevents a verdict, where one does.
    """

    status: Status
    slope: float | None = None
    left: float | None = None
    right: float | None = None
    values: tuple[float | None, float | None] = (None, None)
    node: int | None = None


def verdict(lowered: Lowered, run: Trace, point: Mapping[str, float], source: int, order: int = 1) -> Verdict:
    """The slope by `source` at a special point, from both sides; or the derivative of a higher order, if those below exist."""
    sides: list[OneSided | None] = []
    outside = None
    for sign in (-1.0, 1.0):
        try:
            sides.append(side(lowered, point, source, sign, order))
        except Indeterminate as error:
            return Verdict("unknown", node=error.node)
        except OneSidedDomainError as edge:
            sides.append(None)
            outside = edge
    left, right = sides
    if outside is not None and left is None and right is None:
        return Verdict("domain", node=outside.node)
    answer = Verdict(
        "ok",
        left=None if left is None else (-1) ** order * left.slope,
        right=None if right is None else right.slope,
        values=(None if left is None else left.value, None if right is None else right.value),
    )
    there = [side for side in sides if side is not None]
    value = _term_at_point(lowered, run, point, there)
    met = [side.meets(value) for side in there]
    jumps = True if False in met else None if None in met else False
    slopes = [slope for slope in (answer.left, answer.right) if slope is not None]
    blurred = same(slopes[0], slopes[-1], sum(side.error_bound for side in there))
    return judged(answer, jumps=jumps, equal=answer.left == answer.right, blurred=blurred)


def _term_at_point(lowered: Lowered, run: Trace, point: Mapping[str, float], sides: list[OneSided]) -> Term:
    """The value: as the program computes it, but a side's own value where the two may differ by rounding alone."""
    value = run.values[lowered.result]
    if all(side.limit.exact and side.meets(Term(0, Fraction(value))) for side in sides):
        return Term(0, value)
    try:
        return at_point(lowered, point).constant
    except Indeterminate:
        return Term(0, value)


def side(lowered: Lowered, point: Mapping[str, float], source: int, sign: float, order: int = 1) -> OneSided:
    """One side of the point, where the equation `source` moves at the rate `sign`.

    Raises Indeterminate, or OneSidedDomainError where that side has no values.
    """
    for depth in DEPTHS:
        try:
            series = beside(lowered, point, {source: sign}, depth + order - 1)
            (slope, error_bound), limit = _derivative(series.variation, order), series.value_alone.constant
        except Indeterminate:
            if depth == DEPTHS[-1]:
                raise
            continue
        return OneSided(limit, slope, error_bound)
    raise Indeterminate


def _derivative(variation: Series, order: int) -> tuple[float, float]:
    """The derivative along the step, maybe infinite, and how far it may be off; those of the lower orders are there.

    t^1.5, t^2*ln(1/t) and t/ln(1/t) have an infinite second derivative, of their coefficient's sign.
    """
    wanted = (order, 0)
    lower = next(
        (term for term in variation.terms if term.size < wanted and (term.logs or term.power not in range(order))), None
    )
    if lower is not None:
        if not lower.certain:
            raise Indeterminate
        return math.copysign(math.inf, lower.coefficient), 0.0
    if variation.order <= wanted:
        raise Indeterminate
    term = next((term for term in variation.terms if term.size == wanted), Term(order, 0))
    scale = math.factorial(order)
    slope, error_bound = float(term.coefficient) * scale, term.error_bound * scale
    if not known(slope, error_bound):
        raise Indeterminate
    return slope, error_bound


def judged(seen: Verdict, *, jumps: bool | None, equal: bool, blurred: bool) -> Verdict:
    """The verdict on a point whose sides have been `seen`.

    jumps    whether a side has another limit than the value; None where that may be by rounding alone
    equal    whether both slopes are one number, and `blurred` that they may differ by rounding alone
    """
    slopes = [slope for slope in (seen.left, seen.right) if slope is not None]
    if jumps:
        return replace(seen, status="jump")
    if jumps is None:
        return Verdict("unknown")
    if any(map(math.isinf, slopes)):
        return replace(seen, status="infinite")
    if len(slopes) == 1 or equal:
        return replace(seen, slope=slopes[-1])
    return Verdict("unknown") if blurred else replace(seen, status="corner")


def known(slope: float, error_bound: float) -> bool:
    """Whether a derivative has 12 right digits."""
    return math.isinf(slope) or error_bound <= max(_DIGITS * abs(slope), _LEAST)


def same(a: float, b: float, error_bound: float) -> bool:
    """Equal, as far as rounding lets one tell."""
    return abs(a - b) <= ROUNDING * max(abs(a), abs(b)) + error_bound
