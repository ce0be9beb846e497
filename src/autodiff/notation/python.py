"""Equations as Python: `2*x*math.cos(x**2)`. What Python's `math` lacks is written out by its definition in the table."""

from __future__ import annotations

import keyword
import math
from dataclasses import dataclass
from functools import partial

from autodiff.core import rules, templates
from autodiff.core.floats import FLOATS
from autodiff.core.graph import Graph
from autodiff.core.primitive import Primitive
from autodiff.diagnostics import shown
from autodiff.errors import AutodiffError
from autodiff.language.ast import CONSTANTS
from autodiff.notation.infix import PLAIN, Infix
from autodiff.notation.write import OR, SIGN, Argument

_POWER, _MOD = rules.TABLE["^", 2], rules.TABLE["mod", 2]

_BUILT_IN = {name: name for name in ["abs", "min", "max", "round", "sign"]}
_CALLS = {"ln": "math.log"} | {name: f"math.{name}" for name in FLOATS if hasattr(math, name)} | _BUILT_IN

SIGN_FUNCTION = "def sign(u):\n    return (u > 0) - (u < 0)"
"""What a formula with `sign` needs beside `import math`."""

_TAKEN = {*keyword.kwlist, *_BUILT_IN, "math"}


@dataclass(frozen=True, slots=True)
class Python:
    """Python's expressions."""

    plain: Infix = PLAIN
    brackets: tuple[str, str] = ("(", ")")

    def name(self, name: str) -> str:
        return f"{name}_" if name in _TAKEN else name

    def level(self, graph: Graph, node: int) -> int:
        row = graph.rows[node]
        return OR - 1 if row is not None and _lazy(row) else self.plain.level(graph, node)

    def pieces(self, graph: Graph, node: int) -> list[str | Argument]:
        row, args = graph.rows[node], graph.args[node]
        if node in graph.inputs:
            return [self.name(graph.inputs[node])]
        if row is None:
            return [_number(graph.constants[node])]
        if _lazy(row):
            return [Argument(args[1], OR), " if ", Argument(args[0], OR), " else ", Argument(args[2], OR)]
        if row is _MOD:
            return [Argument(args[0], SIGN), " % ", Argument(args[1], SIGN)]
        pieces = self.plain.pieces(graph, node)
        if row is _POWER:
            return [pieces[0], "**", pieces[2]]
        return [f"{_CALLS[row.name]}(", *pieces[1:]] if row.name in _CALLS else pieces


def _lazy(row: Primitive) -> bool:
    return row.branches is not None and not row.is_predicate


def _number(value: float) -> str:
    names = {value: name for name, value in CONSTANTS.items() if name.isascii()}
    return f"{'-' * (value < 0)}math.{names[abs(value)]}" if abs(value) in names else shown(value)


def in_python(graph: Graph, root: int) -> tuple[Graph, int]:
    """The same formula with nothing but what Python has. Raises AutodiffError where that can't be."""
    native = Graph()
    return native, graph.carried([root], native.constant, native.input, partial(_native, native))[root]


def _native(native: Graph, row: Primitive, args: tuple[int, ...]) -> int:
    """An equation in Python's functions; of a function that the table defines, its definition (they are not deep)."""
    if row.name in _CALLS or row.is_predicate or row.branches is not None or not row.name.isidentifier() or row is _MOD:
        return native.call(row, args)
    if not row.definition:
        raise AutodiffError(f"Python's math has no {row.name}", hint="choose another --format, text for example")
    given = dict(zip(row.params, args, strict=True))
    return templates.filled(row.definition, given, native.constant, partial(_native, native))


PYTHON = Python()
