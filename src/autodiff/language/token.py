"""A token: a piece of the text that is one terminal of the grammar.

>>> Token("NAME", "x", (0, 1))
<NAME 'x' 0:1>
"""

from __future__ import annotations

from autodiff.errors import Span

CLOSES = {"RPAR": "LPAR", "RSQB": "LSQB", "BAR_END": "BAR"}
"""Which bracket each closing one belongs to."""

ENDS_OPERAND = frozenset(
    {"NUMBER", "NAME", "RPAR", "RSQB", "SUPERSCRIPT", "BAR_END", "BANG", "PERCENT", "DEGREE", "FRACTION"}
)
"""What a complete operand may end with."""


class Token:
    """A piece of the text that is one terminal of the grammar; `text` is normalised where it is a name."""

    __slots__ = ("span", "text", "type")

    def __init__(self, kind: str, text: str, span: Span) -> None:
        self.type, self.text, self.span = kind, text, span

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{self.type} {self.text!r} {self.span[0]}:{self.span[1]}>"
