"""Functions of whole arrays over blocks of equations: what `functions` is for NumPy.

Determinants are sums of products, and elements are sorted by exchanges of pairs with `min` and `max`. So formulas,
one-sided slopes at ties and proven digits of these functions follow from those of products, `min` and `max`.

>>> arrays = BlockArrays()
>>> total = arrays.apply(rules.TABLE["sum", 1], [ScalarBlock((2,), (arrays.graph.input("a"), arrays.graph.input("b")))])
>>> arrays.graph.args[total.nodes[0]]
(0, 1)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate

from autodiff import diagnostics
from autodiff.arrays.by_formulas import Ring, cofactors, determinant, exchanges, products
from autodiff.arrays.shapes import LAST, Places, Shape, broadcast, checked_axis, lanes, part_of, positions, shape_error
from autodiff.arrays.whole_arrays import WholeArrays
from autodiff.core import rules
from autodiff.core.algebra import Algebra
from autodiff.core.evaluate import DomainError, primal
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, Primitive
from autodiff.errors import AutodiffError

LIMIT = 1_000_000
"""Equations that may be made; a program that needs more is too large."""

_FEW = 128
"""Terms that are added up one after the other."""


class TooLarge(Exception):
    """The program has too many elements to be written out."""


@dataclass(frozen=True, slots=True)
class ScalarBlock:
    """An array of equations: its shape, and the number of each element's equation, last axis fastest."""

    shape: Shape
    nodes: tuple[int, ...]


class BlockArrays(WholeArrays[ScalarBlock], Algebra[ScalarBlock]):
    """Blocks of equations as numbers of the engine, which are made in `graph`. Raises TooLarge beyond `limit` equations."""

    def __init__(self, limit: int = LIMIT, source: str = "") -> None:
        self.graph, self.limit, self.source, self.span = Graph(), limit, source, (0, 0)

    def call(self, name: str, *args: int) -> int:
        return self.graph.call(rules.TABLE[name, len(args)], args, self.span)

    def number(self, value: float) -> int:
        return self.graph.constant(value, self.span)

    def combined(self, name: str, nodes: Sequence[int]) -> int:
        """All equations combined, from the left where they are few; else by halves, so that rounding errors don't pile up."""
        if len(nodes) <= _FEW:
            return reduce(lambda a, b: self.call(name, a, b), nodes)
        half = len(nodes) // 2
        return self.call(name, self.combined(name, nodes[:half]), self.combined(name, nodes[half:]))

    def require_room(self, count: int) -> None:
        if len(self.graph) + count > self.limit:
            raise TooLarge

    def constant_of(self, a: ScalarBlock) -> float:
        (node,) = a.nodes
        if node in self.graph.constants:
            return self.graph.constants[node]
        inner = Lowered(self.graph, node, "", (), {}, self.source)
        try:
            return primal(inner, {}).values[node]  # type: ignore[no-any-return]
        except DomainError as trouble:
            where = self.graph.spans[trouble.node]
            raise AutodiffError(
                f"an index, an axis or a size has no value here: {diagnostics.outside(inner, trouble, {})}", span=where
            ) from None

    # --- numbers of the engine ----------------------------------------------------------------------------------------

    def constant(self, value: float) -> ScalarBlock:
        return ScalarBlock((), (self.number(value),))

    def branch(self, condition: ScalarBlock) -> None:
        """No condition is decided: a choice becomes an equation as well."""

    def apply(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        along = row.kind == REDUCTION and row.params[-1] == "axis"
        if row.scalar_meaning and not any(a.shape for a in args) and not (along and self.whole(args[-1]) != LAST):
            return self.text(row.scalar_meaning, row.params, args)
        try:
            if row.kind == ELEMENTWISE:
                return self._elementwise(row, args)
            return self._fold(row, args) if row.kind == REDUCTION else self.of_row(row, args)
        except ValueError:
            raise shape_error(row, self.shapes(args), self.span) from None

    def _elementwise(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        shape = broadcast(self.shapes(args))
        if shape is None:
            raise ValueError
        self.require_room(math.prod(shape))
        spread = [[a.nodes[i] for i in positions(a.shape, shape)] for a in args]
        nodes = (self.graph.call(row, numbers, self.span) for numbers in zip(*spread, strict=True))
        return ScalarBlock(shape, tuple(nodes))

    def _fold(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        if row.params[-1] == "axis":
            return self._fold_along(row, args[0], self.whole(args[1]))
        if len({a.shape for a in args}) > 1:
            raise shape_error(row, self.shapes(args), self.span, "both must have the same shape")
        if row.elements:
            return self.text(row.elements, row.params, args)
        if not row.reduce_with:
            return self.of_row(row, args)
        nodes = args[0].nodes
        if len(nodes) == 1:
            return self.text(row.scalar_meaning, row.params, [ScalarBlock((), nodes)])
        self.require_room(len(nodes))
        return ScalarBlock((), (self.combined(row.reduce_with, nodes),))

    def _fold_along(self, row: Primitive, block: ScalarBlock, axis: int) -> ScalarBlock:
        axis = checked_axis(row, axis, block.shape, self.span)
        whole, sizes = rules.TABLE[row.name, 1], (block.shape[axis],)
        vectors = (ScalarBlock(sizes, block.nodes[lane]) for lane in lanes(block.shape, axis))
        nodes = tuple(self._fold(whole, [vector]).nodes[0] for vector in vectors)
        return ScalarBlock(block.shape[:axis] + block.shape[axis + 1 :], nodes)

    # --- arrays made from parts of others -----------------------------------------------------------------------------

    def shape(self, a: ScalarBlock) -> Shape:
        return a.shape

    def filled(self, value: float, shape: Shape) -> ScalarBlock:
        self.require_room(math.prod(shape))
        return ScalarBlock(shape, (self.number(value),) * math.prod(shape))

    def joined(self, args: Sequence[ScalarBlock], shape: Shape) -> ScalarBlock:
        return ScalarBlock(shape, tuple(node for a in args for node in a.nodes))

    def in_shape(self, a: ScalarBlock, shape: Shape) -> ScalarBlock:
        return ScalarBlock(shape, a.nodes)

    def part(self, a: ScalarBlock, places: Places) -> ScalarBlock:
        inner, numbers = part_of(a.shape, places)
        return ScalarBlock(inner, tuple(a.nodes[k] for k in numbers))

    def placed(self, part: ScalarBlock, places: Places, shape: Shape) -> ScalarBlock:
        inner, numbers = part_of(shape, places)
        if broadcast([part.shape, inner]) != inner:
            raise ValueError
        nodes = [*self.filled(0.0, shape).nodes]
        for number, k in zip(numbers, positions(part.shape, inner), strict=True):
            nodes[number] = part.nodes[k]
        return ScalarBlock(shape, tuple(nodes))

    def transposed(self, a: ScalarBlock) -> ScalarBlock:
        if len(a.shape) < 2:
            return a
        rows, columns = a.shape
        return ScalarBlock((columns, rows), tuple(node for j in range(columns) for node in a.nodes[j::columns]))

    def gathered(self, a: ScalarBlock, places: ScalarBlock) -> ScalarBlock:
        rows = self._parts(a.nodes, a.shape)
        self.require_room(2 * len(a.nodes) * len(places.nodes))
        inside = self._places(places, a.shape[0])
        nodes = (self._element(column, place) for place in inside for column in zip(*rows, strict=True))
        return ScalarBlock((*places.shape, *a.shape[1:]), tuple(nodes))

    def summed_at(self, part: ScalarBlock, places: ScalarBlock, shape: Shape) -> ScalarBlock:
        self.require_room(3 * math.prod(shape) * len(places.nodes))
        where = self._places(places, shape[0])
        zero, parts = self.number(0.0), self._parts(part.nodes, (len(places.nodes), *shape[1:]))

        def at(k: int, j: int) -> int:
            equal = (self.call("==", place, self.number(float(k))) for place in where)
            return self.combined("+", [self.call("if", e, p[j], zero) for e, p in zip(equal, parts, strict=True)])

        nodes = tuple(at(k, j) for k in range(shape[0]) for j in range(len(parts[0])))
        return ScalarBlock(shape, nodes)

    def _places(self, places: ScalarBlock, count: int) -> list[int]:
        """Places along an axis, with the condition that they are some."""
        size = self.number(float(count))
        return [self.call("place_below", place, size) for place in places.nodes]

    def _parts(self, nodes: tuple[int, ...], shape: Shape) -> list[tuple[int, ...]]:
        """The equations of each part along the first axis."""
        size = math.prod(shape[1:])
        return [nodes[k : k + size] for k in range(0, len(nodes), size)]

    def one_hots(self, a: ScalarBlock, size: int) -> ScalarBlock:
        self.require_room(3 * size * len(a.nodes))
        unit, zero = self.number(1.0), self.number(0.0)
        nodes = tuple(
            self.call("if", self.call("==", node, self.number(float(k))), unit, zero)
            for node in self._places(a, size)
            for k in range(size)
        )
        return ScalarBlock((*a.shape, size), nodes)

    # --- sums and products --------------------------------------------------------------------------------------------

    def total(self, a: ScalarBlock) -> ScalarBlock:
        return ScalarBlock((), (self.combined("+", a.nodes),))

    def running(self, operator: str, a: ScalarBlock, axis: int) -> ScalarBlock:
        self.require_room(len(a.nodes))
        nodes = list(a.nodes)
        for lane in lanes(a.shape, axis):
            nodes[lane] = accumulate(nodes[lane], lambda p, q: self.call(operator, p, q))
        return ScalarBlock(a.shape, tuple(nodes))

    def between(self, low: ScalarBlock, high: ScalarBlock, share: float) -> ScalarBlock:
        upper = self.number(share)
        lower = self.call("*", self.call("-", self.number(1.0), upper), *low.nodes)
        return ScalarBlock((), (self.call("+", lower, self.call("*", upper, *high.nodes)),))

    def softmax(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        return ScalarBlock(args[0].shape, tuple(self.call("exp", n) for n in self.log_softmax(row, args).nodes))

    def log_softmax(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        (block,), nodes = args, list[int]()
        for lane in lanes(block.shape, len(block.shape) - 1):
            vector = ScalarBlock(block.shape[-1:], block.nodes[lane])
            total = self._fold(rules.TABLE["logsumexp", 1], [vector]).nodes[0]
            nodes += (self.call("-", node, total) for node in vector.nodes)
        return ScalarBlock(block.shape, tuple(nodes))

    # --- order --------------------------------------------------------------------------------------------------------

    def argmax(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        return self._place_of(">", "max", args[0].nodes)

    def argmin(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        return self._place_of("<", "min", args[0].nodes)

    def _place_of(self, comparison: str, reduction: str, nodes: Sequence[int]) -> ScalarBlock:
        """The first place of the largest or smallest: a later one must be beyond it."""
        best, place = nodes[0], self.number(0.0)
        for k, node in enumerate(nodes[1:], start=1):
            beyond = self.call(comparison, node, best)
            place = self.call("if", beyond, self.number(float(k)), place)
            best = self.call(reduction, best, node)
        return ScalarBlock((), (place,))

    def ordered(self, a: ScalarBlock) -> ScalarBlock:
        nodes, bits = list(a.nodes), (len(a.nodes) - 1).bit_length()
        self.require_room(len(nodes) * bits * (bits + 1) // 2)
        for j, k in exchanges(len(nodes)):
            low, high = nodes[j], nodes[k]
            nodes[j], nodes[k] = self.call("min", low, high), self.call("max", low, high)
        return ScalarBlock(a.shape, tuple(nodes))

    def order(self, a: ScalarBlock) -> ScalarBlock:
        ranks, numbers = self._ranks(a.nodes), [self.number(float(k)) for k in range(len(a.nodes))]
        equal = ((lambda k, place=place: self.call("==", ranks[k], place)) for place in numbers)
        return ScalarBlock(a.shape, tuple(self._chosen(is_at, numbers) for is_at in equal))

    def _ranks(self, nodes: tuple[int, ...]) -> list[int]:
        """How many elements come before each in order; of equal ones the first comes first."""
        self.require_room(3 * len(nodes) ** 2)
        unit, zero = self.number(1.0), self.number(0.0)

        def before(j: int, i: int) -> int:
            smaller = self.call("<=" if j < i else "<", nodes[j], nodes[i])
            return self.call("if", smaller, unit, zero)

        places = range(len(nodes))
        return [self.combined("+", [before(j, i) if i != j else zero for j in places]) for i in places]

    def permuted(self, row: Primitive, a: ScalarBlock, places: ScalarBlock) -> ScalarBlock:
        self.require_room(2 * len(a.nodes) ** 2)
        return ScalarBlock(a.shape, tuple(self._element(a.nodes, place) for place in places.nodes))

    def _element(self, nodes: Sequence[int], place: int) -> int:
        """The one of `nodes` in a place that is an equation itself."""
        return self._chosen(lambda k: self.call("==", place, self.number(float(k))), nodes)

    def _chosen(self, is_at: Callable[[int], int], nodes: Sequence[int]) -> int:
        """The one of `nodes` for whose place a condition holds."""
        chosen = nodes[-1]
        for k in range(len(nodes) - 2, -1, -1):
            chosen = self.call("if", is_at(k), nodes[k], chosen)
        return chosen

    # --- matrices -----------------------------------------------------------------------------------------------------

    def product(self, a: ScalarBlock, b: ScalarBlock) -> ScalarBlock:
        inner = a.shape[-1]
        rows, columns = self._parts(a.nodes, (1, inner)), [b.nodes[lane] for lane in lanes(b.shape, 0)]
        self.require_room(2 * inner * len(rows) * len(columns))

        def entry(left: Sequence[int], right: Sequence[int]) -> int:
            return self.combined("+", [self.call("*", p, q) for p, q in zip(left, right, strict=True)])

        nodes = tuple(entry(left, right) for left in rows for right in columns)
        return ScalarBlock(a.shape[:-1] + b.shape[1:], nodes)

    def outer_product(self, a: ScalarBlock, b: ScalarBlock) -> ScalarBlock:
        self.require_room(len(a.nodes) * len(b.nodes))
        return ScalarBlock(a.shape + b.shape, tuple(self.call("*", p, q) for p in a.nodes for q in b.nodes))

    def _ring(self, count: int) -> Ring[int]:
        """What makes equations of equations, of which there is room for so many."""
        self.require_room(count)
        call = self.call
        return Ring(
            lambda a: call("-", a),
            lambda a, b: call("+", a, b),
            lambda a, b: call("-", a, b),
            lambda a, b: call("*", a, b),
        )

    def _determinant(self, a: ScalarBlock) -> int:
        return determinant(self._parts(a.nodes, a.shape), self._ring(products(a.shape[0])))

    def determinant(self, row: Primitive, a: ScalarBlock) -> ScalarBlock:
        return self.text(row.scalar_meaning, row.params, [ScalarBlock((), (self._determinant(a),))])

    def cofactors(self, a: ScalarBlock) -> ScalarBlock:
        size = a.shape[0]
        if size == 1:
            return ScalarBlock((1, 1), (self.number(1.0),))
        ring = self._ring(size * size * products(size - 1))
        return ScalarBlock(
            a.shape, tuple(node for line in cofactors(self._parts(a.nodes, a.shape), ring) for node in line)
        )

    def inverse(self, a: ScalarBlock) -> ScalarBlock:
        """The transposed cofactors over the determinant, with the span of the call, so that a division by 0 points to it."""
        return self._over_determinant(a, lambda adjugate: adjugate)

    def solution(self, a: ScalarBlock, b: ScalarBlock) -> ScalarBlock:
        return self._over_determinant(a, lambda adjugate: self.product(adjugate, b))

    def _over_determinant(self, a: ScalarBlock, of_adjugate: Callable[[ScalarBlock], ScalarBlock]) -> ScalarBlock:
        below = self._determinant(a)
        above = of_adjugate(self.transposed(self.cofactors(a)))
        return ScalarBlock(above.shape, tuple(self.call("/", node, below) for node in above.nodes))
