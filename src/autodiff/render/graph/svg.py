"""A drawing as SVG, from top to bottom or from left to right, in light and dark, without any other program.

>>> from autodiff.explanation.graph import Arrow, Drawing, Vertex
>>> x, y = Vertex("x", "x", "input", 4.0), Vertex("y", "x^2", "result", 16.0)
>>> page = svg(Drawing((x, y), (Arrow("x", "y", "2x", 8.0),), "y = x^2"))
>>> 'data-source="x" data-target="y"' in page, page.count("<rect")
(True, 4)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from autodiff.errors import columns, printable
from autodiff.explanation.graph import Arrow, Drawing, Vertex
from autodiff.render.graph.sugiyama import Layered, Part, arrange, coordinates
from autodiff.render.text.elide import GAP, elide
from autodiff.render.text.labels import WIDEST, fitted, formula, label, value

_MARGIN, _BOX, _LABEL = 16.0, 50.0, 22.0  # around the whole; heights of a vertex and of a label
_NAME, _SMALL = 15.0, 13.0  # font sizes

LIGHT = ("#0b6bcb", "#b3470a", "#1a7f4b", "#8a3ab9", "#b0264b", "#00788a", "#7a6000", "#4a55c7")
DARK = ("#6cb4ff", "#ffa361", "#5fd08f", "#cf9bf5", "#ff8fa9", "#4fcfe0", "#e0c04a", "#a5acff")
"""The colours of vertices in turn, vertex N of the drawing the one of number N modulo 8, to be read on white and on black."""


def _colours(hues: Sequence[str], surface: str, ink: str, quiet: str, line: str) -> str:
    named = {"surface": surface, "ink": ink, "quiet": quiet, "line": line}
    named |= {f"h{number}": hue for number, hue in enumerate(hues)}
    return ";".join(f"--{name}:{colour}" for name, colour in named.items())


_STYLE = f"""
.autodiff-drawing{{{_colours(LIGHT, "#ffffff", "#1c1f24", "#5b6470", "#8a93a0")};height:auto;width:100%;display:block;\
font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace}}
@media (prefers-color-scheme:dark){{.autodiff-drawing{{{_colours(DARK, "#15181d", "#e8ebef", "#a3adba", "#6d7785")}}}}}
.autodiff-drawing .sheet{{fill:var(--surface)}}
.autodiff-drawing .box rect{{fill:var(--hue);fill-opacity:.1;stroke:var(--hue);stroke-width:1.5}}
.autodiff-drawing .box.result rect{{stroke-width:3}}
.autodiff-drawing .box:is(.held,.constant,.gap) rect{{stroke-dasharray:5 4}}
.autodiff-drawing text{{fill:var(--ink);font-size:13px;text-anchor:middle}}
.autodiff-drawing .name{{font-size:15px}}
.autodiff-drawing .name tspan{{font-weight:700;fill:var(--hue)}}
.autodiff-drawing .quiet{{fill:var(--quiet)}}
.autodiff-drawing .arrow path{{fill:none;stroke:var(--hue);stroke-width:1.75}}
.autodiff-drawing .arrow .head{{fill:var(--hue);stroke:none}}
.autodiff-drawing .arrow.still path{{stroke-dasharray:4 4}}
.autodiff-drawing .arrow .plate{{fill:var(--surface);stroke:none}}
.autodiff-drawing .arrow:is(:hover,.lit) path{{stroke-width:4}}
.autodiff-drawing .arrow:is(:hover,.lit) .plate{{stroke:var(--hue);stroke-width:1.5}}
"""


def svg(drawing: Drawing, prefix: str = "drawing", *, right: bool = False) -> str:
    """One `<svg>` element, well-formed whatever the names hold, that shrinks to the width it is given.

    Vertices are `<g class="box" id="PREFIX-vertex-N">`, arrows `<g class="arrow" id="PREFIX-arrow-N">` with `data-source` and
    `data-target`, N counting as in the drawing; an arrow of the class `lit` is drawn bold. Beyond 40 vertices the middle is
    left out and counted. A page with several drawings gives each a `prefix`, made of letters, digits and hyphens.
    """
    cut = elide(drawing)
    sheet = _Sheet.of(cut.drawing, right=right)
    places = {vertex.name: number for number, vertex in enumerate(drawing.vertices)}
    hues = {name: f"--h{number % len(LIGHT)}" for name, number in places.items()} | {cut.gap: "--line"}
    width, height = sheet.at(sheet.across, sheet.along)
    name = drawing.title or "computation graph"
    about = f"{name}: {len(drawing.vertices)} vertices, {len(drawing.arrows)} arrows"
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="autodiff-drawing" role="img" aria-label="{_attribute(about)}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" style="min-width:{width * 0.85:.0f}px;max-width:{width:.0f}px">',
        f"<title>{_content(name)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="sheet" width="{width:.0f}" height="{height:.0f}" rx="10"/>',
    ]
    for at, arrow in enumerate(cut.drawing.arrows):
        identity = f"{prefix}-arrow-{cut.kept[at] if at < len(cut.kept) else f'more-{at}'}"
        rows += _arrow(sheet, at, identity, hues[arrow.source])
    for at, vertex in enumerate(cut.drawing.vertices):
        rows += _box(sheet, at, f"{prefix}-vertex-{places.get(vertex.name, 'more')}", hues[vertex.name])
    return "\n".join([*rows, "</svg>\n"])


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where everything is: for each part its middle across the arrows, for each layer its two ends along them.

    Arrows run down the page, or with `right` to its right side: `at` gives x and y of a place across and along.
    """

    drawing: Drawing
    layered: Layered
    middles: tuple[float, ...]
    ends: tuple[tuple[float, float], ...]
    wide: tuple[float, ...]
    across: float
    along: float
    right: bool

    @classmethod
    def of(cls, drawing: Drawing, *, right: bool) -> _Sheet:
        layered = arrange(drawing)
        wide = tuple(_size(part, drawing) for part in layered.parts)
        high = tuple(_BOX if part.vertex is not None else _LABEL if part.label else 6.0 for part in layered.parts)
        sizes, lengths = (high, wide) if right else (wide, high)

        def apart(left: int, other: int) -> float:
            vertices = layered.parts[left].layer % 2 == 0
            return (sizes[left] + sizes[other]) / 2 + (26 if vertices else 20) * (0.5 if right else 1)

        places = coordinates(layered, apart)
        least = min((x - size / 2 for x, size in zip(places, sizes, strict=True)), default=0.0)
        middles = tuple(middle - least + _MARGIN for middle in places)
        ends = _ends(layered, middles, lengths, right=right)
        across = max((place + size / 2 for place, size in zip(middles, sizes, strict=True)), default=0.0) + _MARGIN
        return cls(drawing, layered, middles, ends, wide, across, ends[-1][1] + _MARGIN, right)

    def at(self, across: float, along: float) -> tuple[float, float]:
        """x and y."""
        return (along, across) if self.right else (across, along)

    def corner(self, number: int, high: float) -> tuple[float, float]:
        """The upper left corner of a part's frame."""
        start, end = self.ends[self.layered.parts[number].layer]
        if self.right:
            return (start + end - self.wide[number]) / 2, self.middles[number] - high / 2
        return self.middles[number] - self.wide[number] / 2, start

    def near(self, number: int, *, end: bool) -> float:
        """Where a vertex begins or ends along the arrows."""
        start, stop = self.ends[self.layered.parts[number].layer]
        if not self.right:
            return stop if end else start
        return (start + stop + (self.wide[number] if end else -self.wide[number])) / 2


def _ends(
    layered: Layered, x: Sequence[float], lengths: Sequence[float], *, right: bool
) -> tuple[tuple[float, float], ...]:
    """Both ends of each layer; where lines run far aside the layers are further apart."""
    ends: list[tuple[float, float]] = []
    top = _MARGIN
    for number, layer in enumerate(layered.layers):
        if right:
            bottom = top + max((lengths[part] for part in layer), default=0.0)
        else:
            labelled = any(layered.parts[part].label for part in layer)
            bottom = top + (_BOX if number % 2 == 0 else _LABEL if labelled else 0.0)
        ends.append((top, bottom))
        aside = max((abs(x[part] - x[other]) for part in layer for other in layered.after[part]), default=0.0)
        top = bottom + min(64.0, max(20.0, aside * 0.35)) + (8 if number % 2 else 0)  # room for the head of the arrow
    return tuple(ends)


def _size(part: Part, drawing: Drawing) -> float:
    """How wide a part is, with the room inside its frame."""
    if part.vertex is not None:
        vertex = drawing.vertices[part.vertex]
        head, under = _words(vertex)
        return max(_wide(" ".join(head), _NAME), _wide(under, _SMALL), 36.0) + 28
    words = label(drawing.arrows[part.arrow or 0], WIDEST) if part.label else ""
    return _wide(words, _SMALL) + 14 if words else 6.0


def _wide(text: str, size: float) -> float:
    """A width that `text` does not exceed in the usual fixed-width fonts, where a character is at most 0.61 of the size wide."""
    return sum((0.62 if c.isascii() else 0.8 * columns(c)) * size for c in text)


def _words(vertex: Vertex) -> tuple[list[str], str]:
    """The upper line of a box, name first, and its lower line."""
    if vertex.kind == GAP:
        steps, _, arrows = vertex.text.partition(", ")
        return [f"⋮ {steps}"], arrows
    right_side = formula(vertex)
    head = [fitted(vertex.name, 20), *([f"= {fitted(right_side, 30)}"] if right_side else [])]
    return head, value(vertex)


def _box(sheet: _Sheet, number: int, identity: str, hue: str) -> Iterable[str]:
    vertex = sheet.drawing.vertices[number]
    head, under = _words(vertex)
    left, top = sheet.corner(number, _BOX)
    wide = sheet.wide[number]
    middle = left + wide / 2
    title = vertex.text if vertex.kind == GAP else " ".join(head) + (f", {under}" if under else "")
    yield f'<g class="box {vertex.kind}" id="{identity}" data-name="{_attribute(vertex.name)}" style="--hue:var({hue})">'
    yield f"<title>{_content(f'{title} ({vertex.kind})' if vertex.kind != GAP else title)}</title>"
    yield f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{_BOX:.0f}" rx="9"/>'
    rest = f" {_content(head[1])}" if head[1:] else ""
    yield (
        f'<text class="name" x="{middle:.1f}" y="{top + (21 if under else 30):.1f}">'
        f"<tspan>{_content(head[0])}</tspan>{rest}</text>"
    )
    if under:
        yield f'<text x="{middle:.1f}" y="{top + 40:.1f}">{_content(under)}</text>'
    yield "</g>"


def _arrow(sheet: _Sheet, number: int, identity: str, hue: str) -> Iterable[str]:
    arrow, path = sheet.drawing.arrows[number], sheet.layered.paths[number]
    still = "" if arrow.active else " still"
    ends = f'data-source="{_attribute(arrow.source)}" data-target="{_attribute(arrow.target)}"'
    yield f'<g class="arrow{still}" id="{identity}" {ends} style="--hue:var({hue})">'
    words = label(arrow, WIDEST)
    yield f"<title>{_content(f'{arrow.source} to {arrow.target}' + (f': {words}' if words else ''))}</title>"
    leave, enter = (
        _port(sheet, path[0], path[1], sheet.layered.after),
        _port(sheet, path[-1], path[-2], sheet.layered.before),
    )
    tip = sheet.at(enter, sheet.near(path[-1], end=False))
    yield f'<path d="{_curve(sheet, path, leave, enter)}"/>'
    yield f'<path class="head" d="M{tip[0]:.1f} {tip[1]:.1f}{"l-9 -4.5v9z" if sheet.right else "l-4.5 -9h9z"}"/>'
    if words:
        left, top = sheet.corner(path[1], _LABEL)
        wide = sheet.wide[path[1]]
        yield f'<rect class="plate" x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{_LABEL:.0f}" rx="6"/>'
        yield f'<text x="{left + wide / 2:.1f}" y="{top + 15.5:.1f}">{_label(arrow)}</text>'
    yield "</g>"


def _label(arrow: Arrow) -> str:
    symbols, equals, value = label(arrow, WIDEST).rpartition(" = ")
    return f'<tspan class="quiet">{_content(symbols)}{equals}</tspan>{_content(value)}' if equals else _content(value)


def _port(sheet: _Sheet, vertex: int, part: int, neighbours: tuple[tuple[int, ...], ...]) -> float:
    """Where a line leaves or enters a box: lines are in the order of their other ends, around the middle."""
    beside = sorted(neighbours[vertex], key=lambda other: (sheet.middles[other], other))
    size = _BOX if sheet.right else sheet.wide[vertex]
    step = min(18.0, (size - 24) / max(len(beside) - 1, 1))
    return sheet.middles[vertex] + (beside.index(part) - (len(beside) - 1) / 2) * step


def _curve(sheet: _Sheet, path: tuple[int, ...], leave: float, enter: float) -> str:
    """Straight on inside a layer, curved between two: a line can touch no box but its own two."""

    def place(across: float, along: float) -> str:
        x, y = sheet.at(across, along)
        return f"{x:.1f} {y:.1f}"

    x = [leave, *(sheet.middles[part] for part in path[1:-1]), enter]
    ends = [sheet.ends[sheet.layered.parts[part].layer] for part in path]
    start, stop = sheet.near(path[0], end=True), sheet.near(path[-1], end=False)
    steps = [f"M{place(leave, start)}", *([f"L{place(leave, ends[0][1])}"] if start != ends[0][1] else [])]
    for at in range(1, len(path)):
        last = at == len(path) - 1
        upper, lower = ends[at - 1][1], ends[at][0] - (8 if last else 0)
        half = (upper + lower) / 2
        steps.append(f"C{place(x[at - 1], half)} {place(x[at], half)} {place(x[at], lower)}")
        if not last:
            steps.append(f"{'H' if sheet.right else 'V'}{ends[at][1]:.1f}")
    return "".join([*steps, *([f"L{place(enter, stop - 8)}"] if stop != ends[-1][0] else [])])


def _content(text: str) -> str:
    return escape(printable(text), quote=False)


def _attribute(text: str) -> str:
    return escape(printable(text)).replace("\n", "&#10;")
