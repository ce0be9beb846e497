"""A curve of numbers as text: the loss over the epochs, in a few lines.

>>> print(curve([4.0, 2.0, 1.0], width=6, height=3))
        4 ┤••
      2.5 ┤  ••
        1 ┤    ••
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def curve(values: Sequence[float], width: int = 60, height: int = 8, *, ascii_only: bool = False) -> str:
    """The values from left to right, one mark a column; on a logarithmic scale when they span more than a factor 20."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    columns = [_at(values, k, width) for k in range(min(width, max(len(values), width)))]
    low, high = min(finite), max(finite)
    logarithmic = low > 0 and high / low > 20
    scale = math.log if logarithmic else float
    bottom, top = scale(low), scale(high)
    steps = [_level(value, scale, bottom, top, height) if math.isfinite(value) else None for value in columns]
    mark, axis = ("*", "|") if ascii_only else ("•", "┤")
    lines = []
    for level in range(height - 1, -1, -1):
        share = level / max(height - 1, 1)
        value = bottom + share * (top - bottom)
        label = f"{math.exp(value) if logarithmic else value:.4g}"
        lines.append(f"{label:>9} {axis}{''.join(mark if step == level else ' ' for step in steps)}".rstrip())
        if bottom == top:
            break
    return "\n".join(lines)


def _at(values: Sequence[float], column: int, width: int) -> float:
    return values[min(len(values) - 1, column * len(values) // width)]


def _level(value: float, scale: object, bottom: float, top: float, height: int) -> int:
    share = (scale(value) - bottom) / (top - bottom) if top > bottom else 0.0  # type: ignore[operator]
    return height - 1 if top == bottom else round(share * (height - 1))
