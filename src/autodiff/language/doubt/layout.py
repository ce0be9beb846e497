"""Doubtful layouts: what blanks, repeated signs, numbers in brackets and letters that look alike mean to a person."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from autodiff.errors import normalised, shortened
from autodiff.language.ast import CONSTANTS, Reading
from autodiff.language.synonyms import ELEMENTARY
from autodiff.language.token import ENDS_OPERAND, STARTS_OPERAND, Token, partner


def of_values(tokens: Sequence[Token], given: Collection[str]) -> Iterator[Reading]:
    """Names that have a value at the point, in the data or among the parameters, and another in the program.

    A constant gives way to it; what the program assigns does not.
    """
    named = [token for token in tokens if token.type == "NAME" and token.text in given] if given else []
    for name in CONSTANTS.keys() & {token.text for token in named}:
        token = next(token for token in named if token.text == name)
        yield Reading(name, f"the input {name}, not the constant {CONSTANTS[name]!r}", token.span)
    for name, twin in (("pi", "π"), ("π", "pi"), ("tau", "τ"), ("τ", "tau")) if given else ():
        spans = [token.span for token in tokens if token.text == name] if twin in given and name not in given else []
        yield from (
            Reading(name, f"the constant {CONSTANTS[name]!r}, not the input {twin}", span) for span in spans[:1]
        )
    assigned = (
        {
            token.text: token
            for before, token, after in zip([None, *tokens], tokens, tokens[1:], strict=False)
            if after.type == "EQUAL" and token.text in given and (before is None or before.type == "SEP")
        }
        if named
        else {}
    )
    for name, token in assigned.items():
        if sum(other.text == name for other in named) > 1:
            yield Reading(
                name, f"what the program assigns to {name}, not the {name} of the data or the point", token.span
            )


def _of_halves(tokens: Sequence[Token], text: str, given: Collection[str]) -> Iterator[Reading]:
    """`t_1/2`, which is a half-life to many, where no other time is numbered like it."""
    for match in re.finditer(_HALF, text) if "1/2" in text else ():
        name, numbered = match[0][:-2], {*given, *(f"{match[1]}{digit}" for digit in "02")}
        named = [token for token in tokens if token.text == name]
        if name not in given and all(token.text not in numbered for token in tokens) and len(named) == 1:
            yield Reading(match[0], f"({name})/2, not a half-life", named[0].span)
        return  # the first is enough


def _of_signs(tokens: Sequence[Token], given: Collection[str]) -> Iterator[Reading]:
    """Powers and signs that mean something else of matrices and of measured numbers: `A^T`, `A^-1 @ b`, `x +- 1`."""
    is_known = "T" in given
    for place, (sign, after) in enumerate(pairwise(tokens)):
        if not place or not (sign.text == "⁻¹" or after.text in ("T", "-")):
            continue
        before, behind = tokens[place - 1], [token.text for token in tokens[place + 1 : place + 4]]
        end = place + (1 if sign.text == "⁻¹" else 3)
        base = str(before) if before.type == "NAME" else "(…)"
        if before.type not in ENDS_OPERAND or before.text in CONSTANTS:
            continue
        if behind[:1] == ["@"] or (sign.type == "POWER" and behind == ["-", "1", "@"]):
            yield Reading(f"{base}^-1 @", "1/u of each element, not inv(u)", (before.span[0], tokens[end].span[1]))
        elif sign.type == "POWER" and after.text == "T" and not is_known and before.type in ("NAME", "RPAR"):
            is_known = True  # once is enough
            if all((w.text, v.type) != ("T", "EQUAL") for w, v in pairwise(tokens)):
                yield Reading(f"{base}^T", "a power, not transpose(u)", (before.span[0], after.span[1]))
        elif (
            (sign.text, after.text, sign.span[1]) == ("+", "-", after.span[0])
            and len(behind) > 1
            and after.span[1] < tokens[place + 2].span[0]
        ):
            yield Reading("+-", "minus, not an uncertainty", (sign.span[0], after.span[1]))


_HALF = r"(?<![\w.])([tTτ]_?|tau_?)1/2(?![\w.^!(])"

DATE = r"(?<![\w.])(?:\d{4}([-/])(?:0\d|1[0-2])\1[0-3]\d|[0-3]?\d/[01]?\d/(?:19|20)\d\d)(?![\w.])"
"""A date that would be a difference or a quotient: 2024-01-05, 2024/01/05, 5/1/2024."""


def of_layout(tokens: Sequence[Token], text: str, given: Collection[str] = ()) -> Iterator[Reading]:
    """What blanks, signs and letters of a program or a point may mean otherwise; names in `given` have a value."""
    yield from _of_halves(tokens, text, given)
    yield from _of_signs(tokens, given)
    yield from _of_times(tokens, given)
    for token, after in pairwise(tokens):
        if token.type == "NAME" and after.type in STARTS_OPERAND and token.text in ELEMENTARY:
            shown = f"{token} {shortened(after.text, 20)}"
            yield Reading(
                shown, f"a product with the value of {token}, not the function", (token.span[0], after.span[1])
            )
    yield from _of_matrices(tokens)
    if not text.isascii():
        yield from _of_letters(tokens, text)
    code = re.sub(r"#[^\r\n]*", lambda comment: " " * len(comment[0]), text) if "#" in text else text
    for signs, pattern, meaning in _PATTERNS:
        if not any(sign in code for sign in signs):
            continue
        ends = {token.span[1] for token in tokens if token.type in ENDS_OPERAND} if pattern[0] == " " else set()
        for match in re.finditer(pattern, code, re.MULTILINE):
            if pattern[0] != " " or match.start() in ends:
                yield Reading(shortened(match[0].strip(), 60), meaning, match.span())
                break  # the first is enough


_PATTERNS = (
    (("--", "++", "−−", "––"), r"([-+−–])\1+", "signs of the number behind them, not a comment or a step"),
    ("×·⋅∙", r"\d\s*[×·⋅∙]\s*10[-−–‐]\d{1,3}(?![\d.])|\d\.\d+\s*[×·⋅∙]\s*10[1-9]\d?(?![\d.])", "these digits, not a power of ten"),
    ((" (", "\t("), r" [ \t]*\((?:\d+(?:\.\d+)*|[^\W\d_]{3,})\)[ \t]*$", "a factor, not a number or a word beside the formula"),
    ((") ", ". "), r"^[ \t]*(?:\(\d+(?:\.\d+)*\)|\([a-z]\)|\d+\.)[ \t]+(?=[\w(√])", "a factor, not the number of the formula"),
    ("!", r"(?:[^\W\d]\w|\s)!\s*(?!(?:if|else|and|or)\b)(?=[^\W\d])", "a factorial, and a factor behind it"),
    ((")(", ") ("), r"\(\s*[fghFGH](?:\s*[-+*/·]?\s*[fghFGH])+\s*\)\s*\(", "a product, not a function of functions"),
    ("\u200b\u2060\ufeff", "[^\\W\\d][\u200b\u2060\ufeff]+\\w", "two names, with an invisible blank between them"),
    (("-0", "-1", "/0", "/1", "/2"), DATE, "a difference or a quotient, not a date"),
)  # fmt: skip
"""Signs, one of which stands in the text, a pattern, and what its first match means; behind an operand where it begins with a blank."""


def of_points(text: str) -> Iterator[Reading]:
    """Differences in a point that may be a range or a mixed number: `x=3-5`, `x=1-1/2`."""
    for match in re.finditer(r"=\s*(\d[\d.]*[-−–—‐‑]\d[\d.]*(?:/\d+)?)\s*(?=,|$)", text):
        yield Reading(match[1], "a difference, not a range or a mixed number", match.span(1))


def _of_times(tokens: Sequence[Token], given: Collection[str]) -> Iterator[Reading]:
    """An `x` that stands between two factors only, with a blank on each side: `a x b`."""
    for letter in ("x", "X"):
        places = [place for place, token in enumerate(tokens) if token.text == letter]
        if places and letter not in given and all(_is_between(tokens, place) for place in places):
            yield Reading(letter, "an input and a factor, not a sign of multiplication", tokens[places[0]].span)


def _is_between(tokens: Sequence[Token], place: int) -> bool:
    """Whether a token has an operand and a blank on each side."""
    if not 0 < place < len(tokens) - 1:
        return False
    before, token, after = tokens[place - 1 : place + 2]
    return (
        before.type in ENDS_OPERAND
        and (after.type in STARTS_OPERAND or after.type == "LPAR")
        and before.span[1] < token.span[0]
        and token.span[1] < after.span[0]
    )


def _of_matrices(tokens: Sequence[Token]) -> Iterator[Reading]:
    """A product of elements behind a function of matrices, which others mean as that of matrices: `inv(A)*b`."""
    for place, token in enumerate(tokens):
        if token.type == "FUNC" and token.text in _OF_MATRICES:
            end = partner(tokens, place + 1)
            behind = tokens[end + 1 : end + 3]
            if behind and (
                behind[0].type in ("NAME", "FUNC")
                or (len(behind) > 1 and behind[0].text == "*" and behind[1].type in ("NAME", "FUNC"))
            ):
                yield Reading(
                    f"{token}(…)*{behind[-1] if behind[0].text == '*' else behind[0]}",
                    "the product of each element, not u @ v",
                    token.span,
                )
                return  # the first is enough


_OF_MATRICES = frozenset({"inv", "transpose"})
"""Functions whose values are matrices."""


def _of_letters(tokens: Sequence[Token], text: str) -> Iterator[Reading]:
    """Letters that look like those of another name in the text, or unlike what they are: a Cyrillic e, `ϕ` beside `φ`, `ϖ`."""
    names = {token.text: token for token in reversed(tokens) if token.type == "NAME"}
    for name, token in names.items():
        latin = name.translate(_ALIKE)
        if latin != name and (latin in names or latin in CONSTANTS):
            yield Reading(name, f"another name than {latin}: its letters are of another alphabet", token.span)
    for letter in _VARIANTS:
        plain = normalised(letter)
        if letter in text and (plain in text or plain in CONSTANTS):
            place = text.index(letter)
            yield Reading(letter, f"the same name as {plain}", (place, place + 1))


_ALIKE = str.maketrans(
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u0501\u04bb\u051b\u051d\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a"
    "\u041c\u041e\u0420\u0405\u0422\u0425\u0423\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",
    "aceopxyijsdhqwABCEHIJKMOPSTXYABEZHIKMNOPTYXo",
)
_VARIANTS = "ϐϑϕϖϰϱϵ"
"""Greek letters of another shape, which are the same names as the plain ones."""
