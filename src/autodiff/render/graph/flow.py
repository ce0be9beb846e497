"""A small drawing from left to right: each arrow on a line of its own with its local slope, forks and joins as in a wiring plan.

>>> from autodiff.render.graph.canvas import joined
>>> x, s = Vertex("x", "x", "input", 1.5), Vertex("s", "sin(x)", "step", 0.9974949866)
>>> f = Vertex("f", "x·s", "result", 1.4962424799)
>>> arrows = (Arrow("x", "f", "s", 0.9974949866), Arrow("x", "s", "cos(x)", 0.0707372017), Arrow("s", "f", "x", 1.5))
>>> print(*map(joined, flow(Drawing((x, s, f), arrows), 80, formulas=True)), sep="\\n")
x  1.5 ─┬─ s = 0.99749 ────────────────────────────────┬──▶ f = x·s
        └─ cos(x) = 0.07074 ──▶ s = sin(x) ── x = 1.5 ─┘    1.49624
                                0.99749
"""

from __future__ import annotations

from dataclasses import dataclass

from autodiff.errors import columns
from autodiff.explanation.graph import Arrow, Drawing, Vertex
from autodiff.render.graph.canvas import DOWN, LEFT, RIGHT, UP, Canvas, CellTaken, Line
from autodiff.render.graph.sugiyama import Layered, arrange, coordinates
from autodiff.render.text.labels import fitted, formula, label, value
from autodiff.render.text.numbers import short

_MOST = (16, 28)  # vertices and arrows beyond which a wiring plan is no help


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is written: formulas behind names, symbols before the numbers on arrows."""

    formulas: bool
    symbols: bool


_FULL, _NUMBERS, _NAMES, _LEAST = Detail(True, True), Detail(True, False), Detail(False, True), Detail(False, False)


def flow(drawing: Drawing, width: int, *, formulas: bool) -> list[Line] | None:
    """The drawing with as much detail as `width` columns hold, None when it needs another form.

    With `formulas` they are never left out; without, what stands on the arrows comes first.
    """
    if len(drawing.vertices) > _MOST[0] or len(drawing.arrows) > _MOST[1]:
        return None
    layered = arrange(drawing)
    for detail in (_FULL, _NUMBERS) if formulas else (_FULL, _NAMES, _NUMBERS, _LEAST):
        if not detail.symbols and any(arrow.slope and arrow.value is None for arrow in drawing.arrows):
            continue
        try:
            plan = _Plan(drawing, layered, detail)
        except CellTaken:
            return None
        if plan.width <= width:
            return plan.sheet.lines()
    return None


@dataclass(slots=True)
class _Net:
    """Lines that meet: from the rows `left` of one layer to the rows `right` of the next, by a vertical on a track."""

    left: set[int]
    right: set[int]
    owner: str | None
    track: int = 0

    @property
    def rows(self) -> set[int]:
        return self.left | self.right

    @property
    def straight(self) -> bool:
        return len(self.rows) == 1

    def meets(self, other: _Net) -> bool:
        return min(self.rows) <= max(other.rows) and min(other.rows) <= max(self.rows)


class _Plan:
    """The drawing on a sheet: first the rows, then column by column the layers and the channels between them."""

    def __init__(self, drawing: Drawing, layered: Layered, detail: Detail) -> None:
        self.drawing, self.layered, self.detail = drawing, layered, detail
        self.sheet = Canvas()
        self.inputs = _aligned([v for number, v in enumerate(drawing.vertices) if layered.parts[number].layer == 0])
        self.rows = [int(row) for row in coordinates(layered, lambda upper, _: self._height(upper), whole=True)]
        column = 0
        for number, layer in enumerate(layered.layers):
            column = self._layer(layer, column)
            if number + 1 < len(layered.layers):
                column = self._channel(number, column)
        self.width = max((c + 1 for _, c in self.sheet.written), default=0)

    def _height(self, part: int) -> int:
        vertex = self.layered.parts[part].vertex
        return 1 if vertex is None or len(self._words(vertex)) < 2 else 2

    def _words(self, number: int) -> list[str]:
        """What is written for a vertex, a line each: an input beside its value, others above it."""
        vertex = self.drawing.vertices[number]
        if vertex.name in self.inputs:
            return [self.inputs[vertex.name]]
        right_side = formula(vertex)
        name = fitted(vertex.name, 16)
        head = f"{name} = {fitted(right_side, 28)}" if right_side and self.detail.formulas else name
        return [head, *filter(None, [value(vertex)])]

    def _label(self, arrow: Arrow) -> str:
        if not self.detail.symbols and arrow.value is not None:
            return short(arrow.value)
        return label(arrow, 36)

    def _layer(self, layer: tuple[int, ...], column: int) -> int:
        """Write the parts of a layer, run their lines to its end, and give the column behind it."""
        vertices = self.layered.parts[layer[0]].layer % 2 == 0
        texts = {number: self._part(number) for number in layer}
        stop = column + max(columns(text) for lines in texts.values() for text in lines)
        for number, lines in texts.items():
            row, owner = self.rows[number], self._owner(number)
            for offset, text in enumerate(lines):
                self.sheet.words(row + offset, column, text, owner)
            if self.layered.after[number]:
                space = self.layered.parts[number].vertex is not None
                self.sheet.across(row, column + columns(lines[0]) + space, stop + vertices, ("along", number), owner)
        return stop + vertices

    def _part(self, number: int) -> list[str]:
        part = self.layered.parts[number]
        if part.vertex is not None:
            return self._words(part.vertex)
        text = self._label(self.drawing.arrows[part.arrow or 0]) if part.label else ""
        return [f" {text} " if text else ""]

    def _owner(self, number: int) -> str:
        part = self.layered.parts[number]
        if part.vertex is not None:
            return self.drawing.vertices[part.vertex].name
        return self.drawing.arrows[part.arrow or 0].source

    def _channel(self, number: int, column: int) -> int:
        """Run the lines between two layers, and give the column behind them, arrow heads included."""
        nets = self._nets(number)
        tracks = _tracked([net for net in nets.values() if not net.straight])
        stop = column + (2 * tracks + 1 if tracks else 2 - number % 2)
        for name, net in nets.items():
            self._run(name, net, column, stop)
        if number % 2 == 0:
            return stop
        for part in self.layered.layers[number + 1]:
            row, owner = self.rows[part], self._owner(part)
            if self.layered.parts[part].vertex is None:
                self.sheet.across(row, stop, stop + 3, ("pass", part), owner)
            elif self.layered.before[part]:
                single = self.layered.before[part][0]
                self.sheet.across(row, stop, stop + 1, ("head", part), self._into(part))
                self.sheet.words(
                    row, stop + 1, "▶", self._owner(single) if len(self.layered.before[part]) == 1 else owner
                )
        return stop + 3

    def _into(self, part: int) -> str:
        """Whose line goes into a vertex: that of the only arrow, or its own where several have met."""
        before = self.layered.before[part]
        return self._owner(before[0]) if len(before) == 1 else self._owner(part)

    def _nets(self, number: int) -> dict[tuple[str, int], _Net]:
        """The lines between layer `number` and the next: one net for each vertex they leave or enter, else for each arrow."""
        nets: dict[tuple[str, int], _Net] = {}
        for left in self.layered.layers[number]:
            for right in self.layered.after[left]:
                if self.layered.parts[right].vertex is not None:
                    name, owner = ("into", right), self._into(right)
                else:
                    name, owner = ("from", left), self._owner(left)
                net = nets.setdefault(name, _Net(set(), set(), owner))
                net.left.add(self.rows[left])
                net.right.add(self.rows[right])
        return nets

    def _run(self, name: tuple[str, int], net: _Net, column: int, stop: int) -> None:
        if net.straight:
            self.sheet.across(min(net.left), column, stop, name, net.owner)
            return
        middle = column + 1 + 2 * net.track
        top, bottom = min(net.rows), max(net.rows)
        self.sheet.down(middle, top + 1, bottom, name, net.owner)
        for row in net.rows:
            ways = LEFT * (row in net.left) | RIGHT * (row in net.right) | UP * (row > top) | DOWN * (row < bottom)
            self.sheet.corner(row, middle, name, net.owner, ways)
        for row in net.left:
            self.sheet.across(row, column, middle, name, net.owner)
        for row in net.right:
            self.sheet.across(row, middle + 1, stop, name, net.owner)


def _tracked(nets: list[_Net]) -> int:
    """Give each net a track of its own where nets meet, and say how many tracks that takes.

    A net whose line comes in on a row must turn before the net whose line goes out on that row begins: where such needs go
    in a circle there is no plan, and `CellTaken` is raised.
    """
    earlier = {id(net): [other for other in nets if other is not net and other.left & net.right] for net in nets}
    waiting = sorted(nets, key=lambda net: (min(net.rows), max(net.rows)))
    placed: dict[int, _Net] = {}
    while waiting:
        net = next((net for net in waiting if all(id(other) in placed for other in earlier[id(net)])), None)
        if net is None:
            raise CellTaken
        least = max((other.track + 1 for other in earlier[id(net)]), default=0)
        used = {other.track for other in placed.values() if other.meets(net)}
        net.track = next(track for track in range(least, least + len(nets) + 1) if track not in used)
        placed[id(net)] = net
        waiting.remove(net)
    return max((net.track + 1 for net in nets), default=0)


def _aligned(inputs: list[Vertex]) -> dict[str, str]:
    """Names of inputs beside their values, both in columns."""
    names = {vertex.name: fitted(vertex.name, 16) for vertex in inputs}
    numbers = {vertex.name: value(vertex) for vertex in inputs}
    wide, deep = (max(map(columns, texts.values()), default=0) for texts in (names, numbers))
    return {
        name: f"{text}{' ' * (wide - columns(text))}  {numbers[name]:>{deep}}" if deep else text
        for name, text in names.items()
    }
