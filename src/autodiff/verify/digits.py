"""The value and the slopes of a program in ball arithmetic, at growing precision until each is one float64, or has N digits.

>>> from autodiff.core.lowering import lower
>>> lowered = lower("(exp(x) - 1)/x")
>>> proven(lowered, {"x": 1e-12}, {"x": lowered.graph.find("x")}).slopes
{'x': 0.5000000000003333}
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from flint import fmpq

from autodiff.core.algebra import PLUS, TIMES
from autodiff.core.evaluate import DomainError, Indeterminate, Trace
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.numbers.ball_numbers import Number, as_float, ball, decimal, precision, shown, size_of
from autodiff.numbers.balls import BALLS
from autodiff.verify.rounding import SIGNS

START, MOST = 128, 10_240
"""Bits to begin with, and bits at which a number that is not decided yet is given up."""


class Proven(NamedTuple):
    """What balls prove: the value and the slopes as float64 (or text), None where a ball holds several.

    bits      the precision of these balls
    run       every equation's value as the nearest float64
    special   the equations that sit exactly on a special point
    undecided an equation at which the balls don't say whether it is a special point or which branch is taken
    agree     whether the sweeps of both modes overlap
    sizes     how large numbers are that are not 0 but rounded to 0: the value under "", slopes by name
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
    lowered: Lowered, point: Mapping[str, float], names: Mapping[str, int], digits: int = 0, *, least: int = START
) -> Proven:
    """Value and slopes at a point, each the float64 nearest to the true one; with `digits`, texts of so many digits.

    least   bits to begin with, at least

    Raises DomainError where the value does not exist.
    """
    bits, most = _bounds(digits, MOST)
    bits = max(bits, least)
    while True:
        with precision(bits):
            answer = _at_precision(lowered, point, names, bits, digits, last=2 * bits > most)
        if answer is not None:
            return answer
        bits *= 2


def _at_precision(
    lowered: Lowered, point: Mapping[str, float], names: Mapping[str, int], bits: int, digits: int, *, last: bool
) -> Proven | None:
    """The same at so many bits; None where that is too few, and more may be had."""
    try:
        trace, specials = values(lowered, point, sources=names.values())
    except Indeterminate as trouble:
        if not last:
            return None
        empty = Trace([0.0] * len(lowered.graph), [], {})
        return Proven(
            None, dict.fromkeys(names), bits, empty, (), trouble.node if trouble.node is not None else lowered.result
        )
    pin = _pin(digits, last=last)
    result = trace.values[lowered.result]
    value = pin(result)
    behind = lowered.graph.movers(specials)
    wanted = {name: node for name, node in names.items() if node not in behind}
    partials = BALLS.linearize(lowered, trace, wanted.values())
    adjoints = _adjoints(lowered.result, partials, wanted.values())
    slopes = {name: pin(adjoints.get(node, fmpq(0))) for name, node in wanted.items()}
    if not last and (value is None or None in slopes.values()):
        return None
    run = trace._replace(values=[0.0 if v is None else shown(v) for v in trace.values])
    agree = _agree(lowered.result, partials, wanted, adjoints)
    zeros = {"": result} if value in (0.0, "0") else {}
    zeros |= {n: adjoints[node] for n, node in wanted.items() if slopes[n] in (0.0, "0") and node in adjoints}
    sizes = {name: size for name, number in zeros.items() if (size := size_of(number))}
    return Proven(value, dict.fromkeys(names) | slopes, bits, run, specials, agree=agree, sizes=sizes)


def values(
    lowered: Lowered,
    point: Mapping[str, float],
    steps: Mapping[int, fmpq] = MappingProxyType({}),
    moved: Mapping[int, float] = MappingProxyType({}),
    sources: Collection[int] = (),
) -> tuple[Trace, list[int]]:
    """The trace in balls, and its special points.

    steps    numbers that are added to inputs
    moved    numbers that equations have, whatever they are made of
    sources  the equations that slopes are wanted by, where they are known

    Raises Indeterminate where balls don't decide, DomainError where there is no value.
    """
    graph = lowered.graph
    inputs = {name: BALLS.constant(point[name]) for name in graph.inputs.values() if name in point}
    for node, step in steps.items():
        name = graph.inputs[node]
        inputs[name] = BALLS.plus(inputs[name], step)
    trace = BALLS.evaluate(lowered, inputs, {node: BALLS.constant(number) for node, number in moved.items()})
    own = trace._replace(order=[node for node in trace.order if node not in moved])
    return trace, BALLS.special_points(lowered, own, sources)


Partials = dict[int, list[tuple[int, Number]]]


class BallTrace(NamedTuple):
    """Every equation's number at a point, and the local slopes between the sources and the result.

    trace     the number of each equation, None where it was not needed
    partials  per active equation, the partial by each active argument
    special   the special points
    bits      the precision that they were computed with
    """

    trace: Trace
    partials: Partials
    special: Sequence[int]
    bits: int

    def adjoints(self, result: int, sources: Collection[int]) -> dict[int, Number]:
        """The derivative of the result in each active equation that it depends on."""
        with precision(self.bits):
            return _adjoints(result, self.partials, sources)

    def tangents(self, source: int) -> dict[int, Number]:
        """The derivative of each equation in `source`."""
        with precision(self.bits):
            return BALLS.jvp(self.partials, {source: fmpq(1)})


def of_terms(lowered: Lowered, names: Mapping[str, int]) -> tuple[Lowered, dict[str, int]]:
    """The program without the terms of its sum that none of the names moves: their slopes are the same; and their equations."""
    graph, sources = lowered.graph, set(names.values())
    active, weights, new = graph.depending(sources), {lowered.result: 1}, Graph()
    for node in range(lowered.result, -1, -1):
        row = graph.rows[node]
        if node in weights and row is not None and row.value in SIGNS and node not in sources:
            weight = weights.pop(node)
            for arg, sign in zip(graph.args[node], SIGNS[row.value], strict=True):
                if active[arg]:
                    weights[arg] = weights.get(arg, 0) + sign * weight
    terms = {node: weight for node, weight in weights.items() if active[node] and weight}
    of = graph.carried(terms, new.constant, new.input, new.twin)
    result = new.constant(0)
    for node, weight in terms.items():
        result = new.call(PLUS, (result, new.call(TIMES, (new.constant(weight), of[node]))))
    part = Lowered(new, result, lowered.name, tuple(new.inputs.values()), {}, lowered.source)
    return part, {name: of[node] for name, node in names.items() if node in of}


def record(lowered: Lowered, point: Mapping[str, float], sources: Collection[int], bits: int) -> BallTrace | None:
    """What the value and the slopes at a point are made of, at so many bits; None where balls don't decide."""
    with precision(bits):
        try:
            trace, specials = values(lowered, point, sources=sources)
        except (Indeterminate, DomainError):
            return None
        partials = BALLS.linearize(lowered, trace, set(sources) - lowered.graph.movers(specials))
        return BallTrace(trace, partials, specials, bits)


def value(
    lowered: Lowered, point: Mapping[str, float], bits: int, moved: Mapping[int, float] = MappingProxyType({})
) -> float | None:
    """The result at a point, with equations that have the values of `moved`; None where it is not decided."""
    with precision(bits):
        try:
            return as_float(values(lowered, point, moved=moved)[0].values[lowered.result])
        except (Indeterminate, DomainError):
            return None


def slope(lowered: Lowered, trace: Trace, source: int) -> Number:
    """The slope of the result in one equation, where every equation's number is known."""
    return _adjoints(lowered.result, BALLS.linearize(lowered, trace, [source]), [source]).get(source, fmpq(0))


def _adjoints(result: int, partials: Partials, sources: Collection[int]) -> dict[int, Number]:
    return BALLS.vjp(partials, {result: fmpq(1)} if result in partials or result in sources else {})


class Pinned(NamedTuple):
    """Numbers as float64 (or text), None for one that is not decided; none at all where balls decide nothing.

    bits    the precision that decided them
    sizes   how large a number is whose text is "0" and that is not known to be 0; else empty
    """

    numbers: Sequence[Any]
    bits: int
    sizes: Sequence[str] = ()


def pinned(numbers: Callable[[], Sequence[Number]], digits: int = 0, *, most: int = MOST) -> Pinned:
    """Numbers by growing precision, until each is one float64, or has so many digits."""
    bits, most = _bounds(digits, most)
    known, sizes = list[Any](), list[str]()
    while bits <= most:
        pin = _pin(digits, last=2 * bits > most)
        with precision(bits):
            try:
                exact = numbers()
                known = [pin(number) for number in exact]
                sizes = [size_of(n) if text == "0" else "" for n, text in zip(exact, known, strict=True)]
            except Indeterminate:
                known, sizes = [], []
            except DomainError:
                return Pinned([], bits)
        if known and None not in known:
            break
        bits *= 2
    return Pinned(known, min(bits, most), sizes)


def _bounds(digits: int, most: int) -> tuple[int, int]:
    """The bits to begin with, and those to end with."""
    bits = START if not digits else max(START, int(3.33 * digits) + 64)
    return bits, max(most, 4 * bits)


def _pin(digits: int, *, last: bool) -> Callable[[Number], Any]:
    """How a number is printed: its float64, or so many digits.

    At the last precision 0 where it can't be told from 0, and one of two float64 where it is as good as halfway between them.
    """
    if not digits:
        return _halfway if last else as_float
    return (lambda n: decimal(n, digits) or _zero(n)) if last else (lambda n: decimal(n, digits))


_TIE = 100
"""Right bits of a number that is as good as halfway between two float64."""


def _halfway(number: Number) -> float | None:
    nearest = as_float(number)
    if nearest is None and (whole := ball(number)).is_finite() and whole.rel_accuracy_bits() > _TIE:
        return shown(whole)
    return nearest


def _zero(number: Number) -> str | None:
    whole = ball(number)
    return "0" if whole.is_finite() and whole.contains(0) else None


def _agree(result: int, partials: Partials, names: Mapping[str, int], adjoints: Mapping[int, Number]) -> bool:
    """Whether a forward sweep along a fixed direction gives a ball that overlaps the gradient's."""
    rates = {node: fmpq(2 * k + 3, 7) for k, node in enumerate(dict.fromkeys(names.values()))}
    tangents = BALLS.jvp(partials, rates)
    total: Number = fmpq(0)
    for node, rate in rates.items():
        total = BALLS.plus(total, BALLS.times(adjoints.get(node, fmpq(0)), rate))
    return bool(ball(total).overlaps(ball(tangents.get(result, fmpq(0)))))
