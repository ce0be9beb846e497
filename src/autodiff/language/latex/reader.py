r"""LaTeX formulas as programs: tokens, then the LALR(1) automaton of `grammar/latex.lark`, whose builder writes text.

>>> program(r"\frac{1}{x} + \sin^2 x", {"sin"})
'1/x + sin^2(x)'
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from autodiff.errors import AutodiffError, quoted
from autodiff.language.automaton import Automaton
from autodiff.language.synonyms import meant
from autodiff.language.tables import tables
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
_COMPLEMENTS = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_NAMED_BY_CUSTOM = {
    r"sigma": "sigmoid(", r"psi": "digamma(", r"Phi": "normcdf(", r"psi\^\((\d+)\)": r"polygamma(\1, ", r"J_(\d+)": r"besselj(\1, ",
    r"Y_(\d+)": r"bessely(\1, ", r"j_(\d+)": r"spherical_jn(\1, ",
}  # fmt: skip
"""Functions that have a letter's name: what stands before the bracket, and the call that it is."""
_ENDS_OPERAND = frozenset(
    {"NUMBER", "NAME", "RPAR", "RSQB", "SET_END", "CLOSE", "BAR_END", "NORM_END", "BANG", "DEGREES", "SHORT_FRACTION"}
)
_EITHER_BAR = frozenset({"|", r"\vert", r"\|", r"\Vert"})
"""Bars that may open or close."""

_SINGLE = {"POWER": "^", "ROOT": r"\sqrt", "LOG_TO": r"\log_", "FRACTION": r"\frac"}
"""Tokens that take the next character alone, unless there are braces."""


_HINTS = {
    r"i*o?int": "an integral is not computed: write its value as a formula",
    r"sum|prod": r"write the terms one by one; of an array, \operatorname{sum}(x)",
    r"[cl]?dots|[vd]dots": "write all terms",
    r"lim|to|infty": "a limit is not computed: write the function alone, and its value at a point with --at",
    r"over": r"write \frac{…}{…}",
    r"choose": r"write \binom{…}{…}",
    r"root": r"write \sqrt[3]{…}",
    r"begin|end": r"of environments, cases and equation are read; an array is [1, 2] in the plain syntax",
    r"mathbf|mathbb|mathcal|mathsf|boldsymbol|bm|vec|overline|underline|underbrace|overbrace|boxed|color": (
        r"write the letter or the formula alone; \mathrm{name} is a name of several letters"
    ),
    r"d?dot": r"write a name for this derivative, such as v, or \mathrm{xdot}",
    r"p?m?od": r"write x \bmod 3 for a remainder",
    r"pm|mp": "write a formula for each sign",
    r"max|min|sup|inf|arg": r"write the numbers themselves: \max(x, y); of an array, \operatorname{max}(x)",
    r"in|propto|approx|equiv|sim|mid|Rightarrow|rightarrow|Pr": "write the formula alone",
    r"det|dim|ker|deg|gcd": r"write \operatorname{det}(A), where there is such a function",
    r"[lr]angle": r"write \operatorname{dot}(x, y), or \operatorname{mean}(x)",
    r"lb": r"write \log_2 x",
    r"left|right|[bB]igg?[lrm]?": r"close each bracket with its own kind; values at a point are given with --at",
    r"prime|top": "write a name of its own for it; autodiff diff differentiates a function",
    r"hspace|vspace|mspace": r"write a blank, or \, for one",
}
"""The next step for commands that are not read."""

_HINT = r"\operatorname{name}(…) calls a function, \mathrm{name} is an input; see autodiff help language"
_HINTS_OF_TOKENS = {
    "POWER": "write braces or brackets around one of the powers",
    "COMMA": "a decimal point is '.'; a comma separates the arguments of a function",
    "IF": r"write \begin{cases} … & \text{if } … \\ … & \text{otherwise} \end{cases}",
    "COMPARE": r"conditions are read in \begin{cases} … \end{cases}",
    "BAR_END": "each bar needs its partner: \\left| and \\right|",
}
"""The next step for tokens in places where they have no meaning."""


class Piece(NamedTuple):
    """A part of the program's text, how tightly it binds, and where a slash is whose end a factor behind it makes doubtful."""

    text: str
    level: int = ATOM
    slash: tuple[int, int] | None = None

    def within(self, level: int) -> str:
        """The text, in brackets where it binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"


class LatexBuilder:
    """One method per alias of the grammar; each gets the parts of its rule, tokens included, and returns a piece of text."""

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
        text = f"{left.within(PRODUCT)}{_operator(sign)}{right.within(POWER)}"
        of_numbers = re.fullmatch(r"[\d.]+/[\d.]+", text)
        return Piece(text, PRODUCT, sign.span if _operator(sign) == "/" and not of_numbers else None)

    def juxtaposition(self, parts: Parts) -> Piece:
        if parts[0].slash:
            raise AutodiffError(
                "a product behind a slash may be in the denominator or in front of the fraction",
                span=parts[0].slash,
                hint=r"write \frac{…}{…}, or \cdot after the denominator",
            )
        left, right = parts[0].within(PRODUCT), parts[1].within(POWER)
        bracketed = parts[1].text.startswith("(")
        if bracketed:
            for letter, call in _NAMED_BY_CUSTOM.items():
                if match := re.search(rf"(?<![\w./^]){letter}$", left):
                    return Piece(f"{left[: match.start()]}{match.expand(call)}{right[1:]}", PRODUCT)
        called = bracketed and re.search(r"(?<![\w.])[A-Za-z]$", left)
        return Piece(f"{left}{'' if called else '*'}{right}", PRODUCT)

    def unary(self, parts: Parts) -> Piece:
        return Piece(f"{_operator(parts[0])}{parts[1].within(POWER)}", SIGN)

    def power(self, parts: Parts) -> Piece:
        return Piece(f"{parts[0].within(ATOM)}^{parts[2].within(ATOM)}", POWER)

    def exponent(self, parts: Parts) -> Piece:
        if len(parts) == 3:
            return Piece(str(parts[1].text), parts[1].level)
        if not isinstance(parts[0], Token):
            return self.fraction(parts)
        return self.number(parts) if parts[0].type == "NUMBER" else self.name(parts)

    def part(self, parts: Parts) -> Piece:
        if len(parts) == 1:
            _check_single([Token("FRACTION", "", parts[0].span), *parts])
        return self.exponent(parts)

    def raised(self, parts: Parts) -> str:
        return "".join(_operator(part) for part in parts if part.type in ("ADDITIVE", "NUMBER"))

    def number(self, parts: Parts) -> Piece:
        return Piece(parts[0].text)

    def name(self, parts: Parts) -> Piece:
        text = parts[0].text
        if accent := re.match(r"\\(hat|bar|tilde)\s*\{([^}]*)\}", text):
            text = f"{accent[2]}_{accent[1]}{text[accent.end() :]}"
        text = re.sub(r"\\(?:mathrm|textrm|text|mathit)|[\\{}\s]", "", text)
        return Piece(re.sub(r"^var(?=epsilon|theta|phi)", "", text))

    def bracket(self, parts: Parts) -> Piece:
        return Piece(f"({parts[1].text})")

    def absolute(self, parts: Parts) -> Piece:
        return Piece(f"abs({parts[1].text})")

    def norm(self, parts: Parts) -> Piece:
        return Piece(f"norm({parts[1].text})")

    def several(self, parts: Parts) -> Piece:
        return Piece(f"({parts[1].text}, {parts[3].text})")

    def floor(self, parts: Parts) -> Piece:
        return Piece(f"floor({parts[1].text})")

    def ceil(self, parts: Parts) -> Piece:
        return Piece(f"ceil({parts[1].text})")

    def fraction(self, parts: Parts) -> Piece:
        if len(parts) == 1:
            return Piece(*parts[0])
        return Piece(f"{parts[1].within(PRODUCT)}/{parts[2].within(POWER)}", PRODUCT)

    def binomial(self, parts: Parts) -> Piece:
        return Piece(f"binomial({parts[1].text}, {parts[2].text})")

    def branch(self, parts: Parts) -> str:
        condition = next(part for part in parts if isinstance(part, str))
        return f"if({condition}, {parts[0].text}, "

    def cases(self, parts: Parts) -> Piece:
        branches = [part for part in parts if isinstance(part, str)]
        value = next(part for part in parts if isinstance(part, Piece))
        return Piece("".join([*branches, value.text, ")" * len(branches)]))

    def cases_of_complements(self, parts: Parts) -> Piece:
        """Two cases whose conditions are `x < 0` and `x >= 0`, or the like: the second one is the other case."""
        *_, last, end = parts
        branches = [part for part in parts[:-2] if isinstance(part, str)]
        first = re.fullmatch(r"if\((.*) (<|>|<=|>=|==|!=) (.*), .*, ", branches[0], re.DOTALL)
        condition = f"{first[1]} {_COMPLEMENTS[first[2]]} {first[3]}" if first else ""
        if len(branches) > 1 or last != condition:
            raise AutodiffError(
                "what is outside of these cases has no value", span=end.span, hint=r"end with & \text{otherwise}"
            )
        return self.cases(parts[:-2])

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
        return Piece(f"sqrt({parts[1].text})")

    def root_of_order(self, parts: Parts) -> Piece:
        order, radicand = parts[2], parts[4]
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
        return self.log_applied([*parts[:2], parts[3]])

    def log_applied(self, parts: Parts) -> Piece:
        _, base, argument = parts
        if base.text in ("2", "10"):
            return Piece(f"log{base.text}({argument.text})")
        return Piece(f"log({argument.text}, {base.text})")


def _operator(token: Token) -> str:
    return _OPERATORS.get(token.text, token.text)


def _function(token: Token) -> str:
    name = re.sub(r"\\(?:operatorname|mathrm)|[\\{}*\s]", "", token.text)
    return _FUNCTIONS.get(name, name)


def is_latex(text: str) -> bool:
    """Whether a backslash stands at the front of a word, or an exponent or index in braces; a comment's don't count."""
    return re.search(r"\\[A-Za-z,;:!(\[|{]|[\^_]\s*\{", re.sub(r"(?<!\\)#.*", "", text)) is not None


def program(text: str, functions: Collection[str]) -> str:
    """The program that a LaTeX formula stands for. Raises AutodiffError for what the grammar does not know."""
    try:
        tokens = _tokens(text)
        _check_letters(tokens, functions)
        _check_calls(tokens, text, functions)
        _check_fractions(tokens)
        return str(_automaton().parse(tokens, "program", len(text), _complaint))
    except AutodiffError as error:
        raise error.within(text) from None


@lru_cache(maxsize=1)
def _automaton() -> Automaton:
    return Automaton("latex", LatexBuilder())


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    symbols = sorted(tables("latex").symbols, key=len, reverse=True)
    named = [f"(?P<{name}>{pattern})" for name, pattern in tables("latex").patterns.items()]
    return re.compile("|".join([*named, f"(?P<symbol_>{'|'.join(map(re.escape, symbols))})"]))


def _tokens(text: str) -> list[Token]:
    tokens, place = list[Token](), 0
    opened: list[str] = []
    while place < len(text):
        match = _pattern().match(text, place)
        if match is None or not match[0]:
            command = re.match(r"\\[A-Za-z]+|.", text[place:], re.DOTALL)
            piece = command[0] if command else text[place]
            raise _unread(piece, text[place:], (place, place + len(piece)))
        kind = tables("latex").symbols[match[0]] if match.lastgroup == "symbol_" else str(match.lastgroup)
        if opened and kind == "SEP" and match[0] != ";":  # inside of brackets a newline is a blank
            kind = "BLANK"
        if kind not in tables("latex").ignored:
            if match[0] in _EITHER_BAR and opened[-1:] == [kind] and tokens[-1].type in _ENDS_OPERAND:
                kind += "_END"
            if kind in ("BAR", "NORM", "LPAR", "LSQB", "OPEN", "SET", "CASES"):
                opened.append(kind)
            elif kind in (*CLOSES, "CLOSE", "NORM_END", "SET_END", "CASES_END") and opened:
                opened.pop()
            tokens.append(Token(kind, match[0], match.span()))
            _check_single(tokens)
        place = match.end()
    return tokens


def _check_single(tokens: Sequence[Token]) -> None:
    """Raise AutodiffError for x^10, of which TeX raises to the 1 only."""
    token = tokens[-1]
    before = tokens[-2].type if len(tokens) > 1 else ""
    if before in _SINGLE and token.type in ("NUMBER", "NAME"):
        long = len(token.text) > 1 if token.type == "NUMBER" else "_" in token.text
        if long:
            raise AutodiffError(
                f"without braces, {_SINGLE[before]}{token.text} takes {token.text[0]} alone",
                span=token.span,
                hint=f"write {_SINGLE[before]}{{{token.text}}}",
            )


def _check_letters(tokens: Sequence[Token], functions: Collection[str]) -> None:
    """Raise AutodiffError for a function without its backslash, which would be a product of letters."""
    run, end = "", -1
    for token in (*tokens, Token("$END", "", (-2, -2))):
        letter = token.type == "NAME" and len(token.text) == 1
        if letter and token.span[0] == end:
            run += token.text
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
            run = token.text if letter else ""
        end = token.span[1]


def _check_calls(tokens: Sequence[Token], text: str, functions: Collection[str]) -> None:
    """Make an upright name directly before a bracket a FUNC, and raise AutodiffError where there is no such function."""
    for token, after in pairwise(tokens):
        name = re.fullmatch(r"\\(?:mathrm|text|mathit)\s*\{\s*([A-Za-z]{2,})\s*\}", token.text)
        between = text[token.span[1] : after.span[0]]
        if token.type == "NAME" and after.type == "LPAR" and name and re.fullmatch(r"(\\left|\\[bB]igg?l?)?", between):
            if name[1] not in functions:
                near = meant(name[1], functions)
                product = rf"{token.text} \cdot (…) for a product"
                hint = rf"write \operatorname{{{near}}}(…), or {product}" if near else f"write {product}"
                raise AutodiffError(f"unknown function {quoted(name[1])}", span=token.span, hint=hint)
            token.type, token.text = "FUNC", rf"\operatorname{{{name[1]}}}"


def _check_fractions(tokens: Sequence[Token]) -> None:
    """Raise AutodiffError for a mixed number, and for a derivative, which is no quotient."""
    kinds = " ".join(token.type for token in tokens)
    if mixed := re.search(
        r"NUMBER (SHORT_FRACTION|FRACTION (OPEN NUMBER CLOSE|NUMBER) (OPEN NUMBER CLOSE|NUMBER))", kinds
    ):
        token = tokens[kinds[: mixed.start()].count(" ")]
        raise AutodiffError(
            "a number before a fraction may be a mixed number or a product",
            span=token.span,
            hint=r"write + or \cdot between them",
        )
    shown = " ".join("d" if token.text == "d" else token.type for token in tokens)
    if re.search(
        r"FRACTION OPEN d( POWER (NUMBER|OPEN NUMBER CLOSE))?( (?!ADDITIVE|MULT)\S+)*? CLOSE OPEN d NAME", shown
    ):
        place = next(token for token in tokens if token.type == "FRACTION")
        raise _derivative(place.span)


def _derivative(span: tuple[int, int]) -> AutodiffError:
    return AutodiffError(
        "a derivative is no part of a program",
        span=span,
        hint="write the function alone: autodiff diff differentiates it, with --order 2 twice",
    )


def _unread(piece: str, text: str, span: tuple[int, int]) -> AutodiffError:
    """The error for a piece that is no token, where `text` begins with it."""
    if re.match(r"\\(?:partial|nabla)(?![A-Za-z])|\\mathrm\s*\{?\s*d(?![A-Za-z])", text):
        return _derivative(span)
    hints = (hint for pattern, hint in _HINTS.items() if re.match(rf"\\(?:{pattern})(?![A-Za-z])", text))
    return AutodiffError(f"{quoted(piece)} is not read in LaTeX", span=span, hint=next(hints, _HINT))


def _complaint(tokens: Sequence[Token], position: int) -> AutodiffError:
    if position == len(tokens):
        end = tokens[-1].span[1] if tokens else 0
        return AutodiffError("the formula ends too early", span=(end, end), hint="finish the expression")
    token = tokens[position]
    hint = _HINTS_OF_TOKENS.get(token.type, _HINT)
    return AutodiffError(f"{quoted(token.text)} can't stand here in LaTeX", span=token.span, hint=hint)
