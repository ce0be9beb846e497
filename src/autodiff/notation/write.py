"""One loop that writes an equation in any notation: no recursion, and brackets only where the notation needs them.

A notation says of each equation how tightly it binds and of which pieces it is made. A piece is text, or an argument
with the tightness that it must have there to need no brackets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from autodiff.core.graph import Graph
from autodiff.core.primitive import Primitive

CHOICE = -1
"""How tightly a choice in words binds: it is in brackets wherever it is an argument."""

OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 10)
"""How tightly things bind, loosest first: the levels of the grammar."""

LEVELS: Mapping[tuple[str, int], int] = {
    ("or", 2): OR,
    ("and", 2): AND,
    ("not", 1): NOT,
    **{(name, 2): COMPARISON for name in ("<", "<=", ">", ">=", "==", "!=")},
    ("+", 2): SUM,
    ("-", 2): SUM,
    ("*", 2): PRODUCT,
    ("/", 2): PRODUCT,
    ("-", 1): SIGN,
    ("+", 1): SIGN,
    ("^", 2): POWER,
}
"""The operators; every other row is written as a call."""


class Argument(NamedTuple):
    """An argument in its place, in brackets unless it binds as tightly as `need`.

    `unsigned` asks for brackets around a sign as well: a - (-b). `change` makes other pieces of those that it has.
    """

    node: int
    need: int = 0
    unsigned: bool = False
    change: Callable[[list[str | Argument]], list[str | Argument]] | None = None


def flattened(graph: Graph, row: Primitive, args: tuple[int, ...]) -> tuple[int, ...]:
    """The arguments of a row that folds from the left: max(max(a, b), c) is max(a, b, c)."""
    later: list[int] = []
    while row.variadic and graph.rows[args[0]] is row:
        later.extend(reversed(args[1:]))
        args = graph.args[args[0]]
    return (*args, *reversed(later))


class Notation(Protocol):
    """How equations are written."""

    @property
    def brackets(self) -> tuple[str, str]:
        """The brackets of an argument that binds too loosely."""
        ...

    def name(self, name: str) -> str:
        """A name of the program."""
        ...

    def level(self, graph: Graph, node: int) -> int:
        """How tightly the equation binds."""
        ...

    def pieces(self, graph: Graph, node: int) -> list[str | Argument]:
        """What the equation is made of, from left to right."""
        ...


def write(graph: Graph, root: int, notation: Notation, names: Mapping[int, str] | None = None) -> str:
    """The text of an equation; one of `names`, but for the root itself, is only called by its name."""
    names = names or {}
    out: list[str] = []
    todo: list[str | Argument] = [Argument(root, CHOICE)]
    while todo:
        piece = todo.pop()
        if isinstance(piece, str):
            out.append(piece)
            continue
        node, need, unsigned, change = piece
        if node in names and node != root:
            inner: list[str | Argument] = [notation.name(names[node])]
        else:
            level = notation.level(graph, node)
            inner = notation.pieces(graph, node)
            if level < need or (unsigned and level == SIGN):
                inner = [notation.brackets[0], *inner, notation.brackets[1]]
        todo.extend(reversed(inner if change is None else change(inner)))
    return "".join(out)
