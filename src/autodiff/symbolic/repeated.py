"""Derivatives of high order as formulas: products and sums are collected from one order to the next.

    ln(x + 1)    order 50 is  -608…000/(x + 1)^50
    exp(-x^2)    order n is  exp(-x^2) times a polynomial with n/2 terms

A derivative is kept as a factor in front of a sum of terms, over bases such as `x`, `sin(x^2)` and `x + 1`. The slope of
a base is found once, for all orders; what a base's slope needs is again a base. Terms are counted as they are made.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from autodiff.core import rules
from autodiff.symbolic.choices import nonzero_branch
from autodiff.symbolic.expression import Symbols
from autodiff.symbolic.length import CHARACTER, Lengths
from autodiff.symbolic.monomial import (
    LARGEST,
    MINUS,
    ONE,
    Amount,
    Exact,
    Exponent,
    Factors,
    Product,
    Terms,
    add,
    negated,
    nonzero,
    plain,
)
from autodiff.symbolic.polynomial import cancelled, multiplied_out, taken_out, with_content
from autodiff.symbolic.shortest import shorter

MOST = 400
"""Terms that a derivative may have here."""

_FACTORS = 1100
"""Factors that a term may have: as many as there are orders, for `x^n`."""

_READABLE = 12
"""Terms up to which a sum is also written in each of the usual ways, to see which is shortest."""

_DEEPEST = 16
"""Choices inside choices whose branches are differentiated as sums of terms."""

_LN, _IF = rules.TABLE["ln", 1], rules.TABLE["if", 3]


class TooManyTerms(Exception):
    """The derivative has more terms than are kept here, numbers that can't be written down, or factors that must not meet."""


class Form(NamedTuple):
    """A factor in front of a sum; the sum of nothing is 0."""

    outer: Product
    inner: Terms

    @property
    def readable(self) -> bool:
        """Whether it is short enough to try other ways to write it."""
        return len(self.inner) <= _READABLE


class Repeated:
    """The derivatives of formulas by one name: `slope` gives the first derivative of an equation by it.

    `higher(node, n)` is a derivative of order n; between, `after(form)` is the derivative of a form, `form(node)` reads an
    equation, `node(form)` writes one.
    """

    def __init__(self, symbols: Symbols, slope: Callable[[int], int]) -> None:
        self._symbols = symbols
        self._slope = slope
        self._slopes: dict[int, Terms] = {}
        self._forms: dict[int, Form] = {}
        self._depth = 0

    def higher(self, node: int, times: int) -> tuple[int, int]:
        """An equation differentiated so many times, or as often as that can be done here; and how many times are left."""
        left = times
        try:
            before = form = self.form(node)
            with suppress(TooManyTerms):
                while left:
                    before, form, left = form, self.after(form), left - 1
            if left == times:
                return node, times
            written = self.node(form)
            if form.readable and form.outer.amount.value.numerator in range(-LARGEST, LARGEST):
                written = min(written, self._slope(self.node(before)), key=Lengths(self._symbols).node)
        except TooManyTerms:
            return node, times
        return written, left

    def form(self, node: int) -> Form:
        """An equation as a form."""
        return self._tidy(Product(ONE), dict(self._symbols.as_sum(node)))

    def after(self, form: Form) -> Form:
        """The derivative of a form. Raises TooManyTerms."""
        total: Terms = {}
        for factors, amount in form.inner.items():
            part = Product(amount, factors)
            for base, exponent in _product(part, Product(ONE, form.outer.factors)).factors:
                for change in self._changes(base, exponent):
                    product = _product(part, change)
                    add(total, {product.factors: product.amount})
            if len(total) > MOST:
                raise TooManyTerms
        return self._tidy(form.outer, total)

    def _changes(self, base: int, exponent: Exponent) -> list[Product]:
        """What a power is multiplied by, term by term, when it is differentiated: of u^n these are n/u*u' and ln(u)*n'."""
        symbol, number = exponent
        changes: list[Product] = []
        slope = self._of(base)
        if slope:
            times = (
                Product(Amount(number)) if symbol is None else self._symbols.as_product(self._shifted(symbol, number))
            )
            times = _product(times, Product(ONE, ((base, (None, -1)),)))
            changes += [_product(times, Product(amount, factors)) for factors, amount in slope.items()]
        rise = {} if symbol is None else self._of(symbol)
        if rise:
            logarithm = self._symbols.as_product(self._symbols.own(_LN, (base,)))
            changes += [_product(logarithm, Product(amount, factors)) for factors, amount in rise.items()]
        return changes

    def _shifted(self, symbol: int, number: Exact) -> int:
        """An equation plus a number."""
        terms = dict(self._symbols.as_sum(symbol))
        add(terms, {(): Amount(number)})
        return self._symbols.sum(terms)

    def _of(self, base: int) -> Terms:
        """The slope of a base as a sum of products."""
        if base not in self._slopes:
            choice = self._symbols.graph.rows[base] is _IF
            terms = self._symbols.as_sum(self._chosen(base) if choice else self._slope(base))
            self._slopes[base] = nonzero(terms)
        return self._slopes[base]

    def _chosen(self, choice: int) -> int:
        """The slope of a choice: each branch for itself, from one order to the next."""
        condition, *branches = self._symbols.graph.args[choice]
        if self._depth == _DEEPEST:
            raise TooManyTerms
        self._depth += 1
        slopes = []
        for branch in branches:
            form = self.after(self._forms.get(branch) or self.form(branch))
            slopes.append(self.node(form))
            self._forms[slopes[-1]] = form
        self._depth -= 1
        return self._symbols.call(_IF, (condition, *slopes))

    # --- collecting ---------------------------------------------------------------------------------------------------

    def _tidy(self, outer: Product, terms: Terms) -> Form:
        """A sum with like terms collected, over one denominator, and its common factors in front."""
        terms = nonzero(terms)
        outer, terms = self._in_front(outer, terms)
        opened = self._opened(terms)
        if opened is not None and len(opened) <= len(terms):
            outer, terms = self._in_front(outer, opened)
        if not terms:
            return Form(Product(ONE), {})
        outer, terms = [(outer, terms), *cancelled(self._symbols, outer, terms)][-1]
        outer, terms = [(outer, terms), *with_content(outer, terms)][-1]
        if len(terms) == 1:
            factors, amount = next(iter(terms.items()))
            outer, terms = _product(outer, Product(amount, factors)), {(): ONE}
        if not all(map(plain, (outer.amount, *terms.values()))):
            raise TooManyTerms
        for factors in terms:
            self._require_separate(outer, factors)
        return Form(outer, terms)

    def _require_separate(self, outer: Product, factors: Factors) -> None:
        """Raise TooManyTerms where a choice that is 0 elsewhere has other factors: they must not be evaluated there."""
        bases = {base for base, _ in (*outer.factors, *factors)}
        if len(bases) > 1 and any(nonzero_branch(self._symbols.graph, base) is not None for base in bases):
            raise TooManyTerms

    def _in_front(self, outer: Product, terms: Terms) -> tuple[Product, Terms]:
        factors, rest = taken_out(terms, under=True)
        return _product(outer, Product(ONE, factors)), rest

    def _opened(self, terms: Terms) -> Terms | None:
        """The sum with the sums among its factors multiplied out."""
        opened = None
        widest = min(4 * len(terms) + 24, 4 * MOST)
        out = multiplied_out(self._symbols, terms, widest) if len(terms) > 1 else None
        while out is not None:
            opened, out = out, multiplied_out(self._symbols, out, widest)
        return opened

    # --- writing ------------------------------------------------------------------------------------------------------

    def node(self, form: Form) -> int:
        """The equation of a form, in the shortest of several ways to write it."""
        symbols, lengths = self._symbols, Lengths(self._symbols)
        if not form.inner:
            return symbols.constant(0.0)
        ways = [self._written(lengths, *_signed(form))]
        if form.readable:
            ways[0] = shorter(symbols, ways[0])
            with suppress(TooManyTerms):
                parts = [_product(form.outer, Product(amount, factors)) for factors, amount in form.inner.items()]
                ways.append(shorter(symbols, symbols.total(map(symbols.product, parts))))
        return min(ways, key=lengths.node)

    def _written(self, lengths: Lengths, outer: Product, inner: Terms) -> int:
        front = self._symbols.product(outer)
        return front if inner == {(): ONE} else self._symbols.times(front, self._grouped(lengths, inner))

    def _grouped(self, lengths: Lengths, terms: Terms) -> int:
        """A sum; a long one by the powers of the base that this saves most characters with."""
        symbols = self._symbols
        base = self._worth(lengths, terms) if len(terms) > _READABLE // 2 else None
        if base is None:
            return symbols.sum(terms)
        groups: dict[Exponent, Terms] = {}
        for factors, amount in terms.items():
            exponent = next((e for b, e in factors if b == base), (None, 0))
            groups.setdefault(exponent, {})[tuple(pair for pair in factors if pair[0] != base)] = amount
        total: Terms = {}
        for exponent, group in sorted(groups.items(), key=lambda item: -item[0][1]):
            front, rest = [(Product(ONE), group), *with_content(Product(ONE), group)][-1]
            common, rest = taken_out(rest, under=False)
            front = _product(front, Product(ONE, common))
            if exponent[1]:
                front = _product(front, Product(ONE, ((base, exponent),)))
            inside = symbols.as_product(self._grouped(lengths, rest))
            product = _product(front, inside)
            add(total, {product.factors: product.amount})
        return symbols.sum(total)

    def _worth(self, lengths: Lengths, terms: Terms) -> int | None:
        """The base by whose powers a sum is grouped: the one that is then written fewest times."""
        saved: dict[int, int] = {}
        seen: dict[int, set[Exponent]] = {}
        for factors in terms:
            for base, exponent in factors:
                if exponent[0] is not None:
                    continue
                length = lengths.product(Product(ONE, ((base, exponent),))) + CHARACTER
                known = seen.setdefault(base, set())
                saved[base] = saved.get(base, 0) + (length if exponent in known else -2 * CHARACTER)
                known.add(exponent)
        best = max(saved, key=lambda base: (saved[base], -base), default=None)
        return best if best is not None and saved[best] > 0 else None


def _signed(form: Form) -> Form:
    """A form with its sign moved into a sum of mixed signs: x - y for -(y - x)."""
    outer, inner = form
    mixed = any(n.value < 0 for n in inner.values()) or (len(inner) > 1 and not outer.factors)
    if outer.amount.value > 0 or not mixed:
        return form
    return Form(Product(outer.amount * MINUS, outer.factors), negated(inner))


def _product(a: Product, b: Product) -> Product:
    product = a.times(b, _FACTORS)
    if product is None:
        raise TooManyTerms
    return product
