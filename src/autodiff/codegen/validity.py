"""Where a program has no value: what an export gives there, so that a missing value never turns into a number.

A function outside its domain gives NaN or an infinity, and most of what is computed from these is no plain number
either. But `if(u > 0, 1, 2)` is 2 when u is NaN, `max(u, 0)` may be 0, 1/u is 0 when u is infinite because of a pole,
and `clamp` gives numbers where it has no value. So the equations where this can happen are checked, and value and slopes
are NaN unless all checks hold:

    relu(ln(x))     becomes    t1 = ln(x);  ok = t1 is not NaN and finite;  f = if(ok, relu(t1), NaN)

An infinity that is an overflow is no fault: `1/(1 + exp(x))` is 0 where exp(x) is too large for a number.

>>> passes(rules.TABLE["sin", 1], 0, (None,)), passes(rules.TABLE["exp", 1], 0, (None,))      # exp(-inf) is 0
(True, False)
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from autodiff.codegen.emitter import Emitter, UnfoldedEmitter
from autodiff.codegen.gradient import GradientEquations
from autodiff.codegen.guards import ALWAYS, Guards, required_guards
from autodiff.core import rules, templates
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import Primitive, predicate
from autodiff.core.templates import StaticArgs

_IF, _AND, _OR, _NOT = (rules.TABLE[key] for key in (("if", 3), ("and", 2), ("or", 2), ("not", 1)))

KNOWN = predicate("known", "u", doc="no NaN", example="", tex="").replaced(value="", definition="u == u")
FINITE = predicate("finite", "u", doc="neither NaN nor infinite", example="", tex="").replaced(
    value="", definition="u - u == 0"
)
"""Conditions that only exports have: a target says how they are written there."""


_OPEN = re.compile(r"!=|[<>](?!=)")
_SAMPLES = (0.0, -1.0, 1.0, 0.5, -0.5, 2.0, -2.0, 1.5, 10.0)


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


# --- what primitives make of NaN, of infinities, and of arguments outside their domain ----------------------------------


def constant_args(graph: Graph, args: tuple[int, ...]) -> StaticArgs:
    """The numbers of the arguments that are constants, None for the others."""
    return tuple(graph.constants.get(a) for a in args)


def undefined_by(graph: Graph, bits: Mapping[int, int], poles: Collection[int]) -> list[int]:
    """For each equation the set, as bits, of those that surely make it no plain number where they have no value."""
    masks: list[int] = []
    for node in range(len(graph)):
        row, args = graph.rows[node], graph.args[node]
        mask = bits.get(node, 0)
        if row is not None and row.branches is not None and not row.is_predicate:
            mask |= masks[args[1]] & masks[args[2]]
        elif row is not None and not row.is_predicate:
            static = constant_args(graph, args)
            for k, arg in enumerate(args):
                hidden = hides_nan(row, k, static) or (arg in poles and hides_infinity(row, k, static))
                mask |= 0 if hidden else masks[arg]
        masks.append(mask)
    return masks


def passes(row: Primitive, k: int, static: StaticArgs) -> bool:
    """Whether the row gives no plain number wherever its argument k is none."""
    plain = row.is_predicate or row.branches is not None
    return not plain and not hides_nan(row, k, static) and not hides_infinity(row, k, static)


@lru_cache(maxsize=4096)
def always_defined(row: Primitive, static: StaticArgs) -> bool:
    """Whether the row has a value whatever its other arguments are, because of those that are constants."""
    return all(templates.static_value(text, row.params, static) for text, _ in row.domain)


def _points(static: StaticArgs, place: int = -1, values: tuple[float, ...] = ()) -> Iterator[tuple[float, ...]]:
    """Arguments to try: the constants as they are, at `place` one of `values`."""
    kinds = [values if k == place else _SAMPLES if c is None else (c,) for k, c in enumerate(static)]
    return itertools.product(*kinds)


@lru_cache(maxsize=4096)
def outside_domain(row: Primitive, static: StaticArgs) -> tuple[bool, bool]:
    """Whether the row may give a plain number outside its domain, and whether an infinity.

    Targets differ in what is at an end that a domain leaves out: digamma(0) is NaN or an infinity.
    """
    function, inside = templates.value(row), templates.domain(row)
    values = [function(*point) for point in _points(static) if not all(holds(*point) for holds, _ in inside)]
    return any(map(math.isfinite, values)), any(map(math.isinf, values)) or any(_OPEN.search(t) for t, _ in row.domain)


@lru_cache(maxsize=4096)
def hides_infinity(row: Primitive, k: int, static: StaticArgs) -> bool:
    """Whether the row may give a plain number though its argument k is infinite."""
    function = templates.value(row)
    return any(math.isfinite(function(*point)) for point in _points(static, k, (math.inf, -math.inf)))


@lru_cache(maxsize=4096)
def passes_infinity(row: Primitive, k: int, static: StaticArgs) -> bool:
    """Whether the row may be infinite because its argument k is."""
    function = templates.value(row)
    return any(math.isinf(function(*point)) for point in _points(static, k, (math.inf, -math.inf)))


@lru_cache(maxsize=4096)
def hides_nan(row: Primitive, k: int, static: StaticArgs) -> bool:
    """Whether the row may give a plain number though its argument k is NaN, in one target or another.

    Targets differ in what the larger of NaN and a number is, so the arguments are tried in both orders.
    """
    function = templates.value(row)
    hidden = any(math.isfinite(function(*point)) for point in _points(static, k, (math.nan,)))
    if not row.definition:
        turned = (math.isfinite(function(*point[::-1])) for point in _points(static, k, (math.nan,)))
        return hidden or (row.variadic and any(turned))
    lowered = templates.template(row.definition, row.params)
    graph = lowered.graph
    given = graph.find(row.params[k])
    if given is None:
        return True
    undefined = undefined_by(graph, {given: 1}, ())
    inner = [
        (r, a)
        for r, a in zip(graph.rows, graph.args, strict=True)
        if r is not None and not r.is_predicate and not r.branches
    ]
    doubtful = any(hides_nan(r, j, constant_args(graph, a)) for r, a in inner for j in range(len(a)))
    return not undefined[lowered.result] and (hidden or doubtful)
