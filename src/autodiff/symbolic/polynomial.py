"""Sums of products as polynomials: multiplied out, and divided where nothing remains.

x*(x + 1) - x      multiplied out is  x^2
x^2 - 2*x + 1      divided by x - 1 is  x - 1
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from autodiff.symbolic.expression import Symbols
from autodiff.symbolic.monomial import MINUS, ONE, ONE_TIME, Exact, Exponent, Factors, Product, Terms, add, nonzero

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
                part = None if part is None else _times(part, symbols.as_sum(base))
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


def _times(a: Terms, b: Terms) -> Terms | None:
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
        part = None if step is None else _times({step.factors: step.amount * MINUS}, divisor)
        if step is None or part is None or any(number < 0 for _, (_, number) in step.factors):
            return None
        quotient[step.factors] = step.amount
        add(rest, part)
        rest = nonzero(rest)
    return quotient if not rest and under is not None else None


def _powers(factors: Factors, bases: Sequence[int]) -> tuple[Exact, ...]:
    of = {base: number for base, (_, number) in factors}
    return tuple(of.get(base, 0) for base in bases)
