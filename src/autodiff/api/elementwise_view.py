"""A program rewritten over plain numbers: its arrays by elements, for names that are numbers and for arrays at the point.

>>> from autodiff.api.evaluate import parse
>>> over = over_elements(parse("sum(x^2)"), {"x": [1.0, 2.0]})
>>> over.lowered.inputs, over.point
(('x[0]', 'x[1]'), {'x[0]': 1.0, 'x[1]': 2.0})
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from autodiff import diagnostics
from autodiff.api.inputs import Value, appear, bind, finite, named
from autodiff.api.inputs import elements as elements_at
from autodiff.core.lowering import Lowered, lower
from autodiff.errors import AutodiffError, normalised, quoted, shortened
from autodiff.language.ast import ParsedProgram

if TYPE_CHECKING:
    from autodiff.arrays.scalarize import Flat

LARGEST = 20_000
"""Equations of numbers that a program's own arrays may become, and twenty for each of its own."""

READABLE = 1000
"""Equations of numbers that arrays at a point may become."""


class OverNumbers(NamedTuple):
    """A program as it is `written`, and `lowered` to plain numbers, with its point.

    flat  which equation went where, if any array row did
    of    what the elements are called of each name that stands for an array
    """

    lowered: Lowered
    written: Lowered
    flat: Flat | None = None
    point: Mapping[str, Value] = MappingProxyType({})
    of: Mapping[str, Sequence[str]] = MappingProxyType({})

    def names(self, wrt: Sequence[str]) -> list[str]:
        """The names to differentiate by, an array's elements in its place; `A[0,1]` is `A[0, 1]`."""
        return [element for name in map(_spaced, named(wrt)) for element in self.of.get(name, [name])]

    def numbers(self, given: Mapping[str, Value], what: str) -> dict[str, float]:
        """A number for each element of `what` is given by name. Raises AutodiffError for an array of another shape."""
        from autodiff.arrays.shapes import elements  # few programs hold arrays

        if not isinstance(given, Mapping):
            raise AutodiffError(
                f"{what} is a number for each name, not {shortened(repr(given))}", hint='such as {"x": 1.0}'
            )
        numbers: dict[str, float] = {}
        for key, number in given.items():
            value, name = finite(str(key), number), _spaced(str(key))
            names = self.of.get(name, [name])
            if [*elements(name, getattr(value, "shape", ()))] != list(names):
                raise AutodiffError(
                    f"{quoted(name)} has the elements {diagnostics.listed(names, 4)}, and what is given for it has another shape",
                    hint="give an array of its shape, such as [1, 0]",
                )
            numbers |= dict(zip(names, [value] if isinstance(value, float) else value.ravel().tolist(), strict=True))
        return numbers


def _spaced(name: str) -> str:
    """`A[0,1]` as the elements are called: `A[0, 1]`."""
    return re.sub(r"\s*,\s*", ", ", normalised(name.strip()))


def numbers_of(program: ParsedProgram) -> OverNumbers:
    """The equations of a program over plain numbers: every name is one, reductions and array literals are written out.

    Raises AutodiffError when its result is an array.
    """
    return _of_numbers(lower(program))


def _of_numbers(lowered: Lowered) -> OverNumbers:
    if not appear(lowered, {}):
        return OverNumbers(lowered, lowered)
    from autodiff.arrays.shapes import ShapeError  # few programs hold arrays

    try:
        flat = _written_out(lowered, {})
        return OverNumbers(flat.lowered, lowered, flat)
    except ShapeError as error:
        if lowered.inputs:
            error.hint = "every name is a plain number here: write a vector as [w0, w1]"
        raise


def over_elements(program: ParsedProgram, at: Mapping[str, Any], *, many: bool = False) -> OverNumbers:
    """The equations over plain numbers, where the point may have arrays: each element is an input, such as `w[0]`.

    With `many` the result may be an array, whose elements have names, too: `f[0]`. Raises AutodiffError for an array
    without `many`, and above a thousand equations, where results would be too many to read.
    """
    lowered = lower(program)
    point = bind(lowered, at)
    shapes = {name: value.shape for name, value in point.items() if not isinstance(value, float)}
    if not shapes and not (many and appear(lowered, point)):
        return _of_numbers(lowered)._replace(point=point)
    from autodiff.arrays.shapes import elements

    flat = _written_out(lowered, shapes, READABLE if shapes else None, many=many)
    numbers: dict[str, Value] = {}
    of: dict[str, list[str]] = {}
    for name in point:
        of[name] = list(elements(name, shapes.get(name, ())))
        numbers |= dict(zip(of[name], elements_at(point, name), strict=True))
    for name, node in lowered.assigned.items():
        of[name] = list(elements(name, flat.blocks[node].shape))
    of[lowered.name] = list(elements(lowered.name, flat.result.shape))
    assigned = {**flat.lowered.assigned}
    if flat.result.shape:
        assigned |= dict(zip(of[lowered.name], flat.result.nodes, strict=True))
    return OverNumbers(flat.lowered._replace(assigned=assigned), lowered, flat, numbers, of)


def _written_out(
    lowered: Lowered, shapes: Mapping[str, tuple[int, ...]], limit: int | None = None, *, many: bool = False
) -> Flat:
    from autodiff.arrays.scalarize import flatten

    room = limit or LARGEST + 20 * len(lowered.graph)
    if (flat := flatten(lowered, shapes, room)) is None:
        raise AutodiffError(
            f"written out by elements, the program grows beyond {room:,} operations",
            hint="take smaller arrays here; eval gives the gradient of large ones",
        )
    if flat.result.shape and not many:
        raise AutodiffError(f"the result is an array of shape {flat.result.shape}", hint="take sum(…), or one element")
    return flat
