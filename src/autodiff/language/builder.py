"""Tokens to nodes: what each rule of the grammar makes of its parts.

>>> Builder().number([Token("NUMBER", "0.5", (0, 3))]).value
0.5
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias, cast

from autodiff.errors import AutodiffError, Span, normalised, quoted, shortened
from autodiff.language.ast import (
    CHAIN,
    CONSTANTS,
    JUXTAPOSITION,
    Array,
    Assign,
    Call,
    Define,
    Expr,
    Expression,
    Index,
    Name,
    Number,
    Statement,
)
from autodiff.language.exact_float import decimal
from autodiff.language.synonyms import INVERSES
from autodiff.language.token import Token
from autodiff.record import Record

SYMBOLS = {
    "**": "^", "≤": "<=", "≥": ">=", "≠": "!=", "%": "mod", **dict.fromkeys("·×∙⋅∗•＊", "*"), **dict.fromkeys("÷∕⁄／", "/"),
    **dict.fromkeys("−–—‐‑－", "-"), "＋": "+", "＾": "^", "ˆ": "^", "√": "sqrt", "∛": "cbrt",
}  # fmt: skip
"""Other spellings of operators."""

_FACTORIAL = "factorial"
_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
Parts: TypeAlias = "list[Any]"
"""Tokens and what has been built of others, as many and of such kinds as the rule says."""


def _across(parts: Parts) -> Span:
    return parts[0].span[0], parts[-1].span[1]


class Builder:
    """One method per alias of the grammar; each gets the parts of its rule, tokens included, and returns a node."""

    def program(self, parts: Parts) -> tuple[Statement, ...]:
        return tuple(p for p in parts if not isinstance(p, Token))

    def bindings(self, parts: Parts) -> tuple[Assign, ...]:
        return tuple(p for p in parts if not isinstance(p, Token))

    def binding(self, parts: Parts) -> Assign:
        name, _, body = parts
        return Assign(Name(name.text, name.span), body, _across(parts))

    def expression(self, parts: Parts) -> Expression:
        return Expression(parts[0], parts[0].span)

    def equation(self, parts: Parts) -> Assign | Define:
        left, body, span = parts[0], parts[2], _across(parts)
        if isinstance(left, Name):
            return Assign(_assignable(left), body, span)
        is_named = isinstance(left, Call) and left.name.isidentifier() and left.span[0] == left.name_span[0]
        if is_named and (
            not left.args or left.name_span[1] <= left.args[0].span[0] < left.args[-1].span[1] < left.span[1]
        ):
            return Define(_assignable(Name(left.name, left.name_span)), _parameters(left), body, span)
        raise AutodiffError(
            "only a name, or a function of names such as f(t), can stand left of '='",
            span=left.span,
            hint="to compare two numbers, write ==",
        )

    def binary(self, parts: Parts) -> Call:
        left, symbol, right = parts
        span = left.span[0], right.span[1]
        return Call(SYMBOLS.get(symbol.text, symbol.text), (left, right), span, symbol.span)

    power = binary

    def unary(self, parts: Parts) -> Call:
        symbol, operand = parts
        return Call(SYMBOLS.get(symbol.text, symbol.text), (operand,), _across(parts), symbol.span)

    def chain(self, parts: Parts) -> Call:
        links = tuple(self.binary(parts[i : i + 3]) for i in range(0, len(parts) - 2, 2))
        return links[0] if len(links) == 1 else Call(CHAIN, links, _across(parts), _across(parts))

    def juxtaposition(self, parts: Parts) -> Call:
        left, right = parts
        if isinstance(left, Number) and right.span[1] - right.span[0] == 1 and isinstance(right, Call):
            raise AutodiffError(
                "a number before a fraction may be a mixed number or a product",
                span=_across(parts),
                hint="write 1½ without a blank, or 1*½",
            )
        return Call(JUXTAPOSITION, tuple(parts), _across(parts), _across(parts))

    def superscript(self, parts: Parts) -> Call:
        base, raised = parts
        return Call(
            "^", (base, Number(float(raised.text.translate(_DIGITS)), raised.span)), _across(parts), raised.span
        )

    def conditional(self, parts: Parts) -> Call:
        value, sign, condition, _, otherwise = parts
        return Call("if", (condition, value, otherwise), _across(parts), sign.span)

    def ternary(self, parts: Parts) -> Call:
        condition, sign, value, _, otherwise = parts
        return Call("if", (condition, value, otherwise), _across(parts), sign.span)

    def absolute(self, parts: Parts) -> Call:
        return Call("abs", (parts[1],), _across(parts), _across(parts))

    def root(self, parts: Parts) -> Call:
        symbol, radicand = parts
        return Call(SYMBOLS[symbol.text], (radicand,), _across(parts), symbol.span)

    def factorial(self, parts: Parts) -> Call:
        number, symbol = parts
        if isinstance(number, Call) and number.name == _FACTORIAL and number.name_span[1] == number.span[1]:
            raise AutodiffError(
                "n!! is the double factorial, which is not known here",
                span=_across(parts),
                hint="for the factorial of a factorial write (n!)!",
            )
        return Call(_FACTORIAL, (number,), _across(parts), symbol.span)

    def percent(self, parts: Parts) -> Call:
        number, symbol = parts
        return Call("/", (number, Number(100.0, symbol.span)), _across(parts), symbol.span)

    def degrees(self, parts: Parts) -> Call:
        number, symbol = parts
        return Call("rad", (number,), _across(parts), symbol.span)

    def number(self, parts: Parts) -> Expr:
        token = parts[0]
        if not token.text.isascii() and "/" in (fraction := normalised(token.text[-1]).replace("⁄", "/")):
            top, bottom = map(int, fraction.split("/"))
            whole = _value(Token("NUMBER", token.text[:-1], token.span)) if len(token.text) > 1 else 0.0
            start = token.span[0], token.span[0]
            parted = Number(whole * bottom + top, start), Number(float(bottom), start)
            return Call("/", parted, token.span, token.span)
        return Number(_value(token), token.span)

    def name(self, parts: Parts) -> Name:
        return Name(parts[0].text, parts[0].span)

    def bracket(self, parts: Parts) -> Expr:
        opened, inner, closed = parts
        inner.span = opened.span[0], closed.span[1]  # this node has no other user yet
        return cast(Expr, inner)

    def array(self, parts: Parts) -> Array:
        opened, items, closed = parts
        if not items:
            raise AutodiffError("an array needs at least one element", span=_across([opened, closed]))
        return Array(items, _across([opened, closed]))

    def index(self, parts: Parts) -> Expr:
        base, opened, places, closed = parts
        if not places:
            raise AutodiffError("an index is missing", span=_across([opened, closed]), hint="write for example x[0]")
        span = _across([base, closed])
        if not any(isinstance(place, _Range) for place in places):
            return Index(base, places, span)
        for axis, place in reversed([*enumerate(places)]):  # the last axis first: the others keep their numbers
            if not isinstance(place, _Range):
                base = Call("take", (base, place, Number(float(axis), place.span)), span, span)
            elif place.start or place.stop:
                start, stop = place.start or Number(0.0, place.span), place.stop or Number(math.inf, place.span)
                base = Call("slice", (base, start, stop, Number(float(axis), place.span)), span, span)
        return cast(Expr, base)

    def range(self, parts: Parts) -> _Range:
        """`1:3`, `1:`, `:3` and `:`; a sign in front counts from the end."""
        colon = next(k for k, part in enumerate(parts) if isinstance(part, Token))
        start, stop = parts[:colon], parts[colon + 1 :]
        return _Range(start[0] if start else None, stop[0] if stop else None, _across(parts))

    def call(self, parts: Parts) -> Call:
        function, _, args, closed = parts
        return Call(function.text, args, _across([function, closed]), function.span)

    def call_power(self, parts: Parts) -> Call:
        """`sin^2(x)` and `sin²(x)`: a power of the call, when the exponent is whole and at least 2; `sin^-1(x)` is asin."""
        function, closed = parts[0], parts[-1]
        return _raised(function, parts[1:-3], parts[-2], _across([function, closed]))

    def applied(self, parts: Parts) -> Call:
        function, argument = parts
        return Call(function.text, (argument,), _across(parts), function.span)

    def applied_power(self, parts: Parts) -> Call:
        """`sin^2 x`."""
        return _raised(parts[0], parts[1:-1], (parts[-1],), _across(parts))

    def items(self, parts: Parts) -> tuple[Expr, ...]:
        return tuple(p for p in parts if not isinstance(p, Token))


class _Range(Record):
    """Places along an axis, from `start` to before `stop`."""

    start: Expr | None
    stop: Expr | None
    span: Span


def _raised(function: Token, exponent: Sequence[Token], args: tuple[Expr, ...], span: Span) -> Call:
    """A power of a call whose exponent stands behind the function's name, or the inverse function for -1."""
    text = "".join(
        SYMBOLS.get(token.text, token.text) for token in exponent if token.type not in ("POWER", "LPAR", "RPAR")
    )
    number = next(token for token in exponent if token.type in ("NUMBER", "SUPERSCRIPT"))
    text = text.translate(_DIGITS)
    power = (
        -_value(Token("NUMBER", text[1:], number.span))
        if text[0] == "-"
        else _value(Token("NUMBER", text, number.span))
    )
    if power == -1 and function.text in INVERSES:
        return Call(INVERSES[function.text], args, span, function.span)
    if power < 2 or power != int(power):
        raise AutodiffError(
            f"{function}^{power:g}(…) is doubtful",
            span=span,
            hint=f"write {function}(…)^({power:g}) for a power; an inverse has a name of its own, such as asin",
        )
    return Call("^", (Call(function.text, args, span, function.span), Number(power, number.span)), span, span)


def _value(token: Token) -> float:
    """The float64 of a number token; anything that only looks like a number is refused with what to write."""
    text = token.text
    value = _decimal(text)
    if value is None:
        raise AutodiffError(f"{quoted(text)} is not a number", span=token.span, hint=_instead(text))
    if value in (math.inf, 0.0) and text.lower().partition("e")[0].strip("0."):
        size = "too small" if value == 0 else "too large"
        raise AutodiffError(
            f"{quoted(text)} is {size} for a 64-bit number",
            span=token.span,
            hint="the range is 5e-324 to 1.7976931348623157e308",
        )
    return value


@lru_cache(maxsize=1024)
def _decimal(text: str) -> float | None:
    text = normalised(text)
    try:
        value = float("" if "_" in text else text)
    except ValueError:
        return None
    return decimal(text, value) if math.isfinite(value) else value


def _instead(text: str) -> str:
    if text[:2].lower() in ("0x", "0b", "0o"):
        return f"numbers are decimal: write {shortened(str(int(text, 0)))}" if len(text) < 20 else "numbers are decimal"
    if "_" in text and _decimal(text.replace("_", "")) is not None:
        return f"write {shortened(text.replace('_', ''))}"
    return "write digits with at most one point, such as 1.5 or 1.5e-3"


def _assignable(name: Name) -> Name:
    if name.name in CONSTANTS:
        raise AutodiffError(
            f"{name.name} is the constant {CONSTANTS[name.name]!r} and can't be given another value",
            span=name.span,
            hint="choose another name",
        )
    return name


def _parameters(call: Call) -> tuple[Name, ...]:
    if not call.args:
        raise AutodiffError(f"{call.name}() has no parameter", span=call.span, hint=f"write {call.name} = … instead")
    seen: dict[str, Name] = {}
    for arg in call.args:
        if not isinstance(arg, Name):
            raise AutodiffError(
                "a parameter must be a name", span=arg.span, hint=f"write for example {call.name}(t) = …"
            )
        if arg.name in seen:
            raise AutodiffError(f"parameter {quoted(arg.name)} stands twice", span=arg.span)
        seen[_assignable(arg).name] = arg
    return tuple(seen.values())
