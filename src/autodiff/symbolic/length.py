"""How long a formula is when it is written out: counted, not written.

symbols = Symbols(); x = symbols.input("x")
Lengths(symbols).node(symbols.times(x, x))          # x^2: 3 characters and 1 operation, which is 3*CHARACTER + 1
"""

from __future__ import annotations

from collections.abc import Sequence

from autodiff.core import rules
from autodiff.diagnostics import shown
from autodiff.language.ast import CONSTANTS
from autodiff.symbolic.expression import Symbols
from autodiff.symbolic.monomial import MINUS, ONE, Exponent, Product, Terms

CHARACTER = 2**24
"""What a character counts; an operation counts 1 more, so that of two formulas of as many characters the one with fewer
operations is shorter."""

LONGEST = 10**6 * CHARACTER
"""Lengths are counted up to here: a shared part may be written out more often than there are atoms."""

_NAMES = {
    value: CHARACTER * min(len(n) for n, v in CONSTANTS.items() if v == value and n.isascii())
    for value in CONSTANTS.values()
}
_ADD, _SUB, _POW = (rules.TABLE[name, 2] for name in ("+", "-", "^"))


class Lengths:
    """How long a formula is when it is written out, in characters, each as `CHARACTER`, and operations."""

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols
        self._of = symbols.lengths

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
        plus = _length(" + ", 1)
        size = sum(self.product(Product(n * MINUS if n.value < 0 else n, f)) + plus for f, n in inner.items()) - plus
        if all(n.value < 0 for n in inner.values()):
            size += _length("-", 1)
        return size if outer == Product(ONE) else self.product(outer, size + _BRACKETS)

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
            below.append(_length(under))
        if over not in ("1", "-1") or not above:
            above.append(_length(over))
        elif over == "-1":
            above[0] += _length("-", 1)
        quotient = _length("/", 1) + _joined(below) + _BRACKETS * (len(below) > 1) if below else 0
        return _joined(above) + quotient

    def _raised(self, base: int, exponent: Exponent) -> int:
        symbol, number = exponent
        length = self.node(base)
        if number == 1 and symbol is None:
            return length + _BRACKETS * self._loose(base)
        if symbol is None and number.denominator == 2 and number.numerator == 1:
            return length + _length("sqrt()", 1)
        length += _length("^", 1) + _BRACKETS * (not self._closed(base))
        if symbol is None:
            return length + _length(str(number)) + _BRACKETS * (number.denominator != 1)
        shift = _length(f" - {number}", 1) if number else 0
        return length + self.node(symbol) + shift + _BRACKETS * (bool(number) or not self._closed(symbol))

    def _leaf(self, node: int) -> int:
        graph = self._symbols.graph
        if node in graph.inputs:
            return CHARACTER  # however it is spelled: the shape of a formula must not depend on that
        value = graph.constants[node]
        return _NAMES[value] if value in _NAMES else _length(shown(value))

    def _operation(self, node: int) -> int:
        row, args = self._symbols.graph.rows[node], self._symbols.graph.args[node]
        assert row is not None
        inner = sum(self._of[a] for a in args)
        if row.name.isidentifier():
            return _length(row.name, 1) + len(args) * _BRACKETS + inner
        if row is _ADD or row is _SUB:
            return inner + _length(" + ", 1) + _BRACKETS * self._loose(args[1])
        if row is _POW:
            return inner + _length("^", 1) + _BRACKETS * sum(not self._closed(a) for a in args)
        return inner + _length(row.name, 1) + _BRACKETS * sum(self._loose(a) for a in args)

    def _loose(self, node: int) -> bool:
        """Whether it needs brackets as a factor."""
        row = self._symbols.graph.rows[node]
        return row is _ADD or row is _SUB

    def _closed(self, node: int) -> bool:
        """Whether it needs no brackets as a base."""
        row = self._symbols.graph.rows[node]
        return row is None or row.name.isidentifier()


def _length(text: str, operations: int = 0) -> int:
    return len(text) * CHARACTER + operations


_BRACKETS = _length("()")


def _joined(lengths: Sequence[int]) -> int:
    return sum(lengths) + max(len(lengths) - 1, 0) * _length("*", 1)
