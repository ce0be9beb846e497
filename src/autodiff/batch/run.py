"""Runs a block program in NumPy, by as many workers as there are cores: how rows are computed without machine code.

>>> import numpy as np
>>> from autodiff.batch.compile import compile
>>> compiled, x = compile("sqrt(x)"), np.array([4.0, 0.0])
>>> (value, slope), good = np.empty((2, 2)), np.empty(2, dtype=bool)
>>> BlockRunner(compiled.plan, compiled.operations, {"x": x}, [value, slope], good).fill()
>>> good, float(slope[0])                                       # at 0 the slope is infinite: one-shot says so
(array([ True, False]), 0.25)
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autodiff.batch.program import BlockProgram, BlockStep
from autodiff.core import rules

if TYPE_CHECKING:
    from autodiff.batch.ufuncs import Numbers, Operation
    from autodiff.verify.random_rounding import RandomRounding


import sys
from threading import Lock

BLOCK = 8192
"""Rows that go through the steps together at most: a few columns of 64 kB fit the cache of a core."""

_ROOM = 1 << 22
"""Numbers in all slots together: 32 MB for each worker."""

_REPORTED = frozenset([rules.TABLE["*", 2], rules.TABLE["/", 2]])
"""Rows whose underflow NumPy reports, so that an exact 0 is none; others may lose digits that it would not report."""


def divided(rows: int, size: int, work: Callable[[Iterator[slice]], None]) -> None:
    """Every row once, by as many workers as there are cores, each of which takes the next `size` rows when it is free."""
    from concurrent.futures import ThreadPoolExecutor

    left = deque(slice(start, min(start + size, rows)) for start in range(0, rows, size))
    workers = min(len(left), os.cpu_count() or 1)
    if workers < 2:
        work(_taken(left))
        return
    with ThreadPoolExecutor(workers - 1) as pool:
        others = [pool.submit(work, _taken(left)) for _ in range(workers - 1)]
        work(_taken(left))  # by this thread, which would only wait
        for other in others:
            other.result()


def _taken(left: deque[slice]) -> Iterator[slice]:
    """One block after the other, from a queue that all workers share."""
    while left:
        try:
            yield left.popleft()
        except IndexError:
            return


@dataclass(frozen=True, slots=True)
class BlockRunner:
    """A block program over NumPy's arrays: fills `results` and, per row, whether they can be trusted (`good`).

    rounding   moves every result at random
    watched    distrust blocks in which digits may have been lost by underflow
    dtype      of the numbers on the way
    """

    plan: BlockProgram
    operations: Sequence[Operation]
    columns: Mapping[str, Numbers]
    results: Sequence[Numbers]
    good: Numbers
    rounding: RandomRounding | None = None
    watched: bool = True
    dtype: Any = float

    @property
    def size(self) -> int:
        """The rows of a block."""
        fits = max(BLOCK // 64, _ROOM // (1 + len(self.plan.numbers)))
        return max(1, min(BLOCK, fits, len(self.good)))

    def fill(self) -> None:
        """Fill all rows, by as many workers as there are cores."""
        divided(len(self.good), self.size, self._run)

    def _run(self, blocks: Iterator[slice]) -> None:
        """Fill the blocks' rows of the results, over buffers of its own."""
        import numpy as np

        room = _SlotBuffers(np, self.plan, self.size, self.dtype)
        for block in blocks:
            self.good[block] = True
            slots, seen = room.slots(block, self.columns)
            underflow = self._block(np, slots, self.good[block], seen)
            for result, k in zip(self.results, self.plan.results, strict=True):
                with np.errstate(all="ignore"):
                    np.add(slots[k], 0.0, result[block])  # a zero has no sign
            if underflow and self.watched:
                self.doubt(block)

    def doubt(self, share: slice) -> None:
        """Distrust the rows of a share in which digits may have been lost by underflow."""
        import numpy as np

        from autodiff.verify.random_rounding import faint

        room = _SlotBuffers(np, self.plan, self.size)
        for start in range(share.start, share.stop, self.size):
            block = slice(start, min(start + self.size, share.stop))
            slots, _ = room.slots(block, self.columns)
            good = self.good[block]
            with np.errstate(all="ignore"):
                for step, given in self._computed(np, slots, keep=True):
                    if step.row is not None and step.in_result:
                        np.logical_and(good, np.logical_not(faint(step.row, given, slots[step.out])), good)

    def _computed(
        self, np: Any, slots: Mapping[int, Numbers], *, keep: bool
    ) -> Iterator[tuple[BlockStep, list[Numbers]]]:
        """Do the steps; each with its arguments, which are kept with `keep` where its result takes their place."""
        operations = iter(self.operations)
        for step in self.plan.steps:
            given = [np.copy(slots[a]) if keep and a == step.out else slots[a] for a in step.args]
            if step.row is not None:
                next(operations)(*given, out=slots[step.out])
            yield step, given

    def _block(self, np: Any, slots: Mapping[int, Numbers], good: Numbers, seen: Numbers) -> bool:
        """Do the steps; whether digits may have been lost by underflow."""
        from autodiff.verify.random_rounding import FAINT, keeps

        underflows: list[str] = []
        if self.rounding is not None:
            slots = {**slots, **{k: self.rounding.unless_short(c) for k, c in self.plan.constants.items()}}
        with np.errstate(all="ignore", under="call", call=lambda kind, _: underflows.append(kind)):
            for step, given in self._computed(np, slots, keep=self.rounding is not None):
                if step.row is not None:
                    out = slots[step.out]
                    if self.rounding is not None:
                        out[...] = self.rounding.result(step.row, given, out)
                    elif not self.watched or not step.in_result or underflows:
                        continue
                    elif step.row not in _REPORTED and not keeps(step.row):
                        np.less(np.abs(out), FAINT, seen)
                        underflows += ["underflow"] if seen.any() else []
                elif not step.finite:
                    np.greater(good, given[0], good)
                else:
                    np.isfinite(given[0], seen)
                    if len(given) > 1:
                        np.less_equal(given[1], seen, seen)  # where the flag does not hold, nothing is asked
                    np.logical_and(good, seen, good)
        return bool(underflows)


class _SlotBuffers:
    """Arrays for a plan's slots, used again from block to block."""

    def __init__(self, np: Any, plan: BlockProgram, size: int, dtype: Any = float) -> None:
        self._plan = plan
        self._constants = (
            {k: np.dtype(dtype).type(c) for k, c in plan.constants.items()} if dtype is not float else plan.constants
        )
        self._arrays = {k: np.empty(size, dtype) for k in plan.numbers}
        self._arrays |= {k: np.empty(size, dtype=bool) for k in plan.conditions}
        self._seen = np.empty(size, dtype=bool)

    def slots(self, block: slice, columns: Mapping[str, Numbers]) -> tuple[dict[int, Numbers], Numbers]:
        """What is in each slot before the first step on a block of rows, and room for a truth value for each row."""
        rows = block.stop - block.start
        slots: dict[int, Numbers] = {**self._constants, **{k: array[:rows] for k, array in self._arrays.items()}}
        for name, k in self._plan.inputs.items():
            column = columns[name]
            slots[k] = column if isinstance(column, float) else column[block]
        return slots, self._seen[:rows]


# --- arrays for results ----------------------------------------------------------------------------------------------

LEAST_KEPT = 1 << 17
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

        if size < LEAST_KEPT:
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
