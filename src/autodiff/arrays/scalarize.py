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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from autodiff import diagnostics
from autodiff.arrays.blocks import BLOCKS, ScalarBlock, combined, lanes, positions
from autodiff.arrays.matrix_blocks import MATRIX_BLOCKS
from autodiff.arrays.shapes import (
    Shape,
    ShapeError,
    broadcast,
    checked_axis,
    elements,
    pointing,
    shape_error,
    whole_number,
)
from autodiff.core import rules
from autodiff.core.algebra import Algebra
from autodiff.core.evaluate import DomainError, primal
from autodiff.core.graph import Graph, WrittenOut
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import ELEMENTWISE, GENERAL, REDUCTION, UNDEFINED, ZERO, Primitive
from autodiff.errors import AutodiffError, Span

LIMIT = 1_000_000
"""Equations that flattening may make before it is called off."""


class TooLarge(Exception):
    """The program has too many elements to be written out."""


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
    work = Scalarization(lowered.graph, shapes, limit, lowered.source)
    blocks = work.blocks()
    assigned: dict[str, int] = {}
    for name, node in lowered.assigned.items():
        assigned |= dict(zip(elements(name, blocks[node].shape), blocks[node].nodes, strict=True))
    result = blocks[lowered.result]
    inputs = tuple(work.graph.inputs.values())
    kinks = not any(row.kind == GENERAL and row.kink for row in lowered.graph.rows if row is not None)
    flat = Lowered(work.graph, result.nodes[0], lowered.name, inputs, assigned, lowered.source, kinks)
    return Flat(flat, result, blocks)


def _has_own_slope(row: Primitive) -> bool:
    """Whether a row of one array has a slope that is shorter than those of the equations it becomes."""
    alone = row.kind in (REDUCTION, GENERAL) and row.arity == 1 and row.partials[0] not in (ZERO, UNDEFINED)
    by_cases = row.kind == GENERAL and "if(" in row.partials[0]
    return alone and not by_cases and row.reduce_with != "+"


class Scalarization(Algebra[ScalarBlock]):
    """Blocks of equations as numbers of the engine, which are made in the graph of numbers."""

    def __init__(
        self,
        arrays: Graph,
        shapes: Mapping[str, Shape] = MappingProxyType({}),
        limit: int = LIMIT,
        source: str = "",
    ) -> None:
        self.arrays, self.shapes, self.limit, self.source = arrays, shapes, limit, source
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
            self._note_call(node, blocks)
            if node in graph.names:
                blocks[node] = self._named(blocks[node], graph.names[node], fresh)
        return blocks

    def _note_call(self, node: int, blocks: Mapping[int, ScalarBlock]) -> None:
        """Keep which equations a call of a loss, of a reduction of an array, or of a softmax has become."""
        graph = self.arrays
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

    def branch(self, condition: ScalarBlock) -> None:
        """Equations decide nothing: a choice is one, too."""

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
        return self.fold(row, args) if row.kind == REDUCTION else self._whole_arrays(row, args)

    def _each(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        shape = broadcast([a.shape for a in args])
        if shape is None:
            raise shape_error(row, [a.shape for a in args], self.span)
        self.require_room(math.prod(shape))
        spread = [[a.nodes[i] for i in positions(a.shape, shape)] for a in args]
        return ScalarBlock(
            shape, tuple(self.graph.call(row, numbers, self.span) for numbers in zip(*spread, strict=True))
        )

    def _whole_arrays(self, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        return (BLOCKS.get(row.value) or MATRIX_BLOCKS[row.value])(self, row, args)

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
            return self._whole_arrays(row, args)
        if len(args[0].nodes) == 1:
            return self.text(row.scalar_meaning, row.params, [ScalarBlock((), args[0].nodes)])
        self.require_room(len(args[0].nodes))
        return ScalarBlock((), (combined(lambda a, b: self.call(row.reduce_with, a, b), args[0].nodes),))

    def _along(self, row: Primitive, block: ScalarBlock, axis: int) -> ScalarBlock:
        axis = checked_axis(row, axis, block.shape, self.span)
        whole = rules.TABLE[row.name, 1]
        nodes = tuple(self.fold(whole, [lane]).nodes[0] for lane in lanes(block, axis))
        return ScalarBlock(block.shape[:axis] + block.shape[axis + 1 :], nodes)

    def constant_of(self, block: ScalarBlock) -> float:
        """The number that a block is: an index, an axis, a size or a share, made of constants."""
        if block.shape:
            raise AutodiffError(f"a whole number is needed here, not an array of shape {block.shape}", span=self.span)
        inner = Lowered(self.graph, block.nodes[0], "", (), {}, self.source)
        if block.nodes[0] in self.graph.constants:
            return self.graph.constants[block.nodes[0]]
        try:
            return primal(inner, {}).values[block.nodes[0]]  # type: ignore[no-any-return]
        except DomainError as trouble:
            where = self.graph.spans[trouble.node]
            raise AutodiffError(
                f"an index, an axis or a size has no value here: {diagnostics.outside(inner, trouble, {})}", span=where
            ) from None

    def whole(self, block: ScalarBlock) -> int:
        """The whole number that a block is."""
        return whole_number(self.constant_of(block), self.span)

    def require_room(self, count: int) -> None:
        if len(self.graph) + count > self.limit:
            raise TooLarge
