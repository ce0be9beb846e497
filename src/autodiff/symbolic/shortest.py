"""The shortest of the usual ways to write a derivative: each sum unchanged, factored, or over one denominator.

    -y/p + (1 - y)/(1 - p)          is  (p - y)/(p*(1 - p))
    3/(x - 1) - (3*x + 2)/(x - 1)^2  is  -5/(x - 1)^2
    x^2 - 2*x + x*(2*x - 2)         is  3*x^2 - 4*x

What the user wrote is kept, unless it merges with something. A form is chosen by its length in characters,
so what is printed is never longer than what was there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from autodiff.core import templates
from autodiff.symbolic.expression import Symbols
from autodiff.symbolic.identities import exponents_shared, products, sums
from autodiff.symbolic.length import CHARACTER, Lengths
from autodiff.symbolic.monomial import MINUS, ONE, Amount, Factors, Product, Terms, add, negated, nonzero
from autodiff.symbolic.polynomial import cancelled, multiplied_out, taken_out, with_content

_LARGE = 400 * CHARACTER
"""A sum of more characters is not multiplied out: it is cut into parts anyway."""


def shorter(symbols: Symbols, node: int) -> int:
    """The equation of `symbols` that says the same as `node`, wherever both have a value, in fewer characters or as many.

    A pass over the parts of the formula, and a second one over what the first made of a short one; what is shared stays
    shared.
    """
    lengths = Lengths(symbols)
    short = _pass(symbols, lengths, node)
    return _pass(symbols, lengths, short) if short != node and lengths.node(short) <= _LARGE else short


def _pass(symbols: Symbols, lengths: Lengths, node: int) -> int:
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
    if len(terms) > 1:
        node = _shortest(symbols, lengths, node, terms)
    return _signed(symbols, lengths, _reduced(symbols, lengths, node))


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
            if lengths.form(rest, turned) // CHARACTER < lengths.product(product) // CHARACTER:
                return _built(symbols, rest, turned)
    return node


def _reduced(symbols: Symbols, lengths: Lengths, node: int, *, quotients: int = 0) -> int:
    """A product by the identities that make it shorter, again and again; a quotient less counts as `quotients`."""

    def length(product: Product) -> int:
        return lengths.product(product) + quotients * sum(exponent[1] < 0 for _, exponent in product.factors)

    product = symbols.as_product(node)
    while node not in symbols.theirs:
        best = min(products(symbols, product), key=length, default=product)
        if length(best) >= length(product):
            return symbols.product(product)
        product = best
    return node


# --- sums ---------------------------------------------------------------------------------------------------------------


def _shortest(symbols: Symbols, lengths: Lengths, node: int, terms: Terms) -> int:
    best, least = None, lengths.form(Product(ONE), terms)
    ways = [terms]
    if (reduced := _with_reduced_terms(symbols, lengths, terms)) is not None:
        ways.append(reduced)
    for outer, inner in (form for way in ways for form in _forms(symbols, way, opened=least <= _LARGE)):
        if not inner:
            return symbols.constant(0.0)
        length = lengths.form(outer, inner)
        # as many characters and fewer operations: x^2*ln(x) + x^2 is written as a product, the polynomial 2*x^2 + x is not
        polynomial = all(base in symbols.graph.inputs for factors in (outer.factors, *inner) for base, _ in factors)
        if length < (least // CHARACTER * CHARACTER if polynomial else least):
            best, least = (outer, inner), length
    return node if best is None else _built(symbols, *best)


def _with_reduced_terms(symbols: Symbols, lengths: Lengths, terms: Terms) -> Terms | None:
    """The sum with each of its products by identities; None where they change nothing.

    A product that is as long with sec(x) as with 1/cos(x) is taken with sec(x), in which it may meet other products.
    """
    total: Terms = {}
    for factors, amount in terms.items():
        node = symbols.product(Product(amount, factors))
        product = symbols.as_product(_reduced(symbols, lengths, node, quotients=1))
        add(total, {product.factors: product.amount})
    return None if total == terms else nonzero(total)


def _built(symbols: Symbols, outer: Product, inner: Terms) -> int:
    return symbols.times(symbols.product(outer), symbols.sum(inner))


def _forms(symbols: Symbols, terms: Terms, *, opened: bool) -> Iterator[tuple[Product, Terms]]:
    """The ways to write a sum, each as a factor in front of a sum; `opened` tries what multiplying out gives as well."""
    for whole in _both(symbols, terms, opened=opened):
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
                    for front, other in exponents_shared(symbols, outer, left):
                        yield from with_content(front, other)
                        yield front, other


def _both(symbols: Symbols, terms: Terms, *, opened: bool) -> Iterator[Terms]:
    """A sum unchanged, multiplied out where that differs, again and again, and each of them by identities."""
    ways = [terms]
    while opened and (out := multiplied_out(symbols, ways[-1])) is not None:
        ways.append(out)
    for way in ways:
        yield way
    for way in ways if opened else ():
        yield from sums(symbols, way)
