"""Shapes of arrays: which fit together, and the errors for those that don't; for NumPy arrays and for blocks alike.

>>> broadcast([(3, 1), (4,)])
(3, 4)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TypeAlias

from autodiff.core.primitive import LITERAL, Primitive
from autodiff.errors import AutodiffError, Span

Shape: TypeAlias = "tuple[int, ...]"
"""The length along each axis; () is a number."""

Places: TypeAlias = "tuple[int | slice, ...]"
"""Where a part of an array is: along each of its first axes a place, or those from start to before stop by a step."""

LARGEST = 10**6
"""Elements that a program's own zeros or ones may have."""

WIDEST = 10**7
"""Elements of an array that is larger than those it is made from: a column times a row is a whole matrix."""

AXES = 32
"""Axes that an array may have: as many as every NumPy that is supported allows."""


def elements(name: str, shape: Shape) -> Iterator[str]:
    """What the elements of an array are called: x[0, 0], x[0, 1], …; a number bears its own name."""
    for place in product(*map(range, shape)):
        yield f"{name}[{', '.join(map(str, place))}]" if shape else name


class ShapeError(AutodiffError):
    """Arrays whose shapes don't fit together."""


def shape_error(row: Primitive, shapes: Sequence[Shape], span: Span, hint: str = "") -> ShapeError:
    """The error for shapes that don't fit: all of them, and what would fit."""
    shown = " and ".join(f"shape {shape}" if shape else "a number" for shape in shapes)
    return ShapeError(
        f"{row.doc if row.name == LITERAL else row.signature} can't take {shown}",
        span=span,
        hint=hint or "shapes are compared from the right: each pair of lengths must be equal, or one of them 1",
    )


def pointing(error: ShapeError, shapes: Sequence[Shape], spans: Sequence[Span]) -> ShapeError:
    """The error, which also shows where each operand is written and which shape it has."""
    if len(shapes) == 2:
        labels = (f"shape {shape}:" if shape else "a number:" for shape in shapes)
        error.also = tuple(zip(labels, spans, strict=True))
    return error


def broadcast(shapes: Sequence[Shape]) -> Shape | None:
    """The common shape of elementwise operands, by NumPy's rule; None when they have none."""
    result: list[int] = []
    for k in range(1, 1 + max(map(len, shapes))):
        sizes = {shape[-k] for shape in shapes if len(shape) >= k} - {1}
        if len(sizes) > 1:
            return None
        result.append(sizes.pop() if sizes else 1)
    return tuple(reversed(result))


def whole_number(value: float, span: Span) -> int:
    """`value` as an int. Raises AutodiffError when it is none."""
    if value != value // 1:
        raise AutodiffError(f"a whole number is needed here, not {value!r}", span=span)
    return int(value)


LAST = -1
"""The axis along which a reduction of a number is that number: losses take it of their arguments."""


def checked_axis(row: Primitive, axis: int, shape: Shape, span: Span) -> int:
    """The axis counted from 0, of an array that has it."""
    if not -len(shape) <= axis < len(shape):
        raise AutodiffError(
            f"{row.name} along axis {axis} needs an array that has it, not {f'shape {shape}' if shape else 'a number'}",
            span=span,
            hint=f"its axes are 0 to {len(shape) - 1}, or -1 for the last"
            if shape
            else f"of numbers, write {row.name}([u, v])",
        )
    return axis % len(shape)


def checked_place(place: Sequence[int], shape: Shape, span: Span) -> tuple[int, ...]:
    """An index counted from 0, inside an array of this shape."""
    if len(place) > len(shape):
        have = f"an array of shape {shape} has {len(shape)}" if shape else "a number has none"
        raise AutodiffError(f"too many indices: {have}", span=span)
    for at, size in zip(place, shape, strict=False):
        if not -size <= at < size:
            raise AutodiffError(
                f"index {at} is outside the shape {shape}", span=span, hint=f"indices go from 0 to {size - 1}"
            )
    return tuple(at % size for at, size in zip(place, shape, strict=False))


def checked_size(sizes: Sequence[int], span: Span) -> Shape:
    """The shape of an array that is to be made."""
    if min(sizes) < 1 or math.prod(sizes) > LARGEST:
        limit = f"an array has at most {LARGEST:,} elements"
        raise AutodiffError(
            f"an array can't have the shape {tuple(sizes)}",
            span=span,
            hint="sizes are 1, 2, 3, …" if min(sizes) < 1 else limit,
        )
    return tuple(sizes)


def grown(row: Primitive, shapes: Sequence[Shape], whole: Shape, span: Span) -> None:
    """Raise ShapeError before an array is made that is too large, and larger than any of those it is made from."""
    size = math.prod(whole)
    if size > WIDEST and size > max(map(math.prod, shapes)):
        limit = f"made from smaller arrays, an array has at most {WIDEST:,} elements"
        raise ShapeError(f"{row.signature} would be an array of shape {whole}", span=span, hint=limit)


def room_for_an_axis(shape: Shape, span: Span) -> None:
    """Raise AutodiffError where an array has as many axes as it may have."""
    if len(shape) >= AXES:
        raise AutodiffError(too_deep(), span=span, hint="brackets for grouping are ( and )")


def too_deep() -> str:
    """The sentence for more axes than there may be."""
    return f"an array has at most {AXES} axes, and here are more"


# --- where elements are -------------------------------------------------------------------------------------------------


def strides(shape: Shape) -> list[int]:
    return [math.prod(shape[k + 1 :]) for k in range(len(shape))]


def positions(shape: Shape, wide: Shape) -> list[int]:
    """For each element of the broadcast shape `wide`, which element of `shape` it is.

    >>> positions((3, 1), (3, 2))
    [0, 0, 1, 1, 2, 2]
    """
    if shape == wide:
        return list(range(math.prod(shape)))
    steps = [0 if size == 1 else step for size, step in zip(shape, strides(shape), strict=True)]
    numbers = [0]
    for size, step in zip(wide, [0] * (len(wide) - len(shape)) + steps, strict=True):
        numbers = [base + k * step for base in numbers for k in range(size)]
    return numbers


def part_of(shape: Shape, places: Places) -> tuple[Shape, list[int]]:
    """The shape of a part, and which elements of an array of shape `shape` it has."""
    inner, numbers = list[int](), [0]
    for k, (size, step) in enumerate(zip(shape, strides(shape), strict=True)):
        place = places[k] if k < len(places) else slice(None)
        along = range(size)[place]
        if isinstance(along, range):
            inner.append(len(along))
        numbers = [base + j * step for base in numbers for j in (along if isinstance(along, range) else (along,))]
    return tuple(inner), numbers


def lanes(shape: Shape, axis: int) -> Iterator[slice]:
    """Where the vectors along an axis are, in the order of the other axes."""
    step, size = strides(shape)[axis], shape[axis]
    for outer in range(0, math.prod(shape), size * step):
        for start in range(outer, outer + step):
            yield slice(start, start + size * step, step)


# --- functions of whole arrays ------------------------------------------------------------------------------------------


def square_size(row: Primitive, shape: Shape, span: Span) -> int:
    """How many rows a square matrix has."""
    if len(shape) != 2 or shape[0] != shape[1]:
        raise shape_error(row, [shape], span, "a square matrix is needed here: as many rows as columns")
    return shape[0]


def vector_size(row: Primitive, shape: Shape, span: Span, hint: str = "") -> int:
    """How many elements a vector has."""
    if len(shape) != 1:
        raise shape_error(row, [shape], span, hint or "a vector is needed here: an array with one axis")
    return shape[0]


def checked_range(start: int, stop: float, size: int, span: Span) -> tuple[int, int]:
    """The places from `start` to before `stop`, counted from the end where they are negative. Raises where there is none."""
    last = size if stop == math.inf else int(stop)
    first, last = (max(0, min(size, at + size if at < 0 else at)) for at in (start, last))
    if first >= last:
        raise AutodiffError("there is no element in this slice", span=span, hint=f"indices go from 0 to {size - 1}")
    return first, last
