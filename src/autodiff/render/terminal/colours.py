r"""Colours of short lines: names in a listing, and messages on stderr.

>>> remark("error: no value here")
'\x1b[1;31merror:\x1b[0m no value here'
"""

from __future__ import annotations

import re

_NAME, _CARETS = "1;36", "31"
_LABELS = {"error": "1;31", "note": "1", "notice": "1"}


def name(text: str) -> str:
    """The name of a function in a listing."""
    return _in(text, _NAME)


def remark(text: str) -> str:
    """A message on stderr: its label, and the carets below a place in a program."""
    label, colon, rest = text.partition(":")
    if colon and label in _LABELS:
        text = f"{_in(label + colon, _LABELS[label])}{rest}"
    return re.sub(r"(?m)^( +)(\^+)$", lambda carets: carets[1] + _in(carets[2], _CARETS), text)


def _in(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if text else text
