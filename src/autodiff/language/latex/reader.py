r"""LaTeX formulas as programs: tokens, then the LALR(1) automaton of `grammar/latex.lark`, whose builder makes nodes that know their text.

>>> program(r"\frac{1}{x} + \sin^2 x", {"sin"})
'1/x + sin^2(x)'
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import cast

from autodiff.errors import AutodiffError, Translation, quoted
from autodiff.language.automaton import Automaton
from autodiff.language.doubt.operators import Noted, of_operators
from autodiff.language.latex.builder import LatexBuilder, check_single, plain_name
from autodiff.language.latex.node import Text, translation
from autodiff.language.lexer import of_bars
from autodiff.language.synonyms import meant
from autodiff.language.tables import tables
from autodiff.language.token import CLOSES, Token

_ENDS_OPERAND = frozenset(
    {"NUMBER", "NAME", "RPAR", "RSQB", "SET_END", "CLOSE", "BAR_END", "NORM_END", "BANG", "DEGREES", "SHORT_FRACTION"}
)
_EITHER_BAR = frozenset({"|", r"\vert", r"\|", r"\Vert"})
"""Bars that may open or close."""

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
_HINTS_OF_SIGNS = {
    "_": "an index is letters or digits, and stands before a power: x_{12}^2",
    "'": "a derivative is asked for with autodiff diff",
    ".": "leave it out at the end; a decimal point stands between digits",
    "%": "a comment begins with #; a hundredth is a division by 100",
}
_HINTS_OF_TOKENS = {
    "POWER": "write braces or brackets around one of the powers",
    "COMMA": "a decimal point is '.'; a comma separates the arguments of a function",
    "IF": r"write \begin{cases} … & \text{if } … \\ … & \text{otherwise} \end{cases}",
    "COMPARE": r"conditions are read in \begin{cases} … \end{cases}",
    "BAR_END": "each bar needs its partner: \\left| and \\right|",
}
"""The next step for tokens in places where they have no meaning."""


def is_latex(text: str) -> bool:
    """Whether a backslash stands at the front of a word, an exponent or index in braces, or all between two `$`.

    A comment's don't count.
    """
    return (
        re.search(r"\\[A-Za-z,;:!(\[|{]|[\^_]\s*\{|\d\{,\}\d|^\s*\$.+\$\s*$", re.sub(r"(?<!\\)#.*", "", text))
        is not None
    )


def program(text: str, functions: Collection[str]) -> Translation:
    """The program that a LaTeX formula stands for, with what a person may read otherwise.

    Raises AutodiffError for what the grammar does not know.
    """
    try:
        tokens, doubtful = _tokens(text), list[Noted]()
        _check_letters(tokens, functions)
        _check_names(tokens)
        _check_calls(tokens, text, functions)
        _check_fractions(tokens)
        written = cast(Text, _automaton().parse(tokens, "program", len(text), _complaint, doubtful))
        return translation(written, text, [*of_bars(tokens, text, _ENDS_OPERAND), *of_operators(text, doubtful)])
    except AutodiffError as error:
        raise error.within(text) from None


def bindings(text: str, functions: Collection[str]) -> str:
    r"""`theta=1/2,x=[1,2]` for `\theta=\frac12,x=[1,2]`: what is LaTeX on either side of an equals sign, in plain syntax."""
    sides, start, depth = list[str](), 0, 0
    for place, sign in enumerate(f"{text},"):
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0 and sign in ",=" and text[place - 1 : place] != "\\":
            side = text[start:place]
            sides += [str(program(side, functions)) if is_latex(side) else side, sign]
            start = place + 1
    return "".join(sides[:-1])


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
            tokens.append(Token(kind, _with_a_point(match), match.span()))
            check_single(tokens)
        place = match.end()
    return tokens


def _with_a_point(match: re.Match[str]) -> str:
    """The text of a token, of a number with its decimal point. Raises AutodiffError for 1{,}000, which has two meanings."""
    whole, comma, rest = match[0].partition("{,}")
    if comma and len(rest) == 3 and whole.lstrip("0"):
        hint = f"write {whole}.{rest}, or {whole}{rest} for digits in groups"
        raise AutodiffError(
            f"{quoted(match[0])} may be a decimal number or digits in groups", span=match.span(), hint=hint
        )
    return f"{whole}.{rest}" if comma and match.lastgroup == "NUMBER" else match[0]


def _check_letters(tokens: Sequence[Token], functions: Collection[str]) -> None:
    """Raise AutodiffError for a function without its backslash, which would be a product of letters."""
    run, end = "", -1
    for token in (*tokens, Token("$END", "", (-2, -2))):
        letter = token.type == "NAME" and token.text[1:2] in ("", "_")
        if letter and token.span[0] == end:
            run += token.text[0]
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
            run = token.text[0] if letter else ""
        end = token.span[0] + 1 if letter else -1


def _check_names(tokens: Sequence[Token]) -> None:
    r"""Raise AutodiffError for two letters that would be one name, as \phi and \varphi."""
    spellings: dict[str, str] = {}
    for token in tokens:
        if token.type == "NAME":
            letters = re.sub(r"\\(?:mathrm|textrm|text|mathit)|[{}\s]", "", token.text)
            other = spellings.setdefault(plain_name(token.text), letters)
            if other != letters:
                hint = r"write another name for one of them, such as \mathrm{name}"
                raise AutodiffError(
                    f"{quoted(other)} and {quoted(letters)} would be one name", span=token.span, hint=hint
                )
    for token, after in pairwise(tokens):
        if token.text == r"\Delta" and after.type == "NAME" and after.text[0] != "\\":
            raise AutodiffError(
                f"{token.text} {after.text} may be a difference or a product",
                span=(token.span[0], after.span[1]),
                hint=rf"write \mathrm{{Delta{after.text[0]}}} for a name, {token.text} \cdot {after.text} for a product",
            )


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
    shown = " ".join(token.text if token.text in ("e", "T") else token.type for token in tokens)
    if transposed := re.search(r"NAME POWER (T|OPEN T CLOSE) NAME", shown):
        token = tokens[shown[: transposed.start()].count(" ")]
        raise AutodiffError(
            f"{token.text}^T may be a transpose or a power",
            span=token.span,
            hint=r"write \operatorname{dot}(w, x) for a product of vectors, \cdot behind a power",
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
    if piece in _HINTS_OF_SIGNS:
        return AutodiffError(f"{quoted(piece)} is not read in LaTeX", span=span, hint=_HINTS_OF_SIGNS[piece])
    hints = (hint for pattern, hint in _HINTS.items() if re.match(rf"\\(?:{pattern})(?![A-Za-z])", text))
    return AutodiffError(f"{quoted(piece)} is not read in LaTeX", span=span, hint=next(hints, _HINT))


def _complaint(tokens: Sequence[Token], position: int) -> AutodiffError:
    if position == len(tokens):
        end = tokens[-1].span[1] if tokens else 0
        return AutodiffError("the formula ends too early", span=(end, end), hint="finish the expression")
    token = tokens[position]
    hint = _HINTS_OF_TOKENS.get(token.type, _HINT)
    kinds = [before.type for before in tokens[max(0, position - 2) : position]]
    if kinds[-1:] == ["POWER"] and token.type != "POWER":
        hint = (
            "write braces around the exponent" if "FUNC" not in kinds else r"write (\sin x)^n for a power with a name"
        )
    elif kinds[-1:] == ["NUMBER"] == [token.type]:
        hint = r"write a number without blanks, or \cdot between two"
    return AutodiffError(f"{quoted(token.text)} can't stand here in LaTeX", span=token.span, hint=hint)
