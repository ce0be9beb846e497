"""The parser is the grammar: the tables are what Lark makes of `autodiff.lark`, and the loop over them is Lark's own.

Every text is read twice, by the package and by Lark's lexer and Lark's engine with the same builder: same tokens, same
tree with the same places, or the same error.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from lark import Lark, UnexpectedCharacters, UnexpectedToken

from autodiff.core import rules
from autodiff.errors import AutodiffError, normalised
from autodiff.language import generate, lexer, parser
from autodiff.language.ast import Call, ParsedProgram, walk
from autodiff.language.builder import Builder
from autodiff.language.diagnostics import complaint, stray
from autodiff.language.doubt.operators import DOUBTFUL, Noted
from autodiff.language.token import Token
from tests.cli.test_error_messages import PIECES, cases
from tests.core.test_depth_and_width import CASES
from tests.language.test_readings import READINGS


def test_the_tables_are_what_lark_makes_of_the_grammar() -> None:
    written = Path(generate.__file__).with_name("autodiff.lalr").read_text(encoding="utf-8")
    assert generate.tables("autodiff") == written, "stale: run python -m autodiff.language.generate"


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_tables_do_not_depend_on_the_run(seed: str) -> None:
    code = "from autodiff.language import generate; print(generate.tables('autodiff'), end='')"
    again = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True
    )
    assert again.stdout == generate.tables("autodiff"), again.stderr


class Noting(Builder):
    """A builder that keeps what it builds of the methods whose results may be doubtful."""

    notes: ClassVar[list[Noted]] = []

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        if name not in DOUBTFUL:
            return method

        def noted(parts: list[Any]) -> Call:
            node: Call = method(parts)
            Noting.notes.append((name, node))
            return node

        return noted


@lru_cache(maxsize=1)
def lark() -> Lark:
    return generate.lark("autodiff", Noting())


def split_by_lark(text: str, functions: frozenset[str]) -> list[Token]:
    """The tokens by Lark's lexer, names normalised and distinguished from functions."""
    found = []
    try:
        for token in lark().lex(text):
            span, shown = (token.start_pos or 0, token.end_pos or 0), str(token)
            if token.type == "NAME" and not token.isascii():
                shown = normalised(token)
                if not shown.isidentifier():
                    raise lexer._refused(text, span)
            kind = "FUNC" if token.type == "NAME" and shown in functions else token.type
            found.append(Token(kind, shown, span))
    except UnexpectedCharacters as error:
        raise stray(text, error.pos_in_stream or 0) from None
    return found


def tree_by_lark(
    found: list[Token], start: str, length: int, functions: frozenset[str], doubtful: list[Noted] | None = None
) -> object:
    """What `Builder` makes of the tokens, called by Lark's engine."""
    engine = lark().parse_interactive(start=start)
    Noting.notes.clear()
    position = 0
    try:
        for position, token in enumerate([*found, Token("$END", "", (length, length))]):  # noqa: B007
            built = engine.feed_token(token)  # type: ignore[arg-type]
        if doubtful is not None:
            doubtful += Noting.notes
        return built
    except UnexpectedToken:
        raise complaint(found, position, length, functions, start) from None


def _plain_data(program: object) -> object:
    """A program, or the text of --at, as plain data without recursion: every node with its label and places."""
    statements = program.statements if isinstance(program, ParsedProgram) else program
    assert isinstance(statements, tuple)
    readings = [str(r) for r in program.readings] if isinstance(program, ParsedProgram) else []
    nodes = [node for s in statements for node in walk((s,))]
    places = [(type(n).__name__, n.label(), n.span, getattr(n, "name_span", None), len(n.children())) for n in nodes]
    return [(type(s).__name__, s.span) for s in statements], places, readings


def _read(text: str, start: str) -> object:
    try:
        functions = rules.functions()
        return _plain_data(
            parser.parse(text, functions) if start == "program" else parser.parse_bindings(text, functions)
        )
    except AutodiffError as error:
        return str(error)


def same(text: str, start: str = "program") -> object:
    """What the package reads in `text`, which is what Lark reads in it."""
    mine = _read(text, start)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexer, "split", split_by_lark)
        patch.setattr(parser, "_tree", tree_by_lark)
        assert _read(text, start) == mine, text
    return mine


TEXTS = [
    *READINGS,
    *(arg for args, _, _ in cases() for arg in args),
    *(text for row in rules.rows() for text in (row.definition, *row.partials, *(text for text, _ in row.domain), *row.ulp_error)),
]  # fmt: skip


@pytest.mark.parametrize("start", ["program", "bindings"])
def test_texts_of_other_tests(start: str) -> None:
    read = [same(text, start) for text in TEXTS]
    assert sum(isinstance(outcome, str) for outcome in read) > 50


@pytest.mark.parametrize("name", ["nested calls", "a long sum", "statements", "conditions"])
def test_deep_and_long_texts(name: str) -> None:
    assert not isinstance(same(CASES[name][0]), str)


SHAPES = {
    "statement": ["<expr>", "<name> = <expr>", "f(t) = <expr>", "f(a, b) = <expr>"],
    "binding": ["<name> = <expr>", "<name> = <expr>, <name>=<expr>"],
    "expr": ["<name>", "<number>", "<expr> <op> <expr>", "<expr><op><expr>", "-<expr>", "(<expr>)", "<number><name>", "(<expr>)(<expr>)", "<name>(<expr>)",
             "<call>(<expr>)", "<call>^2(<expr>)", "<call>³(<expr>)", "max(<expr>, <expr>, <expr>)", "<expr>²", "if(<condition>, <expr>, <expr>)", "[<expr>, <expr>]",
             "<name>[<number>]", "A[<expr>, <expr>]", "<expr>\n + <expr>", "<name> <name>", "1/2<name>",
             "|<expr>|", "<name>!", "√<name>", "∛(<expr>)", "<number>°", "<name>%", "<name> % <name>", "½<name>", "<name>½", "<call> <name>", "<call> 2<name>", "<call>^2 <name>",
             "<call> <name> <call> <name>", "<call>^-1(<expr>)", "<call>⁻¹(<expr>)", "<expr> if <condition> else <expr>", "<condition> ? <expr> : <expr>", "np.<call>(<expr>)", "tg <name>"],
    "condition": ["<expr> < <expr>", "<expr> <= <name> ≠ <expr>", "not <condition>", "<condition> and <condition>", "<condition> or <condition>", "(<condition>)"],
    "op": ["+", "-", "*", "/", "^", "**", "@", "·", "×", "÷", "−"],
    "name": ["x", "y", "θ", "x₁", "e", "andy", "nota", "ŷ", "𝑥", "orb_2"],
    "number": ["1", "2", ".5", "1.5e-3", "7.", "12e3", "3", "4.25", "2e", "1_0"],
    "call": ["sin", "exp", "f", "σ", "ln"],
}  # fmt: skip


def made(chance: random.Random, start: str) -> str:
    """A random text that the grammar can make, with at most some hundred tokens."""
    text = start if start == "<binding>" else "; ".join([start] * chance.randrange(1, 4))
    for step in range(80):
        place = text.find("<")
        while place >= 0 and text[place + 1 : text.find(">", place)] not in SHAPES:
            place = text.find("<", place + 1)
        if place < 0:
            break
        end = text.find(">", place)
        options = SHAPES[text[place + 1 : end]]
        text = text[:place] + (options[0] if step > 60 else chance.choice(options)) + text[end + 1 :]
    return text


def test_made_programs_and_their_slips() -> None:
    chance = random.Random(7)
    right = wrong = 0
    for turn in range(3000):
        start = "bindings" if turn % 3 == 0 else "program"
        text = made(chance, "<binding>" if start == "bindings" else "<statement>")
        at = chance.randrange(len(text) + 1)
        slip = text[:at] + chance.choice(PIECES) * chance.randrange(2) + text[at + chance.randrange(3) :]
        stray = "".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 9)))
        for outcome in (same(text, start), same(slip, start), same(stray, start)):
            right, wrong = right + (not isinstance(outcome, str)), wrong + isinstance(outcome, str)
    assert right > 1000
    assert wrong > 2000
