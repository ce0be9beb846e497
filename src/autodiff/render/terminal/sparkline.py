"""A curve of numbers as text: the loss over the epochs, in a few lines.

>>> print(curve([4.0, 2.0, 1.0], width=6, height=3))
        4 ┤••
      2.5 ┤  ••
        1 ┤    ••
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def curve(
    values: Sequence[float], width: int = 60, height: int = 8, *, ascii_only: bool = False, beside: Sequence[float] = ()
) -> str:
    """The values from left to right, one mark a column; on a logarithmic scale when they span more than a factor 20.

    `beside` is a second curve, behind the first one, with a mark of its own.
    """
    finite = [value for value in (*values, *beside) if math.isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    logarithmic = low > 0 and high / low > 20
    scale = math.log if logarithmic else float
    bottom, top = scale(low), scale(high)
    steps, others = (
        [
            _level(value, scale, bottom, top, height) if math.isfinite(value) else None
            for value in (part[min(len(part) - 1, k * len(part) // width)] for k in range(width if part else 0))
        ]
        for part in (values, beside)
    )
    mark, other, axis = ("*", "o", "|") if ascii_only else ("•", "◦", "┤")
    others = others or [None] * len(steps)
    lines = []
    for level in range(height - 1, -1, -1):
        share = level / max(height - 1, 1)
        value = bottom + share * (top - bottom)
        label = f"{math.exp(value) if logarithmic else value:.4g}"
        marks = (
            mark if step == level else other if second == level else " "
            for step, second in zip(steps, others, strict=True)
        )  # fmt: skip
        lines.append(f"{label:>9} {axis}{''.join(marks)}".rstrip())
        if bottom == top:
            break
    return "\n".join(lines)


def _level(value: float, scale: object, bottom: float, top: float, height: int) -> int:
    share = (scale(value) - bottom) / (top - bottom) if top > bottom else 0.0  # type: ignore[operator]
    return height - 1 if top == bottom else round(share * (height - 1))
