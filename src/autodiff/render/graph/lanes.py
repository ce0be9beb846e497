"""The drawing of a graph on a terminal, from top to bottom: a line for each vertex and each arrow, beside lanes of the vertices that later lines use.

>>> from autodiff.render.text.elide import elide
>>> x, s = Vertex("x", "x", "input", 1.5), Vertex("s", "sin(x)", "step", 0.9974949866)
>>> f = Vertex("f", "x·s", "result", 1.4962424799)
>>> arrows = (Arrow("x", "f", "s", 0.9974949866), Arrow("x", "s", "cos(x)", 0.0707372017), Arrow("s", "f", "x", 1.5))
>>> print(*map(joined, lanes(elide(Drawing((x, s, f), arrows)), 60)), sep="\\n")
●      x            1.5
│        x ─▶ s  cos(x) = 0.07074
├─●    s = sin(x)   0.99749
│ │      x ─▶ f  s = 0.99749
│ │      s ─▶ f  x = 1.5
●─┘    f = x·s      1.49624
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from autodiff.errors import columns, shortened
from autodiff.explanation.graph import Arrow, Drawing, Vertex
from autodiff.render.text.elide import GAP, Elided
from autodiff.render.text.labels import fitted, formula, label, value
from autodiff.render.text.wrap import folded

_LINES = 180  # with a heading and what surrounds it still under 200

Piece = tuple[str, str | None]
"""A run of text and the name of the vertex that it belongs to, if any: what colour it gets."""

Line = tuple[Piece, ...]


def joined(line: Sequence[Piece]) -> str:
    """A line without what it belongs to."""
    return "".join(text for text, _ in line)


def lanes(cut: Elided, width: int) -> list[Line]:
    """At most 180 lines of `width` columns (40 or more)."""
    incoming: dict[str, list[Arrow]] = defaultdict(list)
    for arrow in cut.drawing.arrows:
        incoming[arrow.target].append(arrow)
    order = _order(cut.drawing, incoming)
    listed = {name: [a for a in arrows if cut.gap not in (a.source, a.target)] for name, arrows in incoming.items()}
    tracks = _Tracks(order, incoming, max(4, min(16, (width - 40) // 2)))
    texts = _Texts(order, width - 2 * tracks.wide - 1)
    written = {name: [texts.arrow(arrow) for arrow in arrows] for name, arrows in listed.items()}
    most = next((m for m in (16, 8, 4, 2) if _count(order, written, m) <= _LINES), 1)
    if _count(order, written, most) > _LINES:
        written = {name: [[texts.brief(arrow)] for arrow in arrows] for name, arrows in listed.items()}
    lines: list[Line] = []
    for vertex in order:
        arrows = written.get(vertex.name, [])
        # one arrow more than `most` is shown rather than counted: either takes a line
        cutoff = len(arrows) if len(arrows) <= most + 1 else most
        before = tracks.between()
        lines += [(*before, *words) for arrow in arrows[:cutoff] for words in arrow]
        if cutoff < len(arrows):
            lines.append((*before, (f"   ⋮ {len(arrows) - cutoff:,} more arrows", None)))
        first, *rest = texts.vertex(vertex)
        lines.append((*tracks.at(vertex), *first))
        lines += [(*tracks.between(), *words) for words in rest]
    return [_trimmed(line) for line in lines]


def _trimmed(line: Line) -> Line:
    *rest, (text, owner) = [piece for piece in line if piece[0]]
    return (*rest, (text.rstrip(), owner))


def _count(order: list[Vertex], written: dict[str, list[list[list[Piece]]]], most: int) -> int:
    arrows = (words for vertex in order for words in written.get(vertex.name, ())[: most + 1])
    return len(order) + sum(map(len, arrows))


def _order(drawing: Drawing, incoming: dict[str, list[Arrow]]) -> list[Vertex]:
    """The vertices as they are listed, but those without arguments right before their first use."""
    known = {vertex.name: vertex for vertex in drawing.vertices}
    order: dict[str, Vertex] = {}
    for number, vertex in enumerate(drawing.vertices):
        if vertex.kind == GAP:
            order |= {before.name: before for before in drawing.vertices[:number] if before.name not in order}
        elif not incoming.get(vertex.name):
            continue
        order |= {arrow.source: known[arrow.source] for arrow in incoming[vertex.name] if arrow.source not in order}
        order[vertex.name] = vertex
    return [*order.values(), *(vertex for vertex in drawing.vertices if vertex.name not in order)]


@dataclass(slots=True)
class _Tracks:
    """The lane of each vertex that later lines use; one for which no lane is free is only named by its arrows."""

    order: list[Vertex]
    incoming: dict[str, list[Arrow]]
    most: int
    wide: int = 0
    uses: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    running: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._count_uses()
        for vertex in self.order:
            self.at(vertex)
            self.wide = max(self.wide, 1 + max(self.running, default=0))
        self.wide = min(self.wide + 1, self.most + 1)
        self._count_uses()

    def _count_uses(self) -> None:
        self.running.clear()
        for arrows in self.incoming.values():
            for arrow in arrows:
                self.uses[arrow.source] += 1

    def between(self) -> list[Piece]:
        """The lanes on a line without a vertex."""
        return [("│ " if lane in self.running else "  ", self.running.get(lane)) for lane in range(self.wide)]

    def at(self, vertex: Vertex) -> list[Piece]:
        """The lanes on the line of `vertex`, joined by those of its arguments."""
        lane_of = {name: lane for lane, name in self.running.items()}
        sources = dict.fromkeys(arrow.source for arrow in self.incoming.get(vertex.name, ()))
        for arrow in self.incoming.get(vertex.name, ()):
            self.uses[arrow.source] -= 1
        joining = {lane_of[name] for name in sources if name in lane_of}
        ending = {lane for lane in joining if not self.uses[self.running[lane]]}
        free = [lane for lane in range(self.most) if lane not in self.running or lane in ending]
        own = min(ending, default=free[0] if free else self.most)
        passing = dict(self.running)
        for lane in ending:
            del self.running[lane]
        if self.uses[vertex.name] and own < self.most:
            self.running[own] = vertex.name
        ends = {own, *joining}
        mark = "⋮" if vertex.kind == GAP else "●" if own < self.most else "○"
        cells: list[Piece] = []
        for lane in range(self.wide):
            inside = min(ends) <= lane < max(ends)
            if lane == own:
                sign, owner = mark, vertex.name
            elif lane in joining:
                sign, owner = _join(lane not in ending, lane > min(ends), inside), passing[lane]
            elif lane in passing:
                sign, owner = "│", passing[lane]
            else:
                sign, owner = "─" if inside and lane > min(ends) else " ", vertex.name
            cells += [(sign, owner), ("─" if inside else " ", vertex.name)]
        return cells


def _join(goes_on: bool, from_left: bool, to_right: bool) -> str:
    """The sign where an argument's lane meets the line to its vertex."""
    signs = {
        (True, False, True): "├", (True, True, False): "┤", (True, True, True): "┼",
        (False, False, True): "└", (False, True, False): "┘", (False, True, True): "┴",
    }  # fmt: skip
    return signs[goes_on, from_left, to_right]


class _Texts:
    """The texts beside the lanes, in `room` columns: names and formulas are cut to it, numbers never."""

    def __init__(self, order: list[Vertex], room: int) -> None:
        self.room = room
        self.deep = max((len(value(v)) for v in order), default=0)
        heads = [columns(self._head(vertex)) for vertex in order if vertex.kind != GAP]
        self.wide = max((head for head in heads if head <= room - self.deep - 4), default=0)

    def _head(self, vertex: Vertex) -> str:
        room = self.room - self.deep - 4
        right_side, name = formula(vertex), shortened(vertex.name, 4 * self.room)
        if columns(name) > room:
            return fitted(name, self.room - 1)  # its value is on the next line
        if right_side:
            rest = room - columns(name) - 3
            return f"{name} = {fitted(right_side, rest)}" if rest >= min(columns(right_side), 12) else name
        return f"{name}  ({vertex.kind})" if vertex.kind in ("held", "constant") and columns(name) < room - 12 else name

    def vertex(self, vertex: Vertex) -> list[list[Piece]]:
        """A line, or two for long names and for long counts of what was left out."""
        if vertex.kind == GAP:
            lines = [vertex.text] if len(vertex.text) < self.room else vertex.text.split(", ")
            return [[(f" {line}", None)] for line in lines]
        head = self._head(vertex)
        number = value(vertex)
        number = number if number.startswith("-") else f" {number}"
        pad = self.wide - columns(head) + 2
        if pad >= 2 or number == " ":
            return [[(f" {head}", vertex.name), (f"{' ' * max(pad, 0)}{number}", None)]]
        return [[(f" {head}", vertex.name)], [(f"{' ' * (self.wide + 3)}{number}", None)]]

    def arrow(self, arrow: Arrow) -> list[list[Piece]]:
        """A line, or several for what has no room on one."""
        room = self.room - 3
        ends = f"{fitted(arrow.source, room - 3)} ─▶ {fitted(arrow.target, room - 2)}"
        for mark in (label(arrow), label(arrow, 12)):  # where symbols and number have no room, the number alone
            rows = folded(f"{ends}  {mark}".rstrip(), room, 2)
            if len(rows) <= 5 and all(columns(row) <= room for row in rows):
                return [self._arrow(arrow, row) for row in rows]
        return [self.brief(arrow)]

    def brief(self, arrow: Arrow) -> list[Piece]:
        """The same in one line, the number alone where there is one."""
        mark = label(arrow, 12)
        name = (self.room - 3 - 4 - 2 - columns(mark)) // 2
        ends = f"{fitted(arrow.source, name)} ─▶ {fitted(arrow.target, name)}"
        return self._arrow(arrow, f"{ends}  {mark}".rstrip())

    def _arrow(self, arrow: Arrow, words: str) -> list[Piece]:
        return [(f"   {words}", arrow.source)]
