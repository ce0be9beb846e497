"""Words to nodes: what each rule of the grammar makes of its parts.

>>> Builder().number([Word("NUMBER", "0.5", (0, 3))]).value
0.5
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import TypeAlias, cast

from autodiff.errors import AutodiffError, Span, quoted, shortened
from autodiff.language.syntax import (
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
from autodiff.language.words import Word

SYMBOLS = {"**": "^", "·": "*", "×": "*", "÷": "/", "−": "-", "≤": "<=", "≥": ">=", "≠": "!="}
"""Other spellings of operators."""

_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
Part: TypeAlias = "Word | Expr"


def _across(parts: Sequence[Part]) -> Span:
    return parts[0].span[0], parts[-1].span[1]


class Builder:
    """One method per alias of the grammar; each gets the parts of its rule, words included, and returns a node."""

    def program(self, parts: list[Word | Statement]) -> tuple[Statement, ...]:
        return tuple(p for p in parts if not isinstance(p, Word))

    def bindings(self, parts: list[Word | Assign]) -> tuple[Assign, ...]:
        return tuple(p for p in parts if not isinstance(p, Word))

    def binding(self, parts: list[Part]) -> Assign:
        name, _, body = cast("tuple[Word, Word, Expr]", parts)
        return Assign(_assignable(Name(name.text, name.span)), body, _across(parts))

    def expression(self, parts: list[Expr]) -> Expression:
        return Expression(parts[0], parts[0].span)

    def equation(self, parts: list[Part]) -> Assign | Define:
        left, body, span = cast(Expr, parts[0]), cast(Expr, parts[2]), _across(parts)
        if isinstance(left, Name):
            return Assign(_assignable(left), body, span)
        if isinstance(left, Call) and left.name.isidentifier() and left.span[0] == left.name_span[0]:
            return Define(_assignable(Name(left.name, left.name_span)), _parameters(left), body, span)
        raise AutodiffError(
            "only a name, or a function of names such as f(t), can stand left of '='",
            span=left.span,
            hint="to compare two numbers, write ==",
        )

    def binary(self, parts: list[Part]) -> Call:
        left, symbol, right = cast("tuple[Expr, Word, Expr]", parts)
        return Call(SYMBOLS.get(symbol.text, symbol.text), (left, right), _across(parts), symbol.span)

    def unary(self, parts: list[Part]) -> Call:
        symbol, operand = cast("tuple[Word, Expr]", parts)
        return Call(SYMBOLS.get(symbol.text, symbol.text), (operand,), _across(parts), symbol.span)

    def chain(self, parts: list[Part]) -> Call:
        links = tuple(self.binary(parts[i : i + 3]) for i in range(0, len(parts) - 2, 2))
        return links[0] if len(links) == 1 else Call(CHAIN, links, _across(parts), _across(parts))

    def juxtaposition(self, parts: list[Expr]) -> Call:
        return Call(JUXTAPOSITION, tuple(parts), _across(parts), _across(parts))

    def superscript(self, parts: list[Part]) -> Call:
        base, raised = cast("tuple[Expr, Word]", parts)
        return Call(
            "^", (base, Number(float(raised.text.translate(_DIGITS)), raised.span)), _across(parts), raised.span
        )

    def number(self, parts: list[Word]) -> Number:
        return Number(_value(parts[0]), parts[0].span)

    def name(self, parts: list[Word]) -> Name:
        return Name(parts[0].text, parts[0].span)

    def bracket(self, parts: list[Part]) -> Expr:
        inner = cast(Expr, parts[1])
        inner.span = _across(parts)  # nobody else has this node yet
        return inner

    def array(self, parts: list[object]) -> Array:
        opened, items, closed = cast("tuple[Word, tuple[Expr, ...], Word]", parts)
        if not items:
            raise AutodiffError("an array needs at least one element", span=_across([opened, closed]))
        return Array(items, _across([opened, closed]))

    def index(self, parts: list[object]) -> Index:
        base, opened, indices, closed = cast("tuple[Expr, Word, tuple[Expr, ...], Word]", parts)
        if not indices:
            raise AutodiffError("an index is missing", span=_across([opened, closed]), hint="write for example x[0]")
        return Index(base, indices, _across([base, closed]))

    def call(self, parts: list[object]) -> Call:
        function, _, args, closed = cast("tuple[Word, Word, tuple[Expr, ...], Word]", parts)
        return Call(function.text, args, _across([function, closed]), function.span)

    def call_power(self, parts: list[object]) -> Call:
        """`sin^2(x)` and `sin²(x)`: a power of the call, when the exponent is whole and at least 2."""
        function, closed = cast(Word, parts[0]), cast(Word, parts[-1])
        raised, args = cast(Word, parts[-4]), cast("tuple[Expr, ...]", parts[-2])
        exponent = float(raised.text.translate(_DIGITS)) if raised.type == "SUPERSCRIPT" else _value(raised)
        span = _across([function, closed])
        if exponent < 2 or exponent != int(exponent):
            raise AutodiffError(
                f"{function}^{exponent:g}(…) is doubtful",
                span=span,
                hint=f"write {function}(…)^({exponent:g}) for a power; an inverse has a name of its own, such as asin",
            )
        return Call("^", (Call(function.text, args, span, function.span), Number(exponent, raised.span)), span, span)

    def items(self, parts: list[Part]) -> tuple[Expr, ...]:
        return tuple(p for p in parts if not isinstance(p, Word))


def _value(word: Word) -> float:
    """The float64 of a number word; anything that only looks like a number is refused with what to write."""
    text = word.text
    try:
        value = float("" if "_" in text else text)
    except ValueError:
        raise AutodiffError(f"{quoted(text)} is not a number", span=word.span, hint=_instead(text)) from None
    if value in (float("inf"), 0.0) and re.search("[1-9]", re.split("[eE]", text)[0]):
        size = "too small" if value == 0 else "too large"
        raise AutodiffError(
            f"{quoted(text)} is {size} for a 64-bit number",
            span=word.span,
            hint="the range is 5e-324 to 1.7976931348623157e308",
        )
    return value


def _instead(text: str) -> str:
    if text[:2].lower() in ("0x", "0b", "0o"):
        return f"numbers are decimal: write {shortened(str(int(text, 0)))}" if len(text) < 20 else "numbers are decimal"
    if "_" in text:
        with contextlib.suppress(ValueError):
            float(text.replace("_", ""))
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
