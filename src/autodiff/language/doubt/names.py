"""Doubtful names: inputs that a person may have meant as a function, an operator, a product, a unit or a differential."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence, Set

from autodiff.language.ast import CONSTANTS, Reading
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
        if token.type != "NAME" or (token.text not in glued and token.text not in units):
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
    texts = [token.text for token in behind]
    below = [texts == ["/", unit] or (apart and texts[:1] == [unit]) for unit in QUOTIENTS_OF_UNITS.get(name, ())]
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
    if len(name) < 3 or not name.isalpha() or max(name) > "ɏ":  # behind it are letters that are not Latin
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
