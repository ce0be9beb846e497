"""One command, run in this process, and what is wrong with how it ended."""

from __future__ import annotations

import re
import resource
import signal
import time
from types import FrameType
from typing import NamedTuple

from tests.support.command import autodiff

from .commands import Command

SECONDS, MEGABYTES = 10, 1024
"""What a command may take: processor time, and the growth of the largest memory that the process has had."""

WAIT = 120
"""Seconds by the clock after which a command hangs; it is long because the machine may have other work."""

_STATUSES = {0, 1, 2, 3, 4}
_NUMBER = re.compile(r"(?<![\w.\"'-])[-+]?(nan|inf|infinity)(?![\w(])", re.IGNORECASE)


class Outcome(NamedTuple):
    """How a command ended: its exit status, the seconds it took, and what is wrong with it, empty where nothing is."""

    status: int
    seconds: float
    fault: str


class _TooLong(BaseException):
    """The time is over. It is not an Exception, so that the command does not catch it."""


def run(command: Command) -> Outcome:
    """Run a command for at most `SECONDS` of processor time."""
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    handlers = [(kind, signal.signal(kind, _stop)) for kind in (signal.SIGPROF, signal.SIGALRM)]
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(WAIT)
    try:
        ended = autodiff(*command.words, stdin=command.stdin)
    except _TooLong:
        return Outcome(-1, SECONDS, f"more than {SECONDS} s of processor time, or {WAIT} s by the clock")
    except BaseException as error:  # whatever comes through is a fault
        return Outcome(-1, time.process_time() - start, f"{type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        for kind, handler in handlers:
            signal.signal(kind, handler)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return Outcome(
        ended.status, time.process_time() - start, _fault(command, ended.status, ended.out, ended.err, grown)
    )


def _stop(signum: int, frame: FrameType | None) -> None:
    raise _TooLong


def _fault(command: Command, status: int, out: str, err: str, grown: float) -> str:
    if status not in _STATUSES:
        return f"exit status {status}: {err.strip()[:300]}"
    if "Traceback" in out + err:
        return f"a traceback: {err.strip()[-300:]}"
    if status and not err.strip() and not out.strip():
        return f"exit status {status} without a word"
    if grown > MEGABYTES:
        return f"{grown:.0f} MB"
    typed = " ".join(command.words) + command.stdin.decode("utf-8", "replace")
    if not _NUMBER.search(typed) and command.words[0] != "export" and (odd := _NUMBER.search(out)):
        return f"{odd[0]!r} is printed: {out[max(0, odd.start() - 60) : odd.end() + 20]!r}"
    return ""
