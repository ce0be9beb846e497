"""The standard input, which the caller may have closed, as `<&-` does in a shell."""

from __future__ import annotations

import sys
from typing import BinaryIO

from autodiff.errors import DATA, AutodiffError

TABLE = "pipe a table into it, or give --data a file"
"""The next step where a table was to come from there."""


def opened(instead: str) -> BinaryIO:
    """The bytes on stdin. Raises AutodiffError where it is closed; `instead` is the next step then."""
    if sys.stdin is None or sys.stdin.closed:
        raise AutodiffError("can't read stdin: it is closed", exit_status=DATA, hint=instead)
    return sys.stdin.buffer
