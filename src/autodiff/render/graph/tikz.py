r"""A drawing in LaTeX's TikZ: the layout of the SVG, in a document of its own or as a picture to be included.

>>> from autodiff.explanation.graph import Arrow, Drawing, Vertex
>>> x, y = Vertex("x", "x", "input", 4.0), Vertex("y", "x^2", "result", 16.0)
>>> print(tikz(Drawing((x, y), (Arrow("x", "y", "2x", 8.0),)), fragment=True), end="")
% needs \usepackage{amsmath,amssymb,tikz}
\begin{tikzpicture}[>=stealth, box/.style={draw, rounded corners, align=center}]
  \node[box] (v0) at (0.00, 0.00) {x\\4};
  \node[box, thick] (v1) at (0.00, -2.60) {y = x\textasciicircum{}2\\16};
  \draw[->, rounded corners] (v0) -- (0.00, -1.30) node[fill=white, font=\small] {2x = 8} -- (v1);
\end{tikzpicture}
"""

from __future__ import annotations

from itertools import pairwise

from autodiff.explanation.graph import Drawing
from autodiff.render.document.latex import declared, escaped
from autodiff.render.graph.sugiyama import Part, arrange, coordinates
from autodiff.render.text.elide import GAP, elide
from autodiff.render.text.labels import WIDEST, described, label

_STYLES = {"result": ", thick", "held": ", dashed", "constant": ", dashed", GAP: ", draw=none"}
_SIGN, _LINE = 0.21, 1.3  # centimetres: the width of a character, the distance of two layers


def tikz(drawing: Drawing, *, right: bool = False, fragment: bool = False) -> str:
    """A picture of at most 40 vertices; the middle of a larger one is left out and counted."""
    shown = elide(drawing).drawing
    layered = arrange(shown)
    words = [described(vertex) for vertex in shown.vertices]
    captions = [label(arrow, WIDEST) for arrow in shown.arrows]

    def size(part: Part) -> float:
        if part.vertex is not None:
            return _SIGN * max(map(len, words[part.vertex])) + 0.6
        return _SIGN * len(captions[part.arrow or 0]) + 0.6 if part.label else 0.8

    sizes = [size(part) for part in layered.parts]
    across = [1.4 if part.vertex is not None else 0.8 for part in layered.parts] if right else sizes
    middles = coordinates(layered, lambda left, other: (across[left] + across[other]) / 2 + 0.3)
    along = _along(sizes if right else [_LINE] * len(sizes), [part.layer for part in layered.parts])

    def place(number: int) -> str:
        forward, aside = along[layered.parts[number].layer], middles[number]
        x, y = (forward, -aside) if right else (aside, -forward)
        return f"({x:.2f}, {y + 0.0:.2f})"

    picture = [r"\begin{tikzpicture}[>=stealth, box/.style={draw, rounded corners, align=center}]"]
    for number, vertex in enumerate(shown.vertices):
        text = r"\\".join(map(escaped, words[number])).replace("-", "$-$")
        picture.append(rf"  \node[box{_STYLES.get(vertex.kind, '')}] (v{number}) at {place(number)} {{{text}}};")
    for number, arrow in enumerate(shown.arrows):
        source, *between, target = layered.paths[number]
        caption = escaped(captions[number]).replace("-", "$-$")  # else a hyphen
        node = rf" node[fill=white, font=\small] {{{caption}}}" if caption else ""
        bends = " -- ".join(f"{place(part)}{node if at == 0 else ''}" for at, part in enumerate(between))
        style = "->, rounded corners" if arrow.active else "->, rounded corners, dashed"
        picture.append(rf"  \draw[{style}] (v{source}) -- {bends} -- (v{target});")
    body = "\n".join([*picture, r"\end{tikzpicture}"])
    if fragment:
        return "\n".join([r"% needs \usepackage{amsmath,amssymb,tikz}", *declared(body), body]) + "\n"
    head = [
        r"\documentclass[border=4pt]{standalone}",
        r"\usepackage[T1]{fontenc}",
        r"\usepackage{amsmath,amssymb,tikz}",
    ]
    return "\n".join([*head, *declared(body), r"\begin{document}", body, r"\end{document}"]) + "\n"


def _along(sizes: list[float], layers: list[int]) -> list[float]:
    """Where each layer is: as far from the one before as the widest parts of both need."""
    widest = [0.0] * (max(layers, default=0) + 1)
    for size, layer in zip(sizes, layers, strict=True):
        widest[layer] = max(widest[layer], size)
    places = [0.0]
    for before, after in pairwise(widest):
        places.append(places[-1] + (before + after) / 2)
    return places
