"""The screen that a document is laid out on, and the small parts of its lines.

The layout is made once, for a width: from 90 columns on with every column of a table, from 70 on without the last one,
below that a step on several lines; below 60 the words of a section are under its title. No number is ever cut and no
word broken; long names and formulas lose their middle where they must.

>>> list(Screen(80, True).headed("2 GRAPH", "each arrow carries its local slope"))
[((' ', ''), ('2 GRAPH      ', 'head'), ('each arrow carries its local slope', ''))]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from autodiff.errors import columns
from autodiff.render.text.labels import fitted
from autodiff.render.text.wrap import folded

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
