"""The factors of the chain rule: the local slope of a place in each place that it is made of.

Each is there as a formula, as a number at a point, and under the name of its rule. The numbers are made by the sweep and
the table that make the answer; the formulas by the same sweep over symbols.

>>> from autodiff.core.lowering import lower
>>> from autodiff.explanation.steps import places
>>> named = places(lower("y = x^2; sin(y)"))
>>> rules(named, 2, {0}, {}), operation_name(named, 3)
({0: 'power rule'}, 'sine')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import add, mul
from typing import TYPE_CHECKING, TypeVar

from autodiff.core import linearize
from autodiff.core.evaluate import DomainError, Trace, number, sweep
from autodiff.core.graph import Graph, WrittenOut, reached
from autodiff.core.linearize import Linearization
from autodiff.core.prelude import loss
from autodiff.core.primitive import ZERO, Primitive
from autodiff.core.rules import TABLE
from autodiff.core.vjp import pull_back
from autodiff.explanation.steps import Places
from autodiff.notation.parts import LONGEST, size
from autodiff.symbolic.adjoint import Image, image, slopes, tidied
from autodiff.symbolic.expression import Symbols
from autodiff.symbolic.shortest import shorter

if TYPE_CHECKING:
    from autodiff.numbers.ball_numbers import Number
    from autodiff.verify.digits import BallTrace


T = TypeVar("T")

_SUMS = (TABLE["+", 2], TABLE["-", 2])


@dataclass(frozen=True, slots=True)
class Formula:
    """A local slope as symbols: an equation of `graph`; `own` is the place's own equation there.

    `named` is the same slope with the place called by its name wherever it occurs: p·(1 - p) for σ(z)·(1 - σ(z)).
    `here` says that it holds where the same branches are taken as at the point.
    """

    graph: Graph
    node: int
    own: int
    named: int
    here: bool = False


def as_taken(formula: Formula, at: Mapping[str, float]) -> Formula:
    """A local slope with choices as it is at a point: of each choice the branch that is taken there."""
    graph, symbols = formula.graph, Symbols()
    if not any(
        row is not None and row.branches is not None
        for row in map(graph.rows.__getitem__, graph.reaching(formula.named))
    ):
        return formula
    try:
        trace = sweep(graph, formula.named, lambda node: graph.leaf(node, at), partial(number, graph), bool)
    except (KeyError, DomainError):
        return formula
    of: dict[int, int] = {}
    for node in trace.order:
        row = graph.rows[node]
        if row is None:
            constant = node in graph.constants
            of[node] = symbols.constant(graph.constants[node]) if constant else symbols.input(graph.inputs[node])
        else:
            taken = trace.taken.get(node)
            of[node] = of[taken] if taken is not None else symbols.call(row, tuple(of[a] for a in graph.args[node]))
    short = _short(symbols, of[formula.named])
    return Formula(symbols.graph, short, -1, short, here=True)


def active(places: Places, sources: Iterable[int], trace: Trace | None) -> set[int]:
    """The equations that depend on one of `sources`; at a point only along the branches that were taken."""
    graph = places.lowered.graph
    if trace is None:
        return linearize.active(graph, range(len(graph)), sources)
    return linearize.active(graph, trace.order, sources, trace.taken)


def numbers(places: Places, place: int, partials: Linearization) -> dict[int, float]:
    """The local slope of `place` in each active place that it is made of, as a number."""
    return _local(places, place, partials, 1.0, mul, add)


def in_balls(places: Places, place: int, trace: BallTrace) -> dict[int, Number]:
    """The same in ball arithmetic."""
    from autodiff.numbers.ball_numbers import precision  # most answers need none
    from autodiff.numbers.balls import BALLS

    with precision(trace.bits):
        return _local(places, place, trace.partials, BALLS.constant(1.0), BALLS.times, BALLS.plus)


def _local(
    places: Places,
    place: int,
    partials: Mapping[int, Sequence[tuple[int, T]]],
    unit: T,
    times: Callable[[T, T], T],
    plus: Callable[[T, T], T],
) -> dict[int, T]:
    """The adjoints of the equations between a place and the places that it is made of."""

    stops = places.stops(place)

    def pull(node: int, g: T) -> Iterator[tuple[int, T]]:
        if node == place or node not in stops:
            yield from ((arg, times(g, slope)) for arg, slope in partials.get(node, ()))

    slopes = pull_back(reversed(places.inside[place]), {place: unit}, pull, plus)
    return {arg: slopes[arg] for arg in places.arguments(place) if arg in slopes}


def structure(places: Places, place: int, active: set[int]) -> list[int]:
    """The active places that `place` is made of through slopes that are not structurally 0, without a point."""
    graph, stops = places.lowered.graph, places.stops(place)

    def ways(node: int) -> Sequence[int]:
        row = graph.rows[node]
        if row is None or (node != place and node in stops):
            return ()
        return [a for a, text in zip(graph.args[node], row.partials, strict=True) if text != ZERO and a in active]

    live = reached(place, ways)
    return [a for a in places.arguments(place) if a in live]


class Formulas:
    """Local slopes as symbols, place by place, each made when it is first asked for."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._known: dict[int, dict[int, Formula]] = {}
        self._totals: dict[tuple[tuple[tuple[int, int], ...], ...], tuple[Graph, int]] = {}

    def of(self, place: int, sources: Sequence[int]) -> dict[int, Formula]:
        """The local slope of `place` in each of `sources`."""
        if place not in self._known:
            self._known[place] = self._computed(place, sources)
        return self._known[place]

    def _computed(self, place: int, sources: Sequence[int]) -> dict[int, Formula]:
        seen = image(self._places.lowered.graph, place, self._places.stops(place))
        plain = self._slopes(place, sources, seen)
        named = self._named(place, sources, seen)
        symbols, own = seen.symbols, seen.of[place]
        return {s: Formula(symbols.graph, _short(symbols, plain[s]), own, _short(symbols, named[s])) for s in plain}

    def _named(self, place: int, sources: Sequence[int], seen: Image) -> dict[int, int]:
        """The local slopes with the place called by its name."""
        called = Image(seen.symbols, {**seen.of, place: seen.symbols.input(self._places.names[place])})
        return self._slopes(place, sources, called)

    def _slopes(self, place: int, sources: Sequence[int], seen: Image) -> dict[int, int]:
        """The local slope in each source; 0 where the terms of x - x cancel. A call's are those of textbooks."""
        textbook: dict[int, int] = {}
        if place in self._places.calls:
            from autodiff.explanation.textbook import textbook_slopes  # most programs call no such function

            textbook = textbook_slopes(self._places, place, sources, seen.symbols)
        known = (
            {}
            if len(textbook) == len(sources)
            else slopes(self._places.lowered.graph, place, self._places.stops(place), sources, seen)
        )
        zero = seen.symbols.constant(0.0)
        return {source: textbook.get(source, known.get(source, zero)) for source in sources}

    def is_textbook(self, place: int, arg: int) -> bool:
        """Whether the slope of a place in another one is that of a textbook, not what its equations lead to."""
        if place not in self._places.calls:
            return False
        from autodiff.explanation.textbook import textbook_slopes  # most programs call no such function

        return bool(textbook_slopes(self._places, place, [arg], Symbols()))

    def total(
        self, paths: Iterable[Sequence[tuple[int, int]]], replaced: Mapping[str, Sequence[str]] | None = None
    ) -> tuple[Graph, int]:
        """The sum over paths of the product of the local slopes along each, in its shortest form.

        A name in `replaced` is 1 less the sum of the names that it is replaced by.
        """
        key = tuple(map(tuple, paths))
        if not replaced and key in self._totals:
            return self._totals[key]
        symbols, terms = Symbols(), []
        for path in key:
            node = symbols.constant(1.0)
            for place, source in path:
                seen = image(self._places.lowered.graph, place, self._places.stops(place), symbols)
                node = symbols.times(node, self._named(place, [source], seen)[source])
            terms.append(node)
        node = symbols.total(terms)
        if replaced:
            return _replaced(symbols, node, replaced)
        self._totals[key] = symbols.graph, _short(symbols, node)
        return self._totals[key]

    def of_inputs(self, graph: Graph, node: int) -> tuple[Graph, int]:
        """A formula over names of steps as one of the program's inputs, in its shortest form."""
        lowered, symbols = self._places.lowered, Symbols()
        inputs = {name: symbols.input(name) for name in lowered.inputs}  # factors go in this order
        steps = {name: step for step, name in self._places.names.items()}
        names = {graph.inputs[leaf] for leaf in graph.reaching(node) if leaf in graph.inputs}
        expanded = {
            name: image(lowered.graph, steps[name], {}, symbols).of[steps[name]] for name in names if name in steps
        }
        known = inputs | expanded
        result = tidied(symbols, graph, node, lambda name: known[name] if name in known else symbols.input(name))
        return symbols.graph, _short(symbols, result)


def _replaced(symbols: Symbols, node: int, replaced: Mapping[str, Sequence[str]]) -> tuple[Graph, int]:
    """A formula where each name in `replaced` is 1 less the sum of others, in its shortest form."""
    fresh = Symbols()

    def leaf(name: str) -> int:
        value = fresh.constant(1.0) if name in replaced else fresh.input(name)
        for other in replaced.get(name, ()):
            value = fresh.plus(fresh.negative(fresh.input(other)), value)
        return value

    return fresh.graph, _short(fresh, tidied(fresh, symbols.graph, node, leaf))


def _short(symbols: Symbols, node: int) -> int:
    """The short way of writing; a formula that is too long to be shown is left as it is."""
    return shorter(symbols, node) if size(symbols.graph, node) <= 4 * LONGEST else node


# --- the names of the rules ---------------------------------------------------------------------------------------------


def rules(places: Places, place: int, active: set[int], taken: Mapping[int, int]) -> dict[int, str]:
    """How a teacher calls the rule that takes `place` to each place that it is made of.

    It is the name of the one operation between them, or of the main ones, found on one walk from the place downward.
    """
    graph = places.lowered.graph
    if place in places.calls:
        return dict.fromkeys(places.arguments(place), f"{_called(places.calls[place])} rule")
    met: dict[int, tuple[str, ...]] = {place: ()}
    for node in reversed(places.own(place)):
        row = graph.rows[node]
        if node not in met or row is None:
            continue
        args = (taken[node],) if node in taken else graph.args[node]
        flows = ("1",) if node in taken else row.partials
        for k, (arg, text) in enumerate(zip(args, flows, strict=True)):
            if text != ZERO:
                names = (*met.get(arg, ()), *met[node], _rule(graph, node, k, active))
                met[arg] = tuple(dict.fromkeys(names))
    return {arg: _main(met[arg]) for arg in places.arguments(place) if arg in met}


def _main(names: Sequence[str]) -> str:
    """The rules that matter among those on the way, in words."""
    plain = [name for name in names if name not in _MINOR] or [name for name in names if name != "identity"] or names
    main = [name for name in plain if name != "constant multiple"] or plain
    if len(main) == 1:
        return main[0]
    kinds = [name.removesuffix(" rule") for name in main]
    return f"{kinds[0]} and {kinds[1]} rules" if len(kinds) == 2 else f"chain of {len(kinds)} rules"


_MINOR = ("sum rule", "difference rule", "sign rule", "identity", "taken branch")


def _rule(graph: Graph, node: int, k: int, active: set[int]) -> str:
    row, args = graph.rows[node], graph.args[node]
    assert row is not None
    if row.branches is not None or row.rule == "identity":
        return row.rule
    return f"{_by_argument(row, k, [a in active for a in args])} rule".replace(
        "constant multiple rule", "constant multiple"
    )


def _by_argument(row: Primitive, k: int, active: Sequence[bool]) -> str:
    """x·y with y held is a constant multiple; u^v is a power by u and an exponential by v: as the table names them."""
    names = dict(row.rule_by_argument)
    if row.rule in names.values():
        return names.get(k, row.rule)
    return next((name for i, name in names.items() if active[i] and sum(active) == 1), row.rule)


def _called(call: WrittenOut) -> str:
    """What the function of a call is called: a loss by its name, a row by that of its rule."""
    return call.name.replace("_", "-") if call.row is None else call.row.rule


def operation_name(places: Places, place: int) -> str:
    """What a place does, in a word or two, when it is a single operation or a loss."""
    if place in places.calls:
        known = loss(places.calls[place].name) if places.calls[place].row is None else None
        return _called(places.calls[place]) if known is None else re.split("[,;:]", known.doc)[0]
    graph = places.lowered.graph
    operations = [row for node in places.own(place) if (row := graph.rows[node]) is not None]
    if not any(row.rule != "identity" for row in operations) and graph.args[place][0] in graph.constants:
        return "constant"
    working = [row for row in operations if row.rule != "identity"]
    if working and all(row in _SUMS for row in working):
        return working[0].rule if len(working) == 1 else _SUMS[0].rule
    return working[0].rule if len(working) == 1 else ""
