"""The LALR(1) tables of a grammar, which `generate.py` has Lark make ahead of time: a program need not wait for Lark.

>>> tables("autodiff").symbols["<="], tables("autodiff").keywords
('COMPARE', {'else': 'ELSE', 'and': 'AND', 'not': 'NOT', 'or': 'OR'})
"""

from __future__ import annotations

from _codecs import unicode_escape_decode  # `codecs` and `str` would load the codec's module for it
from functools import lru_cache
from os.path import dirname, join
from typing import Final


class Tables:
    """What a lexer and a parser need of a grammar.

    patterns  of all terminals that no list of texts can give, in the order in which they are tried
    ascii     the same for texts of ASCII characters only, which compile in half the time
    first     ASCII characters that settle which of `patterns` begins with them
    symbols   the texts of all other terminals, and what they are; none begins like one of `patterns`
    keywords  names that are terminals of their own, and which
    ignored   terminals that separate others and mean nothing
    start     of each start symbol: the first state, and the one in which it is complete
    rules     origin, number of parts, method of the builder ("": the one part itself, "*": all parts in a list), and
              whether some of its parts are such lists
    states    per state, what to do: at a terminal n > 0, shift it and go to n, or n < 0, reduce by rule ~n; after a
              reduction, the state for its origin; read when it is reached first
    """

    def __init__(self, text: str) -> None:
        self.patterns: Final = dict[str, str]()
        self.ascii: Final = dict[str, str]()
        self.first: Final = dict[str, str]()
        self.symbols: Final = dict[str, str]()
        self.keywords: Final = dict[str, str]()
        self.ignored: Final = set[str]()
        self.start: Final = dict[str, tuple[int, int]]()
        self.rules: Final = list[tuple[str, int, str, bool]]()
        self.states: Final = _States()
        text, *self.states.lines[1:] = text.rstrip("\n").split("\nSTATE")
        text, *sets = text.split("\nSET ")
        for line in sets:
            name, _, self.states.sets[name] = line.partition(" ")
        text, *rules = text.split("\nRULE ")
        for origin, size, method, spliced in (line.split(" ") for line in rules):
            self.rules.append((origin, int(size), method, spliced == "lists"))
        for line in text.split("\n"):
            kind, _, rest = line.partition(" ")
            if kind == "START":
                name, first, last = rest.split()
                self.start[name] = int(first), int(last)
            elif kind == "IGNORED":
                self.ignored.update(rest.split())
            elif kind in ("PATTERN", "ASCII"):
                name, _, self.ascii[name] = rest.partition(" ")
                self.patterns.setdefault(name, self.ascii[name])
            elif kind != "#":
                name, _, text = rest.partition(" ")
                if "\\" in text:
                    text = unicode_escape_decode(text)[0]
                if kind == "FIRST":
                    self.first[name] = text
                else:
                    (self.symbols if kind == "SYMBOL" else self.keywords)[text] = name


class _States(dict[int, dict[str, int]]):
    """The states by their numbers, from 1: a short program reaches a few of them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = [""]
        self.sets = dict[str, str]()

    def __missing__(self, number: int) -> dict[str, int]:
        moves = self.lines[number].split()
        self[number] = state = dict[str, int]()
        for names, move in zip(moves[::2], map(int, moves[1::2]), strict=True):
            if names in self.sets:
                state.update(dict.fromkeys(self.sets[names].split(), move))
            else:
                state[names] = move
        return state


@lru_cache
def tables(grammar: str) -> Tables:
    """The tables of `grammar/NAME.lark`."""
    with open(join(dirname(__file__), f"{grammar}.lalr"), encoding="utf-8") as file:
        return Tables(file.read())
