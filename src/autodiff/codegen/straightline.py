"""Value and slopes of a program as one list of equations: the reverse sweep, carried over equations.

    exp(sin(x^2))    becomes    x^2, sin(x^2), exp(sin(x^2)), then exp(…)*cos(x^2)*(2*x)

The local slopes are the table's algorithms, so what is written down from it (see `export`) is as accurate as `eval`, and
a slope stays asleep with the branch it belongs to. `symbolic` makes the formula that a person would write instead.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autodiff.codegen.guards import ALWAYS, Guards, required_guards
from autodiff.core import rules, templates
from autodiff.core.graph import Graph
from autodiff.core.linearize import active
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import UNDEFINED, ZERO, Primitive
from autodiff.core.vjp import pull_back
from autodiff.errors import AutodiffError
from autodiff.language.typed import Typed
from autodiff.verify import error_bound

_IF, _ABS = rules.TABLE["if", 3], rules.TABLE["abs", 1]
_ADD, _MUL, _DIV, _POW, _NEG, _SAME = (
    rules.TABLE[key] for key in (("+", 2), ("*", 2), ("/", 2), ("^", 2), ("-", 1), ("+", 1))
)


@dataclass(frozen=True, slots=True)
class StraightLineProgram:
    """The equation of the value, of the slope in each name, and what the program's own names became; see `Guards` for eager.

    `of` says what those equations of the program became that are names to differentiate by, and `constant_errors` how far
    constants may be off that were folded.
    """

    graph: Graph
    value: int
    slopes: Mapping[str, int]
    names: Mapping[int, str]
    eager: frozenset[int] = frozenset()
    of: Mapping[int, int] = field(default_factory=dict)
    constant_errors: Mapping[float, float] = field(default_factory=dict)


class Emitter:
    """A graph whose equations are folded as they are put in, by rules that change no number.

    Constants are evaluated, 1*g, u^1 and the sign in abs(-u) disappear, a choice by a known condition is its branch; a condition that is used
    as a number becomes one.
    """

    def __init__(self, graph: Graph | None = None) -> None:
        self.graph = Graph() if graph is None else graph
        self.constant_errors: dict[float, float] = {}

    def emit(self, row: Primitive, args: tuple[int, ...]) -> int:
        """The equation `row(args)`, or the older one that it comes to."""
        args = tuple(a if k < row.conditions else self.number(a) for k, a in enumerate(args))
        if row is _SAME:
            return args[0]
        found = self._chosen(row, args) if row.branches is not None else self._folded(row, args)
        return self.graph.call(row, args) if found is None else found

    def number(self, node: int) -> int:
        """A condition as 1 or 0; every other equation as it stands."""
        row = self.graph.rows[node]
        if row is None or not row.is_predicate:
            return node
        return self.graph.call(_IF, (node, self.graph.constant(1.0), self.graph.constant(0.0)))

    def text(self, text: str, names: tuple[str, ...], given: tuple[int, ...]) -> int:
        """A text of the table, its names filled in."""
        template = templates.template(text, names)
        return self.copied(template, dict(zip(names, given, strict=True)))[template.result]

    def copied(
        self, lowered: Lowered, given: Mapping[str, int], apart: Mapping[int, str] | None = None
    ) -> dict[int, int]:
        """The equations of `lowered` put in, its inputs being `given`; those in `apart` stay equations of their own."""
        graph, apart = lowered.graph, apart or {}
        of: dict[int, int] = {}
        for node in graph.reaching(lowered.result, *apart):
            row = graph.rows[node]
            if node in graph.constants:
                of[node] = self.graph.constant(graph.constants[node])
            elif node in graph.inputs:
                of[node] = given[graph.inputs[node]]
            else:
                assert row is not None
                of[node] = self.emit(row, tuple(of[a] for a in graph.args[node]))
            if node in apart:
                span = graph.spans[node]
                of[node] = self.graph.named(self.number(of[node]), apart[node], len(self.graph), _SAME, span)
        return of

    def _constant(self, node: int, value: float) -> bool:
        return self.graph.constants.get(node) == value

    def _folded(self, row: Primitive, args: tuple[int, ...]) -> int | None:
        known = self.graph.constants
        if args and all(a in known for a in args):
            if not all(inside(*(known[a] for a in args)) for inside, _ in templates.domain(row)):
                return None
            value = float(templates.value(row)(*(known[a] for a in args)))
            if not math.isfinite(value):
                return None
            self._note_error(row, [known[a] for a in args], value)
            return self.graph.constant(value)
        if row is _MUL:
            return self._product(args)
        if row is _DIV or row is _POW:
            return args[0] if self._constant(args[1], 1) else None
        if (row is _NEG or row is _ABS) and self.graph.rows[args[0]] is _NEG:
            inner = self.graph.args[args[0]][0]
            return inner if row is _NEG else self.emit(_ABS, (inner,))
        return None

    def _note_error(self, row: Primitive, args: Sequence[float], value: float) -> None:
        """Remember how far a folded constant may be off."""
        errors = [math.ulp(a) / 2 if isinstance(a, Typed) else self.constant_errors.get(a, 0.0) for a in args]
        try:
            error = error_bound.error_of(row, args, errors, value, operator.add)
        except (error_bound.Unsure, OverflowError):
            error = math.inf
        if error:
            self.constant_errors[value] = max(error, self.constant_errors.get(value, 0.0))

    def _product(self, args: tuple[int, ...]) -> int | None:
        """1*g is g, -1*g is -g, and g times a choice between 1 and 0 is the choice between g and 0."""
        for one, other in (args, args[::-1]):
            if self._constant(one, 1):
                return other
            if self._constant(one, -1):
                return self.emit(_NEG, (other,))
            choice = self.graph.args[one]
            if self.graph.rows[one] is _IF and {self.graph.constants.get(c) for c in choice[1:]} == {0.0, 1.0}:
                return self.emit(_IF, (choice[0], *(other if self._constant(c, 1) else c for c in choice[1:])))
        return None

    def _chosen(self, row: Primitive, args: tuple[int, ...]) -> int | None:
        assert row.branches is not None
        known = self.graph.constants
        yes, no = (args[k] for k in row.branches)
        if args[0] in known:
            return yes if known[args[0]] else no
        if yes == no:
            return yes
        if row.is_predicate and args[1] in known:  # `c and true` is c, `c and false` is false; the same for `or`
            return args[0] if bool(known[args[1]]) == (row.branches[0] == 1) else args[1]
        return None


class UnfoldedEmitter(Emitter):
    """Equations as the one-shot evaluation meets them: in `c and false` it looks at c, which may be a hard point."""

    def _folded(self, row: Primitive, args: tuple[int, ...]) -> int | None:
        return None

    def _chosen(self, row: Primitive, args: tuple[int, ...]) -> int | None:
        return None


def straight_line_program(
    lowered: Lowered, sources: Mapping[str, int], *, as_swept: bool = False
) -> StraightLineProgram:
    """The value of a program and its slope in each of `sources` (name → equation), in one graph.

    With `as_swept` a name for an equation that stands already stays an equation, as in the sweeps of `reverse`, so that
    sums are rounded alike.

    Raises AutodiffError where a function has no derivative in an argument that moves.
    """
    line = Emitter()
    graph = line.graph
    given = {name: graph.input(name) for name in lowered.inputs}
    apart = {n: name for name, n in sources.items() if n not in lowered.graph.inputs}
    if as_swept:
        used = set(lowered.graph.reaching(lowered.result))
        apart |= {n: name for name, n in lowered.assigned.items() if n in used and lowered.graph.rows[n] is _SAME}
    of = {node: given[name] for node, name in lowered.graph.inputs.items()} | line.copied(lowered, given, apart)
    value = line.number(of[lowered.result])
    needs = Guards(graph)
    wanted = required_guards(graph, [value], needs)
    moves = active(graph, range(len(graph)), [of[node] for node in sources.values()])
    adjoints = _adjoints(line, value, wanted, needs, moves)
    slopes = {}
    for name, node in sources.items():
        found, zero = adjoints.get(of[node]), graph.constant(0.0)
        slopes[name] = zero if found is None else _under(line, needs, wanted[of[node]], ALWAYS, found)
    names = {of[node]: name for name, node in lowered.assigned.items() if node in of}
    known = {node: of[node] for node in apart}
    return StraightLineProgram(graph, value, slopes, names, frozenset(needs.eager), known, line.constant_errors)


def _adjoints(line: Emitter, value: int, wanted: Mapping[int, int], needs: Guards, moves: set[int]) -> dict[int, int]:
    """The slope of `value` in every equation that moves, as an equation that holds where that one is needed."""
    graph = line.graph

    def pull(node: int, g: int) -> Iterable[tuple[int, int]]:
        row, args, need = graph.rows[node], graph.args[node], wanted[node]
        if row is _IF:
            for k in (1, 2):
                if args[k] in moves:
                    branch = needs.within(need, args[0], holds=k == 1)
                    yield args[k], _under(line, needs, branch, wanted[args[k]], g)
            return
        for k, text in enumerate(row.partials if row else ()):
            if text != ZERO and args[k] in moves:
                assert row is not None
                slope = _local(line, row, k, (*args, node))
                yield args[k], _under(line, needs, need, wanted[args[k]], line.emit(_MUL, (g, slope)))

    order = sorted((node for node in wanted if node in moves), reverse=True)
    seeds = {value: graph.constant(1.0)} if value in moves else {}
    return pull_back(order, seeds, pull, lambda a, b: line.emit(_ADD, (a, b)))


def _local(line: Emitter, row: Primitive, k: int, given: tuple[int, ...]) -> int:
    if row.partials[k] == UNDEFINED:
        raise AutodiffError(
            f"{row.name} has no derivative in its argument {row.params[k]}", hint=f"{row.params[k]} must be a constant"
        )
    return line.text(row.partials[k], (*row.params, "w"), given)


def _under(line: Emitter, needs: Guards, here: int, there: int, part: int) -> int:
    """`part`, which holds under the need `here`, as a term under the wider need `there`: 0 where it is asleep."""
    if here == there:
        return part
    return line.emit(_IF, (needs.flag(here), part, line.graph.constant(0.0)))
