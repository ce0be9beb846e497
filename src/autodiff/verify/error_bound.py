"""First-order bounds on the rounding errors of a value and its slopes, propagated along the equations.

The error of a value is Σ |partial|·error(argument) + what the row's own result may be off; of a partial, what moving the
row's arguments by their errors does to it; of an adjoint, both products' parts. Exact numbers and exact operations have no
error, so `x^2 - 4` at 2 is exactly 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from autodiff.core import templates
from autodiff.core.evaluate import DomainError, Trace, primal
from autodiff.core.linearize import Linearization
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ZERO, Primitive
from autodiff.core.vjp import pull_back
from autodiff.record import Record
from autodiff.verify.rounding import (
    EPSILON,
    LEAST,
    SIGNS,
    TINY,
    Unsure,
    error_of,
    error_times,
    is_plain,
    is_square,
    never_rounds,
    rounded,
    rounding,
    rounding_of_sum,
    settled,
    short,
    slope_error,
)

DIGITS = 2.0**-41
"""A number with an error below this part of it has 12 right digits: 4.5e-13 is less than half of the twelfth."""

LONG = 512
"""In programs of more equations a 0 by underflow is a 0, and only the slopes that are not sure are proven in balls."""

_WIDE = 1024.0
"""How many errors an argument is moved by, where that is still a small part of it, so that rounding does not hide the answer."""

_SUMS = {"+": 1.0, "-": -1.0}

_RATIOS = frozenset(["/", "atan2"])
"""Rows that only the ratio of their arguments matters to: of one argument twice they are constant."""

_FOLDED = 2.0**-40
"""What part of a number in rows of a file its error may be, where it is near underflow."""

UNKNOWN = 2.0**60
"""Roundings of a number of which no digit is known."""


class BoundedValue(Record):
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
        return BoundedValue(run.values[lowered.result], values(lowered, run)[lowered.result])
    except OverflowError:
        raise Unsure from None


def unsure(
    lowered: Lowered, run: Trace, factors: Linearization, names: Mapping[str, int], gradient: Sequence[float]
) -> tuple[float, list[str]] | None:
    """The value, and the names whose slopes may not be right to 12 digits, or to the smallest float64; None where the value may not be.

    Nor is a number sure that may be 0 by underflow alone: how small it is has to be said. Programs of many equations are
    spared that, and what their sums lost is added to the value where that makes it right: 100,000 equal terms lose four digits.
    """
    result, least = lowered.result, LEAST if is_long(lowered) else 0.0
    rest, number = dict(zip(names, gradient, strict=True)), run.values[result]
    try:
        errors, losses = _errors(lowered, run)
        if not _is_right(number, errors[result], least):
            number += losses[result]
            error = errors[result] - abs(losses[result]) + math.ulp(number)
            if not is_long(lowered) or not _is_right(number, error, least):
                return None
        for fine in (False,) if is_long(lowered) else (False, True):
            off = _adjoints(lowered, run, factors, errors, fine=fine)
            rest = {name: s for name, s in rest.items() if not _is_right(s, off.get(names[name], 0.0), least)}
            if not rest:
                break
    except (Unsure, OverflowError):
        return None
    return number, list(rest)


def is_long(lowered: Lowered) -> bool:
    """Whether a program has so many equations that what few numbers need is not done for all."""
    return len(lowered.graph) > LONG


def _is_right(number: float, error: float, least: float) -> bool:
    return enough(number, error) and (bool(number) or error <= least)


def outside(lowered: Lowered, point: Mapping[str, float], trouble: DomainError) -> bool:
    """Whether it is sure that the arguments of an equation lie outside its domain."""
    graph, node = lowered.graph, trouble.node
    row, errors = graph.rows[node], list[float]()
    assert row is not None
    try:
        for arg in graph.args[node]:
            part = lowered._replace(result=arg)
            errors.append(values(part, primal(part, point))[arg])
        settled(row, trouble.args, errors)
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
    """The error bound of every equation. Raises Unsure where rounding may decide.

    What sums lose is added with its signs: most of it cancels in a long sum, and all of 100,000 equal roundings is counted.
    """
    return _errors(lowered, run)[0]


def _errors(lowered: Lowered, run: Trace) -> tuple[list[float], list[float]]:
    """The same, and the part of it that sums lost, with its sign."""
    graph, values = lowered.graph, run.values
    errors, bounds, losses = [0.0] * len(graph), [0.0] * len(graph), [0.0] * len(graph)
    for node in run.order:
        row, args = graph.rows[node], graph.args[node]
        value = values[node]
        if row is None:
            bounds[node] = rounding(value)
        elif node in run.taken:
            bounds[node], losses[node] = bounds[run.taken[node]], losses[run.taken[node]]
        elif row.value in _SUMS:
            (a, b), sign = args, _SUMS[row.value]
            bounds[node] = bounds[a] + bounds[b]
            losses[node] = losses[a] + sign * losses[b] + rounding_of_sum(values[a], sign * values[b], value)
        else:
            bounds[node] = error_of(row, [values[a] for a in args], [errors[a] for a in args], value)
            if row.value == "/" and args[0] == args[1]:
                bounds[node] = 0.0  # exactly 1
        errors[node] = bounds[node] + abs(losses[node])
    return errors, losses


def folded(lowered: Lowered) -> dict[float, float] | None:
    """The parts of a program that no input moves, and how many roundings each may be off as a float64.

    None where underflow leaves them no digits. A part that may have any value is off by `UNKNOWN`.
    """
    graph, values, errors = lowered.graph, dict[int, float](), dict[int, float]()
    roundings: dict[float, float] = {}

    def note(value: float, error: float) -> None:
        units = error / abs(value) / EPSILON if value else UNKNOWN if error else 0.0
        roundings[value] = max(roundings.get(value, 0.0), min(units, UNKNOWN))

    for node in graph.reaching(lowered.result):
        row, args = graph.rows[node], graph.args[node]
        if node in graph.constants:
            values[node] = graph.constants[node]
            errors[node] = rounding(values[node])
        elif row is not None and row.branches is None and args and all(a in values for a in args):
            numbers = [values[a] for a in args]
            values[node] = value = templates.value(row)(*numbers)
            try:
                errors[node] = error_of(row, numbers, [errors[a] for a in args], value)
            except (Unsure, OverflowError):
                errors[node] = math.inf
            if errors[node] > _FOLDED * abs(value) and abs(value) < TINY:
                return None
        elif row is not None and row.value == "^" and values.get(args[0], 0.0) > 0:
            base = values[args[0]]  # its logarithm is a slope's factor
            note(math.log(base), errors[args[0]] / base + EPSILON)
        if node in values:
            note(values[node], errors[node])
    return roundings


# --- slopes -----------------------------------------------------------------------------------------------------------


def _adjoints(
    lowered: Lowered, run: Trace, factors: Linearization, errors: Sequence[float], *, fine: bool
) -> Mapping[int, float]:
    """The error bound of every adjoint; `fine` looks at each rounding within the text of a slope."""
    rows = lowered.graph.rows

    def pull(node: int, adjoint: tuple[float, float, float]) -> Iterator[tuple[int, tuple[float, float, float]]]:
        edges, (g, bound, loss), row = factors[node], adjoint, rows[node]
        if row is None or row.value in SIGNS or node in run.taken:  # slopes of 1 and -1
            for arg, slope in edges:
                yield arg, (g * slope, bound, loss * slope)
            return
        if row.value in _RATIOS and len(edges) == 2 and edges[0] == (edges[1][0], -edges[1][1]):
            for arg, slope in edges:  # opposite, whatever they are off by
                yield arg, (g * slope, 0.0, 0.0)
            return
        e = bound + abs(loss)
        for (arg, slope), error in zip(edges, _partials(lowered, run, node, edges, errors, fine=fine), strict=True):
            moved = error_times(slope, e) + error_times(g, error) + e * error
            if slope not in (1.0, -1.0) and g not in (1.0, -1.0) and not (short(g) and short(slope)):
                moved += rounded(g * slope, 1.0, exact=not (g and slope))
            yield arg, (g * slope, moved, 0.0)

    def plus(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float, float]:
        total = a[0] + b[0]
        return total, a[1] + b[1], a[2] + b[2] + rounding_of_sum(a[0], b[0], total)

    adjoints = pull_back(reversed(factors), {lowered.result: (1.0, 0.0, 0.0)}, pull, plus)
    return {node: bound + abs(loss) for node, (_, bound, loss) in adjoints.items()}


def _partials(
    lowered: Lowered, run: Trace, node: int, edges: Sequence[tuple[int, float]], errors: Sequence[float], *, fine: bool
) -> list[float]:
    """The error bound of each local slope of an equation."""
    row, args = lowered.graph.rows[node], lowered.graph.args[node]
    assert row is not None
    if row.value == "*":
        active = {a for a, _ in edges}
        return [errors[args[1 - k]] for k, a in enumerate(args) if a in active]
    given, value = [run.values[a] for a in args], run.values[node]
    if (
        row.value == "^"
        and len(edges) == 1
        and is_square(row, given, [errors[a] for a in args])
        and edges[0][0] == args[0]
    ):
        return [2.0 * errors[args[0]]]  # doubling is exact
    active = {a for a, _ in edges}
    flags = tuple([int(a in active) for a in args])
    slopes = templates.partials(row, flags, templates.static_args(lowered.graph, node))
    bounds = [
        slope_error(row, text, given, value, slope) for text, slope in zip(_texts(row, flags), edges, strict=True)
    ]
    places = [*(errors[a] for a in args), errors[node]]
    if fine:
        from autodiff.verify.text_error import error_within  # most answers are sure without

        texts = _texts(row, flags)
        bounds = [min(e, error_within(t, row.params, given, value)) for e, t in zip(bounds, texts, strict=True)]
        if any(places) and not never_rounds(row):  # cos(u) at 0 is exactly 1, and at 1e-16 it is so by rounding
            bounds = [
                e or rounded(s, 2.0, exact=is_plain(t, row)) for e, t, (_, s) in zip(bounds, texts, edges, strict=True)
            ]
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
            bounds[j] += max(abs(end[j] - slope) for end in ends) * (error / step if step <= error * _WIDE else 1.0)
    if any(e != e for e in bounds):
        raise Unsure
    return bounds


def _texts(row: Primitive, flags: Sequence[int]) -> list[str]:
    return [text for text, moves in zip(row.partials, flags, strict=True) if moves and text != ZERO]
