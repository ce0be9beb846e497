"""Points where the conditions of several names hold together, each of which is met along the line of its own name.

>>> from autodiff.core.lowering import lower
>>> from autodiff.grading.places import lines
>>> parts = [lower("2x*y + if(x > 5 and y < -7, 1, 0)")]
>>> any(at["x"] > 5 and at["y"] < -7 for at in new_outcomes(parts, combinations(parts, list(lines(parts))), []))
True
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from autodiff.core.lowering import Lowered
from autodiff.grading.places import Gap, Line, line, special_gaps, values_at

_VALUES, _STEEP = 16, 6
"""Values of each name that are combined: those beside conditions, and those at steep places."""

_COMBINED = 500
"""Combinations of values."""

_EQUATIONS = 200_000
"""Equations that may be evaluated to see how conditions come out."""


def combinations(parts: Sequence[Lowered], along: Sequence[Line]) -> Iterator[dict[str, float]]:
    """Points where several names have a value that is worth a trial: all of them, or so many at random."""
    chance = random.Random(20_261_201)
    values = {row.name: [*_some(row.special, _VALUES, chance), *_some(row.steep, _STEEP, chance)] for row in along}
    several = {name: list(dict.fromkeys(known)) for name, known in values.items() if known}
    if len(several) < 2:
        return
    for row in _far_lines(parts, along):
        several[row.name] += _some(row.special, _VALUES // 4, chance)
    chosen: Iterable[Sequence[float]] = product(*several.values())
    if math.prod(map(len, several.values())) > _COMBINED:
        chosen = ([chance.choice(known) for known in several.values()] for _ in range(_COMBINED))
    for point in chosen:
        yield {**along[0].others, **dict(zip(several, point, strict=True))}


def _some(values: Sequence[float], most: int, chance: random.Random) -> list[float]:
    """The first values and others by chance, in all at `most` so many."""
    first, rest = list(values[: most // 2]), values[most // 2 :]
    return first + (list(rest) if len(values) <= most else chance.sample(rest, most - len(first)))


def _far_lines(parts: Sequence[Lowered], along: Sequence[Line]) -> Iterator[Line]:
    """Lines on which the other names lie beyond all of their conditions, above or below: `x > 100 and x + y < 0` needs that."""
    gaps, conditional = special_gaps(parts), [row for row in along if row.special]
    if len(conditional) < 2:
        return
    for end in (max, min):
        others = {**along[0].others, **{row.name: end(row.special) for row in conditional}}
        for row in conditional:
            yield line(gaps, (), row.name, others, 2 * len(along))


class Equality(NamedTuple):
    """Equations whose sides are equal at a number beside that of `name` in a point, with their values there."""

    at: Mapping[str, float]
    name: str
    known: Mapping[int, float]


def equalities(answered: Lowered, along: Sequence[Line]) -> Iterator[Equality]:
    """Where two sides in a formula are equal along a line, the other names as they are there and in their first places."""
    jumps = [gap for gap in special_gaps([answered]) if gap.node >= 0]
    seen = set[tuple[str, float, int]]()
    for row in along:
        places = [
            {n: other.special[k] for other in along if (n := other.name) and k < len(other.special)} for k in (0, 1)
        ]
        for root, gap in sorted(row.jumps, key=lambda pair: abs(pair[0])):
            known = {same.node: same.at_jump for same in jumps if set(same.args) == set(gap.args)}
            key = row.name, float(f"{root:.6g}"), min(known, default=-1)
            if gap.part is not answered or not root or key in seen:
                continue
            seen.add(key)
            for others in [{}, *places] if len(along) > 1 else [{}]:
                yield Equality({**row.others, **others, row.name: root}, row.name, known)


def new_outcomes(
    parts: Sequence[Lowered], points: Iterable[Mapping[str, float]], tried: Iterable[Mapping[str, float]]
) -> Iterator[Mapping[str, float]]:
    """The points at which the conditions of the formulas come out together as at none before, nor at those `tried`."""
    gaps = special_gaps(parts)
    if not gaps:
        return
    order = {id(part): part.graph.reaching(part.result) for part in parts}
    left = _EQUATIONS // sum(map(len, order.values()))
    seen = set[tuple[int | None, ...]]()
    for at in tried:
        left -= 1
        if left < 0:
            return
        seen.add(_outcome(parts, gaps, order, at))
    for at in points:
        left -= 1
        if left < 0:
            return
        outcome = _outcome(parts, gaps, order, at)
        if outcome not in seen:
            seen.add(outcome)
            yield at


def _outcome(
    parts: Sequence[Lowered], gaps: Sequence[Gap], order: Mapping[int, Sequence[int]], at: Mapping[str, float]
) -> tuple[int | None, ...]:
    """The sign of each gap at a point, None for one without a value."""
    values = {id(part): values_at(part, order[id(part)], at) for part in parts}
    known = (gap.of(values[id(gap.part)]) for gap in gaps)
    return tuple(None if number is None else (number > 0) - (number < 0) for number in known)
