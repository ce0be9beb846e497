"""Buffer pool: reuses result arrays that only the pool references; page faults of fresh ones dominate cheap programs.

>>> pool = BufferPool()
>>> first = pool.arrays(1, 2 * LEAST)
>>> place = first[0].ctypes.data
>>> del first
>>> pool.arrays(1, 2 * LEAST)[0].ctypes.data == place
True
"""

from __future__ import annotations

import sys
from threading import Lock
from typing import Any

LEAST = 1 << 17
"""Numbers from which on an array is kept: the allocator returns blocks of this size to the system, which clears each page
when it is allocated again; for 16 MB that takes as long as ten operations on each number."""


class BufferPool:
    """The arrays that were handed out last; one that only the pool still references is handed out again."""

    def __init__(self) -> None:
        self._arrays: list[Any] = []
        self._lock = Lock()

    def arrays(self, count: int, size: int) -> list[Any]:
        """So many arrays of `size` numbers each, of any content."""
        import numpy as np

        if size < LEAST:
            return [np.empty(size) for _ in range(count)]
        with self._lock:
            places = range(len(self._arrays))
            free = [k for k in places if _references(self._arrays, k) == _UNSHARED and len(self._arrays[k]) == size]
            again = [self._arrays[k] for k in free[:count]]
            self._arrays = again + [np.empty(size) for _ in range(count - len(again))]
            return list(self._arrays)


def _references(arrays: list[Any], k: int) -> int:
    return sys.getrefcount(arrays[k])


_UNSHARED = _references([object()], 0)
"""The reference count of an object that is in one list only; what a call adds to it depends on the version of Python."""
