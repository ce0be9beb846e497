"""Derivatives of any order: truncated Taylor series, carried from the inputs up to the result.

With w = f(u) and u active along a line, w' is the row's own slope times u'. So the series of w follows from that of its
slope, one order behind: m·w[m] = Σ j·u[j]·slope[m-j], and a slope is a text of the table, whose functions have slopes of
their own. `Expansion` writes these slopes out as equations beside the program's, each once (sin needs cos needs sin), and
`series` fills in all of them order by order. No rule is written twice: only + - * / have series of their own.

    expansion = Expansion(lowered, run, [x], 3, FloatSeries())
    expansion.series({x: 1.0}, 3)[lowered.result]       # sin(x) at 0: [0.0, 1.0, 0.0, -0.1666…]

Sources: the recurrences for products and quotients are those of A. Griewank and A. Walther, Evaluating Derivatives,
2nd edition, SIAM 2008, chapter 13.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from random import Random
from typing import Any, TypeAlias, TypeVar

from autodiff.core import rules, templates
from autodiff.core.algebra import Algebra
from autodiff.core.evaluate import Trace
from autodiff.core.linearize import active
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ZERO, Primitive
from autodiff.core.vjp import pull_back

T = TypeVar("T")

Coefficients: TypeAlias = "Callable[[int], Any]"

Series: TypeAlias = "list[Any]"
"""Coefficients of t^0, t^1, …; NaN from where they are not known on."""

_NAN = math.nan
_TIMES, _SAME = rules.TABLE["*", 2], rules.TABLE["+", 1]


class SeriesAlgebra(Algebra[T]):
    """What an expansion needs of coefficients beside an algebra: quotients, sums, values of rows, and which are equal."""

    chance: Random | None = None

    def over(self, a: T, b: T) -> T:
        """a divided by b, which is not 0."""
        raise NotImplementedError

    def total(self, terms: Sequence[T]) -> T:
        raise NotImplementedError

    def value(self, row: Primitive, args: Sequence[T]) -> T:
        """The value of a row, NaN where it has none."""
        return self.apply(row, args)

    def key(self, value: T) -> Hashable | None:
        """What equal constants have in common; None where they stay apart."""
        raise NotImplementedError

    def coefficient(self, value: T) -> T:
        """A value as the coefficient of t^0."""
        return value


class Expansion(Algebra[int]):
    """The equations of a program at a point, and beside them those of the slopes, of their slopes, and so on.

    `rows[i]` applied to `args[i]` has the value `values[i]`; `active[i]` says whether it depends on a source; `slopes[i]` are
    the equations of its local slopes, by argument. `of` finds the program's own equations. `special` holds the equations
    at which a slope is missing (a corner, a jump, the end of a root, the edge of a domain) with the program's equation
    that they belong to. `algebra` multiplies, divides and adds up.
    """

    def __init__(
        self,
        lowered: Lowered,
        run: Trace,
        sources: Sequence[int],
        order: int,
        algebra: SeriesAlgebra[Any],
    ) -> None:
        self.algebra = algebra
        self.rows: list[Primitive | None] = []
        self.args: list[tuple[int, ...]] = []
        self.values: list[Any] = []
        self.active: list[bool] = []
        self.slopes: dict[int, dict[int, int]] = {}
        self.special: dict[int, int] = {}
        self.of: dict[int, int] = {}
        self._numbers: dict[tuple[Primitive, tuple[int, ...]], int] = {}
        self._constants: dict[Hashable, int] = {}
        self._expanded: dict[int, int] = {}
        self._blame = lowered.result
        self._program(lowered, run, set(sources))
        for node in run.order:
            self._blame = node
            self._expand(self.of[node], order)
        self.values = [self.algebra.coefficient(value) for value in self.values]

    def series(self, rates: Mapping[int, float], order: int) -> list[Series]:
        """The series of every equation up to t^order, with the rate of each source along a line."""
        series: list[Series] = [[value] for value in self.values]
        speed = {self.of[source]: rate for source, rate in rates.items() if source in self.of}
        for m in range(1, order + 1):
            for node, row in enumerate(self.rows):
                if not self.active[node]:
                    continue
                if node in speed:
                    series[node].append(speed[node] if m == 1 else 0.0)
                elif self._expanded.get(node, -1) >= m:
                    assert row is not None
                    series[node].append(self._coefficient(series, node, row, m))
        return series

    def derivatives(self, result: int, source: int, order: int) -> list[Any]:
        """The derivatives of an equation of orders 1, 2, … by a source."""
        coefficients = self.series({source: 1.0}, order)[self.of[result]]
        known = [c * math.factorial(m) for m, c in enumerate(coefficients[1:], 1)]
        return known + [self.algebra.total(())] * (order - len(known))

    def hessian_row(self, lowered: Lowered, run: Trace, source: int, sources: Sequence[int]) -> list[Any]:
        """The second derivatives of the result by `source` and each of the sources."""
        adjoints = self.adjoints(lowered, run, {node: float(node == source) for node in sources})
        return [adjoints[node][1] if node in adjoints else self.algebra.total(()) for node in sources]

    def adjoints(self, lowered: Lowered, run: Trace, rates: Mapping[int, float]) -> dict[int, tuple[float, float]]:
        """Forward over reverse: each adjoint with its own slope along the line; those of the sources are one
        row of the Hessian, when one source has the rate 1 and the others 0."""
        local, times = self.series(rates, 1), self.algebra.times

        def pull(node: int, g: tuple[float, float]) -> Iterable[tuple[int, tuple[float, float]]]:
            if node in run.taken:
                yield run.taken[node], g
                return
            for k, slope in self._local(self.of[node]):
                s, bend = (*local[slope], 0.0)[:2] if self.active[slope] else (self.values[slope], 0.0)
                yield lowered.graph.args[node][k], (times(g[0], s), times(g[1], s) + times(g[0], bend))

        seeds = {lowered.result: (1.0, 0.0)} if self.active[self.of[lowered.result]] else {}
        return pull_back(reversed(run.order), seeds, pull, lambda a, b: (a[0] + b[0], a[1] + b[1]))

    def culprit(self) -> int | None:
        """The program's first equation that has no series here."""
        return min(self.special.values(), default=None)

    # --- writing slopes out -----------------------------------------------------------------------------------------

    def _program(self, lowered: Lowered, run: Trace, sources: set[int]) -> None:
        graph = lowered.graph
        reached = active(graph, run.order, sources, run.taken)
        for self._blame in run.order:
            node, row = self._blame, graph.rows[self._blame]
            if node in run.taken and node not in sources:
                condition = self.of[graph.args[node][0]]
                self.of[node] = self._unsure(self.of[run.taken[node]], [condition])
            elif row is None or node in sources:
                self.of[node] = self._new_leaf(run.values[node], active=node in reached)
            else:
                args = tuple(self.of[a] for a in graph.args[node])
                value = run.values[node] if self.algebra.chance is None else self._value(row, args)
                self.of[node] = self._call(row, args, value)

    def _expand(self, root: int, order: int) -> None:
        """Write out the slopes that the series of `root` up to `order` needs; each of them needs one order less."""
        todo = [(root, order)]
        while todo:
            node, need = todo.pop()
            if not self.active[node] or self._expanded.get(node, -1) >= need:
                continue
            self._expanded[node] = need
            todo += [(a, need) for a in self.args[node]]
            row = self.rows[node]
            if row is None or need == 0:
                continue
            if node not in self.slopes:
                self.slopes[node] = {}
                if self.values[node] != self.values[node] or self._is_special(row, self.args[node]):
                    self.special.setdefault(node, self._blame)
                if node not in self.special:
                    self.slopes[node] = dict(self._written_out(node, row))
            todo += [(slope, need - 1) for slope in self.slopes[node].values()]

    def _is_special(self, row: Primitive, args: Sequence[int]) -> bool:
        active = [self.active[a] for a in args]
        return not row.never_changes(args) and self.algebra.is_special(row, [self.values[a] for a in args], active, -1)

    def _written_out(self, node: int, row: Primitive) -> Iterable[tuple[int, int]]:
        names = (*row.params, "w")
        for k, arg in enumerate(self.args[node]):
            text = self.algebra.partial_text(row, k, [self.values[a] for a in (*self.args[node], node)])
            if text == ZERO or not self.active[arg]:
                continue
            template = templates.template(text, names)
            given = dict(zip(names, (*self.args[node], node), strict=True))
            yield k, self._instance(template, given)

    def _instance(self, template: Lowered, given: Mapping[str, int]) -> int:
        """The equation that a text of the table comes to, over equations."""
        equations, order, _ = self.unchecked(template, given)
        return self._unsure(equations[template.result], [equations[node] for node in order])

    def constant(self, value: float) -> int:
        return self._new_leaf(self.algebra.constant(value), active=False)

    def apply(self, row: Primitive, args: Sequence[int]) -> int:
        return self._call(row, tuple(args), self._value(row, args))

    def branch(self, condition: int) -> bool | None:
        return self.algebra.branch(self.values[condition])

    def _unsure(self, node: int, behind: Iterable[int]) -> int:
        """The equation `node`; without a slope if a condition behind it changes exactly here."""
        if not any(i in self.special and (row := self.rows[i]) is not None and row.is_predicate for i in behind):
            return node
        known = self._append(_SAME, (node,), self.values[node], active=True)
        self.special[known] = self._blame
        return known

    def _value(self, row: Primitive, args: Sequence[int]) -> Any:
        return self.algebra.value(row, [self.values[a] for a in args])

    def _call(self, row: Primitive, args: tuple[int, ...], value: float) -> int:
        if row is _TIMES and any(self.values[a] == 0 and not self.active[a] for a in args):
            return self._new_leaf(0.0, active=False)  # 0*u^(0-1) is the slope of u^0, at 0 as well
        if not any(self.active[a] for a in args):
            return self._new_leaf(value, active=False)
        if (row, args) not in self._numbers:
            flows = any(self.active[a] and text != ZERO for a, text in zip(args, row.partials, strict=True))
            jumps = not flows and self._is_special(row, args)
            node = self._numbers[row, args] = self._append(row, args, value, active=flows or jumps)
            if jumps:
                self.special[node] = self._blame
        return self._numbers[row, args]

    def _new_leaf(self, value: Any, *, active: bool) -> int:
        key = None if active else self.algebra.key(value)
        if key is None:
            return self._append(None, (), value, active=active)
        if key not in self._constants:
            self._constants[key] = self._append(None, (), value, active=False)
        return self._constants[key]

    def _append(self, row: Primitive | None, args: tuple[int, ...], value: Any, *, active: bool) -> int:
        self.rows.append(row)
        self.args.append(args)
        self.values.append(value)
        self.active.append(active)
        return len(self.rows) - 1

    # --- filling in -------------------------------------------------------------------------------------------------

    def _local(self, node: int) -> Iterable[tuple[int, int]]:
        """The local slopes of an equation, by argument."""
        return self.slopes.get(node, {}).items() if node not in self.special else self._undefined(node)

    def _undefined(self, node: int) -> Iterable[tuple[int, int]]:
        missing = self._new_leaf(self.algebra.undefined(), active=False)
        return [(k, missing) for k, arg in enumerate(self.args[node]) if self.active[arg]]

    def _coefficient(self, series: Sequence[Series], node: int, row: Primitive, m: int) -> Any:
        if node in self.special:
            return _NAN
        args = self.args[node]
        if row in _OWN:
            return _OWN[row](self.algebra, m, series[node], *(self._known(series[a], a) for a in args))
        terms = []
        for k, slope in self.slopes[node].items():
            u, s = series[args[k]], self._known(series[slope], slope)
            terms += [self.algebra.times(j * u[j], s(m - j)) for j in range(1, m + 1) if u[j]]
        return self.algebra.over(self.algebra.total(terms), m)

    def _known(self, series: Series, node: int) -> Coefficients:
        """The coefficients of an equation; of an inactive one, all but the first are 0."""
        if self.active[node]:
            return series.__getitem__
        return lambda j: series[0] if j == 0 else 0.0


def _product(algebra: SeriesAlgebra[Any], m: int, _: Series, u: Coefficients, v: Coefficients) -> Any:
    return algebra.total([algebra.times(u(j), v(m - j)) for j in range(m + 1)])


def _quotient(algebra: SeriesAlgebra[Any], m: int, w: Series, u: Coefficients, v: Coefficients) -> Any:
    return algebra.over(algebra.total([u(m), *(algebra.times(-v(j), w[m - j]) for j in range(1, m + 1))]), v(0))


_OWN: Mapping[Primitive, Callable[..., Any]] = {
    rules.TABLE["+", 2]: lambda _, m, _w, u, v: u(m) + v(m),
    rules.TABLE["-", 2]: lambda _, m, _w, u, v: u(m) - v(m),
    rules.TABLE["-", 1]: lambda _, m, _w, u: -u(m),
    _SAME: lambda _, m, _w, u: u(m),
    _TIMES: _product,
    rules.TABLE["/", 2]: _quotient,
}
"""The series of sums, products and quotients: coefficient m from those of the arguments and the earlier ones."""
