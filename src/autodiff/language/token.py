"""A token: a piece of the text that is one terminal of the grammar.

>>> Token("NAME", "x", (0, 1))
<NAME 'x' 0:1>
"""

from __future__ import annotations

from collections.abc import Sequence

from autodiff.errors import AutodiffError, Span

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


STARTS_OPERAND = frozenset({"NUMBER", "NAME", "FUNC", "ROOT", "FRACTION", "BAR"})
"""What may follow a function whose brackets are missing."""

USUAL_FUNCTIONS = frozenset("fghFGH")
"""Letters that stand for a function by custom, so that f(x) is no product of an input f."""


def exponent_at(kinds: Sequence[str], place: int) -> tuple[int, str]:
    """The place behind an exponent that begins at `place`, and what it is: NUMBER, NAME, BRACKETS, other, or "" for none."""
    if kinds[place : place + 1] == ["SUPERSCRIPT"]:
        return place + 1, "NUMBER"
    if kinds[place : place + 1] != ["POWER"]:
        return place, ""
    opened = kinds[place + 1 : place + 2] == ["LPAR"]
    first = place + 1 + opened
    first += kinds[first : first + 1] == ["ADDITIVE"]
    if opened:
        return first + 2, "BRACKETS" if kinds[first : first + 2] in (["NUMBER", "RPAR"], ["NAME", "RPAR"]) else "other"
    kind = "".join(kinds[first : first + 1])
    return first + 1, kind if kind in ("NUMBER", "NAME") else "other"


def call_kind(kinds: Sequence[str], place: int) -> str:
    """FUNC where its argument in brackets follows the function's name, APPLIED where it has none, else NAME."""
    behind, exponent = exponent_at(kinds, place + 1)
    argument = "".join(kinds[behind : behind + 1])
    if exponent in ("BRACKETS", "NAME"):  # sin^n(x) is refused
        return "FUNC" if argument == "LPAR" or argument in STARTS_OPERAND else "NAME"
    if exponent == "other" or (exponent and argument == "BAR"):
        return "NAME"
    if argument == "LPAR":
        return "FUNC"
    return "APPLIED" if argument in STARTS_OPERAND else "NAME"


def partner(tokens: Sequence[Token], opened: int) -> int:
    """The place of the bracket that closes the one at `opened`."""
    depth = 0
    for place in range(opened, len(tokens)):
        depth += (tokens[place].type in CLOSES.values()) - (tokens[place].type in CLOSES)
        if depth == 0:
            return place
    raise AssertionError("brackets are matched before")


def parts_of_call(kinds: Sequence[str], place: int) -> list[int]:
    """The places of the commas between the arguments of the call at `place` and of its last bracket, not far behind."""
    depth, places = 0, list[int]()
    for behind in range(place + 1, min(len(kinds), place + 200)):
        depth += (kinds[behind] in CLOSES.values()) - (kinds[behind] in CLOSES)
        if depth == 0 or (depth == 1 and kinds[behind] == "COMMA"):
            places.append(behind)
        if depth == 0:
            break
    return places


def targets(tokens: Sequence[Token]) -> tuple[set[str], set[str]]:
    """The names that have a meaning by an assignment or as a parameter, and the functions that are defined."""
    assigned, defined = set[str](), set[str]()
    start, searching = 0, True
    for i, token in enumerate(tokens):
        if token.type == "SEP":
            start, searching = i + 1, True
        elif token.type == "EQUAL" and searching:
            searching = False
            target = tokens[start]
            if target.type not in ("NAME", "FUNC"):
                continue
            if i == start + 1:
                assigned.add(target.text)
            elif _one_call(tokens[start + 1 : i]):
                if target.type == "FUNC":
                    raise AutodiffError(
                        f"{target} is a built-in function and can't be defined again",
                        span=target.span,
                        hint="choose another name",
                    )
                defined.add(target.text)
                assigned.update(parameter.text for parameter in tokens[start + 1 : i] if parameter.type == "NAME")
    return assigned, defined


def _one_call(tokens: Sequence[Token]) -> bool:
    """Whether these tokens are one pair of brackets and what is in it."""
    kinds = [w.type for w in tokens]
    return len(tokens) > 1 and kinds[0] == "LPAR" and kinds[-1] == "RPAR" and "LPAR" not in kinds[1:]
