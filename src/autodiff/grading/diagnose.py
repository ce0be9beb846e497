"""Which slip made a wrong derivative: the forward sweep once more, one rule of it replaced by a mistaken one.

    sin(x^2) → cos(x)*2*x     is what the sweep gives when the sine's slope is taken at x instead of x^2

Every equation is tried with every mistake that people make with its rule; a mistake explains the answer when it gives
the same numbers at every sample. `mistakes` is the catalogue.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TypeAlias

from autodiff.core import linearize, rules, templates
from autodiff.core.evaluate import DomainError, primal
from autodiff.core.lowering import Lowered
from autodiff.diagnostics import written
from autodiff.grading.mistake_rules import Here, Mistake
from autodiff.grading.mistakes import mistakes
from autodiff.grading.slip import Sample, Slip, answer_by_variable, close, scaled_answer, whole_answer
from autodiff.notation.infix import infix
from autodiff.notation.parts import LONGEST, size
from autodiff.symbolic.adjoint import image, slopes

_ADD, _SUB = rules.TABLE["+", 2], rules.TABLE["-", 2]
_FEW = 4  # other inputs that may be taken for the variable
_SWEEPS = 150_000  # equations that the search for one slip may go through, and again for two


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
            tuple(self._term_tangents(a, tangents) for a in args),
            tuple(map(self._shorter, args)),
        )

    def _terms(self, node: int) -> list[tuple[float, int]]:
        """The terms of a sum, each with its sign; of any other equation the equation itself."""
        graph, terms = self.lowered.graph, list[tuple[float, int]]()
        while graph.rows[node] in (_ADD, _SUB):
            first, last = graph.args[node]
            terms.append((1.0 if graph.rows[node] is _ADD else -1.0, last))
            node = first
        return [(1.0, node), *reversed(terms)]

    def _term_tangents(self, node: int, tangents: Mapping[int, float]) -> tuple[float, ...]:
        """The tangents of the terms of a sum that move, and of its first one; of any other equation its own tangent."""
        first, *others = self._terms(node)
        active = [first, *(term for term in others if term[1] in self.plain)]
        return tuple(sign * tangents.get(term, 0.0) for sign, term in active)

    def _shorter(self, node: int) -> tuple[float, float]:
        """A sum without its first and without its last term, where what is left moves; else the equation's value."""
        values, terms = self.sample.run.values, self._terms(node)

        def without(dropped: tuple[float, int], left: Sequence[tuple[float, int]]) -> float:
            sign, term = dropped if any(part in self.plain for _, part in left) else (0.0, node)
            return float(values[node] - sign * values[term])

        return without(terms[0], terms[1:]), without(terms[-1], terms[:-1])

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


OfTyping: TypeAlias = "Callable[[Sequence[Sample]], Slip | None]"
"""What gives the slip of an answer that was typed otherwise than it was meant."""


def explain(lowered: Lowered, source: int, samples: Sequence[Sample], of_typing: OfTyping) -> tuple[Slip, ...]:
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
    if plain := whole_answer(lowered, samples):
        return (plain,)
    explained = next((change for change in rare if _explains(per_sample, (change,))), None)
    by_chance = explained is None or explained.mistake.kind == "wrong rule"  # that of another function
    if by_chance and (typed := of_typing(samples)):
        return (typed,)
    if explained is not None:
        return (_named(lowered, source, explained),)
    if scaled := scaled_answer(samples) or answer_by_variable(lowered, source, samples):
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


def antiderivative(answered: Lowered, wrt: str, lowered: Lowered, samples: Sequence[Sample]) -> Slip | None:
    """The slip of integrating: the derivative of the answer is the program."""
    source = answered.graph.find(wrt)
    if len(samples) < 3 or source not in answered.graph.reaching(answered.result):
        return None
    assert source is not None
    try:
        slopes = [_SampleTangents(answered, source, replace(s, run=primal(answered, s.at))).result(()) for s in samples]
    except DomainError:
        return None
    is_program = all(close(d, s.run.values[lowered.result]) for d, s in zip(slopes, samples, strict=True))
    return Slip("wrong rule", "this is an antiderivative: its own derivative is the program") if is_program else None
