"""Values and both sweeps over arrays: a whole table of rows in one pass over the equations.

>>> from autodiff import parse
>>> from autodiff.calculus.lower import lower
>>> lowered = lower(parse("mean((w*x)^2)"))
>>> run = values(lowered, {"w": 2.0, "x": np.array([1.0, 2.0])})
>>> run.values[lowered.result], backward(run, [0])[0]                   # w is equation 0
(10.0, 10.0)

Where a condition differs from element to element, both branches are computed and each element takes its own; what an
element does not need can't be outside a domain, and nothing flows back through it: its zero is structural.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from autodiff.calculus import arrays, local
from autodiff.calculus.elementwise import SLOW, Array, Value, number, plain, shape
from autodiff.calculus.graph import Graph
from autodiff.calculus.lower import Lowered
from autodiff.calculus.ops import EACH, FOLD, LINEAR, Row
from autodiff.calculus.primal import Outside
from autodiff.calculus.reverse import sweep_down
from autodiff.calculus.shapes import ShapeError, pointing, shape_error
from autodiff.errors import Span

_UNCHECKED = frozenset((*SLOW, "matmul"))
"""Values that come from outside NumPy's own loops: they raise no floating-point flag."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """What a pass over the equations leaves.

    `values[i]` is None where equation i was not needed or is not kept; `order` lists the others, arguments first;
    `partly[i]` is, where not all elements of equation i are needed, which ones are; `asleep` are not needed at all.
    """

    lowered: Lowered
    values: list[Any]
    order: Sequence[int]
    partly: Mapping[int, Array] = field(default_factory=dict)
    asleep: frozenset[int] = frozenset()


class _Flags:
    """Remembers that a NumPy loop overflowed, divided by zero or made a NaN: a test that costs nothing."""

    def __init__(self) -> None:
        self.raised = False

    def __call__(self, kind: str, flag: int) -> None:
        self.raised = True

    def taken(self) -> bool:
        raised, self.raised = self.raised, False
        return raised


def values(
    lowered: Lowered,
    point: Mapping[str, Value],
    known: Mapping[int, Value] | None = None,
    spare: Mapping[int, Sequence[int]] | None = None,
    results: Sequence[int] = (),
    order: Sequence[int] | None = None,
) -> Bulk:
    """The value sweep. Raises Outside, with the element's index, where a value does not exist; AutodiffError for shapes.

    known    values that need not be computed again
    spare    per equation, which values nothing needs any more after it: of those only the shape is kept
    results  what to compute; the program's result unless given
    order    which equations to look at, arguments first; all that the results are made from unless given
    """
    graph = lowered.graph
    order = graph.reaching(*(results or (lowered.result,))) if order is None else order
    found: list[Any] = [None] * len(graph)
    broken: dict[int, tuple[Sequence[Any], list[tuple[Any, str]]]] = {}
    flags = _Flags()
    with np.errstate(all="call", under="ignore", call=flags):
        for node in order:
            row = graph.rows[node]
            if known is not None and node in known:
                found[node] = known[node]
            elif row is None:
                found[node] = graph.constants[node] if node in graph.constants else point[graph.inputs[node]]
            elif row.pick is not None:
                found[node] = _choose(row, [found[a] for a in graph.args[node]], graph.spans[node])
            else:
                args = [number(found[a]) if k >= row.conditions else found[a] for k, a in enumerate(graph.args[node])]
                faults = [(~np.asarray(inside(*args)), needs) for inside, needs in arrays.domain(row)]
                flags.taken()
                found[node] = _applied(lowered, node, row, args)
                if flags.taken() or row.value in _UNCHECKED or not isinstance(found[node], np.ndarray):
                    faults.append((~np.isfinite(found[node]), ""))
                if any(np.any(fault) for fault, _ in faults):
                    broken[node] = args, faults
            if spare is not None:
                for done in spare.get(node, ()):
                    found[done] = np.broadcast_to(np.nan, shape(found[done])) if shape(found[done]) else found[done]
    run = Bulk(lowered, found, order)
    if any(row is not None and row.pick is not None for row in map(graph.rows.__getitem__, order)):
        run = _needed(run, results or (lowered.result,), known or {})
    for node, (given, faults) in broken.items():
        _complain(run, node, given, faults)
    return run


def _applied(lowered: Lowered, node: int, row: Row, args: Sequence[Value]) -> Value:
    spans = lowered.graph.spans
    try:
        return arrays.apply(row, args, spans[node])
    except ShapeError as error:
        raise pointing(error, [shape(a) for a in args], [spans[a] for a in lowered.graph.args[node]]) from None


def _choose(row: Row, args: Sequence[Value], span: Span) -> Value:
    assert row.pick is not None
    condition, yes, no = args[0], args[row.pick[0]], args[row.pick[1]]
    if not isinstance(condition, np.ndarray):
        return yes if condition else no
    try:
        return np.where(condition, yes, no)
    except ValueError:
        raise shape_error(row, [shape(a) for a in args], span) from None


def _complain(run: Bulk, node: int, args: Sequence[Any], faults: Sequence[tuple[Any, str]]) -> None:
    """Raise Outside for the first element that is needed and broken, if there is one."""
    if node in run.asleep:
        return
    for fault, needs in faults:
        if node in run.partly:
            fault = fault & run.partly[node]
        if np.any(fault):
            place = tuple(int(i) for i in np.argwhere(fault)[0]) if np.ndim(fault) else ()
            raise Outside(node, [_element(a, place, np.shape(fault)) for a in args], needs, place, np.shape(fault))


def _element(value: Value, place: Sequence[int], wide: Sequence[int]) -> float:
    """The element of an argument that a place of the broadcast result is made from."""
    if value is None or shape(value) == ():
        return float("nan") if value is None else float(value)
    fits = len(place) >= len(shape(value)) and all(
        s in (1, w) for s, w in zip(shape(value)[::-1], wide[::-1], strict=False)
    )
    return float(np.broadcast_to(value, wide)[tuple(place)]) if fits else float("nan")


# --- which elements are needed -------------------------------------------------------------------------------------------


def _needed(run: Bulk, results: Sequence[int], known: Mapping[int, Value]) -> Bulk:
    """Which elements the results need: a choice needs each branch only where it takes it."""
    graph = run.lowered.graph
    need: dict[int, Any] = dict.fromkeys(results, True)

    def want(node: int, mask: Any) -> None:
        mask = _reduced_any(mask, shape(run.values[node]))
        need[node] = need[node] | mask if node in need else mask

    for node in reversed(run.order):
        row, args = graph.rows[node], graph.args[node]
        if row is None or node not in need or node in known:
            continue
        if row.pick is not None:
            condition = np.asarray(run.values[args[0]], dtype=np.bool_)
            want(args[0], need[node])
            want(args[row.pick[0]], need[node] & condition)
            want(args[row.pick[1]], need[node] & ~condition)
            continue
        for k, arg in enumerate(args):
            want(arg, _wanted(run, row, node, k, need[node]))
    partly = {node: mask for node, mask in need.items() if not np.all(mask)}
    asleep = frozenset(node for node in run.order if node not in need or not np.any(need[node]))
    return Bulk(run.lowered, run.values, run.order, {n: m for n, m in partly.items() if n not in asleep}, asleep)


def _wanted(run: Bulk, row: Row, node: int, k: int, mask: Any) -> Any:
    """Which elements of argument k the elements `mask` of a row's result need."""
    args = [run.values[a] for a in run.lowered.graph.args[node]]
    if row.kind == EACH:
        return mask
    if row.kind == FOLD and row.params[-1] == "axis" and k == 0 and np.ndim(mask):
        return np.broadcast_to(np.expand_dims(mask, int(args[-1])), shape(args[0]))
    return bool(np.any(mask))


def _reduced_any(mask: Any, to: Sequence[int]) -> Any:
    """A mask over a broadcast result, as one over an argument of shape `to`."""
    if np.ndim(mask) == 0:
        return np.full(to, bool(mask)) if to else bool(mask)
    extra = np.ndim(mask) - len(to)
    axes = (*range(extra), *(k for k in range(extra, np.ndim(mask)) if to[k - extra] == 1))
    return np.any(mask, axis=axes).reshape(to) if to else bool(np.any(mask))


# --- slopes --------------------------------------------------------------------------------------------------------------


def _fitted(part: Any, wide: Sequence[int], to: Sequence[int]) -> Value:
    """Un-broadcast: a part over a result of shape `wide`, summed to the argument of shape `to`.

    A part may stay narrower than `wide` where it is constant along axes: the mean's 1/N is one number.
    """
    if tuple(to) == tuple(wide):
        return part  # type: ignore[no-any-return]
    full = np.broadcast_to(part, wide)
    extra = len(wide) - len(to)
    axes = (*range(extra), *(k for k in range(extra, len(wide)) if to[k - extra] == 1 and wide[k] != 1))
    return plain(np.sum(full, axis=axes).reshape(to))


def _times(part: Value, slope: Value) -> Value:
    """part*slope; a slope of 1 costs nothing."""
    if isinstance(slope, float | int) and slope in (1, -1):
        return part if slope == 1 else -part
    return part * slope


def slope(row: Row, k: int, args: Sequence[Value], result: Value, convention: str = "") -> Value:
    """The local slope of an elementwise row or a reduction; by a convention where it sits on a corner."""
    names = (*row.params, "w")
    own = _text(row.slopes[k], names, (*args, result))
    if not (convention and row.corner):
        return own
    agreed = local.CONVENTIONS[convention](row)
    if not agreed or agreed[k] == row.slopes[k]:
        return own
    on_corner = _text(row.corner, names, (*args, result))
    return np.where(on_corner, _text(agreed[k], names, (*args, result)), own)


def _text(source: str, names: tuple[str, ...], given: Sequence[Value]) -> Value:
    """A text of the table over the values that it mentions."""
    function, places = _compiled(source, names)
    return number(function(*[given[k] for k in places]))


@lru_cache(maxsize=8192)
def _compiled(source: str, names: tuple[str, ...]) -> tuple[Callable[..., Value], tuple[int, ...]]:
    """A text as a function of those of its names that it mentions, and which ones these are."""
    if source in names:  # as in the slopes of a product
        return (lambda value: value), (names.index(source),)
    needed = arrays.used(source, names)
    places = tuple(k for k, name in enumerate(names) if name in needed)
    function = arrays.text(source, tuple(names[k] for k in places))
    if places:
        return function, places
    constant = function()
    return (lambda: constant), ()


def moved(row: Row, k: int, args: Sequence[Value], result: Value, tangent: Value) -> Value:
    """How the result of a reduction or an array function moves when argument k moves as `tangent` says."""
    if row.kind == FOLD:
        axis = _axis(row, args)
        kept = slope(row, k, args, _kept(result, axis))
        return _reducing(None, kept, axis, shape(args[k]))[1](tangent)
    return _general(row, k, args, result, shape(result))[1](tangent)


def _axis(row: Row, args: Sequence[Value]) -> Sequence[Value]:
    return args[1:] if row.kind == FOLD and row.params[-1] == "axis" else []


def _kept(value: Value, axis: Sequence[Value]) -> Value:
    """A reduction's result or adjoint with the axis that it was reduced along, so that it can be broadcast."""
    return np.expand_dims(value, int(axis[0])) if axis and isinstance(value, np.ndarray) else value


def _parts(
    run: Bulk, node: int, moving: Sequence[object], convention: str
) -> Iterable[tuple[int, Callable[[Value], Value], Callable[[Value], Value]]]:
    """Per moving argument k: k, what an adjoint of equation `node` gives to it, and what a tangent of it gives on."""
    graph, found = run.lowered.graph, run.values
    row = graph.rows[node]
    assert row is not None
    args = [found[a] if k < row.conditions else number(found[a]) for k, a in enumerate(graph.args[node])]
    result, wide = found[node], shape(found[node])
    for k, source in enumerate(row.slopes):
        if source in ("0", "none") or not moving[k]:
            continue
        inner = shape(args[k])
        if row.kind == EACH:
            yield k, *_elementwise(run, node, slope(row, k, args, result, convention), inner)
        elif row.kind == FOLD:
            axis = _axis(row, args)
            kept = slope(row, k, args, _kept(result, axis), convention)
            yield k, *_reducing(run.partly.get(node), kept, axis, inner)
        else:
            yield k, *_general(row, k, args, result, wide)


def _elementwise(
    run: Bulk, node: int, slope: Value, inner: Sequence[int]
) -> tuple[Callable[[Value], Value], Callable[[Value], Value]]:
    mask, wide = run.partly.get(node), shape(run.values[node])

    def back(g: Value) -> Value:
        if mask is None and not inner and shape(g) == shape(slope) == tuple(wide) != ():
            return float(np.dot(np.ravel(g), np.ravel(slope)))  # one pass: the slope in a weight that all rows share
        part = _times(g, slope)
        return _fitted(part if mask is None else np.where(mask, part, 0.0), wide, inner)

    def on(tangent: Value) -> Value:
        part = _times(tangent, slope)
        return part if mask is None else np.where(mask, part, 0.0)

    return back, on


def _reducing(
    mask: Array | None, slope: Value, axis: Sequence[Value], inner: Sequence[int]
) -> tuple[Callable[[Value], Value], Callable[[Value], Value]]:
    def back(g: Value) -> Value:
        part = _times(_kept(g, axis), slope)
        return part if mask is None else np.where(_kept(mask, axis), part, 0.0)

    def on(tangent: Value) -> Value:
        part = np.broadcast_to(_times(tangent, slope), tuple(inner))
        part = part if mask is None else np.where(_kept(mask, axis), part, 0.0)
        return plain(np.sum(part, axis=int(axis[0]) if axis else None))

    return back, on


def _general(
    row: Row, k: int, args: Sequence[Value], result: Value, wide: Sequence[int]
) -> tuple[Callable[[Value], Value], Callable[[Value], Value]]:
    inner = shape(args[k])

    def back(g: Value) -> Value:
        g = np.broadcast_to(g, tuple(wide)) if wide else g
        return _text(row.slopes[k], (*row.params, "w", "g"), (*args, result, g))

    def on(tangent: Value) -> Value:
        tangent = np.broadcast_to(tangent, inner) if inner else tangent
        if row.kind == LINEAR:
            return arrays.apply(row, [tangent if i == k else a for i, a in enumerate(args)])
        return _text(row.push[k], (*row.params, "w", f"d{row.params[k]}"), (*args, result, tangent))

    return back, on


# --- the sweeps ----------------------------------------------------------------------------------------------------------


def flowing(
    graph: Graph, order: Iterable[int], sources: Iterable[int], asleep: Collection[int] = frozenset()
) -> bytearray:
    """A flag per equation: whether a derivative flows to it from one of `sources`, around what is `asleep`."""
    flags = bytearray(len(graph))
    for source in sources:
        flags[source] = 1
    for node in order:
        row = graph.rows[node]
        if row is None or flags[node] or node in asleep:
            continue
        pairs = zip(graph.args[node], row.slopes, strict=True)
        flags[node] = any(flags[a] and a not in asleep for a, slope in pairs if slope not in ("0", "none"))
    return flags


def backward(
    run: Bulk,
    sources: Sequence[int],
    convention: str = "",
    seed: Value = 1.0,
    active: bytearray | None = None,
    through: Mapping[int, Mapping[int, Value]] | None = None,
) -> dict[int, Value]:
    """Reverse mode: the slope of the result, times `seed`, in each equation between it and `sources`, shaped like it.

    active   a flag per equation: whether a derivative flows through it; found out unless given
    through  the slopes of numbers in equations long before them, where they are known already
    """
    graph, found = run.lowered.graph, run.values
    active = flowing(graph, run.order, sources, run.asleep) if active is None else active

    def pull(node: int, g: Value) -> Iterable[tuple[int, Value]]:
        row, args = graph.rows[node], graph.args[node]
        if through is not None and node in through:
            yield from ((before, g * slope) for before, slope in through[node].items())
            return
        if row is None:
            return
        if row.pick is not None:
            for arg, part in _branches(run, row, node, g):
                if active[arg]:
                    yield arg, part
            return
        for k, back, _ in _parts(run, node, [active[a] for a in args], convention):
            yield args[k], back(g)

    with np.errstate(all="ignore"):
        result = run.lowered.result
        adjoints = sweep_down(reversed(run.order), {result: seed} if active[result] else {}, pull, lambda a, b: a + b)
        return {
            n: g if shape(g) == shape(found[n]) else np.broadcast_to(g, shape(found[n]))
            for n, g in adjoints.items()
            if found[n] is not None
        }


def _branches(run: Bulk, row: Row, node: int, g: Value) -> Iterable[tuple[int, Value]]:
    """What a choice gives to each branch: its adjoint where that branch was taken."""
    assert row.pick is not None
    args, wide = run.lowered.graph.args[node], shape(run.values[node])
    condition = run.values[args[0]]
    for arg, taken in ((args[row.pick[0]], condition), (args[row.pick[1]], np.logical_not(condition))):
        if arg not in run.asleep and row.slopes[args.index(arg)] != "0":
            part = np.where(taken, g, 0.0) if isinstance(condition, np.ndarray) else (g if taken else 0.0)
            yield arg, _fitted(part, wide, shape(run.values[arg]))


def onward(run: Bulk, seeds: Mapping[int, Value]) -> list[Any]:
    """Forward mode: how every equation moves when those of `seeds` move as they say; None where it stands still."""
    graph = run.lowered.graph
    tangents: list[Any] = [None] * len(graph)
    with np.errstate(all="ignore"):
        for node in run.order:
            row, args = graph.rows[node], graph.args[node]
            total = seeds.get(node)
            if row is not None and node not in run.asleep:
                for part in _forward_parts(run, row, node, [tangents[a] for a in args]):
                    total = part if total is None else total + part
            tangents[node] = total
    return tangents


def _forward_parts(run: Bulk, row: Row, node: int, moving: Sequence[Any]) -> Iterable[Value]:
    args = run.lowered.graph.args[node]
    if row.pick is None:
        for k, _, on in _parts(run, node, [t is not None for t in moving], ""):
            yield on(moving[k])
        return
    condition = run.values[args[0]]
    for k, taken in ((row.pick[0], condition), (row.pick[1], np.logical_not(condition))):
        if moving[k] is not None and row.slopes[k] != "0":
            yield (
                np.where(taken, moving[k], 0.0) if isinstance(condition, np.ndarray) else (moving[k] if taken else 0.0)
            )


# --- what stands beside the numbers ----------------------------------------------------------------------------------------


def suspects(run: Bulk) -> list[int]:
    """The equations with an element exactly on a corner, a jump, or where a slope is infinite or missing."""
    graph = run.lowered.graph
    with np.errstate(all="ignore"):
        return [
            node
            for node in run.order
            if graph.rows[node] is not None
            and node not in run.asleep
            and not all(a in graph.constants for a in graph.args[node])
            and _special(run, node)
        ]


def _special(run: Bulk, node: int) -> bool:
    graph = run.lowered.graph
    row, args = graph.rows[node], graph.args[node]
    assert row is not None
    if row.truth and len(set(args)) < len(args):
        return False
    given = [number(run.values[a]) for a in args]
    given.append(_kept(run.values[node], _axis(row, given)))
    texts = [row.corner, row.jump.rpartition(" at ")[2], row.vertical]
    texts += [
        f"not ({text})" for text, a in zip(row.slope_domain, args, strict=True) if text and a not in graph.constants
    ]
    mask = run.partly.get(node, True)
    names = (*row.params, "w")
    return any(bool(np.any(_text(text, names, given) * (mask if row.kind == EACH else 1))) for text in texts if text)


def sizes(run: Bulk, adjoints: Mapping[int, Value], tangents: Sequence[Any]) -> float:
    """The sum of the sizes of all products that a sweep adds up: rounding errors are a small multiple of it."""
    graph = run.lowered.graph
    total = 0.0
    with np.errstate(all="ignore"):
        for node, g in adjoints.items():
            row, args = graph.rows[node], graph.args[node]
            if row is None or node in run.asleep or tangents[node] is None:
                continue
            total += float(np.sum(np.abs(g * tangents[node])))
            if row.pick is None:
                for k, back, _ in _parts(run, node, [tangents[a] is not None for a in args], ""):
                    total += float(np.sum(np.abs(back(g) * tangents[args[k]])))
    return total
