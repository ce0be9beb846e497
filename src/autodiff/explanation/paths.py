"""The paths from an input to the result: counted before any is listed, the largest ones first.

`y = x + sin(x)`, repeated 64 times, has 2^64 paths from x to the end: counting them takes one integer per place, and the
eight that matter most are found without listing the others.

>>> flows = {2: [1, 0], 1: [0]}
>>> count(2, [2, 1], flows), [link.places() for link in largest(2, [2, 1], flows, lambda place, arg: 1.0)[0]]
({2: 1, 1: 1, 0: 2}, [[2, 0], [2, 1, 0]])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

MOST = 8
"""Paths that are listed; of more, the largest ones."""


@dataclass(frozen=True, slots=True)
class Link:
    """A path from the result down to `place`: the product of its factors so far, and the path above it."""

    place: int
    size: float
    above: Link | None = None

    def places(self) -> list[int]:
        """The places of the path, the result first."""
        places: list[int] = []
        link: Link | None = self
        while link is not None:
            places.append(link.place)
            link = link.above
        return places[::-1]


def count(result: int, order: Sequence[int], flows: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """How many paths lead from `result` down to each place; `flows[p]` are the places that p passes its adjoint to."""
    paths = {result: 1}
    for place in order:
        for arg in flows.get(place, ()):
            if place in paths:
                paths[arg] = paths.get(arg, 0) + paths[place]
    return paths


def largest(
    result: int, order: Sequence[int], flows: Mapping[int, Sequence[int]], factor: Callable[[int, int], float]
) -> dict[int, list[Link]]:
    """The paths from `result` to each place, at most `MOST`, those with the largest products first.

    A factor that all paths to a place go on with does not change their order by size, so the largest ones at every place
    are enough to find the largest ones at the next.
    """
    best: dict[int, list[Link]] = {result: [Link(result, 1.0)]}
    for place in order:
        for arg in flows.get(place, ()):
            if place in best:
                step = abs(factor(place, arg))
                new = [Link(arg, link.size * step, link) for link in best[place]]
                best[arg] = nlargest(MOST, [*best.get(arg, []), *new], key=lambda link: link.size)
    return best


def dependent_arguments(place: int, arg: int, flows: Mapping[int, Sequence[int]], most: int) -> list[int]:
    """The other arguments of `place` that `arg` changes as well; at most `most` places are searched for each.

    In f = x·s with s = sin(x) it is s: the slope of f in x alone keeps it fixed.
    """
    others = [other for other in flows.get(place, ()) if other > arg]  # an older place is not made of a newer one
    return [other for other in others if _leads(other, arg, flows, most)]


def _leads(start: int, end: int, flows: Mapping[int, Sequence[int]], most: int) -> bool:
    seen, stack = {start}, [start]
    while stack and len(seen) <= most:
        for arg in flows.get(stack.pop(), ()):
            if arg == end:
                return True
            if arg > end and arg not in seen:
                seen.add(arg)
                stack.append(arg)
    return False
