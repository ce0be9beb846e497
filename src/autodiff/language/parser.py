"""Text to syntax tree: words, then the LALR(1) automaton of `grammar/autodiff.lark` over them.

Lark computes the automaton ahead of time (`grammar.py`); here it is a loop over plain tables, so that a one-line
program need not wait for a parser generator to load.

>>> parse("f(t) = t^2; f(3x)", functions={"sin"}).statements[1].body
<Call f 12:17>
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, cast

from autodiff.errors import AutodiffError, quoted, shortened
from autodiff.language import tables
from autodiff.language.ast import Assign, Call, Expression, Program, Reading, Statement
from autodiff.language.builder import Builder
from autodiff.language.diagnostics import complaint
from autodiff.language.lexer import words
from autodiff.language.readings import DOUBTFUL, Noted, of_operators, of_values
from autodiff.language.word import Word

Build: TypeAlias = Callable[[list[Any]], object]
Rule: TypeAlias = "tuple[str, int, Build]"


def parse(text: str, functions: Collection[str], *, strict: bool = False, given: Collection[str] = ()) -> Program:
    """The syntax tree of a program in which the names in `functions` are built-in functions.

    A name in `given` has a value, which wins over a constant of that name. With `strict` a doubtful reading such as
    `1/2x` is an error. Raises AutodiffError for anything that is no program, and for a line without effect.
    """
    program = _parsed(text, functions, given)
    try:
        _effective(program.statements, text)
        if strict and program.readings:
            first = program.readings[0]
            raise AutodiffError(f"doubtful: {first}", span=first.span, hint="with --strict, write the brackets")
        return program
    except AutodiffError as error:
        raise error.within(text) from None


def parse_behind(program: Program, text: str, functions: Collection[str]) -> Program:
    """The statements of a program and behind them those of `text`, which may use its names; two results are no mistake."""
    return _parsed(f"{program.source}\n;\n{text}", functions, program.given)


def _parsed(text: str, functions: Collection[str], given: Collection[str]) -> Program:
    if not isinstance(text, str):
        raise AutodiffError(
            f"a program is a text, not {shortened(repr(text))}", hint='write it in quotes, such as "sin(x^2)"'
        )
    try:
        readings = list[Reading]()
        found = words(text, functions, given, readings)
        if all(w.type == "SEP" for w in found):
            raise AutodiffError("the program is empty", hint='write an expression, such as "sin(x^2)"')
        doubtful = list[Noted]()
        statements = cast("tuple[Statement, ...]", _tree(found, "program", len(text), functions, doubtful))
        readings += of_values(found, given)
        readings += of_operators(text, doubtful)
        return Program(text, statements, tuple(sorted(readings, key=lambda reading: reading.span[0])), frozenset(given))
    except AutodiffError as error:
        from autodiff.language.synonyms import with_a_point  # only a mistake needs it

        raise (with_a_point(text, functions) or error).within(text) from None


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


def parse_bindings(text: str, functions: Collection[str]) -> tuple[Assign, ...]:
    """`x=4,y=[1,2]` as assignments, in order; their expressions are not yet evaluated."""
    try:
        found = words(text, functions)
        if not found:
            raise AutodiffError("no NAME=VALUE here", hint="write for example --at x=4,y=pi/2")
        _certain(found, text)
        return cast("tuple[Assign, ...]", _tree(found, "bindings", len(text), functions))
    except AutodiffError as error:
        raise error.within(text) from None


def _certain(found: Sequence[Word], text: str) -> None:
    """Raise AutodiffError for a number with its uncertainty, as in 4.0(1) and 4 +- 0.1."""
    for first, second, third in zip(found, found[1:], found[2:], strict=False):
        digits = first.type == "NUMBER" and second.type == "LPAR" and third.type == "NUMBER"
        signs = (first.text, second.text) == ("+", "-") or (first.text, second.text, third.text) == ("+", "/", "-")
        if signs or (digits and first.span[1] == second.span[0]):
            number = first.text if digits else "4.0"
            raise AutodiffError(
                "an uncertainty is not read here: a value is one number",
                span=(first.span[0], third.span[1]),
                hint=f"write {shortened(number, 20)} alone, or a product with *",
            )


# --- the automaton ----------------------------------------------------------------------------------------------------


def _tree(
    found: Sequence[Word], start: str, length: int, functions: Collection[str], doubtful: list[Noted] | None = None
) -> object:
    """What `Builder` makes of the words: shift a word, or reduce the last parts by a rule, as the tables say.

    What a person may read otherwise is also put into `doubtful`, with the method that built it.
    """
    states, rules, goto = tables.STATES, _rules(), _Goto()
    if doubtful is not None:
        rules = _noting(rules, doubtful)
    state, last = tables.START[start]
    stack, parts = [state], list[Any]()
    end = Word("$END", "", (length, length))
    for position, word in enumerate((*found, end)):
        kind = word.type
        while (move := states[state].get(kind, 0)) < 0:
            origin, size, build = rules[~move]
            cut = len(parts) - size
            children = parts[cut:]
            del parts[cut:], stack[cut + 1 :]
            parts.append(build(children))
            state = goto[stack[-1], origin, kind]
            stack.append(state)
            if word is end and state == last:
                return parts[-1]
        if not move:
            raise complaint(found, position, length, functions, start)
        state = move
        stack.append(state)
        parts.append(word)
    raise AssertionError("the tables accept $END or refuse it")


class _Goto(dict[tuple[int, str, str], int]):
    """The state after a reduction to `origin` in front of a word of some kind, rules that only rename passed over.

    `2*x` is renamed from operand to power to sign to product; one look-up goes there at once.
    """

    def __missing__(self, key: tuple[int, str, str]) -> int:
        state, origin, kind = key
        reached = tables.STATES[state][origin]
        while (move := tables.STATES[reached].get(kind, 0)) < 0 and not tables.RULES[~move][2]:
            reached = tables.STATES[state][tables.RULES[~move][0]]
        self[key] = reached
        return reached


@lru_cache(maxsize=1)
def _rules() -> tuple[Rule, ...]:
    """The grammar's rules with the functions that build."""
    return tuple((origin, size, _method(name, spliced)) for origin, size, name, spliced in tables.RULES)


def _noting(rules: tuple[Rule, ...], doubtful: list[Noted]) -> tuple[Rule, ...]:
    """The rules, of which those that may build something doubtful note what they build."""

    def noted(method: str, build: Build) -> Build:
        def build_and_note(children: list[Any]) -> object:
            node = build(children)
            doubtful.append((method, cast(Call, node)))
            return node

        return build_and_note

    noting = list(rules)
    for k in _doubtful_rules():
        origin, size, build = rules[k]
        noting[k] = origin, size, noted(tables.RULES[k][2], build)
    return tuple(noting)


@lru_cache(maxsize=1)
def _doubtful_rules() -> tuple[int, ...]:
    return tuple(k for k, (_, _, method, _) in enumerate(tables.RULES) if method in DOUBTFUL)


def _method(name: str, spliced: bool) -> Build:
    if name in ("", "*"):
        return _spliced
    method: Build = getattr(Builder(), name)
    return (lambda children: method(_spliced(children))) if spliced else method


def _spliced(children: list[Any]) -> list[Any]:
    """The parts in one list, repetitions among them opened; a long one in front is kept, not copied."""
    flat = children[0] if isinstance(children[0], list) else children[:1]
    for child in children[1:]:
        if isinstance(child, list):
            flat.extend(child)
        else:
            flat.append(child)
    return flat
