"""The page that an explanation is laid out on, and the small parts of its lines.

The layout is made once, for a width: from 90 columns on with every column of the table, from 70 on without the last one,
below that a step on several lines; below 60 what is said in a block stands under its title. No number is ever cut and no
word broken; long names and formulas lose their middle where they must.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from autodiff.diagnostics import shown
from autodiff.errors import columns, printable
from autodiff.explanation.model import Explanation, Text
from autodiff.render.text.labels import fitted
from autodiff.render.text.numbers import eight
from autodiff.render.text.wrap import folded

Piece = tuple[str, str]
"""A run of text and its style: "", "title", "head", "dim", "good", "bad", "answer", or "@name" for a place's colour."""

Line = tuple[Piece, ...]

WIDEST, NARROWEST = 100, 40
STACKED, NARROW = 70, 60  # below these a step takes several lines, a block's title one of its own
MARGIN = 3
ENDS = 10  # lines that are shown at either end of a list that is too long
STEPS = 30  # steps that are shown of all blocks together, at either end
VERTICES = 14  # vertices of the drawing inside an explanation

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """An explanation on a page of a given width, in Unicode or ASCII."""

    it: Explanation
    width: int
    unicode: bool

    def formula(self, formula: Text) -> str:
        return printable(formula.pretty if self.unicode else formula.formula)

    def slope(self, name: str) -> str:
        return f"d{self.it.result}/d{name}"

    @property
    def third(self) -> int:
        """The number of the table of slopes: at a hard point both sides come before it."""
        return 4 if self.it.sides else 3

    def where(self) -> str:
        """` at x = 4`: the point, if its numbers are few."""
        at = self.it.at
        if not at:
            return ""
        known = [f"{name} = {shown(value)}" for name, value in at.items()]
        return f" at {', '.join(known)}" if len(known) == 1 or sum(map(len, known)) < 30 else ""

    def listed(self, names: Sequence[str], most: int) -> str:
        more = f" and {len(names) - most} more" if len(names) > most else ""
        if len(names) == 2:
            return " and ".join(names)
        return ", ".join(names[:most]) + more

    @property
    def text(self) -> int:
        """The column at which the words of a block begin: beside its title, on a narrow page below it."""
        return MARGIN if self.width < NARROW else 14

    def under(self, title: str, lines: Iterable[Line]) -> Iterator[Line]:
        """Lines with the title of their block beside the first one, or above it."""
        if self.width < NARROW:
            if title:
                yield (" ", ""), (title, "head")
            yield from ((((" " * MARGIN), ""), *line) for line in lines)
            return
        for i, line in enumerate(lines):
            yield (" ", ""), (f"{'' if i else title:<13}", "head"), *line

    def headed(self, title: str, said: str) -> Iterator[Line]:
        """The title of a block and what is said beside it, on as many lines as it takes."""
        rows = folded(said, self.width - self.text - 1) if said or self.width >= NARROW else []
        yield from self.under(title, (((words, ""),) for words in rows))

    def noted(self, label: str, mark: Piece, words: str, more: str = "") -> Iterator[Line]:
        """A remark behind its label; what does not fit goes on on the next line."""
        indent = len(mark[0])
        found = folded(f"{words}  {more}".rstrip(), self.width - self.text - indent)
        rows = (((" " * indent, "") if i else mark, (line, "")) for i, line in enumerate(found))
        yield from self.under(label, rows)


def ends(rows: Sequence[T], ends: int = ENDS) -> list[T | int]:
    """All of a short list; of a long one its first and last rows, and between them how many are left out."""
    if len(rows) <= 2 * ends + 1:
        return list(rows)
    return [*rows[:ends], len(rows) - 2 * ends, *rows[-ends:]]


def middle_out(names: Sequence[str], most: int) -> list[str]:
    """The first and last names of a route."""
    return (
        list(names)
        if len(names) <= most
        else [*names[: most // 2], f"… {len(names) - 2 * (most // 2)} more …", *names[-(most // 2) :]]
    )


def eight_of(number: float | None) -> str:
    """A number of a table; `none` where there is none."""
    return "none" if number is None else eight(number)


def signed(number: float | None) -> str:
    """The same with a blank where a minus would stand."""
    words = eight_of(number)
    return words if words.startswith("-") else f" {words}"


def ended(number: float | None) -> str:
    """A one-sided slope, maybe infinite."""
    if number is None:
        return " none"
    return signed(number) if abs(number) != float("inf") else " +∞" if number > 0 else "-∞"


def bracketed(formula: str) -> str:
    """A factor as it stands in a product: a sum or a sign in brackets."""
    depth = 0
    for i, sign in enumerate(formula):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and sign in "+-" and (i == 0 or formula[i - 1] == " "):
            return f"({formula})"
    return formula


def many(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' if number != 1 else ''}"


def few(words: str, width: int, most: int, hang: int = 0) -> list[str]:
    """A formula in at most so many lines; a longer one loses lines in its middle."""
    found = folded(words, width, hang)
    if len(found) > most:
        found = [*found[: most - 1], f"{' ' * hang}… {found[-1].strip()}"]
    return [line if columns(line) <= width else fitted(line, width) for line in found]
