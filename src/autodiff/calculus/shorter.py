"""The shortest of the usual ways to write a derivative: each sum as it stands, factored, or over one denominator.

    -y/p + (1 - y)/(1 - p)          is  (p - y)/(p*(1 - p))
    3/(x - 1) - (3*x + 2)/(x - 1)^2  is  -5/(x - 1)^2
    x^2 - 2*x + x*(2*x - 2)         is  3*x^2 - 4*x

What the user wrote is taken as it stands, unless it merges with something. A form is chosen by its length in characters,
so what is printed is never longer than what was there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import gcd, lcm, prod

from autodiff.calculus import algebra, rules
from autodiff.calculus.blame import shown
from autodiff.calculus.tidy import MINUS, ONE, ONE_TIME, Amount, Exponent, Factors, Product, Symbols, Terms, exact
from autodiff.language.syntax import CONSTANTS

_WIDEST = 24
"""Terms that a sum may have when its products are multiplied out."""

_STEEPEST = 4
"""The highest power of a sum that is multiplied out."""

_LARGE = 400
"""A sum of more characters is not multiplied out: it is cut into parts anyway."""

_LONGEST = 10**6
"""Lengths are counted up to here: a shared part may be written out more often than there are atoms."""

_NAMES = {
    value: min(len(n) for n, v in CONSTANTS.items() if v == value and n.isascii()) for value in CONSTANTS.values()
}
_ADD, _SUB, _POW, _SQRT = rules.TABLE["+", 2], rules.TABLE["-", 2], rules.TABLE["^", 2], rules.TABLE["sqrt", 1]


def shorter(symbols: Symbols, node: int) -> int:
    """The equation of `symbols` that says the same as `node`, wherever both have a value, in fewer characters or as many.

    One pass over the parts of the formula, each looked at once; what is shared stays shared.
    """
    lengths = Lengths(symbols)
    made: dict[int, int] = {}
    for part in _bottom_up(symbols, node):
        made[part] = _rewritten(symbols, lengths, part, made)
    return made[node]


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


def _rewritten(symbols: Symbols, lengths: Lengths, node: int, made: Mapping[int, int]) -> int:
    parts = _parts(symbols, node)
    if not parts:
        return node
    terms = symbols.as_sum(node)
    changed = any(made[part] != part for part in parts)
    if len(terms) == 1 and node in _mentioned(terms):
        row, args = symbols.graph.rows[node], tuple(made[a] for a in symbols.graph.args[node])
        assert row is not None
        return _folded(symbols, symbols.call(row, args) if changed else node)
    if changed:
        node = symbols.total(symbols.product_of(amount, factors, made) for factors, amount in terms.items())
        terms = symbols.as_sum(node)
    return _shortest(symbols, lengths, node, terms) if len(terms) > 1 else _signed(symbols, lengths, node)


def _folded(symbols: Symbols, node: int) -> int:
    """A function of 0 and 1 whose value is a whole number is that number: ln(1) is 0, exp(0) is 1."""
    row, constants = symbols.graph.rows[node], symbols.graph.constants
    args = [constants.get(a, 0.5) for a in symbols.graph.args[node]]
    if row is None or row.truth or row.pick or row.conditions or not all(a in (0.0, 1.0) for a in args):
        return node
    if not all(inside(*args) for inside, _ in algebra.domain(row)):
        return node
    value = algebra.value(row)(*args)
    return symbols.constant(value) if value in (0.0, 1.0) else node


def _signed(symbols: Symbols, lengths: Lengths, node: int) -> int:
    """-(a - b) is b - a."""
    product = symbols.as_product(node)
    if product.amount.value >= 0:
        return node
    for base, exponent in product.factors:
        terms = symbols.as_sum(base)
        if exponent == (None, 1) and len(terms) > 1:
            turned = {f: n * MINUS for f, n in terms.items()}
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
        yield from _with_content(Product(ONE), whole)
        for under in (False, True):
            factors, rest = _taken_out(whole, under=under)
            if not factors:
                continue
            for inner in _both(symbols, rest, opened=opened):
                more, left = _taken_out(inner, under=False)
                outer = Product(ONE, factors).times(Product(ONE, more))
                if outer is not None:
                    yield from _with_content(outer, left)
                    yield outer, left


def _both(symbols: Symbols, terms: Terms, *, opened: bool) -> Iterator[Terms]:
    """A sum as it stands, and multiplied out where that is something else; what appears then may be a sum again."""
    yield terms
    out = _multiplied_out(symbols, terms) if opened else None
    while out is not None:
        yield out
        out = _multiplied_out(symbols, out)


def _with_content(outer: Product, terms: Terms) -> Iterator[tuple[Product, Terms]]:
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


def _taken_out(terms: Terms, *, under: bool) -> tuple[Factors, Terms]:
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
    found: dict[int, Exponent] = {
        base: (None, exact(-lowest)) for base, (symbol, lowest) in common.items() if symbol is None
    }
    for base, (symbol, number) in factors:
        if base in common:
            found[base] = (None, exact(number - common[base][1]))
        else:
            found[base] = (symbol, number)
    return tuple(sorted((b, e) for b, e in found.items() if e[0] is not None or e[1]))


def _multiplied_out(symbols: Symbols, terms: Terms) -> Terms | None:
    """A sum with the sums among its factors multiplied out and like terms collected; None when nothing is to be done."""
    open_pairs = [[pair for pair in factors if _opens(symbols, pair)] for factors in terms]
    if not any(open_pairs) or sum(_width(symbols, pairs) for pairs in open_pairs) > _WIDEST:
        return None
    total: Terms = {}
    for (factors, amount), pairs in zip(terms.items(), open_pairs, strict=True):
        part: Terms | None = {tuple(pair for pair in factors if pair not in pairs): amount}
        for base, (_, times) in pairs:
            for _ in range(int(times)):
                part = None if part is None else _times(part, symbols.as_sum(base))
        if part is None:
            return None
        _collect(total, part)
    return {f: n for f, n in total.items() if n.value}


def _width(symbols: Symbols, pairs: Sequence[tuple[int, Exponent]]) -> int:
    """How many terms a product of powers of sums has before they are collected."""
    return prod(max(len(symbols.as_sum(base)), 1) ** int(times) for base, (_, times) in pairs)


def _opens(symbols: Symbols, pair: tuple[int, Exponent]) -> bool:
    base, (symbol, times) = pair
    whole = symbol is None and times.denominator == 1 and 0 < times <= _STEEPEST
    return whole and symbols.as_sum(base) != {((base, ONE_TIME),): ONE}


def _times(a: Terms, b: Terms) -> Terms | None:
    found: Terms = {}
    for first, m in a.items():
        for second, n in b.items():
            made = Product(m, first).times(Product(n, second))
            if made is None:
                return None
            _collect(found, {made.factors: made.amount})
    return found


def _collect(total: Terms, part: Terms) -> None:
    for factors, amount in part.items():
        total[factors] = total[factors] + amount if factors in total else amount


# --- lengths ------------------------------------------------------------------------------------------------------------


class Lengths:
    """How many characters a formula takes when it is written out."""

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols
        self._of: list[int] = []

    def node(self, node: int) -> int:
        """The length of an equation, or the limit."""
        graph = self._symbols.graph
        for i in range(len(self._of), node + 1):
            self._of.append(min(self._operation(i) if graph.rows[i] is not None else self._leaf(i), _LONGEST))
        return self._of[node]

    def form(self, outer: Product, inner: Terms) -> int:
        """The length of a factor in front of a sum."""
        if len(inner) == 1:
            factors, amount = next(iter(inner.items()))
            whole = outer.times(Product(amount, factors))
            return _LONGEST if whole is None else self.product(whole)
        size = sum(self.product(Product(_size(n), f)) + 3 for f, n in inner.items()) - 3
        if all(n.value < 0 for n in inner.values()):
            size += 1
        return size if outer == Product(ONE) else self.product(outer, size + 2)

    def product(self, made: Product, more: int = 0) -> int:
        """The length of a product, with one more factor of the length `more`."""
        value = made.amount.value
        above = [self._raised(base, e) for base, e in made.factors if e[0] is not None or e[1] > 0] + [more] * (
            more > 0
        )
        below = [self._raised(base, (None, -e[1])) for base, e in made.factors if e[0] is None and e[1] < 0]
        over, under = (
            (shown(float(value)), "1") if made.amount.decimal else (str(value.numerator), str(value.denominator))
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
            return len(graph.inputs[node])
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
