"""How many characters a formula takes when it is written out: counted, not written.

symbols = Symbols(); x = symbols.input("x")
Lengths(symbols).node(symbols.times(x, x))          # x^2: 3
"""

from __future__ import annotations

from collections.abc import Sequence

from autodiff.core import rules
from autodiff.diagnostics import shown
from autodiff.language.ast import CONSTANTS
from autodiff.symbolic.expression import Symbols
from autodiff.symbolic.monomial import MINUS, ONE, Amount, Exponent, Product, Terms

LONGEST = 10**6
"""Lengths are counted up to here: a shared part may be written out more often than there are atoms."""

_NAMES = {
    value: min(len(n) for n, v in CONSTANTS.items() if v == value and n.isascii()) for value in CONSTANTS.values()
}
_ADD, _SUB, _POW = (rules.TABLE[name, 2] for name in ("+", "-", "^"))


class Lengths:
    """How many characters a formula takes when it is written out."""

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols
        self._of: list[int] = []

    def node(self, node: int) -> int:
        """The length of an equation, or the limit."""
        graph = self._symbols.graph
        for i in range(len(self._of), node + 1):
            self._of.append(min(self._operation(i) if graph.rows[i] is not None else self._leaf(i), LONGEST))
        return self._of[node]

    def form(self, outer: Product, inner: Terms) -> int:
        """The length of a factor in front of a sum."""
        if len(inner) == 1:
            factors, amount = next(iter(inner.items()))
            whole = outer.times(Product(amount, factors))
            return LONGEST if whole is None else self.product(whole)
        size = sum(self.product(Product(_size(n), f)) + 3 for f, n in inner.items()) - 3
        if all(n.value < 0 for n in inner.values()):
            size += 1
        return size if outer == Product(ONE) else self.product(outer, size + 2)

    def product(self, product: Product, more: int = 0) -> int:
        """The length of a product, with one more factor of the length `more`."""
        value = product.amount.value
        above = [self._raised(base, e) for base, e in product.factors if e[0] is not None or e[1] > 0] + [more] * (
            more > 0
        )
        below = [self._raised(base, (None, -e[1])) for base, e in product.factors if e[0] is None and e[1] < 0]
        over, under = (
            (shown(float(value)), "1") if product.amount.decimal else (str(value.numerator), str(value.denominator))
        )
        if under != "1":
            below.append(len(under))
        if over not in ("1", "-1") or not above:
            above.append(len(over))
        elif over == "-1":
            above[0] += 1
        return _joined(above) + (1 + _joined(below) + 2 * (len(below) > 1) if below else 0)

    def _raised(self, base: int, exponent: Exponent) -> int:
        symbol, number = exponent
        length = self.node(base)
        if symbol is not None:
            upper = self.node(symbol) + (3 + len(str(number)) if number else 0)
            return length + 1 + upper + 2 * (not self._closed(base)) + 2 * (bool(number) or not self._closed(symbol))
        if number == 1:
            return length + 2 * self._loose(base)
        if number.denominator == 2 and number.numerator == 1:
            return length + 6
        upper = len(str(number)) + 2 * (number.denominator != 1)
        return length + 1 + upper + 2 * (not self._closed(base))

    def _leaf(self, node: int) -> int:
        graph = self._symbols.graph
        if node in graph.inputs:
            return 1  # however it is spelled: the shape of a formula must not depend on that
        value = graph.constants[node]
        return _NAMES[value] if value in _NAMES else len(shown(value))

    def _operation(self, node: int) -> int:
        row, args = self._symbols.graph.rows[node], self._symbols.graph.args[node]
        assert row is not None
        inner = sum(self._of[a] for a in args)
        if row.name.isidentifier():
            return len(row.name) + 2 * len(args) + inner
        if row is _ADD or row is _SUB:
            return inner + 3 + 2 * (row is _SUB and self._loose(args[1]))
        if row is _POW:
            return inner + 1 + 2 * sum(not self._closed(a) for a in args)
        return inner + len(row.name) + 2 * sum(self._loose(a) for a in args)

    def _loose(self, node: int) -> bool:
        """Whether it needs brackets as a factor."""
        row = self._symbols.graph.rows[node]
        return row is _ADD or row is _SUB

    def _closed(self, node: int) -> bool:
        """Whether it needs no brackets as a base."""
        row = self._symbols.graph.rows[node]
        return row is None or row.name.isidentifier()


def _size(amount: Amount) -> Amount:
    return amount * MINUS if amount.value < 0 else amount


def _joined(lengths: Sequence[int]) -> int:
    return sum(lengths) + max(len(lengths) - 1, 0)
