"""The shortest of the usual ways to write a derivative: each sum unchanged, factored, or over one denominator.

    -y/p + (1 - y)/(1 - p)          is  (p - y)/(p*(1 - p))
    3/(x - 1) - (3*x + 2)/(x - 1)^2  is  -5/(x - 1)^2
    x^2 - 2*x + x*(2*x - 2)         is  3*x^2 - 4*x

What the user wrote is kept, unless it merges with something. A form is chosen by its length in characters,
so what is printed is never longer than what was there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import gcd, lcm

from autodiff.core import templates
from autodiff.symbolic.expression import Symbols
from autodiff.symbolic.length import Lengths
from autodiff.symbolic.monomial import MINUS, ONE, ONE_TIME, Amount, Exponent, Factors, Product, Terms, exact, negated
from autodiff.symbolic.polynomial import divided, multiplied_out

_LARGE = 400
"""A sum of more characters is not multiplied out: it is cut into parts anyway."""


def shorter(symbols: Symbols, node: int) -> int:
    """The equation of `symbols` that says the same as `node`, wherever both have a value, in fewer characters or as many.

    One pass over the parts of the formula; what is shared stays shared.
    """
    lengths = Lengths(symbols)
    rewritten: dict[int, int] = {}
    for part in _bottom_up(symbols, node):
        rewritten[part] = _rewritten(symbols, lengths, part, rewritten)
    return rewritten[node]


def _bottom_up(symbols: Symbols, root: int) -> Iterator[int]:
    """The parts of a formula that can be rewritten one by one, each behind its own parts."""
    done: set[int] = set()
    todo = [(root, False)]
    while todo:
        node, ready = todo.pop()
        if node in done:
            continue
        if ready:
            done.add(node)
            yield node
        else:
            todo.append((node, True))
            todo.extend((part, False) for part in _parts(symbols, node) if part not in done)


def _parts(symbols: Symbols, node: int) -> Sequence[int]:
    """The factors of all terms; of a function its arguments; of what the user wrote nothing."""
    if node in symbols.theirs:
        return ()
    terms = symbols.as_sum(node)
    if len(terms) == 1 and node in _mentioned(terms):
        return symbols.graph.args[node]
    return _mentioned(terms)


def _mentioned(terms: Mapping[Factors, Amount]) -> list[int]:
    pairs = [pair for factors in terms for pair in factors]
    return [base for base, _ in pairs] + [e[0] for _, e in pairs if e[0] is not None]


def _rewritten(symbols: Symbols, lengths: Lengths, node: int, rewritten: Mapping[int, int]) -> int:
    parts = _parts(symbols, node)
    if not parts:
        return node
    terms = symbols.as_sum(node)
    changed = any(rewritten[part] != part for part in parts)
    if len(terms) == 1 and node in _mentioned(terms):
        row, args = symbols.graph.rows[node], tuple(rewritten[a] for a in symbols.graph.args[node])
        assert row is not None
        return _folded(symbols, symbols.call(row, args) if changed else node)
    if changed:
        node = symbols.total(symbols.product_of(amount, factors, rewritten) for factors, amount in terms.items())
        terms = symbols.as_sum(node)
    return _shortest(symbols, lengths, node, terms) if len(terms) > 1 else _signed(symbols, lengths, node)


def _folded(symbols: Symbols, node: int) -> int:
    """A function of 0 and 1 whose value is a whole number is that number: ln(1) is 0, exp(0) is 1."""
    row, constants = symbols.graph.rows[node], symbols.graph.constants
    args = [constants.get(a, 0.5) for a in symbols.graph.args[node]]
    if row is None or row.is_predicate or row.branches or row.conditions or not all(a in (0.0, 1.0) for a in args):
        return node
    if not all(inside(*args) for inside, _ in templates.domain(row)):
        return node
    value = templates.value(row)(*args)
    return symbols.constant(value) if value in (0.0, 1.0) else node


def _signed(symbols: Symbols, lengths: Lengths, node: int) -> int:
    """-(a - b) is b - a."""
    product = symbols.as_product(node)
    if product.amount.value >= 0:
        return node
    for base, exponent in product.factors:
        terms = symbols.as_sum(base)
        if exponent == (None, 1) and len(terms) > 1:
            turned = negated(terms)
            rest = Product(product.amount * MINUS, tuple(pair for pair in product.factors if pair[0] != base))
            if lengths.form(rest, turned) < lengths.product(product):
                return _built(symbols, rest, turned)
    return node


# --- sums ---------------------------------------------------------------------------------------------------------------


def _shortest(symbols: Symbols, lengths: Lengths, node: int, terms: Terms) -> int:
    best, least = None, lengths.form(Product(ONE), terms)
    for outer, inner in _forms(symbols, terms, opened=least <= _LARGE):
        if not inner:
            return symbols.constant(0.0)
        length = lengths.form(outer, inner)
        if length < least:
            best, least = (outer, inner), length
    return node if best is None else _built(symbols, *best)


def _built(symbols: Symbols, outer: Product, inner: Terms) -> int:
    return symbols.times(symbols.product(outer), symbols.sum(inner))


def _forms(symbols: Symbols, terms: Terms, *, opened: bool) -> Iterator[tuple[Product, Terms]]:
    """The ways to write a sum, each as a factor in front of a sum; `opened` tries what multiplying out gives as well."""
    for whole in _both(symbols, terms, opened=opened):
        if whole is not terms:
            yield Product(ONE), whole
        yield from with_content(Product(ONE), whole)
        for under in (False, True):
            factors, rest = taken_out(whole, under=under)
            if not factors:
                continue
            for inner in _both(symbols, rest, opened=opened):
                more, left = taken_out(inner, under=False)
                outer = Product(ONE, factors).times(Product(ONE, more))
                if outer is not None:
                    yield from with_content(outer, left)
                    yield outer, left
                    if opened:
                        yield from cancelled(symbols, outer, left)


def cancelled(symbols: Symbols, outer: Product, terms: Terms) -> Iterator[tuple[Product, Terms]]:
    """A sum divided by the sums in the denominator before it, as often as nothing remains."""
    for base, (symbol, number) in outer.factors:
        while symbol is None and number < 0 and number.denominator == 1:
            left = divided(terms, symbols.as_sum(base))
            up = outer.times(Product(ONE, ((base, ONE_TIME),)))
            if left is None or up is None:
                break
            outer, terms, number = up, left, number + 1
            yield from with_content(outer, terms)
            yield outer, terms


def _both(symbols: Symbols, terms: Terms, *, opened: bool) -> Iterator[Terms]:
    """A sum unchanged, and multiplied out where that differs, again and again."""
    yield terms
    out = multiplied_out(symbols, terms) if opened else None
    while out is not None:
        yield out
        out = multiplied_out(symbols, out)


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
