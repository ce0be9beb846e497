"""Points to compare two formulas at: first those that a student checks by hand, then many at random.

The random ones are always the same for the same names, so an answer never depends on luck that can't be repeated.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterator, Sequence
from itertools import islice

SIMPLE = (1.0, 2.0, 0.5, 3.0, -1.0, -2.0, 0.25, 0.0, -0.5, 10.0, 4.0, -3.0)

SWEPT = 10
"""Names that a sweep follows."""

_STEPS = 240
"""Points of a sweep on either side of 0, 20 for each power of ten."""

_SCALES = (
    lambda r: r.uniform(-3, 3),
    lambda r: r.uniform(0, 1),
    lambda r: r.uniform(1, 2),
    lambda r: r.uniform(0, 10),
    lambda r: r.lognormvariate(0, 2),
    lambda r: -r.lognormvariate(0, 2),
    lambda r: r.lognormvariate(0, 6),
    lambda r: r.uniform(-1, 1) * 10.0 ** r.uniform(-6, 6),
)


def points(names: Sequence[str], constants: Collection[float], count: int) -> Iterator[dict[str, float]]:
    """`count` points for `names`. `constants` of the formulas are where conditions change, so points on both sides of them are tried."""
    return islice(_points(names, constants), count if names else 1)


def _points(names: Sequence[str], constants: Collection[float]) -> Iterator[dict[str, float]]:
    for k in range(len(SIMPLE)):  # neighbours get different numbers, or x*y and x^2 would look the same
        yield {name: SIMPLE[(k + i) % len(SIMPLE)] for i, name in enumerate(names)}
    chance = random.Random(20_240_229)
    edges = sorted({side * c for c in constants for side in (-1.0, 1.0)}, key=lambda c: (abs(c), c))
    near = [c + d for c in edges[:40] for d in (-0.75, -0.01, 0.01, 0.75)]
    for value in near:
        yield {name: value if len(names) == 1 or chance.random() < 0.5 else chance.choice(near) for name in names}
    while True:
        scale = chance.choice(_SCALES)
        mixed = chance.random() < 0.5
        yield {name: _rounded((chance.choice(_SCALES) if mixed else scale)(chance)) for name in names}


def sweep(names: Sequence[str]) -> Iterator[dict[str, float]]:
    """Points that follow each name in turn from 1e-6 to 1e6 and from -1e-6 to -1e6; the other names stay between 1 and 2.

    A formula that is another one beyond some corner, as `abs(x + 300)` is, is met there wherever the corner lies.
    """
    chance = random.Random(20_261_129)
    for name in names[:SWEPT]:
        for k in range(_STEPS):
            size = _rounded(10.0 ** (12 * (k + 0.5) / _STEPS - 6))
            for value in (size, -size):
                yield {other: value if other == name else _rounded(chance.uniform(1, 2)) for other in names}


def _rounded(value: float) -> float:
    """Four digits: a point that can be typed."""
    return float(f"{value:.4g}") if math.isfinite(value) else 1.0
