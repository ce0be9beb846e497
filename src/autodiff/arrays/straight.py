"""A pass over equations and back as one straight Python function, for a sweep over many blocks of rows.

    mean((x*w - y)^2)    becomes    t = x*w - y; value = mean(t**2.0); slope in w = dot(seed*(2.0*t), x)

The definitions and partials of the table's rows are written out in it, each part once, so the way back shares what the way
there has. The numbers are those of `algebra.evaluate` and `algebra.vjp`, bit for bit, but for the last digits of slopes by
parameters where a choice takes one side in the whole block: a constant slope is summed in another order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from autodiff.arrays import linearize
from autodiff.arrays.algebra import ArrayTrace, Linear, raises_no_flag
from autodiff.arrays.pass_lines import PRODUCT, SIZE, WIDE, PassLines, own_row
from autodiff.arrays.ufuncs import ARRAY, NUMBER, Value, shape
from autodiff.core import rules, templates
from autodiff.core.graph import Graph
from autodiff.core.linearize import agreed
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, UNDEFINED, Primitive, by_cases
from autodiff.core.vjp import pull_back

Shapes: TypeAlias = "Mapping[int, tuple[tuple[int, ...], ...]]"
"""The shape of each equation for two and for three rows."""

_PLUS, _TIMES, _DIVIDED, _POWER = (rules.TABLE[name, 2] for name in "+*/^")
_EXACT = (-1.0, 2.0, -2.0)
_IF = rules.TABLE["if", 3]


def flagged(flags: list[str]) -> np.errstate:
    """Within it, `flags` get what NumPy's loops tell at no cost: what overflows, divides by zero or makes a NaN."""
    return np.errstate(all="call", under="ignore", call=lambda kind, _: flags.append(kind))


class StraightPass:
    """The equations in `order` as a function, and their adjoints where there are `gates`; ready for any number of rows.

    inputs  the equations whose values the function takes; a seed for each of `ends` comes behind them
    rooms   of the arrays to work in, which come last: the shape of an element, one per row
    lines   of its text

    It gives the values of the ends and, for each of them, the slopes in the gates, None where there is none; instead of all
    that, None where a number on the way may not exist.

    `shapes` are those of the equations and their arguments, `edges` the active equations with the arguments that move.
    """

    def __init__(
        self, graph: Graph, order: Iterable[int], ends: Sequence[int], edges: Linear, gates: Sequence[int], shapes: Shapes,
        convention: str,
    ) -> None:  # fmt: skip
        self.source, self.shapes, self.convention = graph, shapes, convention
        self.graph, self.inputs = Graph(), list[int]()
        self._of: dict[int, int] = {}
        self._python = PassLines()
        conditions, numbers = list[int](), list[int]()
        for node in order:
            row, args = graph.rows[node], tuple(map(self._value, graph.args[node]))
            assert row is not None
            conditions += [self._text(condition.text, row.params, args) for condition in row.domain]
            self._of[node] = self._call(row, args)
            self._note_shape(node)
            is_number = not any(self.shapes[node])
            if is_number or (raises_no_flag(row) and not _is_written_out(row) and row.branches is None):
                numbers.append(self._of[node])
        values = [self._value(end) for end in ends]
        slopes = [self._slopes(end, edges, gates) for end in ends] if gates else []
        self.rooms, self.lines = self._python.rooms, self._python.text
        self._function = self._compiled(conditions, numbers, values, slopes, [f"g{end}" for end in ends])

    def __call__(self, flags: list[str], *given: Any) -> tuple[list[Value], list[list[Value | None]]] | None:
        """Within `flagged(flags)`."""
        flags.clear()
        done = self._function(*given)
        return None if flags else done

    def _note_shape(self, node: int) -> None:
        two, three = self.shapes[node]
        self._python.kinds[self._of[node]] = ARRAY if two or three else NUMBER
        if (two[:1], three[:1], two[1:]) == ((2,), (3,), three[1:]):
            self._python.tails[self._of[node]] = two[1:]

    def _value(self, node: int) -> int:
        """The equation for one of the source, which is an input where it isn't computed here."""
        if node not in self._of:
            constant = self.source.constants.get(node)
            if constant is None:
                self._of[node] = self.graph.input(f"v{node}")
                self._note_shape(node)
                self.inputs.append(node)
            else:
                self._of[node] = self.graph.constant(float(constant))
        return self._of[node]

    def _call(self, row: Primitive, args: tuple[int, ...]) -> int:
        numbers = [self.graph.constants.get(a) for a in args]
        if row.kind == ELEMENTWISE and row.branches is None and None not in numbers:
            return self.graph.constant(float(templates.value(row)(*numbers)))
        if row.branches is not None and (taken := row.taken(args, self.graph.constants)) is not None:
            return taken
        if row is _POWER and numbers[1] in (1, 2):
            return args[0] if numbers[1] == 1 else self.graph.call(_TIMES, (args[0], args[0]))
        if row is SIZE and self._python.kinds.get(args[0]) == NUMBER:
            return self.graph.constant(1.0)
        return self._text(row.definition, row.params, args) if _is_written_out(row) else self.graph.call(row, args)

    def _text(self, source: str, names: tuple[str, ...], given: Sequence[int]) -> int:
        """A text of the table over these equations."""
        return templates.filled(source, dict(zip(names, given, strict=True)), self.graph.constant, self._call)

    def _slopes(self, end: int, edges: Linear, gates: Sequence[int]) -> list[int | None]:
        """The slope of an end in each gate."""
        seed = self.graph.input(f"g{end}")
        if any(self.shapes[end]):
            seed = self.graph.call(_DIVIDED, (seed, self.graph.call(SIZE, (self._of[end],))))
        seeds = {end: seed} if end in edges or end in gates else {}
        pull = lambda node, g: [(a, self._pulled(node, k, g)) for a, (_, k) in edges[node]]  # noqa: E731
        adjoints = pull_back(reversed([*edges]), seeds, pull, lambda a, b: self.graph.call(_PLUS, (a, b)))
        return [adjoints.get(gate) for gate in gates]

    def _pulled(self, node: int, k: int, g: int) -> int:
        """What the adjoint g of an equation gives to its argument k, as `linearize.pull` has it."""
        row, args, graph = self.source.rows[node], self.source.args[node], self.graph
        assert row is not None
        given = (*(self._of[a] for a in args), self._of[node])
        if row.kind == REDUCTION and row.params[-1] == "axis":
            pull = own_row(f"pull {k}", (*row.params, "w", "g"))
            self._python.calls[pull] = lambda *values: linearize.pull(row, k, values[:-2], *values[-2:])
            return graph.call(pull, (*given, g))
        if row.kind == REDUCTION:
            return graph.call(_TIMES, (g, self._slope(row, k, given)))
        if row.kind != ELEMENTWISE:
            return self._text(row.partials[k], (*row.params, "w", "g"), (*given, graph.call(WIDE, (g, given[-1]))))
        if row.branches is not None:
            zero = graph.constant(0.0)
            slope, g = (
                graph.constant(1.0),
                graph.call(_IF, (given[0], *((g, zero) if k == row.branches[0] else (zero, g)))),
            )
        else:
            slope = self._slope(row, k, given)
        if self.shapes[args[k]] != self.shapes[node]:
            return graph.call(PRODUCT, (g, slope, given[-1], given[k]))
        return self._scaled(g, slope)

    def _scaled(self, g: int, slope: int) -> int:
        """g*slope, with a sign and a factor of 2 beside the number in g: exact, and a pass less over the rows."""
        graph, constants = self.graph, self.graph.constants
        inner, of_g = graph.args[slope], graph.args[g]
        if constants.get(slope) == 1:
            return g
        if graph.rows[slope] is _TIMES and constants.get(inner[0]) in _EXACT:
            return graph.call(_TIMES, (graph.call(_TIMES, (g, inner[0])), inner[1]))
        if graph.rows[g] is _TIMES and constants.get(slope) in _EXACT:
            return graph.call(_TIMES, (graph.call(_TIMES, (of_g[0], slope)), of_g[1]))
        return graph.call(_TIMES, (g, slope))

    def _slope(self, row: Primitive, k: int, given: Sequence[int]) -> int:
        """As `linearize.slope` has it."""
        names = (*row.params, "w")
        own = (
            self.graph.constant(math.nan) if row.partials[k] == UNDEFINED else self._text(row.partials[k], names, given)
        )
        other = agreed(row, k, self.convention)
        if not other:
            return own
        return self.graph.call(_IF, (self._text(row.kink, names, given), self._text(other, names, given), own))

    def _compiled(
        self, conditions: Sequence[int], numbers: Sequence[int], values: Sequence[int], slopes: Sequence[Sequence[int | None]], seeds: Sequence[str]
    ) -> Callable[..., Any]:  # fmt: skip
        """The function."""
        checks = dict.fromkeys(conditions, "holds") | dict.fromkeys(numbers, "finite")
        text = self._python.lines(
            self.graph, [*values, *(node for at in slopes for node in at if node is not None)], checks
        )
        of_ends = ", ".join(text[node] for node in values)
        of_gates = ", ".join(f"[{', '.join('None' if node is None else text[node] for node in at)}]" for at in slopes)
        result = f"([{of_ends}], [{of_gates}])"
        params = [*(f"v{node}" for node in self.inputs), *seeds, *(f"room{k}" for k in range(len(self.rooms)))]
        return templates.python_function(params, self._python.text, result, self._python.names)


LARGEST = 1 << 18
"""Elements of a value up to which the way from one equation to the next takes long beside the equations."""


def of_program(
    run: ArrayTrace, active: Iterable[int], edges: Linear, sources: Iterable[int], convention: str
) -> StraightPass | None:
    """A program's `active` equations and back to its sources, for values with the shapes of a run; None where the numbers
    would not be the same, bit for bit, or the arrays are so large that some are better freed on the way."""
    graph, result = run.lowered.graph, run.lowered.result
    shapes = {node: (shape(value), shape(value)) for node, value in enumerate(run.values) if value is not None}
    order = [node for node in active if graph.rows[node] is not None]
    chooses = any(_chooses(graph, node, shapes) for node in order)
    largest = max((math.prod(two) for two, _ in shapes.values()), default=0)
    if not order or chooses or largest > LARGEST or not is_straight(graph, order, shapes):
        return None
    return StraightPass(graph, order, [result], edges, [*sources], shapes, convention)


def _chooses(graph: Graph, node: int, shapes: Shapes) -> bool:
    """Whether an equation takes one of its arguments, or may take a narrow one: the sum of its slope has another order."""
    row, of_args = graph.rows[node], {shapes[a] for a in graph.args[node]}
    return row is not None and (row.branches is not None or (len(of_args) > 1 and by_cases(row.definition)))


def is_straight(graph: Graph, order: Iterable[int], shapes: Shapes) -> bool:
    """Whether a `StraightPass` has the numbers of these equations: in a branch that is not taken, some may not exist."""
    rows = [(node, row) for node in order if (row := graph.rows[node]) is not None]
    choices = [node for node, row in rows if row.branches is not None]
    wide = all(shapes[graph.args[node][0]] in (shapes[node], ((), ())) for node in choices)
    return wide and not any(row.by_balls or (choices and _may_be_outside(graph, node, row)) for node, row in rows)


def _may_be_outside(graph: Graph, node: int, row: Primitive) -> bool:
    """Whether constants don't settle that the arguments of an equation lie in its domain."""
    static_args = tuple(map(graph.constants.get, graph.args[node]))
    return any(templates.static_value(condition.text, row.params, static_args) is None for condition in row.domain)


def _is_written_out(row: Primitive) -> bool:
    """Whether a row's definition is as wide as its arguments: one by cases may be narrower."""
    return row.kind == ELEMENTWISE and bool(row.definition) and (row.arity == 1 or not by_cases(row.definition))
