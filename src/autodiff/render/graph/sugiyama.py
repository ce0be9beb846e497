"""Where the parts of a drawing go: layers, an order with few crossings, and places at which nothing overlaps.

The method is the usual one in four steps (Sugiyama, Tagawa, Toda 1981): longest-path layers, a bend for every layer that an
arrow passes, barycentre ordering, then coordinates, for which straight runs become blocks (after Brandes and Köpf 2002).
A label is a part of its own, in a layer between those of the vertices, so there is always room for it.

>>> from autodiff.explanation.graph import Arrow, Drawing, Vertex
>>> names = ("x", "q", "f")
>>> vertices = tuple(Vertex(name, name, "step") for name in names)
>>> parts = arrange(Drawing(vertices, (Arrow("x", "q"), Arrow("x", "f"), Arrow("q", "f"))))
>>> [[part.vertex if part.vertex is not None else "-" for part in map(parts.parts.__getitem__, layer)] for layer in parts.layers]
[[0], ['-', '-'], [1, '-'], ['-', '-'], [2]]
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from autodiff.explanation.graph import Drawing


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the drawing in one layer: a `vertex`, or a piece of an `arrow` (numbers into the drawing), its label or a bend."""

    layer: int
    vertex: int | None = None
    arrow: int | None = None
    label: bool = False


@dataclass(frozen=True, slots=True)
class Layered:
    """All parts, the layers as ordered part numbers (vertices in the even ones), and for each part those before and after it."""

    parts: tuple[Part, ...]
    layers: tuple[tuple[int, ...], ...]
    before: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]
    paths: tuple[tuple[int, ...], ...]
    """For each arrow its parts, from the source to the target, both included."""


def arrange(drawing: Drawing) -> Layered:
    """Layers and an order inside each; a vertex without arguments goes right before its first use."""
    ranks = _ranks(drawing)
    parts = [Part(2 * rank, vertex=number) for number, rank in enumerate(ranks)]
    place = {vertex.name: number for number, vertex in enumerate(drawing.vertices)}
    paths: list[tuple[int, ...]] = []
    for number, arrow in enumerate(drawing.arrows):
        source, target = place[arrow.source], place[arrow.target]
        first = 2 * ranks[source] + 1
        between = range(first, 2 * ranks[target])
        paths.append((source, *range(len(parts), len(parts) + len(between)), target))
        parts += [Part(layer, arrow=number, label=layer == first) for layer in between]
    before: list[list[int]] = [[] for _ in parts]
    after: list[list[int]] = [[] for _ in parts]
    for path in paths:
        for left, right in pairwise(path):
            after[left].append(right)
            before[right].append(left)
    layers: list[list[int]] = [[] for _ in range(2 * max(ranks, default=0) + 1)]
    for number, part in enumerate(parts):
        layers[part.layer].append(number)
    ordered = _with_few_crossings(layers, before, after)
    return Layered(
        tuple(parts), tuple(map(tuple, ordered)), tuple(map(tuple, before)), tuple(map(tuple, after)), tuple(paths)
    )


def _ranks(drawing: Drawing) -> list[int]:
    """The longest way from a vertex without arguments, for each vertex."""
    place = {vertex.name: number for number, vertex in enumerate(drawing.vertices)}
    targets: dict[int, list[int]] = defaultdict(list)
    targets_of_arrows = set()
    for arrow in drawing.arrows:
        targets[place[arrow.source]].append(place[arrow.target])
        targets_of_arrows.add(place[arrow.target])
    ranks = [0] * len(drawing.vertices)
    for source in range(len(ranks)):
        for target in targets.get(source, ()):
            ranks[target] = max(ranks[target], ranks[source] + 1)
    for source, uses in targets.items():
        if source not in targets_of_arrows:
            ranks[source] = min(ranks[target] for target in uses) - 1
    return ranks


Neighbours = list[list[int]]


def _with_few_crossings(layers: Neighbours, before: Neighbours, after: Neighbours) -> Neighbours:
    """The best of eight barycentre sweeps, down and up in turn."""
    best, fewest = layers, float("inf")
    current = [list(layer) for layer in layers]
    for sweep in range(8):
        down = sweep % 2 == 0
        order = range(1, len(current)) if down else range(len(current) - 2, -1, -1)
        neighbours = before if down else after
        for number in order:
            beside = {part: at for at, part in enumerate(current[number - 1 if down else number + 1])}
            current[number] = _by_barycentre(current[number], beside, neighbours)
        crossings = sum(_crossings(upper, lower, after) for upper, lower in pairwise(current))
        if crossings < fewest:
            best, fewest = [list(layer) for layer in current], crossings
        if not crossings:
            break
    return best


def _by_barycentre(layer: list[int], beside: dict[int, int], neighbours: Neighbours) -> list[int]:
    """Sorted by the mean place of each part's neighbours; a part without any keeps its own."""
    wanted = {}
    for at, part in enumerate(layer):
        places = [beside[other] for other in neighbours[part]]
        wanted[part] = sum(places) / len(places) if places else at
    return sorted(layer, key=wanted.__getitem__)


def _crossings(upper: list[int], lower: list[int], after: Neighbours) -> int:
    """How often the lines between two layers cross: inversions, counted while inserting in order."""
    place = {part: at for at, part in enumerate(lower)}
    seen: list[int] = []
    count = 0
    for part in upper:
        ends = sorted(place[other] for other in after[part])
        for end in ends:
            count += len(seen) - bisect_left(seen, end + 1)
        for end in ends:
            insort(seen, end)
    return count


Separation = Callable[[int, int], float]
"""The least distance of two neighbouring parts of a layer."""


def straightened(layered: Layered) -> list[int]:
    """The block of each part: parts of a block share one coordinate, so the line through them is straight.

    The pieces of one arrow come first, then a vertex with its middle neighbour on either side, where there is a middle.
    """
    place = {part: at for layer in layered.layers for at, part in enumerate(layer)}
    inner = [step for path in layered.paths for step in pairwise(path[1:-1])]
    outer = []
    for number, part in enumerate(layered.parts):
        if part.vertex is not None:
            for neighbours, forward in ((layered.before[number], False), (layered.after[number], True)):
                if len(neighbours) % 2:
                    middle = sorted(neighbours, key=place.__getitem__)[len(neighbours) // 2]
                    outer.append((number, middle) if forward else (middle, number))
    block = list(range(len(layered.parts)))
    taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
    joined: dict[int, int] = {}
    backward: set[int] = set()
    for left, right in (*inner, *outer):
        lines = taken[layered.parts[left].layer]
        line = (place[left], place[right])
        if left not in joined and right not in backward and _fits(lines, line):
            insort(lines, line)
            joined[left] = right
            backward.add(right)
    for number in (number for layer in layered.layers for number in layer if number in joined):
        block[joined[number]] = block[number]
    return block


def _fits(lines: list[tuple[int, int]], line: tuple[int, int]) -> bool:
    """Whether `line` crosses none of the `lines`, which are sorted and cross none of each other."""
    at = bisect_left(lines, line)
    return (at == 0 or lines[at - 1][1] < line[1]) and (at == len(lines) or lines[at][1] > line[1])


def coordinates(layered: Layered, separation: Separation) -> list[float]:
    """A coordinate for each part, along its layer, 0 or more: in the middle of those that it is joined to, where that is free."""
    block = straightened(layered)
    order, left, right = _neighbours(layered, block, separation)
    low = dict.fromkeys(order, 0.0)
    for name in order:
        low[name] = max((low[other] + gap for other, gap in left[name].items()), default=0.0)
    widest = max(low.values(), default=0.0)
    high: dict[int, float] = {}
    for name in reversed(order):
        high[name] = min((high[other] - gap for other, gap in right[name].items()), default=widest)
    place = {name: (low[name] + high[name]) / 2 for name in order}
    pulls: dict[int, list[int]] = defaultdict(list)
    for number, name in enumerate(block):
        pulls[name] += [block[n] for n in (*layered.before[number], *layered.after[number]) if block[n] != name]
    for sweep in range(24):
        for name in order if sweep % 2 else reversed(order):
            if pulls[name]:
                wanted = sum(place[other] for other in pulls[name]) / len(pulls[name])
                least = max((place[other] + gap for other, gap in left[name].items()), default=0.0)
                most = min((place[other] - gap for other, gap in right[name].items()), default=float("inf"))
                place[name] = min(max(wanted, least), most)
    start = min(place.values(), default=0.0)
    return [place[name] - start for name in block]


def _neighbours(
    layered: Layered, block: list[int], separation: Separation
) -> tuple[list[int], dict[int, dict[int, float]], dict[int, dict[int, float]]]:
    """The blocks in an order that goes with every layer's, and how far each must keep from those on its left and right."""
    left: dict[int, dict[int, float]] = {name: {} for name in block}
    right: dict[int, dict[int, float]] = {name: {} for name in block}
    for layer in layered.layers:
        for left_part, right_part in pairwise(layer):
            gap = max(separation(left_part, right_part), left[block[right_part]].get(block[left_part], 0.0))
            left[block[right_part]][block[left_part]] = right[block[left_part]][block[right_part]] = gap
    waiting = {name: len(others) for name, others in left.items()}
    order = [name for name, count in waiting.items() if not count]
    for name in order:
        for right_part in right[name]:
            waiting[right_part] -= 1
            if not waiting[right_part]:
                order.append(right_part)
    assert len(order) == len(waiting)  # runs never cross, so the order is one
    return order, left, right
