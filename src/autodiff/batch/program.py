"""A program as a fixed list of steps over blocks of rows: value, slopes, and which rows the steps can't be trusted with.

    sqrt(x)    becomes    sqrt into slot 1;  row is fine if slot 1 is finite and x is not 0;  0.5/slot 1 into slot 2

Every row goes through every step, inactive branches included, whose numbers a choice then drops. A row at a special point
(outside a domain, on a kink, beyond float64) fails a check instead of being special-cased here: it is given to the one-shot
evaluation, which alone decides about special points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autodiff.batch.error_equations import ErrorEquations
from autodiff.codegen.emitter import Emitter, UnfoldedEmitter
from autodiff.codegen.gradient import gradient_equations
from autodiff.codegen.guards import ALWAYS, Guards, required_guards
from autodiff.codegen.straightline import Check, StraightLineProgram, schedule
from autodiff.codegen.validity import constant_args, outside_domain, passes
from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import UNDEFINED, Primitive

_AND, _NOT = rules.TABLE["and", 2], rules.TABLE["not", 1]

_BOUNDED = "- + abs sign floor ceil round sin cos atan tanh asinh cbrt erf erfc"
_TOTAL = frozenset(
    [rules.TABLE[name, 1] for name in _BOUNDED.split()]
    + [rules.TABLE[key] for key in (("min", 2), ("max", 2), ("atan2", 2))]
    + [rules.TABLE["if", 3]]
)
"""Rows that make finite numbers of finite numbers, whatever they are; a choice is one of its branches."""


@dataclass(frozen=True, slots=True)
class BlockStep:
    """`row` of `args` into the slot `out`; a step whose `row` is None is a check of each row of the data.

    `finite` tells the two checks apart: whether the first argument is finite (where the second, if any, holds), or whether
    the condition is false. `in_result` is whether results are made of this step, whose underflow then matters.
    """

    row: Primitive | None
    args: tuple[int, ...]
    out: int = -1
    finite: bool = False
    in_result: bool = False


@dataclass(frozen=True, slots=True)
class BlockProgram:
    """Steps over slots. `constants` and `inputs` are slots that are there before the first step, `numbers` and
    `conditions` those that need room; `results` are the slots of the value and of the slopes, in order.
    """

    steps: tuple[BlockStep, ...]
    constants: Mapping[int, float]
    inputs: Mapping[str, int]
    numbers: tuple[int, ...]
    conditions: tuple[int, ...]
    results: tuple[int, ...]

    @property
    def calls(self) -> list[tuple[Primitive, list[float | None]]]:
        """The row of each step that computes something, with those of its arguments that are constants."""
        return [(s.row, [self.constants.get(a) for a in s.args]) for s in self.steps if s.row is not None]


class _PrimitiveEmitter(Emitter):
    """Equations of rows that have a value of their own: one that the table defines by a text becomes that text."""

    def emit(self, row: Primitive, args: tuple[int, ...]) -> int:
        known = self.graph.constants
        if row.definition and not all(a in known for a in args):
            return self.text(row.definition, row.params, tuple(map(self.number, args)))
        return super().emit(row, args)


def block_program(
    lowered: Lowered, sources: Mapping[str, int], constants: Mapping[float, float], *, unit: float | None = 1.0
) -> BlockProgram | None:
    """The steps for the value and the slopes by `sources`; None where every row is at a special point.

    constants  how many roundings constants are off
    unit       roundings of an operation, 1 in float64; None to leave out where digits are lost

    Raises AutodiffError where a function has no derivative in an argument that is active.
    """
    equations = gradient_equations(lowered, sources, as_swept=True)
    results = (equations.value, *(equations.slopes[name] for name in sources))
    emitter, whole = _PrimitiveEmitter(), UnfoldedEmitter()
    for name in lowered.inputs:
        emitter.graph.input(name)
        whole.graph.input(name)
    emitter.constant_errors.update(equations.constant_errors)
    slopes = emitter.copied(equations.graph, results)
    errors = None
    losses: list[int] = []
    if unit is not None:
        bounds = ErrorEquations(emitter, equations.graph, slopes, unit=unit, constants=constants)
        losses = list(bounds.exceeded(results))
    # names to differentiate by stay equations of their own: y = x may move without x, so that x == y is no x == x
    apart = {node: name for name, node in sources.items() if node not in lowered.graph.inputs}
    value = whole.number(whole.copied(lowered.graph, [lowered.result], apart=apart)[lowered.result])
    guards = Guards(whole.graph)
    required = required_guards(whole.graph, [value], guards)
    flags = {guard: guards.flag(guard) for guard in set(required.values()) if guard != ALWAYS}
    of = emitter.copied(whole.graph, (value, *flags.values()))
    under = {node: of[flags[guard]] for node, guard in required.items() if guard != ALWAYS}
    checks = [Check((alarm,)) for alarm in losses]
    if unit is not None:
        errors = ErrorEquations(emitter, whole.graph, of, unit=unit, constants=constants)
    for node in sorted(required):
        for condition in _alarms(emitter, whole.graph, node, of, errors):
            alarm = emitter.emit(_AND, (under[node], condition)) if node in under else condition
            if emitter.graph.constants.get(alarm) != 0:
                checks.append(Check((alarm,)))
    known = emitter.graph.constants
    if any(check.args[0] in known for check in checks):
        return None
    for node in _watched(whole.graph, required):
        flag = under.get(node)
        if flag not in known or known[flag]:
            checks.append(Check((of[node],) if flag is None or flag in known else (of[node], flag), finite=True))
    inactive = [name for name in lowered.inputs if required.get(whole.graph.input(name), -1) != ALWAYS]
    checks += [Check((emitter.graph.input(name),), finite=True) for name in inactive]
    checks += [Check((slopes[slope],), finite=True) for slope in results[1:]]
    numbers = tuple(slopes[r] for r in results)
    return _with_slots(schedule(emitter.graph, numbers, checks=list(dict.fromkeys(checks))), lowered.inputs)


def _alarms(
    emitter: Emitter, graph: Graph, node: int, of: Mapping[int, int], errors: ErrorEquations | None
) -> Iterator[int]:
    """The conditions under which equation `node` is at a special point; `special_points` finds those of one row."""
    row, args = graph.rows[node], graph.args[node]
    if row is None:
        return
    given = tuple(of[a] for a in args)

    def holds(text: str) -> int:
        return emitter.text(text, row.params, given)

    if row.domain and outside_domain(row, constant_args(graph, args))[0]:
        yield from (emitter.emit(_NOT, (holds(text),)) for text, _ in row.domain)
    if all(a in graph.constants for a in args) or row.never_changes(args):
        return
    for text in row.special_conditions:
        yield holds(text) if errors is None else errors.undecided(holds(text), args)
    for arg, slope, text in zip(args, row.partials, row.partial_domain, strict=True):
        if arg not in graph.constants:
            if slope == UNDEFINED:
                yield emitter.graph.constant(1.0)
            elif text:
                yield emitter.emit(_NOT, (holds(text),))


def _watched(graph: Graph, wanted: Mapping[int, int]) -> list[int]:
    """The equations of the value that must be checked for NaN and infinity: those whose users do not pass it on."""
    users: dict[int, int] = {}
    for node in sorted(wanted):
        row = graph.rows[node]
        if row is None:
            continue
        static = constant_args(graph, graph.args[node])
        for k, arg in enumerate(graph.args[node]):
            if wanted.get(arg) == wanted[node] and passes(row, k, static):
                users.setdefault(arg, node)
    watched, must = [], set[int]()
    for node in sorted(wanted):
        row = graph.rows[node]
        plain = node in graph.constants or (row is not None and (row.is_predicate or row in _TOTAL))
        if plain and node not in must:
            continue
        if node in users:
            must.add(users[node])
        else:
            watched.append(node)
    return watched


# --- slots ------------------------------------------------------------------------------------------------------------


def _with_slots(program: StraightLineProgram, inputs: Sequence[str]) -> BlockProgram:
    """A slot for each number of the program; one that no later step reads is filled again."""
    graph = program.graph
    in_results = set(graph.reaching(*program.results))
    slot: dict[int, int] = {}
    constants: dict[int, float] = {}
    kinds: list[bool | None] = []  # of each slot: whether it holds a condition; None where it needs no room
    free: dict[bool, list[int]] = {True: [], False: []}
    steps: list[BlockStep] = []

    def new(node: int, kind: bool | None) -> int:
        slot[node] = len(kinds)
        kinds.append(kind)
        return slot[node]

    for name in inputs:
        new(graph.input(name), None)
    for statement, unused in program.with_last_uses():
        if isinstance(statement, Check):
            steps.append(BlockStep(None, tuple(slot[a] for a in statement.args), -1, statement.finite))
        elif (row := graph.rows[statement]) is None:
            if statement in graph.constants:
                constants[new(statement, None)] = graph.constants[statement]
        else:
            given = tuple(slot[a] for a in graph.args[statement])
            if free[row.is_predicate]:
                slot[statement] = free[row.is_predicate].pop()
            else:
                new(statement, row.is_predicate)
            steps.append(BlockStep(row, given, slot[statement], in_result=statement in in_results))
        for node in unused:
            kind = kinds[slot[node]]
            if kind is not None:
                free[kind].append(slot[node])
    return BlockProgram(
        tuple(steps),
        constants,
        {name: number for number, name in enumerate(inputs)},
        tuple(k for k, kind in enumerate(kinds) if kind is False),
        tuple(k for k, kind in enumerate(kinds) if kind is True),
        tuple(slot[r] for r in program.results),
    )
