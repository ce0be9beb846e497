"""Equations in the syntax of a target: a `Spelling` holds its words, `notation.write` sets the brackets."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from autodiff.core import rules, templates
from autodiff.core.graph import Graph
from autodiff.core.primitive import Primitive
from autodiff.notation.write import AND, ATOM, COMPARISON, LEVELS, NOT, OR, POWER, SIGN, SUM, Argument, write

LOOSEST = 0
_CHOICE, _POWER, _SAME = rules.TABLE["if", 3], rules.TABLE["^", 2], rules.TABLE["+", 1]
_LOGIC = {rules.TABLE["and", 2]: AND, rules.TABLE["or", 2]: OR, rules.TABLE["not", 1]: NOT}

Key = tuple[str, int]
"""A row's name and how many arguments it has."""

INFIX: dict[Key, str] = {("+", 2): "", ("-", 2): "", ("*", 2): "", ("/", 2): "", ("-", 1): ""}
"""The calls of a target that writes arithmetic as the language does: none."""


def calls(pattern: str, unary: str, binary: str = "") -> dict[Key, str]:
    """Calls of rows that a target's library has, by `pattern`; `ln:log` is the row ln, which is log there.

    >>> calls("Math.{}", "ln:log", "hypot")
    {('ln', 1): 'Math.log({0})', ('hypot', 2): 'Math.hypot({0}, {1})'}
    """
    pairs = [(word.partition(":"), arity) for arity, words in ((1, unary), (2, binary)) for word in words.split()]
    arguments = {1: "({0})", 2: "({0}, {1})"}
    return {(name, n): pattern.format(there or name) + arguments[n] for (name, _, there), n in pairs}


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a target writes equations.

    calls      row → text with {0}, {1} for the arguments, which are between commas there; {0!} needs brackets
    choice     the three texts around condition, yes and no: ("", " ? ", " : ", "") and in which order they come
    logic      how `and`, `or`, `not` are written; `tight` when they bind tighter than comparisons
    nan        the constant that is no number
    number     how a constant is written; `boxed` the same where a function wants more than a plain number
    whole      whether u^n with a whole n is written u**n
    """

    calls: Mapping[Key, str]
    choice: str
    logic: tuple[str, str, str]
    number: Callable[[float], str] = repr
    boxed: Callable[[float], str] | None = None
    tight: bool = False
    nan: str = "nan"
    signs: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False
    functions: Mapping[Primitive, str] = field(default_factory=dict)
    safe: Mapping[tuple[int, int], str] = field(default_factory=dict)
    brackets: tuple[str, str] = ("(", ")")

    def name(self, name: str) -> str:
        return name

    def constant(self, value: float) -> str:
        return self.nan if math.isnan(value) else self.number(value)

    def level(self, graph: Graph, node: int) -> int:
        row = graph.rows[node]
        if row is None:
            return SIGN if graph.constants.get(node, 0.0) < 0 else ATOM
        if row is _CHOICE or row is _SAME:
            return LOOSEST if row is _SAME or self.choice.startswith("{") else ATOM
        if row in _LOGIC:
            return SUM if self.tight else SIGN if row.arity == 1 and self.logic[2] == "!" else _LOGIC[row]
        if row is _POWER:
            return POWER if self._raised(graph, node) else ATOM
        return LEVELS.get((row.name, row.arity), ATOM)

    def pieces(self, graph: Graph, node: int) -> list[str | Argument]:
        row, args = graph.rows[node], graph.args[node]
        if row is None:
            return [self.constant(graph.constants[node])]
        if row is _SAME:
            return [Argument(args[0])]
        if row is _CHOICE:
            need = 0 if self.level(graph, node) == ATOM else OR
            return self._filled(graph, node, self.choice, need)
        if row in _LOGIC:
            return self._condition(graph, row, args)
        level = LEVELS.get((row.name, row.arity))
        if row is _POWER:
            if self._raised(graph, node):
                return [self._argument(graph, node, 0, ATOM), f"**{int(graph.constants[args[1]])}"]
        elif level == SIGN:
            return [row.name, self._argument(graph, node, 0, POWER)]
        elif level == COMPARISON:
            sign = self.signs.get(row.name, row.name)
            return [self._argument(graph, node, 0, SUM), f" {sign} ", self._argument(graph, node, 1, SUM)]
        elif level is not None:
            sign = f" {row.name} " if level == SUM else row.name
            return [
                self._argument(graph, node, 0, level),
                sign,
                self._argument(graph, node, 1, level + 1, unsigned=True),
            ]
        return self._filled(graph, node, self._call(row), 0)

    def _raised(self, graph: Graph, node: int) -> bool:
        base, power = graph.args[node]
        exponent = graph.constants.get(power)
        if not self.whole or exponent is None or base in graph.constants:  # Python stops at 1e155**2
            return False
        return exponent == int(exponent) and 0 < exponent < 100

    def _call(self, row: Primitive) -> str:
        if row in self.functions:
            return f"{self.functions[row]}({', '.join(f'{{{k}}}' for k in range(row.arity))})"
        return self.calls[row.name, row.arity]

    def _filled(self, graph: Graph, node: int, template: str, need: int) -> list[str | Argument]:
        pieces: list[str | Argument] = []
        for text, place, tight in _split(template):
            pieces.append(text)
            if place is not None:
                pieces.append(self._argument(graph, node, place, ATOM if tight else need, box=True))
        return pieces

    def _argument(
        self, graph: Graph, node: int, k: int, need: int, *, unsigned: bool = False, box: bool = False
    ) -> str | Argument:
        arg = graph.args[node][k]
        if (node, k) in self.safe:
            return self.safe[node, k]
        if box and self.boxed is not None and arg in graph.constants:
            return self.boxed(graph.constants[arg])
        return Argument(arg, need, unsigned)

    def _condition(self, graph: Graph, row: Primitive, args: tuple[int, ...]) -> list[str | Argument]:
        if row.arity == 1:
            tight = self.tight or self.logic[2] == "!"
            return [self.logic[2], Argument(args[0], ATOM if tight else NOT)]
        sign = self.logic[0 if _LOGIC[row] == AND else 1]
        level = ATOM if self.tight else _LOGIC[row]
        needs = [ATOM if self._mixed(graph, row, a) else level for a in args]
        return [Argument(args[0], needs[0]), f" {sign} ", Argument(args[1], max(needs[1], level + 1))]

    def _mixed(self, graph: Graph, row: Primitive, arg: int) -> bool:
        """`and` inside `or`: compilers ask for brackets there."""
        return graph.rows[arg] in _LOGIC and graph.rows[arg] is not row and self.logic[0] == "&&"

    def text(self, graph: Graph, node: int, names: Mapping[int, str]) -> str:
        """One equation; those in `names`, but for itself, are called by their names."""
        return write(graph, node, self, names)


@lru_cache(maxsize=256)
def _split(template: str) -> tuple[tuple[str, int | None, bool], ...]:
    """A template as texts, each with the place of the argument behind it and whether that must bind tightly."""
    pieces: list[tuple[str, int | None, bool]] = []
    end = 0
    for place in re.finditer(r"\{(\d)(!?)\}", template):
        pieces.append((template[end : place.start()], int(place[1]), bool(place[2])))
        end = place.end()
    return (*pieces, (template[end:], None, False))


@lru_cache(maxsize=4096)
def harmless(row: Primitive, known: tuple[float | None, ...]) -> tuple[float, ...]:
    """Arguments at which the row and its slopes are plain numbers, the `known` ones kept; ones where none are found."""
    for guess in (1.0, 0.5, 2.0, 0.25, 3.0, 0.0, -1.0, 10.0):
        args = tuple(guess if k is None else k for k in known)
        if all(inside(*args) for inside, _ in templates.domain(row)) and abs(templates.value(row)(*args)) < 1e300:
            return args
    return tuple(1.0 if k is None else k for k in known)
