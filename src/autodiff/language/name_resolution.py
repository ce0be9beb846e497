"""Which names in a list of tokens are functions: those before a bracket, and those that the program defines.

A name directly before a bracket that is no function is a product only where the name has a meaning of its own, or is a
single letter: `x(x+3)`, `2pi(r+h)`. Everything else is an unknown function.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence, Set
from itertools import pairwise

from autodiff.errors import AutodiffError, Span, quoted, shortened
from autodiff.language.ast import CONSTANTS, TRAINING_CALLS, Reading
from autodiff.language.synonyms import ALIASES, CONDITIONAL, ELEMENTARY, SPELT_OUT, meant
from autodiff.language.token import CLOSES, ENDS_OPERAND, Token

_USUAL_FUNCTIONS = frozenset("fghFGH")
"""Letters that stand for a function by custom, so that f(x) is no product of an input f."""

_STARTS_OPERAND = frozenset({"NUMBER", "NAME", "FUNC", "ROOT", "FRACTION", "BAR"})
"""What may follow a function whose brackets are missing."""

_LETTERS = frozenset(map(chr, (*range(ord("A"), ord("z") + 1), *range(0x391, 0x3CA))))
"""Latin and Greek letters, which are names of their own for people who leave the sign of a product out."""

_JOINS = frozenset({"ADDITIVE", "MULTIPLICATIVE", "POWER", "COMPARE", "AND", "OR"})
"""Operators that continue the line before them."""


def resolve(
    tokens: Sequence[Token],
    text: str,
    functions: Collection[str],
    given: Collection[str],
    readings: list[Reading],
) -> None:
    """Make each token a NAME or a FUNC; names in `given` have a value. What may be read otherwise is put into `readings`.

    Raises AutodiffError for a call of an unknown function, and a definition of one of `functions`.
    """
    assigned, defined = _targets(tokens) if "=" in text else (set[str](), set[str]())
    for token in tokens if defined else ():
        if token.type == "NAME" and token.text in defined:
            token.type = "FUNC"
    known = assigned.union(given) if given else assigned
    kinds = [token.type for token in tokens]
    for place in [i for i, kind in enumerate(kinds) if kind == "NAME" and tokens[i].text in ALIASES]:
        _use_alias(tokens[place], known, functions, readings, called=_call_kind(kinds, place) != "NAME")
        kinds[place] = tokens[place].type
    if "ELSE" in kinds:
        _choose(tokens, kinds)
    if "PERCENT" in kinds:
        _divide(tokens, kinds, readings)
    calls = {place: _call_kind(kinds, place) for place, kind in enumerate(kinds) if kind == "FUNC"}
    # σ(…) and √(2π) behind σ: a letter that is also a value is a function before brackets only
    letters = {tokens[place].text for place, kind in calls.items() if kind == "NAME" and len(tokens[place].text) == 1}
    for place, kind in calls.items():
        token = tokens[place]
        if kind == "APPLIED" and (token.text in known or token.text in letters) and token.text not in defined:
            kind = "NAME"
        elif kind == "NAME" and token.text in defined:
            kind = "FUNC"
        token.type = kinds[place] = kind
        if kind == "FUNC" and token.text in known and token.text not in defined:
            readings.append(Reading(f"{token}(…)", f"the function {token}, not the value of that name", token.span))
        elif kind == "NAME" and token.text not in known and _like_a_sign(tokens, place):
            after = tokens[place + 2].text
            readings.append(Reading(f"{token} -{after}", f"a difference, {token} - {after}", token.span))
    _check_products(tokens, kinds, text, functions, known, readings)
    readings += _of_names(tokens, kinds, functions, known)


def _use_alias(
    token: Token, known: Collection[str], functions: Collection[str], readings: list[Reading], *, called: bool
) -> None:
    """Make a name of another school or library the function's name here, where it is called."""
    if called and token.text not in known and ALIASES[token.text] in {*functions, "^"}:
        meaning = ALIASES[token.text]
        if meaning != "^":
            readings.append(Reading(token.text, meaning, token.span))
        token.type, token.text = "FUNC", meaning


def _choose(tokens: Sequence[Token], kinds: list[str]) -> None:
    """Make `if` behind an operand the sign of `a if c else b`."""
    for place, token in enumerate(tokens):
        if token.text == CONDITIONAL and place and kinds[place - 1] in ENDS_OPERAND:
            token.type = kinds[place] = "IF"


def _divide(tokens: Sequence[Token], kinds: list[str], readings: list[Reading]) -> None:
    """Make `%` before an operand the sign of a remainder."""
    for place in [i for i, kind in enumerate(kinds) if kind == "PERCENT"]:
        after = (*kinds[place + 1 : place + 2], "")[0]
        token = tokens[place]
        if after == "LPAR" or after in _STARTS_OPERAND:
            token.type = kinds[place] = "MULTIPLICATIVE"
            readings.append(Reading("%", "the remainder, mod(u, v)", token.span))
        elif after == "ADDITIVE":
            readings.append(Reading("%", "a hundredth, u/100", token.span))


def _like_a_sign(tokens: Sequence[Token], place: int) -> bool:
    """Whether the function's name at `place` stands before a signed operand: `sin -x`."""
    if place + 2 >= len(tokens) or tokens[place + 1].type != "ADDITIVE":
        return False
    sign = tokens[place + 1].span
    return tokens[place].span[1] < sign[0] and sign[1] == tokens[place + 2].span[0]


def _targets(tokens: Sequence[Token]) -> tuple[set[str], set[str]]:
    """The names that have a meaning by an assignment or as a parameter, and the functions that are defined."""
    assigned, defined = set[str](), set[str]()
    start, searching = 0, True
    for i, token in enumerate(tokens):
        if token.type == "SEP":
            start, searching = i + 1, True
        elif token.type == "EQUAL" and searching:
            searching = False
            target = tokens[start]
            if target.type not in ("NAME", "FUNC"):
                continue
            if i == start + 1:
                assigned.add(target.text)
            elif _one_call(tokens[start + 1 : i]):
                if target.type == "FUNC":
                    raise AutodiffError(
                        f"{target} is a built-in function and can't be defined again",
                        span=target.span,
                        hint="choose another name",
                    )
                defined.add(target.text)
                assigned.update(parameter.text for parameter in tokens[start + 1 : i] if parameter.type == "NAME")
    return assigned, defined


def _one_call(tokens: Sequence[Token]) -> bool:
    """Whether these tokens are one pair of brackets and what is in it."""
    kinds = [w.type for w in tokens]
    return len(tokens) > 1 and kinds[0] == "LPAR" and kinds[-1] == "RPAR" and "LPAR" not in kinds[1:]


def _of_names(
    tokens: Sequence[Token], kinds: Sequence[str], functions: Collection[str], known: Set[str]
) -> Iterator[Reading]:
    """Names of inputs that a person may have meant as a function, or as a product."""
    names = {token.text for token in tokens if token.type == "NAME"}
    doubtful = {name for name in names if len(name) > 1} - known - CONSTANTS.keys()
    for place, token in enumerate(tokens) if doubtful else ():
        if token.type != "NAME" or token.text not in doubtful:
            continue
        name, span, after = token.text, token.span, (*kinds[place + 1 : place + 2], "")[0]
        doubtful.remove(name)
        if name in functions and name in ELEMENTARY:
            yield Reading(name, f"an input of that name, not the function {name}(…)", span)
        elif after in ("POWER", "SUPERSCRIPT") and ((name[-1] == "e" and name[:-1] in names) or name == "x10"):
            yield Reading(
                f"{name}^…", f"a power of {name}, not a product with {'e' if name[-1] == 'e' else 10}^…", span
            )
        elif name.lower() in CONSTANTS:
            yield Reading(name, f"an input of that name, not the constant {name.lower()}", span)
        elif len(name) <= 3 and not name.isascii() and _LETTERS.issuperset(name) and name[0] not in "Δδ":
            yield Reading(name, f"one name, not {'*'.join(name)}", span)


def _exponent(kinds: Sequence[str], place: int) -> tuple[int, str]:
    """The place behind an exponent that begins at `place`, and what it is: NUMBER, NAME, BRACKETS, other, or "" for none."""
    if kinds[place : place + 1] == ["SUPERSCRIPT"]:
        return place + 1, "NUMBER"
    if kinds[place : place + 1] != ["POWER"]:
        return place, ""
    opened = kinds[place + 1 : place + 2] == ["LPAR"]
    first = place + 1 + opened
    first += kinds[first : first + 1] == ["ADDITIVE"]
    if opened:
        return first + 2, "BRACKETS" if kinds[first : first + 2] == ["NUMBER", "RPAR"] else "other"
    kind = "".join(kinds[first : first + 1])
    return first + 1, kind if kind in ("NUMBER", "NAME") else "other"


def _call_kind(kinds: Sequence[str], place: int) -> str:
    """FUNC where its argument in brackets follows the function's name, APPLIED where it has none, else NAME."""
    behind, exponent = _exponent(kinds, place + 1)
    argument = "".join(kinds[behind : behind + 1])
    if exponent in ("BRACKETS", "NAME"):  # sin^n(x) is refused
        return "FUNC" if argument == "LPAR" or argument in _STARTS_OPERAND else "NAME"
    if exponent == "other" or (exponent and argument == "BAR"):
        return "NAME"
    if argument == "LPAR":
        return "FUNC"
    return "APPLIED" if argument in _STARTS_OPERAND else "NAME"


def _check_products(
    tokens: Sequence[Token],
    kinds: Sequence[str],
    text: str,
    functions: Collection[str],
    known: Collection[str],
    readings: list[Reading],
) -> None:
    """Raise AutodiffError for a name before a bracket that is no factor; note the letters that are nothing else."""
    doubtful: dict[str, int] = {}
    for place, (kind, after) in enumerate(pairwise(kinds)):
        if kind == "NAME":
            if after != "LPAR":
                if after in ("POWER", "SUPERSCRIPT"):
                    _check_raised(tokens, kinds, place, functions, known, readings)
                continue
            token = tokens[place]
            if token.text in CONSTANTS or token.text in known:
                continue
            if len(token.text) > 1 or token.text in _USUAL_FUNCTIONS:
                raise _unknown(token, functions)
            if place == 0 or kinds[place - 1] != "POWER":
                doubtful.setdefault(token.text, place)
        elif kind == "MULTIPLICATIVE" and after == "NAME" and tokens[place].text == "/":
            _check_differentials(tokens, place, text, known)
    if not doubtful:
        return
    for place, token in enumerate(tokens):
        if token.text in doubtful and kinds[place] == "NAME" and (*kinds[place + 1 : place + 2], "")[0] != "LPAR":
            del doubtful[token.text]
    for name, place in doubtful.items():
        start, opened = tokens[place].span[0], tokens[place + 1].span[0]
        end = tokens[_partner(tokens, place + 1)].span[1]
        readings.append(
            Reading(shortened(text[start:end], 60), f"{name}*{shortened(text[opened:end], 60)}", (start, end))
        )


def _check_raised(
    tokens: Sequence[Token],
    kinds: Sequence[str],
    place: int,
    functions: Collection[str],
    known: Collection[str],
    readings: list[Reading],
) -> None:
    """Raise AutodiffError for `f^-1(x)` with no such function; note `rate^2(x)`, which is a product."""
    token = tokens[place]
    behind, exponent = _exponent(kinds, place + 1)
    if kinds[behind : behind + 1] != ["LPAR"] or exponent not in ("NUMBER", "BRACKETS") or token.text in known:
        return
    if token.text in _USUAL_FUNCTIONS:
        raise _unknown(token, functions)
    if len(token.text) > 1 and token.text not in CONSTANTS:
        readings.append(Reading(f"{token}^n(…)", f"a product, {token}^n*(…)", token.span))


def _check_differentials(tokens: Sequence[Token], place: int, text: str, known: Collection[str]) -> None:
    """Raise AutodiffError for a derivative written as a quotient at `place`: `dy/dx`, `d(x^2)/dx`, `d/dx x^2`."""
    below, start = tokens[place + 1], place - 1
    if below.text in known or len(below.text) != 2 or below.text[0] != "d" or not below.text.isalpha():
        return
    if tokens[start].type == "RPAR":
        depth = 1
        while depth and start > 0:
            start -= 1
            depth += (tokens[start].type in CLOSES) - (tokens[start].type in CLOSES.values())
        start -= 1
    above = tokens[start].text if start >= 0 else ""
    plain = start == place - 1
    if not above.startswith("d") or above in known or len(above) > 1 + plain or not above.isalpha():
        return
    rest = text[below.span[1] :].strip() if plain else text[tokens[start].span[1] : tokens[place].span[0]].strip()
    program = rest.strip("[]() ") if len(above) == 1 and rest else "PROGRAM"
    raise AutodiffError(
        f"a derivative is no part of a program: {quoted(text[tokens[start].span[0] : below.span[1]])}",
        span=(tokens[start].span[0], below.span[1]),
        hint=f'it is asked for by a command: autodiff diff "{shortened(program)}" --wrt {below.text[1]}',
    )


def of_training(name: str, span: Span) -> AutodiffError:
    """The error for a call that only training knows."""
    return AutodiffError(
        f"{name}(…) stands in programs of autodiff train and autodiff predict only",
        span=span,
        hint="it is about the rows of a table: autodiff help train",
    )


def _unknown(token: Token, functions: Collection[str]) -> AutodiffError:
    if token.text in TRAINING_CALLS or token.text == "columns":
        return of_training(token.text, token.span)
    near, short = meant(token.text, functions), shortened(token.text, 20)
    define = f"did you mean {near}?" if near else f"define it: {short}(t) = …;"
    hint = f"{define} {'F' if near else 'f'}or a product write {short}*(…)"
    if token.text.startswith("log_"):
        hint = f"write log(x, {short[4:]}) for the logarithm to base {short[4:]}"
    elif token.text in SPELT_OUT:
        hint = f"write {SPELT_OUT[token.text]}"
    return AutodiffError(f"unknown function {quoted(token.text)}", span=token.span, hint=hint)


def _partner(tokens: Sequence[Token], opened: int) -> int:
    """The place of the bracket that closes the one at `opened`."""
    depth = 0
    for place in range(opened, len(tokens)):
        depth += (tokens[place].type in CLOSES.values()) - (tokens[place].type in CLOSES)
        if depth == 0:
            return place
    raise AssertionError("brackets are matched before")


def continued(tokens: list[Token], text: str, readings: list[Reading]) -> list[Token]:
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
