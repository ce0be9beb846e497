"""Time and memory of whole processes, and the line of the table that comes of it."""

from __future__ import annotations

import json
import os
import pty
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

AUTODIFF = str(Path(sys.executable).with_name("autodiff"))
"""The installed command of this interpreter."""


class Line(NamedTuple):
    """One comparison: `mine` over `theirs` should be at most `limit`; without `theirs`, `note` says why."""

    what: str
    peer: str
    mine: float
    theirs: float | None
    limit: float
    unit: str = "s"
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return None if self.theirs is None else self.mine / self.theirs


class Ran(NamedTuple):
    """A process that ended: seconds of wall time, seconds that it had a core, and megabytes at its largest."""

    seconds: float
    busy: float
    megabytes: float


STARTER = """
import json, os, sys, time

pipe, (file, *arguments) = int(sys.argv[1]), sys.argv[2:]
os.set_inheritable(pipe, False)
start = time.perf_counter()
child = os.posix_spawn(file, [file, *arguments], os.environ)
_, status, used = os.wait4(child, 0)
seconds = time.perf_counter() - start
os.write(pipe, json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]).encode())
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A process's peak of memory counts from the one that started it, so a small one starts each."""


def run(command: Sequence[str], *, terminal: bool = False) -> Ran:
    """Run a command whose output nobody reads; with `terminal` it believes that somebody does."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    controller, screen = pty.openpty() if terminal else (-1, subprocess.DEVNULL)
    reading, writing = os.pipe()
    starter = [sys.executable, "-S", "-c", STARTER, str(writing), *command]
    try:
        ended = subprocess.run(starter, stdout=screen, stderr=subprocess.PIPE, env=environment, pass_fds=[writing])
        os.close(writing)
        found = os.read(reading, 1000)
    finally:
        os.close(reading)
        if terminal:
            os.close(screen)
            os.close(controller)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {ended.returncode}: {ended.stderr.decode()[-500:]}")
    return Ran(*json.loads(found))


def race(commands: Mapping[str, Sequence[str]], rounds: int, terminals: frozenset[str] = frozenset()) -> dict[str, Ran]:
    """The median of each command over `rounds`, in turn, so that a busy moment of the machine meets all of them."""
    for name, command in commands.items():
        run(command, terminal=name in terminals)
    ran: dict[str, list[Ran]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            ran[name].append(run(command, terminal=name in terminals))
    return {
        name: Ran(
            statistics.median(r.seconds for r in runs),
            statistics.median(r.busy for r in runs),
            max(r.megabytes for r in runs),
        )
        for name, runs in ran.items()
    }


def has(python: str, package: str) -> bool:
    """Whether that interpreter can import the package."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0
