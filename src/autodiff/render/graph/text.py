"""A drawing on a terminal, in Unicode or in ASCII, from top to bottom: a line for each vertex and each arrow, beside lanes of the vertices that later lines use.

>>> from autodiff.render.text.layout import plain_lines
>>> x, s = Vertex("x", "x", "input", 1.5), Vertex("s", "sin(x)", "step", 0.9974949866)
>>> f = Vertex("f", "x·s", "result", 1.4962424799)
>>> arrows = (Arrow("x", "f", "s", 0.9974949866), Arrow("x", "s", "cos(x)", 0.0707372017), Arrow("s", "f", "x", 1.5))
>>> print(plain_lines(lines(Drawing((x, s, f), arrows), 60)))
●      x            1.5
│        x ─▶ s  cos(x) = 0.07074
├─●    s = sin(x)   0.99749
│ │      x ─▶ f  s = 0.99749
│ │      s ─▶ f  x = 1.5
●─┘    f = x·s      1.49624
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from autodiff.errors import columns, shortened
from autodiff.explanation.graph import Arrow, Drawing, Vertex
from autodiff.render.text.elide import GAP, Elided, elide
from autodiff.render.text.labels import ascii_only, brief_label, fitted, formula, label, spelled, value
from autodiff.render.text.layout import Line, Piece, folded, in_few_lines

_ASCII = str.maketrans(
    {**dict.fromkeys("└┘├┤┴┼", "+"), "─": "-", "│": "|", "▶": ">", "●": "*", "○": "o", "⋮": ":", "…": "~"}
)


_LINES = 180  # with a heading and what surrounds it still under 200


def lines(drawing: Drawing, width: int, *, unicode: bool = True) -> list[Line]:
    """Lines of at most `width` columns (40 or more) and at most 200, as runs of text with the style @NAME of a vertex.

    A number is never cut, names and formulas are where they must. Beyond 40 vertices the middle is left out and counted.
    Without `unicode` only ASCII characters are printed, others as escapes.
    """
    if not drawing.vertices:
        return []
    cut = elide(drawing)
    if unicode:
        return _lanes(cut, width)
    cut, original = _in_ascii(cut)
    styles = {f"@{name}": f"@{before}" for name, before in original.items()}
    return [
        tuple((words.translate(_ASCII), styles.get(style, "")) for words, style in line) for line in _lanes(cut, width)
    ]


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
        replace(v, name=now[v.name], text=now[v.name] if v.text == v.name else spelled(v.text))
        for v in cut.drawing.vertices
    )
    arrows = tuple(
        replace(a, source=now[a.source], target=now[a.target], slope=spelled(a.slope)) for a in cut.drawing.arrows
    )
    drawing = Drawing(vertices, arrows, spelled(cut.drawing.title))
    return replace(cut, drawing=drawing, gap=now.get(cut.gap, "")), original


def _lanes(cut: Elided, width: int) -> list[Line]:
    """At most 180 lines of `width` columns (40 or more)."""
    incoming: dict[str, list[Arrow]] = defaultdict(list)
    for arrow in cut.drawing.arrows:
        incoming[arrow.target].append(arrow)
    order = _order(cut.drawing, incoming)
    listed = {name: [a for a in arrows if cut.gap not in (a.source, a.target)] for name, arrows in incoming.items()}
    tracks = _Tracks(order, incoming, max(4, min(16, (width - 40) // 2)))
    texts = _Texts(order, width - 2 * tracks.wide - 1)
    written = {name: [texts.arrow(arrow) for arrow in arrows] for name, arrows in listed.items()}
    heads = sum(len(texts.vertex(vertex)) for vertex in order)
    most = next((m for m in (16, 8, 4, 2) if heads + _count(order, written, m) <= _LINES), 1)
    if heads + _count(order, written, most) > _LINES:
        written = {name: [[texts.brief(arrow)] for arrow in arrows] for name, arrows in listed.items()}
    lines: list[Line] = []
    for vertex in order:
        arrows = written.get(vertex.name, [])
        # one arrow more than `most` is shown rather than counted: either takes a line
        cutoff = len(arrows) if len(arrows) <= most + 1 else most
        before = tracks.between()
        lines += [(*before, *words) for arrow in arrows[:cutoff] for words in arrow]
        if cutoff < len(arrows):
            lines.append((*before, (f"   ⋮ {len(arrows) - cutoff:,} more arrows", "")))
        first, *rest = texts.vertex(vertex)
        lines.append((*tracks.at(vertex), *first))
        lines += [(*tracks.between(), *words) for words in rest]
    return [_trimmed(line) for line in lines]


def _trimmed(line: Line) -> Line:
    *rest, (words, style) = [piece for piece in line if piece[0]]
    return (*rest, (words.rstrip(), style))


def _count(order: list[Vertex], written: dict[str, list[list[list[Piece]]]], most: int) -> int:
    return sum(len(words) for vertex in order for words in written.get(vertex.name, ())[: most + 1])


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
        return [
            ("│ " if lane in self.running else "  ", f"@{self.running[lane]}" if lane in self.running else "")
            for lane in range(self.wide)
        ]

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
            owner = vertex.name if lane == own else passing.get(lane, vertex.name)
            if lane == own:
                sign = mark
            elif lane in joining:
                sign = _JOINTS[lane not in ending, lane > min(ends), inside]
            elif lane in passing:
                sign = "│"
            else:
                sign = "─" if inside and lane > min(ends) else " "
            cells += [(sign, f"@{owner}"), ("─" if inside else " ", f"@{vertex.name}")]
        return cells


_JOINTS = {
    (True, False, True): "├", (True, True, False): "┤", (True, True, True): "┼",
    (False, False, True): "└", (False, True, False): "┘", (False, True, True): "┴",
}  # fmt: skip
"""The sign where an argument's lane meets the line to its vertex: the lane goes on, is left of it, is right of it."""


class _Texts:
    """The texts beside the lanes, in `room` columns: names and formulas are cut to it, numbers never."""

    def __init__(self, order: list[Vertex], room: int) -> None:
        self.room = room
        self.deep = max((len(value(v)) for v in order), default=0)
        self.rows = {vertex.name: self._rows(vertex) for vertex in order if vertex.kind != GAP}
        ends = [columns(rows[-1]) for rows in self.rows.values()]
        self.wide = max((end for end in ends if end <= room - self.deep - 4), default=0)

    def _rows(self, vertex: Vertex) -> list[str]:
        """A statement, or an input, in as many lines as it needs beside the numbers, three at most."""
        room = self.room - self.deep - 4
        right_side, name = formula(vertex), shortened(vertex.name, 4 * self.room)
        if columns(name) > room:
            return [fitted(name, self.room - 1)]  # its value is on the next line
        if right_side:
            return in_few_lines(f"{name} = {shortened(right_side, 4 * self.room)}", max(room, 12), 3, 4)
        return [
            f"{name}  ({vertex.kind})" if vertex.kind in ("held", "constant") and columns(name) < room - 12 else name
        ]

    def vertex(self, vertex: Vertex) -> list[list[Piece]]:
        """A line, or several for long statements, long names, and long counts of what was left out."""
        if vertex.kind == GAP:
            lines = [vertex.text] if len(vertex.text) < self.room else vertex.text.split(", ")
            return [[(f" {line}", "")] for line in lines]
        number = value(vertex)
        number = number if number.startswith("-") else f" {number}"
        rows = [[(f" {row}", f"@{vertex.name}")] for row in self.rows[vertex.name]]
        pad = self.wide - columns(self.rows[vertex.name][-1]) + 2
        if pad >= 2 or number == " ":
            rows[-1].append((f"{' ' * max(pad, 0)}{number}", ""))
            return rows
        return [*rows, [(f"{' ' * (self.wide + 3)}{number}", "")]]

    def arrow(self, arrow: Arrow) -> list[list[Piece]]:
        """A line, or several for what has no room on one."""
        room = self.room - 3
        ends = f"{fitted(arrow.source, room - 3)} ─▶ {fitted(arrow.target, room - 2)}"
        for mark in (label(arrow), brief_label(arrow)):  # where symbols and number have no room, the number alone
            rows = folded(f"{ends}  {mark}".rstrip(), room, 2)
            if len(rows) <= 3 and all(columns(row) <= room for row in rows):
                return [self._arrow(arrow, row) for row in rows]
        return [self.brief(arrow)]

    def brief(self, arrow: Arrow) -> list[Piece]:
        """The same in one line, the number alone where there is one."""
        mark = brief_label(arrow)
        name = (self.room - 3 - 4 - 2 - columns(mark)) // 2
        ends = f"{fitted(arrow.source, name)} ─▶ {fitted(arrow.target, name)}"
        return self._arrow(arrow, f"{ends}  {mark}".rstrip())

    def _arrow(self, arrow: Arrow, words: str) -> list[Piece]:
        return [(f"   {words}", f"@{arrow.source}")]
