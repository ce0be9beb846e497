r"""A drawing in Graphviz's language DOT.

>>> from autodiff.explanation.graph import Arrow, Drawing, Vertex
>>> x, y = Vertex("x", "x", "input", 4.0), Vertex("y", "x^2", "result", 16.0)
>>> print(dot(Drawing((x, y), (Arrow("x", "y", "2x", 8.0),), "y = x^2")), end="")
digraph {
  label="y = x^2"; labelloc=t; node [shape=box, style=rounded];
  v0 [label="x\n4"];
  v1 [label="y = x^2\n16", penwidth=2];
  v0 -> v1 [label="2x = 8"];
}
"""

from __future__ import annotations

from autodiff.explanation.graph import Drawing
from autodiff.render.text.elide import GAP, elide
from autodiff.render.text.labels import described, fitted, label

_ATTRIBUTES = {
    "result": "penwidth=2",
    "held": 'style="rounded,dashed"',
    "constant": 'style="rounded,dashed"',
    GAP: "shape=plaintext",
}


def dot(drawing: Drawing, *, right: bool = False) -> str:
    """A digraph of at most 40 vertices; the middle of a larger one is left out and counted."""
    shown = elide(drawing).drawing
    names = {vertex.name: f"v{number}" for number, vertex in enumerate(shown.vertices)}
    heading = [f"label={_quoted([fitted(drawing.title, 100)])}", "labelloc=t"] if drawing.title else []
    heading += ["rankdir=LR"] if right else []
    rows = ["digraph {", f"  {'; '.join([*heading, 'node [shape=box, style=rounded]'])};"]
    for vertex in shown.vertices:
        attributes = [
            f"label={_quoted(described(vertex))}",
            *([_ATTRIBUTES[vertex.kind]] if vertex.kind in _ATTRIBUTES else []),
        ]
        rows.append(f"  {names[vertex.name]} [{', '.join(attributes)}];")
    for arrow in shown.arrows:
        words = label(arrow, 60)
        attributes = [*([f"label={_quoted([words])}"] if words else []), *([] if arrow.active else ["style=dashed"])]
        ending = f" [{', '.join(attributes)}]" if attributes else ""
        rows.append(f"  {names[arrow.source]} -> {names[arrow.target]}{ending};")
    return "\n".join([*rows, "}\n"])


def _quoted(lines: list[str]) -> str:
    r"""Lines as one string.

    A backslash is doubled, for Graphviz reads `\N` as a name, and `&` is written out, for it reads `&lt;` as a sign.
    """
    doubled = (line.replace("\\", "\\\\").replace("&", "&amp;").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(doubled) + '"'
