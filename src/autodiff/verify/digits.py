"""The value and the slopes of a program in ball arithmetic, at growing precision until each is one float64, or has N digits.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> lowered = lower(parse("(exp(x) - 1)/x"))
>>> proven(lowered, {"x": 1e-12}, {"x": lowered.graph.find("x")}).slopes
{'x': 0.5000000000003333}
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Context
from types import MappingProxyType
from typing import Any, NamedTuple

from flint import arb, fmpq

from autodiff.core.evaluate import DomainError, Trace, sweep
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import UNDEFINED, ZERO, Primitive
from autodiff.core.vjp import sweep_down
from autodiff.numbers import balls
from autodiff.numbers.balls import InsufficientPrecision, Number, plus, precision, times

START, MOST = 128, 10_240
"""Bits to begin with, and bits at which a number that is not pinned down is given up."""


class Proven(NamedTuple):
    """What balls show: the value and the slopes as float64 (or text), None where they are not pinned down.

    bits      the precision that pinned them
    run       every equation's value as the nearest float64
    special   the equations that sit exactly on a special point
    undecided an equation at which the balls don't say whether it is a special point or which branch is taken
    agree     whether the sweeps of both modes overlap
    sizes     what is so of numbers that are not 0 and yet rounded to 0: the value under "", slopes by name
    """

    value: Any
    slopes: Mapping[str, Any]
    bits: int
    run: Trace
    special: Sequence[int]
    undecided: int | None = None
    agree: bool = True
    sizes: Mapping[str, str] = MappingProxyType({})


def proven(
    lowered: Lowered, point: Mapping[str, float], names: Mapping[str, int], digits: int = 0, *, most: int = MOST
) -> Proven:
    """Value and slopes at a point, each the float64 nearest to the true one; with `digits`, texts of so many digits.

    Raises DomainError where the value does not exist.
    """
    bits, most = _bounds(digits, most)
    while True:
        with precision(bits):
            found = _at_precision(lowered, point, names, bits, digits, last=2 * bits > most)
        if found is not None:
            return found
        bits *= 2


def _at_precision(
    lowered: Lowered, point: Mapping[str, float], names: Mapping[str, int], bits: int, digits: int, *, last: bool
) -> Proven | None:
    """The same at so many bits; None where that is too few, and more may be had."""
    try:
        numbers, order, taken, specials = values(lowered, point)
    except InsufficientPrecision as trouble:
        if not last:
            return None
        empty = Trace([0.0] * len(lowered.graph), [], {})
        return Proven(
            None, dict.fromkeys(names), bits, empty, (), trouble.node if trouble.node is not None else lowered.result
        )
    pin = _pin(digits, last=last)
    value = pin(numbers[lowered.result])
    wanted = {name: node for name, node in names.items() if not _reached(lowered, node, specials)}
    partials = _linear(lowered, numbers, order, taken, wanted.values())
    adjoints = _down(lowered.result, partials, wanted.values())
    slopes = {name: pin(adjoints.get(node, fmpq(0))) for name, node in wanted.items()}
    if not last and (value is None or None in slopes.values()):
        return None
    run = Trace([0.0 if v is None else shown(v) for v in numbers], order, taken)
    agree = _agree(lowered.result, partials, wanted, adjoints)
    zeros = {"": numbers[lowered.result]} if value in (0.0, "0") else {}
    zeros |= {n: adjoints[node] for n, node in wanted.items() if slopes[n] in (0.0, "0") and node in adjoints}
    sizes = {name: size for name, number in zeros.items() if (size := size_of(number))}
    return Proven(value, dict.fromkeys(names) | slopes, bits, run, specials, agree=agree, sizes=sizes)


def shown(number: Number) -> float:
    """A number as the nearest float64, or the midpoint's where the ball is wider."""
    found = as_float(number)
    if found is None:
        found = float(balls.ball(number).mid())
    return found


def _reached(lowered: Lowered, node: int, special: Sequence[int]) -> bool:
    return bool(special) and node in lowered.graph.reaching(*special)


def values(
    lowered: Lowered,
    point: Mapping[str, float],
    steps: Mapping[int, fmpq] = MappingProxyType({}),
    moved: Mapping[int, float] = MappingProxyType({}),
) -> tuple[list[Number], list[int], dict[int, int], list[int]]:
    """Every equation's number, the order, the branches taken, and the special points.

    steps  numbers that are added to inputs
    moved  numbers that equations have, whatever they are made of

    Raises InsufficientPrecision where balls don't say, DomainError where there is no value.
    """
    graph, specials = lowered.graph, list[int]()

    def leaf(node: int) -> Number:
        number = balls.meaning(graph.constants[node] if node in graph.constants else point[graph.inputs[node]])
        return plus(number, steps[node]) if node in steps else number

    def apply(node: int, args: Sequence[Number]) -> Number:
        if node in moved:
            return balls.meaning(moved[node])
        row = graph.rows[node]
        assert row is not None
        for text, words in row.domain:
            inside = balls.text(text, row.params, args)
            if inside is None:
                raise InsufficientPrecision(node)
            if not inside:
                raise DomainError(node, [shown(a) for a in args], words)
        found = balls.apply(row, args)
        if found is None and row.is_predicate:
            raise InsufficientPrecision(node)
        if isinstance(found, arb) and not found.is_finite():
            raise InsufficientPrecision(node)
        if special(row, args, [a not in graph.constants for a in graph.args[node]], node):
            specials.append(node)
        return found

    found, order, taken = sweep(graph, lowered.result, leaf, apply, balls.holds)
    return found, order, taken, specials


def special(row: Primitive, args: Sequence[Number], free: Sequence[bool], node: int) -> bool:
    """Whether these arguments are a corner, a jump, or without a finite slope. Raises InsufficientPrecision where balls don't say."""
    if not any(free):
        return False
    same = row.is_predicate and len({id(a) for a in args}) < len(args)
    tests = [(text, True) for text in row.special_conditions if not same]
    tests += [(text, False) for text, moves in zip(row.partial_domain, free, strict=True) if text and moves]
    for text, odd in tests:
        met = balls.text(text, row.params, args)
        if met is None:
            raise InsufficientPrecision(node)
        if bool(met) == odd:
            return True
    return False


Partials = dict[int, list[tuple[int, Number]]]


def _linear(
    lowered: Lowered, values: Sequence[Number], order: Iterable[int], taken: Mapping[int, int], sources: Collection[int]
) -> Partials:
    """The local slopes between `sources` and the result, by the rows' formulas."""
    graph, found, active = lowered.graph, Partials(), set(sources)
    for node in sorted(order):
        args, row = graph.args[node], graph.rows[node]
        if active.isdisjoint(args) or row is None:
            continue
        if node in taken:
            edges: list[tuple[int, Number]] = [(taken[node], fmpq(1))] if taken[node] in active else []
        elif row.is_predicate:
            edges = []
        else:
            given = [*(values[a] for a in args), values[node]]
            ways = [
                (a, t) for a, t, s in zip(args, row.formula, row.partials, strict=True) if a in active and s != ZERO
            ]
            edges = [(a, arb.nan() if t == UNDEFINED else balls.text(t, (*row.params, "w"), given)) for a, t in ways]
        if edges:
            found[node] = edges
            active.add(node)
    return found


class BallTrace(NamedTuple):
    """Every equation's number at a point, and the local slopes between the sources and the result.

    values    the number of each equation, None where it was not needed
    partials  per equation that moves, the local slope by each argument that moves it
    order, taken, special  as of `values`
    bits      the precision that they were computed with
    """

    values: Sequence[Number | None]
    partials: Partials
    order: Sequence[int]
    taken: Mapping[int, int]
    special: Sequence[int]
    bits: int

    def adjoints(self, result: int, sources: Collection[int]) -> dict[int, Number]:
        """The slope of the result in each equation that it depends on."""
        with precision(self.bits):
            return _down(result, self.partials, sources)

    def tangents(self, source: int) -> dict[int, Number]:
        """How fast each equation changes with `source`."""
        with precision(self.bits):
            return _along(self.partials, {source: fmpq(1)})


def record(lowered: Lowered, point: Mapping[str, float], sources: Collection[int], bits: int) -> BallTrace | None:
    """What the value and the slopes at a point are made of, at so many bits; None where balls don't decide."""
    with precision(bits):
        try:
            numbers, order, taken, specials = values(lowered, point)
        except (InsufficientPrecision, DomainError):
            return None
        partials = _linear(lowered, numbers, order, taken, [s for s in sources if not _reached(lowered, s, specials)])
        return BallTrace(numbers, partials, order, taken, specials, bits)


def value(
    lowered: Lowered, point: Mapping[str, float], bits: int, moved: Mapping[int, float] = MappingProxyType({})
) -> float | None:
    """The result at a point, with equations that have the values of `moved`; None where it is not pinned down."""
    with precision(bits):
        try:
            return as_float(values(lowered, point, moved=moved)[0][lowered.result])
        except (InsufficientPrecision, DomainError):
            return None


def slope(
    lowered: Lowered, numbers: Sequence[Number], order: Iterable[int], taken: Mapping[int, int], source: int
) -> Number:
    """The slope of the result in one equation, where every equation's number is known."""
    return _down(lowered.result, _linear(lowered, numbers, order, taken, [source]), [source]).get(source, fmpq(0))


def _down(result: int, partials: Partials, sources: Collection[int]) -> dict[int, Number]:
    start = {result: fmpq(1)} if result in partials or result in sources else {}
    return sweep_down(
        reversed(list(partials)), start, lambda node, g: [(a, times(g, p)) for a, p in partials[node]], plus
    )


class Pinned(NamedTuple):
    """Numbers as float64 (or text), None for one that is not pinned down; none at all where balls decide nothing.

    bits    the precision that pinned them
    sizes   per number what is so where it is not 0 and yet "0" is all that can be shown of it
    """

    numbers: Sequence[Any]
    bits: int
    sizes: Sequence[str] = ()


def pinned(numbers: Callable[[], Sequence[Number]], digits: int = 0, *, most: int = MOST) -> Pinned:
    """Numbers by growing precision, until each is one float64, or has so many digits."""
    bits, most = _bounds(digits, most)
    found, sizes = list[Any](), list[str]()
    while bits <= most:
        pin = _pin(digits, last=2 * bits > most)
        with precision(bits):
            try:
                exact = numbers()
                found = [pin(number) for number in exact]
                sizes = [size_of(n) if text == "0" else "" for n, text in zip(exact, found, strict=True)]
            except InsufficientPrecision:
                found, sizes = [], []
            except DomainError:
                return Pinned([], bits)
        if found and None not in found:
            break
        bits *= 2
    return Pinned(found, min(bits, most), sizes)


def _bounds(digits: int, most: int) -> tuple[int, int]:
    """The bits to begin with, and those to end with."""
    bits = START if not digits else max(START, int(3.33 * digits) + 64)
    return bits, max(most, 4 * bits)


def _pin(digits: int, *, last: bool) -> Callable[[Number], Any]:
    """How a number is printed: its float64, or so many digits; at the last precision 0 where it can't be told from 0."""
    if not digits:
        return as_float
    return (lambda n: decimal(n, digits) or _zero(n)) if last else (lambda n: decimal(n, digits))


def _zero(number: Number) -> str | None:
    whole = balls.ball(number)
    return "0" if whole.is_finite() and whole.contains(0) else None


def _along(partials: Partials, rates: Mapping[int, Number]) -> dict[int, Number]:
    """The forward sweep: the tangent of every equation that moves."""
    tangents = dict(rates)
    for node, edges in partials.items():
        for arg, slope in edges:
            if arg in tangents:
                part = times(slope, tangents[arg])
                tangents[node] = plus(tangents[node], part) if node in tangents else part
    return tangents


def _agree(result: int, partials: Partials, names: Mapping[str, int], adjoints: Mapping[int, Number]) -> bool:
    """Whether a forward sweep along a fixed direction gives a ball that overlaps the gradient's."""
    rates = {node: fmpq(2 * k + 3, 7) for k, node in enumerate(dict.fromkeys(names.values()))}
    tangents = _along(partials, rates)
    total: Number = fmpq(0)
    for node, rate in rates.items():
        total = plus(total, times(adjoints.get(node, fmpq(0)), rate))
    return bool(balls.ball(total).overlaps(balls.ball(tangents.get(result, fmpq(0)))))


# --- numbers out ------------------------------------------------------------------------------------------------------


def as_float(number: Number) -> float | None:
    """The float64 nearest to a number, an infinity beyond the largest; None where its ball holds several."""
    if isinstance(number, bool):
        return float(number)
    if isinstance(number, fmpq):
        return _quotient(int(number.p), int(number.q))
    whole = balls.ball(number)
    if not whole.is_finite():
        return None
    low, high = _end(whole.lower()), _end(whole.upper())
    return low + 0.0 if low == high else None


def _quotient(above: int, below: int) -> float:
    try:
        return above / below
    except OverflowError:
        return math.inf if above > 0 else -math.inf


def _end(number: arb) -> float:
    mantissa, exponent = (int(part) for part in number.man_exp())
    size = mantissa.bit_length() + exponent
    if not mantissa or size < -1200:
        return 0.0
    if size > 1100:
        return math.inf if mantissa > 0 else -math.inf
    return _quotient(mantissa << max(exponent, 0), 1 << max(-exponent, 0))


def decimal(number: Number, digits: int) -> str | None:
    """A number rounded to so many significant digits; None where its ball does not say what they are."""
    if isinstance(number, fmpq) and number == 0:
        return "0"
    whole = balls.ball(number)
    if not whole.is_finite():
        return None
    low, high = (_rounded(end, digits) for end in (whole.lower(), whole.upper()))
    return low if low == high else None


def _rounded(number: arb, digits: int) -> str:
    mantissa, _, power = number.str(digits + 20, radius=False).partition("e")
    rounded = Context(prec=digits).create_decimal(mantissa)
    exponent = int(power or 0) + rounded.adjusted()
    sign, figures, _ = rounded.as_tuple()
    text = "".join(map(str, figures)).rstrip("0") or "0"
    minus = "-" if sign else ""
    if -7 <= exponent < max(digits, 17):
        return minus + _plain(text, exponent)
    return f"{minus}{text[0]}{'.' + text[1:] if text[1:] else ''}e{exponent}"


def _plain(figures: str, exponent: int) -> str:
    if exponent < 0:
        return f"0.{'0' * (-exponent - 1)}{figures}"
    whole, part = figures[: exponent + 1].ljust(exponent + 1, "0"), figures[exponent + 1 :]
    return f"{whole}.{part}" if part else whole


def words(number: Number) -> str:
    """A number that is beyond float64's range with its digits, such as 5.07596e-435; else empty."""
    if balls.ball(number).contains(0) or 2.0**-1022 <= abs(shown(number)) <= sys.float_info.max:
        return ""
    return str(balls.ball(number).mid().str(6, radius=False))


def size_of(number: Number) -> str:
    """How large a number is that float64 rounds to 0: "is 5.08e-435", or "is below 1e-3000"; empty where it is 0."""
    whole = balls.ball(number)
    if balls.is_zero(number) or whole.is_zero():
        return ""
    if whole.contains(0):
        return f"can't be told from 0: it is below {abs(whole).upper().str(1, radius=False)} in size"
    return f"is {whole.mid().str(3, radius=False)}, which float64 rounds to 0"
