"""Doubtful readings: what a person may read otherwise, and the one meaning that it has.

`1/2x` is read as `(1/2)*x`, `x^1/2` as `(x^1)/2`, `2^3^x` as `2^(3^x)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from typing import Any, TypeAlias, cast

from autodiff.errors import Span, normalised, shortened
from autodiff.language.ast import CONSTANTS, JUXTAPOSITION, Array, Call, Expr, Reading
from autodiff.language.synonyms import (
    ELEMENTARY,
    ENDINGS,
    EXPONENTIALS,
    IMAGINARY,
    NO_NUMBERS,
    PREFIXES,
    QUOTIENTS_OF_UNITS,
    UNITS,
    WORDS,
    called,
    constant_elsewhere,
    factors,
)
from autodiff.language.token import Token


def of_names(tokens: Sequence[Token], known: Set[str], functions: Collection[str]) -> Iterator[Reading]:
    """Names of inputs that a person may have meant as a function, an operator, a product, a unit or a differential."""
    names = {token.text for token in tokens if token.type == "NAME"}
    doubtful = {name for name in names if len(name) > 1 or name in _DOUBTFUL_LETTERS} - known - CONSTANTS.keys()
    capitals = {name for name in names if len(name) == 1 and name.isupper()}
    doubtful -= capitals & IMAGINARY if len(capitals) > 1 else set()  # U = R*I has a current
    if prefixes := doubtful & PREFIXES.keys():
        behind = zip((None, *tokens), tokens, strict=False)
        prefixes -= {token.text for before, token in behind if before is None or before.type != "NUMBER"}
    glued = prefixes | doubtful & ENDINGS.keys() | {name for name in doubtful if _is_power_of_ten(name)}
    units = doubtful & UNITS.keys() | (names - known) & QUOTIENTS_OF_UNITS.keys()
    products = {name: "*".join(w) for name in doubtful if len(name) > 1 and (w := factors(name, names))}
    for place, token in enumerate(tokens) if glued or units else ():
        first, shown = tokens[place - 1] if place else token, ""
        if token.type != "NAME" or token.text not in {*glued, *units}:
            continue
        if token.text in glued:
            shown = _ending(tokens, place) or _prefix(tokens, place)
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
        if name.lower() in functions and name.lower() in ELEMENTARY:
            yield Reading(name, f"an input of that name, not the function {name.lower()}(…)", token.span)
        elif word := WORDS.get(name[0] if name[0] in "ΣΠ" else name) or WORDS.get(name.lower()):
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
        return (
            "a power of ten"
            if _is_power_of_ten(name)
            else ENDINGS.get(name, "")
            if is_float or name not in "fFdD"
            else ""
        )
    first, of_product = place, ("NUMBER", "NAME", "MULTIPLICATIVE")
    while first and place - first < 9 and tokens[first - 1].type in of_product:
        first -= 1
    factors_before = {token.text for token in tokens[first:place]}
    first = first if name == "i" or factors_before & CONSTANTS.keys() else place  # e^(-beta*J) has a coupling
    caller = [token.text for token in tokens[max(0, first - 4) : first] if token.type not in ("ADDITIVE", "LPAR")]
    opened = first > 0 and tokens[first - 1].type in ("LPAR", "ADDITIVE")
    inside = opened and f" {' '.join(caller[-2:])}".endswith(EXPONENTIALS)
    factor = [token.type for token in tokens[max(0, place - 3) : place]] if before.text == "*" else []
    of_number = "NUMBER" in (before.type, *factor[-2:-1]) or factor[:2] == ["NUMBER", "RPAR"]  # sqrt(2)*I
    is_first = place == 0 or before.type in ("ADDITIVE", "LPAR", "EQUAL", "SEP")
    return (
        ENDINGS["i"] if name in IMAGINARY and (inside or of_number or (is_first and _is_factor(tokens, place))) else ""
    )


def _prefix(tokens: Sequence[Token], place: int) -> str:
    """The power of ten that a letter is behind a number in electronics: 4.7k, 10u; "" where it is a name more likely."""
    before, token = tokens[place - 1], tokens[place]
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    is_raised = after is not None and after.type in ("POWER", "SUPERSCRIPT")
    if place == 0 or before.type != "NUMBER" or before.span[1] < token.span[0] or is_raised:
        return ""
    return PREFIXES.get(token.text, "") if len(before.text) > 1 and before.text[0] != "0" else ""


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
    if (
        len(name) != 2
        or not re.fullmatch(r"[a-z][23]", name)
        or not names.isdisjoint(name[0] + digit for digit in "01")
    ):
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


_DOUBTFUL_LETTERS = frozenset("EΣΠ") | {
    name for name in (*ENDINGS, *PREFIXES, *QUOTIENTS_OF_UNITS, "C") if len(name) == 1
}
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
    power = _last_factor(left.children()[0] if _is_sign(left) else left)
    if _has_blank(text, power) and not (_is_called(right) and text[right.span[0]].isalpha()):
        span = power.span[0], right.span[1]
        return _reading(text, span, f"({text[slice(*power.span)]})*{text[slice(*right.span)]}")
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
    if _has_blank(text, base):
        return _reading(text, node.span, f"({text[slice(*base.span)]}){text[base.span[1] : end]}")
    inner = exponent.children()[0] if _is_sign(exponent) else exponent
    quotient = re.match(r"[/⁄∕／÷](?:\d*\.?\d+|\w+|\([\w*]+\))?", text[end : end + 60])
    divisor = quotient[0] if quotient else ""
    shown = start, end + len(divisor)
    if _is_open(inner, "^"):
        signed, power = text[exponent.span[0] : inner.span[0]], text[slice(*inner.span)]
        before = text[start : exponent.span[0]]
        return _reading(text, shown, f"{before}({f'{signed}({power})' if signed else power}){divisor}")
    below, raised = divisor[1:], text[slice(*exponent.span)]
    by_name = (
        (raised.isidentifier() or (isinstance(exponent, Call) and raised[0] not in "([{"))
        and (below.isidentifier() or below.lstrip(".")[:1].isdecimal())  # x^n/m, x^n/2
        and below not in (*CONSTANTS, text[slice(*base.span)], raised)
    )
    by_name = by_name and text[shown[1] : shown[1] + 1] not in tuple("(!")  # x^n/f(x), x^n/k!
    by_name = by_name or (divisor[:1] == "⁄" and raised.isdecimal() and below.isdecimal())  # x^2⁄3
    if (divisor and text[slice(*inner.span)] == "1") or (len(divisor) > 1 and inner is not exponent) or by_name:
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
    if call is not node and brackets and not (len(call.name) == 1 and call.name.isascii()):  # f^2(x) may be f(f(x))
        return None
    arguments = text[call.args[0].span[0] : call.args[-1].span[1]]
    exponent = "" if call is node else text[slice(*node.args[1].span)]
    power = f"^{exponent}" if exponent.isdecimal() else exponent
    return _reading(text, node.span, f"{call.name}({arguments}){power}")


def _of_root(text: str, node: Call) -> Reading | None:
    """A root whose end is doubtful: `√2x`, `√x^2`, `√l/g`."""
    rest = re.match(r"(?:\^|\*\*)?\w+|!|/[^\W\d]\w*(?![\w(])", text[node.span[1] : node.span[1] + 60])
    radicand = text[slice(*node.args[0].span)]
    if rest is None or radicand[0] in "({" or (rest[0][0] == "/" and not radicand.isidentifier()):
        return None
    return _reading(text, (node.span[0], node.span[1] + rest.end()), f"{node.name}({radicand}){rest[0]}")


def _of_postfix(text: str, node: Call) -> Reading | None:
    """A sign behind the bracket of a function with a blank before it: `ln (x)!`."""
    call = node.args[0]
    if not _has_blank(text, call):
        return None
    return _reading(text, node.span, f"({text[slice(*call.span)]}){text[call.span[1] : node.span[1]]}")


def _of_array(text: str, node: Array) -> Reading | None:
    """An array of one number that is a factor, a term or an argument, as in `[x+1]^2`, or of a product with a blank, as in `[x y]`."""
    if len(node.items) != 1 or isinstance(item := node.items[0], Array):
        return None
    start, end = node.span  # a short piece on each side: a long program may have many arrays
    before, after = text[max(0, start - 20) : start].rstrip(), text[end : end + 20].lstrip()[:1]
    if isinstance(item, Call) and item.name == JUXTAPOSITION and text[item.args[0].span[1]].isspace():
        return _reading(text, node.span, "an array of one product, not of two elements")
    if before[-1:] in _FACTORS or after in (*_FACTORS, "[") or (after == ")" and before.endswith(_OF_NUMBERS)):
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
