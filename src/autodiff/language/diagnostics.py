"""Messages for syntax errors: what is wrong at the token that the grammar refused, and for functions that do not exist."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from autodiff.errors import AutodiffError, Span, normalised, printable, quoted, shortened
from autodiff.language.ast import CONSTANTS, TRAINING_CALLS
from autodiff.language.synonyms import ALIASES, BEHIND_A_FACTOR, DERIVATIVES, SPELT_OUT, WORDS, meant
from autodiff.language.token import CLOSES, ENDS_OPERAND, Token

_OPERATORS = {"ADDITIVE", "MULTIPLICATIVE", "POWER", "COMPARE", "AND", "OR", "NOT"}
_OPENERS = {"LPAR", "LSQB", "COMMA"}
_FINISHED = {"SEP", "$END"}
_ELSEWHERE = {
    "//": "write floor(a/b) for a quotient without its remainder, # before a comment",
    "<>": "write != for 'not equal'",
    "=>": "write >= for 'at least'; a function is f(x) = …",
    "=<": "write <= for 'at most'",
    "->": "a function is f(x) = …",
    ":=": "write =",
    "===": "write ==",
    **dict.fromkeys(("+=", "-=", "*=", "/="), "write a new name, such as y = x + 1"),
    "||": "write `or`",
}
"""What to write for signs of other languages, by the two tokens that they are here."""

_PRIME = (
    'a slope is asked for with --wrt, as in autodiff diff "x^2" --wrt x; only an answer of check may begin with y\' ='
)

_STRAY = {
    **dict.fromkeys("→↦⇒", "a function is f(x) = …; a value at a point is given with --at x=3"),
    "¬": "write `not`",
    "∧": "write `and`, or ^ for a power",
    "\u2223": "write |x| for an absolute value",
    "⁻": "write a power with ^, as in e^(-x)",
    "←": "write =",
    "\u2228": "write `or`",
    "∈": "write the formula alone, without the range of its names",
    "≈": "write the formula alone",
    "\u00b4": _PRIME,
    "@": "a function is f(x) = …",
    "±": "an uncertainty is not read here: a value is one number",
    "&": "write `and`",
    "{": "write ( ) around a part, [ ] around the elements of an array",
    "}": "write ( ) around a part",
    "'": _PRIME,
    "′": _PRIME,
    "’": _PRIME,
    '"': "a program is not put in quotes a second time",
    "\\": "LaTeX is not read: write for example a/b, sqrt(x), sin(x)",
    "$": "a variable is a plain name, such as x; LaTeX stands between two of them",
    "∞": "infinity is not a number here",
    "∂": "derivatives are asked for with --wrt",
    "∫": "this is a derivative calculator",
    "~": "write `not` for a negation",
    "`": "remove it",
    ".": "a number needs a digit, such as 0.5",
    "²": "a superscript stands behind what it raises: x²",
    "⌊": "write floor(x)",
    "⌋": "write floor(x)",
    "⌈": "write ceil(x)",
    "⌉": "write ceil(x)",
    "∜": "write x^(1/4)",
    "∑": "write sum(x), or the terms",
    "∏": "write prod(x), or the factors",
    "‖": "write norm(x)",
}


def stray(text: str, at: int) -> AutodiffError:
    """The error for the character `text[at]`, which belongs to no token."""
    shown = text[at] if text[at].isprintable() else printable(text[at])
    hint = _STRAY.get(text[at], "remove it")
    if text[at].isalpha():  # of a superscript: names have no others that are refused
        hint = f"write a power with ^, as in x^{normalised(text[at])} or e^(2x)"
    if text[at] in ".?" and not text[at + 1 :].strip():
        hint = "leave it out at the end"
    if text[at] in "'’" and text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit():
        hint = "write the digits of a number without a sign between them"
    if text[at] in "'\"" and text[:at].rstrip()[-1:] == "=":
        hint = "leave the quotes out"
    if text[at] == "." and text[at + 1 : at + 2] in tuple("^*/"):
        hint = f"write {text[at + 1]} alone: operators take arrays element by element"
    if text[at] == "." and text[:at][-1:].isidentifier() and text[at + 1 : at + 2].isidentifier():
        hint = "a function stands before its argument: sin(x), not np.sin(x) or x.sin()"
    return AutodiffError(f"'{shown}' has no meaning here", span=(at, at + 1), hint=hint, source=text)


def complaint(tokens: Sequence[Token], at: int, length: int, functions: Collection[str], start: str) -> AutodiffError:
    """The error for `tokens[at]`, the first token that the grammar does not allow; `start` is what was to be read."""
    edge = [Token("$END", "", (length, length))]
    padded = [Token("SEP", "", (0, 0)), Token("SEP", "", (0, 0)), Token("SEP", "", (0, 0)), *tokens, *edge, *edge]
    before, refused, after = padded[at + 2 : at + 5]
    if refused.type in ("COMMA", "RPAR") and (caller := _caller(tokens, at, refused)) is not None:
        return unknown(caller, functions)
    raised = [w for w in padded[at : at + 3] if w.type == "FUNC" and w is not before]
    if raised and before.type in ("POWER", "NUMBER", "SUPERSCRIPT"):
        message, hint = f"{raised[0]} needs its argument in brackets", f"write {raised[0]}(…)^n"
        if before.type == "POWER":
            hint += "; an inverse has a name of its own, such as asin"
    elif (
        start == "bindings"
        and (message_and_hint := _of_a_point(padded[at + 1], before, refused, first=at == 0)) is not None
    ):
        message, hint = message_and_hint
    elif "FUNC" in (before.type, refused.type) and "EQUAL" in (refused.type, after.type):
        function = before if before.type == "FUNC" else refused
        message = f"{function} is a function and can't be given a value"
        return AutodiffError(message, span=function.span, hint="choose another name")
    elif refused.type == "EQUAL" and before.type == "NAME" and padded[at + 1].type in ("LPAR", "COMMA"):
        message, hint = "arguments have no names here", "write their values alone, in their order"
    else:
        message, hint = _by_neighbours(before, refused, after)
    return AutodiffError(message, span=refused.span, hint=hint)


def _of_a_point(ahead: Token, before: Token, refused: Token, *, first: bool) -> tuple[str, str] | None:
    """Message and hint where a list of NAME=VALUE goes wrong between its values, None inside of one."""
    if before.type == "NAME" and refused.type in ("COMMA", "$END"):
        return f"{quoted(before.text)} has no value", f"write {shortened(before.text, 20)}=VALUE"
    if before.type == "NAME" and refused.type != "EQUAL":
        value = refused if refused.type == "NUMBER" else "VALUE"
        return f"behind {quoted(before.text)} stands = and its value", f"write {shortened(before.text, 20)}={value}"
    if refused.type == "SEP" or (refused.type == "EQUAL" and before.type == "NAME"):
        return "values are separated by commas", "write for example x=3,y=2"
    if first:
        return f"{quoted(refused.text)} is not NAME=VALUE", "write for example x=4,y=pi/2"
    if before.type == "COMMA" and refused.type == "NUMBER":
        numbers = f"a decimal point is '.': {_with_a_point(ahead.text, refused.text)}; several numbers are an array, as in x=[1, 5]"
        return f"behind a comma stands the next NAME=VALUE, not {quoted(refused.text)}", numbers
    if refused.type == "COMMA":
        return "a comma can't stand in a round bracket", "an array has square brackets: x=[1, 2]"
    return None


def _caller(tokens: Sequence[Token], at: int, refused: Token) -> Token | None:
    """The name in front of the bracket that this comma, or an empty bracket, belongs to."""
    if refused.type == "RPAR" and tokens[at - 1].type != "LPAR":
        return None
    depth = 0
    for i in range(at - 1, 0, -1):
        depth += (tokens[i].type in CLOSES) - (tokens[i].type in CLOSES.values())
        if depth < 0:
            return tokens[i - 1] if tokens[i].type == "LPAR" and tokens[i - 1].type == "NAME" else None
    return None


def _by_neighbours(before: Token, refused: Token, after: Token) -> tuple[str, str]:
    """Message and hint, by the refused token and its neighbours; the first that applies."""
    for first, second in ((before, refused), (refused, after)):
        sign = first.text + second.text
        if sign in _ELSEWHERE and first.span[1] == second.span[0]:
            return f"{quoted(sign)} has no meaning here", _ELSEWHERE[sign]
    if refused.type == "NUMBER" and before.type in ENDS_OPERAND:
        return f"the number {shortened(refused.text)} can't follow {quoted(before.text)}", _between(
            before, refused, after
        )
    if before.type == "FUNC":
        argument = (
            shortened(refused.text, 20) if refused.type in ("NAME", "NUMBER") and after.type in _FINISHED else "…"
        )
        return f"{before} needs its argument in brackets", f"write {before}({argument})"
    if refused.type == "EQUAL":
        equal = "leave it out at the start" if before.type == "SEP" else "to compare, write =="
        return "'=' gives a name its value, once, at the start of a statement", equal
    if refused.type in _FINISHED and before.type in _OPERATORS:
        return f"an operand is missing after '{before}'", "finish the expression"
    if refused.type in _FINISHED:
        return f"this ends too early, after {quoted(before.text)}", "finish the expression"
    if refused.type in CLOSES and before.type in CLOSES.values():
        return "these brackets are empty", "put an expression between them"
    if refused.type in ("RPAR", "RSQB", "COMMA") and before.type in _OPERATORS | _OPENERS:
        return f"an operand is missing between '{before}' and '{refused}'", "put an expression between them"
    if refused.type == "COMMA":
        point = "a decimal point is '.', statements are separated by ';'"
        if before.type == after.type == "NUMBER" and before.span[1] + 1 == after.span[0]:
            point = f"a decimal point is '.': {_with_a_point(before.text, after.text)}"
        return "a comma only separates the arguments of a function, and array elements", point
    if refused.type in _OPERATORS and before.type in _OPERATORS | _OPENERS | {"SEP", "EQUAL"}:
        equal = "write == for 'equal'" if before.type == "EQUAL" else "put an expression there"
        return f"an operand is missing before '{refused}'", equal
    if refused.type == "BANG":
        return "'!' has nothing before it", "write n! for a factorial, and `not` for a negation"
    if refused.type == "SUPERSCRIPT":
        raised = "a superscript stands behind what it raises: x²"
        return f"'{refused}' has nothing to raise here", "write cbrt(x), or x^(1/n)" if after.type == "ROOT" else raised
    if refused.type == "ELSE":
        return "'else' can't stand here", "write if(condition, u, v), or u if condition else v"
    if refused.type == "COLON":
        return "':' can't stand here", "write / for a quotient, = for a value or a function"
    if refused.type == "LSQB":
        return "an array can't follow a factor", "write * between them; x[0] is an index of a name"
    return f"{quoted(refused.text)} can't stand here", "write an operator, a name, a number or a bracket that fits here"


def _with_a_point(before: str, after: str) -> str:
    """What to write for two numbers with a comma between them: decimals, or digits in groups (1,000, 1.000,5, 1,000.5)."""
    first, second = shortened(before, 20), shortened(after, 20)
    if "." in before or "." in after:
        return f"write {first.replace('.', '')}{'' if '.' in after else '.'}{second}, without a sign between groups of digits"
    return f"write {first}.{second}" + f", or {first}{second} for digits in groups" * (
        len(after) == 3 and before != "0"
    )


def _between(before: Token, refused: Token, after: Token) -> str:
    """What to write where a number follows an operand: a mixed number, a number in groups of digits, a power, a word."""
    first, second = shortened(before.text, 20), shortened(refused.text, 20)
    if before.type == "NUMBER" and after.text == "/":
        return f"write {first} + {second}/… for a mixed number, or an operator between them"
    if before.type == "NUMBER" and len(refused.text) == 3 and refused.text.isdecimal():
        return f"write {first}{second} without a blank, or an operator between them"
    if before.text.lower() in WORDS:
        return f"write {WORDS[before.text.lower()]}"
    if before.type == "NAME":
        return f"write * between them, or {first}^{second} for a power"
    return "write an operator between them" + ", or a comma in an array" * (before.type == "NUMBER")


def of_training(name: str, span: Span) -> AutodiffError:
    """The error for a call that only `train` and `predict` allow."""
    return AutodiffError(
        f"{name}(…) stands in programs of autodiff train and autodiff predict only",
        span=span,
        hint="it is about the rows of a table: autodiff help train",
    )


def unknown(token: Token, functions: Collection[str], arguments: Sequence[str] = ()) -> AutodiffError:
    """The error for a name that is no function; the hint says what it is elsewhere, or which function is near.

    `arguments` are the texts of its arguments, where they are known.
    """
    if token.text in TRAINING_CALLS or token.text == "columns":
        return of_training(token.text, token.span)
    near, short = meant(token.text, functions), shortened(token.text, 20)
    define = f"did you mean {near}?" if near else f"define it: {short}(t) = …;"
    hint = f"{define} {'F' if near else 'f'}or a product write {short}*(…)"
    if base := re.fullmatch(r"log(?:_(?=\w)|(?=\d+$))(\d+|\w+)(\w*)", short):
        hint = f"write log({base[2] or 'x'}, {base[1]}) for the logarithm to base {base[1]}"
    elif token.text.lower() in CONSTANTS:
        hint = f"{token.text.lower()} is a constant, not a function: leave the brackets out"
    elif ALIASES.get(token.text.lower()) == "^":
        hint = "write u^v"
    elif token.text.lower() in DERIVATIVES:
        hint = 'a derivative is asked for by a command: autodiff diff "PROGRAM" --wrt x'
    elif written := SPELT_OUT.get(token.text) or SPELT_OUT.get(token.text.lower()):
        hint = f"write {written.format(*arguments, *'uv'[len(arguments) :])}"
    elif bessel := re.fullmatch(r"([JYIK])_?(\d+)", token.text):
        hint = f"write bessel{bessel[1].lower()}({bessel[2]}, {arguments[0] if len(arguments) == 1 else 'x'})"
    elif token.text[1:] in BEHIND_A_FACTOR:
        hint = f"did you mean {token.text[0]}*{token.text[1:]}(…)?"
    return AutodiffError(f"unknown function {quoted(token.text)}", span=token.span, hint=hint)
