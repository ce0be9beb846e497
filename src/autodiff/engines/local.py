"""The local engine: parts by as many processes of this machine as it has cores, each part from its file to its result.

>>> with LocalEngine(workers=1) as engine:
...     list(engine.completed(divmod, [(7, 2), (9, 4)]))
[(0, (3, 1)), (1, (2, 1))]

A process that is killed is replaced, and its part is computed again: a result depends on its arguments alone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from autodiff.errors import AutodiffError, data_error

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
        self._stack = ExitStack()

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if self._pool is not None:
            _end(self._pool, at_once=kind is not None)
        self._stack.close()

    @property
    def description(self) -> str:
        """What runs the parts, for a line of progress."""
        return f"{self.workers} worker{'s' * (self.workers != 1)}"

    def completed(
        self, function: Callable[..., T], calls: Sequence[tuple[Any, ...]], *, ordered: bool = True
    ) -> Generator[tuple[int, T], None, None]:
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
                begun[k] = _submitted(self._started(), function, *calls[k])
                if len(begun) >= AHEAD * self.workers:
                    break
            if not begun:
                return
            done = min(begun) if ordered else first(begun, _wait, lambda future: future.exception() is None)
            try:
                result = begun[done].result()
            except _broken():
                tries += 1
                if tries >= TRIES:
                    raise _killed(f"part {min(begun) + 1} of {len(calls)}") from None
                self._restart()
                begun = {k: _submitted(self._started(), function, *calls[k]) for k in begun}
                continue
            tries = 0
            del begun[done]
            yield done, result

    def hold(self, load: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> LocalParts:
        """What `load` gives for each call, kept where it was loaded. Raises what a call raises, the first of them."""
        return LocalParts(load, calls, min(self.workers, len(calls)), self._stack)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = _processes(self.workers)
        return self._pool

    def _restart(self) -> None:
        if self._pool is not None:
            _end(self._pool, at_once=True)
        self._pool = None


def first(begun: Mapping[int, Any], wait: Callable[[list[Any]], object], is_good: Callable[[Any], bool]) -> int:
    """The number of a call that has ended well; of one that failed only where all calls before it have ended."""
    earliest = min(begun)
    while True:
        wait([*begun.values()])
        ready = sorted(k for k, future in begun.items() if future.done())
        good = [k for k in ready if is_good(begun[k])]
        if good or earliest in ready:
            return good[0] if good else earliest
        wait([begun[earliest]])


def _wait(futures: list[Future[Any]]) -> None:
    from concurrent.futures import FIRST_COMPLETED, wait

    wait(futures, return_when=FIRST_COMPLETED)


class LocalParts:
    """Parts that processes of this machine keep: part k is in process k modulo their number; with one process, in this one."""

    def __init__(
        self, load: Callable[..., Any], calls: Sequence[tuple[Any, ...]], workers: int, stack: ExitStack
    ) -> None:
        self._load, self._calls = load, calls
        self._key = os.urandom(8).hex()
        self._pools: list[ProcessPoolExecutor | None] = [None] * (workers if workers > 1 else 0)
        stack.callback(self._close)
        self._results(nothing, ())

    def apply(self, function: Callable[..., T], *arguments: Any) -> list[T]:
        """The function's results over the parts, in order; `arguments` follow the part. Raises the first error of a part."""
        return self._results(function, arguments)

    def _results(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> list[T]:
        shares = [list(enumerate(self._calls))[k :: len(self._pools)] for k in range(len(self._pools))]
        if not self._pools:
            done = [_on_kept(self._key, self._load, list(enumerate(self._calls)), function, arguments)]
        else:
            begun = [self._begun(k, share, function, arguments) for k, share in enumerate(shares)]
            done = [self._done(k, future, shares[k], function, arguments) for k, future in enumerate(begun)]
        results = dict(result for share in done for result in share)
        for k in range(len(self._calls)):
            if isinstance(results[k], AutodiffError):
                raise results[k]
        return [results[k] for k in range(len(self._calls))]

    def _begun(self, k: int, *arguments: Any) -> Future[Any]:
        if self._pools[k] is None:
            self._pools[k] = _processes(1)
        pool = self._pools[k]
        assert pool is not None
        return _submitted(pool, _on_kept, self._key, self._load, *arguments)

    def _done(self, k: int, future: Future[Any], *arguments: Any) -> Any:
        """The results of a process; where it was killed, of the one that takes its place."""
        for _ in range(TRIES):
            try:
                return future.result()
            except _broken():
                pool, self._pools[k] = self._pools[k], None
                if pool is not None:
                    _end(pool, at_once=True)
                future = self._begun(k, *arguments)
        raise _killed(f"part {arguments[0][0][0] + 1} of {len(self._calls)}")

    def _close(self) -> None:
        for key in [key for key in _KEPT if key[0] == self._key]:
            del _KEPT[key]
        for pool in self._pools:
            if pool is not None:
                _end(pool, at_once=True)


_KEPT: dict[tuple[str, int], Any] = {}
"""The parts that this process keeps, by the key of their owner and their number."""


def _on_kept(
    key: str,
    load: Callable[..., Any],
    calls: Sequence[tuple[int, tuple[Any, ...]]],
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> list[tuple[int, Any]]:
    """The function's results over the parts of this process, which are loaded where they are not there yet, or their errors."""
    results = list[tuple[int, Any]]()
    for k, call in calls:
        try:
            if (key, k) not in _KEPT:
                _KEPT[key, k] = load(*call)
            results.append((k, function(_KEPT[key, k], *arguments)))
        except AutodiffError as error:
            results.append((k, error))
    return results


def nothing(_: Any) -> None:
    """Load the part, and return nothing."""


def _killed(what: str) -> AutodiffError:
    return data_error(
        f"a process that worked on {what} was killed {TRIES} times",
        hint="there may be too little memory: split the file, or give fewer --workers",
    )


def _processes(count: int) -> ProcessPoolExecutor:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context  # a fork would copy threads that hold locks

    return ProcessPoolExecutor(count, get_context("spawn"), initializer=_ignore_interrupts)


def _submitted(pool: ProcessPoolExecutor, function: Callable[..., T], *arguments: Any) -> Future[T]:
    """The result to come of a call; where a process was killed since the last call, it fails as the others do."""
    from concurrent.futures import Future

    try:
        return pool.submit(function, *arguments)
    except _broken() as error:
        failed = Future[T]()
        failed.set_exception(error)
        return failed


def _broken() -> type[Exception]:
    from concurrent.futures.process import BrokenProcessPool

    return BrokenProcessPool


def _ignore_interrupts() -> None:
    """Ctrl-C goes to all processes of a terminal; the one that began the others ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end(pool: ProcessPoolExecutor, *, at_once: bool) -> None:
    """End the processes: after their current parts or, after an error, at once."""
    processes = list((pool._processes or {}).values()) if at_once else []
    for process in processes:
        with suppress(OSError, ValueError):
            process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)
