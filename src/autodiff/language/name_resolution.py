"""Which names in a list of tokens are functions: those before a bracket, and those that the program defines.

A name directly before a bracket that is no function is a product only where the name has a meaning of its own, or is a
single letter: `x(x+3)`, `2pi(r+h)`. Everything else is an unknown function.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence, Set
from itertools import pairwise

from autodiff.errors import AutodiffError, quoted, shortened
from autodiff.language.ast import CONSTANTS, Reading
from autodiff.language.derivative_notation import check_differentials
from autodiff.language.doubt.names import of_names
from autodiff.language.synonyms import (
    ALIASES,
    BASE_LAST,
    BETWEEN,
    CONDITIONAL,
    DECADIC,
    DEFINED_TWICE,
    DERIVATIVES,
    GREEK,
    NATURAL,
    meant,
)
from autodiff.language.token import (
    ENDS_OPERAND,
    STARTS_OPERAND,
    USUAL_FUNCTIONS,
    Token,
    call_kind,
    exponent_at,
    partner,
    parts_of_call,
    targets,
)


def resolve(
    tokens: Sequence[Token], text: str, functions: Collection[str], given: Collection[str], readings: list[Reading]
) -> None:
    """Make each token a NAME or a FUNC; names in `given` have a value. What may be read otherwise is put into `readings`.

    Raises AutodiffError for a call of an unknown function, and a definition of one of `functions`.
    """
    assigned, defined = targets(tokens) if "=" in text else (set[str](), set[str]())
    for token in tokens if defined else ():
        if token.type == "NAME" and token.text in defined:
            token.type = "FUNC"
    known = assigned.union(given) if given else assigned
    resolution = _Resolution(tokens, text, functions, known, readings)
    resolution.use_aliases()
    resolution.tell_operators()
    resolution.tell_calls(defined)
    resolution.check_products()
    resolution.note_exponents()
    resolution.note_constants()
    readings += of_names(tokens, known, functions)


class _Resolution:
    """The tokens of a text with their kinds so far; names in `known` have a value or are assigned."""

    def __init__(
        self, tokens: Sequence[Token], text: str, functions: Collection[str], known: Set[str], readings: list[Reading]
    ) -> None:
        self.tokens, self.text, self.functions, self.known, self.readings = tokens, text, functions, known, readings
        self.kinds = [token.type for token in tokens]
        self.has_natural = False

    def become(self, place: int, kind: str) -> None:
        self.tokens[place].type = self.kinds[place] = kind

    def after(self, place: int) -> str:
        """The kind of the next token."""
        return self.kinds[place + 1] if place + 1 < len(self.kinds) else ""

    def note(self, token: Token, shown: str, meaning: str) -> None:
        self.readings.append(Reading(shown, meaning, token.span))

    def use_aliases(self) -> None:
        """Make the name of a function in other schools and libraries its name here, where it is called."""
        tokens = self.tokens
        for place in [k for k, kind in enumerate(self.kinds) if kind == "NAME" and tokens[k].text in ALIASES]:
            token, meaning = tokens[place], ALIASES[tokens[place].text]
            known = token.text in self.known or meaning not in {*self.functions, "^"}
            if not known and call_kind(self.kinds, place) in (
                ("FUNC",) if token.text in GREEK else ("FUNC", "APPLIED")
            ):
                if meaning != "^":
                    self.note(token, token.text, meaning)
                token.text = meaning
                self.become(place, "FUNC")

    def tell_operators(self) -> None:
        """Distinguish `if` behind an operand, as in `a if c else b`, from the function, and a remainder from a percentage.

        Raises AutodiffError for `%%` and `y <- x`, which mean something else in R.
        """
        for place, token in enumerate(self.tokens) if "ELSE" in self.kinds else ():
            if token.text == CONDITIONAL and place and self.kinds[place - 1] in ENDS_OPERAND:
                self.become(place, "IF")
        for place, token in enumerate(self.tokens) if "PERCENT" in self.kinds else ():
            after = self.after(place)
            if token.type == "PERCENT" == after and self._is_glued(place):
                raise AutodiffError(
                    "'%%' has no meaning here",
                    span=(token.span[0], self.tokens[place + 1].span[1]),
                    hint="write mod(u, v) for a remainder, u/100 for a hundredth",
                )
            if token.type == "PERCENT" and (after == "LPAR" or after in STARTS_OPERAND):
                self._check_share(place)
                self.become(place, "MULTIPLICATIVE")
                self.note(token, "%", "the remainder, mod(u, v)")
            elif token.type == "PERCENT" and (after == "ADDITIVE" or self._is_added(place, after)):
                self.note(token, "%", "a hundredth, u/100")
        for place, token in enumerate(self.tokens) if "<-" in self.text else ():
            if token.text == "<" and self.after(place) == "ADDITIVE" and self._is_glued(place):
                self._check_arrow(place)

    def _check_share(self, place: int) -> None:
        """Raise AutodiffError for `50% x`, where people mean a share; `7%3` and `x % 3` are remainders."""
        if place == 0:
            return  # the grammar refuses it
        number, token, operand = self.tokens[place - 1 : place + 2]
        if number.type != "NUMBER" or number.span[1] < token.span[0]:
            return
        if operand.type != "NUMBER" or not self._is_glued(place):
            part = shortened(operand.text, 20) if operand.type in ("NAME", "NUMBER") else "…"
            raise AutodiffError(
                f"{number}% before an operand may be a share or a remainder",
                span=(number.span[0], operand.span[1]),
                hint=f"write {number}/100*{part} for a share, mod({number}, {part}) for a remainder",
            )

    def _is_added(self, place: int, after: str) -> bool:
        """Whether a percentage ends a sum or a power: 100 - 20% is 80 on a pocket calculator, x^2% is (x^2)%."""
        before = self.kinds[place - 2 : place] if place > 2 else []
        return before in (["ADDITIVE", "NUMBER"], ["POWER", "NUMBER"]) and after in ("", "SEP", "RPAR", "COMMA")

    def _is_glued(self, place: int) -> bool:
        """Whether the next token follows at once."""
        return self.tokens[place].span[1] == self.tokens[place + 1].span[0]

    def _check_arrow(self, place: int) -> None:
        """Raise AutodiffError for the arrow `y <- x` at `place`; note `y<-x`, which begins a statement like an assignment."""
        start, end = self.tokens[place].span[0], self.tokens[place + 1].span[1]
        if self.text[end : end + 1].isspace():
            raise AutodiffError(
                "'<-' has no meaning here", span=(start, end), hint="write = for a value, < - for a comparison"
            )
        if self.kinds[place - 1] == "NAME" and (place == 1 or self.kinds[place - 2] == "SEP"):
            name = self.tokens[place - 1]
            self.note(name, f"{name}<-…", f"a comparison, {name} < -…")

    def tell_calls(self, defined: Collection[str]) -> None:
        """Mark the names that are functions which are called; those in `defined` are the program's own."""
        tokens, known = self.tokens, self.known
        calls = {place: call_kind(self.kinds, place) for place, kind in enumerate(self.kinds) if kind == "FUNC"}
        plain = {tokens[place].text for place, kind in calls.items() if kind == "NAME"}
        self.has_natural = any(tokens[place].text in NATURAL and kind != "NAME" for place, kind in calls.items())
        self.has_natural = self.has_natural or (
            "log" in self.text and any(re.fullmatch(DECADIC, token.text) for token in tokens)
        )
        twice = set(defined)
        for place, kind in calls.items():
            token = tokens[place]
            # √(2π) behind σ: a letter that is also a value is a function before brackets only
            is_value = token.text in known or (len(token.text) == 1 and token.text in plain)
            if kind == "APPLIED" and is_value and token.text not in defined:
                kind = "NAME"
            elif kind == "NAME" and token.text in defined:
                kind = "FUNC"
            if kind == "APPLIED" and token.text in BETWEEN and place and self.kinds[place - 1] in ENDS_OPERAND:
                first, second = (
                    shortened(w.text, 20) if w.type in ("NAME", "NUMBER") else "…"
                    for w in tokens[place - 1 : place + 2 : 2]
                )
                raise AutodiffError(
                    f"{token} stands before its arguments", span=token.span, hint=f"write {token}({first}, {second})"
                )
            self.become(place, kind)
            if kind in ("FUNC", "APPLIED") and token.text in BASE_LAST:
                self._note_base(place)
            elif kind == "FUNC" and token.text in DEFINED_TWICE and token.text not in twice:
                twice |= {token.text} if self._note_definition(place) else set()
            if kind == "FUNC" and token.text in known and token.text not in defined:
                self.note(token, f"{token}(…)", f"the function {token}, not the value of that name")
            elif kind == "NAME" and token.text not in known and self._is_before_a_sign(place):
                after = tokens[place + 2].text
                self.note(token, f"{token} -{after}", f"a difference, {token} - {after}")

    def _note_definition(self, place: int) -> bool:
        """Whether a function that people define in two ways is noted: where no library before it says which is meant."""
        token = self.tokens[place]
        least, meaning = DEFINED_TWICE[token.text]
        doubtful = least == 1 or (self._has_base(place) if least else self._is_by_a_name(place))
        if doubtful and self.text[max(0, token.span[0] - 1)] != ".":
            self.note(token, f"{token}(…)", meaning)
            return True
        return False

    def _note_base(self, place: int) -> None:
        """Note `log(2, x)`, which other languages read as the logarithm of x to base 2, and `log(100)`, `10 log(x)` or a log beside ln."""
        kinds, number = self.kinds[place + 2 : place + 5], self.tokens[place + 2 : place + 5]
        if kinds[:2] == ["NUMBER", "COMMA"] and kinds[2:] != ["NUMBER"]:
            self.note(
                self.tokens[place], f"log({number[0]}, {number[2]}…)", f"the logarithm of {number[0]}, its base last"
            )
            return
        before = [token.text for token in self.tokens[max(0, place - 2) : place] if token.text != "*"][-1:]
        of_ten = kinds[:2] == ["NUMBER", "RPAR"] and number[0].text in ("10", "100", "1000")
        if (self.has_natural or of_ten or before in (["10"], ["20"])) and not self._has_base(place):
            self.has_natural = False  # once is enough
            name = self.tokens[place].text
            self.note(self.tokens[place], f"{name}(…)", "the natural logarithm; to base 10 it is log10(…)")

    def _has_base(self, place: int) -> bool:
        """Whether the call at `place` has a second argument, not far behind."""
        return [self.kinds[between] for between in parts_of_call(self.kinds, place)[:1]] == ["COMMA"]

    def _is_by_a_name(self, place: int) -> bool:
        """Whether the second argument of the call at `place` is a name that stands in the first, as in solve(x^2 - 1, x)."""
        comma, end = (*parts_of_call(self.kinds, place), 0, 0)[:2]
        last = self.tokens[comma + 1].text
        return self.kinds[comma + 1 : end] == ["NAME"] and last in [w.text for w in self.tokens[place + 2 : comma]]

    def _is_before_a_sign(self, place: int) -> bool:
        """Whether the name at `place` stands before a signed operand: `sin -x`."""
        if place + 2 >= len(self.tokens) or self.after(place) != "ADDITIVE":
            return False
        name, sign, operand = self.tokens[place : place + 3]
        return name.span[1] < sign.span[0] and sign.span[1] == operand.span[0]

    def check_products(self) -> None:
        """Raise AutodiffError for a name before a bracket that is no factor; note the letters that are nothing else."""
        tokens, kinds = self.tokens, self.kinds
        doubtful: dict[str, int] = {}
        for place, token in enumerate(tokens) if "log" in self.text else ():
            if kinds[place] == "NAME" and token.text not in self.known and self._has_subscript(place):
                raise _unknown(token, self.functions)
        for place, (kind, after) in enumerate(pairwise(kinds)):
            if kind == "NAME":
                token = tokens[place]
                if after in ("POWER", "SUPERSCRIPT"):
                    self._check_raised(place)
                elif after == "LPAR" and token.text not in CONSTANTS:
                    if token.text in self.known:
                        if not self._is_index(place):
                            continue
                    elif len(token.text) > 1 or token.text in USUAL_FUNCTIONS:
                        raise self._defined_elsewhere(place) or _unknown(token, self.functions, self._arguments(place))
                    if place == 0 or kinds[place - 1] != "POWER":
                        doubtful.setdefault(token.text, place)
                elif after == "LSQB" and token.text not in self.known:
                    self._check_square_brackets(place)
            elif kind == "MULTIPLICATIVE" and after == "NAME" and tokens[place].text == "/":
                check_differentials(tokens, place, self.text, self.known)
        for place, token in enumerate(tokens) if doubtful else ():
            is_factor = kinds[place] == "NAME" and self.after(place) != "LPAR"
            if is_factor and token.text in doubtful and not self._is_index(doubtful[token.text]):
                del doubtful[token.text]
        for name, place in doubtful.items():
            start, opened = tokens[place].span[0], tokens[place + 1].span[0]
            end = tokens[partner(tokens, place + 1)].span[1]
            shown, factor = shortened(self.text[start:end], 60), shortened(self.text[opened:end], 60)
            self.readings.append(Reading(shown, f"{name}*{factor}", (start, end)))

    def _is_index(self, place: int) -> bool:
        """Whether the name at `place` stands before a number in brackets: an element of an array in MATLAB, a value at 0 in y(0)."""
        return self.kinds[place + 2 : place + 4] == ["NUMBER", "RPAR"]

    def _has_subscript(self, place: int) -> bool:
        """Whether the name at `place` is a logarithm with its base: `log_7x`, `log_b x`, `log3 x`; not log_x alone."""
        parts = re.fullmatch(rf"(?:{'|'.join(BASE_LAST)})(?:(_?\d+|_[^\W\d_])|_\d+\w+)", self.tokens[place].text)
        return parts is not None and (not parts[1] or self.after(place) in STARTS_OPERAND)

    def _arguments(self, place: int) -> list[str]:
        """The texts of the first arguments of the call at `place`, for a hint: those that are one token."""
        shown = [shortened(token.text, 20) for token in self.tokens[place + 2 : place + 5]]
        closed = [*self.kinds[place + 3 : place + 6 : 2], ""]
        names = [w if w.isidentifier() or w.isdecimal() else "…" for w in shown[::2]]
        return names[:1] if closed[0] == "RPAR" else names if closed[:2] == ["COMMA", "RPAR"] else []

    def _defined_elsewhere(self, place: int) -> AutodiffError | None:
        """The error for `f(x) := x^2`, None where the name at `place` is called."""
        behind = partner(self.tokens, place + 1) + 1
        if [token.text for token in self.tokens[behind : behind + 2]] != [":", "="]:
            return None
        span = self.tokens[behind].span[0], self.tokens[behind + 1].span[1]
        return AutodiffError("':=' has no meaning here", span=span, hint="write =")

    def _check_square_brackets(self, place: int) -> None:
        """Raise AutodiffError for a function that is called as in Mathematica: `Sin[x]`; `mean[0]` is part of an array."""
        token = self.tokens[place]
        name = token.text.lower()
        by_number = self.kinds[place + 2 : place + 3] == ["NUMBER"] and self.kinds[place + 3] in ("RSQB", "COMMA")
        if by_number and (token.text == name or len(name) == 1):
            return
        called = meant(name, self.functions) if name in ALIASES else name
        if called in self.functions and len(name) > 1:
            raise AutodiffError(
                f"{quoted(token.text)} is called with round brackets", span=token.span, hint=f"write {called}(…)"
            )
        if name in DERIVATIVES and self.kinds[place + 2 : place + 4] != ["NAME", "RSQB"]:
            raise _unknown(token, self.functions)

    def _check_raised(self, place: int) -> None:
        """Raise AutodiffError for `f^-1(x)` with no such function; note `rate^2(x)`, which is a product."""
        token = self.tokens[place]
        if token.text in self.known or (len(token.text) == 1 and token.text not in USUAL_FUNCTIONS):
            return
        behind, exponent = exponent_at(self.kinds, place + 1)
        if self.kinds[behind : behind + 1] != ["LPAR"] or exponent not in ("NUMBER", "BRACKETS"):
            return
        if token.text in USUAL_FUNCTIONS:
            raise _unknown(token, self.functions)
        if token.text not in CONSTANTS:
            self.note(token, f"{token}^n(…)", f"a product, {token}^n*(…)")

    def note_exponents(self) -> None:
        """Note `2e-x` and `2 e-3`, which begin like the number 2e-3 and are 2*e - x, and `2d-3`, which is such a number in Fortran."""
        for place in [k for k, kind in enumerate(self.kinds[:-3]) if kind == "NUMBER"]:
            number, letter, sign, operand = self.tokens[place : place + 4]
            glued = number.span[1] == letter.span[0] or (letter.text in ("e", "E") and operand.type == "NUMBER")
            if (
                glued
                and letter.text in ("e", "E", *("d", "D") * (operand.type == "NUMBER"))
                and sign.type == "ADDITIVE"
                and (letter.span[1], sign.span[1]) == (sign.span[0], operand.span[0])
            ):
                shown = self.text[number.span[0] : operand.span[1]]
                self.note(number, shown, f"{number}*{letter} {sign} {operand}")

    def note_constants(self) -> None:
        """Note tau, which is a constant here, and a time or a stress to most people; math.tau is not doubtful."""
        is_there = "tau" in self.text or "τ" in self.text
        tau = next((token for token in self.tokens if token.text in ("tau", "τ")), None) if is_there else None
        if tau is not None and tau.text not in self.known and self.text[max(0, tau.span[0] - 1)] != ".":
            self.note(tau, tau.text, "the constant 2*pi")


def _unknown(token: Token, functions: Collection[str], arguments: Sequence[str] = ()) -> AutodiffError:
    from autodiff.language.diagnostics import unknown  # only a mistake needs it

    return unknown(token, functions, arguments)
