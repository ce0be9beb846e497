"""Equations of arrays as equations of numbers: `sum(x^2)` at an x of shape (3,) becomes x[0]^2 + x[1]^2 + x[2]^2.

What holds for numbers (one-sided slopes at corners, symbols, derivatives of any order) then holds for arrays. With plain
numbers only, nothing is left of the array rows: `mean(x)` is x. No NumPy is needed.

>>> from autodiff.core.lowering import lower
>>> flat = flatten(lower("sum(x*[1, y])"), {"x": (2,)})
>>> flat.lowered.inputs, flat.result.shape
(('x[0]', 'x[1]', 'y'), ())
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autodiff.arrays.blocks import LIMIT, BlockArrays, ScalarBlock, TooLarge
from autodiff.arrays.shapes import Shape, ShapeError, elements, pointing
from autodiff.core import rules
from autodiff.core.graph import WrittenOut
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import GENERAL, REDUCTION, UNDEFINED, ZERO, Primitive, by_cases
from autodiff.errors import AutodiffError

__all__ = ["LIMIT", "Flat", "flatten"]


@dataclass(frozen=True, slots=True)
class Flat:
    """A program of numbers, and where the elements of the original's `result` and of its equations went."""

    lowered: Lowered
    result: ScalarBlock
    blocks: Mapping[int, ScalarBlock]


def flatten(lowered: Lowered, shapes: Mapping[str, Shape], limit: int = LIMIT) -> Flat | None:
    """The program over the elements of its inputs, where `shapes` has the shapes of those that are arrays.

    None beyond `limit` equations. Raises AutodiffError for shapes that don't fit.
    """
    work = _Scalarization(lowered, shapes, limit)
    try:
        blocks = work.blocks()
    except TooLarge:
        return None
    except AutodiffError as error:
        raise error.within(lowered.source) from None
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
    return alone and not (row.kind == GENERAL and by_cases(row.partials[0])) and row.reduce_with != "+"


class _Scalarization(BlockArrays):
    """The blocks of one program's equations."""

    def __init__(self, lowered: Lowered, shapes: Mapping[str, Shape], limit: int) -> None:
        super().__init__(limit, lowered.source)
        self.arrays, self.shapes_of_inputs = lowered.graph, shapes

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
        shape = self.shapes_of_inputs.get(name, ())
        self.require_room(math.prod(shape))
        return ScalarBlock(shape, tuple(self.graph.input(element, self.span) for element in elements(name, shape)))

    def _named(self, block: ScalarBlock, name: str, fresh: int) -> ScalarBlock:
        """The same elements under the user's name, apart from equal ones as in the graph of arrays."""
        same, pairs = rules.TABLE["+", 1], zip(block.nodes, elements(name, block.shape), strict=True)
        nodes = (self.graph.named(node, element, fresh, same, self.span) for node, element in pairs)
        return ScalarBlock(block.shape, tuple(nodes))

    def equation(self, node: int, row: Primitive, args: Sequence[ScalarBlock]) -> ScalarBlock:
        graph, fresh = self.arrays, len(self.graph)
        try:
            block = self.apply(row, args)
        except ShapeError as error:
            raise pointing(error, self.shapes(args), [graph.spans[a] for a in graph.args[node]]) from None
        if node in graph.parts:
            self.graph.parts.update(dict.fromkeys(range(fresh, len(self.graph)), graph.parts[node]))
        return block
