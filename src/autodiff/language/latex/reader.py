r"""LaTeX formulas as programs: words, then the LALR(1) automaton of `grammar/latex.lark`, whose builder writes text.

>>> program(r"\frac{1}{x} + \sin^2 x", {"sin"})
'1/x + sin^2(x)'
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from autodiff.errors import AutodiffError, quoted
from autodiff.language.automaton import Automaton
from autodiff.language.latex import tables
from autodiff.language.token import CLOSES, Token

Parts: TypeAlias = "list[Any]"

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
"""How tightly a text binds."""

_OPERATORS = {r"\cdot": "*", r"\times": "*", r"\ast": "*", r"\div": "/", "·": "*", "×": "*", "−": "-"}
_FUNCTIONS = {
    "log": "ln", "lg": "log10", "Gamma": "gamma", "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh", "B": "beta", "W": "lambertw",
}  # fmt: skip
_COMPARISONS = {
    r"\le": "<=",
    r"\leq": "<=",
    r"\ge": ">=",
    r"\geq": ">=",
    r"\ne": "!=",
    r"\neq": "!=",
    r"\lt": "<",
    r"\gt": ">",
    "=": "==",
}
_NAMED_BY_CUSTOM = {
    r"sigma": "sigmoid(", r"psi": "digamma(", r"Phi": "normcdf(", r"psi\^\((\d+)\)": r"polygamma(\1, ", r"J_(\d+)": r"besselj(\1, ",
    r"Y_(\d+)": r"bessely(\1, ", r"j_(\d+)": r"spherical_jn(\1, ",
}  # fmt: skip
"""Functions that have a letter's name: what stands before the bracket, and the call that it is."""
_ENDS_OPERAND = frozenset(
    {"NUMBER", "NAME", "RPAR", "RSQB", "SET_END", "CLOSE", "BAR_END", "BANG", "DEGREES", "SHORT_FRACTION"}
)
_SINGLE = {"POWER": "^", "ROOT": r"\sqrt", "LOG_TO": r"\log_"}
"""Words that take the next character alone, unless there are braces."""


class Piece(NamedTuple):
    """A part of the program's text, and how tightly it binds."""

    text: str
    level: int = ATOM

    def within(self, level: int) -> str:
        """The text, in brackets where it binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"


class LatexBuilder:
    """One method per alias of the grammar; each gets the parts of its rule, words included, and returns a piece of text."""

    def program(self, parts: Parts) -> str:
        return "; ".join(part for part in parts if not isinstance(part, Token))

    def expression(self, parts: Parts) -> str:
        return str(parts[0].text)

    def equation(self, parts: Parts) -> str:
        return f"{parts[0].text} = {parts[2].text}"

    def sum(self, parts: Parts) -> Piece:
        left, sign, right = parts
        return Piece(f"{left.text} {_operator(sign)} {right.within(PRODUCT if right.level != SIGN else ATOM)}", SUM)

    def binary(self, parts: Parts) -> Piece:
        left, sign, right = parts
        if sign.text == r"\bmod":
            return Piece(f"mod({left.text}, {right.text})")
        return Piece(f"{left.within(PRODUCT)}{_operator(sign)}{right.within(POWER)}", PRODUCT)

    def juxtaposition(self, parts: Parts) -> Piece:
        left, right = parts[0].within(PRODUCT), parts[1].within(POWER)
        bracketed = parts[1].text.startswith("(")
        if bracketed:
            for letter, call in _NAMED_BY_CUSTOM.items():
                if found := re.search(rf"(?<![\w./^]){letter}$", left):
                    return Piece(f"{left[: found.start()]}{found.expand(call)}{right[1:]}", PRODUCT)
        called = bracketed and re.search(r"(?<![\w.])[A-Za-z]$", left)
        return Piece(f"{left}{'' if called else '*'}{right}", PRODUCT)

    def unary(self, parts: Parts) -> Piece:
        return Piece(f"{_operator(parts[0])}{parts[1].within(POWER)}", SIGN)

    def power(self, parts: Parts) -> Piece:
        return Piece(f"{parts[0].within(ATOM)}^{parts[2].within(ATOM)}", POWER)

    def exponent(self, parts: Parts) -> Piece:
        if len(parts) == 3:
            return Piece(str(parts[1].text), parts[1].level)
        return self.number(parts) if parts[0].type == "NUMBER" else self.name(parts)

    def raised(self, parts: Parts) -> str:
        return "".join(_operator(part) for part in parts if part.type in ("ADDITIVE", "NUMBER"))

    def number(self, parts: Parts) -> Piece:
        return Piece(parts[0].text)

    def name(self, parts: Parts) -> Piece:
        text = parts[0].text
        if accent := re.match(r"\\(hat|bar|tilde)\s*\{([^}]*)\}", text):
            text = f"{accent[2]}_{accent[1]}{text[accent.end() :]}"
        text = re.sub(r"\\(?:mathrm|text|mathit)|[\\{}\s]", "", text)
        return Piece(re.sub(r"^var(?=epsilon|theta|phi)", "", text))

    def bracket(self, parts: Parts) -> Piece:
        return Piece(f"({parts[1].text})")

    def absolute(self, parts: Parts) -> Piece:
        return Piece(f"abs({parts[1].text})")

    def floor(self, parts: Parts) -> Piece:
        return Piece(f"floor({parts[1].text})")

    def ceil(self, parts: Parts) -> Piece:
        return Piece(f"ceil({parts[1].text})")

    def fraction(self, parts: Parts) -> Piece:
        if len(parts) == 1:
            return Piece(*parts[0])
        return Piece(f"{parts[2].within(PRODUCT)}/{parts[5].within(POWER)}", PRODUCT)

    def binomial(self, parts: Parts) -> Piece:
        return Piece(f"binomial({parts[2].text}, {parts[5].text})")

    def cases(self, parts: Parts) -> Piece:
        return Piece(f"if({parts[4]}, {parts[1].text}, {parts[6].text})")

    def comparison(self, parts: Parts) -> str:
        left, sign, right = parts
        return f"{left.text} {_COMPARISONS.get(sign.text, sign.text)} {right.text}"

    def logic(self, parts: Parts) -> str:
        left, sign, right = parts
        return f"({left}) {'and' if sign.type == 'LAND' else 'or'} ({right})"

    def negation(self, parts: Parts) -> str:
        return f"not ({parts[1]})"

    def grouped(self, parts: Parts) -> str:
        return f"({parts[1]})"

    def short_fraction(self, parts: Parts) -> Piece:
        digits = re.sub(r"\\[dt]?frac|\s", "", parts[0].text)
        return Piece(f"{digits[0]}/{digits[1]}", PRODUCT)

    def root(self, parts: Parts) -> Piece:
        return Piece(f"sqrt({parts[2].text})")

    def short_root(self, parts: Parts) -> Piece:
        return Piece(f"sqrt({self.name(parts[1:]).text})")

    def root_of_order(self, parts: Parts) -> Piece:
        order, radicand = parts[2], parts[5]
        if order.text in ("2", "3"):
            return Piece(f"{'sqrt' if order.text == '2' else 'cbrt'}({radicand.text})")
        return Piece(f"{radicand.within(ATOM)}^(1/{order.within(POWER)})", POWER)

    def factorial(self, parts: Parts) -> Piece:
        return Piece(f"{parts[0].within(ATOM)}!")

    def degrees(self, parts: Parts) -> Piece:
        return Piece(f"rad({parts[0].text})")

    def items(self, parts: Parts) -> Piece:
        return Piece(", ".join(part.text for part in parts if not isinstance(part, Token)))

    def call(self, parts: Parts) -> Piece:
        return Piece(f"{_function(parts[0])}({parts[2].text})")

    def call_power(self, parts: Parts) -> Piece:
        return Piece(f"{_function(parts[0])}^{parts[1]}({parts[3].text})", POWER)

    def applied(self, parts: Parts) -> Piece:
        if len(parts) == 1:
            return Piece(*parts[0])
        return Piece(f"{_function(parts[0])}({parts[1].text})")

    def applied_power(self, parts: Parts) -> Piece:
        return Piece(f"{_function(parts[0])}^{parts[1]}({parts[2].text})", POWER)

    def log_call(self, parts: Parts) -> Piece:
        return _logarithm(parts[5].text, parts[2].text)

    def short_log_call(self, parts: Parts) -> Piece:
        return _logarithm(parts[3].text, self.name(parts[1:2]).text)

    def log_applied(self, parts: Parts) -> Piece:
        return _logarithm(parts[4].text, parts[2].text)

    def short_log_applied(self, parts: Parts) -> Piece:
        return _logarithm(parts[2].text, self.name(parts[1:2]).text)


def _operator(word: Token) -> str:
    return _OPERATORS.get(word.text, word.text)


def _function(word: Token) -> str:
    name = re.sub(r"\\(?:operatorname|mathrm)|[\\{}\s]", "", word.text)
    return _FUNCTIONS.get(name, name)


def _logarithm(argument: str, base: str) -> Piece:
    return Piece(f"log{base}({argument})" if base in ("2", "10") else f"log({argument}, {base})")


def is_latex(text: str) -> bool:
    """Whether a backslash stands at the front of a word, or an exponent or index in braces; a comment's don't count."""
    return re.search(r"\\[A-Za-z,;:!]|[\^_]\s*\{", re.sub(r"(?<!\\)#.*", "", text)) is not None


def program(text: str, functions: Collection[str]) -> str:
    """The program that a LaTeX formula stands for. Raises AutodiffError for what the grammar does not know."""
    try:
        words = _words(text)
        _check_letters(words, functions)
        _check_fractions(words)
        return str(_automaton().parse(words, "program", len(text), _complaint))
    except AutodiffError as error:
        raise error.within(text) from None


@lru_cache(maxsize=1)
def _automaton() -> Automaton:
    return Automaton(tables, LatexBuilder())


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    symbols = sorted(tables.SYMBOLS, key=len, reverse=True)
    named = [f"(?P<{name}>{pattern})" for name, pattern in tables.WORDS.items()]
    return re.compile("|".join([*named, f"(?P<symbol_>{'|'.join(map(re.escape, symbols))})"]))


def _words(text: str) -> list[Token]:
    words, place = list[Token](), 0
    opened: list[str] = []
    while place < len(text):
        found = _pattern().match(text, place)
        if found is None or not found[0]:
            command = re.match(r"\\[A-Za-z]+|.", text[place:], re.DOTALL)
            piece = command[0] if command else text[place]
            raise AutodiffError(f"{quoted(piece)} is not read in LaTeX", span=(place, place + len(piece)))
        kind = tables.SYMBOLS[found[0]] if found.lastgroup == "symbol_" else str(found.lastgroup)
        if kind not in tables.IGNORED:
            if found[0] == "|" and opened[-1:] == ["BAR"] and words[-1].type in _ENDS_OPERAND:
                kind = "BAR_END"
            if kind in ("BAR", "LPAR", "LSQB", "OPEN", "SET"):
                opened.append(kind)
            elif kind in (*CLOSES, "CLOSE", "SET_END") and opened:
                opened.pop()
            words.append(Token(kind, found[0], found.span()))
            _check_single(words)
        place = found.end()
    return words


def _check_single(words: Sequence[Token]) -> None:
    """Raise AutodiffError for x^10, of which TeX raises to the 1 only."""
    word = words[-1]
    before = words[-2].type if len(words) > 1 else ""
    if before in _SINGLE and word.type in ("NUMBER", "NAME"):
        long = len(word.text) > 1 if word.type == "NUMBER" else "_" in word.text
        if long:
            raise AutodiffError(
                f"without braces, {_SINGLE[before]}{word.text} takes {word.text[0]} alone",
                span=word.span,
                hint=f"write {_SINGLE[before]}{{{word.text}}}",
            )


def _check_letters(words: Sequence[Token], functions: Collection[str]) -> None:
    """Raise AutodiffError for a function without its backslash, which would be a product of letters."""
    run, end = "", -1
    for word in (*words, Token("$END", "", (-2, -2))):
        letter = word.type == "NAME" and len(word.text) == 1
        if letter and word.span[0] == end:
            run += word.text
        else:
            slip = next(
                (name for name in sorted(functions, key=len, reverse=True) if len(name) > 1 and name in run), ""
            )
            if slip:
                raise AutodiffError(
                    f"{quoted(run)} would be a product of letters",
                    span=(end - len(run), end),
                    hint=rf"write \{slip}, or blanks between the letters",
                )
            run = word.text if letter else ""
        end = word.span[1]


def _check_fractions(words: Sequence[Token]) -> None:
    """Raise AutodiffError for a mixed number, and for a derivative, which is no quotient."""
    kinds = " ".join(word.type for word in words)
    if mixed := re.search(r"NUMBER (SHORT_FRACTION|FRACTION OPEN NUMBER CLOSE OPEN NUMBER CLOSE)", kinds):
        word = words[kinds[: mixed.start()].count(" ")]
        raise AutodiffError(
            "a number before a fraction may be a mixed number or a product",
            span=word.span,
            hint=r"write + or \cdot between them",
        )
    shown = " ".join("d" if word.text == "d" else word.type for word in words)
    if re.search(r"FRACTION OPEN d( NAME)? CLOSE OPEN d NAME", shown):
        place = next(word for word in words if word.type == "FRACTION")
        raise AutodiffError(
            "a derivative is no part of a program",
            span=place.span,
            hint="write the function alone: autodiff diff differentiates it",
        )


def _complaint(words: Sequence[Token], position: int) -> AutodiffError:
    if position == len(words):
        end = words[-1].span[1] if words else 0
        return AutodiffError("the formula ends too early", span=(end, end), hint="finish the expression")
    word = words[position]
    return AutodiffError(f"{quoted(word.text)} can't stand here in LaTeX", span=word.span)
