"""Equations over a block of rows as lines of Python, which write into few arrays again and again.

mean((x*w - y)^2)    becomes    t2 = multiply(x, w, out=room0); t3 = subtract(t2, y, out=room0); …
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autodiff.arrays import functions, linearize
from autodiff.arrays.ufuncs import ARRAY, EACHWISE, MAYBE, NUMBER, Function, Operations, Value, shape
from autodiff.core import rules, templates
from autodiff.core.graph import Graph
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, ZERO, Primitive, general

UNTHREADED = 8192
"""Numbers whose dot product OpenBLAS makes without threads, which wait for one another on a busy machine: it starts them from
10,001 on."""

SIZE, _MATRIX = rules.TABLE["numel", 1], rules.TABLE["@", 2]


def own_row(name: str, params: Sequence[str]) -> Primitive:
    """A row that no table has."""
    return general(name, " ".join(params), "", *[ZERO] * len(params), rule="", doc="", example="")


PRODUCT = own_row("product", "gdwu")
"""What the adjoint g of w gives to u by the slope d, where w and u differ in shape."""

WIDE = own_row("wide", "gw")
"""The adjoint g of w, in the shape of w."""

_SIZED: Mapping[Primitive | None, tuple[int, ...]] = {SIZE: (0,), PRODUCT: (2, 3), WIDE: (1,)}
"""The arguments of which a row reads the shape alone, so that something else may be in their rooms."""


class PassLines(Operations):
    """Equations as Python, those of whole arrays as calls.

    calls  the functions of rows that no table has
    tails  of equations with an element per row, the shape of such an element
    rooms  the tails of the arrays that results are written into, each as soon as nothing needs what is in it any more
    text   the lines
    """

    def __init__(self) -> None:
        super().__init__({})
        self.names |= {"holds": _holds, "finite": _finite}
        self.calls: dict[Primitive, Callable[..., Value]] = {PRODUCT: _product, WIDE: _wide}
        self.tails: dict[int, tuple[int, ...]] = {}
        self.rooms, self.text = list[tuple[int, ...]](), list[str]()
        self._room_of, self._free = dict[int, int](), list[int]()
        self._last, self._lined = dict[int, float](), set[int]()

    def lines(self, graph: Graph, results: Sequence[int], checks: Mapping[int, str]) -> dict[int, str]:
        """Write the lines of the equations; what each of the results is called.

        What a branch alone needs is written within it, all else has a line. Where a check of an equation fails, nothing is
        computed any more.
        """
        known, became = templates.fold_static_args(graph, [*checks, *results], (), ())
        operands = {
            node: tuple(became.get(a, a) for a in templates.used_args(graph.rows[node], graph.args[node]))
            for node in graph.reaching(*checks, *results)
            if node not in known and node not in became
        }
        lined = self._lined = {became.get(node, node) for node in results}
        uses = Counter(a for args in operands.values() for a in args)
        self._last = dict.fromkeys(lined, math.inf)
        checked = {became.get(node, node): check for node, check in checks.items()}
        lined.update(checked)
        for node, args in reversed(operands.items()):
            row = graph.rows[node]
            if uses[node] > 1:
                lined.add(node)
            if node in lined:
                lined.update(args if row is None or row.branches is None else args[:1])
            read = [a for k, a in enumerate(args) if k not in _SIZED.get(row, ())]
            if node in lined and self._is_fresh(row, node):
                self._last = dict.fromkeys(read, node) | self._last
            else:  # its value may be that of an argument, or is computed later
                self._last |= dict.fromkeys(read, math.inf)
        texts = graph.inputs | {node: f"({number!r})" for node, number in known.items()}
        self.text += [_check(checked[node], texts[node]) for node in checked if node in texts and known.get(node) != 1]
        for node in operands:
            if (row := graph.rows[node]) is not None:
                wide = [became.get(a, a) for a in graph.args[node]]
                texts[node] = f"({self.written(node, row, wide, [texts.get(a, '') for a in wide])})"
                if node in lined:
                    self.text.append(f"t{node} = {texts[node]}")
                    texts[node] = f"t{node}"
                if node in checked:
                    self.text.append(_check(checked[node], texts[node]))
                over = {self._room_of[a] for a in wide if a in self._room_of and self._last.get(a) == node}
                self._free += over - {self._room_of.get(node)}
        return {node: texts[became.get(node, node)] for node in results}

    def _is_fresh(self, row: Primitive | None, node: int) -> bool:
        """Whether the value of an equation can't be one of its arguments, or a part of it."""
        is_fresh = row is None or row is _MATRIX or (row.kind == ELEMENTWISE and row.branches is None)
        return is_fresh or self.kinds.get(node) == NUMBER

    def written(self, node: int, row: Primitive, args: list[int], operands: list[str]) -> str:
        name = f"f{len(self.names)}"
        if row.kind == ELEMENTWISE and not row.definition:
            text = super().written(node, row, args, operands)
            function = EACHWISE.get(row.value)
            tails = {self.tails.get(a) for a in args if self.kinds.get(a, NUMBER) != NUMBER}
            if node not in self.tails and len(tails) == 1 and self.kinds[node] == ARRAY and None not in tails:
                (self.tails[node],) = tails  # type: ignore[assignment]
            if (
                row.is_predicate
                or not isinstance(function, np.ufunc)
                or node not in self.tails
                or node not in self._lined
            ):
                return text
            self.names[name] = function
            return f"{name}({', '.join(self.numbers(row, args, operands))}, out=room{self._room(node, args)})"
        is_number = row is SIZE or (row.kind == REDUCTION and row.params[-1] != "axis")
        self.kinds.setdefault(node, NUMBER if is_number else MAYBE)
        whole = row.kind != ELEMENTWISE and ARRAY in map(self.kinds.get, args) and self.conditions.isdisjoint(args)
        if row is _MATRIX and whole and node in self.tails and node in self._lined:
            self.names[name] = np.matmul
            return f"{name}({', '.join(operands)}, out=room{self._room(node, ())})"
        self.names[name] = self.calls.get(row) or (functions.of_arrays(row) if whole else _applied(row))
        return f"{name}({', '.join(operands)})"

    def _room(self, node: int, args: Sequence[int]) -> int:
        """An array for the value of an equation: that of an argument which is not needed any more, or a free one."""
        tail = self.tails[node]
        ends = [self._room_of[a] for a in args if a in self._room_of and self._last[a] == node]
        fitting = [room for room in (*ends, *self._free) if self.rooms[room] == tail] or [len(self.rooms)]
        room = self._room_of[node] = fitting[0]
        if room == len(self.rooms):
            self.rooms.append(tail)
        elif room in self._free:
            self._free.remove(room)
        return room


def _check(check: str, text: str) -> str:
    return f"if not {check}({text}): return None"


def _applied(row: Primitive) -> Function:
    return lambda *args: functions.apply(row, args)


def _product(adjoint: Value, slope: Value, result: Value, arg: Value) -> Value:
    return linearize.product(adjoint, slope, shape(result), shape(arg))


def _wide(adjoint: Value, result: Value) -> Value:
    return adjoint if shape(adjoint) == shape(result) else np.broadcast_to(adjoint, shape(result))


def _holds(condition: Value) -> bool:
    return bool(condition.all()) if isinstance(condition, np.ndarray) else bool(condition)


def _finite(value: Value) -> bool:
    """Whether all elements are finite, and no square overflows; in parts for which BLAS starts no threads."""
    if not isinstance(value, np.ndarray):
        return math.isfinite(value)
    flat = np.ravel(value)
    for start in range(0, len(flat), UNTHREADED):
        part = flat[start : start + UNTHREADED]
        if not math.isfinite(np.vdot(part, part)):
            return False
    return True
