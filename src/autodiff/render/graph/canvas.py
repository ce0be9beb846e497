"""A sheet of terminal cells for words and lines: lines join only with their own kind, and nothing is written over.

>>> sheet = Canvas()
>>> sheet.words(0, 0, "x", "x"); sheet.across(0, 2, 6, "a", "x"); sheet.corner(0, 6, "a", "x", DOWN | LEFT)
>>> sheet.corner(1, 6, "a", "x", UP | RIGHT); sheet.words(1, 7, "▶ y", "y")
>>> print(*map(joined, sheet.lines()), sep="\\n")
x ────┐
      └▶ y
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from autodiff.errors import columns

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8

_GLYPHS = {
    LEFT | RIGHT: "─", UP | DOWN: "│", DOWN | RIGHT: "┌", DOWN | LEFT: "┐", UP | RIGHT: "└", UP | LEFT: "┘",
    UP | DOWN | RIGHT: "├", UP | DOWN | LEFT: "┤", DOWN | LEFT | RIGHT: "┬", UP | LEFT | RIGHT: "┴", 15: "┼",
    LEFT: "─", RIGHT: "─", UP: "│", DOWN: "│",
}  # fmt: skip

_ASCII = str.maketrans(
    {**dict.fromkeys("┌┐└┘├┤┬┴┼●○", "+"), "─": "-", "│": "|", "▶": ">", "●": "*", "○": "o", "⋮": ":", "…": "~"}
)

Piece = tuple[str, str | None]
"""A run of text and the name of the vertex that it belongs to, if any: what colour it gets."""

Line = tuple[Piece, ...]


class CellTaken(Exception):
    """A cell is needed twice: the drawing needs another layout."""


def joined(line: Sequence[Piece]) -> str:
    return "".join(text for text, _ in line)


def drawn_in_ascii(text: str) -> str:
    """`text` of lines and marks as a screen without box drawing shows it."""
    return text.translate(_ASCII)


@dataclass(slots=True)
class Canvas:
    """Cells by row and column. A line cell knows its net, the arrows that it is part of: other nets may only cross it."""

    written: dict[tuple[int, int], Piece] = field(default_factory=dict)
    lined: dict[tuple[int, int], dict[Hashable, int]] = field(default_factory=lambda: defaultdict(dict))
    owners: dict[tuple[int, int], str | None] = field(default_factory=dict)

    def words(self, row: int, column: int, text: str, owner: str | None = None) -> None:
        """Write `text`; a wide character takes two cells, a combining mark joins the one before."""
        last = (row, column)
        for character in text:
            wide = columns(character)
            if not wide and last in self.written:
                self.written[last] = (self.written[last][0] + character, owner)
                continue
            last = (row, column)
            for offset in range(max(wide, 1)):
                cell = (row, column + offset)
                if cell in self.written or cell in self.lined:
                    raise CellTaken
                self.written[cell] = ("" if offset else character, owner)
            column += max(wide, 1)

    def corner(self, row: int, column: int, net: Hashable, owner: str | None, ways: int) -> None:
        """One cell of a line that leaves it in these `ways`."""
        cell = (row, column)
        nets = self.lined[cell]
        nets[net] = nets.get(net, 0) | ways
        crossing = len(nets) == 1 or sorted(nets.values()) == [UP | DOWN, LEFT | RIGHT]
        if cell in self.written or not crossing:
            raise CellTaken
        if self.owners.setdefault(cell, owner) != owner or len(nets) > 1:
            self.owners[cell] = owner if ways == UP | DOWN else self.owners[cell]

    def across(self, row: int, start: int, stop: int, net: Hashable, owner: str | None) -> None:
        for column in range(start, stop):
            self.corner(row, column, net, owner, LEFT | RIGHT)

    def down(self, column: int, start: int, stop: int, net: Hashable, owner: str | None) -> None:
        for row in range(start, stop):
            self.corner(row, column, net, owner, UP | DOWN)

    def lines(self) -> list[Line]:
        """The rows from the first to the last, each as runs of one owner, without blanks at the end."""
        cells = {**{cell: (_glyph(nets), self.owners[cell]) for cell, nets in self.lined.items()}, **self.written}
        rows: dict[int, dict[int, Piece]] = defaultdict(dict)
        for (row, column), piece in cells.items():
            rows[row][column] = piece
        return [_line(rows[row]) for row in range(max(rows, default=-1) + 1)]


def _glyph(nets: dict[Hashable, int]) -> str:
    """The sign for one net's ways; where two cross, the one that goes down passes over the other."""
    return _GLYPHS[min(nets.values())]


def _line(cells: dict[int, Piece]) -> Line:
    full = [cells.get(column, (" ", None)) for column in range(max(cells, default=-1) + 1)]
    return tuple(
        ("".join(text for text, _ in run), owner)
        for owner, run in ((owner, list(group)) for owner, group in groupby(full, key=lambda piece: piece[1]))
    )
