"""What primitives make of NaN, of infinities, and of arguments outside their domain: no plain number, or a plain one.

>>> from autodiff.core.rules import TABLE
>>> passes(TABLE["sin", 1], 0, (None,)), passes(TABLE["exp", 1], 0, (None,))      # exp(-inf) is 0
(True, False)
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from autodiff.core import templates
from autodiff.core.graph import Graph
from autodiff.core.primitive import Primitive
from autodiff.core.templates import StaticArgs

_OPEN = re.compile(r"!=|[<>](?!=)")
_SAMPLES = (0.0, -1.0, 1.0, 0.5, -0.5, 2.0, -2.0, 1.5, 10.0)


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
