"""Equations in the language itself, with the fewest brackets: what is written reads back as the same function.

PLAIN    2*x*cos(x^2)*exp(sin(x^2))     for scripts
PRETTY   2·x·cos(x^2)·e^sin(x^2)        for people; the language reads it as well
"""

from __future__ import annotations

from dataclasses import dataclass

from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.core.primitive import Primitive
from autodiff.diagnostics import shown
from autodiff.language.ast import CONSTANTS
from autodiff.notation.write import ATOM, CHOICE, COMPARISON, LEVELS, NOT, POWER, SIGN, SUM, Argument, flattened, write

_EXP, _IF = rules.TABLE["exp", 1], rules.TABLE["if", 3]
_TIMES, _POWER = rules.TABLE["*", 2], rules.TABLE["^", 2]


@dataclass(frozen=True, slots=True)
class Infix:
    """A spelling of the language: its sign for products, and whether it writes `2x`, `e^z` and Greek names, as for people."""

    times: str = "*"
    human: bool = False
    brackets: tuple[str, str] = ("(", ")")

    def name(self, name: str) -> str:
        return name

    def level(self, graph: Graph, node: int) -> int:
        row = graph.rows[node]
        if row is None:
            return SIGN if graph.constants.get(node, 0.0) < 0 else ATOM
        if self.human and row is _IF:
            return CHOICE
        if self.human and row is _EXP and graph.find("e") is None:
            return POWER
        return LEVELS.get((row.name, row.arity), ATOM)

    def pieces(self, graph: Graph, node: int) -> list[str | Argument]:
        row, args = graph.rows[node], graph.args[node]
        if row is None:
            return [graph.inputs[node]] if node in graph.inputs else [self.number(graph.constants[node])]
        if self.human and row is _EXP and graph.find("e") is None:
            return ["e^", Argument(args[0], POWER, unsigned=True)]
        if self.human and row is _IF:
            return [Argument(args[1]), " if ", Argument(args[0]), ", else ", Argument(args[2])]
        level = LEVELS.get((row.name, row.arity))
        if level is None:
            return self._call(graph, row, node)
        if row.arity == 1:
            return [f"{row.name} " if level == NOT else row.name, Argument(args[0], POWER if level == SIGN else level)]
        return self._binary(graph, row, level, args)

    def _binary(self, graph: Graph, row: Primitive, level: int, args: tuple[int, ...]) -> list[str | Argument]:
        left, right = args
        if level == POWER:
            return [Argument(left, ATOM), "^", Argument(right, POWER, unsigned=True)]
        if level == COMPARISON:
            return [Argument(left, SUM), f" {row.name} ", Argument(right, SUM)]
        if self.human and row is _TIMES and _clings(graph, left, right):
            return [Argument(left, level), Argument(right)]
        sign = self.times if row is _TIMES else row.name if level > SUM else f" {row.name} "
        return [Argument(left, level), sign, Argument(right, level + 1, unsigned=True)]

    def _call(self, graph: Graph, row: Primitive, node: int) -> list[str | Argument]:
        name = next((n for n in row.names if not n.isascii()), row.name) if self.human else row.name
        pieces: list[str | Argument] = [f"{name}("]
        for i, arg in enumerate(flattened(graph, row, graph.args[node])):
            pieces += [", "] * (i > 0) + [Argument(arg)]
        return [*pieces, ")"]

    def number(self, value: float) -> str:
        """A constant: by its name if it has one, else the shortest text that reads back the same."""
        names = [n for n, known in CONSTANTS.items() if known == abs(value)]
        if not names:
            return shown(value)
        return "-" * (value < 0) + (names[-1] if self.human else names[0])


def _clings(graph: Graph, left: int, right: int) -> bool:
    """Whether a number may come right before a factor: `2x`, `3x^2`, `2π`; but not `2e1`, which is a number."""
    value = graph.constants.get(left, 0.0)
    base = graph.args[right][0] if graph.rows[right] is _POWER else right
    name = "π" if graph.constants.get(base) == CONSTANTS["π"] else graph.inputs.get(base, "e")
    whole = shown(abs(value)).replace(".", "").isdigit()
    return value != 0 and whole and abs(value) not in CONSTANTS.values() and name[0] not in "eE"


PLAIN = Infix()
PRETTY = Infix(times="·", human=True)


def infix(graph: Graph, node: int, style: Infix = PLAIN) -> str:
    """The text of an equation. Its length is the caller's care: see `parts`."""
    return write(graph, node, style)
