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
from autodiff.core.evaluate import DomainError, primal
from autodiff.core.graph import Graph, WrittenOut
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ELEMENTWISE, GENERAL, REDUCTION, UNDEFINED, ZERO, Primitive
from autodiff.core.templates import template
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
    work = Flattening(Graph(), limit, lowered.source)
    graph, spans = lowered.graph, lowered.graph.spans
    blocks: dict[int, ScalarBlock] = {}
    for node in range(len(graph)):
        fresh = len(work.graph)
        if node in graph.inputs:
            blocks[node] = work.input(graph.inputs[node], shapes.get(graph.inputs[node], ()), spans[node])
        else:
            blocks[node] = work.located(graph, node, blocks)
        work.note_call(graph, node, blocks)
        if node in graph.names:
            blocks[node] = work.named(blocks[node], graph.names[node], fresh, spans[node])
    assigned: dict[str, int] = {}
    for name, node in lowered.assigned.items():
        assigned |= dict(zip(elements(name, blocks[node].shape), blocks[node].nodes, strict=True))
    result = blocks[lowered.result]
    inputs = tuple(work.graph.inputs.values())
    return Flat(Lowered(work.graph, result.nodes[0], lowered.name, inputs, assigned, lowered.source), result, blocks)


def _has_own_slope(row: Primitive) -> bool:
    """Whether a row of one array has a slope that is shorter than those of the equations it becomes."""
    alone = row.kind in (REDUCTION, GENERAL) and row.arity == 1 and row.partials[0] not in (ZERO, UNDEFINED)
    return alone and row.reduce_with != "+"


class Flattening:
    """The graph of numbers that is being made, and a method for each kind of row."""

    def __init__(self, graph: Graph, limit: int, source: str) -> None:
        self.graph, self.limit, self.source = graph, limit, source

    def input(self, name: str, shape: Shape, span: Span) -> ScalarBlock:
        self._room(math.prod(shape))
        return ScalarBlock(shape, tuple(self.graph.input(element, span) for element in elements(name, shape)))

    def named(self, block: ScalarBlock, name: str, fresh: int, span: Span) -> ScalarBlock:
        """The same elements under the user's name, apart from equal ones as in the graph of arrays."""
        same, pairs = rules.TABLE["+", 1], zip(block.nodes, elements(name, block.shape), strict=True)
        return ScalarBlock(block.shape, tuple(self.graph.named(node, name, fresh, same, span) for node, name in pairs))

    def located(self, graph: Graph, node: int, blocks: Mapping[int, ScalarBlock]) -> ScalarBlock:
        args, fresh = graph.args[node], len(self.graph)
        try:
            made = self.equation(graph, node, blocks, graph.spans[node])
            if node in graph.parts:
                self.graph.parts.update(dict.fromkeys(range(fresh, len(self.graph)), graph.parts[node]))
            return made
        except ShapeError as error:
            raise pointing(error, [blocks[a].shape for a in args], [graph.spans[a] for a in args]) from None

    def note_call(self, graph: Graph, node: int, blocks: Mapping[int, ScalarBlock]) -> None:
        """Keep which equations a call of a loss, of a reduction of an array, or of a softmax has become."""
        row, call = graph.rows[node], graph.calls.get(node)
        if call is None and (row is None or node in graph.parts or not _has_own_slope(row)):
            return
        args = [blocks[a] for a in (graph.args[node] if call is None else [a for (a,) in call.args])]
        if call is None and not any(len(a.nodes) > 1 for a in args):
            return
        nodes, shapes = tuple(a.nodes for a in args), tuple(a.shape for a in args)
        name = call.name if call is not None else row.name if row is not None else ""
        block = WrittenOut(name, nodes, shapes, blocks[node].nodes, None if call is not None else row)
        self.graph.calls.update(dict.fromkeys(block.outputs, block))

    def equation(self, graph: Graph, node: int, blocks: Mapping[int, ScalarBlock], span: Span) -> ScalarBlock:
        if node in graph.constants:
            return ScalarBlock((), (self.graph.constant(graph.constants[node], span),))
        row = graph.rows[node]
        assert row is not None  # inputs are no equations
        args = [blocks[a] for a in graph.args[node]]
        if row.scalar_meaning and not any(a.shape for a in args):
            return self.text(row.scalar_meaning, row.params, args, span)
        if row.kind == ELEMENTWISE:
            return self.each(row, args, span)
        return self.fold(row, args, span) if row.kind == REDUCTION else _MADE[row.value](self, row, args, span)

    def text(self, text: str, params: Sequence[str], args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
        """A text of the table, over blocks."""
        inner, known = template(text, tuple(params)), dict(zip(params, args, strict=True))
        blocks: dict[int, ScalarBlock] = {}
        for node in inner.graph.reaching(inner.result):
            name = inner.graph.inputs.get(node)
            blocks[node] = self.equation(inner.graph, node, blocks, span) if name is None else known[name]
        return blocks[inner.result]

    def each(self, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
        shape = broadcast([a.shape for a in args])
        if shape is None:
            raise shape_error(row, [a.shape for a in args], span)
        self._room(math.prod(shape))
        spread = [[a.nodes[i] for i in _positions(a.shape, shape)] for a in args]
        return ScalarBlock(shape, tuple(self.graph.call(row, numbers, span) for numbers in zip(*spread, strict=True)))

    def call(self, name: str, *args: int, span: Span) -> int:
        return self.graph.call(rules.TABLE[name, len(args)], args, span)

    def fold(self, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
        if row.params[-1] == "axis":
            return self._along(row, args[0], self.whole(args[1], span), span)
        if len({a.shape for a in args}) > 1:
            raise shape_error(row, [a.shape for a in args], span, "both must have the same shape")
        if row.elements:
            return self.text(row.elements, row.params, args, span)
        if not row.reduce_with:
            return _MADE[row.value](self, row, args, span)
        if len(args[0].nodes) == 1:
            return self.text(row.scalar_meaning, row.params, [ScalarBlock((), args[0].nodes)], span)
        self._room(len(args[0].nodes))
        return ScalarBlock((), (_combined(lambda a, b: self.call(row.reduce_with, a, b, span=span), args[0].nodes),))

    def _along(self, row: Primitive, block: ScalarBlock, axis: int, span: Span) -> ScalarBlock:
        axis = checked_axis(row, axis, block.shape, span)
        whole = rules.TABLE[row.name, 1]
        lanes = [self.fold(whole, [lane], span).nodes[0] for lane in _lanes(block, axis)]
        return ScalarBlock(block.shape[:axis] + block.shape[axis + 1 :], tuple(lanes))

    def whole(self, block: ScalarBlock, span: Span) -> int:
        """The whole number that a block is: an index, an axis or a size, made of constants."""
        if block.shape:
            raise AutodiffError(f"a whole number is needed here, not an array of shape {block.shape}", span=span)
        inner = Lowered(self.graph, block.nodes[0], "", (), {}, self.source)
        try:
            return whole_number(primal(inner, {}).values[block.nodes[0]], span)
        except DomainError as trouble:
            where = self.graph.spans[trouble.node]
            raise AutodiffError(
                f"an index, an axis or a size has no value here: {diagnostics.outside(inner, trouble, {})}", span=where
            ) from None

    def _room(self, count: int) -> None:
        if len(self.graph) + count > self.limit:
            raise TooLarge


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


def _literal(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
    return ScalarBlock(literal_shape([a.shape for a in args], span), tuple(node for a in args for node in a.nodes))


def _matmul(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
    a, b = args
    shape = matmul_shape(row, [a.shape, b.shape], span)
    inner = a.shape[-1]
    rows = [a.nodes[i : i + inner] for i in range(0, len(a.nodes), inner)]
    columns = [lane.nodes for lane in _lanes(b, 0)]
    work._room(2 * inner * len(rows) * len(columns))

    def entry(one: Sequence[int], two: Sequence[int]) -> int:
        products = [work.call("*", p, q, span=span) for p, q in zip(one, two, strict=True)]
        return _combined(lambda p, q: work.call("+", p, q, span=span), products)

    return ScalarBlock(shape, tuple(entry(one, two) for one in rows for two in columns))


def _matmul_left(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
    g, b = args
    if len(b.shape) == 2:
        return _matmul(work, row, [g, _turned(b)], span)
    return _outer(work, g, b, span)


def _matmul_right(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
    a, g = args
    if len(a.shape) == 2:
        return _matmul(work, row, [_turned(a), g], span)
    return _outer(work, a, g, span)


def _outer(work: Flattening, a: ScalarBlock, b: ScalarBlock, span: Span) -> ScalarBlock:
    work._room(len(a.nodes) * len(b.nodes))
    return ScalarBlock(a.shape + b.shape, tuple(work.call("*", p, q, span=span) for p in a.nodes for q in b.nodes))


def _turned(block: ScalarBlock) -> ScalarBlock:
    if len(block.shape) < 2:
        return block
    rows, columns = block.shape
    return ScalarBlock(
        (columns, rows), tuple(block.nodes[i * columns + j] for j in range(columns) for i in range(rows))
    )


def _transpose(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
    if len(args[0].shape) > 2:
        raise shape_error(row, [args[0].shape], span, "only a matrix has rows and columns to exchange")
    return _turned(args[0])


def _expand_dims(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
    block, axis = args[0], work.whole(args[1], span)
    axis = checked_axis(row, axis, (*block.shape, 1), span)
    room_for_an_axis(block.shape, span)
    return ScalarBlock((*block.shape[:axis], 1, *block.shape[axis:]), block.nodes)


def _softmax(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
    logarithms = _log_softmax(work, row, args, span)
    return ScalarBlock(args[0].shape, tuple(work.call("exp", node, span=span) for node in logarithms.nodes))


def _log_softmax(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
    found: list[int] = []
    for lane in _lanes(args[0], len(args[0].shape) - 1):
        total = work.fold(rules.TABLE["logsumexp", 1], [lane], span).nodes[0]
        found += (work.call("-", node, total, span=span) for node in lane.nodes)
    return ScalarBlock(args[0].shape, tuple(found))


def _argmax(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
    """The first place of the largest: a later one must be larger."""
    best, place = args[0].nodes[0], work.graph.constant(0.0, span)
    for k, node in enumerate(args[0].nodes[1:], start=1):
        larger = work.call(">", node, best, span=span)
        place = work.call("if", larger, work.graph.constant(float(k), span), place, span=span)
        best = work.call("max", best, node, span=span)
    return ScalarBlock((), (place,))


def _index(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
    block = args[0]
    place = checked_place([work.whole(a, span) for a in args[1:]], block.shape, span)
    start = sum(at * step for at, step in zip(place, _strides(block.shape), strict=False))
    shape = block.shape[len(place) :]
    return ScalarBlock(shape, block.nodes[start : start + math.prod(shape)])


def _scatter(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
    piece, block = args[:2]
    place = checked_place([work.whole(a, span) for a in args[2:]], block.shape, span)
    inner = block.shape[len(place) :]
    if broadcast([piece.shape, inner]) != inner:
        raise shape_error(row, [a.shape for a in args], span)
    start = sum(at * step for at, step in zip(place, _strides(block.shape), strict=False))
    nodes = [work.graph.constant(0.0, span)] * len(block.nodes)
    nodes[start : start + math.prod(inner)] = [piece.nodes[i] for i in _positions(piece.shape, inner)]
    return ScalarBlock(block.shape, tuple(nodes))


def _filled(value: float) -> Callable[[Flattening, Primitive, Sequence[ScalarBlock], Span], ScalarBlock]:
    def made(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
        shape = checked_size([work.whole(a, span) for a in args], span)
        work._room(math.prod(shape))
        return ScalarBlock(shape, (work.graph.constant(value, span),) * math.prod(shape))

    return made


def _numel(work: Flattening, row: Primitive, args: Sequence[ScalarBlock], span: Span) -> ScalarBlock:
    return ScalarBlock((), (work.graph.constant(float(len(args[0].nodes)), span),))


_MADE: Mapping[str, Callable[[Flattening, Primitive, Sequence[ScalarBlock], Span], ScalarBlock]] = {
    "literal": _literal,
    "matmul": _matmul,
    "matmul_left": _matmul_left,
    "matmul_right": _matmul_right,
    "transpose": _transpose,
    "expand_dims": _expand_dims,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "argmax": _argmax,
    "index": _index,
    "scatter": _scatter,
    "zeros": _filled(0.0),
    "ones": _filled(1.0),
    "numel": _numel,
}
"""What a row's value column names, over blocks."""
