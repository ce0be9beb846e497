"""Where a program has no value: what an export gives there, so that a missing value never turns into a number.

A function outside its domain gives NaN or an infinity, and most of what is computed from these is no plain number
either. But `if(u > 0, 1, 2)` is 2 when u is NaN, `max(u, 0)` may be 0, 1/u is 0 when u is infinite because of a pole,
and `clamp` gives numbers where it has no value. So the equations where this can happen are looked at, and value and
slopes are NaN unless they are well:

    relu(ln(x))     becomes    t1 = ln(x);  ok = t1 is not NaN and finite;  f = if(ok, relu(t1), NaN)

An infinity that is an overflow is no fault: `1/(1 + exp(x))` is 0 where exp(x) is too large for a number.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from autodiff.codegen.emitter import Emitter, UnfoldedEmitter
from autodiff.codegen.gradient import GradientEquations
from autodiff.codegen.guards import ALWAYS, Guards, required_guards
from autodiff.core import rules, templates
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import Primitive, predicate

_IF, _AND, _OR, _NOT = (rules.TABLE[key] for key in (("if", 3), ("and", 2), ("or", 2), ("not", 1)))

KNOWN = predicate("known", "u", doc="no NaN", example="", tex="")._replace(value="", definition="u == u")
FINITE = predicate("finite", "u", doc="neither NaN nor infinite", example="", tex="")._replace(
    value="", definition="u - u == 0"
)
"""Conditions that only exports have: a target says how they are written there."""

_SAMPLES = (0.0, -1.0, 1.0, 0.5, -0.5, 2.0, -2.0, 1.5, 10.0)

Held = templates.StaticArgs


def guarded(
    lowered: Lowered, found: GradientEquations, slopes: Iterable[int], *, raises: bool
) -> tuple[GradientEquations, list[int]]:
    """Value and slopes, NaN where the program has no value; the equation that says whether it has one is called `ok`.

    `raises` says that the target stops at a value outside a domain that is always needed.
    """
    line = Emitter(found.graph)
    graph, needs = found.graph, Guards(found.graph, found.eager)
    whole = required_guards(graph, [_unfolded(lowered, found)], needs)
    wanted = required_guards(graph, [found.value], needs)
    poles, limits = _poles(graph)
    ok: int | None = None
    asked, covered = set[int](), set[int]()
    checks = [
        (check, looked_at, wanted[node if looked_at is None else looked_at])
        for node in sorted(wanted)
        for check, looked_at in _checks(line, node, poles, limits)
    ]
    checks += [
        (check, looked_at, whole[node])
        for node in sorted(whole)
        if wanted.get(node) != whole[node]
        for check, looked_at in _itself(line, node, limits)
    ]
    for check, looked_at, need in checks:
        part = check if need == ALWAYS else line.emit(_OR, (line.emit(_NOT, (needs.flag(need),)), check))
        if part not in asked:
            ok = part if ok is None else line.emit(_AND, (ok, part))
        asked.add(part)
        if need == ALWAYS and looked_at is not None:
            covered.add(looked_at)
    known = graph.constants
    ask = [
        n for n in wanted
        if n in graph.inputs or (n in limits and not (raises and wanted[n] == ALWAYS and set(graph.args[n]) - set(known)))
    ]  # fmt: skip
    bits = {node: 1 << k for k, node in enumerate(ask)}
    sure = _spoilt(graph, [found.value, *slopes], bits, poles)
    seen = 0
    for node in covered:
        seen |= sure[node]
    both = None
    results = [found.value if ok is None else line.emit(_IF, (ok, found.value, graph.constant(math.nan)))]
    for slope in slopes:
        guard = ok
        if (seen | sure[slope]) != (1 << len(ask)) - 1 and found.value not in graph.constants:
            if both is None:
                finite = line.emit(FINITE, (found.value,))
                both = finite if ok is None else line.emit(_AND, (ok, finite))
            guard = both
        results.append(slope if guard is None else line.emit(_IF, (guard, slope, graph.constant(math.nan))))
    names = found.names if ok is None or ok in found.names else {**found.names, ok: "ok"}
    return replace(found, names=names, eager=frozenset(needs.eager) | frozenset(() if raises else results)), results


def _unfolded(lowered: Lowered, found: GradientEquations) -> int:
    """The value with all that `eval` looks at: what was folded into nothing, such as c in `c and false`, stands there."""
    emitter = UnfoldedEmitter(found.graph)
    return emitter.number(emitter.copied(lowered.graph, [lowered.result], found.of)[lowered.result])


def _itself(line: Emitter, node: int, limits: Mapping[int, Held]) -> Iterator[tuple[int, int | None]]:
    """The conditions that an equation has a value, if it may have none by itself."""
    if node in line.graph.inputs:
        yield line.emit(KNOWN, (node,)), node
    elif node in limits:
        yield line.emit(FINITE, (node,)), node
        yield from _domain(line, node, limits)


def _domain(line: Emitter, node: int, limits: Mapping[int, Held]) -> Iterator[tuple[int, None]]:
    """The domain of an equation that may give a plain number outside it."""
    row, args = line.graph.rows[node], line.graph.args[node]
    if row is not None and node in limits and _outside(row, limits[node])[0]:
        for text, _ in row.domain:
            condition = line.text(text, row.params, args)
            if not line.graph.constants.get(condition):
                yield condition, None


def _checks(line: Emitter, node: int, poles: set[int], limits: Mapping[int, Held]) -> Iterator[tuple[int, int | None]]:
    """The conditions that an equation needs looked at: each with the argument that it looks at, if it is one."""
    graph = line.graph
    row, args = graph.rows[node], graph.args[node]
    if row is None:
        return
    held = _held(graph, args)
    yield from _domain(line, node, limits)
    for k, arg in enumerate(args):
        if k < row.conditions or row.branches is not None or arg in graph.constants or _is_condition(graph, arg):
            continue
        if arg in poles and _hides_infinity(row, k, held):
            yield line.emit(FINITE, (arg,)), arg
        elif _hides_nan(row, k, held):
            yield line.emit(KNOWN, (arg,)), arg


def _is_condition(graph: Graph, node: int) -> bool:
    """Whether an equation is 1 or 0 by a condition."""
    return graph.rows[node] is _IF and all(a in graph.constants for a in graph.args[node][1:])


def _held(graph: Graph, args: tuple[int, ...]) -> Held:
    return tuple(graph.constants.get(a) for a in args)


def _poles(graph: Graph) -> tuple[set[int], dict[int, Held]]:
    """The equations that a pole may make infinite, and those with a domain that their constants do not settle."""
    poles = set[int]()
    limits: dict[int, Held] = {}
    for node in range(len(graph)):
        row, args = graph.rows[node], graph.args[node]
        if row is None or row.is_predicate:
            continue
        held = _held(graph, args)
        if row.domain and not _settled(row, held):
            limits[node] = held
            if _outside(row, held)[1]:
                poles.add(node)
        if row.branches is not None:
            if any(args[k] in poles for k in row.branches):
                poles.add(node)
        elif any(a in poles and _passes_infinity(row, k, held) for k, a in enumerate(args)):
            poles.add(node)
    return poles, limits


def _spoilt(graph: Graph, roots: Iterable[int], bits: Mapping[int, int], poles: set[int]) -> dict[int, int]:
    """For each equation the set, as bits, of those without a value that surely make it no plain number either."""
    found: dict[int, int] = {}
    for node in range(len(graph)):
        row, args = graph.rows[node], graph.args[node]
        mask = bits.get(node, 0)
        if row is not None and row.branches is not None and not row.is_predicate:
            mask |= found[args[1]] & found[args[2]]
        elif row is not None and not row.is_predicate:
            held = _held(graph, args)
            for k, arg in enumerate(args):
                hidden = _hides_nan(row, k, held) or (arg in poles and _hides_infinity(row, k, held))
                mask |= 0 if hidden else found[arg]
        found[node] = mask
    return found


# --- what rows do with what is no number -------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _settled(row: Primitive, held: Held) -> bool:
    """Whether the constants among the arguments see to it that the row has a value."""
    return all(templates.static_value(text, row.params, held) for text, _ in row.domain)


def _points(held: Held, place: int = -1, values: tuple[float, ...] = ()) -> Iterator[tuple[float, ...]]:
    """Arguments to try: the `held` ones as they are, at `place` one of `values`."""
    kinds = [values if k == place else _SAMPLES if c is None else (c,) for k, c in enumerate(held)]
    return itertools.product(*kinds)


@lru_cache(maxsize=4096)
def _outside(row: Primitive, held: Held) -> tuple[bool, bool]:
    """Whether the row may give a plain number outside its domain, and whether an infinity."""
    function, inside = templates.value(row), templates.domain(row)
    found = [function(*point) for point in _points(held) if not all(holds(*point) for holds, _ in inside)]
    return any(map(math.isfinite, found)), any(map(math.isinf, found))


@lru_cache(maxsize=4096)
def _hides_infinity(row: Primitive, k: int, held: Held) -> bool:
    """Whether the row may give a plain number though its argument k is infinite."""
    function = templates.value(row)
    return any(math.isfinite(function(*point)) for point in _points(held, k, (math.inf, -math.inf)))


@lru_cache(maxsize=4096)
def _passes_infinity(row: Primitive, k: int, held: Held) -> bool:
    """Whether the row may be infinite because its argument k is."""
    function = templates.value(row)
    return any(math.isinf(function(*point)) for point in _points(held, k, (math.inf, -math.inf)))


@lru_cache(maxsize=4096)
def _hides_nan(row: Primitive, k: int, held: Held) -> bool:
    """Whether the row may give a plain number though its argument k is NaN, in one target or another.

    Targets differ in what the larger of NaN and a number is, so what is asked is whether the order of arguments matters.
    """
    function = templates.value(row)
    hidden = any(math.isfinite(function(*point)) for point in _points(held, k, (math.nan,)))
    if not row.definition:
        turned = (math.isfinite(function(*point[::-1])) for point in _points(held, k, (math.nan,)))
        return hidden or (row.variadic and any(turned))
    lowered = templates.template(row.definition, row.params)
    graph = lowered.graph
    given = graph.find(row.params[k])
    if given is None:
        return True
    sure = _spoilt(graph, [lowered.result], {given: 1}, set())
    inner = [
        (r, a)
        for r, a in zip(graph.rows, graph.args, strict=True)
        if r is not None and not r.is_predicate and not r.branches
    ]
    doubtful = any(_hides_nan(r, j, _held(graph, a)) for r, a in inner for j in range(len(a)))
    return not sure[lowered.result] and (hidden or doubtful)
