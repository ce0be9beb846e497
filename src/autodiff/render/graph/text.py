"""A drawing for a terminal, in Unicode or in ASCII.

>>> from autodiff.explanation.graph import Arrow, Drawing, Vertex
>>> x, y = Vertex("x", "x", "input", 4.0), Vertex("y", "x^2", "result", 16.0)
>>> print(*text(Drawing((x, y), (Arrow("x", "y", "2x", 8.0),)), 80), sep="\\n")
●    x         4
│      x ─▶ y  2x = 8
●    y = x^2   16
"""

from __future__ import annotations

from autodiff.explanation.graph import Arrow, Drawing, Vertex
from autodiff.render.graph.lanes import Line, joined, lanes
from autodiff.render.text.elide import Elided, elide
from autodiff.render.text.labels import ascii_only, spelled

_ASCII = str.maketrans(
    {**dict.fromkeys("└┘├┤┴┼", "+"), "─": "-", "│": "|", "▶": ">", "●": "*", "○": "o", "⋮": ":", "…": "~"}
)


def text(drawing: Drawing, width: int, *, unicode: bool = True) -> list[str]:
    """The lines of `pieces`, without what they belong to."""
    return [joined(line) for line in pieces(drawing, width, unicode=unicode)]


def pieces(drawing: Drawing, width: int, *, unicode: bool = True) -> list[Line]:
    """Lines of at most `width` columns (40 or more) and at most 200, as runs of text with the vertex they belong to.

    A number is never cut, names and formulas are where they must. Beyond 40 vertices the middle is left out and counted.
    Without `unicode` only ASCII characters are printed, others as escapes.
    """
    if not drawing.vertices:
        return []
    cut = elide(drawing)
    if unicode:
        return lanes(cut, width)
    cut, original = _in_ascii(cut)
    lines = lanes(cut, width)
    return [tuple((words.translate(_ASCII), original.get(owner or "")) for words, owner in line) for line in lines]


def _in_ascii(cut: Elided) -> tuple[Elided, dict[str, str]]:
    """The same with every text in ASCII, and the names as they were by the names as they are now."""
    original: dict[str, str] = {}
    now: dict[str, str] = {}
    for vertex in cut.drawing.vertices:
        name = ascii_only(vertex.name)
        while name in original:
            name += "_"
        original[name], now[vertex.name] = vertex.name, name
    vertices = tuple(
        Vertex(now[v.name], now[v.name] if v.text == v.name else spelled(v.text), v.kind, v.value, v.beyond)
        for v in cut.drawing.vertices
    )
    arrows = tuple(
        Arrow(now[a.source], now[a.target], spelled(a.slope), a.value, a.active, a.beyond) for a in cut.drawing.arrows
    )
    drawing = Drawing(vertices, arrows, spelled(cut.drawing.title))
    return Elided(drawing, cut.kept, now.get(cut.gap, ""), cut.steps, cut.arrows), original
