"""Which names in a list of words are functions: those before a bracket, and those that the program defines.

A name directly before a bracket that is no function is a product only where the name has a meaning of its own, or is a
single letter: `x(x+3)`, `2pi(r+h)`. Everything else is an unknown function.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from autodiff.errors import AutodiffError, Span, quoted, shortened
from autodiff.language.ast import CONSTANTS, TRAINING_CALLS, Reading
from autodiff.language.synonyms import ALIASES, CONDITIONAL, meant
from autodiff.language.token import CLOSES, ENDS_OPERAND, Token

_USUAL_FUNCTIONS = frozenset("fghFGH")
"""Letters that stand for a function by custom, so that f(x) is no product of an input f."""

_STARTS_OPERAND = frozenset({"NUMBER", "NAME", "FUNC", "ROOT", "FRACTION", "BAR"})
"""What may follow a function whose brackets are missing."""

_JOINS = frozenset({"ADDITIVE", "MULTIPLICATIVE", "POWER", "COMPARE", "AND", "OR"})
"""Operators that continue the line before them."""


def resolve(
    words: Sequence[Token],
    text: str,
    functions: Collection[str],
    given: Collection[str] = (),
    readings: list[Reading] | None = None,
) -> None:
    """Make each word a NAME or a FUNC; names in `given` have a value.

    Raises AutodiffError for a call of an unknown function, and a definition of one of `functions`.
    """
    assigned, defined = _targets(words) if "=" in text else (set[str](), set[str]())
    for word in words if defined else ():
        if word.type == "NAME" and word.text in defined:
            word.type = "FUNC"
    known = assigned.union(given) if given else assigned
    said = list[Reading]() if readings is None else readings
    kinds = [word.type for word in words]
    for place in [i for i, kind in enumerate(kinds) if kind == "NAME" and words[i].text in ALIASES]:
        _use_alias(words[place], known, functions, said, called=_call_kind(kinds, place) != "NAME")
        kinds[place] = words[place].type
    if "ELSE" in kinds:
        _choose(words, kinds)
    if "PERCENT" in kinds:
        _divide(words, kinds, said)
    for place in [i for i, kind in enumerate(kinds) if kind == "FUNC"]:
        word = words[place]
        kind = _call_kind(kinds, place)
        if kind == "APPLIED" and word.text in known and word.text not in defined:
            kind = "NAME"
        elif kind == "NAME" and word.text in defined:
            kind = "FUNC"
        word.type = kinds[place] = kind
        if kind == "FUNC" and word.text in known and word.text not in defined:
            said.append(Reading(f"{word}(…)", f"the function {word}, not the value of that name", word.span))
        elif kind == "NAME" and word.text not in known and _like_a_sign(words, place):
            after = words[place + 2].text
            said.append(Reading(f"{word} -{after}", f"a difference, {word} - {after}", word.span))
    _check_products(words, kinds, text, functions, known, said)


def _use_alias(
    word: Token, known: Collection[str], functions: Collection[str], said: list[Reading], *, called: bool
) -> None:
    """Make a name of another school or library the function's name here, where it is called."""
    if called and word.text not in known and ALIASES[word.text] in {*functions, "^"}:
        meaning = ALIASES[word.text]
        if meaning != "^":
            said.append(Reading(word.text, meaning, word.span))
        word.type, word.text = "FUNC", meaning


def _choose(words: Sequence[Token], kinds: list[str]) -> None:
    """Make `if` behind an operand the sign of `a if c else b`."""
    for place, word in enumerate(words):
        if word.text == CONDITIONAL and place and kinds[place - 1] in ENDS_OPERAND:
            word.type = kinds[place] = "IF"


def _divide(words: Sequence[Token], kinds: list[str], said: list[Reading]) -> None:
    """Make `%` before an operand the sign of a remainder."""
    for place in [i for i, kind in enumerate(kinds) if kind == "PERCENT"]:
        after = (*kinds[place + 1 : place + 2], "")[0]
        word = words[place]
        if after == "LPAR" or after in _STARTS_OPERAND:
            word.type = kinds[place] = "MULTIPLICATIVE"
            said.append(Reading("%", "the remainder, mod(u, v)", word.span))
        elif after == "ADDITIVE":
            said.append(Reading("%", "a hundredth, u/100", word.span))


def _like_a_sign(words: Sequence[Token], place: int) -> bool:
    """Whether the function's name at `place` stands before a signed operand: `sin -x`."""
    if place + 2 >= len(words) or words[place + 1].type != "ADDITIVE":
        return False
    sign = words[place + 1].span
    return words[place].span[1] < sign[0] and sign[1] == words[place + 2].span[0]


def _targets(words: Sequence[Token]) -> tuple[set[str], set[str]]:
    """The names that have a meaning by an assignment or as a parameter, and the functions that are defined."""
    assigned, defined = set[str](), set[str]()
    start, searching = 0, True
    for i, word in enumerate(words):
        if word.type == "SEP":
            start, searching = i + 1, True
        elif word.type == "EQUAL" and searching:
            searching = False
            target = words[start]
            if target.type not in ("NAME", "FUNC"):
                continue
            if i == start + 1:
                assigned.add(target.text)
            elif _one_call(words[start + 1 : i]):
                if target.type == "FUNC":
                    raise AutodiffError(
                        f"{target} is a built-in function and can't be defined again",
                        span=target.span,
                        hint="choose another name",
                    )
                defined.add(target.text)
                assigned.update(parameter.text for parameter in words[start + 1 : i] if parameter.type == "NAME")
    return assigned, defined


def _one_call(words: Sequence[Token]) -> bool:
    """Whether these words are one pair of brackets and what is in it."""
    kinds = [w.type for w in words]
    return len(words) > 1 and kinds[0] == "LPAR" and kinds[-1] == "RPAR" and "LPAR" not in kinds[1:]


def _call_kind(kinds: Sequence[str], place: int) -> str:
    """FUNC where its argument in brackets follows the function's name, APPLIED where it has none, else NAME."""
    after = (*kinds[place + 1 : place + 7], *["$END"] * 6)
    argument, raised = after[0], after[0] in ("POWER", "SUPERSCRIPT")
    if after[0] == "SUPERSCRIPT":
        argument = after[1]
    elif after[0] == "POWER" and after[1] == "LPAR":
        signed = int(after[2] == "ADDITIVE")
        if after[2 + signed : 4 + signed] != ("NUMBER", "RPAR"):
            return "NAME"
        return "FUNC" if after[4 + signed] == "LPAR" or after[4 + signed] in _STARTS_OPERAND else "NAME"
    elif after[0] == "POWER":
        signed = int(after[1] == "ADDITIVE")
        if after[1 + signed] not in ("NUMBER", "NAME"):
            return "NAME"
        argument = after[2 + signed]
        if after[1 + signed] == "NAME":  # sin^n(x) is refused
            return "FUNC" if argument == "LPAR" or argument in _STARTS_OPERAND else "NAME"
    if argument == "LPAR":
        return "FUNC"
    if argument == "BAR" and raised:
        return "NAME"
    return "APPLIED" if argument in _STARTS_OPERAND else "NAME"


def _check_products(
    words: Sequence[Token],
    kinds: Sequence[str],
    text: str,
    functions: Collection[str],
    known: Collection[str],
    readings: list[Reading],
) -> None:
    """Raise AutodiffError for a name before a bracket that is no factor; note the letters that are nothing else."""
    doubtful: dict[str, int] = {}
    for place, (kind, after) in enumerate(pairwise(kinds)):
        if kind == "NAME" and after == "LPAR":
            word = words[place]
            if word.text in CONSTANTS or word.text in known:
                continue
            if len(word.text) > 1 or word.text in _USUAL_FUNCTIONS:
                raise _unknown(word, functions)
            if place == 0 or kinds[place - 1] != "POWER":
                doubtful.setdefault(word.text, place)
        elif kind == "MULTIPLICATIVE" and after == "NAME" and words[place].text == "/":
            _check_differentials(words, place, text, known)
    if not doubtful:
        return
    for place, word in enumerate(words):
        if word.text in doubtful and kinds[place] == "NAME" and (*kinds[place + 1 : place + 2], "")[0] != "LPAR":
            del doubtful[word.text]
    for name, place in doubtful.items():
        start, opened = words[place].span[0], words[place + 1].span[0]
        end = words[_partner(words, place + 1)].span[1]
        readings.append(
            Reading(shortened(text[start:end], 60), f"{name}*{shortened(text[opened:end], 60)}", (start, end))
        )


def _check_differentials(words: Sequence[Token], place: int, text: str, known: Collection[str]) -> None:
    """Raise AutodiffError for a derivative written as a quotient at `place`: `dy/dx`, `d(x^2)/dx`, `d/dx x^2`."""
    below, start = words[place + 1], place - 1
    if below.text in known or len(below.text) != 2 or below.text[0] != "d" or not below.text.isalpha():
        return
    if words[start].type == "RPAR":
        depth = 1
        while depth and start > 0:
            start -= 1
            depth += (words[start].type in CLOSES) - (words[start].type in CLOSES.values())
        start -= 1
    above = words[start].text if start >= 0 else ""
    plain = start == place - 1
    if not above.startswith("d") or above in known or len(above) > 1 + plain or not above.isalpha():
        return
    rest = text[below.span[1] :].strip() if plain else text[words[start].span[1] : words[place].span[0]].strip()
    program = rest.strip("[]() ") if len(above) == 1 and rest else "PROGRAM"
    raise AutodiffError(
        f"a derivative is no part of a program: {quoted(text[words[start].span[0] : below.span[1]])}",
        span=(words[start].span[0], below.span[1]),
        hint=f'it is asked for by a command: autodiff diff "{shortened(program)}" --wrt {below.text[1]}',
    )


def of_training(name: str, span: Span) -> AutodiffError:
    """The error for a call that only training knows."""
    return AutodiffError(
        f"{name}(…) stands in programs of autodiff train and autodiff predict only",
        span=span,
        hint="it is about the rows of a table: autodiff help train",
    )


def _unknown(word: Token, functions: Collection[str]) -> AutodiffError:
    if word.text in TRAINING_CALLS or word.text == "columns":
        return of_training(word.text, word.span)
    near, short = meant(word.text, functions), shortened(word.text, 20)
    define = f"did you mean {near}?" if near else f"define it: {short}(t) = …;"
    return AutodiffError(
        f"unknown function {quoted(word.text)}",
        span=word.span,
        hint=f"{define} {'F' if near else 'f'}or a product write {short}*(…)",
    )


def _partner(words: Sequence[Token], opened: int) -> int:
    """The place of the bracket that closes the one at `opened`."""
    depth = 0
    for place in range(opened, len(words)):
        depth += (words[place].type in CLOSES.values()) - (words[place].type in CLOSES)
        if depth == 0:
            return place
    raise AssertionError("brackets are matched before")


def continued(words: list[Token], text: str, readings: list[Reading] | None) -> list[Token]:
    """The words without a newline before an operator: such a line belongs to the one before.

    Behind an assignment, a line that begins with a minus sign is a statement of its own.
    """
    dropped: set[Token] = set()
    for start, end, assigns in _gaps(words):
        operator = words[end]
        if operator.type not in _JOINS:
            continue
        additive = operator.type == "ADDITIVE"
        apart = additive and assigns and operator.text != "+"
        if not apart:
            dropped.update(words[start:end])
        if additive and readings is not None:
            last = operator.span[0]
            line = (text[last:].splitlines() or [""])[0] if len(text) - last < 1000 else text[last : last + 200]
            meaning = "a statement of its own" if apart else "the rest of the line before"
            readings.append(Reading(shortened(line.partition(";")[0], 60), meaning, (last, last + 1)))
    return [word for word in words if word not in dropped] if dropped else words


def _gaps(words: Sequence[Token]) -> Iterator[tuple[int, int, bool]]:
    """Where newlines alone part two statements: the first of them, the word behind them, and whether an assignment ends."""
    start, assigns, plain = -1, False, True
    for place, word in enumerate(words):
        if word.type == "SEP":
            if start < 0:
                start, plain = place, place > 0 and words[place - 1].type in ENDS_OPERAND
            plain = plain and word.text != ";"
            continue
        if start >= 0:
            if plain:
                yield start, place, assigns
            joined = plain and word.type in _JOINS and not (assigns and word.type == "ADDITIVE" and word.text != "+")
            start, assigns = -1, assigns and joined
        assigns = assigns or word.type == "EQUAL"
