"""Run the command as a user does: in a process of its own, or in this one when many runs are needed."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autodiff.cli.main import run as run_command

PATIENCE = 600
"""Seconds that a test waits for another process at most: only one that hangs takes so long, on a loaded machine too."""


@dataclass(frozen=True)
class Ended:
    """The exit status of a run and its output."""

    status: int
    out: str
    err: str


class _Text(io.TextIOWrapper):
    """A stream that is no terminal and keeps what is written, bytes included."""

    def __init__(self, content: bytes = b"") -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8", write_through=True, newline="")

    def text(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode("utf-8", "surrogateescape")  # bytes that are kept as written


class Terminal(_Text):
    """A stream that claims to be a terminal; its width is that of `COLUMNS`."""

    def isatty(self) -> bool:
        return True


def autodiff(*args: str, stdin: bytes = b"") -> Ended:
    """Run `autodiff ARGS…` in this process."""
    out, err = _Text(), _Text()
    before, sys.stdin = sys.stdin, _Text(stdin)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = run_command(args)
    finally:
        sys.stdin = before
    return Ended(status, out.text(), err.text())


def wait_until(holds: Callable[[], bool], pause: float = 0.01) -> None:
    """Wait until a condition holds. Raises AssertionError where it never does."""
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "what the test waits for does not happen"
        time.sleep(pause)


def start(*args: str, code: str = "", **streams: Any) -> subprocess.Popen[bytes]:
    """`python -m autodiff ARGS…`, or `python -c code ARGS…`, that runs on; `streams` are what Popen takes.

    It obeys signals even where the tests run in the background, which has some ignored by all that is started.
    """
    words = ["-c", code] if code else ["-m", "autodiff"]
    return subprocess.Popen([sys.executable, *words, *args], preexec_fn=_obeying, **streams)


def _obeying() -> None:
    for kind in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_DFL)


def process(*args: str, stdin: str = "", **environment: str) -> Ended:
    """Run `python -m autodiff ARGS…` in a fresh interpreter."""
    return python("-m", "autodiff", *args, stdin=stdin, **environment)


def python(*args: str, stdin: str = "", **environment: str) -> Ended:
    """Run `python ARGS…`."""
    done = subprocess.run(
        [sys.executable, *args],
        input=stdin.encode(),
        capture_output=True,
        env={**os.environ, **environment},
        timeout=PATIENCE,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
