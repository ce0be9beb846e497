"""Text to syntax tree: words, then the LALR(1) automaton of `grammar/autodiff.lark` over them.

Lark computes the automaton ahead of time (`grammar.py`); here it is a loop over plain tables, so that a one-line
program need not wait for a parser generator to load.

>>> parse("f(t) = t^2; f(3x)", functions={"sin"}).statements[1].body
<Call f 12:17>
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, cast

from autodiff.errors import AutodiffError, shortened
from autodiff.language import tables
from autodiff.language.ast import JUXTAPOSITION, Assign, Call, Expr, Program, Reading, Statement
from autodiff.language.builder import Builder
from autodiff.language.diagnostics import complaint
from autodiff.language.lexer import Word, words

Build: TypeAlias = Callable[[list[Any]], object]
Rule: TypeAlias = "tuple[str, int, Build]"


def parse(text: str, functions: Collection[str], *, strict: bool = False) -> Program:
    """The syntax tree of a program in which the names in `functions` are built-in functions.

    With `strict` a doubtful reading such as `1/2x` is an error. Raises AutodiffError for anything that is no program.
    """
    if not isinstance(text, str):
        raise AutodiffError(
            f"a program is a text, not {shortened(repr(text))}", hint='write it in quotes, such as "sin(x^2)"'
        )
    try:
        found = words(text, functions)
        if all(w.type == "SEP" for w in found):
            raise AutodiffError("the program is empty", hint='write an expression, such as "sin(x^2)"')
        products = list[Call]()
        statements = cast("tuple[Statement, ...]", _tree(found, "program", len(text), functions, products))
        readings = tuple(_readings(text, products))
        if strict and readings:
            raise AutodiffError(
                f"doubtful: {readings[0]}", span=readings[0].span, hint="with --strict, write the brackets"
            )
        return Program(text, statements, readings)
    except AutodiffError as error:
        raise error.within(text) from None


def parse_bindings(text: str, functions: Collection[str]) -> tuple[Assign, ...]:
    """`x=4,y=[1,2]` as assignments, in order; their expressions are not yet evaluated."""
    try:
        found = words(text, functions)
        if not found:
            raise AutodiffError("no NAME=VALUE here", hint="write for example --at x=4,y=pi/2")
        return cast("tuple[Assign, ...]", _tree(found, "bindings", len(text), functions))
    except AutodiffError as error:
        raise error.within(text) from None


# --- the automaton ----------------------------------------------------------------------------------------------------


def _tree(
    found: Sequence[Word], start: str, length: int, functions: Collection[str], products: list[Call] | None = None
) -> object:
    """What `Builder` makes of the words: shift a word, or reduce the last parts by a rule, as the tables say.

    Products that are written without an operator are also put into `products`.
    """
    states, rules, goto = tables.STATES, _rules(), _Goto()
    if products is not None:
        rules = _noting(rules, products)
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


def _noting(rules: tuple[Rule, ...], products: list[Call]) -> tuple[Rule, ...]:
    """The rules, of which that for a product without an operator notes what it builds."""
    at = _juxtaposition()
    origin, size, build = rules[at]

    def noted(children: list[Any]) -> object:
        node = build(children)
        products.append(cast(Call, node))
        return node

    return (*rules[:at], (origin, size, noted), *rules[at + 1 :])


@lru_cache(maxsize=1)
def _juxtaposition() -> int:
    return next(k for k, (_, _, method, _) in enumerate(tables.RULES) if method == "juxtaposition")


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


# --- doubtful readings ------------------------------------------------------------------------------------------------


def _readings(text: str, products: Iterable[Call]) -> Iterable[Reading]:
    """Juxtapositions that a person may read otherwise: behind a quotient (`1/2x`), glued to an exponent (`e^2x`)."""
    for node in sorted(products, key=lambda product: (product.span[0], -product.span[1])):
        left, right = node.args
        power = _last_factor(left)
        if _is_open(left, "/") or (_is_open(power, "^") and _glued(text, power, right)):
            left = left if _is_open(left, "/") else power
            span = left.span[0], right.span[1]
            meaning = f"({text[slice(*left.span)]})*{text[slice(*right.span)]}"
            yield Reading(shortened(text[slice(*span)], 60), shortened(meaning, 62), span)


def _is_open(node: Expr, operator: str) -> bool:
    """Whether `node` is this operator's call with no brackets of its own around it."""
    if not isinstance(node, Call) or node.name != operator or len(node.args) != 2:
        return False
    return node.span == (node.args[0].span[0], node.args[1].span[1])


def _last_factor(node: Expr) -> Expr:
    return node.args[1] if any(_is_open(node, o) for o in ("*", "/", JUXTAPOSITION)) else node  # type: ignore[union-attr]


def _glued(text: str, power: Expr, right: Expr) -> bool:
    """Whether a name or function follows the exponent's own digits at once: `e^2x`, but not `x²y`, `x^2 y`, `x^2(y)`."""
    exponent = cast(Call, power).args[1]
    starts = text[exponent.span[0]]
    return (
        power.span[1] == right.span[0] and text[right.span[0]] != "(" and starts != "(" and starts not in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
    )
