"""Each request in a process of its own, with limits on time, memory and priority: a hostile formula slows no other down.

Processes are forked from one that has loaded what answers need, so that one starts in some milliseconds. One that has
worked for a while waits for a turn, of which there are as many as processors, and goes on at a lower priority. The newest
request is the next to start and to get a turn: what is short never waits for what is long, however much of that there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

from autodiff.errors import AutodiffError

SECONDS = 5
"""Time of a request on the processor."""

PATIENCE = 20
"""The same on the clock: on a busy machine, a request that is small has to wait for its turn."""

MEMORY = 512 * 2**20
"""Bytes that a request may take beyond those that are loaded."""

AT_ONCE = 64
"""Requests at a time; more wait."""

POLITE, AGAIN, LOWER = 0.05, 0.2, 5
"""Seconds of a processor that a request has without a turn, and in each turn, and by how much each lowers its priority: a
plot takes some tenths, and would never be drawn at the lowest on a busy machine.
"""

READY = "autodiff.serve.ready"

LOADED = [
    READY, "autodiff.plotting.curve", "matplotlib.figure", "matplotlib.backends.backend_svg", "autodiff.render.plot.image",
]  # fmt: skip
"""Modules that most answers need; what is not installed is left out."""


class Turns:
    """So many at a time, as a semaphore, and the newest of those that wait is the next."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting = list[asyncio.Future[None]]()

    async def __aenter__(self) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the turn came while the wait was given up
                await self.__aexit__()
            raise

    async def __aexit__(self, *_: object) -> None:
        while self._waiting:
            turn = self._waiting.pop()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Workers:
    """`answer` gives what `answers.answer` says, or a sentence where a limit was met.

    Raises AutodiffError where the system can't fork.
    """

    def __init__(self) -> None:
        try:
            self._context = multiprocessing.get_context("forkserver")
        except ValueError:
            raise AutodiffError("the page needs a system that can fork processes, such as Linux or macOS") from None
        self._context.set_forkserver_preload(LOADED)
        self._loading: asyncio.Future[Any] | None = None
        self._free, self._starts, self._turns = Turns(AT_ONCE), Turns(1), Turns(os.cpu_count() or 1)
        self._running = set[Any]()
        self._stopped = False
        self._threads = ThreadPoolExecutor(2 * AT_ONCE)  # processes start and end there, while others are answered

    def start(self) -> None:
        """Begin to load what most answers need."""
        self._loading = asyncio.ensure_future(self._answer(self._context, {"what": "explain", "program": "x^2"}))

    def stop(self) -> None:
        """End what is still running, so that the server need not wait for it."""
        self._stopped = True
        for process in list(self._running):
            process.kill()

    async def answer(self, request: Mapping[str, str]) -> dict[str, Any]:
        # a process of its own has loaded what an explanation needs before the one that is forked has loaded everything
        early = request.get("what") == "explain" and self._loading is not None and not self._loading.done()
        return await self._answer(multiprocessing.get_context("spawn") if early else self._context, request)

    async def _answer(self, context: Any, request: Mapping[str, str]) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        async with self._free:
            connection, its_end = context.Pipe()
            process = context.Process(target=_work, args=(its_end, dict(request)), daemon=True)
            async with self._starts:
                await loop.run_in_executor(self._threads, process.start)
            its_end.close()
            self._running.add(process)
            if self._stopped:
                process.kill()
            try:
                async with asyncio.timeout(PATIENCE):
                    return await self._reply(connection)
            except TimeoutError:
                return {
                    "error": f"that takes longer than {PATIENCE} seconds, which is all that the page gives a formula"
                }
            except (EOFError, OSError):
                return {"error": "that takes more time or memory than the page gives a formula"}
            finally:
                self._running.discard(process)
                connection.close()
                process.kill()
                await loop.run_in_executor(self._threads, process.join)
                process.close()

    async def _reply(self, connection: Any) -> dict[str, Any]:
        """What a process answers, which asks for a turn whenever it has worked for a while."""
        reply = await _received(connection)
        while reply is None:
            async with self._turns:
                connection.send(None)
                reply = await _received(connection)
        return reply


async def _received(connection: Any) -> dict[str, Any] | None:
    """What a process sends, once there is something to read, or an end."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def arrived() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(connection.fileno(), arrived)
    try:
        await ready
    finally:
        loop.remove_reader(connection.fileno())
    received: dict[str, Any] | None = connection.recv()
    return received


def _work(connection: Any, request: Mapping[str, str]) -> None:
    """What a process does."""
    import_module(READY)  # which a forked process has
    from autodiff.serve.answers import answer

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends this process
    _limit(connection)
    try:
        reply = answer(request)
    except MemoryError:
        reply = {"error": "that takes more memory than the page gives a formula"}
    except Exception as error:
        reply = {"error": f"a bug in autodiff ({type(error).__name__}: {error})"}
    signal.setitimer(signal.ITIMER_PROF, 0)  # no turn is asked for in the middle of the reply
    with contextlib.suppress(OSError):
        connection.send(reply)
        connection.close()


def _limit(connection: Any) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):  # macOS has no /proc, and takes no limit of addresses
        with open("/proc/self/statm", encoding="ascii") as file:
            taken = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))

    def wait(*_: object) -> None:
        os.nice(LOWER)
        connection.send(None)
        connection.recv()

    signal.signal(signal.SIGPROF, wait)
    signal.setitimer(signal.ITIMER_PROF, POLITE, AGAIN)
