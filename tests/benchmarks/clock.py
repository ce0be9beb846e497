"""Time and memory of whole processes, and the line of the table that comes of it."""

from __future__ import annotations

import os
import pty
import statistics
import subprocess
import sys
import time
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
    """A process that ended: seconds of wall time and megabytes at its largest."""

    seconds: float
    megabytes: float


def run(command: Sequence[str], *, terminal: bool = False) -> Ran:
    """Run a command whose output nobody reads; with `terminal` it believes that somebody does."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    controller, screen = pty.openpty() if terminal else (-1, subprocess.DEVNULL)
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=screen, stderr=subprocess.PIPE, env=environment)
    assert child.stderr is not None
    said = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stderr.close()
    if terminal:
        os.close(screen)
        os.close(controller)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {child.returncode}: {said.decode()[-500:]}")
    return Ran(seconds, used.ru_maxrss / 1024)


def race(commands: Mapping[str, Sequence[str]], rounds: int, terminals: frozenset[str] = frozenset()) -> dict[str, Ran]:
    """The median of each command over `rounds`, in turn, so that a busy moment of the machine meets all of them."""
    for name, command in commands.items():
        run(command, terminal=name in terminals)
    ran: dict[str, list[Ran]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            ran[name].append(run(command, terminal=name in terminals))
    return {
        name: Ran(statistics.median(r.seconds for r in each), max(r.megabytes for r in each))
        for name, each in ran.items()
    }


def has(python: str, package: str) -> bool:
    """Whether that interpreter can import the package."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0
