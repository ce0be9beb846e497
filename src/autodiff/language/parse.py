"""Text to syntax tree: words, which of them are functions, then the LALR(1) grammar of `grammar/autodiff.lark`.

>>> parse("f(t) = t^2; f(3x)", functions={"sin"}).statements[1].body
<Call f 12:17>
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias, TypeVar, cast

from lark import Lark, Token, UnexpectedCharacters, UnexpectedToken

from autodiff.errors import AutodiffError, Span, nearest, printable, quoted, shortened
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
    Program,
    Reading,
    Statement,
    walk,
)

SYMBOLS = {"**": "^", "·": "*", "×": "*", "÷": "/", "−": "-", "≤": "<=", "≥": ">=", "≠": "!="}
"""Other spellings of operators."""

_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_DECIMAL = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_CLOSES = {"RPAR": "LPAR", "RSQB": "LSQB"}
_ENDS_OPERAND = {"NUMBER", "NAME", "RPAR", "RSQB", "SUPERSCRIPT"}
_STARTS_FACTOR = {"NAME", "FUNC", "LPAR"}


def parse(text: str, functions: Collection[str], *, strict: bool = False) -> Program:
    """The syntax tree of a program in which the names in `functions` are built-in functions.

    With `strict` a doubtful reading such as `1/2x` is an error. Raises AutodiffError for anything that is no program.
    """
    try:
        words = _words(text, functions)
        if not any(w.type != "SEP" for w in words):
            raise AutodiffError("the program is empty", hint='write an expression, such as "sin(x^2)"')
        statements = cast("tuple[Statement, ...]", _feed(words, "program", len(text), functions))
        readings = tuple(_readings(text, statements)) if _juxtaposes(words) else ()
        if strict and readings:
            raise AutodiffError(
                f"doubtful: {readings[0]}", span=readings[0].span, hint="with --strict, write the brackets"
            )
        return Program(text, statements, readings)
    except AutodiffError as error:
        raise error.within(text) from None


def parse_bindings(text: str, functions: Collection[str]) -> tuple[Assign, ...]:
    """`x=4,y=[1,2]` as assignments, in order; their expressions are not yet evaluated."""
    try:
        words = _words(text, functions)
        if not words:
            raise AutodiffError("no NAME=VALUE here", hint="write for example --at x=4,y=pi/2")
        return cast("tuple[Assign, ...]", _feed(words, "bindings", len(text), functions))
    except AutodiffError as error:
        raise error.within(text) from None


# --- words ----------------------------------------------------------------------------------------------------------


def _words(text: str, functions: Collection[str]) -> list[Token]:
    """The words of `text`: newlines inside brackets dropped, names normalised, functions told from names."""
    words = _bracketed(_lex(text))
    defined = {words[i].value for i in _definitions(words)}
    for i in _definitions(words):
        if words[i].value in functions:
            raise AutodiffError(
                f"{words[i]} is a built-in function and can't be defined again",
                span=_span(words[i]),
                hint="choose another name",
            )
    for i, word in enumerate(words):
        if word.type == "NAME" and (word.value in functions or word.value in defined):
            words[i] = word.update(type="FUNC")
    return words


def _lex(text: str) -> Iterable[Token]:
    try:
        for word in _lark().lex(text):
            yield _named(word) if word.type == "NAME" else word
    except UnexpectedCharacters as error:
        raise _stray(text, error.pos_in_stream or 0) from None


def _named(word: Token) -> Token:
    name = unicodedata.normalize("NFKC", word.value)
    if not name.isidentifier():
        raise AutodiffError(f"{quoted(word.value)} is not a name", span=_span(word), hint="use letters, digits and _")
    return word.update(value=name)


def _bracketed(words: Iterable[Token]) -> list[Token]:
    """Match the brackets; inside them a newline separates nothing."""
    kept: list[Token] = []
    opened: list[Token] = []
    for word in words:
        if word.type in ("LPAR", "LSQB"):
            opened.append(word)
        elif word.type in _CLOSES:
            if not opened:
                raise AutodiffError(f"this '{word}' closes nothing", span=_span(word), hint="remove it, or open one")
            if opened[-1].type != _CLOSES[word.type]:
                raise AutodiffError(
                    f"this '{word}' can't close the '{opened[-1]}'",
                    span=_span(word),
                    also=(("opened here:", _span(opened[-1])),),
                )
            opened.pop()
        elif word.type == "SEP" and opened and word != ";":
            continue
        elif word == ";" and opened:
            break
        kept.append(word)
    if opened:
        raise AutodiffError(
            f"this '{opened[-1]}' is never closed",
            span=_span(opened[-1]),
            hint=f"add a '{')' if opened[-1].type == 'LPAR' else ']'}'",
        )
    return kept


def _definitions(words: Sequence[Token]) -> list[int]:
    """Where a statement begins `name(...) =`: the places of the names."""
    found: list[int] = []
    start, looking = 0, True
    for i, word in enumerate(words):
        if word.type == "SEP":
            start, looking = i + 1, True
        elif word.type == "EQUAL" and looking:
            looking = False
            if words[start].type == "NAME" and _one_call(words[start + 1 : i]):
                found.append(start)
    return found


def _one_call(words: Sequence[Token]) -> bool:
    """Whether these words are one pair of brackets and what is in it."""
    kinds = [w.type for w in words]
    return len(words) > 1 and kinds[0] == "LPAR" and kinds[-1] == "RPAR" and "LPAR" not in kinds[1:]


def _juxtaposes(words: Sequence[Token]) -> bool:
    return any(b.type in _STARTS_FACTOR and a.type in _ENDS_OPERAND for a, b in pairwise(words))


# --- the grammar ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _lark() -> Lark:
    return Lark(
        grammar_path().read_text(encoding="utf-8"),
        parser="lalr",
        lexer="basic",
        start=["program", "bindings"],
        keep_all_tokens=True,
        maybe_placeholders=False,
        transformer=_Builder(),
    )


def grammar_path() -> Path:
    """Where `autodiff.lark` is: inside an installed package, or at the top level of a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "grammar", package.parent.parent / "grammar"):
        if (folder / "autodiff.lark").is_file():
            return folder / "autodiff.lark"
    raise AutodiffError("the grammar file is missing from this installation", hint="reinstall autodiff-cli")


def _feed(words: list[Token], start: str, length: int, functions: Collection[str]) -> object:
    """Run the LALR engine over the words; what it builds is what `_Builder` returns."""
    machine = _lark().parse_interactive(start=start)
    position = 0
    try:
        for word in words:
            machine.feed_token(word)
            position += 1
        return machine.feed_token(Token("$END", "", start_pos=length, end_pos=length))
    except UnexpectedToken:
        raise _complaint(words, position, length, functions, start) from None


_Part: TypeAlias = "Token | Expr"
_Node = TypeVar("_Node", Expr, Expr)


def _span(part: _Part) -> Span:
    return (part.start_pos or 0, part.end_pos or 0) if isinstance(part, Token) else part.span


def _across(parts: Sequence[_Part]) -> Span:
    return _span(parts[0])[0], _span(parts[-1])[1]


class _Builder:
    """One method per alias of the grammar; each gets the parts of its rule, words included, and returns a node."""

    def program(self, parts: list[Token | Statement]) -> tuple[Statement, ...]:
        return tuple(p for p in parts if not isinstance(p, Token))

    def bindings(self, parts: list[Token | Assign]) -> tuple[Assign, ...]:
        return tuple(p for p in parts if not isinstance(p, Token))

    def binding(self, parts: list[_Part]) -> Assign:
        target = _assignable(Name(str(parts[0]), _span(parts[0])))
        return Assign(target, cast(Expr, parts[2]), _across(parts))

    def expression(self, parts: list[Expr]) -> Expression:
        return Expression(parts[0], parts[0].span)

    def equation(self, parts: list[_Part]) -> Assign | Define:
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

    def binary(self, parts: list[_Part]) -> Call:
        left, symbol, right = cast("tuple[Expr, Token, Expr]", parts)
        return Call(SYMBOLS.get(symbol, str(symbol)), (left, right), _across(parts), _span(symbol))

    def unary(self, parts: list[_Part]) -> Call:
        symbol, operand = cast("tuple[Token, Expr]", parts)
        return Call(SYMBOLS.get(symbol, str(symbol)), (operand,), _across(parts), _span(symbol))

    def chain(self, parts: list[_Part]) -> Call:
        links = tuple(self.binary(parts[i : i + 3]) for i in range(0, len(parts) - 2, 2))
        return links[0] if len(links) == 1 else Call(CHAIN, links, _across(parts), _across(parts))

    def juxtaposition(self, parts: list[Expr]) -> Call:
        return Call(JUXTAPOSITION, tuple(parts), _across(parts), _across(parts))

    def superscript(self, parts: list[_Part]) -> Call:
        base, raised = cast("tuple[Expr, Token]", parts)
        return Call("^", (base, Number(float(raised.translate(_DIGITS)), _span(raised))), _across(parts), _span(raised))

    def number(self, parts: list[Token]) -> Number:
        return Number(_value(parts[0]), _span(parts[0]))

    def name(self, parts: list[Token]) -> Name:
        return Name(str(parts[0]), _span(parts[0]))

    def bracket(self, parts: list[_Part]) -> Expr:
        return replace(cast(Expr, parts[1]), span=_across(parts))

    def array(self, parts: list[object]) -> Array:
        opened, items, closed = cast("tuple[Token, tuple[Expr, ...], Token]", parts)
        if not items:
            raise AutodiffError("an array needs at least one element", span=_across([opened, closed]))
        return Array(items, _across([opened, closed]))

    def index(self, parts: list[object]) -> Index:
        base, opened, indices, closed = cast("tuple[Expr, Token, tuple[Expr, ...], Token]", parts)
        if not indices:
            raise AutodiffError("an index is missing", span=_across([opened, closed]), hint="write for example x[0]")
        return Index(base, indices, _across([base, closed]))

    def call(self, parts: list[object]) -> Call:
        function, _, args, closed = cast("tuple[Token, Token, tuple[Expr, ...], Token]", parts)
        return Call(str(function), args, _across([function, closed]), _span(function))

    def call_power(self, parts: list[object]) -> Call:
        """`sin^2(x)` and `sin²(x)`: a power of the call, when the exponent is whole and at least 2."""
        function, closed = cast(Token, parts[0]), cast(Token, parts[-1])
        raised, args = cast(Token, parts[-4]), cast("tuple[Expr, ...]", parts[-2])
        exponent = float(raised.translate(_DIGITS)) if raised.type == "SUPERSCRIPT" else _value(raised)
        span = _across([function, closed])
        if exponent < 2 or exponent != int(exponent):
            raise AutodiffError(
                f"{function}^{exponent:g}(…) is doubtful",
                span=span,
                hint=f"write {function}(…)^({exponent:g}) for a power; an inverse has a name of its own, such as asin",
            )
        return Call(
            "^", (Call(str(function), args, span, _span(function)), Number(exponent, _span(raised))), span, span
        )

    def items(self, parts: list[_Part]) -> tuple[Expr, ...]:
        return tuple(p for p in parts if not isinstance(p, Token))


def _value(word: Token) -> float:
    """The float64 of a number word; anything that only looks like a number is refused with what to write."""
    text = str(word)
    if not _DECIMAL.fullmatch(text):
        raise AutodiffError(f"{quoted(text)} is not a number", span=_span(word), hint=_instead(text))
    value = float(text)
    if value in (float("inf"), 0.0) and re.search("[1-9]", re.split("[eE]", text)[0]):
        size = "too small" if value == 0 else "too large"
        raise AutodiffError(
            f"{quoted(text)} is {size} for a 64-bit number",
            span=_span(word),
            hint="the range is 5e-324 to 1.7976931348623157e308",
        )
    return value


def _instead(text: str) -> str:
    if text[:2].lower() in ("0x", "0b", "0o"):
        return f"numbers are decimal: write {shortened(str(int(text, 0)))}" if len(text) < 20 else "numbers are decimal"
    if "_" in text and _DECIMAL.fullmatch(text.replace("_", "")):
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


# --- doubtful readings ------------------------------------------------------------------------------------------------


def _readings(text: str, statements: tuple[Statement, ...]) -> Iterable[Reading]:
    """Juxtapositions that a person may read otherwise: behind a quotient (`1/2x`), glued to an exponent (`e^2x`)."""
    for node in walk(tuple(s.body for s in statements)):
        if isinstance(node, Call) and node.name == JUXTAPOSITION:
            left, right = node.args
            power = _last_factor(left)
            if _is_open(left, "/") or (_is_open(power, "^") and _glued(text, power, right)):
                left = left if _is_open(left, "/") else power
                span = left.span[0], right.span[1]
                meaning = f"({text[slice(*left.span)]})*{text[slice(*right.span)]}"
                yield Reading(shortened(text[slice(*span)], 60), shortened(meaning, 62), span)


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
        power.span[1] == right.span[0] and text[right.span[0]] != "(" and starts != "(" and starts not in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
    )


# --- what was wrong -----------------------------------------------------------------------------------------------------

_STRAY = {
    "|": "write abs(x) for |x|, and `or` for ||",
    "!": "write gamma(n+1) for n!, `!=` for unequal and `not` for a negation",
    "√": "write sqrt(x)",
    "∛": "write cbrt(x)",
    "%": "write mod(x, y) for a remainder, or divide by 100",
    "&": "write `and`",
    "{": "write ( ) around a part",
    "}": "write ( ) around a part",
    "?": "write if(condition, a, b)",
    ":": "a name is assigned with =",
    "'": "derivatives are asked for with --wrt",
    "′": "derivatives are asked for with --wrt",
    '"': "a program is not put in quotes a second time",
    "\\": "LaTeX is not read: write for example a/b, sqrt(x), sin(x)",
    "$": "a variable is a plain name, such as x",
    "°": "angles are radians: write rad(x) to convert degrees",
    "∞": "infinity is not a number here",
    "½": "write 1/2",
    "∂": "derivatives are asked for with --wrt",
    "∫": "this is a derivative calculator",
    "~": "write `not` for a negation",
    "`": "remove it",
    ".": "a number needs a digit, such as 0.5",
    "²": "a superscript stands behind what it raises: x²",
}


def _stray(text: str, at: int) -> AutodiffError:
    shown = text[at] if text[at].isprintable() else printable(text[at])
    return AutodiffError(
        f"'{shown}' has no meaning here", span=(at, at + 1), hint=_STRAY.get(text[at], "remove it"), source=text
    )


_OPERATORS = {"ADDITIVE", "MULTIPLICATIVE", "POWER", "COMPARE", "AND", "OR", "NOT"}
_OPENERS = {"LPAR", "LSQB", "COMMA"}
_FINISHED = {"SEP", "$END"}


def _complaint(words: list[Token], at: int, length: int, functions: Collection[str], start: str) -> AutodiffError:
    """What is wrong at the word that the grammar refused, said by what stands there and around it."""
    edge = [Token("$END", "", start_pos=length, end_pos=length)]
    padded = [Token("SEP", ""), Token("SEP", ""), Token("SEP", ""), *words, *edge, *edge]
    before, found, after = padded[at + 2 : at + 5]
    if found.type in ("COMMA", "RPAR") and (caller := _caller(words, at, found)) is not None:
        near = nearest(caller, functions)
        return AutodiffError(
            f"unknown function {quoted(caller)}",
            span=_span(caller),
            hint=f"did you mean {near}?" if near else f"define it: {shortened(caller, 20)}(t) = …",
        )
    raised = [w for w in padded[at : at + 3] if w.type == "FUNC" and w is not before]
    if raised and before.type in ("POWER", "NUMBER", "SUPERSCRIPT"):
        message, hint = f"{raised[0]} needs its argument in brackets", f"write {raised[0]}(…)^n"
        if before.type == "POWER":
            hint += "; an inverse has a name of its own, such as asin"
    elif start == "bindings" and before.type == "NAME" and found.type in ("COMMA", "$END"):
        message, hint = f"{quoted(before)} has no value", f"write {shortened(before, 20)}=VALUE"
    else:
        message, hint = _said(before, found, after)
    return AutodiffError(message, span=_span(found), hint=hint)


def _caller(words: list[Token], at: int, found: Token) -> Token | None:
    """The name in front of the bracket that this comma, or an empty bracket, belongs to."""
    if found.type == "RPAR" and words[at - 1].type != "LPAR":
        return None
    depth = 0
    for i in range(at - 1, 0, -1):
        depth += (words[i].type in _CLOSES) - (words[i].type in _CLOSES.values())
        if depth < 0:
            return words[i - 1] if words[i].type == "LPAR" and words[i - 1].type == "NAME" else None
    return None


def _said(before: Token, found: Token, after: Token) -> tuple[str, str]:
    """Message and hint, by the refused word and its neighbours; the first that applies."""
    if found.type == "NUMBER" and before.type in _ENDS_OPERAND:
        power = f"write * between them, or {shortened(before, 20)}^{shortened(found, 20)} for a power"
        between = "write an operator between them"
        return (
            f"the number {shortened(found)} can't follow {quoted(before)}",
            power if before.type == "NAME" else between,
        )
    if "FUNC" in (before.type, found.type) and "EQUAL" in (found.type, after.type):
        function = before if before.type == "FUNC" else found
        return f"{function} is a function and can't be given a value", "choose another name"
    if before.type == "FUNC":
        argument = shortened(found, 20) if found.type in ("NAME", "NUMBER") and after.type in _FINISHED else "…"
        return f"{before} needs its argument in brackets", f"write {before}({argument})"
    if found.type == "EQUAL":
        return "'=' gives a name its value, once, at the start of a statement", "to compare, write =="
    if found.type in _FINISHED and before.type in _OPERATORS:
        return f"an operand is missing after '{before}'", "finish the expression"
    if found.type in _FINISHED:
        return f"this ends too early, after {quoted(before)}", "finish the expression"
    if found.type in _CLOSES and before.type in _CLOSES.values():
        return "these brackets are empty", "put an expression between them"
    if found.type in ("RPAR", "RSQB", "COMMA") and before.type in _OPERATORS | _OPENERS:
        return f"an operand is missing between '{before}' and '{found}'", "put an expression between them"
    if found.type == "COMMA":
        meant = "a decimal point is '.', statements are separated by ';'"
        return "a comma only separates the arguments of a function, and array elements", meant
    if found.type in _OPERATORS and before.type in _OPERATORS | _OPENERS | {"SEP", "EQUAL"}:
        equal = "write == for 'equal'" if before.type == "EQUAL" else "put an expression there"
        return f"an operand is missing before '{found}'", equal
    if found.type == "SUPERSCRIPT":
        return f"'{found}' has nothing to raise here", "a superscript stands behind what it raises: x²"
    if found.type == "LSQB":
        return "an array can't follow a factor", "write * between them; x[0] is an index of a name"
    return f"{quoted(found)} can't stand here", "see `autodiff functions` and the README's page of the language"
