"""Text to tokens: what the grammar's terminals match, brackets paired, functions distinguished from names.

>>> [token.type for token in tokens("2sin(x)", functions={"sin"})]
['NUMBER', 'FUNC', 'LPAR', 'NAME', 'RPAR']
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, takewhile

from autodiff.errors import AutodiffError, Span, normalised, quoted, shortened
from autodiff.language import name_resolution
from autodiff.language.ast import CONSTANTS, Reading
from autodiff.language.synonyms import in_library
from autodiff.language.tables import tables
from autodiff.language.token import CLOSES, ENDS_OPERAND, Token

_CLOSING = {"LPAR": ")", "LSQB": "]", "BAR": "|"}

_CALLED = frozenset({"NAME", "FUNC"})
"""The tokens before the bracket of a call."""

_PAIRED = frozenset({*CLOSES, *CLOSES.values(), "SEP"})
"""The tokens for which it matters what brackets they are in."""

_JOINS = frozenset({"ADDITIVE", "MULTIPLICATIVE", "POWER", "COMPARE", "AND", "OR"})
"""Operators that continue the line before them."""

_LIBRARY_CONSTANTS = {"PI": "pi", "E": "e"}
"""Constants of a library whose names are others here: Math.PI."""


def tokens(
    text: str, functions: Collection[str], given: Collection[str] = (), readings: list[Reading] | None = None
) -> list[Token]:
    """The tokens of `text`: newlines inside brackets dropped, a NAME that is called made a FUNC.

    Names in `given` have a value. What a person might read otherwise is put into `readings`. Raises AutodiffError for a
    character that belongs to no token, a bracket without its partner, and a call of an unknown function.
    """
    if len(text) > 1 and text[0] in "“„" and text[-1] in "”“":  # of a word processor, around the whole
        text = f" {text[1:-1]} "
    readings = [] if readings is None else readings
    scanned = split(text, functions)
    if "." in text and re.search(r"[A-Za-z]\.[A-Za-z]", text):
        _check_libraries(scanned, text, readings)
    if "|" in text:
        _pair_bars(scanned)
        readings += of_bars(scanned, text, ENDS_OPERAND)
    if ", else" in text:  # as formulas for people have it
        scanned = [
            w for w, after in zip(scanned, [*scanned[1:], None], strict=True) if not _comma_before_else(w, after)
        ]
    if not text.isascii():
        scanned = _pi_apart(scanned, given, readings)
    scanned = _matched(scanned)
    if "\n" in text or "\r" in text:
        scanned = _continued(scanned, text, readings)
    name_resolution.resolve(scanned, text, functions, given, readings)
    return scanned


def _pi_apart(scanned: list[Token], given: Collection[str], readings: list[Reading]) -> list[Token]:
    """The tokens with `πr` as π and r, where the program does not assign that name and it has no value."""
    glued = {token.text for token in scanned if token.type == "NAME" and "π" in token.text[:-1] + token.text[1:]}
    glued -= {token.text for token, after in pairwise(scanned) if after.type == "EQUAL"}
    parted = list[Token]()
    for token in scanned:
        pieces = [piece for piece in re.split("(π)", token.text) if piece]
        if token.text not in glued or token.text in given or not token.text.isalpha():
            parted.append(token)
            continue
        readings.append(Reading(token.text, "*".join(pieces), token.span))
        start, end = token.span
        exact = end - start == len(token.text)
        for piece in pieces:
            end = start + len(piece) if exact else end
            parted.append(Token("NAME", piece, (start, end)))
            start = end if exact else start
    return parted


def _comma_before_else(token: Token, after: Token | None) -> bool:
    return token.type == "COMMA" and after is not None and after.type == "ELSE"


def split(text: str, functions: Collection[str]) -> list[Token]:
    """The tokens of `text`, blanks and comments left out."""
    scanned, meanings, start = list[Token](), _Meanings(functions), 0
    library = False
    for piece in _pattern(text.isascii()).findall(text):
        kind, shown = meanings[piece]
        end = start + len(piece)
        if kind:
            scanned.append(Token(kind, _LIBRARY_CONSTANTS.get(shown, shown) if library else shown, (start, end)))
        elif kind is None:
            raise _refused(text, (start, end))
        start, library = end, not kind and piece[-1] == "."
    return scanned


def _check_libraries(scanned: Sequence[Token], text: str, readings: list[Reading]) -> None:
    """Raise AutodiffError for a name of a library that is not called (np.inf) or is another function there (np.sinc).

    What a function is only for some arguments there is put into `readings`.
    """
    arguments = _arguments(scanned)
    for place, token in enumerate(scanned):
        start = token.span[0]
        if text[start - 1 : start] != "." or not text[start - 2 : start - 1].isalpha():
            continue
        if [other.type for other in scanned[place + 1 : place + 2]] != ["LPAR"]:
            if token.type == "NAME" and token.text not in CONSTANTS:
                raise AutodiffError(
                    f"{quoted(token.text)} of that library is not known here",
                    span=token.span,
                    hint="write its value, such as ln(2)",
                )
            continue
        meaning, refused = in_library(token.text, text[max(0, start - 60) : start], arguments[place + 1])
        if refused:
            raise AutodiffError(
                f"{quoted(token.text)} of that library is another function", span=token.span, hint=f"write {meaning}"
            )
        if meaning:
            readings.append(Reading(f"{token.text}(…)", meaning, token.span))


def _arguments(scanned: Sequence[Token]) -> dict[int, int]:
    """How many arguments stand in each pair of brackets, by the place where it opens."""
    counts, opened = dict[int, int](), list[int]()
    for place, token in enumerate(scanned):
        if token.type in CLOSES.values():
            counts[place] = 1
            opened.append(place)
        elif token.type in CLOSES and opened:
            opened.pop()
        elif token.type == "COMMA" and opened:
            counts[opened[-1]] += 1
    return counts


@lru_cache(maxsize=2)
def _pattern(is_ascii: bool) -> re.Pattern[str]:
    """Tokens, then the symbols of several characters, longest first, and behind them any one character."""
    patterns = tables("autodiff").ascii if is_ascii else tables("autodiff").patterns
    long = sorted((symbol for symbol in tables("autodiff").symbols if len(symbol) > 1), key=len, reverse=True)
    return re.compile("|".join([*patterns.values(), *map(re.escape, long), "(?s:.)"]))


class _Meanings(dict[str, "tuple[str | None, str]"]):
    """What a piece of the text is, and its text as a token: "" for one that means nothing, None for one that is refused.

    A piece is the same wherever it stands, so that a long program is looked at once for each of its names.
    """

    def __init__(self, functions: Collection[str]) -> None:
        self.functions, self.tables = functions, tables("autodiff")

    def __missing__(self, piece: str) -> tuple[str | None, str]:
        kind, shown = self.tables.symbols.get(piece) or _kind(piece), piece
        if kind == "NAME":
            shown = piece if piece.isascii() else normalised(piece)
            plain = "FUNC" if shown in self.functions else "NAME" if shown.isidentifier() else None
            kind = self.tables.keywords.get(piece, plain)
        self[piece] = scanned = "" if kind in self.tables.ignored else kind, shown
        return scanned


def _kind(piece: str) -> str | None:
    """Which of the grammar's tokens a piece is: by its first character, where that settles it."""
    for kind, characters in tables("autodiff").first.items():
        if piece[0] in characters and piece[-1] != ".":  # a name with a point is a library's
            return kind
    seen = f"{piece}a" if piece[-1] == "." else piece
    return next((kind for kind, pattern in tables("autodiff").patterns.items() if re.match(pattern, seen)), None)


def _refused(text: str, span: Span) -> AutodiffError:
    piece = text[slice(*span)]
    if _kind(piece) is None:
        from autodiff.language.diagnostics import stray  # only a mistake needs it

        return stray(text, span[0])
    return AutodiffError(f"{quoted(piece)} is not a name", span=span, hint="use letters, digits and _")


def _pair_bars(scanned: Sequence[Token]) -> None:
    """Mark the bars that end an absolute value: those behind an operand, where the last bracket opened is a bar."""
    opened: list[int] = []
    for place, token in enumerate(scanned):
        before = scanned[place - 1] if place else None
        if opened and token.type == scanned[opened[-1]].type == "BAR" and before and before.type in ENDS_OPERAND:
            token.type = "BAR_END"
        if token.type in CLOSES.values():
            opened.append(place)
        elif opened and CLOSES.get(token.type) == scanned[opened[-1]].type:
            opened.pop()


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


def _matched(scanned: list[Token]) -> list[Token]:
    """Match the brackets; inside them a newline separates nothing."""
    opened: list[Token] = []
    dropped: set[Token] = set()
    for token in [token for token in scanned if token.type in _PAIRED]:
        kind = token.type
        if kind in CLOSES:
            if not opened or opened.pop().type != CLOSES[kind]:
                raise _unpaired(scanned, token)
        elif kind != "SEP":
            opened.append(token)
        elif opened:
            if token.text == ";":
                break
            dropped.add(token)
    if opened:
        hint = f"add a '{_CLOSING[opened[-1].type]}'"
        if len(opened) > 1 and opened[-2].type == "BAR":
            hint = "write `or` for ||"
        elif opened[-1].type == "LSQB" and any(token.text == ";" for token in scanned):
            hint = "elements are separated by commas: [[1, 2], [3, 4]]"
        elif any(token.text == ";" for token in scanned) and scanned[scanned.index(opened[-1]) - 1].type in _CALLED:
            hint += "; arguments are separated by commas, statements by ';'"
        raise AutodiffError(f"this '{opened[-1]}' is never closed", span=opened[-1].span, hint=hint)
    return [token for token in scanned if token not in dropped] if dropped else scanned


def _unpaired(scanned: Iterable[Token], token: Token) -> AutodiffError:
    """The error for the first closing bracket that does not close the last one opened."""
    opened: list[Token] = []
    for other in takewhile(lambda other: other is not token, scanned):
        if other.type in CLOSES:
            opened.pop()
        elif other.type in CLOSES.values():
            opened.append(other)
    if not opened:
        return AutodiffError(f"this '{token}' closes nothing", span=token.span, hint="remove it, or open one")
    return AutodiffError(
        f"this '{token}' can't close the '{opened[-1]}'", span=token.span, also=(("opened here:", opened[-1].span),)
    )


def _continued(tokens: list[Token], text: str, readings: list[Reading]) -> list[Token]:
    """The tokens without a newline before an operator: such a line belongs to the one before.

    Behind an assignment, a line that begins with a minus sign is a statement of its own.
    """
    dropped: set[Token] = set()
    for start, end, assigns in _gaps(tokens):
        operator = tokens[end]
        if operator.type not in _JOINS:
            continue
        additive = operator.type == "ADDITIVE"
        apart = additive and assigns and operator.text != "+"
        if not apart:
            dropped.update(tokens[start:end])
        if additive:
            last = operator.span[0]
            line = (text[last:].splitlines() or [""])[0] if len(text) - last < 1000 else text[last : last + 200]
            meaning = "a statement of its own" if apart else "the rest of the line before"
            readings.append(Reading(shortened(line.partition(";")[0], 60), meaning, (last, last + 1)))
    return [token for token in tokens if token not in dropped] if dropped else tokens


def _gaps(tokens: Sequence[Token]) -> Iterator[tuple[int, int, bool]]:
    """Where newlines alone part two statements: the first of them, the token behind them, and whether an assignment ends."""
    start, assigns, plain = -1, False, True
    for place, token in enumerate(tokens):
        if token.type == "SEP":
            if start < 0:
                start, plain = place, place > 0 and tokens[place - 1].type in ENDS_OPERAND
            plain = plain and token.text != ";"
            continue
        if start >= 0:
            if plain:
                yield start, place, assigns
            joined = plain and token.type in _JOINS and not (assigns and token.type == "ADDITIVE" and token.text != "+")
            start, assigns = -1, assigns and joined
        assigns = assigns or token.type == "EQUAL"
