"""Equations of arrays as equations of numbers: `sum(x^2)` at an x of shape (3,) becomes x[0]^2 + x[1]^2 + x[2]^2.

What holds for numbers (one-sided slopes at corners, symbols, derivatives of any order) then holds for arrays. With plain
numbers only, nothing is left of the array rows: `mean(x)` is x. No NumPy is needed.

>>> from autodiff import parse
>>> from autodiff.core.lowering import lower
>>> flat = flatten(lower(parse("sum(x*[1, y])")), {"x": (2,)})
>>> flat.lowered.inputs, flat.result.shape
(('x[0]', 'x[1]', 'y'), ())
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

from autodiff import diagnostics
from autodiff.arrays.shapes import (
    Shape,
    ShapeError,
    broadcast,
    checked_axis,
    checked_place,
    checked_size,
    elements,
    literal_shape,
    matmul_shape,
    pointing,
    room_for_an_axis,
    shape_error,
    whole_number,
)
from autodiff.core import rules
from autodiff.core.algebra import Algebra
from autodiff.core.evaluate import DomainError, primal
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, Primitive
from autodiff.errors import AutodiffError, Span

_FEW = 128
"""Terms that are added up one after the other."""

LIMIT = 1_000_000
"""Equations that flattening may make before it is called off."""


def _combined(both: Callable[[int, int], int], nodes: Sequence[int]) -> int:
    """All equations combined, from the left where they are few; else by halves, so that rounding errors don't pile up."""
    if len(nodes) <= _FEW:
        return reduce(both, nodes)
    half = len(nodes) // 2
    return both(_combined(both, nodes[:half]), _combined(both, nodes[half:]))


class TooLarge(Exception):
    """The program has too many elements to be written out."""


@dataclass(frozen=True, slots=True)
class ScalarBlock:
    """An array of equations: its shape, and the number of each element's equation, last axis fastest."""

    shape: Shape
    nodes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Flat:
    """A program of numbers, and where the elements of the original's `result` and of its equations went."""

    lowered: Lowered
    result: ScalarBlock
    blocks: Mapping[int, ScalarBlock]


def flatten(lowered: Lowered, shapes: Mapping[str, Shape], limit: int = LIMIT) -> Flat:
    """The program over the elements of its inputs, where `shapes` has the shapes of those that are arrays.

    Raises AutodiffError for shapes that don't fit, TooLarge beyond `limit` equations.
    """
    work = _Scalarization(lowered, shapes, limit)
    blocks = work.blocks()
    assigned: dict[str, int] = {}
    for name, node in lowered.assigned.items():
        assigned |= dict(zip(elements(name, blocks[node].shape), blocks[node].nodes, strict=True))
    result = blocks[lowered.result]
    inputs = tuple(work.graph.inputs.values())
    return Flat(Lowered(work.graph, result.nodes[0], lowered.name, inputs, assigned, lowered.source), result, blocks)


class _Scalarization(Algebra[ScalarBlock]):
    """Blocks of equations as numbers of the engine, which are made in the graph of numbers."""

    def __init__(self, lowered: Lowered, shapes: Mapping[str, Shape], limit: int) -> None:
        self.arrays, self.shapes, self.limit, self.source = lowered.graph, shapes, limit, lowered.source
        self.graph = Graph()
        self.span: Span = (0, 0)

    def blocks(self) -> dict[int, ScalarBlock]:
        """The block of every equation of the program."""
        graph, blocks = self.arrays, dict[int, ScalarBlock]()
        for node, row in enumerate(graph.rows):
            fresh, self.span = len(self.graph), graph.spans[node]
            if node in graph.inputs:
                blocks[node] = self._input(graph.inputs[node])
            elif node in graph.constants:
                blocks[node] = self.constant(graph.constants[node])
            else:
                assert row is not None  # the leaves are above
                blocks[node] = self.equation(node, row, [blocks[a] for a in graph.args[node]])
            if node in graph.names:
                blocks[node] = self._named(blocks[node], graph.names[node], fresh)
        return blocks

    def _input(self, name: str) -> ScalarBlock:
        shape = self.shapes.get(name, ())
        self.require_room(math.prod(shape))
        return ScalarBlock(shape, tuple(self.graph.input(element, self.span) for element in elements(name, shape)))

    def _named(self, block: ScalarBlock, name: str, fresh: int) -> ScalarBlock:
        """The same elements under the user's name, apart from equal ones as in the graph of arrays."""
        same, pairs = rules.TABLE["+", 1], zip(block.nodes, elements(name, block.shape), strict=True)
        nodes = (self.graph.named(node, element, fresh, same, self.span) for node, element in pairs)
        return ScalarBlock(block.shape, tuple(nodes))

    def constant(self, value: float) -> ScalarBlock:
        return ScalarBlock((), (self.number(value),))

    def equation(self, node: int, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        graph, fresh = self.arrays, len(self.graph)
        try:
            block = self.apply(row, args)
        except ShapeError as error:
            raise pointing(error, [a.shape for a in args], [graph.spans[a] for a in graph.args[node]]) from None
        if node in graph.parts:
            self.graph.parts.update(dict.fromkeys(range(fresh, len(self.graph)), graph.parts[node]))
        return block

    def apply(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        if row.scalar_meaning and not any(a.shape for a in args):
            return self.text(row.scalar_meaning, row.params, args)
        if row.kind == ELEMENTWISE:
            return self._each(row, args)
        return self.fold(row, args) if row.kind == REDUCTION else _BLOCKS[row.value](self, row, args)

    def _each(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        shape = broadcast([a.shape for a in args])
        if shape is None:
            raise shape_error(row, [a.shape for a in args], self.span)
        self.require_room(math.prod(shape))
        spread = [[a.nodes[i] for i in _positions(a.shape, shape)] for a in args]
        return ScalarBlock(
            shape, tuple(self.graph.call(row, numbers, self.span) for numbers in zip(*spread, strict=True))
        )

    def call(self, name: str, *args: int) -> int:
        return self.graph.call(rules.TABLE[name, len(args)], args, self.span)

    def number(self, value: float) -> int:
        return self.graph.constant(value, self.span)

    def fold(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        if row.params[-1] == "axis":
            return self._along(row, args[0], self.whole(args[1]))
        if len({a.shape for a in args}) > 1:
            raise shape_error(row, [a.shape for a in args], self.span, "both must have the same shape")
        if row.elements:
            return self.text(row.elements, row.params, args)
        if not row.reduce_with:
            return _BLOCKS[row.value](self, row, args)
        if len(args[0].nodes) == 1:
            return self.text(row.scalar_meaning, row.params, [ScalarBlock((), args[0].nodes)])
        self.require_room(len(args[0].nodes))
        return ScalarBlock((), (_combined(lambda a, b: self.call(row.reduce_with, a, b), args[0].nodes),))

    def _along(self, row: Primitive, block: ScalarBlock, axis: int) -> ScalarBlock:
        axis = checked_axis(row, axis, block.shape, self.span)
        whole = rules.TABLE[row.name, 1]
        lanes = [self.fold(whole, [lane]).nodes[0] for lane in _lanes(block, axis)]
        return ScalarBlock(block.shape[:axis] + block.shape[axis + 1 :], tuple(lanes))

    def whole(self, block: ScalarBlock) -> int:
        """The whole number that a block is: an index, an axis or a size, made of constants."""
        if block.shape:
            raise AutodiffError(f"a whole number is needed here, not an array of shape {block.shape}", span=self.span)
        inner = Lowered(self.graph, block.nodes[0], "", (), {}, self.source)
        try:
            return whole_number(primal(inner, {}).values[block.nodes[0]], self.span)
        except DomainError as trouble:
            where = self.graph.spans[trouble.node]
            raise AutodiffError(
                f"an index, an axis or a size has no value here: {diagnostics.outside(inner, trouble, {})}", span=where
            ) from None

    def require_room(self, count: int) -> None:
        if len(self.graph) + count > self.limit:
            raise TooLarge


_Block: TypeAlias = Callable[[_Scalarization, Primitive, Sequence[ScalarBlock]], ScalarBlock]


# --- places -----------------------------------------------------------------------------------------------------------


def _strides(shape: Shape) -> list[int]:
    return [math.prod(shape[k + 1 :]) for k in range(len(shape))]


def _positions(shape: Shape, wide: Shape) -> list[int]:
    """For each element of the broadcast shape `wide`, which element of `shape` it is."""
    if shape == wide:
        return list(range(math.prod(shape)))
    steps = [0 if size == 1 else step for size, step in zip(shape, _strides(shape), strict=True)]
    found = [0]
    for size, step in zip(wide, [0] * (len(wide) - len(shape)) + steps, strict=True):
        found = [base + k * step for base in found for k in range(size)]
    return found


def _lanes(block: ScalarBlock, axis: int) -> Iterator[ScalarBlock]:
    """The vectors along an axis, in the order of the other axes."""
    step, size = _strides(block.shape)[axis], block.shape[axis]
    for outer in range(math.prod(block.shape[:axis])):
        for inner in range(step):
            start = outer * size * step + inner
            yield ScalarBlock((size,), block.nodes[start : start + size * step : step][:size])


# --- rows that are no chain of two-argument rows ----------------------------------------------------------------------


def _literal(work: _Scalarization, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    return ScalarBlock(literal_shape([a.shape for a in args], work.span), tuple(node for a in args for node in a.nodes))


def _matmul(work: _Scalarization, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    a, b = args
    shape = matmul_shape(row, [a.shape, b.shape], work.span)
    inner = a.shape[-1]
    rows = [a.nodes[i : i + inner] for i in range(0, len(a.nodes), inner)]
    columns = [lane.nodes for lane in _lanes(b, 0)]
    work.require_room(2 * inner * len(rows) * len(columns))

    def entry(left: Sequence[int], right: Sequence[int]) -> int:
        products = [work.call("*", p, q) for p, q in zip(left, right, strict=True)]
        return _combined(lambda p, q: work.call("+", p, q), products)

    return ScalarBlock(shape, tuple(entry(left, right) for left in rows for right in columns))


def _matmul_left(work: _Scalarization, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    g, b = args
    if len(b.shape) == 2:
        return _matmul(work, row, [g, _transposed(b)])
    return _outer(work, g, b)


def _matmul_right(work: _Scalarization, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    a, g = args
    if len(a.shape) == 2:
        return _matmul(work, row, [_transposed(a), g])
    return _outer(work, a, g)


def _outer(work: _Scalarization, a: ScalarBlock, b: ScalarBlock) -> ScalarBlock:
    work.require_room(len(a.nodes) * len(b.nodes))
    return ScalarBlock(a.shape + b.shape, tuple(work.call("*", p, q) for p in a.nodes for q in b.nodes))


def _transposed(block: ScalarBlock) -> ScalarBlock:
    if len(block.shape) < 2:
        return block
    rows, columns = block.shape
    return ScalarBlock(
        (columns, rows), tuple(block.nodes[i * columns + j] for j in range(columns) for i in range(rows))
    )


def _transpose(work: _Scalarization, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    if len(args[0].shape) > 2:
        raise shape_error(row, [args[0].shape], work.span, "only a matrix has rows and columns to exchange")
    return _transposed(args[0])


def _expand_dims(work: _Scalarization, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    block, axis = args[0], work.whole(args[1])
    axis = checked_axis(row, axis, (*block.shape, 1), work.span)
    room_for_an_axis(block.shape, work.span)
    return ScalarBlock((*block.shape[:axis], 1, *block.shape[axis:]), block.nodes)


def _softmax(work: _Scalarization, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    nodes: list[int] = []
    for lane in _lanes(args[0], len(args[0].shape) - 1):
        total = work.fold(rules.TABLE["logsumexp", 1], [lane]).nodes[0]
        nodes += (work.call("exp", work.call("-", node, total)) for node in lane.nodes)
    return ScalarBlock(args[0].shape, tuple(nodes))


def _argmax(work: _Scalarization, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    """The first place of the largest: a later one must be larger."""
    best, place = args[0].nodes[0], work.number(0.0)
    for k, node in enumerate(args[0].nodes[1:], start=1):
        larger = work.call(">", node, best)
        place = work.call("if", larger, work.number(float(k)), place)
        best = work.call("max", best, node)
    return ScalarBlock((), (place,))


def _index(work: _Scalarization, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    block = args[0]
    place = checked_place([work.whole(a) for a in args[1:]], block.shape, work.span)
    start = sum(at * step for at, step in zip(place, _strides(block.shape), strict=False))
    shape = block.shape[len(place) :]
    return ScalarBlock(shape, block.nodes[start : start + math.prod(shape)])


def _scatter(work: _Scalarization, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    piece, block = args[:2]
    place = checked_place([work.whole(a) for a in args[2:]], block.shape, work.span)
    inner = block.shape[len(place) :]
    if broadcast([piece.shape, inner]) != inner:
        raise shape_error(row, [a.shape for a in args], work.span)
    start = sum(at * step for at, step in zip(place, _strides(block.shape), strict=False))
    nodes = [work.number(0.0)] * len(block.nodes)
    nodes[start : start + math.prod(inner)] = [piece.nodes[i] for i in _positions(piece.shape, inner)]
    return ScalarBlock(block.shape, tuple(nodes))


def _filled(value: float) -> _Block:
    def filled(work: _Scalarization, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        shape = checked_size([work.whole(a) for a in args], work.span)
        work.require_room(math.prod(shape))
        return ScalarBlock(shape, (work.number(value),) * math.prod(shape))

    return filled


def _numel(work: _Scalarization, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    return ScalarBlock((), (work.number(float(len(args[0].nodes))),))


_BLOCKS: Mapping[str, _Block] = {
    "literal": _literal,
    "matmul": _matmul,
    "matmul_left": _matmul_left,
    "matmul_right": _matmul_right,
    "transpose": _transpose,
    "expand_dims": _expand_dims,
    "softmax": _softmax,
    "argmax": _argmax,
    "index": _index,
    "scatter": _scatter,
    "zeros": _filled(0.0),
    "ones": _filled(1.0),
    "numel": _numel,
}
"""What a row's value column names, over blocks."""
