"""Arrays for results that nobody holds any more: fresh ones cost as much as a cheap program's arithmetic.

>>> spare = Spare()
>>> first = spare.arrays(1, 2 * LEAST)
>>> place = first[0].ctypes.data
>>> del first
>>> spare.arrays(1, 2 * LEAST)[0].ctypes.data == place
True
"""

from __future__ import annotations

import sys
from threading import Lock
from typing import Any

LEAST = 1 << 17
"""Numbers from which on an array is kept: so much memory goes back to the system when it is dropped, and every page of it
is cleared when it comes again, which for 16 MB takes as long as ten operations on each number."""


class Spare:
    """The arrays that it gave out last, which it gives out again if their only holder is itself."""

    def __init__(self) -> None:
        self._held: list[Any] = []
        self._lock = Lock()

    def arrays(self, count: int, size: int) -> list[Any]:
        """So many arrays of `size` numbers each, of any content."""
        import numpy as np

        if size < LEAST:
            return [np.empty(size) for _ in range(count)]
        with self._lock:
            places = range(len(self._held))
            free = [k for k in places if _holders(self._held, k) == _ALONE and len(self._held[k]) == size]
            again = [self._held[k] for k in free[:count]]
            self._held = again + [np.empty(size) for _ in range(count - len(again))]
            return list(self._held)


def _holders(held: list[Any], k: int) -> int:
    return sys.getrefcount(held[k])


_ALONE = _holders([object()], 0)
"""What is counted of an object that is in one list only; how a call counts differs from one Python to another."""
