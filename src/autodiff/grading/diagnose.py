"""Which slip made a wrong derivative: the forward sweep once more, one rule of it replaced by a mistaken one.

    sin(x^2) → cos(x)*2*x     is what the sweep gives when the sine's slope is taken at x instead of x^2

Every equation is tried with every mistake that people make with its rule; a mistake explains the answer when it gives
the same numbers at every sample. `mistakes` is the catalogue.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

from autodiff.core import linearize, rules, templates
from autodiff.core.evaluate import Trace
from autodiff.core.lowering import Lowered
from autodiff.diagnostics import written
from autodiff.errors import Span
from autodiff.grading.mistake_rules import Here, Mistake
from autodiff.grading.mistakes import mistakes
from autodiff.notation.infix import infix
from autodiff.notation.parts import LONGEST, size
from autodiff.symbolic.adjoint import image, slopes

_ADD, _SUB = rules.TABLE["+", 2], rules.TABLE["-", 2]
_CLOSE = 1e-9
_ROUNDED = 0.005  # how far from 1 a factor is that may be a constant with two or more digits
_FEW = 4  # other inputs that may be taken for the variable
_SWEEPS = 150_000  # equations that the search for one slip may go through, and again for two


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


Place: TypeAlias = "tuple[int, tuple[int, int] | None]"
"""An equation; of one that is used more than once perhaps only one use of it, as (the user, its argument's place)."""


@dataclass(frozen=True, slots=True)
class _Change:
    place: Place
    mistake: Mistake


class _SampleTangents:
    """The tangents at one sample, with or without changes; `others` are inputs that move as well, by mistake."""

    def __init__(self, lowered: Lowered, source: int, sample: Sample, others: Sequence[int] = ()) -> None:
        self.lowered, self.source, self.sample, self.others = lowered, source, sample, others
        graph, values = lowered.graph, sample.run.values
        self.variable = values[source] if values[source] is not None else math.nan
        self.slopes: dict[int, list[float]] = {}
        for node in sample.run.order:
            args = graph.args[node]
            if args and node not in sample.run.taken:
                self.slopes[node] = [0.0] * len(args)
                every, places = [True] * len(args), range(len(args))
                for k, slope in linearize.partials(graph, node, [values[a] for a in args], values[node], every, places):
                    self.slopes[node][k] = slope
        self.plain: dict[int, float] = {}
        self.result(())

    def result(self, changes: Sequence[_Change]) -> float:
        """The derivative with these changes; NaN where a mistaken rule has no value."""
        whole = {c.place[0]: c.mistake for c in changes if c.place[1] is None}
        uses = {use: c for c in changes if (use := c.place[1]) is not None}
        first = min((c.place[0] for c in changes), default=-1)
        tangents = self.plain if not changes else dict(self.plain)
        for node in self.sample.run.order:
            if node > first or node in whole:
                self._step(node, tangents, whole, uses)
        return tangents.get(self.lowered.result, 0.0)

    def _step(
        self,
        node: int,
        tangents: dict[int, float],
        whole: Mapping[int, Mistake],
        uses: Mapping[tuple[int, int], _Change],
    ) -> None:
        graph, run = self.lowered.graph, self.sample.run
        if node == self.source or node in self.others:
            tangents[node] = 1.0
            return
        if graph.rows[node] is None:
            return
        if node in run.taken:
            moved = tangents.get(run.taken[node])
            if moved is not None:
                tangents[node] = moved
            return
        inner = [tangents.get(a) for a in graph.args[node]]
        for k in range(len(inner)):
            if (node, k) in uses:
                change = uses[node, k]
                inner[k] = self._mistaken(change.mistake, change.place[0], tangents)
        if node in whole:
            tangents[node] = self._mistaken(whole[node], node, tangents)
        elif any(t is not None for t in inner):
            pairs = zip(self.slopes[node], inner, strict=True)
            tangents[node] = _sum(s * t for s, t in pairs if t is not None and s) if _finite(inner) else math.nan

    def _mistaken(self, mistake: Mistake, node: int, tangents: Mapping[int, float]) -> float:
        """What the mistaken rule gives; NaN where that is no number, or one beyond float64."""
        try:
            tangent = mistake.rule(self.here(node, tangents))
        except (ArithmeticError, ValueError):
            return math.nan
        return math.nan if isinstance(tangent, complex) else tangent  # as a root of a negative number is

    def here(self, node: int, tangents: Mapping[int, float]) -> Here:
        graph, values = self.lowered.graph, self.sample.run.values
        args = graph.args[node]
        return Here(
            tuple(values[a] for a in args),
            values[node],
            tuple(self.slopes[node]),
            tuple(tangents.get(a, 0.0) for a in args),
            tuple(a in self.plain for a in args),
            self.variable,
            tuple(self._shallow(a) for a in args),
            tuple(tuple(self._terms(a, tangents)) for a in args),
        )

    def _terms(self, node: int, tangents: Mapping[int, float]) -> Iterator[float]:
        """The tangents of the terms of a sum; of any other equation its own tangent."""
        graph, sign = self.lowered.graph, 1.0
        terms = list[float]()
        while graph.rows[node] in (_ADD, _SUB):
            first, last = graph.args[node]
            sign = 1.0 if graph.rows[node] is _ADD else -1.0
            if last in self.plain:
                terms.append(sign * tangents.get(last, 0.0))
            node = first
        terms.append(tangents.get(node, 0.0))
        return reversed(terms)

    def _shallow(self, node: int) -> float:
        graph, values = self.lowered.graph, self.sample.run.values
        row, args = graph.rows[node], graph.args[node]
        if row is None or row.branches is not None:
            return float(values[node])
        return templates.value(row)(*(self.variable if a in self.plain else values[a] for a in args))


def _sum(numbers: Iterable[float]) -> float:
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):  # beyond float64, or infinities of both signs
        return math.nan


def _finite(numbers: Sequence[float | None]) -> bool:
    return all(n is None or math.isfinite(n) for n in numbers)


def explain(lowered: Lowered, source: int, samples: Sequence[Sample]) -> tuple[Slip, ...]:
    """The slip that explains the answer at every sample; two if it takes two; none if neither does."""
    if not samples:
        return ()
    if source not in lowered.graph.reaching(lowered.result):
        return (Slip("constant term", "the program is a constant, and a constant's derivative is 0"),)
    per_sample = [_SampleTangents(lowered, source, sample) for sample in samples]
    size = len(samples[0].run.order)
    frequent, rare = _first(_changes(lowered, source, per_sample), _SWEEPS // size)
    for change in frequent:
        if _explains(per_sample, (change,)):
            return (_named(lowered, source, change),)
    if plain := _whole_answer(lowered, samples):
        return (plain,)
    for change in rare:
        if _explains(per_sample, (change,)):
            return (_named(lowered, source, change),)
    if scaled := _scaled(samples):
        return (scaled,)
    if other := _other_variable(lowered, source, samples):
        return other
    for pair in combinations(frequent[: int(math.sqrt(_SWEEPS / size))], 2):
        if pair[0].place != pair[1].place and _explains(per_sample, pair):
            return (_named(lowered, source, pair[0]), _named(lowered, source, pair[1]))
    return ()


def _other_variable(lowered: Lowered, source: int, samples: Sequence[Sample]) -> tuple[Slip, ...]:
    """The slip of differentiating by another input too, or instead; perhaps with one more slip in what moves then."""
    others = {node: name for node, name in lowered.graph.inputs.items() if node != source}
    if not 1 <= len(others) <= _FEW:
        return ()
    for node, name in others.items():
        by_other = [_SampleTangents(lowered, node, sample) for sample in samples]
        instead = Slip("other variable", f"this is the derivative by {name}")
        if _explains(by_other, ()):
            return (instead,)
    with_others = [_SampleTangents(lowered, source, sample, list(others)) for sample in samples]
    listed = " and ".join(others.values())
    too = Slip(
        "other variable",
        f"{listed} {'are constants' if len(others) > 1 else 'is a constant'} here, with the derivative 0",
    )
    if _explains(with_others, ()):
        return (too,)
    for change in _first(_changes(lowered, source, with_others), _SWEEPS // len(samples[0].run.order))[0]:
        if _explains(with_others, (change,)):
            return too, _named(lowered, source, change)
    return ()


def _explains(per_sample: Sequence[_SampleTangents], changes: Sequence[_Change]) -> bool:
    """Whether the changes make the answer's number of every sample; those that change no number explain nothing."""
    numbers = []
    for at_sample in per_sample:
        numbers.append(at_sample.result(changes))
        if not close(numbers[-1], at_sample.sample.answer):
            return False
    return not all(
        close(number, at_sample.sample.derivative) for number, at_sample in zip(numbers, per_sample, strict=True)
    )


def close(a: float, b: float) -> bool:
    """Whether two numbers are the same but for rounding."""
    return abs(a - b) <= _CLOSE * max(abs(a), abs(b))


def _first(changes: Iterable[_Change], most: int) -> tuple[list[_Change], list[_Change]]:
    """The first frequent mistakes and the first rare ones; a long program has millions of them."""
    frequent: list[_Change] = []
    rare: list[_Change] = []
    for change in changes:
        kind = rare if change.mistake.rare else frequent
        if len(kind) < most:
            kind.append(change)
        if len(frequent) >= most and len(rare) >= most:
            break
    return frequent, rare


def _changes(lowered: Lowered, source: int, per_sample: Sequence[_SampleTangents]) -> Iterator[_Change]:
    """Every mistake at every equation that moves, the last equation first."""
    graph = lowered.graph
    every = set().union(*(at_sample.plain for at_sample in per_sample))
    active = every - {source, *per_sample[0].others}
    uses: dict[int, list[tuple[int, int]]] = {}
    for node in sorted(active):
        for k, arg in enumerate(graph.args[node]):
            uses.setdefault(arg, []).append((node, k))
    for node in sorted(active, reverse=True):
        row, args = graph.rows[node], graph.args[node]
        if row is None or row.branches is not None:
            continue
        places: list[Place] = [(node, None)]
        if len(uses.get(node, [])) > 1:
            places += [(node, use) for use in uses[node]]
        inner = tuple(a in active and a != source for a in args)
        for mistake in mistakes(row, tuple(a in every for a in args), inner):
            yield from (_Change(place, mistake) for place in places)


def _named(lowered: Lowered, source: int, change: _Change) -> Slip:
    node, mistake = change.place[0], change.mistake
    why = mistake.why + _inner(lowered, source, node) * mistake.kind.startswith("inner")
    return Slip(mistake.kind, why, written(lowered, node), lowered.graph.spans[node])


def _inner(lowered: Lowered, source: int, node: int) -> str:
    """`, here u = x^2 and u' = 2*x`."""
    graph, row = lowered.graph, lowered.graph.rows[node]
    assert row is not None
    places = [k for k, arg in enumerate(graph.args[node]) if arg not in graph.constants and arg != source]
    if len(places) != 1 or len(graph.reaching(node)) > LONGEST:
        return ""
    name, arg = row.params[places[0]], graph.args[node][places[0]]
    seen = image(graph, arg, {})
    slope = slopes(graph, arg, {}, [source], seen).get(source)
    if slope is None or size(seen.symbols.graph, slope) > LONGEST:
        return ""
    return f", here {name} = {written(lowered, arg)} and {name}' = {infix(seen.symbols.graph, slope)}"


def _whole_answer(lowered: Lowered, samples: Sequence[Sample]) -> Slip | None:
    """What went wrong with the answer as a whole."""
    if len(samples) > 2 and all(close(s.answer, s.run.values[lowered.result]) for s in samples):
        return Slip("not differentiated", "this is the program itself, not its derivative")
    return None


def _scaled(samples: Sequence[Sample]) -> Slip | None:
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
