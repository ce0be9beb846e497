"""Sorting by exchanges in a fixed order, whatever the numbers are.

>>> list(exchanges(3))
[(0, 2), (0, 1), (1, 2)]
"""

from __future__ import annotations

from collections.abc import Iterator


def exchanges(count: int) -> Iterator[tuple[int, int]]:
    """The pairs of places to put in order, one after the other, so that `count` numbers are sorted in the end.

    This is Batcher's merge exchange (D. Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M).
    """
    top = 1 << max(0, (count - 1).bit_length() - 1)
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            yield from ((k, k + d) for k in range(count - d) if k & p == r)
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1
