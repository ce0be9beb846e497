"""Where the formula of a derivative holds: conditions of the program that the formula alone does not show.

    ln(x)    1/x        only where x > 0
    x/x      0          only where x != 0
    abs(x)   sign(x)    not at x == 0, a corner

Every condition of the table (domains, corners, jumps) is filled in with the program's own parts; constants are judged,
and what the formula enforces itself, or what holds for every number, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import TypeAlias

from autodiff.core import rules, templates
from autodiff.core.graph import Graph, reached
from autodiff.core.primitive import UNDEFINED, Primitive
from autodiff.symbolic.adjoint import Image, active_equations, segment
from autodiff.symbolic.expression import Symbols
from autodiff.symbolic.monomial import MINUS, ONE_TIME, Factors, Terms
from autodiff.symbolic.signs import always_holds

_OR = rules.TABLE["or", 2]
_AND, _POW, _ABS = rules.TABLE["and", 2], rules.TABLE["^", 2], rules.TABLE["abs", 1]
EQUAL, _UNEQUAL, _ABOVE, _AT_LEAST = (rules.TABLE[name, 2] for name in ("==", "!=", ">", ">="))

_BREAKS = ("corner", "jump", "condition")

_DEEPEST = 8
"""How many conditions around an equation count: the innermost ones."""

Key: TypeAlias = "tuple[Primitive, Factors] | int"
"""A condition in a canonical form: a comparison of a product with 0, or the equation itself."""


@dataclass(frozen=True, slots=True)
class Proviso:
    """A condition on the formula, as an equation of its symbols.

    `kind` is "domain" or "slope": the formula counts only where the condition holds; or "corner", "jump", "condition": it
    does not count where the condition holds, or "place": the slope is another number there. `branch` says that it matters
    only while a branch of the program is taken.
    """

    kind: str
    condition: int
    branch: bool = False

    def in_words(self, condition: str) -> str:
        """The condition, which is written like this, as a note below the formula."""
        place = condition.replace(" == ", " = ")
        where = "in the branches of a condition: " if self.branch else ""
        if self.kind == "domain":
            return f"{where}only where {condition}"
        if self.kind == "condition":
            return f"{where}not at {place}, unless the branches that meet there have one slope"
        return f"{where}not at {place}" + f" (a {self.kind})" * (self.kind in _BREAKS)


def provisos(
    graph: Graph, result: int, stops: Mapping[int, str], sources: set[int], seen: Image, formula: int
) -> list[Proviso]:
    """The conditions under which `formula`, an equation of `seen.symbols`, is the slope of `result` in `sources`."""
    symbols = seen.symbols
    order = segment(graph, result, stops)
    sure, guards = _always(graph, result, stops), _guards(graph, order, result)
    moves = active_equations(graph, order, sources, seen)
    enforced = {branch: _enforced(symbols, formula, branch=branch) for branch in (False, True)}
    conditions: dict[Proviso, None] = {}
    for node in order:
        row = graph.rows[node]
        if row is None or (node in stops and node != result):
            continue
        args, branch = tuple(seen.of[a] for a in graph.args[node]), node not in sure
        known = _with_implied(
            symbols, {key for guard in guards.get(node, ()) for key in _parts(symbols, seen.of[guard])}
        )
        for atom in _sloped(symbols, row, args, [a in moves for a in graph.args[node]]):
            if symbols.graph.constants.get(atom) == 0.0:
                conditions[Proviso("slope", atom, branch)] = None
            elif not set(_keys(symbols, atom)) <= enforced[branch] | known:
                conditions[Proviso("domain", atom, branch)] = None
            known |= _with_implied(symbols, set(_keys(symbols, atom)))
        for atom in _domain(symbols, row, args):
            nowhere = symbols.graph.constants.get(atom) == 0.0  # also where the formula has the same flaw
            if nowhere or not set(_keys(symbols, atom)) <= enforced[branch] | known:
                conditions[Proviso("domain", atom, branch)] = None
        if any(a in moves for a in graph.args[node]):
            conditions.update((Proviso(kind, place, branch), None) for kind, place in breaks(symbols, row, args))
    values = {k for c in conditions if c.kind == "domain" and not c.branch for k in _parts(symbols, c.condition)}
    everywhere = _with_implied(symbols, values | enforced[False])
    return [c for c in conditions if not (c.kind in _BREAKS and _is_outside(symbols, c.condition, everywhere))]


def _is_outside(symbols: Symbols, place: int, everywhere: Container[Key]) -> bool:
    """Whether the program has no value at a place `u = v`, since u and v differ wherever it has one."""
    if symbols.graph.rows[place] is not EQUAL:
        return False
    return all(key in everywhere for key in _keys(symbols, symbols.own(_UNEQUAL, symbols.graph.args[place])))


def beyond(symbols: Symbols, formula: int) -> int | None:
    """A function in a formula whose order is beyond those that the function is known for: polygamma(150, x)."""
    graph = symbols.graph
    for node in graph.reaching(formula):
        row, args = graph.rows[node], graph.args[node]
        if row is None or node in symbols.theirs or UNDEFINED not in row.partials:
            continue
        if any(graph.constants.get(atom) == 0.0 for atom in _domain(symbols, row, args)):
            return node
    return None


def without(symbols: Symbols, proviso: Proviso, harmless: Callable[[int], bool]) -> Proviso | None:
    """A break without those of its places, joined by `or`, that are harmless."""
    places = list(_joined_by(_OR, symbols, proviso.condition))
    left = [place for place in places if not harmless(place)]
    if len(left) == len(places):
        return proviso
    return replace(proviso, condition=reduce(lambda a, b: symbols.own(_OR, (a, b)), left)) if left else None


def settled(symbols: Symbols, condition: int) -> dict[str, int] | None:
    """The names that equations joined by `and` settle, each with its equation, in which none of them is.

    None where an equation is not linear in a name with a number in front.
    """
    graph = symbols.graph
    places: dict[str, int] = {}
    for node in reversed(list(_joined_by(_AND, symbols, condition))):
        row, args = graph.rows[node], graph.args[node]
        terms = symbols.as_sum(symbols.plus(args[0], symbols.negative(args[1]))) if row is EQUAL else {}
        name, place = _separable(symbols, terms, places)
        if not name:
            return None
        places[name] = place
    used = {graph.inputs.get(node) for node in graph.reaching(*places.values())}
    return None if used & places.keys() else places


def _separable(symbols: Symbols, terms: Terms, taken: Container[str]) -> tuple[str, int]:
    """A name that occurs in one term of a sum only, as a number times it, and what it is where the sum is 0."""
    inputs = symbols.graph.inputs
    for factors, amount in terms.items():
        if len(factors) != 1 or factors[0][0] not in inputs or factors[0][1] != ONE_TIME or not amount.value:
            continue
        base = factors[0][0]
        rest = {f: n for f, n in terms.items() if f != factors}
        used = {n for f in rest for b, e in f for n in symbols.graph.reaching(b, *([] if e[0] is None else [e[0]]))}
        if base not in used and inputs[base] not in taken:
            below = amount.inverse()
            return inputs[base], symbols.sum({f: n * below * MINUS for f, n in rest.items()})
    return "", 0


def _joined_by(row: Primitive, symbols: Symbols, condition: int) -> Iterator[int]:
    """The conditions that are joined by `and`, or by `or`."""
    todo = [condition]
    while todo:
        node = todo.pop()
        if symbols.graph.rows[node] is row:
            todo.extend(reversed(symbols.graph.args[node]))
        else:
            yield node


def _always(graph: Graph, result: int, stops: Mapping[int, object]) -> set[int]:
    """The equations that are evaluated whatever a condition says."""

    def args(node: int) -> Sequence[int]:
        row = graph.rows[node]
        if row is None or (node in stops and node != result):
            return ()
        return graph.args[node] if row.branches is None else graph.args[node][:1]

    return reached(result, args)


def _guards(graph: Graph, order: Sequence[int], result: int) -> dict[int, tuple[int, ...]]:
    """The conditions that hold wherever an equation is evaluated, at most the innermost `_DEEPEST`."""
    guards_of: dict[int, tuple[int, ...]] = {result: ()}
    for node in reversed(order):
        row, args = graph.rows[node], graph.args[node]
        mine = guards_of.get(node, ())
        for k, arg in enumerate(args):
            inside = row is not None and row.branches is not None and row.branches[0] == k != 0
            guards = (args[0], *mine)[:_DEEPEST] if inside else mine
            guards_of[arg] = tuple(g for g in guards_of[arg] if g in guards) if arg in guards_of else guards
    return guards_of


def _parts(symbols: Symbols, condition: int) -> Iterator[Key]:
    """What a condition says, part by part."""
    for atom in _joined_by(_AND, symbols, condition):
        yield from _keys(symbols, atom)


def _domain(symbols: Symbols, row: Primitive, args: tuple[int, ...]) -> Iterator[int]:
    """The conditions of a row's domain that these arguments may break, one by one."""
    given = dict(zip(row.params, args, strict=True))
    for text, _ in row.domain:
        for atom in _joined_by(_AND, symbols, _condition(symbols, text, given)):
            if symbols.graph.constants.get(atom) == 0.0 or not (
                atom in symbols.graph.constants or always_holds(symbols, atom)
            ):
                yield atom  # a 0 is false for every number: x/0 has no value anywhere


def _sloped(symbols: Symbols, row: Primitive, args: tuple[int, ...], moves: Sequence[bool]) -> Iterator[int]:
    """What the slopes need beyond the values, where a constant among the arguments settles what that is: of 0^x, x > 0."""
    if all(symbols.number(a) is None for a in args):
        return
    given = dict(zip(row.params, args, strict=True))
    for text, moves_here in zip(row.partial_domain, moves, strict=True):
        atom = _condition(symbols, text, given) if text and moves_here else None
        if atom is not None and symbols.graph.constants.get(atom, 0.0) == 0.0 and not always_holds(symbols, atom):
            yield atom  # a 0 is false for every number: (-1)^x has no slope anywhere


def breaks(symbols: Symbols, row: Primitive, args: tuple[int, ...]) -> Iterator[tuple[str, int]]:
    """Where a row has a corner or a jump, as (kind, condition)."""
    given = dict(zip(row.params, args, strict=True))
    for kind, text in (("corner", row.kink), ("jump", row.jump.condition if row.jump else "")):
        if text:
            place = _condition(symbols, text, given)
            equal = symbols.graph.rows[place] is EQUAL
            never = equal and always_holds(symbols, symbols.own(_UNEQUAL, symbols.graph.args[place]))
            if symbols.graph.constants.get(place) != 0.0 and not never:
                yield ("condition" if row.is_predicate else kind), place


def _condition(symbols: Symbols, text: str, given: Mapping[str, int]) -> int:
    return templates.filled(text, given, symbols.constant, partial(judged, symbols))


def judged(symbols: Symbols, row: Primitive, args: tuple[int, ...]) -> int:
    """An operation of a condition; one on constants is its value, 1 for true and 0 for false."""
    known = {a: number for a in args if (number := symbols.number(a)) is not None}
    if row.branches is not None:
        if (taken := row.taken(args, known)) is not None:
            return taken
        pair = [symbols.graph.rows[a] for a in args]
        if row is _OR and pair == [_ABOVE, EQUAL] and symbols.graph.args[args[0]] == symbols.graph.args[args[1]]:
            return symbols.own(_AT_LEAST, symbols.graph.args[args[0]])
        return symbols.call(row, args)
    if known.keys() >= set(args):
        return symbols.constant(float(templates.value(row)(*(known[a] for a in args))))
    return symbols.own(row, args) if row.is_predicate else symbols.call(row, args)


# --- what a formula enforces --------------------------------------------------------------------------------------------


def _enforced(symbols: Symbols, formula: int, *, branch: bool) -> set[Key]:
    """The conditions without which the formula has no value; with `branch` those of its branches as well."""
    graph = symbols.graph
    keys: set[Key] = set()
    for node in graph.reaching(formula) if branch else _always(graph, formula, {}):
        for needed, args in _needing(symbols, node):
            for atom in _domain(symbols, needed, args):
                keys.update(_keys(symbols, atom))
    return _with_implied(symbols, keys)


def _with_implied(symbols: Symbols, keys: set[Key]) -> set[Key]:
    more = keys | {other for key in keys for other in _implied(key, keys)}
    return more | {other for key in more for other in _of_size(symbols, key)}


def _of_size(symbols: Symbols, key: Key) -> list[Key]:
    """abs(a) != 0 implies a != 0."""
    if isinstance(key, int) or key[0] is not _UNEQUAL or len(key[1]) != 1:
        return []
    base = key[1][0][0]
    if symbols.graph.rows[base] is not _ABS:
        return []
    return _not_zero(symbols.as_product(symbols.graph.args[base][0]).factors)


def _needing(symbols: Symbols, node: int) -> Iterator[tuple[Primitive, tuple[int, ...]]]:
    """The equation; of x^(n - 1) also x^n, because it needs what x^n needs, and of sec(x) its definition 1/cos(x)."""
    row, args = symbols.graph.rows[node], symbols.graph.args[node]
    if row is not None:
        yield row, args
    if row is _POW:
        for base, (symbol, number) in symbols.as_product(node).factors:
            if symbol is not None and number < 0:
                yield row, (base, symbol)
    if row is not None and row.definition:
        template = templates.template(row.definition, row.params)
        leaf = dict(zip(row.params, args, strict=True)).__getitem__
        nodes = template.graph.carried([template.result], symbols.constant, leaf, symbols.own)
        for inner in _always(template.graph, template.result, {}):
            if (part := template.graph.rows[inner]) is not None:
                yield part, tuple(nodes[a] for a in template.graph.args[inner])


def _keys(symbols: Symbols, atom: int) -> list[Key]:
    """Of a*b != 0 that a and b are not 0, of 2*a > 0 that a > 0, else the condition itself."""
    row, args = symbols.graph.rows[atom], symbols.graph.args[atom]
    if row in (_UNEQUAL, _ABOVE, _AT_LEAST) and symbols.graph.constants.get(args[1]) == 0.0:
        assert row is not None
        product = symbols.as_product(args[0])
        if row is _UNEQUAL:
            return _not_zero(product.factors)
        if product.amount.value > 0:
            return [(row, product.factors)]
    return [atom]


def _not_zero(factors: Factors) -> list[Key]:
    return [(_UNEQUAL, ((base, ONE_TIME),)) for base, (symbol, number) in factors if symbol is not None or number > 0]


def _implied(key: Key, keys: Container[Key]) -> Iterator[Key]:
    """a > 0 implies a >= 0 and a != 0; both together imply a > 0."""
    if isinstance(key, int) or key[0] is _UNEQUAL:
        return
    if key[0] is _ABOVE or all(other in keys for other in _not_zero(key[1])):
        yield from ((_ABOVE, key[1]), (_AT_LEAST, key[1]), *_not_zero(key[1]))
