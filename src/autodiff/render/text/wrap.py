"""Lines for a screen that is narrower than they are: folded at blanks, never inside a word or a number.

Parts that two blanks keep apart go on a new line whole where they fit on one; `h = 2e-06` stays together; a sign goes with
the word before it, so that no line of a formula reads as one of its own.

>>> print(screen("slip       inner function: the outer derivative  is taken there", 34))
slip       inner function: the
           outer derivative
           is taken there
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from autodiff.errors import columns

_GAP = re.compile(r"(\s{2,})")
_SIGNS = ("+", "-", "−", "*", "·", "×", "/", "→", "─▶", "=", "<", ">", "<=", ">=", "==", "!=", "≤", "≥", "≠")
_JOINTS = re.compile(r"(?<=[·*×/,(\[])(?=.)")
"""Where a formula without blanks may be parted: behind an operator or a bracket that opens."""


def screen(text: str, width: int) -> str:
    """A text of several lines, each of which goes on below its own second column, or a little further in."""
    return "\n".join(row for line in text.split("\n") for row in _hanging(line, width))


def _hanging(line: str, width: int) -> list[str]:
    if columns(line) <= width:
        return [line]
    body = line.lstrip(" ")
    start = len(line) - len(body)
    label = _GAP.search(body)
    hang = start + columns(body[: label.end()]) if label else width
    if hang > width // 2:
        hang = start + 2 if label or not start else start
    return folded(body, width, hang, start)


def folded(words: str, width: int, hang: int = 0, start: int = 0) -> list[str]:
    """`words` in lines of at most `width` columns, `start` blanks before the first one and `hang` before the others.

    Only a word that is longer than a line, and has no operator to part it at, makes a longer one.
    """
    lines, line, empty = list[str](), " " * start, True
    for gap, chunk in _chunks(words):
        space = "" if empty else gap
        if columns(line) + len(space) + columns(chunk) <= width:
            line, empty = f"{line}{space}{chunk}", False
            continue
        if not empty and columns(line) + len(space) > hang:
            lines.append(line)
            line, empty = " " * hang, True
        for space, unit in _units(chunk, gap, width - hang):
            if empty or columns(line) + len(space) + columns(unit) <= width:
                line, empty = f"{line}{'' if empty else space}{unit}", False
            else:
                lines.append(line)
                line = f"{' ' * hang}{unit}"
    return [*lines, line]


def _chunks(words: str) -> Iterator[tuple[str, str]]:
    """The parts that wide gaps keep apart, each with the gap before it."""
    gap = ""
    for i, part in enumerate(_GAP.split(words.strip())):
        if i % 2:
            gap = part
        else:
            yield gap, part


def _units(chunk: str, gap: str, room: int) -> Iterator[tuple[str, str]]:
    """What stays together, each with the gap before it: signs with the word before, `=` with both its sides."""
    units: list[str] = []
    for word in chunk.split(" "):
        joins = units and (word in _SIGNS or (units[-1].endswith(" =") and columns(f"{units[-1]} {word}") <= room))
        if joins and columns(f"{units[-1]} {word}") <= room:
            units[-1] += f" {word}"
        else:
            units.append(word)
    for i, unit in enumerate(units):
        space = " " if i else gap
        for part in _JOINTS.split(unit) if columns(unit) > room else [unit]:
            yield space, part
            space = ""
