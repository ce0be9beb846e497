"""A drawing for a terminal: a chain on one line, a small graph as a wiring plan, any other as a list beside lanes.

>>> from autodiff.explanation.graph import Arrow, Drawing, Vertex
>>> x, y = Vertex("x", "x", "input", 4.0), Vertex("y", "x^2", "result", 16.0)
>>> print(*text(Drawing((x, y), (Arrow("x", "y", "2x", 8.0),)), 80), sep="\\n")
      2x = 8
x ─────────────▶ y
4                16
"""

from __future__ import annotations

from itertools import pairwise

from autodiff.errors import columns
from autodiff.explanation.graph import Arrow, Drawing, Vertex
from autodiff.render.graph.canvas import Canvas, Line, drawn_in_ascii, joined
from autodiff.render.graph.flow import flow
from autodiff.render.graph.lanes import lanes
from autodiff.render.text.elide import Elided, elide
from autodiff.render.text.labels import ascii_only, fitted, formula, label, spelled, value

_CHAIN = 12  # vertices beyond which a chain on one line is no help


def text(drawing: Drawing, width: int, *, unicode: bool = True, formulas: bool = False) -> list[str]:
    """The lines of `pieces`, without what they belong to."""
    return [joined(line) for line in pieces(drawing, width, unicode=unicode, formulas=formulas)]


def pieces(drawing: Drawing, width: int, *, unicode: bool = True, formulas: bool = False) -> list[Line]:
    """Lines of at most `width` columns (40 or more) and at most 200, as runs of text with the vertex they belong to.

    A number is never cut, names and formulas are where they must. Beyond 40 vertices the middle is left out and counted.
    With `formulas` every vertex has its formula; without, only where there is room.
    Without `unicode` only ASCII characters are printed, others as escapes.
    """
    if not drawing.vertices:
        return []
    cut = elide(drawing)
    if unicode:
        return _lines(cut, width, formulas)
    cut, original = _in_ascii(cut)
    lines = _lines(cut, width, formulas)
    return [tuple((drawn_in_ascii(words), original.get(owner or "")) for words, owner in line) for line in lines]


def _lines(cut: Elided, width: int, formulas: bool) -> list[Line]:
    lines = None
    if not cut.gap:
        lines = (
            _chain(cut.drawing, width, formulas)
            if _is_chain(cut.drawing)
            else flow(cut.drawing, width, formulas=formulas)
        )
    return lanes(cut, width) if lines is None else lines


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


def _is_chain(drawing: Drawing) -> bool:
    names = [vertex.name for vertex in drawing.vertices]
    steps = [(arrow.source, arrow.target) for arrow in drawing.arrows]
    return 1 < len(names) <= _CHAIN and steps == list(pairwise(names))


def _chain(drawing: Drawing, width: int, formulas: bool) -> list[Line] | None:
    """Labels over the arrows, values under the names; None when that is wider than `width`."""
    for spare in (8, 6, 4):
        lines = _chain_lines(drawing, spare, formulas)
        if all(columns(joined(line)) <= width for line in lines):
            return lines
    return None


def _chain_lines(drawing: Drawing, spare: int, formulas: bool) -> list[Line]:
    """`spare` columns of each arrow are longer than its label."""
    sheet = Canvas()
    column = max((1 for vertex in drawing.vertices[:1] if (vertex.value or 0) < 0), default=0)
    over = [label(arrow, 36) for arrow in drawing.arrows]
    top = int(any(over))
    for number, vertex in enumerate(drawing.vertices):
        name, under = fitted(vertex.name, 16), _under(vertex, formulas)
        sheet.words(top, column, name, vertex.name)
        for offset, words in enumerate(under):
            sheet.words(top + 1 + offset, column - words.startswith("-"), words, vertex.name)
        if number == len(over):
            break
        start = column + columns(name) + 1
        stop = max(start + columns(over[number]) + spare, column + max(map(columns, under), default=0) + 1)
        sheet.across(top, start, stop - 1, number, vertex.name)
        sheet.words(top, stop - 1, "▶", vertex.name)
        if over[number]:
            sheet.words(0, (start + stop - columns(over[number])) // 2, over[number], vertex.name)
        column = stop + 1
    return sheet.lines()


def _under(vertex: Vertex, formulas: bool) -> list[str]:
    number = [*filter(None, [value(vertex)])]
    right_side = [fitted(formula(vertex), 28)] if formulas and formula(vertex) else []
    return [*number, *right_side]
