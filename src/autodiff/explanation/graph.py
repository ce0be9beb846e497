"""A computation graph as plain data: what is drawn, whoever draws it.

>>> x, y = Vertex("x", "x", "input", 4.0), Vertex("y", "x^2", "result", 16.0)
>>> Drawing((x, y), (Arrow("x", "y", "2x", 8.0),), "x^2").arrows[0].slope
'2x'
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from autodiff import display


@dataclass(frozen=True, slots=True)
class Vertex:
    """A number of the program: its `name` (unique), how it is made, what it is for, and its value at the point.

    kind   "input" (a slope is asked for), "held" (an input that stays fixed), "constant", "step" or "result"
    text   the right-hand side as people write it; the name itself for an input
    value  None without a point, or where it was not needed, or where float64 has no such number: then `beyond` has it in words
    """

    name: str
    text: str
    kind: str
    value: float | None = None
    beyond: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """`source` is an argument of `target`: the local slope there as symbols, and its value at the point.

    `active` tells whether a derivative flows along it; one that doesn't has no slope ("" and None). `beyond` is the value
    in words where float64 has no such number.
    """

    source: str
    target: str
    slope: str = ""
    value: float | None = None
    active: bool = True
    beyond: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The graph of a program: vertices with arguments before what is made of them, and the arrows between them."""

    vertices: tuple[Vertex, ...]
    arrows: tuple[Arrow, ...]
    title: str = ""

    __str__ = display.text
    _repr_svg_ = display.svg
    to_html, to_latex, to_markdown = display.html, display.latex, display.markdown

    def to_dict(self) -> dict[str, Any]:
        """The drawing as JSON-ready data."""
        return asdict(self)
