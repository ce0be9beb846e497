"""Value and slopes of a program as equations of one graph: the reverse sweep, whose adjoints are equations.

    exp(sin(x^2))    becomes    x^2, sin(x^2), exp(sin(x^2)), then exp(…)*cos(x^2)*(2*x)

The partials are the table's texts, so what is made of these equations (exports, rows of a file) is as accurate as `eval`,
and a slope is needed only where the branch is taken that it belongs to. `symbolic` makes the formula that a person would
write instead.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from autodiff.codegen.emitter import Emitter
from autodiff.codegen.guards import ALWAYS, Guards, required_guards
from autodiff.core import rules
from autodiff.core.evaluate import DomainError, Indeterminate
from autodiff.core.graph import Graph
from autodiff.core.linearize import active
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import UNDEFINED, ZERO, Primitive
from autodiff.core.vjp import pull_back
from autodiff.diagnostics import no_derivative

_IF = rules.TABLE["if", 3]
_ADD, _MUL, _SAME = rules.TABLE["+", 2], rules.TABLE["*", 2], rules.TABLE["+", 1]


@dataclass(frozen=True, slots=True)
class GradientEquations:
    """The equations of the value and of the slope in each name, and what the program's own names became.

    eager            choices both of whose sides may be evaluated (see `Guards`)
    of               what the program's equations became that are names to differentiate by
    constant_errors  how far constants may be off that were folded
    """

    graph: Graph
    value: int
    slopes: Mapping[str, int]
    names: Mapping[int, str]
    eager: frozenset[int]
    of: Mapping[int, int]
    constant_errors: Mapping[float, float]


def gradient_equations(lowered: Lowered, sources: Mapping[str, int], *, as_swept: bool = False) -> GradientEquations:
    """The value of a program and its slope in each of `sources` (name → equation), in one graph.

    With `as_swept` a second name of an equation stays an equation, as in the sweeps of `vjp`, so that sums are rounded
    alike. Raises AutodiffError where a function has no derivative in an argument that is active.
    """
    emitter, old = Emitter(), lowered.graph
    graph = emitter.graph
    given = {name: graph.input(name) for name in lowered.inputs}
    of = {node: given[name] for node, name in old.inputs.items()}
    apart = {n: name for name, n in sources.items() if n not in old.inputs}
    if as_swept:
        used = set(old.reaching(lowered.result))
        apart |= {n: name for name, n in lowered.assigned.items() if n in used and old.rows[n] is _SAME}
    if not as_swept:
        of |= {node: graph.constant(number) for node, number in _lost_constants(lowered, apart).items()}
    of |= emitter.copied(old, [lowered.result], of, apart)
    value = emitter.number(of[lowered.result])
    guards = Guards(graph)
    required = required_guards(graph, [value], guards)
    moves = active(graph, range(len(graph)), [of[node] for node in sources.values()])
    adjoints = _adjoints(emitter, value, required, guards, moves)
    slopes = {}
    for name, node in sources.items():
        adjoint, zero = adjoints.get(of[node]), graph.constant(0.0)
        slopes[name] = zero if adjoint is None else _under(emitter, guards, required[of[node]], ALWAYS, adjoint)
    names = {of[node]: name for name, node in lowered.assigned.items() if node in of}
    named = {node: of[node] for node in apart}
    return GradientEquations(graph, value, slopes, names, frozenset(guards.eager), named, emitter.constant_errors)


def _lost_constants(lowered: Lowered, apart: Collection[int]) -> dict[int, float]:
    """The largest equations of constants alone whose digits float64 loses, with the float64 nearest to each: 1 - cos(1e-8).

    None of them without python-flint.
    """
    graph, constant, largest = lowered.graph, set[int](), {lowered.result}
    for node in graph.reaching(lowered.result):
        row, args = graph.rows[node], graph.args[node]
        # the numbers that a condition compares are such equations; what it is follows from them
        if node in graph.constants or (row is not None and not row.is_predicate and constant.issuperset(args)):
            constant.add(node)
        else:
            largest.update(args)
    largest = {node for node in largest & constant if node not in graph.constants and node not in apart}
    trial = Emitter()
    of = trial.copied(graph, sorted(largest))
    numbers = {node: _in_balls(lowered, node) for node in sorted(largest) if trial.loses_digits(of[node])}
    return {node: number for node, number in numbers.items() if number is not None}


def _in_balls(lowered: Lowered, node: int) -> float | None:
    try:
        from autodiff.verify.digits import proven

        number = proven(lowered._replace(result=node), {}, {}).value
    except (ImportError, DomainError, Indeterminate):
        return None
    return number if isinstance(number, float) and math.isfinite(number) else None


def _adjoints(
    emitter: Emitter, value: int, required: Mapping[int, int], guards: Guards, moves: set[int]
) -> dict[int, int]:
    """The adjoint of every active equation, as an equation that holds where that one is required."""
    graph = emitter.graph

    def pull(node: int, g: int) -> Iterable[tuple[int, int]]:
        row, args, guard = graph.rows[node], graph.args[node], required[node]
        if row is _IF:
            for k in (1, 2):
                if args[k] in moves:
                    branch = guards.within(guard, args[0], holds=k == 1)
                    yield args[k], _under(emitter, guards, branch, required[args[k]], g)
            return
        for k, text in enumerate(row.partials if row else ()):
            if text != ZERO and args[k] in moves:
                assert row is not None
                # at a tie, max and min of the same two take different ones, whatever the order that they are written in
                turned = row.variadic and bool(row.kink) and args[0] > args[1]
                over = (*(args[::-1] if turned else args), node)
                product = emitter.emit(_MUL, (g, _partial(emitter, row, 1 - k if turned else k, over)))
                yield args[k], _under(emitter, guards, guard, required[args[k]], product)

    order = sorted((node for node in required if node in moves), reverse=True)
    seeds = {value: graph.constant(1.0)} if value in moves else {}
    return pull_back(order, seeds, pull, lambda a, b: emitter.emit(_ADD, (a, b)))


def _partial(emitter: Emitter, row: Primitive, k: int, given: tuple[int, ...]) -> int:
    if row.partials[k] == UNDEFINED:
        raise no_derivative(row, k)
    return emitter.text(row.partials[k], (*row.params, "w"), given)


def _under(emitter: Emitter, guards: Guards, here: int, there: int, part: int) -> int:
    """`part`, which holds under the guard `here`, as a term under the wider guard `there`: 0 where its own fails."""
    if here == there:
        return part
    return emitter.emit(_IF, (guards.flag(here), part, emitter.graph.constant(0.0)))
