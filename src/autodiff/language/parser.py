"""Text to syntax tree: tokens, then the LALR(1) automaton of `grammar/autodiff.lark` over them.

Lark computes the automaton ahead of time (`generate.py`); here it is a loop over plain tables, so that a one-line
program need not wait for a parser generator to load.

>>> parse("f(t) = t^2; f(3x)", functions={"sin"}).statements[1].body
<Call f 12:17>
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import cast

from autodiff.errors import AutodiffError, Translation, quoted, shortened
from autodiff.language.ast import Assign, Expression, ParsedProgram, Reading, Statement
from autodiff.language.automaton import Automaton
from autodiff.language.builder import Builder
from autodiff.language.doubt.layout import DATE, of_layout, of_points, of_values
from autodiff.language.doubt.operators import Noted, of_operators
from autodiff.language.lexer import tokens
from autodiff.language.token import Token

LONGEST, LONGEST_LATEX = 5_000_000, 1_000_000
"""Characters that a program may have: a longer one would take minutes, as deep LaTeX does sooner."""


def require_short(text: str, most: int = LONGEST) -> None:
    """Raise AutodiffError for more characters than a program may have."""
    if len(text) > most:
        raise AutodiffError(
            f"a program has at most {most:,} characters, and this one has {len(text):,}",
            hint="give its numbers as inputs: in a point or a table",
        )


def parse(
    text: str,
    functions: Collection[str],
    *,
    strict: bool = False,
    given: Collection[str] = (),
    wrt: Collection[str] = (),
) -> ParsedProgram:
    """The syntax tree of a program in which the names in `functions` are built-in functions.

    A name in `given` has a value, which wins over a constant of that name; that one in `wrt` is a name is no doubt. With `strict` a doubtful reading such as
    `1/2x` is an error. Raises AutodiffError for anything that is no program, and for a line without effect.
    """
    is_latex = isinstance(text, str) and ("\\" in text or "{" in text or "$" in text)
    if isinstance(text, str):
        require_short(text, LONGEST_LATEX if is_latex else LONGEST)
    program = _of_latex(text, functions, given) if is_latex else _parsed(text, functions, given)
    text = program.source
    try:
        _effective(program.statements, text)
    except AutodiffError as error:
        raise error.within(text) from None
    if wrt and program.readings:
        readings = tuple(reading for reading in program.readings if reading.text in given or reading.text not in wrt)
        program = ParsedProgram(text, program.statements, readings, program.given)
    if strict and program.readings:
        first, written = program.readings[0], text.original if isinstance(text, Translation) else text
        plain = "another formula" if first.text.endswith("(…)") else "the brackets"
        hint = f"with --strict, write {'* in products, or another name' if first.text.isidentifier() else plain}"
        raise AutodiffError(f"doubtful: {first}", span=first.span, hint=hint, source=written)
    return program


def _of_latex(text: str, functions: Collection[str], given: Collection[str]) -> ParsedProgram:
    """The program that a LaTeX formula stands for, with that reading; any other text as it is."""
    from autodiff.language.latex import reader as latex  # few programs are LaTeX

    if not latex.is_latex(text):
        return _parsed(text, functions, given)
    text = re.sub(r"^\s*\\,\s*", "", text)  # as `derivative_notation` puts before LaTeX
    try:
        written = latex.program(text, functions)
    except AutodiffError:
        calls = not {*re.findall(r"[A-Za-z]\w+", text)}.isdisjoint(functions)
        if not calls or re.search(
            r"\\|\$|\{,\}|_\s*\{|\}\s*[!%°\[^_]", text
        ):  # in LaTeX, x^{n}! is a factorial of the power
            raise
        written = Translation(text.replace("{", "(").replace("}", ")"), text)  # e^{sin(x)} has braces only
    program = _parsed(written, functions, given)
    reading = Reading(shortened(text, 60), shortened(program.source, 200), (0, len(text)))
    readings = [reading] * (reading.text.strip() != reading.meaning)
    readings += (other for other in program.readings if other.text != text.strip())
    return ParsedProgram(program.source, program.statements, tuple(readings), program.given)


def parse_behind(program: ParsedProgram, text: str, functions: Collection[str]) -> ParsedProgram:
    """The statements of a program and behind them those of `text`, which may use its names; two results are no mistake."""
    return _parsed(f"{program.source}\n;\n{text}", functions, program.given)


def _parsed(text: str, functions: Collection[str], given: Collection[str]) -> ParsedProgram:
    if not isinstance(text, str):
        raise AutodiffError(
            f"a program is a text, not {shortened(repr(text))}", hint='write it in quotes, such as "sin(x^2)"'
        )
    try:
        readings = list[Reading]()
        scanned = tokens(text, functions, given, readings)
        if all(w.type == "SEP" for w in scanned):
            raise AutodiffError("the program is empty", hint='write an expression, such as "sin(x^2)"')
        doubtful = list[Noted]()
        statements = cast("tuple[Statement, ...]", _tree(scanned, "program", len(text), functions, doubtful))
        readings += of_values(scanned, given)
        if isinstance(text, Translation):  # what its own operators mean is not doubtful
            first = {(reading.text, reading.meaning): reading for reading in reversed(readings)}.values()
            readings = [*text.readings, *(reading._replace(span=text.span_of(reading.span)) for reading in first)]
        else:
            readings += [*of_operators(text, doubtful), *of_layout(scanned, text, given)]
        return ParsedProgram(
            text, statements, tuple(sorted(readings, key=lambda reading: reading.span[0])), frozenset(given)
        )
    except AutodiffError as error:
        from autodiff.language.derivative_notation import at_a_number, with_a_point  # only a mistake needs them

        raise (with_a_point(text, functions) or at_a_number(text) or error).within(text) from None


def _effective(statements: Sequence[Statement], text: str) -> None:
    """Raise AutodiffError for an expression that is not the last statement."""
    for statement in statements[:-1]:
        if isinstance(statement, Expression):
            line = text.count("\n", 0, statement.span[0]) + 1
            where = f"line {line}, " if "\n" in text.strip() else ""
            raise AutodiffError(
                f"{where}{quoted(text[slice(*statement.span)])} has no effect: the result is the last statement",
                span=statement.span,
                hint="give it a name, such as a = …, or leave it out",
            )


def parse_bindings(text: str, functions: Collection[str], readings: list[Reading] | None = None) -> tuple[Assign, ...]:
    """`x=4,y=[1, 2]` as assignments, in order; their expressions are not yet evaluated.

    What a person may read otherwise is put into `readings`.
    """
    try:
        noted, doubtful = list[Reading](), list[Noted]()
        if "\\" in text or "{" in text:
            from autodiff.language.latex import reader as latex  # few points are LaTeX

            written = latex.bindings(text, functions)
            noted += [Reading(shortened(text, 60), shortened(written, 62), (0, len(text)))] if written != text else []
            text = written
        scanned = tokens(text, functions, (), noted)
        if not scanned:
            raise AutodiffError("no NAME=VALUE here", hint="write for example --at x=4,y=pi/2")
        _certain(scanned)
        if ("-" in text or "/" in text) and (date := re.search(DATE, text)):  # most points have no such sign
            raise AutodiffError(
                f"{date[0]} is a date, and no number",
                span=date.span(),
                hint="write a number, such as the days since the first date; a difference or a quotient with blanks",
            )
        bindings = cast("tuple[Assign, ...]", _tree(scanned, "bindings", len(text), functions, doubtful))
        if readings is not None:
            readings += [*noted, *of_operators(text, doubtful), *of_layout(scanned, text), *of_points(text)]
        return bindings
    except AutodiffError as error:
        raise error.within(text) from None


def _certain(scanned: Sequence[Token]) -> None:
    """Raise AutodiffError for a number with its uncertainty, as in 4.0(1) and 4 +- 0.1."""
    for before, first, second, third in zip([None, *scanned], scanned, scanned[1:], scanned[2:], strict=False):
        digits = first.type == "NUMBER" and second.type == "LPAR" and third.type == "NUMBER"
        signs = (first.text, second.text) == ("+", "-") or (first.text, second.text, third.text) == ("+", "/", "-")
        if signs or (digits and first.span[1] == second.span[0]):
            number = str(first if digits else before or third)
            raise AutodiffError(
                "an uncertainty is not read here: a value is one number",
                span=(first.span[0], third.span[1]),
                hint=f"write {shortened(number, 20)} alone, or a product with *",
            )


def _tree(
    scanned: Sequence[Token], start: str, length: int, functions: Collection[str], doubtful: list[Noted] | None = None
) -> object:
    """What `Builder` makes of the tokens; what a person may read otherwise is also put into `doubtful`."""

    def complain(tokens: Sequence[Token], position: int) -> AutodiffError:
        from autodiff.language.diagnostics import complaint  # only a mistake needs it

        return complaint(tokens, position, length, functions, start)

    return _automaton().parse(scanned, start, length, complain, doubtful)


@lru_cache(maxsize=1)
def _automaton() -> Automaton:
    return Automaton("autodiff", Builder())
