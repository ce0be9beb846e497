"""Whether what people read has colours: the one place that decides it."""

from __future__ import annotations

import contextlib
import os
import sys
from contextvars import ContextVar
from typing import TextIO

CHOICE: ContextVar[str] = ContextVar("CHOICE", default="auto")
"""What `--color` of the running command says: auto, always or never."""


def wanted(stream: TextIO) -> bool:
    """Whether what people read on `stream` has colours. The first rule that applies decides.

    1. `--color always` and `--color never`
    2. `NO_COLOR`: none
    3. `FORCE_COLOR` or `CLICOLOR_FORCE` other than 0: colours, in a pipe too
    4. `CLICOLOR=0` or `TERM=dumb`: none
    5. a terminal has colours, a pipe has none
    """
    if (choice := CHOICE.get()) != "auto":
        return choice == "always"
    variable = os.environ.get
    if variable("NO_COLOR"):
        return False
    if any(variable(name, "") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    if variable("CLICOLOR") == "0" or variable("TERM") == "dumb":
        return False
    if sys.platform == "win32" and not variable("WT_SESSION"):  # an older console shows the sequences themselves
        return False
    with contextlib.suppress(ValueError):  # a stream that is closed
        return stream.isatty()
    return False
