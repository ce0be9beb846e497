r"""A part of a LaTeX formula: its place there, and its text in the first language.

>>> x = Node("x", (), (3, 4), ["x"])
>>> str(Node("abs", (x,), (0, 5), ["abs(", x, ")"]))
'abs(x)'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias, cast

from autodiff.errors import AutodiffError, Span, Translation
from autodiff.language.ast import JUXTAPOSITION, Call, Reading

Text: TypeAlias = "Sequence[Any]"
"""Strings and nodes whose texts stand one behind the other; joined once, when all of them are known."""


SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
"""How tightly a text binds."""


BRACKET = "( )"
"""The name of a node in round brackets, behind which a letter may be called."""


class Node(Call):
    """What LaTeX calls or combines, with its text in the first language and how tightly that binds.

    `slash` is the place of a slash at whose end a further factor is doubtful.
    """

    __slots__ = ("level", "slash", "written")

    def __init__(
        self,
        name: str,
        args: tuple[Node, ...],
        span: Span,
        written: Text,
        level: int = ATOM,
        *,
        name_span: Span = (-1, -1),
        slash: Span | None = None,
    ) -> None:
        super().__init__(name, args, span, name_span)
        self.written: Final = written
        self.level: Final = level
        self.slash: Final = slash

    def parts(self) -> tuple[Node, ...]:
        return cast("tuple[Node, ...]", self.args)

    def within(self, level: int) -> Text:
        """The text, in brackets where it binds less tightly than `level`."""
        return [self] if self.level >= level else ["(", self, ")"]

    def of_span(self, span: Span, name: str) -> Node:
        """The same text for a longer piece of the LaTeX, which has brackets around this one."""
        return Node(name, (self,), span, [self], self.level)

    def __str__(self) -> str:
        return str(translation([self], "", []))


def translation(text: Text, formula: str, readings: list[Reading]) -> Translation:
    """The text of all its parts, which knows the place of each node in the `formula`."""
    pieces, places, end = list[str](), list[tuple[int, int, Span]](), 0
    stack: list[Any] = [*reversed(text)]
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            pieces.append(part)
            end += len(part)
        elif isinstance(part, Node):
            stack += [(end, part.span), *reversed(part.written)]
        else:
            start, span = part
            places.append((start, end, span))
    return Translation("".join(pieces), formula, places, readings)


def check_argument(argument: Node) -> None:
    """Raise AutodiffError where behind the first factor of an argument without brackets stands a bracket or a power of e."""
    node = argument
    while node.name == JUXTAPOSITION or node is argument:
        factor = node.parts()[-1] if node.name == JUXTAPOSITION else node
        base = factor.parts()[0] if factor.name == "^" else factor
        if (base.name == BRACKET and (factor is not argument or not base.args)) or (
            base.name == "e" != factor.name and node is not factor
        ):
            raise AutodiffError(
                "what stands behind the argument of a function without brackets may be its factor",
                span=factor.span,
                hint=r"write \sin(x) (…), or brackets around the whole argument",
            )
        if node.name != JUXTAPOSITION:
            return
        node = node.parts()[0]
