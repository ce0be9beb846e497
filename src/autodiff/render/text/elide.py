"""A large drawing cut to its first and last vertices, with one vertex that counts what was left out in between.

>>> from autodiff.explanation.graph import Arrow, Drawing, Vertex
>>> names = [f"v{i}" for i in range(1000)]
>>> chain = Drawing(tuple(Vertex(n, n, "step") for n in names), tuple(map(Arrow, names, names[1:])))
>>> cut = elide(chain, most=5)
>>> [vertex.name for vertex in cut.drawing.vertices], cut.steps, cut.arrows
(['v0', 'v1', '⋮', 'v998', 'v999'], 996, 997)
>>> cut.drawing.vertices[2].text
'996 more steps, 997 more arrows'
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from autodiff.explanation.graph import Arrow, Drawing, Vertex
from autodiff.render.document.formulas import many

GAP = "gap"
"""The kind of the vertex that replaces those left out; an arrow at it replaces at least one that was left out."""


@dataclass(frozen=True, slots=True)
class Elided:
    """A `drawing` small enough to be drawn; `gap` names the vertex for the `steps` and `arrows` left out, "" if none were.

    `kept` are the numbers that its first arrows had before; those that follow begin or end at the gap.
    """

    drawing: Drawing
    kept: tuple[int, ...]
    gap: str = ""
    steps: int = 0
    arrows: int = 0


def elide(drawing: Drawing, most: int = 40) -> Elided:
    """At most `most` vertices (4 or more), the one for the rest included, and 5 arrows for every two of them.

    The middle of the list goes into one vertex, so arrows keep running forward.
    """
    vertices = drawing.vertices
    few = len(vertices) <= most
    if few and len(drawing.arrows) <= 5 * most // 2:
        return Elided(drawing, tuple(range(len(drawing.arrows))))
    head = len(vertices) if few else most // 2
    tail = len(vertices) if few else len(vertices) - (most - 1 - most // 2)
    place = {vertex.name: number for number, vertex in enumerate(vertices)}
    gap = "⋮"
    while gap in place:
        gap += "⋮"
    shown: list[int] = []
    beside: dict[tuple[str, str], None] = {}
    hidden = 0
    for number, arrow in enumerate(drawing.arrows):
        ends = [name if place[name] < head or place[name] >= tail else gap for name in (arrow.source, arrow.target)]
        if gap in ends:
            hidden += 1
            if ends != [gap, gap]:
                beside[ends[0], ends[1]] = None
        elif len(shown) < 5 * most // 2:
            shown.append(number)
        else:
            hidden += 1
    steps, arrows_left = tail - head, many(hidden, "more arrow")
    counted = Vertex(gap, f"{many(steps, 'more step')}, {arrows_left}" if steps else arrows_left, GAP)
    arrows = (
        *(drawing.arrows[number] for number in shown),
        *(Arrow(source, target, active=False) for source, target in beside),
    )
    left = (*vertices[:head], counted, *vertices[tail:])
    return Elided(Drawing(left, arrows, drawing.title), tuple(shown), gap, steps, hidden)


def without_inputs(drawing: Drawing, most: int) -> Drawing:
    """The drawing with at most `most` vertices, if leaving out inputs is enough for that; steps are never left out here.

    First those that only one step is made of, such as a neuron's weights, which its formula names anyway; then all.
    """
    if len(drawing.vertices) <= most:
        return drawing
    uses = Counter(arrow.source for arrow in drawing.arrows)
    inputs = [vertex.name for vertex in drawing.vertices if vertex.kind in ("input", "held")]
    for left_out in ({name for name in inputs if uses[name] == 1}, set(inputs)):
        vertices = tuple(vertex for vertex in drawing.vertices if vertex.name not in left_out)
        if len(vertices) <= most or left_out == set(inputs):
            break
    if len(vertices) > most or len(left_out) < _FOLDED:
        return drawing
    arrows = tuple(arrow for arrow in drawing.arrows if arrow.source not in left_out)
    return Drawing(vertices, arrows, drawing.title)


_FOLDED = 6
"""Inputs that are left out at least: of fewer, the list says more than the drawing without them."""
