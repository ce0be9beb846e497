"""The LALR(1) automaton: tokens, and the tables that Lark made of a grammar, to what a builder makes of them.

Lark computes the tables ahead of time (`generate.py`); here is a loop over them, so that a one-line program need not
wait for a parser generator to load.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from autodiff.errors import AutodiffError
from autodiff.language.ast import Call
from autodiff.language.doubt.operators import DOUBTFUL, Noted
from autodiff.language.tables import Tables, tables
from autodiff.language.token import Token

Build: TypeAlias = Callable[[list[Any]], object]
Rule: TypeAlias = "tuple[str, int, Build, str]"
Complain: TypeAlias = Callable[[Sequence[Token], int], AutodiffError]


class Automaton:
    """The tables of a grammar, and a `builder` with one method per alias of it."""

    def __init__(self, grammar: str, builder: object) -> None:
        self.tables = tables(grammar)
        self.goto = _Goto(self.tables)
        self.rules: tuple[Rule, ...] = tuple(
            (origin, size, _method(builder, name, spliced), name if name in DOUBTFUL else "")
            for origin, size, name, spliced in self.tables.rules
        )

    def parse(
        self, tokens: Sequence[Token], start: str, length: int, complain: Complain, doubtful: list[Noted] | None = None
    ) -> object:
        """What the builder makes of the tokens: shift a token, or reduce the last parts by a rule, as the tables say.

        What a person may read otherwise is also put into `doubtful`, with the method that built it. Raises what
        `complain` returns for the first token that the grammar does not allow.
        """
        states, goto, rules = self.tables.states, self.goto, self.rules
        state, last = self.tables.start[start]
        stack, parts = [state], list[Any]()
        end = Token("$END", "", (length, length))
        for position, token in enumerate((*tokens, end)):
            kind = token.type
            while (move := states[state].get(kind, 0)) < 0:
                origin, size, build, method = rules[~move]
                cut = len(parts) - size
                children = parts[cut:]
                del parts[cut:], stack[cut + 1 :]
                parts.append(build(children))
                if method and doubtful is not None:
                    doubtful.append((method, cast(Call, parts[-1])))
                state = goto[stack[-1], origin, kind]
                stack.append(state)
                if token is end and state == last:
                    return parts[-1]
            if not move:
                raise complain(tokens, position)
            state = move
            stack.append(state)
            parts.append(token)
        raise AssertionError("the tables accept $END or refuse it")


class _Goto(dict[tuple[int, str, str], int]):
    """The state after a reduction to `origin` in front of a token of some kind, rules that only rename passed over.

    `2*x` is renamed from operand to power to sign to product; one look-up goes there at once.
    """

    def __init__(self, tables: Tables) -> None:
        super().__init__()
        self.states, self.rules = tables.states, tables.rules

    def __missing__(self, key: tuple[int, str, str]) -> int:
        state, origin, kind = key
        reached: int = self.states[state][origin]
        while (move := self.states[reached].get(kind, 0)) < 0 and not self.rules[~move][2]:
            reached = self.states[state][self.rules[~move][0]]
        self[key] = reached
        return reached


def _method(builder: object, name: str, spliced: bool) -> Build:
    if name in ("", "*"):
        return _spliced
    method: Build = getattr(builder, name)
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
