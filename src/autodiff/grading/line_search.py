"""Where a function of one number is 0, changes its sign or comes nearest to 0, between points of a grid.

>>> sorted({round(zero, 12) for zero, _ in zeros(lambda x: x * x - 2, grid([]))})
[-1.414213562373, 1.414213562373]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from sys import float_info
from typing import TypeAlias

Curve: TypeAlias = "Callable[[float], float | None]"
"""A function along a line; None where it has no value."""

_PER_DECADE = 12
_SMALLEST, _LARGEST = -9, 15
"""Powers of ten between which a line is followed closely."""

_FAR = (20, 30, 50, 80, 120, 200, 300)
"""Further powers of ten, and their reciprocals."""

_STEPS = 1100
"""Halvings of an interval: float64 has no more numbers between 0 and 1e-9."""

TOO_FEW = 50
"""The points on a grid below which it shows nothing."""


def grid(constants: Iterable[float]) -> list[float]:
    """The values to follow a line by: powers of ten and what lies between, small steps near 0, the formulas' own numbers."""
    sizes = [10.0 ** (k / _PER_DECADE) for k in range(_SMALLEST * _PER_DECADE, _LARGEST * _PER_DECADE + 1)]
    far = [float_info.max, float_info.min, *(10.0**k for power in _FAR for k in (power, -power))]
    near = [k / 8 for k in range(100)]
    own = [abs(c) for c in constants if abs(c) < 1e300]
    return sorted({side * size for size in (*sizes, *far, *near, *own[:100]) for side in (-1.0, 1.0)})


def zeros(along: Curve, values: Sequence[float], most: int = 40) -> Iterator[tuple[float, int]]:
    """Where a function is 0, or changes its sign, nearest to 0 first, each with the evaluations that it took.

    `values` are followed in their order; at `most` so many zeros are searched at each level.
    """
    known = [(x, g) for x in values if (g := along(x)) is not None]
    if len(known) < TOO_FEW:
        return
    levels = [0.0]
    if min(g for _, g in known) >= 0.0:  # a sawtooth, as x - floor(x) is, falls to 0 where it jumps
        levels.append(max(g for _, g in known) / 2)
    for level in levels:
        shifted = [(x, g - level) for x, g in known]
        brackets = [(a, b) for a, b in pairwise(shifted) if a[1] == 0 or (a[1] < 0) != (b[1] < 0)]
        brackets.sort(key=lambda pair: min(abs(pair[0][0]), abs(pair[1][0])))
        for a, b in brackets[:most]:
            yield _bisected(along, level, a, b)
        yield from _dips(along, level, shifted, most)


def _bisected(along: Curve, level: float, a: tuple[float, float], b: tuple[float, float]) -> tuple[float, int]:
    """The zero between two points, to the last digit."""
    (low, below), (high, above), steps = a, b, 0
    if not below:
        return low, 1
    while above and steps < _STEPS:
        middle = low / 2 + high / 2
        value = along(middle) if low < middle < high else None
        if value is None:
            break
        steps += 1
        if (value - level < 0) == (below < 0) and value != level:
            low = middle
        else:
            high, above = middle, value - level
    return high, steps + 1


def _dips(along: Curve, level: float, known: Sequence[tuple[float, float]], most: int) -> Iterator[tuple[float, int]]:
    """Zeros between points of one sign, where the function comes near 0 and leaves again."""
    known = [min(run, key=lambda pair: abs(pair[0])) for _, run in groupby(known, key=lambda pair: pair[1])]
    dips = [
        (known[k - 1], known[k], known[k + 1])
        for k in range(1, len(known) - 1)
        if known[k - 1][1] * known[k][1] > 0 < known[k][1] * known[k + 1][1]
        and abs(known[k][1]) < min(abs(known[k - 1][1]), abs(known[k + 1][1]))
    ]
    dips.sort(key=lambda dip: abs(dip[1][0]))
    for left, middle, right in dips[:most]:
        lowest, steps = _lowest(along, level, left, middle, right)
        yield lowest[0], steps
        if (lowest[1] < 0) != (middle[1] < 0):
            yield _bisected(along, level, left, lowest)
            yield _bisected(along, level, lowest, right)


def _lowest(
    along: Curve, level: float, left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]
) -> tuple[tuple[float, float], int]:
    """Where the function is nearest to 0, or past it, by thirds."""
    sign, (low, best, high) = (1.0 if middle[1] > 0 else -1.0), (left[0], middle, right[0])
    for steps in range(60):
        x = best[0] / 2 + (low if best[0] - low > high - best[0] else high) / 2
        value = along(x)
        if value is None or x == best[0]:
            return best, steps + 1
        if (value - level) * sign <= best[1] * sign:
            low, high = (low, best[0]) if x < best[0] else (best[0], high)
            best = x, value - level
        elif x < best[0]:
            low = x
        else:
            high = x
        if best[1] * sign <= 0:
            break
    return best, steps + 1
