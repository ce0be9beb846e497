"""A drawing in Mermaid's language, as Markdown pages on many sites show it.

>>> from autodiff.explanation.graph import Arrow, Drawing, Vertex
>>> x, y = Vertex("x", "x", "input", 4.0), Vertex("y", "x^2", "result", 16.0)
>>> print(mermaid(Drawing((x, y), (Arrow("x", "y", "2x", 8.0),))), end="")
flowchart TD
  v0("x<br/>4")
  v1("y = x^2<br/>16")
  v0 -->|"2x = 8"| v1
  style v1 stroke-width:3px
"""

from __future__ import annotations

import re

from autodiff.explanation.graph import Drawing
from autodiff.render.text.elide import GAP, elide
from autodiff.render.text.labels import described, label

_STYLES = {
    "result": "stroke-width:3px",
    "held": "stroke-dasharray:5 4",
    "constant": "stroke-dasharray:5 4",
    GAP: "stroke-dasharray:2 4",
}


def mermaid(drawing: Drawing, *, right: bool = False) -> str:
    """A flowchart of at most 40 vertices; the middle of a larger one is left out and counted."""
    shown = elide(drawing).drawing
    names = {vertex.name: f"v{number}" for number, vertex in enumerate(shown.vertices)}
    rows = ["flowchart LR" if right else "flowchart TD"]
    rows += [f'  {names[vertex.name]}("{_escaped(described(vertex))}")' for vertex in shown.vertices]
    for arrow in shown.arrows:
        words = label(arrow, 60)
        line = ("-->" if arrow.active else "-.->") + (f'|"{_escaped([words])}"|' if words else "")
        rows.append(f"  {names[arrow.source]} {line} {names[arrow.target]}")
    rows += [f"  style {names[v.name]} {_STYLES[v.kind]}" for v in shown.vertices if v.kind in _STYLES]
    return "\n".join(rows) + "\n"


_SPECIAL = re.compile(r"[^\w +\-/=^(),.]|^[-+](?= )|\.(?= )|(?<![^\W_])_|_(?![^\W_])")
"""What Mermaid, Markdown or HTML may read as its own: `-`, `+` or `1.` with a blank begins a list, `_` not inside a word leans."""


def _escaped(lines: list[str]) -> str:
    """Lines with every special sign as a numbered entity; signs beyond ASCII mean nothing to Mermaid."""
    return "<br/>".join(_SPECIAL.sub(lambda sign: _entity(sign[0]), line) for line in lines)


def _entity(sign: str) -> str:
    return f"#{ord(sign)};" if sign.isascii() else sign
