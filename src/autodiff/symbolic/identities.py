"""Products and sums written in another way by identities, which hold wherever the first way has a value.

    2*sin(x)*cos(x)      is  sin(2*x)             sec(x)^2 - 1                is  tan(x)^2
    exp(x)*exp(-x)       is  1                    (1 - cos(x))/sin(x)^2       is  1/(1 + cos(x))
    1/(x^2*(1 + 1/x))    is  1/(x*(x + 1))        2/sqrt(1 - x^2/4)           is  4/sqrt(4 - x^2)

The second way may have a value in more places, as x/x and 1 do, never in fewer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from math import isqrt
from typing import TypeAlias

from autodiff.core import rules, templates
from autodiff.core.primitive import Primitive
from autodiff.symbolic.expression import Symbols
from autodiff.symbolic.monomial import ONE, Amount, Exact, Factors, Product, Terms, add, exact, nonzero
from autodiff.symbolic.polynomial import divided, product_of_sums, taken_out, with_content

_EXP, _LN = rules.TABLE["exp", 1], rules.TABLE["ln", 1]

_PRODUCTS: Mapping[str, str] = {
    "sin(u)/cos(u)": "tan(u)",
    "1/cos(u)": "sec(u)",
    "cos(u)*tan(u)": "sin(u)",
    "cos(u)*sec(u)": "1",
    "sin(u)*csc(u)": "1",
    "sin(u)*sec(u)": "tan(u)",
    "sin(u)*cos(u)": "sin(2*u)/2",
    "sinh(u)/cosh(u)": "tanh(u)",
    "1/cosh(u)": "sech(u)",
    "cosh(u)*tanh(u)": "sinh(u)",
    "sinh(u)*cosh(u)": "sinh(2*u)/2",
    "sign(u)*abs(u)": "u",
    "sign(u)/abs(u)": "1/u",
    "abs(u)^2": "u^2",
    "1/abs(u)^2": "1/u^2",
    "u*sign(u)": "abs(u)",
    "u/sign(u)": "abs(u)",
    "abs(u)/u": "sign(u)",
    "u/abs(u)": "sign(u)",
    "sign(u)/u": "1/abs(u)",
}
"""Products of functions of one argument. Not here: what leads to cot(u), also as a slope, as csc(u) does: it has no value where
cos(u) is 0."""

_SQUARES: tuple[Mapping[str, str], ...] = (
    {"cos(u)^2": "1 - sin(u)^2"},
    {"sin(u)^2": "1 - cos(u)^2"},
    {"cos(u)^2": "1/2 + cos(2*u)/2", "sin(u)^2": "1/2 - cos(2*u)/2"},
    {"sec(u)^2": "1 + tan(u)^2"},
    {"tan(u)^2": "sec(u)^2 - 1"},
    {"cot(u)^2": "csc(u)^2 - 1"},
    {"cosh(u)^2": "1 + sinh(u)^2"},
    {"sinh(u)^2": "cosh(u)^2 - 1"},
    {"cosh(u)^2": "cosh(2*u)/2 + 1/2", "sinh(u)^2": "cosh(2*u)/2 - 1/2"},
    {"sech(u)^2": "1 - tanh(u)^2"},
    {"tanh(u)^2": "1 - sech(u)^2"},
)
"""Squares as sums: what a sum of squares collects to. A set of them is used together."""

_STEEPEST = 8
"""The highest power of a function whose squares are written as sums."""

_MOST_SUMS = 4
"""Sums among the factors of a product up to which they are multiplied and divided by each other."""

Pattern: TypeAlias = "tuple[tuple[Primitive | None, Exact], ...]"
"""Functions of one argument with their exponents, and last the argument itself, which has no row."""


@lru_cache(maxsize=256)
def _pattern(text: str) -> Pattern:
    symbols = Symbols()
    factors = symbols.as_product(_filled(symbols, text, symbols.input("u"))).factors
    parts = [(symbols.graph.rows[base], number) for base, (_, number) in factors]
    return tuple(sorted(parts, key=lambda part: part[0] is None))


def _filled(symbols: Symbols, text: str, argument: int) -> int:
    """A text with an equation in place of u."""
    return templates.filled(text, {"u": argument}, symbols.constant, symbols.call)


# --- products -----------------------------------------------------------------------------------------------------------


def products(symbols: Symbols, product: Product) -> Iterator[Product]:
    """Other ways to write a product."""
    ways = (_by_functions, _exponentials_merged, _in_common_terms, _sums_divided, _sums_multiplied)
    for way in ways:
        yield from (other for other in way(symbols, product) if other is not None)


def _multiplied(*parts: Product | None) -> Product | None:
    """The product of all; None where one is None, or where they can't be collected."""
    product: Product | None = Product(ONE)
    for part in parts:
        product = None if product is None or part is None else product.times(part)
    return product


def _power(base: int, number: Exact) -> Product:
    return Product(ONE, ((base, (None, number)),))


def _by_functions(symbols: Symbols, product: Product) -> Iterator[Product | None]:
    """By the identities of two functions of one argument."""
    graph = symbols.graph
    powers = {
        (graph.rows[base], graph.args[base]): (base, number)
        for base, (symbol, number) in product.factors
        if symbol is None and number.denominator == 1 and len(graph.args[base]) == 1
    }
    arguments = {(None, (base,)): (base, e[1]) for base, e in product.factors if e[0] is None and e[1].denominator == 1}
    for text, other in _PRODUCTS.items() if powers else ():
        pattern = _pattern(text)
        for args in {args for row, args in powers if row is pattern[0][0]}:
            known = [(*(powers | arguments).get((row, args), (0, 0)), wanted) for row, wanted in pattern]
            times = min(number // wanted if number * wanted > 0 else 0 for _, number, wanted in known)
            if times:
                rest = (_power(base, -wanted * times) for base, _, wanted in known)
                by = symbols.as_product(_filled(symbols, other, args[0])).power(int(times))
                yield _multiplied(product, *rest, by)


def _exponentials_merged(symbols: Symbols, product: Product) -> Iterator[Product | None]:
    """exp(a)*exp(b) is exp(a + b)."""
    graph = symbols.graph
    powers = [(base, e[1]) for base, e in product.factors if graph.rows[base] is _EXP and e[0] is None]
    if len(powers) > 1:
        parts = (symbols.times(symbols.product(Product(Amount(n))), graph.args[base][0]) for base, n in powers)
        exponent = symbols.total(parts)
        merged = symbols.constant(1.0) if exponent == symbols.constant(0.0) else symbols.own(_EXP, (exponent,))
        yield _multiplied(product, *(_power(base, -n) for base, n in powers), symbols.as_product(merged))


def _in_common_terms(symbols: Symbols, product: Product) -> Iterator[Product | None]:
    """A factor 1 + 1/x is (x + 1)/x."""
    for base, (symbol, number) in product.factors:
        terms = symbols.as_sum(base)
        if symbol is None and len(terms) > 1 and (number != 1 or len(product.factors) > 1):
            factors, inner = taken_out(terms, under=True) if number.denominator == 1 else ((), terms)
            front, inner = [(Product(ONE, factors), inner), *with_content(Product(ONE, factors), inner)][-1]
            if inner is not terms:
                power = _power(symbols.sum(inner), number)
                yield _multiplied(product, _power(base, -number), _raised(front, number), power)


def _raised(product: Product, number: Exact) -> Product | None:
    """A power of a product; of a broken exponent where the product is a number that has this root exactly."""
    if number.denominator == 1:
        return product.power(int(number))
    value = Fraction(product.amount.value)
    if product.factors or number.denominator != 2 or value <= 0:
        return None
    root = Fraction(isqrt(value.numerator), isqrt(value.denominator))
    return Product(Amount(exact(root))).power(number.numerator) if root**2 == value else None


def _sums(symbols: Symbols, product: Product) -> list[tuple[int, Exact, Terms]]:
    """The factors that are whole powers of sums: base, exponent and terms; none where they are many."""
    sums = [
        (base, number, symbols.as_sum(base))
        for base, (symbol, number) in product.factors
        if symbol is None and number.denominator == 1 and len(symbols.as_sum(base)) > 1
    ]
    return sums if len(sums) <= _MOST_SUMS else []


def _sums_divided(symbols: Symbols, product: Product) -> Iterator[Product | None]:
    """(x + 1)/(x^2 - 1) is 1/(x - 1), and (1 - cos(x))/sin(x)^2 is 1/(1 + cos(x)), since sin(x)^2 is 1 - cos(x)^2."""
    sums = _sums(symbols, product)
    above = [(base, terms) for base, number, terms in sums if number > 0]
    below = [(base, 1, terms) for base, number, terms in sums if number < 0]
    if above:
        below += [
            (base, 2, symbols.as_sum(_filled(symbols, text, args[0])))
            for base, (symbol, number) in product.factors
            if symbol is None and number.denominator == 1 and number <= -2
            for args, text in _squares_of(symbols, base)
        ]
    for numerator, terms in above:
        for denominator, times, divisor in below:
            rest = _multiplied(product, _power(numerator, -1), _power(denominator, times))
            quotient = divided(divisor, terms)
            if quotient:
                yield _multiplied(rest, symbols.as_product(symbols.sum(quotient)).inverse())
            quotient = divided(terms, divisor)
            if quotient:
                yield _multiplied(rest, symbols.as_product(symbols.sum(quotient)))


def _squares_of(symbols: Symbols, base: int) -> Iterator[tuple[tuple[int, ...], str]]:
    """What the square of a function may be written as, and the function's argument."""
    row, args = symbols.graph.rows[base], symbols.graph.args[base]
    for squares in _SQUARES if len(args) == 1 else ():
        yield from ((args, text) for square, text in squares.items() if _pattern(square)[0][0] is row)


def _sums_multiplied(symbols: Symbols, product: Product) -> Iterator[Product | None]:
    """1/((1 + sin(x))*(1 - sin(x))) is 1/cos(x)^2."""
    for (a, number, first), (b, other, second) in combinations(_sums(symbols, product), 2):
        whole = product_of_sums(first, second) if number == other else None
        for terms in () if whole is None else sums(symbols, nonzero(whole)):
            if len(terms) == 1:
                square = symbols.as_product(symbols.sum(terms)).power(int(number))
                yield _multiplied(product, _power(a, -number), _power(b, -number), square)


# --- sums ---------------------------------------------------------------------------------------------------------------


def sums(symbols: Symbols, terms: Terms) -> Iterator[Terms]:
    """Other ways to write a sum: with squares of functions written as what they are equal to."""
    graph = symbols.graph
    powers = {
        (row, graph.args[base])
        for factors in terms
        for base, (symbol, number) in factors
        if (row := graph.rows[base]) is not None and symbol is None and 2 <= number <= _STEEPEST
    }
    for squares in _SQUARES if powers else ():
        texts = {_pattern(square)[0][0]: text for square, text in squares.items()}
        for args in dict.fromkeys(args for row, args in sorted(powers, key=lambda p: p[1]) if row in texts):
            sums_of = {row: symbols.as_sum(_filled(symbols, text, args[0])) for row, text in texts.items()}
            other = _with_squares(symbols, terms, args, sums_of)
            if other is not None:
                yield other


def _with_squares(
    symbols: Symbols, terms: Terms, args: tuple[int, ...], squares: Mapping[Primitive | None, Terms]
) -> Terms | None:
    """A sum with the squares of functions of these arguments written as sums; None where it can't be collected."""
    graph, total = symbols.graph, dict[Factors, Amount]()
    for factors, amount in terms.items():
        kept: list[Product] = [Product(amount)]
        part: Terms | None = {(): ONE}
        for base, (symbol, number) in factors:
            row = graph.rows[base]
            whole = symbol is None and number.denominator == 1 and 2 <= number <= _STEEPEST
            if row is None or row not in squares or graph.args[base] != args or not whole:
                kept.append(Product(ONE, ((base, (symbol, number)),)))
                continue
            kept += [_power(base, 1)] * int(number % 2)
            for _ in range(int(number) // 2):
                part = None if part is None else product_of_sums(part, squares[row])
        rest = _multiplied(*kept)
        part = None if part is None or rest is None else product_of_sums(part, {rest.factors: rest.amount})
        if part is None:
            return None
        add(total, part)
    return nonzero(total)


def exponents_shared(symbols: Symbols, outer: Product, terms: Terms) -> Iterator[tuple[Product, Terms]]:
    """x^(n - 1)*(x*ln(x)*a + b) is x^n*(ln(x)*a + b/x), where the logarithm says that x > 0."""
    logarithms = {
        symbols.graph.args[base][0] for factors in terms for base, _ in factors if symbols.graph.rows[base] is _LN
    }
    for base, (symbol, number) in outer.factors:
        power = symbols.as_product(base).power(int(number)) if number.denominator == 1 else None
        if symbol is not None and number and base in logarithms and power is not None:
            front = outer.times(_power(base, -number))
            inner = product_of_sums(terms, {power.factors: power.amount})
            if front is not None and inner is not None:
                yield front, inner
