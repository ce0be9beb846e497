"""Sums of products as polynomials: multiplied out, divided where nothing remains, and with what all terms share in front.

x*(x + 1) - x      multiplied out is  x^2
x^2 - 2*x + 1      divided by x - 1 is  x - 1
2*x^2 + 4*x        with what its terms share in front is  2*x*(x + 2)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import gcd, lcm, prod

from autodiff.symbolic.expression import Symbols
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
    exact,
    nonzero,
)

WIDEST = 24
"""Terms that a sum may have when its products are multiplied out."""

_STEEPEST = 4
"""The highest power of a sum that is multiplied out."""


def multiplied_out(symbols: Symbols, terms: Terms, widest: int = WIDEST) -> Terms | None:
    """A sum with the sums among its factors multiplied out and like terms collected; None when nothing is to be done.

    Nothing is done either where there would be more than `widest` terms.
    """
    open_pairs = [[pair for pair in factors if _opens(symbols, pair)] for factors in terms]
    if not any(open_pairs) or sum(_width(symbols, pairs) for pairs in open_pairs) > widest:
        return None
    total: Terms = {}
    for (factors, amount), pairs in zip(terms.items(), open_pairs, strict=True):
        part: Terms | None = {tuple(pair for pair in factors if pair not in pairs): amount}
        for base, (_, times) in pairs:
            for _ in range(int(times)):
                part = None if part is None else product_of_sums(part, symbols.as_sum(base))
        if part is None:
            return None
        add(total, part)
    return nonzero(total)


def _width(symbols: Symbols, pairs: Sequence[tuple[int, Exponent]]) -> int:
    """How many terms a product of powers of sums has before they are collected."""
    return prod(max(len(symbols.as_sum(base)), 1) ** int(times) for base, (_, times) in pairs)


def _opens(symbols: Symbols, pair: tuple[int, Exponent]) -> bool:
    base, (symbol, times) = pair
    whole = symbol is None and times.denominator == 1 and 0 < times <= _STEEPEST
    return whole and symbols.as_sum(base) != {((base, ONE_TIME),): ONE}


def product_of_sums(a: Terms, b: Terms) -> Terms | None:
    """Every term of the one times every term of the other; None where a product of two can't be collected."""
    total: Terms = {}
    for first, m in a.items():
        for second, n in b.items():
            product = Product(m, first).times(Product(n, second))
            if product is None:
                return None
            add(total, {product.factors: product.amount})
    return total


def divided(terms: Terms, divisor: Terms) -> Terms | None:
    """The quotient of two sums; None when something remains, or when an exponent is no number.

    Long division by the terms in lexical order of their exponents.
    """
    pairs = [pair for factors in (*terms, *divisor) for pair in factors]
    if len(divisor) < 2 or any(symbol is not None for _, (symbol, _) in pairs):
        return None
    bases = sorted({base for base, _ in pairs})
    lead = max(divisor, key=lambda factors: _powers(factors, bases))
    under = Product(divisor[lead], lead).inverse()
    rest: Terms = dict(terms)
    quotient: Terms = {}
    for _ in range(WIDEST):  # a step takes the leading term away, except where two terms lead
        if not rest or under is None:
            break
        top = max(rest, key=lambda factors: _powers(factors, bases))
        step = Product(rest[top], top).times(under)
        part = None if step is None else product_of_sums({step.factors: step.amount * MINUS}, divisor)
        if step is None or part is None or any(number < 0 for _, (_, number) in step.factors):
            return None
        quotient[step.factors] = step.amount
        add(rest, part)
        rest = nonzero(rest)
    return quotient if not rest and under is not None else None


def _powers(factors: Factors, bases: Sequence[int]) -> tuple[Exact, ...]:
    of = {base: number for base, (_, number) in factors}
    return tuple(of.get(base, 0) for base in bases)


def cancelled(symbols: Symbols, outer: Product, terms: Terms) -> Iterator[tuple[Product, Terms]]:
    """A sum divided by the sums in the denominator before it, as often as nothing remains."""
    for base, (symbol, number) in outer.factors:
        while symbol is None and number < 0:
            left = divided(terms, symbols.as_sum(base))
            up = outer.times(Product(ONE, ((base, ONE_TIME),)))
            if left is None or up is None:
                break
            outer, terms, number = up, left, number + 1
            yield from with_content(outer, terms)
            yield outer, terms


def with_content(outer: Product, terms: Terms) -> Iterator[tuple[Product, Terms]]:
    """The largest number that divides every term, in front: 2*x + 4 is 2*(x + 2), x/2 + 1/3 is (3*x + 2)/6.

    A sign that all terms share goes with it.
    """
    if len(terms) < 2 or any(n.decimal for n in terms.values()):
        return
    above = gcd(*(n.value.numerator for n in terms.values())) * (-1 if all(n.value < 0 for n in terms.values()) else 1)
    below = lcm(*(n.value.denominator for n in terms.values()))
    if above != 1 or below != 1:
        content = Amount(above) * Amount(below).inverse()
        taken = content.inverse()
        yield Product(outer.amount * content, outer.factors), {f: n * taken for f, n in terms.items()}


def taken_out(terms: Terms, *, under: bool) -> tuple[Factors, Terms]:
    """The factors that all terms share, and what is left of the terms; with `under` the common denominator as well."""
    columns: dict[int, list[Exponent]] = {}
    for factors in terms:
        for base, exponent in factors:
            columns.setdefault(base, []).append(exponent)
    common: dict[int, Exponent] = {}
    for base, column in columns.items():
        symbol, lowest = column[0][0], min(number for _, number in column)
        everywhere = len(column) == len(terms) and all(node == symbol for node, _ in column)
        if everywhere and (symbol is not None or lowest > 0 or under):
            common[base] = (symbol, lowest)
        elif under and lowest < 0 and all(node is None for node, _ in column):
            common[base] = (None, lowest)
    kept = tuple(sorted((b, e) for b, e in common.items()))
    return kept, {_without(factors, common): amount for factors, amount in terms.items()} if kept else terms


def _without(factors: Factors, common: Mapping[int, Exponent]) -> Factors:
    """Factors divided by those in common, whose exponents are as low."""
    exponents: dict[int, Exponent] = {
        base: (None, exact(-lowest)) for base, (symbol, lowest) in common.items() if symbol is None
    }
    for base, (symbol, number) in factors:
        if base in common:
            exponents[base] = (None, exact(number - common[base][1]))
        else:
            exponents[base] = (symbol, number)
    return tuple(sorted((b, e) for b, e in exponents.items() if e[0] is not None or e[1]))
