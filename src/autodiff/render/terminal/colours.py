r"""Colours on a terminal: of explanations and graphs, of names in a listing, and of messages on stderr.

>>> remark("error: no value here")
'\x1b[1;31merror:\x1b[0m no value here'
>>> painted([(("y", "@y"), (" = 2", ""))], ["x", "y"])
'\x1b[33my\x1b[0m = 2'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from autodiff.render.text.layout import Line, trimmed

_NAME, _CARETS = "1;36", "31"
_LABELS = {"error": "1;31", "note": "1", "notice": "1"}
_STYLES = {"title": "1", "head": "1", "dim": "2", "good": "32", "bad": "31", "answer": "1"}
_HUES = ("36", "33", "32", "35", "34", "91", "96", "93")


def name(text: str) -> str:
    """The name of a function in a listing."""
    return _in(text, _NAME)


def painted(lines: Iterable[Line], names: Sequence[str]) -> str:
    """Lines as one text with colours; a piece of style "@name" has the colour of the place called so, one of `names`."""
    codes = _STYLES | {f"@{name}": _HUES[k % len(_HUES)] for k, name in enumerate(names)}
    return "\n".join("".join(_in(words, codes.get(style, "")) for words, style in trimmed(line)) for line in lines)


def remark(text: str) -> str:
    """A message on stderr: its label, and the carets below a place in a program."""
    label, colon, rest = text.partition(":")
    if colon and label in _LABELS:
        text = f"{_in(label + colon, _LABELS[label])}{rest}"
    return re.sub(r"(?m)^( +)(\^+)$", lambda carets: carets[1] + _in(carets[2], _CARETS), text)


def _in(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if text and code else text
