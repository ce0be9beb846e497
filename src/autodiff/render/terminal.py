"""Text in colour, by the sequences that terminals and `less -R` know: one colour for each place's name, its arrows and its row.

>>> painted([(("y", "@y"), (" = 2", ""))], ["x", "y"])
'\\x1b[33my\\x1b[0m = 2'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autodiff.render.page import Line

_BOLD, _DIM = "1", "2"
_RED, _GREEN, _YELLOW, _BLUE, _MAGENTA, _CYAN = "31", "32", "33", "34", "35", "36"
_BRIGHT_RED, _BRIGHT_YELLOW, _BRIGHT_CYAN = "91", "93", "96"

STYLES = {"title": _BOLD, "head": _BOLD, "dim": _DIM, "good": _GREEN, "bad": _RED, "answer": _BOLD}
HUES = (_CYAN, _YELLOW, _GREEN, _MAGENTA, _BLUE, _BRIGHT_RED, _BRIGHT_CYAN, _BRIGHT_YELLOW)

_LABELS = {"error": f"{_BOLD};{_RED}", "note": _BOLD, "notice": _BOLD}


def painted(lines: Sequence[Line], names: Sequence[str]) -> str:
    """The lines as one text; a piece of style "@name" has the colour of the place called so."""
    hues = {f"@{name}": HUES[i % len(HUES)] for i, name in enumerate(names)}
    return "\n".join("".join(_piece(*piece, hues) for piece in _without_end(line)) for line in lines)


def name(text: str) -> str:
    """The name of a function in a listing."""
    return _in(text, f"{_BOLD};{_CYAN}")


def remark(text: str) -> str:
    """What stands on stderr: the label in front, and the carets below a place in a program."""
    label, colon, rest = text.partition(":")
    if colon and label in _LABELS:
        text = f"{_in(label + colon, _LABELS[label])}{rest}"
    return re.sub(r"(?m)^( +)(\^+)$", lambda found: found[1] + _in(found[2], _RED), text)


def _piece(words: str, style: str, hues: dict[str, str]) -> str:
    return _in(words, hues.get(style) or STYLES.get(style, ""))


def _in(words: str, code: str) -> str:
    return f"\x1b[{code}m{words}\x1b[0m" if code and words else words


def _without_end(line: Line) -> Line:
    """The line without the blanks at its end."""
    pieces = list(line)
    while pieces:
        words, style = pieces.pop()
        if kept := words.rstrip():
            return (*pieces, (kept, style))
    return ()
