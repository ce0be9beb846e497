"""The Dask engine: parts on the workers of a cluster, which a scheduler's address names, or on processes of this machine.

    autodiff eval "x^2" --data 'parts/*.csv' --out squares/ --engine dask --scheduler tcp://head:8786

A worker is sent the task, which is text and plain data, and the address of a file. Workers have to have this package in this
version. The tasks of a lost worker are run again by another one: a result depends on its arguments alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeVar

from autodiff import __version__
from autodiff.engines.local import first, nothing
from autodiff.errors import AutodiffError, data_error, quoted, shortened
from autodiff.libraries import library

T = TypeVar("T")

AHEAD = 4
"""Parts for each worker that are begun before the results of the ones before them are taken."""

LOGGERS = (
    "distributed",
    "distributed.client",
    "distributed.core",
    "distributed.comm",
    "tornado.application",
    "asyncio",
)

PATIENCE = 10
"""Seconds to wait for a scheduler that does not answer, and for the first worker of one that has none."""


class DaskEngine:
    """A client of a scheduler; without an address, of one on this machine with as many processes as it has cores.

    Raises AutodiffError (exit status 4) where there is no scheduler, no worker, or one with another version of this package.
    """

    def __init__(self, scheduler: str | None = None, workers: int | None = None) -> None:
        distributed = library("distributed", "--engine dask", "cluster")
        for name in LOGGERS:  # an AutodiffError says in one sentence what these would log
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._distributed, self._stack = distributed, ExitStack()
        try:
            address = scheduler or self._cluster(workers or os.cpu_count() or 1)
            self.client = self._stack.enter_context(self._connected(address, scheduler))
            self.versions_agree()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> DaskEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def workers(self) -> int:
        """The threads of all workers: parts that are done at a time."""
        return max(1, sum(self._threads()))

    @property
    def dashboard(self) -> str:
        """The address of the scheduler's page; empty where it has none."""
        info = self.client.scheduler_info()
        return str(self.client.dashboard_link) if "dashboard" in info.get("services", {}) else ""

    @property
    def description(self) -> str:
        """What runs the parts, for a line of progress."""
        count = len(self._threads())
        return f"{count} worker{'s' * (count != 1)}"

    def _threads(self) -> list[int]:
        """How many threads each worker has."""
        with self._guarded():
            return [int(count) for count in self.client.nthreads().values()]

    def _cluster(self, workers: int) -> Any:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a dashboard that can't be shown, or has another port
            return self._stack.enter_context(
                self._distributed.LocalCluster(
                    n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
                )
            )

    @contextmanager
    def _connected(self, address: Any, scheduler: str | None) -> Iterator[Any]:
        try:
            client = self._distributed.Client(address, timeout=PATIENCE)
        except (OSError, ValueError, TimeoutError) as error:
            why = shortened(str(error).partition("\n")[0], 120)
            raise data_error(
                f"there is no Dask scheduler at {quoted(str(scheduler), 200)}: {why}",
                hint="start one with: dask scheduler; and workers with: dask worker ADDRESS",
            ) from None
        try:
            self._require_workers(client)
            yield client
        finally:
            # on a loaded machine it takes longer: the answer is there, and what is left ends with the process
            with suppress(TimeoutError):
                client.close(timeout=2)

    def _require_workers(self, client: Any) -> None:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise data_error(
                f"the Dask scheduler at {quoted(client.scheduler.address, 200)} has no worker",
                hint="start one with: dask worker ADDRESS",
            ) from None

    def versions_agree(self) -> None:
        """Raise AutodiffError for a worker without this package, or with another version of it."""
        versions: Mapping[str, Any] = self.client.run(_by_value(installed_version))
        for worker, version in versions.items():
            if version is None:
                raise _unfit(worker, "has no autodiff")
            if version != __version__:
                raise _unfit(worker, f"has autodiff {shortened(str(version))}")

    def completed(
        self, function: Callable[..., T], calls: Sequence[tuple[Any, ...]], *, ordered: bool = True
    ) -> Generator[tuple[int, T], None, None]:
        """The number of each call and its result, in the order of the calls or, without `ordered`, as they come.

        Raises what a call raises: the first of them in the order of the calls.
        """
        begun: dict[int, Any] = {}
        left = iter(range(len(calls)))
        try:
            while True:
                for k in left:
                    begun[k] = self.submitted(function, *calls[k])
                    if len(begun) >= AHEAD * self.workers:
                        break
                if not begun:
                    return
                done = min(begun) if ordered else first(begun, self._wait, lambda future: future.status == "finished")
                yield done, self._result(begun.pop(done))
        finally:
            with suppress(AutodiffError), self._guarded():
                self.client.cancel(list(begun.values()), force=True)

    def hold(self, load: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> DaskParts:
        """What `load` gives for each call, kept on the worker that loaded it. Raises what a call raises, the first of them."""
        return DaskParts(self, [self.submitted(load, *call) for call in calls])

    def gathered(self, futures: Sequence[Any]) -> list[Any]:
        """The results of all futures, in order. Raises the first error in this order."""
        self._wait(futures, "ALL_COMPLETED")
        for future in futures:
            if future.status == "error":
                self._result(future)
        with self._guarded():
            return list(self.client.gather(list(futures)))

    def submitted(self, function: Callable[..., T], *arguments: Any) -> Any:
        """The future of a call on a worker; arguments may be futures."""
        with self._guarded():
            return self.client.submit(on_worker, __version__, function, *arguments, pure=False)

    def _wait(self, futures: Sequence[Any], until: str = "FIRST_COMPLETED") -> None:
        with self._guarded():
            self._distributed.wait(futures, return_when=until)

    def _result(self, future: Any) -> Any:
        with self._guarded():
            return future.result()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn the errors of a lost cluster into an AutodiffError; errors of a part are raised as they are."""
        distributed = self._distributed
        try:
            yield
        except distributed.scheduler.KilledWorker as error:
            raise data_error(
                f"a part was given up: {error.allowed_failures + 1} workers that worked on it were lost, one after the other",
                hint="there may be too little memory for it: split the file",
            ) from None
        except (distributed.CancelledError, distributed.comm.CommClosedError, OSError):
            raise data_error(
                "the Dask scheduler is gone: its connection was lost",
                hint="parts that are whole stay; with --out DIR, --resume goes on with the others",
            ) from None


class DaskParts:
    """Parts that the workers of a cluster keep; those of a lost worker, others load again."""

    def __init__(self, engine: DaskEngine, futures: Sequence[Any]) -> None:
        self._engine, self._futures = engine, futures
        engine.gathered([engine.submitted(nothing, future) for future in futures])

    def apply(self, function: Callable[..., T], *arguments: Any) -> list[T]:
        """The function's results over the parts, in order; `arguments` follow the part. Raises the first error of a part."""
        return self._engine.gathered([self._engine.submitted(function, future, *arguments) for future in self._futures])


def on_worker(version: str, function: Callable[..., T], *arguments: Any) -> T:
    """Run a task on a worker. Raises AutodiffError where it has another version than the client, as a later one may."""
    import gc

    gc.enable()
    if version != __version__:
        raise _unfit("a worker", f"has autodiff {__version__}", version)
    return function(*arguments)


def installed_version() -> str | None:
    """The version of this package in another process, which may lack it."""
    try:
        return str(__import__("autodiff").__version__)
    except ImportError:
        return None


def _by_value(function: Callable[..., T]) -> Callable[..., T]:
    """The function as one that is sent with its code, since the other process may not have its module."""
    from types import FunctionType

    sent = FunctionType(function.__code__, {"__builtins__": __builtins__, "__name__": "__main__"}, function.__name__)
    sent.__module__ = "__main__"
    return sent


def _unfit(worker: str, what: str, version: str = __version__) -> AutodiffError:
    return data_error(
        f"the worker {shortened(worker)} {what}, and this is autodiff {version}",
        hint="install the same version on every worker, and start it again",
    )
