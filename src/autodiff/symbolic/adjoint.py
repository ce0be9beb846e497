"""The derivative as a formula: the adjoint sweep, carried over symbols instead of numbers.

`seen = image(graph, result, {})` has the program's equations as symbols, `slopes(graph, result, {}, [x], seen)[x]` is the
equation of d(result)/dx among them. With stops, equations that keep their names, it is the local slope of one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from autodiff.core import rules, templates
from autodiff.core.graph import Graph, reached
from autodiff.core.linearize import active
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import UNDEFINED, ZERO, Primitive
from autodiff.core.vjp import pull_back
from autodiff.diagnostics import no_derivative
from autodiff.symbolic.expression import Symbols

_IF = rules.TABLE["if", 3]

_NONE: Mapping[int, tuple[Primitive, tuple[int, ...]]] = {}


@dataclass(frozen=True, slots=True)
class Image:
    """A part of a program as symbols: the equation of `symbols` for each equation of the program."""

    symbols: Symbols
    of: Mapping[int, int]


def tidied(symbols: Symbols, graph: Graph, node: int, leaf: Callable[[str], int] | None = None) -> int:
    """A formula of another graph as one of `symbols`; `leaf` gives what replaces an input's name."""
    return graph.carried([node], symbols.constant, leaf or symbols.input, symbols.call)[node]


def image(
    graph: Graph,
    result: int,
    stops: Mapping[int, str],
    symbols: Symbols | None = None,
    calls: Mapping[int, tuple[Primitive, tuple[int, ...]]] = _NONE,
) -> Image:
    """The equations behind `result` as symbols, exactly as the user wrote them; each of `stops` is a name there.

    Equations behind a stop are left out. A named equation that only repeats another one is that other one. An equation
    in `calls` is that row of those equations, whatever it is written out as.
    """
    symbols = Symbols() if symbols is None else symbols
    of: dict[int, int] = {}
    for node in segment(graph, result, stops):
        row, args = graph.rows[node], graph.args[node]
        if node in stops and node != result:
            of[node] = symbols.input(stops[node])
        elif node in graph.constants:
            of[node] = symbols.constant(graph.constants[node])
        elif node in graph.inputs:
            of[node] = symbols.input(graph.inputs[node])
        elif node in calls:
            of[node] = symbols.own(calls[node][0], tuple(of[a] for a in calls[node][1]))
        elif node in graph.names and row is rules.TABLE["+", 1]:
            of[node] = of[args[0]]
        else:
            assert row is not None
            of[node] = _once(symbols, row, tuple(of[a] for a in args))
            symbols.theirs.add(of[node])
    return Image(symbols, of)


def _once(symbols: Symbols, row: Primitive, args: tuple[int, ...]) -> int:
    """The equation; but 1·(2·w), as hinge(1, 2·w) has it, without the 1: that is exact, and needs no brackets."""
    by_one = row is rules.TABLE["*", 2] and symbols.graph.constants.get(args[0]) == 1.0
    if by_one and symbols.graph.rows[args[1]] is row:
        return args[1]
    return symbols.own(row, args)


def segment(graph: Graph, result: int, stops: Mapping[int, object]) -> list[int]:
    """The equations that `result` is made from, ascending, without those behind one of `stops`."""
    return sorted(reached(result, lambda node: () if node in stops and node != result else graph.args[node]))


def slopes(graph: Graph, result: int, stops: Mapping[int, str], sources: Sequence[int], seen: Image) -> dict[int, int]:
    """The slope of `result` in each of `sources` as an equation of `seen.symbols`; absent where none flows.

    With `stops` the equations named there are inactive unless they are sources. Raises AutodiffError where a function
    has no derivative in an argument that moves.
    """
    order = segment(graph, result, stops)
    moves = active_equations(graph, order, set(sources), seen)
    symbols = seen.symbols

    def pull(node: int, g: int) -> Iterable[tuple[int, int]]:
        row, args = graph.rows[node], graph.args[node]
        if row is None or (node in stops and node != result):
            return
        if row is _IF:
            zero = symbols.constant(0.0)
            sides = {1: (seen.of[args[0]], g, zero), 2: (seen.of[args[0]], zero, g)}
            yield from ((args[k], symbols.call(_IF, side)) for k, side in sides.items() if args[k] in moves)
            return
        for k, text in enumerate(row.formula):
            if text != ZERO and args[k] in moves:
                yield args[k], symbols.times(g, _local(symbols, row, k, tuple(seen.of[a] for a in args), seen.of[node]))

    return pull_back(reversed(order), {result: symbols.constant(1.0)} if result in moves else {}, pull, symbols.plus)


def slope_by(lowered: Lowered, source: int, symbols: Symbols) -> int:
    """The slope of the result in an input or a named equation, which is then a variable of its own; 0 where none flows."""
    graph, result = lowered.graph, lowered.result
    stops = {} if source in graph.inputs else {source: graph.names[source]}
    seen = image(graph, result, stops, symbols)
    return slopes(graph, result, stops, [source], seen).get(source, symbols.constant(0.0))


def active_equations(graph: Graph, order: Sequence[int], sources: set[int], seen: Image) -> set[int]:
    """Which equations depend on a source; x - x, which is 0 whatever x is, does not."""
    constant = {n for n in order if n not in sources and seen.symbols.number(seen.of[n]) is not None}
    return active(graph, order, sources.intersection(order), inactive=constant)


def _local(symbols: Symbols, row: Primitive, k: int, args: tuple[int, ...], result: int) -> int:
    """The local slope of a row in argument k: the table's formula, filled in."""
    if row.formula[k] == UNDEFINED:
        raise no_derivative(row, k)
    names = (*row.params, "w")
    static_args = tuple(map(symbols.number, args))
    args = tuple(symbols.constant(0.0) if number == 0.0 else a for a, number in zip(args, static_args, strict=True))
    if (
        any(number is not None for number in static_args)
        and templates.static_value(row.partials[k], names, static_args) == 0.0
    ):
        return symbols.constant(0.0)  # as the constants settle it: 0^x*ln(0) is 0
    given = dict(zip(names, (*args, result), strict=True))
    return templates.filled(row.formula[k], given, symbols.constant, partial(_settled, symbols))


def _settled(symbols: Symbols, row: Primitive, args: tuple[int, ...]) -> int:
    """A part of a table's formula; a choice that constants settle is its branch: besselj(0, u) has the slope -besselj(1, u)."""
    if row.is_predicate:
        numbers = [symbols.number(a) for a in args]
        if None not in numbers:
            return symbols.constant(float(templates.value(row)(*numbers)))
    elif row is _IF and (decided := symbols.graph.constants.get(args[0])) is not None:
        return args[1] if decided else args[2]
    return symbols.call(row, args)
