"""Where a program has no value: what an export gives there, so that a missing value never turns into a number.

A function outside its domain gives NaN or an infinity, and most of what is computed from these is no plain number
either. But `if(u > 0, 1, 2)` is 2 when u is NaN, `max(u, 0)` may be 0, 1/u is 0 when u is infinite because of a pole,
and `clamp` gives numbers where it has no value. So the equations where this can happen are checked, and value and slopes
are NaN unless all checks hold:

    relu(ln(x))     becomes    t1 = ln(x);  ok = t1 is not NaN and finite;  f = if(ok, relu(t1), NaN)

An infinity that is an overflow is no fault: `1/(1 + exp(x))` is 0 where exp(x) is too large for a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from autodiff.codegen.emitter import Emitter, UnfoldedEmitter
from autodiff.codegen.gradient import GradientEquations
from autodiff.codegen.guards import ALWAYS, Guards, required_guards
from autodiff.codegen.nonfinite import (
    always_defined,
    constant_args,
    hides_infinity,
    hides_nan,
    outside_domain,
    passes_infinity,
    undefined_by,
)
from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import predicate
from autodiff.core.templates import StaticArgs

_IF, _AND, _OR, _NOT = (rules.TABLE[key] for key in (("if", 3), ("and", 2), ("or", 2), ("not", 1)))

KNOWN = predicate("known", "u", doc="no NaN", example="", tex="").replaced(value="", definition="u == u")
FINITE = predicate("finite", "u", doc="neither NaN nor infinite", example="", tex="").replaced(
    value="", definition="u - u == 0"
)
"""Conditions that only exports have: a target says how they are written there."""


def guarded(
    lowered: Lowered, equations: GradientEquations, slopes: Iterable[int], *, raises: bool
) -> tuple[GradientEquations, list[int]]:
    """Value and slopes, NaN where the program has no value; the equation that says whether it has one is called `ok`.

    `raises` says that the target stops at a value outside a domain that is always required.
    """
    emitter, value = Emitter(equations.graph), equations.value
    graph, guards = equations.graph, Guards(equations.graph, equations.eager)
    evaluated = required_guards(graph, [_evaluated(lowered, equations)], guards)
    required = required_guards(graph, [value], guards)
    poles, partial = _poles(graph)
    ok, checked = _all_checks(emitter, guards, required, evaluated, poles, partial)
    doubtful = [
        node for node, guard in required.items()
        if node in graph.inputs
        or (node in partial and not (raises and guard == ALWAYS and set(graph.args[node]) - set(graph.constants)))
    ]  # fmt: skip
    bits = {node: 1 << k for k, node in enumerate(doubtful)}
    undefined = undefined_by(graph, bits, poles)
    seen = 0
    for node in checked:
        seen |= undefined[node]
    both = None
    results = [value if ok is None else emitter.emit(_IF, (ok, value, graph.constant(math.nan)))]
    for slope in slopes:
        guard = ok
        if (seen | undefined[slope]) != (1 << len(doubtful)) - 1 and value not in graph.constants:
            if both is None:
                finite = emitter.emit(FINITE, (value,))
                both = finite if ok is None else emitter.emit(_AND, (ok, finite))
            guard = both
        results.append(slope if guard is None else emitter.emit(_IF, (guard, slope, graph.constant(math.nan))))
    names = equations.names if ok is None or ok in equations.names else {**equations.names, ok: "ok"}
    eager = frozenset(guards.eager) | frozenset(() if raises else results)
    return replace(equations, names=names, eager=eager), results


def _evaluated(lowered: Lowered, equations: GradientEquations) -> int:
    """The value with all that `eval` evaluates: also what was folded into nothing, such as c in `c and false`."""
    emitter = UnfoldedEmitter(equations.graph)
    return emitter.number(emitter.copied(lowered.graph, [lowered.result], equations.of)[lowered.result])


def _all_checks(
    emitter: Emitter,
    guards: Guards,
    required: Mapping[int, int],
    evaluated: Mapping[int, int],
    poles: set[int],
    partial: Mapping[int, StaticArgs],
) -> tuple[int | None, set[int]]:
    """The equation that all checks hold, where there are any, and the equations that are always checked."""
    checks = [
        (check, argument, required[node if argument is None else argument])
        for node in sorted(required)
        for check, argument in _checks(emitter, node, poles, partial)
    ]
    checks += [
        (check, argument, evaluated[node])
        for node in sorted(evaluated)
        if required.get(node) != evaluated[node]
        for check, argument in _itself(emitter, node, partial)
    ]
    ok: int | None = None
    parts, checked = set[int](), set[int]()
    for check, argument, guard in checks:
        part = check if guard == ALWAYS else emitter.emit(_OR, (emitter.emit(_NOT, (guards.flag(guard),)), check))
        if part not in parts:
            ok = part if ok is None else emitter.emit(_AND, (ok, part))
        parts.add(part)
        if guard == ALWAYS and argument is not None:
            checked.add(argument)
    return ok, checked


def _itself(emitter: Emitter, node: int, partial: Mapping[int, StaticArgs]) -> Iterator[tuple[int, int | None]]:
    """The conditions that an equation has a value, if it may have none by itself."""
    if node in emitter.graph.inputs:
        yield emitter.emit(KNOWN, (node,)), node
    elif node in partial:
        yield emitter.emit(FINITE, (node,)), node
        yield from _domain(emitter, node, partial)


def _domain(emitter: Emitter, node: int, partial: Mapping[int, StaticArgs]) -> Iterator[tuple[int, None]]:
    """The domain of an equation that may give a plain number outside it."""
    row, args = emitter.graph.rows[node], emitter.graph.args[node]
    if row is not None and node in partial and outside_domain(row, partial[node])[0]:
        for text, _ in row.domain:
            condition = emitter.text(text, row.params, args)
            if not emitter.graph.constants.get(condition):
                yield condition, None


def _checks(
    emitter: Emitter, node: int, poles: set[int], partial: Mapping[int, StaticArgs]
) -> Iterator[tuple[int, int | None]]:
    """The conditions that an equation needs checked: each with the argument that it is about, if it is about one."""
    graph = emitter.graph
    row, args = graph.rows[node], graph.args[node]
    if row is None:
        return
    static = constant_args(graph, args)
    yield from _domain(emitter, node, partial)
    for k, arg in enumerate(args):
        if k < row.conditions or row.branches is not None or arg in graph.constants or _is_condition(graph, arg):
            continue
        if arg in poles and hides_infinity(row, k, static):
            yield emitter.emit(FINITE, (arg,)), arg
        elif hides_nan(row, k, static):
            yield emitter.emit(KNOWN, (arg,)), arg


def _is_condition(graph: Graph, node: int) -> bool:
    """Whether an equation is 1 or 0 by a condition."""
    return graph.rows[node] is _IF and all(a in graph.constants for a in graph.args[node][1:])


def _poles(graph: Graph) -> tuple[set[int], dict[int, StaticArgs]]:
    """The equations that a pole may make infinite, and those with a domain that their constants do not settle."""
    poles = set[int]()
    partial: dict[int, StaticArgs] = {}
    for node in range(len(graph)):
        row, args = graph.rows[node], graph.args[node]
        if row is None or row.is_predicate:
            continue
        static = constant_args(graph, args)
        if row.domain and not always_defined(row, static):
            partial[node] = static
            if outside_domain(row, static)[1]:
                poles.add(node)
        if row.branches is not None:
            if any(args[k] in poles for k in row.branches):
                poles.add(node)
        elif any(a in poles and passes_infinity(row, k, static) for k, a in enumerate(args)):
            poles.add(node)
    return poles, partial
