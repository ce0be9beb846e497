"""Doubtful operators: what a person may read otherwise, and the one meaning that it has.

`1/2x` is read as `(1/2)*x`, `x^1/2` as `(x^1)/2`, `2^3^x` as `2^(3^x)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias, cast

from autodiff.errors import Span, normalised, shortened
from autodiff.language.ast import CONSTANTS, JUXTAPOSITION, Array, Call, Expr, Name, Reading
from autodiff.language.synonyms import ELEMENTARY


def of_operators(text: str, nodes: Iterable[Noted]) -> Iterator[Reading]:
    """What else a person may read otherwise, in the order of the text."""
    for method, node in sorted(nodes, key=lambda noted: (noted[1].span[0], -noted[1].span[1])):
        reading = _OF[method](text, node)
        if reading is not None:
            yield reading


def _piece(text: str, span: Span) -> str:
    """A part of the text; of a long one its ends, which are all that a notice shows: parts may be nested."""
    start, end = span
    return text[start:end] if end - start < 600 else text[start : start + 300] + text[end - 300 : end]


def _reading(text: str, span: Span, meaning: str) -> Reading:
    return Reading(shortened(_piece(text, span), 60), shortened(meaning, 62), span)


def _of_product(text: str, node: Call) -> Reading | None:
    """A product behind a quotient (`1/2x`), or glued to an exponent (`e^2x`)."""
    if node.name != JUXTAPOSITION:
        return None  # a call in LaTeX, as in J_0(x)
    left, right = node.args
    if not text[right.span[0]].isascii() and text[right.span[0]].isnumeric():
        return _reading(
            text, node.span, f"{_piece(text, left.span)}*({normalised(text[right.span[0]]).replace('⁄', '/')})"
        )
    power = _last_factor(left.children()[0] if _is_sign(left) else left)
    if _has_blank(text, power) and not (_is_called(right) and text[right.span[0]].isalpha()):
        span = power.span[0], right.span[1]
        return _reading(text, span, f"({_piece(text, power.span)})*{_piece(text, right.span)}")
    if not (
        _is_open(left, "/") or (_is_open(power, "^") and (_glued(text, power, right) or _goes_on(text, power, right)))
    ):
        return None
    left = left if _is_open(left, "/") else power
    return _reading(text, (left.span[0], right.span[1]), f"({_piece(text, left.span)})*{_piece(text, right.span)}")


def _of_power(text: str, node: Call) -> Reading | None:
    """A power of a power (`2^3^x`), or with the exponent 1 or a signed one before a quotient (`x^1/2`, `e^-x/2`)."""
    base, exponent = node.args
    start, end = node.span
    if not _is_open(node, "^"):
        return None
    if _piece(text, base.span) == "1" and text[max(0, start - 1)] == "-":
        return _reading(text, (start - 1, end), f"-({_piece(text, (start, end))})")
    if _has_blank(text, base):
        return _reading(text, node.span, f"({_piece(text, base.span)}){_piece(text, (base.span[1], end))}")
    inner = exponent.children()[0] if _is_sign(exponent) else exponent
    quotient = re.match(r"[/⁄∕／÷](?:\d*\.?\d+|\w+|\([\w* ]+\))?", text[end : end + 60])
    divisor = quotient[0] if quotient else ""
    shown = start, end + len(divisor)
    if _is_open(inner, "^"):
        signed, power = text[exponent.span[0] : inner.span[0]], _piece(text, inner.span)
        before = _piece(text, (start, exponent.span[0]))
        return _reading(text, shown, f"{before}({f'{signed}({power})' if signed else power}){divisor}")
    below, raised = divisor[1:].strip("()"), _piece(text, exponent.span)
    known = {*CONSTANTS, _piece(text, base.span), raised}
    by_name = (
        (raised.isidentifier() or (isinstance(exponent, Call) and raised[0] not in "([{"))
        and any(part not in known for part in re.findall(r"\d*\.?\d+|\w+", below))  # x^n/m, x^n/2, x^n/(2a)
    )
    by_name = by_name and text[shown[1] : shown[1] + 1] not in tuple("(!")  # x^n/f(x), x^n/k!
    by_name = by_name or (divisor[:1] == "⁄" and raised.isdecimal() and below.isdecimal())  # x^2⁄3
    if (divisor and _piece(text, inner.span) == "1") or (len(divisor) > 1 and inner is not exponent) or by_name:
        return _reading(text, shown, f"({_piece(text, (start, end))}){divisor}")
    if raised[-1] == "!":
        return _reading(text, node.span, f"{_piece(text, (start, exponent.span[0]))}({raised})")
    return None


def _of_applied(text: str, node: Call) -> Reading:
    """A function without brackets: `sin 2x`, `sin x/2`."""
    argument, rest = node.args[0], re.match(r"/\w+|", text[node.span[1] : node.span[1] + 60])
    divisor = rest[0] if rest else ""
    span = node.span[0], node.span[1] + len(divisor)
    return _reading(text, span, f"{node.name}({_piece(text, argument.span)}){divisor}")


def _of_raised(text: str, node: Call) -> Reading | None:
    """An inverse function (`cos^-1(x)`), or a power of a function without brackets (`sin^2 x`)."""
    call = node.args[0] if node.name == "^" and isinstance(node.args[0], Call) else node
    brackets = text[node.span[1] - 1] == ")" and call.args[-1].span[1] < node.span[1]
    if call is not node and brackets and not (len(call.name) == 1 and call.name.isascii()):  # f^2(x) may be f(f(x))
        return None
    arguments = _piece(text, (call.args[0].span[0], call.args[-1].span[1]))
    exponent = "" if call is node else _piece(text, node.args[1].span)
    power = f"^{exponent}" if exponent.isdecimal() else exponent
    return _reading(text, node.span, f"{call.name}({arguments}){power}")


def _of_root(text: str, node: Call) -> Reading | None:
    """A root whose end is doubtful: `√2x`, `√x^2`, `√l/g`, `√x y`."""
    rest = re.match(r"(?:\^|\*\*)?\w+|!|/[^\W\d]\w*(?![\w(])| [^\W\d](?!\w)", text[node.span[1] : node.span[1] + 60])
    radicand = _piece(text, node.args[0].span)
    if rest is None or radicand[0] in "({" or (rest[0][0] in "/ " and not radicand.isidentifier()):
        return None
    return _reading(text, (node.span[0], node.span[1] + rest.end()), f"{node.name}({radicand}){rest[0]}")


def _of_postfix(text: str, node: Call) -> Reading | None:
    """A sign behind the bracket of a function with a blank before it: `ln (x)!`."""
    call = node.args[0]
    if not _has_blank(text, call):
        return None
    return _reading(text, node.span, f"({_piece(text, call.span)}){_piece(text, (call.span[1], node.span[1]))}")


def _of_array(text: str, node: Array) -> Reading | None:
    """An array of one number that is a factor, a term or an argument, as in `[x+1]^2`, or with a blank, as in `[x y]` and `[x -y]`."""
    start, end = node.span  # a short piece on each side: a long program may have many arrays
    for item in node.items:
        if isinstance(item, Call) and item.name in ("+", "-") and len(item.args) == 2:
            first, last = item.name_span
            if text[first - 1].isspace() and not text[last].isspace():
                return _reading(
                    text,
                    item.span,
                    f"one element, {_piece(text, (item.span[0], first - 1))} {text[first]} {_piece(text, (last, item.span[1]))}",
                )
    if len(node.items) != 1 or isinstance(item := node.items[0], Array):
        return None
    before, after = text[max(0, start - 20) : start].rstrip(), text[end : end + 20].lstrip()[:1]
    if isinstance(item, Call) and item.name == JUXTAPOSITION and text[item.args[0].span[1]].isspace():
        return _reading(text, node.span, "an array of one product, not of two elements")
    is_factor = after in (*_FACTORS, "[") or text[end : end + 1] == "(" or text[end : end + 1].isidentifier()
    if before[-1:] in _FACTORS or is_factor or (after == ")" and before.endswith(_OF_NUMBERS)):
        return _reading(text, node.span, "an array of one number, not a bracket")
    return None


Noted: TypeAlias = "tuple[str, Call | Array]"
"""A node, and the method of `Builder` that built it."""

_FACTORS = tuple("*/^+-·×÷²³")
"""Operators of numbers beside a bracket."""

_OF_NUMBERS = tuple(f"{function}(" for function in ELEMENTARY)
"""What stands before a number rather than an array."""

_OF: dict[str, Callable[[str, Any], Reading | None]] = {
    "array": _of_array,
    "juxtaposition": _of_product,
    **dict.fromkeys(("power", "superscript"), _of_power),
    "applied": _of_applied,
    "log_applied": _of_applied,
    "applied_power": _of_raised,
    "call_power": _of_raised,
    "root": _of_root,
    **dict.fromkeys(("factorial", "percent", "degrees"), _of_postfix),
}

DOUBTFUL = frozenset(_OF)
"""The methods of `Builder` that may build what a person reads otherwise."""


def _is_called(node: Expr) -> bool:
    """Whether a node is a call of a function by its name."""
    return isinstance(node, Call) and node.name.isidentifier() and node.span[0] == node.name_span[0]


def _has_blank(text: str, node: Expr) -> bool:
    """Whether a blank stands between a function and its bracket, as in `ln (x+1)` and `sin^2 (x)`."""
    if isinstance(node, Call) and node.name == "^" and node.args[0].span == node.span:
        end = node.args[1].span[1]
        return text[end].isspace() and text[end : end + 20].lstrip()[:1] == "("
    return _is_called(node) and text[cast(Call, node).name_span[1]].isspace()


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


def _goes_on(text: str, power: Expr, right: Expr) -> bool:
    """Whether an exponent that is a name may go on with the next factor: `e^-k t`, `e^k(t-s)`, but not `e^x(x+1)`."""
    exponent = cast(Call, power).args[1]
    inner = exponent.children()[0] if _is_sign(exponent) else exponent
    if not isinstance(inner, Name) or text[exponent.span[0]] in "({":
        return False
    if isinstance(right, Name):
        return inner is not exponent
    is_sum = isinstance(right, Call) and right.name in ("+", "-") and text[right.span[0]] == "("
    return is_sum and inner.name not in re.findall(r"\w+", _piece(text, right.span))


def _glued(text: str, power: Expr, right: Expr) -> bool:
    """Whether a name or function follows the exponent's own digits at once: `e^2x`, `e^2(x+1)`, but not `x²y`, `x^2 y`, `x^2(y)`."""
    base, exponent = cast(Call, power).args
    starts, is_bracket = text[exponent.span[0]], text[right.span[0]] == "("
    return (
        power.span[1] == right.span[0]
        and (not is_bracket or (_piece(text, base.span) == "e" and text[power.span[1] - 1].isdecimal()))
        and starts not in "({"
        and starts not in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
    )
