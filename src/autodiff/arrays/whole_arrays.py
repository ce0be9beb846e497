"""Functions of whole arrays, written once for every kind of array: NumPy's (`functions`) and blocks of equations (`blocks`).

>>> from autodiff.arrays.blocks import BlockArrays, ScalarBlock
>>> BlockArrays().flip(rules.TABLE["flip", 1], [ScalarBlock((3,), (7, 8, 9))])
ScalarBlock(shape=(3,), nodes=(9, 8, 7))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, TypeVar

from autodiff.arrays.shapes import (
    Places,
    Shape,
    checked_axis,
    checked_place,
    checked_range,
    checked_size,
    grown,
    room_for_an_axis,
    shape_error,
    square_size,
    vector_size,
    whole_number,
)
from autodiff.core import rules
from autodiff.core.primitive import Primitive
from autodiff.errors import AutodiffError, Span

A = TypeVar("A")


class WholeArrays(Protocol[A]):
    """What a kind of array has to write down, then what a value column names, which takes the row and the arguments.

    Shapes that don't fit raise AutodiffError; the methods of a kind may raise ValueError for them.
    """

    span: Span = (0, 0)

    def shape(self, a: A) -> Shape: ...
    def constant_of(self, a: A) -> float:
        """The number that an argument without axes is: an index, an axis, a size or a share."""

    def constant(self, value: float) -> A: ...
    def filled(self, value: float, shape: Shape) -> A:
        """An array with this number in all places."""

    def joined(self, args: Sequence[A], shape: Shape) -> A:
        """The elements of arrays of one kind, one array after the other, in this shape."""

    def in_shape(self, a: A, shape: Shape) -> A:
        """The same elements in another shape."""

    def part(self, a: A, places: Places) -> A: ...
    def placed(self, part: A, places: Places, shape: Shape) -> A:
        """Zeros of this shape with a part in its places."""

    def transposed(self, a: A) -> A:
        """A matrix with its rows and columns exchanged."""

    def product(self, a: A, b: A) -> A:
        """The matrix product."""

    def outer_product(self, a: A, b: A) -> A:
        """The product of each element with each."""

    def total(self, a: A) -> A:
        """The sum of a vector."""

    def running(self, operator: str, a: A, axis: int) -> A:
        """Running sums ("+") or products ("*")."""

    def ordered(self, a: A) -> A:
        """A vector's elements, smallest first."""

    def order(self, a: A) -> A:
        """The places of a vector's elements, smallest first; of equal ones the first comes first."""

    def permuted(self, row: Primitive, a: A, places: A) -> A: ...
    def between(self, low: A, high: A, share: float) -> A:
        """The number that lies between two, at this share of the way."""

    def gathered(self, a: A, places: A) -> A:
        """The parts of an array, along its first axis, in these places; any part where a place is none."""

    def summed_at(self, part: A, places: A, shape: Shape) -> A:
        """Zeros of this shape, to which the parts are added in their places along the first axis."""

    def one_hots(self, a: A, size: int) -> A:
        """Each element as zeros with a 1 in the place that it names."""

    def determinant(self, row: Primitive, a: A) -> A:
        """The determinant of a square matrix, or what the row makes of it."""

    def cofactors(self, a: A) -> A: ...
    def inverse(self, a: A) -> A: ...
    def solution(self, a: A, b: A) -> A:
        """The x with a @ x = b."""

    def softmax(self, row: Primitive, args: Sequence[A]) -> A: ...
    def log_softmax(self, row: Primitive, args: Sequence[A]) -> A: ...

    # --- arguments --------------------------------------------------------------------------------------------------

    def single(self, a: A) -> float:
        """An argument that must be a number, as `constant_of` has it."""
        if self.shape(a):
            raise AutodiffError(f"a number is needed here, not an array of shape {self.shape(a)}", span=self.span)
        return self.constant_of(a)

    def whole(self, a: A) -> int:
        """An index, an axis or a size."""
        return whole_number(self.single(a), self.span)

    def shapes(self, args: Sequence[A]) -> list[Shape]:
        return [self.shape(a) for a in args]

    def axis(self, row: Primitive, args: Sequence[A]) -> int:
        """The axis that a call names, of a vector its only one."""
        shape = self.shape(args[0])
        if row.params[-1] == "axis":
            return checked_axis(row, self.whole(args[-1]), shape, self.span)
        named = len(shape) > 1 and len(rules.arities(row.name)) > 1
        vector_size(row, shape, self.span, f"name the axis: {row.name}(u, axis)" * named)
        return 0

    # --- arrays made from parts of others ---------------------------------------------------------------------------

    def literal(self, row: Primitive, args: Sequence[A]) -> A:
        shapes = self.shapes(args)
        differs = next((k for k, shape in enumerate(shapes) if shape != shapes[0]), None)
        if differs is not None:
            first, other = (f"of shape {shape}" if shape else "a number" for shape in (shapes[0], shapes[differs]))
            raise AutodiffError(
                f"the elements of an array must have one shape: element 0 is {first}, element {differs} is {other}",
                span=self.span,
            )
        room_for_an_axis(shapes[0], self.span)
        return self.joined(args, (len(args), *shapes[0]))

    def concat(self, row: Primitive, args: Sequence[A]) -> A:
        first, second = shapes = self.shapes(args)
        if not first or not second or first[1:] != second[1:]:
            alone, apart = "write [x] for an array of one number", "arrays may differ along their first axis only"
            raise shape_error(row, shapes, self.span, apart if first and second else alone)
        return self.joined(args, (first[0] + second[0], *first[1:]))

    def reshape(self, row: Primitive, args: Sequence[A]) -> A:
        """In as many elements; a size of -1 is what is left."""
        sizes, shape = [self.whole(a) for a in args[1:]], self.shape(args[0])
        count, known = math.prod(shape), math.prod(size for size in sizes if size != -1)
        if sizes.count(-1) == 1 and known > 0 and count % known == 0:
            sizes = [count // known if size == -1 else size for size in sizes]
        if min(sizes) < 1 or math.prod(sizes) != count:
            raise AutodiffError(
                f"{row.name} to shape {tuple(sizes)} needs as many elements, not shape {shape}",
                span=self.span,
                hint=f"the sizes must multiply to {count}; one of them may be -1",
            )
        return self.in_shape(args[0], tuple(sizes))

    def reshape_like(self, row: Primitive, args: Sequence[A]) -> A:
        shapes = self.shapes(args)
        if math.prod(shapes[0]) != math.prod(shapes[1]):
            raise shape_error(row, shapes, self.span, "both must have as many elements")
        return self.in_shape(args[0], shapes[1])

    def expand_dims(self, row: Primitive, args: Sequence[A]) -> A:
        shape, axis = self.shape(args[0]), self.whole(args[1])
        room_for_an_axis(shape, self.span)
        axis = checked_axis(row, axis, (*shape, 1), self.span)
        return self.in_shape(args[0], (*shape[:axis], 1, *shape[axis:]))

    def flip(self, row: Primitive, args: Sequence[A]) -> A:
        return self.part(args[0], (*[slice(None)] * self.axis(row, args), slice(None, None, -1)))

    def index(self, row: Primitive, args: Sequence[A]) -> A:
        return self.part(args[0], self._at(args[1:], self.shape(args[0])))

    def scatter(self, row: Primitive, args: Sequence[A]) -> A:
        shape = self.shape(args[1])
        return self.placed(args[0], self._at(args[2:], shape), shape)

    def _at(self, args: Sequence[A], shape: Shape) -> tuple[int, ...]:
        return checked_place([self.whole(a) for a in args], shape, self.span)

    def take(self, row: Primitive, args: Sequence[A]) -> A:
        return self.part(args[0], self._along(row, args[1:], self.shape(args[0])))

    def put(self, row: Primitive, args: Sequence[A]) -> A:
        shape = self.shape(args[1])
        return self.placed(args[0], self._along(row, args[2:], shape), shape)

    def _along(self, row: Primitive, where: Sequence[A], shape: Shape) -> Places:
        """The place along an axis, or those from start to before stop, that the last arguments name."""
        *ends, last = where
        axis = checked_axis(row, self.whole(last), shape, self.span)
        before, size = [slice(None)] * axis, shape[axis]
        if len(ends) == 1:
            return (*before, *self._at(ends, (size,)))
        stop = self.single(ends[1])
        stop = stop if stop == math.inf else self.whole(ends[1])
        return (*before, slice(*checked_range(self.whole(ends[0]), stop, size, self.span)))

    def gather(self, row: Primitive, args: Sequence[A]) -> A:
        shape, places = self.shapes(args)
        checked_place((0,), shape, self.span)
        grown(row, [shape, places], (*places, *shape[1:]), self.span)
        return self.gathered(*args)

    def gather_sum(self, row: Primitive, args: Sequence[A]) -> A:
        part, shape, places = self.shapes(args)
        if not shape or part != (*places, *shape[1:]):
            raise shape_error(row, [part, shape, places], self.span, "v has a part of u for each place")
        return self.summed_at(args[0], args[2], shape)

    def zeros(self, row: Primitive, args: Sequence[A]) -> A:
        return self.filled(0.0, checked_size([self.whole(a) for a in args], self.span))

    def ones(self, row: Primitive, args: Sequence[A]) -> A:
        return self.filled(1.0, checked_size([self.whole(a) for a in args], self.span))

    def numel(self, row: Primitive, args: Sequence[A]) -> A:
        return self.constant(float(math.prod(self.shape(args[0]))))

    def len(self, row: Primitive, args: Sequence[A]) -> A:
        return self.constant(float(self.shape(args[0])[0]))

    def one_hot(self, row: Primitive, args: Sequence[A]) -> A:
        shape, (size,) = self.shape(args[0]), checked_size([self.whole(args[1])], self.span)
        grown(row, [shape], (*shape, size), self.span)
        return self.one_hots(args[0], size)

    # --- running totals and order -----------------------------------------------------------------------------------

    def cumsum(self, row: Primitive, args: Sequence[A]) -> A:
        return self.running("+", args[0], self.axis(row, args))

    def cumprod(self, row: Primitive, args: Sequence[A]) -> A:
        return self.running("*", args[0], self.axis(row, args))

    def sort(self, row: Primitive, args: Sequence[A]) -> A:
        self.axis(row, args)
        return self.ordered(args[0])

    def argsort(self, row: Primitive, args: Sequence[A]) -> A:
        self.axis(row, args)
        return self.order(args[0])

    def permute(self, row: Primitive, args: Sequence[A]) -> A:
        size = vector_size(row, self.shape(args[0]), self.span)
        if self.shape(args[1]) != (size,):
            raise self.no_permutation(row, args)
        return self.permuted(row, *args)

    def no_permutation(self, row: Primitive, args: Sequence[A]) -> Exception:
        hint = "i has each place of u once: 0, 1, … in any order"
        return shape_error(row, self.shapes(args), self.span, hint)

    def quantile(self, row: Primitive, args: Sequence[A]) -> A:
        """Of the median, the share is a half."""
        size = vector_size(row, self.shape(args[0]), self.span)
        share = self.single(args[1]) if len(args) > 1 else 0.5
        if not 0 <= share <= 1:
            raise AutodiffError(f"a quantile needs a share from 0 to 1, not {share!r}", span=self.span)
        ordered, place = self.ordered(args[0]), share * (size - 1)
        low = int(place)
        below = self.part(ordered, (low,))
        return below if low == place else self.between(below, self.part(ordered, (low + 1,)), place - low)

    # --- matrices ---------------------------------------------------------------------------------------------------

    def matmul(self, row: Primitive, args: Sequence[A]) -> A:
        return self._product(row, args, *args)

    def matmul_left(self, row: Primitive, args: Sequence[A]) -> A:
        g, v = args
        if len(self.shape(v)) == 2:
            return self._product(row, args, g, self.transposed(v))
        return self.outer_product(g, v)

    def matmul_right(self, row: Primitive, args: Sequence[A]) -> A:
        u, g = args
        if len(self.shape(u)) == 2:
            return self._product(row, args, self.transposed(u), g)
        return self.outer_product(u, g)

    def _product(self, row: Primitive, args: Sequence[A], a: A, b: A) -> A:
        """The product of vectors and matrices; a message shows the shapes of `args`."""
        left, right = self.shape(a), self.shape(b)
        if not left or not right or len(left) > 2 or len(right) > 2 or left[-1] != right[0]:
            hint = "for a matrix with k columns the other one needs k rows"
            hint = hint if left and right else "write * for a product with a number"
            raise shape_error(row, self.shapes(args), self.span, hint)
        grown(row, [left, right], left[:-1] + right[1:], self.span)
        return self.product(a, b)

    def transpose(self, row: Primitive, args: Sequence[A]) -> A:
        if len(self.shape(args[0])) > 2:
            raise shape_error(row, self.shapes(args), self.span, "only a matrix has rows and columns to exchange")
        return self.transposed(args[0])

    def outer(self, row: Primitive, args: Sequence[A]) -> A:
        shapes = self.shapes(args)
        grown(row, shapes, tuple(vector_size(row, shape, self.span) for shape in shapes), self.span)
        return self.outer_product(*args)

    def trace(self, row: Primitive, args: Sequence[A]) -> A:
        square_size(row, self.shape(args[0]), self.span)
        return self.total(self.diag(row, args))

    def diag(self, row: Primitive, args: Sequence[A]) -> A:
        shape = self.shape(args[0])
        size = shape[0] if len(shape) == 1 else square_size(row, shape, self.span)
        places = (slice(0, None, size + 1),)
        if len(shape) == 2:
            return self.part(self.in_shape(args[0], (size * size,)), places)
        grown(row, [shape], (size, size), self.span)
        return self.in_shape(self.placed(args[0], places, (size * size,)), (size, size))

    def det(self, row: Primitive, args: Sequence[A]) -> A:
        square_size(row, self.shape(args[0]), self.span)
        return self.determinant(row, args[0])

    def cofactor(self, row: Primitive, args: Sequence[A]) -> A:
        square_size(row, self.shape(args[0]), self.span)
        return self.cofactors(args[0])

    def inv(self, row: Primitive, args: Sequence[A]) -> A:
        square_size(row, self.shape(args[0]), self.span)
        return self.inverse(args[0])

    def solve(self, row: Primitive, args: Sequence[A]) -> A:
        matrix, right = shapes = self.shapes(args)
        if len(matrix) != 2 or matrix[0] != matrix[1] or len(right) not in (1, 2) or right[0] != matrix[0]:
            hint = "a square matrix with k rows, and a vector or matrix with k rows"
            raise shape_error(row, shapes, self.span, hint)
        return self.solution(*args)

    detsign, logdet, slice, unslice = det, det, take, put

    def of_row(self, row: Primitive, args: Sequence[A]) -> A:
        """The value of a row of whole arrays: by the method that its value column names."""
        return getattr(self, row.value)(row, args)  # type: ignore[no-any-return]
