"""Where rounding costs digits over rows: conditions that pick the rows which float64 may not do for.

A sum is asked as a whole, against the largest of its terms, since the errors of terms add up; other rows are asked where
they make much of an inexact argument. What is picked is looked at again (see `batch`), so that small losses add up there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from autodiff.codegen.straightline import Line
from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.language.typed import Typed

_SUMS = {rules.TABLE["+", 2], rules.TABLE["-", 2]}
_SIGNS = {rules.TABLE["-", 1], rules.TABLE["+", 1]}

_PRODUCTS = {*_SIGNS, rules.TABLE["*", 2], rules.TABLE["/", 2], rules.TABLE["^", 2]}

_TERMS = 8
"""Terms of a sum that are compared; a longer one is asked in pieces."""

_LOSSY = {
    rules.TABLE["^", 2]: "abs(v) > 1e3",
    **{rules.TABLE[name, 1]: "abs(w) < 1e-3" for name in ["ln", "log2", "log10", "acosh"]},
    **{rules.TABLE[name, 1]: "abs(u) > 1e3*abs(w)" for name in ["sin", "cos", "sinc"]},
    **{rules.TABLE[name, 1]: "abs(u)*(1 + w^2) > 1e3*abs(w)" for name in ["tan", "cot"]},
    **{rules.TABLE[name, 1]: "abs(u)*abs(w) > 1e3" for name in ["sec", "csc"]},
    rules.TABLE["acos", 1]: "abs(w) < 0.03",
    rules.TABLE["atanh", 1]: "abs(w) > 4",
    rules.TABLE["logit", 1]: "abs(w) > 7 or abs(w) < 1e-3",
    **{rules.TABLE[name, 1]: "u < 0 and abs(u - round(u)) < 1e-3*abs(u)" for name in ["gamma", "lgamma", "digamma"]},
    **{
        rules.TABLE[name, 1]: "abs(u) > 300"
        for name in ["exp", "exp2", "expm1", "sinh", "cosh", "sech", "csch", "gamma"]
    },
    **{rules.TABLE[name, 1]: "abs(u) > 15" for name in ["erfc", "gaussian", "gelu"]},
}
"""Rows that make much of the error of an argument, and where that is more than some bits."""


class _Term(NamedTuple):
    """A term of the sum `whole` in which another sum is a factor: that sum `times` some equations `over` others.

    `times` is None where the term depends on the sum in another way.
    """

    term: int
    whole: int
    times: tuple[int, ...] | None
    over: tuple[int, ...]


class Losses:
    """The conditions of one graph, put into `line`, where `of` says which equation is which."""

    def __init__(self, line: Line, graph: Graph, of: Mapping[int, int]) -> None:
        self._line, self._graph, self._of = line, graph, of
        self._uses = Counter(a for node in of for a in set(graph.args[node]))
        self._users: dict[int, list[int]] = {}
        for node in sorted(of):
            for a in set(graph.args[node]):
                self._users.setdefault(a, []).append(node)
        self._within: dict[int, list[int]] = {}
        for node in sorted(of):
            if graph.rows[node] in _SUMS | _SIGNS:
                self._within[node] = self._terms(node)
        inner = {a for node in self._within for a in graph.args[node] if a in self._within and self._joins(a, node)}
        self._whole = self._within.keys() - inner

    def at(self, node: int) -> Iterator[int]:
        """The condition under which equation `node` loses digits, where there may be one."""
        row, args = self._graph.rows[node], self._graph.args[node]
        if row is None:
            return
        if row in _SUMS and node in self._whole and not all(self._exact(a) for a in args):
            yield from self._open(self._cancelling(node))
        text = _LOSSY.get(row)
        if text is not None and not all(self._exact(a) for a in args):
            given = (*(self._of[a] for a in args), self._of[node])
            yield from self._open(self._line.text(text, (*row.params, "w"), given))

    def anywhere(self) -> Iterator[int]:
        """The conditions of all equations."""
        for node in sorted(self._of):
            yield from self.at(node)

    def _open(self, alarm: int) -> Iterator[int]:
        if self._line.graph.constants.get(alarm) != 0:
            yield alarm

    def _joins(self, inner: int, outer: int) -> bool:
        return self._uses[inner] == 1 and len(self._within[outer]) <= _TERMS

    def _terms(self, node: int) -> list[int]:
        """The terms of a sum, those of a sum within it that nothing else uses in its place."""
        found: list[int] = []
        for arg in self._graph.args[node]:
            inner = self._within.get(arg) if self._uses[arg] == 1 else None
            found += [arg] if inner is None else inner
        return found if len(found) <= _TERMS else list(self._graph.args[node])

    def _cancelling(self, node: int) -> int:
        """The sum is small beside its terms; where it is a factor of a term of another sum, that term is what counts."""
        terms, above = self._within[node], self._above(node)
        names = [f"u{k}" for k in range(len(terms))]
        sizes = ", ".join(f"abs({name})" for name in names)
        given = [*(self._of[t] for t in terms), self._of[node]]
        if not above:
            return self._line.text(f"abs(w) < 1e-3*max({sizes})", (*names, "w"), tuple(given))
        beside = []
        for k, found in enumerate(above):
            given += [
                self._of[found.whole],
                *(self._of[n] for n in (found.times or ())),
                *(self._of[n] for n in found.over),
            ]
            times = [f"p{k}_{i}" for i in range(len(found.times or ()))]
            over = [f"q{k}_{i}" for i in range(len(found.over))]
            names += [f"s{k}", *times, *over]
            if found.times is None:  # where w is 0, so is the term, and says nothing of its error
                given.append(self._of[found.term])
                names.append(f"t{k}")
                beside.append(f"(w == 0 and max({sizes}) > 0) or abs(t{k})*max({sizes}) > 1e3*abs(s{k})*abs(w)")
            else:
                left = "*".join([*(f"abs({name})" for name in times), f"max({sizes})"])
                right = "*".join(["1e3", f"abs(s{k})", *(f"abs({name})" for name in over)])
                beside.append(f"{left} > {right}")
        order = [*names[: len(terms)], "w", *names[len(terms) :]]
        return self._line.text(" or ".join(beside), tuple(order), tuple(given))

    def _above(self, node: int) -> list[_Term]:
        """The terms that the sum is a factor of; none where it is used in another way."""
        found, todo = list[_Term](), [_Term(node, -1, (), ())]
        while todo and len(found) <= _TERMS:
            inner = todo.pop()
            for outer in self._users.get(inner.term, ()):
                if self._graph.rows[outer] in _SUMS:
                    found.append(inner._replace(whole=outer))
                elif self._graph.rows[outer] in _PRODUCTS:
                    todo.append(self._multiplied(inner, outer))
                else:
                    return []
            if not self._users.get(inner.term):
                return []
        return found if len(found) <= _TERMS else []

    def _multiplied(self, inner: _Term, outer: int) -> _Term:
        """A term as the product, quotient, power or negative `outer` that it is an argument of."""
        row, args = self._graph.rows[outer], self._graph.args[outer]
        others = [a for a in args if a != inner.term]
        if inner.times is not None and (row in _SIGNS or len(others) == 1):
            if row in _SIGNS:
                return inner._replace(term=outer)
            if row is rules.TABLE["*", 2]:
                return inner._replace(term=outer, times=(*inner.times, *others))
            if row is rules.TABLE["/", 2] and args[0] == inner.term:
                return inner._replace(term=outer, over=(*inner.over, *others))
        return _Term(outer, -1, None, ())

    def _exact(self, node: int) -> bool:
        constants = self._graph.constants
        return node in self._graph.inputs or (node in constants and not isinstance(constants[node], Typed))
