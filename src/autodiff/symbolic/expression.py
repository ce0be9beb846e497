"""The algebra of symbols: products and sums that collect themselves as they are built.

    2*x * x^2  is  2*x^3        x*ln(x)/x  is  ln(x)        a + a  is  2*a        if(c, a, 0)*b  is  if(c, a*b, 0)

A factor `base^exponent` and a term `number*factors` occur once each, so like powers and like terms are collected. Numbers are
exact fractions. A formula that is in the graph already is reused, so what the user wrote keeps its form
(`x*x` does not become `x^2`). Where a collection loses a domain (`x/x` is 1), `conditions` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.core.primitive import Primitive
from autodiff.symbolic.choices import IF, branch_taken, nonzero_branch
from autodiff.symbolic.monomial import (
    MINUS,
    ONE,
    ONE_TIME,
    Amount,
    Exact,
    Exponent,
    Factors,
    Product,
    Terms,
    add,
    as_constant,
    collected,
    exact_product,
    negated,
    nonzero,
    plain,
)

_ADD, _SUB, _MUL, _DIV, _POW = (rules.TABLE[name, 2] for name in ("+", "-", "*", "/", "^"))
_EXP, _LN = rules.TABLE["exp", 1], rules.TABLE["ln", 1]
_NEG, _SAME, _SQRT = rules.TABLE["-", 1], rules.TABLE["+", 1], rules.TABLE["sqrt", 1]

_HALF: Exponent = (None, Fraction(1, 2))


class Symbols:
    """A graph of formulas that are tidied as they are built. Every method takes and gives numbers of equations in `graph`.

    `own(row, args)` adds an equation unchanged; `call(row, args)` makes the same function of its arguments in its tidy form.
    `theirs` are the equations that the user wrote, which no later pass rewrites; `lengths` those that `length` has counted.
    """

    def __init__(self) -> None:
        self.graph = Graph()
        self.heights: list[int] = []
        self.theirs: set[int] = set()
        self.lengths: list[int] = []
        self._products: list[Product] = []
        self._sums: list[Terms] = []
        self._as_product: dict[Product, int] = {}
        self._as_sum: dict[frozenset[tuple[Factors, Amount]], int] = {}

    def constant(self, value: float) -> int:
        return self.graph.constant(value)

    def input(self, name: str) -> int:
        return self.graph.input(name)

    def own(self, row: Primitive, args: tuple[int, ...]) -> int:
        """The equation, unchanged."""
        return self.graph.call(row, args)

    def call(self, row: Primitive, args: tuple[int, ...]) -> int:
        """The same function of these arguments, tidy."""
        if row is _MUL:
            return self.times(*args)
        if row is _DIV:
            return self.over(*args)
        if row is _ADD or row is _SUB:
            return self.plus(args[1] if row is _ADD else self.negative(args[1]), args[0])
        if row is _NEG:
            return self.negative(args[0])
        if row is _SAME:
            return args[0]
        if row is _POW or row is _SQRT:
            product = self._power(*args) if row is _POW else Product(ONE, ((args[0], _HALF),))
            return self.own(row, args) if product is None else self.product(product)
        if row is IF and args[1] == args[2]:
            return args[1]
        if row is IF and (taken := branch_taken(self.graph, args[0])):
            return args[taken]
        return self.own(row, args)

    # --- products ---------------------------------------------------------------------------------------------------

    def times(self, a: int, b: int) -> int:
        """a*b; a factor moves into a choice whose other branch is 0, so that it is not evaluated where that branch is taken."""
        choices: list[tuple[int, bool]] = []
        parts = [a, b]
        for i in (0, 1):
            while (branch := nonzero_branch(self.graph, parts[i])) is not None:
                choices.append((self.graph.args[parts[i]][0], branch == 1))
                parts[i] = self.graph.args[parts[i]][branch]
        node = self._times(*parts)
        zero = self.constant(0.0)
        for condition, first in reversed(choices):
            node = self.call(IF, (condition, node, zero) if first else (condition, zero, node))
        return node

    def _times(self, a: int, b: int) -> int:
        product = self.as_product(a).times(self.as_product(b))
        return self.own(_MUL, (a, b)) if product is None else self.product(product)

    def number(self, node: int) -> float | None:
        """The value of an equation that no input changes: a constant, a fraction, or 0 as that of x - x; else None."""
        if node in self.graph.constants:
            return self.graph.constants[node]
        product = self.as_product(node)
        if not product.factors:
            return float(product.amount.value)
        return None if any(amount.value for amount in self.as_sum(node).values()) else 0.0

    def over(self, a: int, b: int) -> int:
        """a/b."""
        product = self.as_product(a).over(self.as_product(b))
        return self.own(_DIV, (a, b)) if product is None else self.product(product)

    def negative(self, a: int) -> int:
        """-a."""
        return self.sum(negated(self.as_sum(a)))

    def _power(self, base: int, exponent: int) -> Product | None:
        number = self.as_product(exponent)
        if not number.factors:
            return self._fixed_power(base, number.amount)
        terms = dict(self.as_sum(exponent))
        shift = terms.pop((), Amount(0))
        return Product(ONE, ((base, (self.sum(terms), shift.value)),)) if plain(shift) else None

    def _fixed_power(self, base: int, exponent: Amount) -> Product | None:
        """A power by a number; a constant to a fraction stays as it is written."""
        if exponent.value.denominator == 1:
            return self.as_product(base).power(exponent.value.numerator)
        return None if base in self.graph.constants else Product(ONE, ((base, (None, exponent.value)),))

    def as_product(self, node: int) -> Product:
        """An equation seen as a number times factors."""
        self._index_until(node)
        return self._products[node]

    def product(self, product: Product) -> int:
        """The equation of a product: the existing one, or a new one with numbers first, then simple factors, then deep ones."""
        if not product.amount.value:
            return self.constant(0.0)
        if product in self._as_product and product.factors:  # a number is written as a number, not as the user's x/x
            return self._as_product[product]
        factors = sorted(product.factors, key=self._depth)
        above = [self._raised(base, e) for base, e in factors if e[0] is not None or e[1] > 0]
        below = [self._raised(base, (None, -e[1])) for base, e in factors if e[0] is None and e[1] < 0]
        node = self._signed(product.amount, above, below)
        self._index_until(node)
        self._products[node] = product
        if any(
            exponent[0] is not None for _, exponent in factors
        ):  # it is read from how exponents are written, as decimals
            self._sums[node] = {product.factors: product.amount}
        return self._as_product.setdefault(product, node) if product.factors else node

    def product_of(self, amount: Amount, factors: Factors, replaced: Mapping[int, int]) -> int:
        """The equation of a product whose bases and exponents are replaced as `replaced` says."""
        node = self.product(Product(amount))
        for base, (exponent, number) in factors:
            if exponent is None and number.denominator == 1:
                raised = self.as_product(replaced[base]).power(number.numerator)
            else:
                raised = Product(ONE, ((replaced[base], (None if exponent is None else replaced[exponent], number)),))
            other = self._raised(replaced[base], (exponent, number)) if raised is None else self.product(raised)
            node = self.times(node, other)
        return node

    def _signed(self, amount: Amount, above: list[int], below: list[int]) -> int:
        value = amount.value
        over, under = (
            (float(value), 1.0) if amount.decimal else (as_constant(value.numerator), as_constant(value.denominator))
        )
        if under != 1.0:
            below = [self.constant(under), *below]
        if over == -1.0 and above:
            above = [self.own(_NEG, (above[0],)), *above[1:]]
        elif over != 1.0 or not above:
            above = [self.constant(over), *above]
        return self._chain(
            _DIV, [self._chain(_MUL, above), self._chain(_MUL, below)] if below else [self._chain(_MUL, above)]
        )

    def _chain(self, row: Primitive, parts: list[int]) -> int:
        node = parts[0]
        for part in parts[1:]:
            node = self.own(row, (node, part))
        return node

    def _raised(self, base: int, exponent: Exponent) -> int:
        node, number = exponent
        if node is not None:
            return self.own(_POW, (base, self.plus(node, self._number(number))))
        if number == 1:
            return base
        if (None, number) == _HALF:
            return self.own(_SQRT, (base,))
        return self.own(_POW, (base, self._number(number)))

    def _number(self, value: Exact) -> int:
        """A number: with a point when that writes it in full, else as a fraction."""
        if 10**6 % value.denominator == 0:
            return self.constant(float(value))
        return self.own(
            _DIV, (self.constant(as_constant(value.numerator)), self.constant(as_constant(value.denominator)))
        )

    # --- sums -------------------------------------------------------------------------------------------------------

    def plus(self, a: int, b: int) -> int:
        """a + b; new terms of b come first, since the reverse sweep reaches a program's last terms first."""
        terms = collected(self._choices(add(dict(self.as_sum(b)), self.as_sum(a))))
        return self.own(_ADD, (a, b)) if terms is None else self.sum(terms)

    def total(self, parts: Iterable[int]) -> int:
        """The sum of all, in this order."""
        node = self.constant(0.0)
        for part in parts:
            node = self.plus(part, node)
        return node

    def _choices(self, terms: Terms) -> Terms:
        """Choices by one condition are one choice: if(c, a, 0) + if(c, 0, b) is if(c, a, b)."""
        first: dict[int, Factors] = {}
        for factors in list(terms):
            node = factors[0][0] if len(factors) == 1 and factors[0][1] == ONE_TIME else None
            if node is None or self.graph.rows[node] is not IF or terms[factors] != ONE:
                continue
            condition, yes, no = self.graph.args[node]
            if condition not in first:
                first[condition] = factors
                continue
            other = self.graph.args[first[condition][0][0]]
            del terms[factors], terms[first.pop(condition)]
            joined = self.call(IF, (condition, self.plus(other[1], yes), self.plus(other[2], no)))
            return self._choices(add(terms, self.as_sum(joined)))  # which may hold a term that is there already
        return terms

    def as_sum(self, node: int) -> Terms:
        """An equation seen as a sum of products."""
        self._index_until(node)
        return self._sums[node]

    def sum(self, terms: Mapping[Factors, Amount]) -> int:
        """The equation of a sum: the existing one, or its terms with a positive one in front."""
        terms = nonzero(terms)
        if not terms:
            return self.constant(0.0)
        key = frozenset(terms.items())
        known = self._as_sum.get(key)
        if known is not None and (len(terms) < 2 or self.graph.rows[known] is not _NEG or known in self.theirs):
            return known  # -(1 - p) that a product led to is written p - 1
        order = sorted(terms.items(), key=lambda term: -self._degree(term[0]))
        lead = next((i for i, (_, amount) in enumerate(order) if amount.value > 0), 0)
        order.insert(0, order.pop(lead))
        node = self.product(Product(order[0][1], order[0][0]))
        for factors, amount in order[1:]:
            less = amount.value < 0
            node = self.own(
                _SUB if less else _ADD, (node, self.product(Product(amount * MINUS if less else amount, factors)))
            )
        self._index_until(node)
        if len(order) > 1:
            self._sums[node] = dict(order)
        self._as_sum[key] = node
        return node

    def _degree(self, factors: Factors) -> Exact:
        """The sorting key of a term: a polynomial's terms are sorted by falling powers, others keep their place."""
        plain = all(base in self.graph.inputs and e[0] is None for base, e in factors)
        return sum((e[1] for _, e in factors), 0) if plain else 1

    # --- seeing -----------------------------------------------------------------------------------------------------

    def _depth(self, factor: tuple[int, Exponent]) -> tuple[int, int]:
        """The sorting key of a factor: simple factors before deep ones."""
        base, (exponent, _) = factor
        self._index_until(max(base, exponent or 0))
        return self.heights[base] + (0 if exponent is None else self.heights[exponent]), base

    def _index_until(self, node: int) -> None:
        """Index every equation up to this one as a product and as a sum."""
        for i in range(len(self._products), node + 1):
            args = self.graph.args[i]
            self.heights.append(1 + max((self.heights[a] for a in args), default=0))
            product = self._product_of(i) or Product(ONE, ((i, ONE_TIME),))
            self._products.append(product)
            self._as_product.setdefault(product, i)
            terms = self._sum_of(i)
            if terms is None:
                terms = {product.factors: product.amount}
            self._sums.append(terms)
            if len(terms) > 1:
                self._as_sum.setdefault(frozenset(terms.items()), i)

    def _product_of(self, node: int) -> Product | None:
        row, args = self.graph.rows[node], self.graph.args[node]
        if node in self.graph.constants:
            return exact_product(self.graph.constants[node])
        if row is _MUL or row is _DIV:
            first, other = self._products[args[0]], self._products[args[1]]
            return first.over(other) if row is _DIV else first.times(other)
        if row is _NEG:
            return self._products[args[0]].times(Product(MINUS))
        if row is _SAME:
            return self._products[args[0]]
        if row is _SQRT:
            return Product(ONE, ((args[0], _HALF),))
        if row is _EXP and self.graph.rows[args[0]] is _LN:
            return self._products[self.graph.args[args[0]][0]]
        return self._power_of(*args) if row is _POW else None

    def _power_of(self, base: int, exponent: int) -> Product | None:
        number = self._products[exponent]
        if not number.factors:
            return self._fixed_power(base, number.amount)
        return Product(ONE, ((base, self._split(exponent)),))

    def _split(self, exponent: int) -> Exponent:
        """An exponent as an existing equation plus a number, where possible: n - 1 is n plus -1."""
        terms = dict(self._sums[exponent])
        shift = terms.pop((), Amount(0))
        if len(terms) == 1:
            factors, amount = next(iter(terms.items()))
            rest = self._as_product.get(Product(amount, factors))
        else:
            rest = self._as_sum.get(frozenset(terms.items()))
        return (exponent, 0) if rest is None or shift.decimal else (rest, shift.value)

    def _sum_of(self, node: int) -> Terms | None:
        row, args = self.graph.rows[node], self.graph.args[node]
        if row is _SAME:
            return self._sums[args[0]]
        if row is _NEG:
            return negated(self._sums[args[0]])
        if row is not _ADD and row is not _SUB:
            return None
        right = self._sums[args[1]]
        return collected(add(dict(self._sums[args[0]]), negated(right) if row is _SUB else right))
