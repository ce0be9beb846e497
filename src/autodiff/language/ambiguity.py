"""Doubtful readings: what a person may read otherwise, and the one meaning that it has.

`1/2x` is read as `(1/2)*x`, `x^1/2` as `(x^1)/2`, `2^3^x` as `2^(3^x)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence, Set
from itertools import pairwise
from typing import Any, TypeAlias, cast

from autodiff.errors import Span, normalised, shortened
from autodiff.language.ast import CONSTANTS, JUXTAPOSITION, Array, Call, Expr, Reading
from autodiff.language.synonyms import (
    ELEMENTARY,
    ENDINGS,
    EXPONENTIALS,
    NO_NUMBERS,
    QUOTIENTS_OF_UNITS,
    UNITS,
    WORDS,
    called,
    constant_elsewhere,
    factors,
)
from autodiff.language.token import CLOSES, Token


def of_values(tokens: Sequence[Token], given: Collection[str]) -> Iterator[Reading]:
    """Names that have a value at the point, in the data or among the parameters, and another in the program.

    A constant gives way to it; what the program assigns does not.
    """
    named = [token for token in tokens if token.type == "NAME" and token.text in given] if given else []
    for name in CONSTANTS.keys() & {token.text for token in named}:
        token = next(token for token in named if token.text == name)
        yield Reading(name, f"the input {name}, not the constant {CONSTANTS[name]!r}", token.span)
    assigned = (
        {
            token.text: token
            for before, token, after in zip([None, *tokens], tokens, tokens[1:], strict=False)
            if after.type == "EQUAL" and token.type == "NAME" and (before is None or before.type == "SEP")
        }
        if named
        else {}
    )
    for name, token in assigned.items():
        if sum(other.text == name for other in named) > 1:
            yield Reading(
                name, f"what the program assigns to {name}, not the {name} of the data or the point", token.span
            )


def of_bars(tokens: Sequence[Token], text: str, ends: Container[str]) -> Iterator[Reading]:
    """The products `|a|b|c|` that may be `|a*|b|*c|`: an operand stands between two absolute values, which has an end in `ends`."""
    opened: list[int] = []
    ended: dict[int, tuple[int, int]] = {}  # the last absolute value by how many brackets are around it
    for place, token in enumerate(tokens):
        if token.type in _BRACKETS.values():
            opened.append(place)
        elif opened and _BRACKETS.get(token.type) == tokens[opened[-1]].type:
            start = opened.pop()
            if token.type != "BAR_END" or token.text not in _BARS:
                continue
            first, last = ended.get(len(opened), (0, 0))
            if last and _is_operand(tokens[last + 1 : start], ends):
                span = (tokens[first].span[0], token.span[1])
                parts = (span[0], tokens[last].span[1], tokens[start].span[0], span[1])
                yield Reading(text[slice(*span)], "*".join(text[i:j].strip() for i, j in pairwise(parts)), span)
            ended[len(opened)] = (start, place)


_BARS = frozenset({"|", r"\vert"})
"""Bars that may begin or end."""

_BRACKETS = {**CLOSES, "CLOSE": "OPEN", "SET_END": "SET"}
"""Kinds of closing brackets and of those that they close, of LaTeX as well."""


def _is_operand(between: Sequence[Token], ends: Container[str]) -> bool:
    """Whether tokens are a factor on both sides: they are not empty, and no operator is first or last."""
    return (
        bool(between)
        and between[0].text[0] not in "+-*/^<>=!"
        and between[0].type not in ("ADDITIVE", "MULTIPLICATIVE", "POWER")
        and between[-1].type in ends
        and not any(token.type in ("COMMA", "SEP", "EQUAL", "AMPERSAND") for token in between)
    )


def of_names(tokens: Sequence[Token], known: Set[str], functions: Collection[str]) -> Iterator[Reading]:
    """Names of inputs that a person may have meant as a function, an operator, a product, a unit or a differential."""
    names = {token.text for token in tokens if token.type == "NAME"}
    doubtful = {name for name in names if len(name) > 1 or name in _DOUBTFUL_LETTERS} - known - CONSTANTS.keys()
    glued = doubtful & ENDINGS.keys() | {name for name in doubtful if _is_power_of_ten(name)}
    units = doubtful & UNITS.keys() | (names - known) & QUOTIENTS_OF_UNITS.keys()
    products = {name: "*".join(w) for name in doubtful if (w := factors(name, names))}
    for place, token in enumerate(tokens) if glued or units else ():
        first, shown = tokens[place - 1] if place else token, ""
        if token.type != "NAME" or token.text not in {*glued, *units}:
            continue
        if token.text in glued:
            shown = _ending(tokens, place)
        if not shown and token.text in units and first.type in ("NUMBER", "DEGREE"):
            shown = _unit(tokens, place)
        if shown:
            glued.discard(token.text)
            units.discard(token.text)
            doubtful.discard(token.text)
            yield Reading(token.text, f"an input of that name, not {shown}", token.span)
    for before, token, after in zip((None, *tokens), tokens, (*tokens[1:], None), strict=False) if doubtful else ():
        if token.type != "NAME" or token.text not in doubtful:
            continue
        name, power = token.text, "e" if token.text[-1] == "e" else "10"
        doubtful.remove(name)
        raised = after is not None and after.type in ("POWER", "SUPERSCRIPT")
        if name in functions and name in ELEMENTARY:
            yield Reading(name, f"an input of that name, not the function {name}(…)", token.span)
        elif word := WORDS.get(name) or WORDS.get(name.lower()):
            yield Reading(name, f"an input of that name, not {word}", token.span)
        elif name in NO_NUMBERS:
            yield Reading(name, f"an input of that name: {NO_NUMBERS[name]}", token.span)
        elif name[0] == "d" and name[1:] in names:
            yield Reading(name, "an input of that name, not a differential", token.span)
        elif raised and ((power == "e" and (len(name) == 2 or name[:-1] in names)) or name == "x10"):
            yield Reading(f"{name}^…", f"a power of {name}, not a product with {power}^…", token.span)
        elif (constant := constant_elsewhere(name)) and (len(name) > 1 or raised):
            yield Reading(name, f"an input of that name, not the constant {constant}", token.span)
        elif meant := called(name) or products.get(name) or _square(name, names, before, token):
            yield Reading(name, f"one name, not {meant}", token.span)
        elif _is_word(name) and (_in_a_row(token, after) or (before is not None and _in_a_row(before, token))):
            yield Reading(name, "an input of that name, and a factor", token.span)


def _is_power_of_ten(name: str) -> bool:
    """Whether a name is the end of a number: d0 of Fortran's 1.5d0, e3 of 1.5 e3."""
    return name[0] in "dDeE" and name[1:].isdecimal()


def _ending(tokens: Sequence[Token], place: int) -> str:
    """What a name is elsewhere that follows a number at once, as in 2.0f, or a bracket of exp, as in exp(i x); or ""."""
    before, name = tokens[place - 1] if place else tokens[place], tokens[place].text
    if before.type == "NUMBER" and (before.span[1] == tokens[place].span[0] or (name[0] in "eE" and name[1:])):
        is_float = not before.text.isdecimal()
        return "a power of ten" if _is_power_of_ten(name) else ENDINGS[name] if is_float or name not in "fFdD" else ""
    caller = [token.text for token in tokens[max(0, place - 4) : place] if token.type not in ("ADDITIVE", "LPAR")]
    inside = before.type in ("LPAR", "ADDITIVE") and f" {' '.join(caller[-2:])}".endswith(EXPONENTIALS)
    of_number = "NUMBER" in (before.type, tokens[place - 2].type if place > 1 and before.text == "*" else "")
    of_sum = place > 0 and before.type == "ADDITIVE" and _is_factor(tokens, place)
    return ENDINGS["i"] if ENDINGS.get(name) == ENDINGS["i"] and (inside or of_number or of_sum) else ""


def _is_factor(tokens: Sequence[Token], place: int) -> bool:
    """Whether a factor follows, with or without the sign of a product."""
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    return after is not None and (after.text == "*" or after.type in ("NAME", "FUNC", "APPLIED", "LPAR"))


def _unit(tokens: Sequence[Token], place: int) -> str:
    """The unit that a name is behind a number: cm, m/s, or C behind a degree sign; or ""."""
    name, behind = tokens[place].text, tokens[place + 1 : place + 3]
    if tokens[place - 1].type == "DEGREE":
        return "a temperature" if name in ("C", "F") else ""
    apart = tokens[place - 1].span[1] < tokens[place].span[0]
    alone = apart and (not behind or behind[0].type in ("ADDITIVE", "MULTIPLICATIVE", "RPAR", "SEP"))
    below = [[token.text for token in behind] == ["/", unit] for unit in QUOTIENTS_OF_UNITS.get(name, ())]
    return "a unit" if name in UNITS or alone or any(below) else ""


def _square(name: str, names: Set[str], before: Token | None, token: Token) -> str:
    """`x^2` for x2 behind a number or beside x, where no other name is numbered like it; or ""."""
    if not re.fullmatch(r"[a-z][23]", name) or not names.isdisjoint(name[0] + digit for digit in "01"):
        return ""
    behind = before is not None and before.type == "NUMBER" and before.span[1] == token.span[0]
    return f"{name[0]}^{name[1]}" if behind or name[0] in names else ""


def _is_word(name: str) -> bool:
    """Whether a name may be a word of a sentence, and is not that of a Greek letter."""
    if len(name) < 3 or not (name.isalpha() and name.isascii()):
        return False
    import unicodedata  # few names need it

    try:
        return not unicodedata.lookup(f"GREEK SMALL LETTER {name.upper().replace('LAMBDA', 'LAMDA')}")
    except KeyError:
        return True


def _in_a_row(first: Token, second: Token | None) -> bool:
    """Whether two names follow each other, without the sign of the product that they are."""
    return second is not None and first.type == "NAME" and second.type in ("NAME", "FUNC", "APPLIED")


_DOUBTFUL_LETTERS = frozenset("EΣΠ") | {name for name in (*ENDINGS, *QUOTIENTS_OF_UNITS, "C") if len(name) == 1}
"""Letters that are a constant, an operator, a unit or the end of a number elsewhere."""


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
    """A power of a power (`2^3^x`), or with the exponent 1 or a signed one before a quotient (`x^1/2`, `e^-x/2`)."""
    base, exponent = node.args
    start, end = node.span
    if not _is_open(node, "^"):
        return None
    if text[slice(*base.span)] == "1" and text[max(0, start - 1)] == "-":
        return _reading(text, (start - 1, end), f"-({text[start:end]})")
    if isinstance(base, Call) and base.name.isidentifier() and text[base.name_span[1]].isspace():
        return _reading(text, node.span, f"({text[slice(*base.span)]}){text[base.span[1] : end]}")
    inner = exponent.children()[0] if _is_sign(exponent) else exponent
    quotient = re.match(r"/(?:\w+|\([\w*]+\))?", text[end : end + 60])
    divisor = quotient[0] if quotient else ""
    shown = start, end + len(divisor)
    if _is_open(inner, "^"):
        signed, power = text[exponent.span[0] : inner.span[0]], text[slice(*inner.span)]
        before = text[start : exponent.span[0]]
        return _reading(text, shown, f"{before}({f'{signed}({power})' if signed else power}){divisor}")
    if (divisor and text[slice(*inner.span)] == "1") or (len(divisor) > 1 and inner is not exponent):
        return _reading(text, shown, f"({text[start:end]}){divisor}")
    return None


def _of_applied(text: str, node: Call) -> Reading:
    """A function without brackets: `sin 2x`, `sin x/2`."""
    argument, rest = node.args[0], re.match(r"/\w+|", text[node.span[1] : node.span[1] + 60])
    divisor = rest[0] if rest else ""
    span = node.span[0], node.span[1] + len(divisor)
    return _reading(text, span, f"{node.name}({text[slice(*argument.span)]}){divisor}")


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


def _of_array(text: str, node: Array) -> Reading | None:
    """An array of one number that is a factor or a term, as in `[x+1]^2`: round brackets in some schools."""
    start, end = node.span  # a short piece on each side: a long program may have many arrays
    before, after = text[max(0, start - 20) : start].rstrip()[-1:], text[end : end + 20].lstrip()[:1]
    if (
        len(node.items) != 1
        or isinstance(node.items[0], Array)
        or not (before in _FACTORS or after in (*_FACTORS, "["))
    ):
        return None
    return _reading(text, node.span, "an array of one number, not a bracket")


Noted: TypeAlias = "tuple[str, Call | Array]"
"""A node, and the method of `Builder` that built it."""

_FACTORS = tuple("*/^+-·×÷²³")
"""Operators of numbers beside a bracket."""

_OF: dict[str, Callable[[str, Any], Reading | None]] = {
    "array": _of_array,
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
    """Whether a name or function follows the exponent's own digits at once: `e^2x`, `e^2(x+1)`, but not `x²y`, `x^2 y`, `x^2(y)`."""
    base, exponent = cast(Call, power).args
    starts, is_bracket = text[exponent.span[0]], text[right.span[0]] == "("
    return (
        power.span[1] == right.span[0]
        and (not is_bracket or (text[slice(*base.span)] == "e" and text[power.span[1] - 1].isdecimal()))
        and starts not in "({"
        and starts not in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
    )
