"""The screen that a document is laid out on, and the small parts of its lines.

The layout is made once, for a width: from 90 columns on with every column of a table, from 70 on without the last one,
below that a step on several lines; below 60 the words of a section are under its title. No number is ever cut and no
word broken; long names and formulas lose their middle where they must.

>>> list(Screen(80, True).headed("2 GRAPH", "each arrow carries its local slope"))
[((' ', ''), ('2 GRAPH      ', 'head'), ('each arrow carries its local slope', ''))]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from autodiff.errors import columns
from autodiff.render.text.labels import fitted

Piece = tuple[str, str]
"""A run of text and its style: "", "title", "head", "dim", "good", "bad", "answer", or "@name" for a place's colour."""

Line = tuple[Piece, ...]


def plain_lines(lines: Iterable[Line]) -> str:
    """The lines as text without styles."""
    return "\n".join("".join(words for words, _ in line).rstrip() for line in lines)


WIDEST, NARROWEST = 100, 40
STACKED, NARROW = 70, 60  # below these a step takes several lines, a section's title one of its own
MARGIN = 3
INDENT = (" " * MARGIN, "")


class Screen(NamedTuple):
    """A screen of a given width, in Unicode or ASCII."""

    width: int
    unicode: bool

    @property
    def room(self) -> int:
        """The columns beside the margin."""
        return self.width - MARGIN

    @property
    def text(self) -> int:
        """The column at which the words of a section begin: beside its title, on a narrow screen below it."""
        return MARGIN if self.width < NARROW else 14

    def under(self, title: str, lines: Iterable[Line]) -> Iterator[Line]:
        """Lines with the title of their section beside the first one, or above it."""
        if self.width < NARROW:
            if title:
                yield (" ", ""), (title, "head")
            yield from ((INDENT, *line) for line in lines)
            return
        for i, line in enumerate(lines):
            yield (" ", ""), (f"{'' if i else title:<13}", "head"), *line

    def headed(self, title: str, sentence: str) -> Iterator[Line]:
        """The title of a section and the sentence beside it, on as many lines as it takes."""
        rows = folded(sentence, self.width - self.text - 1) if sentence or self.width >= NARROW else []
        yield from self.under(title, (((words, ""),) for words in rows))

    def folded(self, words: str, style: str, hang: int = 0) -> Iterator[Line]:
        """A sentence behind the margin."""
        yield from ((INDENT, (line, style)) for line in folded(words, self.room, hang))


def signed(number: str) -> str:
    """A number with a blank where a minus would stand."""
    return number if number.startswith("-") else f" {number}"


def in_few_lines(words: str, width: int, most: int, hang: int = 0) -> list[str]:
    """A formula in at most so many lines; a longer one loses lines in its middle."""
    lines = folded(words, width, hang)
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{' ' * hang}… {lines[-1].strip()}"]
    return [line if columns(line) <= width else fitted(line, width) for line in lines]


def flowing(pieces: Sequence[Piece], room: int) -> Iterator[Line]:
    """Pieces beside each other, those that have no room below."""
    line: list[Piece] = [(" " * 6, "")]
    used = 0
    for words, style in pieces:
        for row in filter(None, in_few_lines(words, room, 3, 2)):
            if used and used + 2 + columns(row) > room:
                yield tuple(line)
                line, used = [(" " * 6, "")], 0
            line.append((f"  {row}" if used else row, style))
            used += columns(row) + 2 * bool(used)
    yield tuple(line)


# --- lines folded at blanks, never inside a word or a number ---------------------------------------------------------

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
