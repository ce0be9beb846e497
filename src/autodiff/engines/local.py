"""The local engine: parts by as many processes of this machine as it has cores, each part from its file to its result.

>>> with LocalEngine(workers=1) as engine:
...     list(engine.completed(divmod, [(7, 2), (9, 4)]))
[(0, (3, 1)), (1, (2, 1))]

A process that is killed is replaced, and what it was at is done again: a result depends on its arguments alone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from autodiff.errors import DATA, AutodiffError

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

T = TypeVar("T")

AHEAD = 2
"""Parts for each worker that are begun before the results of the ones before them are taken."""

TRIES = 3
"""How many processes may be killed over one part, which is then given up."""


class LocalEngine:
    """Processes that start with the first part; with one worker there are none, and parts are done here."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if self._pool is not None:
            _end(self._pool, at_once=kind is not None)

    @property
    def description(self) -> str:
        """What runs the parts, for a line of progress."""
        return f"{self.workers} worker{'s' * (self.workers != 1)}"

    def completed(
        self, function: Callable[..., T], calls: Sequence[tuple[Any, ...]], *, ordered: bool = True
    ) -> Iterator[tuple[int, T]]:
        """The number of each call and its result, in the order of the calls or, without `ordered`, as they come.

        Raises what a call raises: the first of them in the order of the calls.
        """
        if self.workers == 1:
            yield from ((k, function(*call)) for k, call in enumerate(calls))
            return
        begun: dict[int, Future[T]] = {}
        tries = 0
        left = iter(range(len(calls)))
        while True:
            for k in left:
                begun[k] = self._started().submit(function, *calls[k])
                if len(begun) >= AHEAD * self.workers:
                    break
            if not begun:
                return
            done = self._next(begun, ordered=ordered)
            try:
                result = begun[done].result()
            except _broken():
                tries += 1
                if tries >= TRIES:
                    raise AutodiffError(
                        f"a process that worked on part {min(begun) + 1} of {len(calls)} was killed {TRIES} times",
                        exit_status=DATA,
                        hint="there may be too little memory: split the file, or give fewer --workers",
                    ) from None
                self._restart()
                begun = {k: self._started().submit(function, *calls[k]) for k in begun}
                continue
            tries = 0
            del begun[done]
            yield done, result

    def _next(self, begun: dict[int, Future[T]], *, ordered: bool) -> int:
        """The call whose result is taken next; the first one of those that failed, once all before it are done."""
        from concurrent.futures import FIRST_COMPLETED, wait

        first = min(begun)
        while not ordered:
            wait(begun.values(), return_when=FIRST_COMPLETED)
            ready = sorted(k for k, future in begun.items() if future.done())
            good = [k for k in ready if begun[k].exception() is None]
            if good or ready[0] == first:
                return good[0] if good else first
            wait([begun[first]])
        return first

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import get_context  # a fork would copy threads that hold locks

            self._pool = ProcessPoolExecutor(self.workers, get_context("spawn"), initializer=_ignore_interrupts)
        return self._pool

    def _restart(self) -> None:
        if self._pool is not None:
            _end(self._pool, at_once=True)
        self._pool = None


def _broken() -> type[Exception]:
    from concurrent.futures.process import BrokenProcessPool

    return BrokenProcessPool


def _ignore_interrupts() -> None:
    """Ctrl-C goes to all processes of a terminal; the one that began the others ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end(pool: ProcessPoolExecutor, *, at_once: bool) -> None:
    """End the processes: after the parts that they are at or, after an error, in the middle of them."""
    processes = list((pool._processes or {}).values()) if at_once else []
    for process in processes:
        with suppress(OSError, ValueError):
            process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)
