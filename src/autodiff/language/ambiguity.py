"""Doubtful readings: what a person may read otherwise, and the one meaning that it has.

`1/2x` is read as `(1/2)*x`, `x^1/2` as `(x^1)/2`, `2^3^x` as `2^(3^x)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeAlias, cast

from autodiff.errors import Span, normalised, shortened
from autodiff.language.ast import CONSTANTS, JUXTAPOSITION, Call, Expr, Reading
from autodiff.language.token import Token


def of_values(tokens: Sequence[Token], given: Collection[str]) -> Iterator[Reading]:
    """Names of constants that have a value at the point, in the data or among the parameters."""
    for name in CONSTANTS.keys() & given:
        token = next((token for token in tokens if token.type == "NAME" and token.text == name), None)
        if token is not None:
            yield Reading(name, f"the value given for {name}, not the constant {CONSTANTS[name]!r}", token.span)


def of_operators(text: str, nodes: Iterable[Noted]) -> Iterator[Reading]:
    """What else a person may read otherwise, in the order of the text."""
    for method, node in sorted(nodes, key=lambda noted: (noted[1].span[0], -noted[1].span[1])):
        reading = _OF[method](text, node)
        if reading is not None:
            yield reading


def _reading(text: str, span: Span, meaning: str) -> Reading:
    return Reading(shortened(text[slice(*span)], 60), shortened(meaning, 62), span)


def _of_product(text: str, node: Call) -> Reading | None:
    """A product behind a quotient (`1/2x`), or glued to an exponent (`e^2x`)."""
    if node.name != JUXTAPOSITION:
        return None  # a call in LaTeX, as in J_0(x)
    left, right = node.args
    if not text[right.span[0]].isascii() and text[right.span[0]].isnumeric():
        return _reading(
            text, node.span, f"{text[slice(*left.span)]}*({normalised(text[right.span[0]]).replace('⁄', '/')})"
        )
    power = _last_factor(left)
    if not (_is_open(left, "/") or (_is_open(power, "^") and _glued(text, power, right))):
        return None
    left = left if _is_open(left, "/") else power
    return _reading(text, (left.span[0], right.span[1]), f"({text[slice(*left.span)]})*{text[slice(*right.span)]}")


def _of_power(text: str, node: Call) -> Reading | None:
    """A power of a power (`2^3^x`, `2^-3^x`), or with an exponent 1 before a quotient (`x^1/2`)."""
    exponent = node.args[1]
    if not _is_open(node, "^"):
        return None
    inner = exponent.children()[0] if _is_sign(exponent) else exponent
    before = text[node.span[0] : exponent.span[0]]
    if _is_open(inner, "^"):
        signed = text[exponent.span[0] : inner.span[0]]
        power = text[slice(*inner.span)]
        return _reading(text, node.span, f"{before}({f'{signed}({power})' if signed else power})")
    if text[slice(*inner.span)] == "1" and text[node.span[1] : node.span[1] + 1] == "/":
        end = node.span[1] + 2
        while end < len(text) and text[end].isalnum():
            end += 1
        return _reading(text, (node.span[0], end), f"({text[slice(*node.span)]}){text[node.span[1] : end]}")
    return None


def _of_applied(text: str, node: Call) -> Reading:
    """A function without brackets: `sin 2x`."""
    argument = node.args[0]
    return _reading(text, node.span, f"{node.name}({text[slice(*argument.span)]})")


def _of_raised(text: str, node: Call) -> Reading | None:
    """An inverse function (`cos^-1(x)`), or a power of a function without brackets (`sin^2 x`)."""
    call = node.args[0] if node.name == "^" and isinstance(node.args[0], Call) else node
    brackets = text[node.span[1] - 1] == ")" and call.args[-1].span[1] < node.span[1]
    if call is not node and brackets:
        return None
    arguments = text[call.args[0].span[0] : call.args[-1].span[1]]
    exponent = "" if call is node else text[slice(*node.args[1].span)]
    power = f"^{exponent}" if exponent.isdecimal() else exponent
    return _reading(text, node.span, f"{call.name}({arguments}){power}")


def _of_root(text: str, node: Call) -> Reading | None:
    """A root whose end is doubtful: `√2x`, `√x^2`."""
    rest = re.match(r"(?:\^|\*\*)?\w+|!", text[node.span[1] : node.span[1] + 60])
    radicand = text[slice(*node.args[0].span)]
    if rest is None or radicand[0] in "({":
        return None
    return _reading(text, (node.span[0], node.span[1] + rest.end()), f"{node.name}({radicand}){rest[0]}")


Noted: TypeAlias = "tuple[str, Call]"
"""A node, and the method of `Builder` that built it."""

_OF: dict[str, Callable[[str, Call], Reading | None]] = {
    "juxtaposition": _of_product,
    "power": _of_power,
    "applied": _of_applied,
    "log_applied": _of_applied,
    "applied_power": _of_raised,
    "call_power": _of_raised,
    "root": _of_root,
}

DOUBTFUL = frozenset(_OF)
"""The methods of `Builder` that may build what a person reads otherwise."""


def _is_sign(node: Expr) -> bool:
    """Whether `node` is a sign with no brackets of its own around it."""
    return isinstance(node, Call) and len(node.args) == 1 and node.span[0] == node.name_span[0] and node.name in "+-"


def _is_open(node: Expr, operator: str) -> bool:
    """Whether `node` is this operator's call with no brackets of its own around it."""
    if not isinstance(node, Call) or node.name != operator or len(node.args) != 2:
        return False
    return node.span == (node.args[0].span[0], node.args[1].span[1])


def _last_factor(node: Expr) -> Expr:
    return node.args[1] if any(_is_open(node, o) for o in ("*", "/", JUXTAPOSITION)) else node  # type: ignore[union-attr]


def _glued(text: str, power: Expr, right: Expr) -> bool:
    """Whether a name or function follows the exponent's own digits at once: `e^2x`, but not `x²y`, `x^2 y`, `x^2(y)`."""
    exponent = cast(Call, power).args[1]
    starts = text[exponent.span[0]]
    return (
        power.span[1] == right.span[0]
        and text[right.span[0]] != "("
        and starts not in "({"
        and starts not in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
    )
