"""Answers on stdout, remarks on stderr. Where the reader of one has closed it, the command goes on: its exit status is that
of the answer, and files that it writes are written.

    autodiff check "x^2" "3x" | true; echo ${PIPESTATUS[0]}      # 1
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


def width(stream: TextIO) -> int:
    """The columns of the terminal that `stream` is, `COLUMNS` before what it says itself; 0 where it is none."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a number, or closed
        if stream.isatty():
            wanted = os.environ.get("COLUMNS", "")
            return int(wanted) if wanted.isdigit() and int(wanted) else os.get_terminal_size(stream.fileno()).columns
    return 0


def fitting(text: str, stream: TextIO) -> str:
    """`text` for people, folded to the width of the terminal that they read it on; elsewhere as it is."""
    room = width(stream)
    if not room or all(len(line) <= (room if line.isascii() else room // 2) for line in text.split("\n")):
        return text
    from autodiff.render.text.layout import screen  # most answers are short

    return screen(text, room)


def say(text: str) -> None:
    """Print for people, on stdout. Raises OSError as `answer` does."""
    answer(fitting(text, sys.stdout))


def answer(text: str, *, nl: bool = True) -> None:
    """Print on stdout. Raises OSError where it can't be written, but not where its reader has closed it."""
    with _ignoring_closed(sys.stdout):
        sys.stdout.write(f"{text}\n" if nl else text)
        sys.stdout.flush()


def remark(text: str) -> None:
    """Print for people, on stderr. Raises OSError as `answer` does."""
    from autodiff.cli import colour  # most answers have no remark

    text = fitting(text, sys.stderr)
    if colour.wanted(sys.stderr):
        from autodiff.render.terminal import colours

        text = colours.remark(text)
    with _ignoring_closed(sys.stderr):
        print(text, file=sys.stderr, flush=True)


def flush() -> None:
    """Write what is still in the buffer of stdout."""
    with _ignoring_closed(sys.stdout):
        sys.stdout.flush()


def writable(signs: str) -> bool:
    """Whether what stdout is encoded in has these signs."""
    try:
        signs.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


@contextlib.contextmanager
def _ignoring_closed(stream: TextIO) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        discard(stream)


def discard(stream: TextIO) -> None:
    """Discard what is written from now on, and what is still in the buffer."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
