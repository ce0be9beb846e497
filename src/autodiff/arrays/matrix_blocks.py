"""Matrices, the order of elements and parts of arrays over blocks of equations: what `matrices` is for NumPy.

Determinants are sums of products, and elements are put in order by exchanges of pairs: what is known of products, of `min`
and of `max` then holds for them, symbols, one-sided slopes at ties and proven digits included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

from autodiff.arrays.blocks import (
    BlockFunction,
    ScalarBlock,
    Work,
    combined,
    lanes,
    matmul,
    outer,
    positions,
    strides,
    transposed,
)
from autodiff.arrays.minors import Ring, cofactors, determinant, products
from autodiff.arrays.shapes import (
    Shape,
    broadcast,
    checked_axis,
    checked_place,
    checked_range,
    checked_share,
    checked_size,
    concat_shape,
    reshaped,
    shape_error,
    square_size,
    system_shape,
    vector_size,
)
from autodiff.core import rules
from autodiff.core.primitive import Primitive

# --- matrices ---------------------------------------------------------------------------------------------------------


def _rows(work: Work, row: Primitive, block: ScalarBlock) -> list[tuple[int, ...]]:
    """The rows of a square matrix."""
    size = square_size(row, block.shape, work.span)
    return [block.nodes[k : k + size] for k in range(0, size * size, size)]


def _ring(work: Work, count: int) -> Ring[int]:
    """What makes equations of equations, of which there is room for so many."""
    work.require_room(count)
    return Ring(
        lambda a: work.call("-", a),
        lambda a, b: work.call("+", a, b),
        lambda a, b: work.call("-", a, b),
        lambda a, b: work.call("*", a, b),
    )


def _determinant(work: Work, row: Primitive, block: ScalarBlock) -> ScalarBlock:
    rows = _rows(work, row, block)
    return ScalarBlock((), (determinant(rows, _ring(work, products(len(rows)))),))


def _det(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    """The determinant, or what a row makes of it."""
    return work.text(row.scalar_meaning, row.params, [_determinant(work, row, args[0])])


def _cofactor(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    rows = _rows(work, row, args[0])
    size = len(rows)
    if size == 1:
        return ScalarBlock((1, 1), (work.number(1.0),))
    ring = _ring(work, size * size * products(size - 1))
    return ScalarBlock((size, size), tuple(node for line in cofactors(rows, ring) for node in line))


def _inv(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    """The transposed cofactors over the determinant: by the same words, a division that has no value is of this call."""
    below = _determinant(work, row, args[0]).nodes[0]
    above = transposed(_cofactor(work, row, args))
    return ScalarBlock(above.shape, tuple(work.call("/", node, below) for node in above.nodes))


def _solve(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    shape = system_shape(row, [a.shape for a in args], work.span)
    below = _determinant(work, row, args[0]).nodes[0]
    above = matmul(work, rules.TABLE["@", 2], [transposed(_cofactor(work, row, args[:1])), args[1]])
    return ScalarBlock(shape, tuple(work.call("/", node, below) for node in above.nodes))


def _trace(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    rows = _rows(work, row, args[0])
    return ScalarBlock((), (combined(lambda a, b: work.call("+", a, b), [line[k] for k, line in enumerate(rows)]),))


def _diag(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    (block,) = args
    if len(block.shape) != 1:
        rows = _rows(work, row, block)
        return ScalarBlock((len(rows),), tuple(line[k] for k, line in enumerate(rows)))
    size = block.shape[0]
    work.require_room(size * size)
    zero = work.number(0.0)
    nodes = (block.nodes[i] if i == j else zero for i in range(size) for j in range(size))
    return ScalarBlock((size, size), tuple(nodes))


def _outer_of_vectors(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    for block in args:
        vector_size(row, block.shape, work.span)
    return outer(work, *args)


# --- running totals and order -----------------------------------------------------------------------------------------


def _by_lane(function: Callable[[Work, tuple[int, ...]], Sequence[int]]) -> BlockFunction:
    """A function of vectors, of an array along the axis that its last argument names."""

    def along(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        block, axis = args[0], 0
        if row.params[-1] == "axis":
            axis = checked_axis(row, work.whole(args[-1]), block.shape, work.span)
        else:
            hint = f"name the axis: {row.name}(u, axis)" * (len(block.shape) > 1 and len(rules.arities(row.name)) > 1)
            vector_size(row, block.shape, work.span, hint)
        work.require_room(len(block.nodes))
        nodes = list(block.nodes)
        step, size = strides(block.shape)[axis], block.shape[axis]
        for k, lane in enumerate(lanes(block, axis)):
            start = k // step * size * step + k % step
            nodes[start : start + size * step : step] = function(work, lane.nodes)
        return ScalarBlock(block.shape, tuple(nodes))

    return along


def _running(name: str) -> Callable[[Work, tuple[int, ...]], Sequence[int]]:
    def totals(work: Work, nodes: tuple[int, ...]) -> Sequence[int]:
        return list(accumulate(nodes, lambda a, b: work.call(name, a, b)))

    return totals


def _sorted(work: Work, nodes: tuple[int, ...]) -> Sequence[int]:
    """Batcher's merge exchange (D. Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M): pairs in a fixed order."""
    order, count, bits = list(nodes), len(nodes), (len(nodes) - 1).bit_length()
    work.require_room(count * bits * (bits + 1) // 2)
    top = 1 << max(0, bits - 1)
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            for k in range(count - d):
                if k & p == r:
                    low, high = order[k], order[k + d]
                    order[k], order[k + d] = work.call("min", low, high), work.call("max", low, high)
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1
    return order


def _ranks(work: Work, nodes: tuple[int, ...]) -> list[int]:
    """How many elements stand before each in order; of equal ones the first stands first."""
    work.require_room(3 * len(nodes) ** 2)
    unit, zero = work.number(1.0), work.number(0.0)

    def before(j: int, i: int) -> int:
        smaller = work.call("<=" if j < i else "<", nodes[j], nodes[i])
        return work.call("if", smaller, unit, zero)

    places = range(len(nodes))
    return [
        combined(lambda a, b: work.call("+", a, b), [before(j, i) if i != j else zero for j in places]) for i in places
    ]


def _chosen(work: Work, place: int, nodes: Sequence[int]) -> int:
    """The one of `nodes` whose place an equation gives."""
    pick = nodes[-1]
    for k in range(len(nodes) - 2, -1, -1):
        pick = work.call("if", work.call("==", place, work.number(float(k))), nodes[k], pick)
    return pick


def _argsorted(work: Work, nodes: tuple[int, ...]) -> Sequence[int]:
    ranks, numbers = _ranks(work, nodes), [work.number(float(k)) for k in range(len(nodes))]
    picks = []
    for place in numbers:
        pick = numbers[-1]
        for rank, number in zip(ranks[-2::-1], numbers[-2::-1], strict=True):
            pick = work.call("if", work.call("==", rank, place), number, pick)
        picks.append(pick)
    return picks


def _permute(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    block, places = args
    if vector_size(row, block.shape, work.span) != vector_size(row, places.shape, work.span):
        raise shape_error(row, [a.shape for a in args], work.span, "i has each place of u once: 0, 1, … in any order")
    work.require_room(2 * len(block.nodes) ** 2)
    return ScalarBlock(block.shape, tuple(_chosen(work, place, block.nodes) for place in places.nodes))


def _quantile(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    """Of the median, the share is a half."""
    size = vector_size(row, args[0].shape, work.span)
    share = checked_share(work.constant_of(args[1]), work.span) if len(args) > 1 else 0.5
    order, place = _sorted(work, args[0].nodes), share * (size - 1)
    low = math.floor(place)
    if low == place:
        return ScalarBlock((), (order[low],))
    upper = work.number(place - low)
    parts = work.call("*", work.call("-", work.number(1.0), upper), order[low]), work.call("*", upper, order[low + 1])
    return ScalarBlock((), (work.call("+", *parts),))


# --- arrays made from parts of others -----------------------------------------------------------------------------------


def _concat(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    shape = concat_shape(row, [a.shape for a in args], work.span)
    return ScalarBlock(shape, tuple(node for a in args for node in a.nodes))


def _reshape(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    sizes = [work.whole(a) for a in args[1:]]
    return ScalarBlock(reshaped(row, args[0].shape, sizes, work.span), args[0].nodes)


def _reshape_like(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    if len(args[0].nodes) != len(args[1].nodes):
        raise shape_error(row, [a.shape for a in args], work.span, "both must have as many elements")
    return ScalarBlock(args[1].shape, args[0].nodes)


def _part(work: Work, row: Primitive, block: ScalarBlock, where: Sequence[ScalarBlock]) -> tuple[Shape, list[int]]:
    """The shape and the positions of a part of a block: one place along an axis, or those from start to before stop."""
    *ends, along = where
    axis = checked_axis(row, work.whole(along), block.shape, work.span)
    size, step = block.shape[axis], strides(block.shape)[axis]
    if len(ends) == 1:
        (start,) = checked_place([work.whole(ends[0])], (size,), work.span)
        stop = start + 1
    else:
        last = work.constant_of(ends[1])
        start, stop = checked_range(
            work.whole(ends[0]), last if last == math.inf else work.whole(ends[1]), size, work.span
        )
    places = [k for k in range(len(block.nodes)) if start <= k // step % size < stop]
    inner = (stop - start,) * (len(ends) > 1)
    return (*block.shape[:axis], *inner, *block.shape[axis + 1 :]), places


def _take(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    shape, places = _part(work, row, args[0], args[1:])
    return ScalarBlock(shape, tuple(args[0].nodes[k] for k in places))


def _put(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    piece, block = args[:2]
    shape, places = _part(work, row, block, args[2:])
    if broadcast([piece.shape, shape]) != shape:
        raise shape_error(row, [a.shape for a in args], work.span)
    nodes = [work.number(0.0)] * len(block.nodes)
    for place, k in zip(places, positions(piece.shape, shape), strict=True):
        nodes[place] = piece.nodes[k]
    return ScalarBlock(block.shape, tuple(nodes))


def _len(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    return ScalarBlock((), (work.number(float(args[0].shape[0])),))


def _one_hot(work: Work, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
    block, (size,) = args[0], checked_size([work.whole(args[1])], work.span)
    work.require_room(3 * size * len(block.nodes))
    unit, zero = work.number(1.0), work.number(0.0)
    nodes = tuple(
        work.call("if", work.call("==", node, work.number(float(k))), unit, zero)
        for node in block.nodes
        for k in range(size)
    )
    return ScalarBlock((*block.shape, size), nodes)


MATRIX_BLOCKS: Mapping[str, BlockFunction] = {
    "det": _det,
    "detsign": _det,
    "logdet": _det,
    "cofactor": _cofactor,
    "inv": _inv,
    "solve": _solve,
    "trace": _trace,
    "diag": _diag,
    "outer": _outer_of_vectors,
    "cumsum": _by_lane(_running("+")),
    "cumprod": _by_lane(_running("*")),
    "flip": _by_lane(lambda work, nodes: nodes[::-1]),
    "sort": _by_lane(_sorted),
    "argsort": _by_lane(_argsorted),
    "permute": _permute,
    "quantile": _quantile,
    "concat": _concat,
    "reshape": _reshape,
    "reshape_like": _reshape_like,
    "slice": _take,
    "unslice": _put,
    "take": _take,
    "put": _put,
    "len": _len,
    "one_hot": _one_hot,
}
"""What a row's value column names."""
