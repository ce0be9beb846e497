"""Functions of whole arrays over blocks of equations: what `matrices` and `functions` are for NumPy.

>>> positions((3, 1), (3, 2))
[0, 0, 1, 1, 2, 2]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol, TypeAlias

from autodiff.arrays.shapes import (
    Shape,
    broadcast,
    checked_axis,
    checked_place,
    checked_size,
    literal_shape,
    matmul_shape,
    room_for_an_axis,
    shape_error,
)
from autodiff.core import rules
from autodiff.core.primitive import Primitive
from autodiff.errors import Span

_FEW = 128
"""Terms that are added up one after the other."""


@dataclass(frozen=True, slots=True)
class ScalarBlock:
    """An array of equations: its shape, and the number of each element's equation, last axis fastest."""

    shape: Shape
    nodes: tuple[int, ...]


class Work(Protocol):
    """The graph of numbers that is being made, as functions of blocks use it."""

    span: Span

    def number(self, value: float) -> int: ...
    def call(self, name: str, *args: int) -> int: ...
    def fold(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock: ...
    def constant_of(self, block: ScalarBlock) -> float: ...
    def whole(self, block: ScalarBlock) -> int: ...
    def text(self, source: str, names: tuple[str, ...], given: Sequence[ScalarBlock]) -> ScalarBlock: ...
    def require_room(self, count: int) -> None: ...


BlockFunction: TypeAlias = Callable[[Work, Primitive, Sequence[ScalarBlock]], ScalarBlock]


def combined(both: Callable[[int, int], int], nodes: Sequence[int]) -> int:
    """All equations combined, from the left where they are few; else by halves, so that rounding errors don't pile up."""
    if len(nodes) <= _FEW:
        return reduce(both, nodes)
    half = len(nodes) // 2
    return both(combined(both, nodes[:half]), combined(both, nodes[half:]))


# --- places -----------------------------------------------------------------------------------------------------------


def strides(shape: Shape) -> list[int]:
    return [math.prod(shape[k + 1 :]) for k in range(len(shape))]


def positions(shape: Shape, wide: Shape) -> list[int]:
    """For each element of the broadcast shape `wide`, which element of `shape` it is."""
    if shape == wide:
        return list(range(math.prod(shape)))
    steps = [0 if size == 1 else step for size, step in zip(shape, strides(shape), strict=True)]
    places = [0]
    for size, step in zip(wide, [0] * (len(wide) - len(shape)) + steps, strict=True):
        places = [base + k * step for base in places for k in range(size)]
    return places


def lanes(block: ScalarBlock, axis: int) -> Iterator[ScalarBlock]:
    """The vectors along an axis, in the order of the other axes."""
    step, size = strides(block.shape)[axis], block.shape[axis]
    for outer in range(math.prod(block.shape[:axis])):
        for inner in range(step):
            start = outer * size * step + inner
            yield ScalarBlock((size,), block.nodes[start : start + size * step : step][:size])


# --- rows that are no chain of two-argument rows ----------------------------------------------------------------------


def _literal(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    return ScalarBlock(literal_shape([a.shape for a in args], work.span), tuple(node for a in args for node in a.nodes))


def matmul(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    a, b = args
    shape = matmul_shape(row, [a.shape, b.shape], work.span)
    inner = a.shape[-1]
    rows = [a.nodes[i : i + inner] for i in range(0, len(a.nodes), inner)]
    columns = [lane.nodes for lane in lanes(b, 0)]
    work.require_room(2 * inner * len(rows) * len(columns))

    def entry(left: Sequence[int], right: Sequence[int]) -> int:
        products = [work.call("*", p, q) for p, q in zip(left, right, strict=True)]
        return combined(lambda p, q: work.call("+", p, q), products)

    return ScalarBlock(shape, tuple(entry(left, right) for left in rows for right in columns))


def _matmul_left(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    g, b = args
    if len(b.shape) == 2:
        return matmul(work, row, [g, transposed(b)])
    return outer(work, g, b)


def _matmul_right(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    a, g = args
    if len(a.shape) == 2:
        return matmul(work, row, [transposed(a), g])
    return outer(work, a, g)


def outer(work: Work, a: ScalarBlock, b: ScalarBlock) -> ScalarBlock:
    work.require_room(len(a.nodes) * len(b.nodes))
    return ScalarBlock(a.shape + b.shape, tuple(work.call("*", p, q) for p in a.nodes for q in b.nodes))


def transposed(block: ScalarBlock) -> ScalarBlock:
    if len(block.shape) < 2:
        return block
    rows, columns = block.shape
    return ScalarBlock(
        (columns, rows), tuple(block.nodes[i * columns + j] for j in range(columns) for i in range(rows))
    )


def _transpose(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    if len(args[0].shape) > 2:
        raise shape_error(row, [args[0].shape], work.span, "only a matrix has rows and columns to exchange")
    return transposed(args[0])


def _expand_dims(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    block, axis = args[0], work.whole(args[1])
    axis = checked_axis(row, axis, (*block.shape, 1), work.span)
    room_for_an_axis(block.shape, work.span)
    return ScalarBlock((*block.shape[:axis], 1, *block.shape[axis:]), block.nodes)


def _softmax(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    logarithms = _log_softmax(work, row, args)
    return ScalarBlock(args[0].shape, tuple(work.call("exp", node) for node in logarithms.nodes))


def _log_softmax(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    nodes: list[int] = []
    for lane in lanes(args[0], len(args[0].shape) - 1):
        total = work.fold(rules.TABLE["logsumexp", 1], [lane]).nodes[0]
        nodes += (work.call("-", node, total) for node in lane.nodes)
    return ScalarBlock(args[0].shape, tuple(nodes))


def _place_of(comparison: str, reduction: str) -> BlockFunction:
    """The first place of the largest or smallest: a later one must be beyond it."""

    def place_of(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        best, place = args[0].nodes[0], work.number(0.0)
        for k, node in enumerate(args[0].nodes[1:], start=1):
            beyond = work.call(comparison, node, best)
            place = work.call("if", beyond, work.number(float(k)), place)
            best = work.call(reduction, best, node)
        return ScalarBlock((), (place,))

    return place_of


def _index(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    block = args[0]
    place = checked_place([work.whole(a) for a in args[1:]], block.shape, work.span)
    start = sum(at * step for at, step in zip(place, strides(block.shape), strict=False))
    shape = block.shape[len(place) :]
    return ScalarBlock(shape, block.nodes[start : start + math.prod(shape)])


def _scatter(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    piece, block = args[:2]
    place = checked_place([work.whole(a) for a in args[2:]], block.shape, work.span)
    inner = block.shape[len(place) :]
    if broadcast([piece.shape, inner]) != inner:
        raise shape_error(row, [a.shape for a in args], work.span)
    start = sum(at * step for at, step in zip(place, strides(block.shape), strict=False))
    nodes = [work.number(0.0)] * len(block.nodes)
    nodes[start : start + math.prod(inner)] = [piece.nodes[i] for i in positions(piece.shape, inner)]
    return ScalarBlock(block.shape, tuple(nodes))


def _filled(value: float) -> BlockFunction:
    def filled(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        shape = checked_size([work.whole(a) for a in args], work.span)
        work.require_room(math.prod(shape))
        return ScalarBlock(shape, (work.number(value),) * math.prod(shape))

    return filled


def _numel(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    return ScalarBlock((), (work.number(float(len(args[0].nodes))),))


BLOCKS: Mapping[str, BlockFunction] = {
    "literal": _literal,
    "matmul": matmul,
    "matmul_left": _matmul_left,
    "matmul_right": _matmul_right,
    "transpose": _transpose,
    "expand_dims": _expand_dims,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "argmax": _place_of(">", "max"),
    "index": _index,
    "scatter": _scatter,
    "zeros": _filled(0.0),
    "ones": _filled(1.0),
    "numel": _numel,
    "argmin": _place_of("<", "min"),
}
"""What a row's value column names, over blocks."""
