"""What rounding may have done to a value and its slopes: a first-order bound, carried along the equations.

The error of a value is Σ |partial|·error(argument) + what the row's own result may be off; of a partial, what moving the
row's arguments by their errors does to it; of an adjoint, both products' parts. Exact numbers and exact operations have no
error, so `x^2 - 4` at 2 is exactly 0.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from autodiff.core import templates
from autodiff.core.evaluate import DomainError, Trace, primal
from autodiff.core.graph import Graph
from autodiff.core.linearize import Linearization
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ZERO, Primitive
from autodiff.language.typed import Typed
from autodiff.verify.exactness import EXACT, exactly, short

DIGITS = 2.0**-41
"""A number with an error below this part of it has 12 right digits: 4.5e-13 is less than half of the twelfth."""

LEAST = 5e-324
"""The smallest float64; a number that is off by no more is as right as float64 can say."""

LONG, _MARGIN = 512, 16.0
"""In programs of more equations errors are added in squares, and as many times as large."""

_EPSILON, TINY = 2.0**-53, 2.0**-1022

_WIDE = 1024.0
"""How many errors an argument is moved by, where that is still a small part of it, so that rounding does not hide the answer."""

_MOST_ULPS = 2.0**24
"""Beyond so many units in the last place a bound of first order says nothing: 2e-9 of the number. Up to there a part that
is known to few digits of its own may be known well enough for the sum that it is in."""

_FOLDED = 2.0**-40
"""What part of a number that stands in rows its error may be, where it is near underflow."""

UNKNOWN = 2.0**60
"""Roundings of a number of which no digit is known."""

_CONDITIONS = frozenset(["<", "<=", ">", ">=", "==", "!=", "not"])


class Unsure(Exception):
    """Rounding may decide here: a condition, a domain or a special point within an argument's error."""


class BoundedValue(NamedTuple):
    """A number and how far from it the true one may be."""

    value: float
    error: float


def bounded(lowered: Lowered, point: Mapping[str, float]) -> BoundedValue:
    """The result at a point. Raises DomainError where there is none, Unsure where rounding decides that, or a condition."""
    try:
        run = primal(lowered, point)
    except DomainError as trouble:
        if trouble.needs and not outside(lowered, point, trouble):
            raise Unsure from None
        raise
    try:
        return BoundedValue(run.values[lowered.result], _margin(lowered) * values(lowered, run)[lowered.result])
    except OverflowError:
        raise Unsure from None


def _margin(lowered: Lowered) -> float:
    return _MARGIN if len(lowered.graph) > LONG else 1.0


def sure(lowered: Lowered, run: Trace, factors: Linearization, names: Iterable[int], gradient: Sequence[float]) -> bool:
    """Whether the value and the slopes by the equations `names` are right to 12 digits, or to the smallest float64."""
    margin = _margin(lowered)
    try:
        errors = values(lowered, run)
        if not enough(run.values[lowered.result], margin * errors[lowered.result]):
            return False
        return any(
            _right(names, gradient, margin, _adjoints(lowered, run, factors, errors, fine=fine))
            for fine in (False, True)
        )
    except (Unsure, OverflowError):
        return False


def _right(names: Iterable[int], gradient: Sequence[float], margin: float, off: Mapping[int, float]) -> bool:
    return all(enough(g, margin * off.get(node, 0.0)) for node, g in zip(names, gradient, strict=True))


def _both(graph: Graph) -> Callable[[float, float], float]:
    """How the errors of two terms are added: roundings of a long program are as good as independent of each other."""
    return math.hypot if len(graph) > LONG else operator.add


def outside(lowered: Lowered, point: Mapping[str, float], trouble: DomainError) -> bool:
    """Whether it is sure that the arguments of an equation lie outside its domain."""
    graph, node = lowered.graph, trouble.node
    row, errors = graph.rows[node], list[float]()
    assert row is not None
    try:
        for arg in graph.args[node]:
            part = lowered._replace(result=arg)
            errors.append(values(part, primal(part, point))[arg])
        _settled(row, trouble.args, errors)
    except (Unsure, DomainError, OverflowError):
        return False
    return True


def enough(number: float, error: float) -> bool:
    """Whether an error is too small to show."""
    return error <= DIGITS * abs(number) or error <= LEAST


def alike(slopes: Sequence[float], others: Sequence[float]) -> bool:
    """Whether what another sweep gave is as right as the slopes that are bounded."""
    return all(enough(a, 4 * abs(a - b)) or abs(a - b) <= LEAST for a, b in zip(slopes, others, strict=True))


def values(lowered: Lowered, run: Trace) -> list[float]:
    """The error bound of every equation. Raises Unsure where rounding may decide."""
    graph, found = lowered.graph, run.values
    errors, both = [0.0] * len(graph), _both(graph)
    for node in run.order:
        row, args = graph.rows[node], graph.args[node]
        value = found[node]
        if row is None:
            errors[node] = _rounding(value)
        elif node in run.taken:
            errors[node] = errors[run.taken[node]]
        else:
            given = [errors[a] for a in args]
            errors[node] = error_of(row, [found[a] for a in args], given, value, both)
    return errors


def _rounding(constant: float) -> float:
    """How far a constant may be off what was typed; half an ulp of the smallest numbers is rounded up to the least number."""
    return max(math.ulp(constant) / 2, LEAST) if isinstance(constant, Typed) else 0.0


def folded(lowered: Lowered) -> dict[float, float] | None:
    """The parts of a program that no input moves, and how many roundings each may be off as a float64.

    None where underflow leaves them no digits. A part that may have any value is off by `UNKNOWN`.
    """
    graph, found, errors = lowered.graph, dict[int, float](), dict[int, float]()
    roundings: dict[float, float] = {}

    def note(value: float, error: float) -> None:
        units = error / abs(value) / _EPSILON if value else UNKNOWN if error else 0.0
        roundings[value] = max(roundings.get(value, 0.0), min(units, UNKNOWN))

    for node in graph.reaching(lowered.result):
        row, args = graph.rows[node], graph.args[node]
        if node in graph.constants:
            found[node] = graph.constants[node]
            errors[node] = _rounding(found[node])
        elif row is not None and row.branches is None and args and all(a in found for a in args):
            numbers = [found[a] for a in args]
            found[node] = value = templates.value(row)(*numbers)
            try:
                errors[node] = error_of(row, numbers, [errors[a] for a in args], value, operator.add)
            except (Unsure, OverflowError):
                errors[node] = math.inf
            if errors[node] > _FOLDED * abs(value) and abs(value) < TINY:
                return None
        elif row is not None and row.value == "^" and found.get(args[0], 0.0) > 0:
            base = found[args[0]]  # its logarithm is a slope's factor
            note(math.log(base), errors[args[0]] / base + _EPSILON)
        if node in found:
            note(found[node], errors[node])
    return roundings


def error_of(
    row: Primitive, args: Sequence[float], errors: Sequence[float], value: float, both: Callable[[float, float], float]
) -> float:
    """How far the value of a row may be off, given its arguments' errors."""
    name = row.value
    if name == "+" or name == "-":
        error = both(errors[0], errors[1])
        u, v = args[0], args[1] if name == "+" else -args[1]
        t = value - u
        return both(error, abs((u - (value - t)) + (v - t)))  # what the sum lost, exactly
    if name == "*":
        u, v = args
        error = _times(u, errors[1]) + _times(v, errors[0]) + errors[0] * errors[1]
        return error if short(u) and short(v) else error + _rounded(value, 1.0, exact=not (u and v))
    if row.is_predicate:
        decided(row, args, errors)
        return 0.0
    if any(errors):
        _settled(row, args, errors)
        error = sum(_moved(row, k, args, e, value) for k, e in enumerate(errors) if e)
    else:
        error = 0.0
        if exactly(row, args, value):
            return 0.0
    return error if name in EXACT else error + _rounded(value, ulps(row, args, value), exact=False)


def _times(factor: float, error: float) -> float:
    """An error times a factor; not 0 where that underflows, since what follows may make much of it."""
    return abs(factor) * error or (LEAST if factor and error else 0.0)


def _rounded(value: float, units: float, *, exact: bool) -> float:
    if exact:
        return 0.0
    return units * _EPSILON * abs(value) if abs(value) >= TINY else LEAST


def ulps(row: Primitive, args: Sequence[float], value: float) -> float:
    """How many halves of a unit in the last place the row's value may be off."""
    if row.value in ("/", "sqrt"):
        return 1.0
    if row.value == "^" and args[1] in _PRODUCTS:
        return _PRODUCTS[args[1]][0]
    units = 4.0 if row.ulp_error[0] == "4" else templates.compiled(row.ulp_error[0], (*row.params, "w"))(*args, value)
    if not units <= _MOST_ULPS:
        raise Unsure
    return 2 * units


_PRODUCTS: Mapping[float, tuple[float, float]] = {
    2.0: (1.0, 1.0),
    3.0: (2.0, 3.0),
    4.0: (3.0, 4.0),
    -1.0: (1.0, 4.0),
    -2.0: (3.0, 16.0),
    0.5: (1.0, 3.0),
}
"""Powers that are a few products: halves of a unit that value and slope may be off (see `special.PRODUCTS`)."""


@lru_cache(maxsize=1024)
def _special_texts(row: Primitive) -> tuple[str, ...]:
    """The conditions whose outcome a small error must not change: domain and special points."""
    return tuple(t for t in (*(text for text, _ in row.domain), *row.special_conditions, *row.partial_domain) if t)


def _settled(row: Primitive, args: Sequence[float], errors: Sequence[float]) -> None:
    for text in _special_texts(row):
        try:
            condition(text, row.params, args, errors)
        except Unsure:
            if not _is_level(row, args, errors):
                raise


def _is_level(row: Primitive, args: Sequence[float], errors: Sequence[float]) -> bool:
    """Whether a step function has one value at all ends of its arguments' errors, whatever its jump's condition says."""
    if not row.jump or any(text != ZERO for text in row.partials):
        return False
    function = templates.value(row)
    value = function(*args)
    return all(end == value for k, error in enumerate(errors) if error for end in ends(function, args, k, error))


def decided(row: Primitive, args: Sequence[float], errors: Sequence[float]) -> None:
    if row.value in _CONDITIONS and len(args) == 2 and abs(args[0] - args[1]) <= errors[0] + errors[1] and any(errors):
        raise Unsure


def condition(text: str, params: tuple[str, ...], args: Sequence[float], errors: Sequence[float]) -> None:
    """Raise Unsure where a condition of the table may be either, its arguments being off by their errors."""
    from autodiff.verify.text_error import BOUNDED  # most programs have no condition that an error is near to

    BOUNDED.text(text, params, list(zip(args, errors, strict=True)))


def ends(function: Callable[..., float], args: Sequence[float], k: int, error: float) -> Iterator[float]:
    """The values of a function where argument k is moved to both ends of its error, and at least to the next float64."""
    step = max(error, math.ulp(args[k]))
    return (function(*args[:k], args[k] + side * step, *args[k + 1 :]) for side in (-1, 1))


def _moved(row: Primitive, k: int, args: Sequence[float], error: float, value: float) -> float:
    """What an error of argument k does to the row's value."""
    flags = tuple([j == k for j in range(len(args))])
    edges = templates.partials(row, flags, ())(range(len(args)), *args, value) if row.partials[k] != ZERO else []
    moved = _times(edges[0][1], error) if edges else 0.0
    if error > 1e-5 * min(abs(args[k]), 1.0):  # the slope is not all of it
        function = templates.value(row)
        moved = max(moved, *(abs(end - value) for end in ends(function, args, k, error)))
    if moved != moved:
        raise Unsure
    return moved


# --- slopes -----------------------------------------------------------------------------------------------------------


def _adjoints(
    lowered: Lowered, run: Trace, factors: Linearization, errors: Sequence[float], *, fine: bool
) -> Mapping[int, float]:
    """The error bound of every adjoint; `fine` looks at each rounding within the text of a slope."""
    result, both = lowered.result, _both(lowered.graph)
    found, off = {result: 1.0}, {result: 0.0}
    for node, edges in reversed(factors.items()):
        g = found.get(node)
        if g is None:
            continue
        e = off[node]
        for (arg, slope), error in zip(edges, _partials(lowered, run, node, edges, errors, fine=fine), strict=True):
            part = g * slope
            moved = _times(slope, e) + _times(g, error) + e * error
            if slope not in (1.0, -1.0) and g not in (1.0, -1.0) and not (short(g) and short(slope)):
                moved += _rounded(part, 1.0, exact=not (g and slope))
            if arg in found:
                total = found[arg] + part
                t = total - found[arg]
                moved = both(both(moved, off[arg]), abs((found[arg] - (total - t)) + (part - t)))
                found[arg] = total
            else:
                found[arg] = part
            off[arg] = moved
    return off


def _partials(
    lowered: Lowered, run: Trace, node: int, edges: Sequence[tuple[int, float]], errors: Sequence[float], *, fine: bool
) -> list[float]:
    """The error bound of each local slope of an equation."""
    row, args = lowered.graph.rows[node], lowered.graph.args[node]
    if node in run.taken or row is None or row.value in ("+", "-", "neg", "same"):
        return [0.0] * len(edges)
    if row.value == "*":
        moving = {a for a, _ in edges}
        return [errors[args[1 - k]] for k, a in enumerate(args) if a in moving]
    given, value = [run.values[a] for a in args], run.values[node]
    moving = {a for a, _ in edges}
    flags = tuple([int(a in moving) for a in args])
    slopes = templates.partials(
        row, flags, templates.static_args(lowered.graph, node) if templates.needs_static_args(row) else ()
    )
    found = [
        _slope_error(row, text, given, value, slope) for text, slope in zip(_texts(row, flags), edges, strict=True)
    ]
    if fine:
        from autodiff.verify.text_error import error_within  # most answers are sure without

        found = [
            min(e, error_within(t, row.params, given, value)) for e, t in zip(found, _texts(row, flags), strict=True)
        ]
    places = [*(errors[a] for a in args), errors[node]]
    start = [*given, value]
    for k, error in enumerate(places):
        if not error:
            continue
        step = max(error * _WIDE if error * _WIDE < 1e-4 * abs(start[k]) else error, math.ulp(start[k]))
        ends = []
        for side in (-1, 1):
            moved = [*start[:k], start[k] + side * step, *start[k + 1 :]]
            ends.append([slope for _, slope in slopes(args, *moved)])
        for j, (_, slope) in enumerate(edges):
            found[j] += max(abs(end[j] - slope) for end in ends) * (error / step if step <= error * _WIDE else 1.0)
    if any(e != e for e in found):
        raise Unsure
    return found


def _texts(row: Primitive, flags: Sequence[int]) -> list[str]:
    return [text for text, moves in zip(row.partials, flags, strict=True) if moves and text != ZERO]


def _slope_error(row: Primitive, text: str, args: Sequence[float], value: float, edge: tuple[int, float]) -> float:
    """What rounding within the text of a slope may do."""
    slope = edge[1]
    if text in ("1", "-1", "u", "v", "w", *row.params):
        return 0.0
    if not slope and (0.0 in args or not value or _is_structural_zero(text, row.params, (*args, value))):
        return 0.0
    if all(map(short, args)) and short(slope) and abs(slope) <= 64 and row.value in ("^", "sqrt", "abs"):
        return 0.0
    if row.value == "/" and abs(slope) >= TINY and (text == "1/v" or abs(value) >= TINY):
        return _rounded(slope, 1.0, exact=False)  # one quotient
    if row.value == "^" and text == row.partials[0] and args[1] in _PRODUCTS and abs(slope) >= TINY:
        return _rounded(slope, _PRODUCTS[args[1]][1], exact=False)
    units = (
        8.0
        if row.ulp_error[1] == "8"
        else templates.compiled(row.ulp_error[1], (*row.params, "w", "d"))(*args, value, slope)
    )
    if not units <= _MOST_ULPS:
        if abs(slope) < TINY:
            return 1024 * LEAST
        raise Unsure
    return _rounded(slope, 2 * units, exact=False)


def _is_structural_zero(text: str, params: tuple[str, ...], numbers: Sequence[float]) -> bool:
    from autodiff.verify.text_error import is_structural_zero  # most slopes are not 0

    return is_structural_zero(text, params, numbers)
