"""The meaning of the table's texts for floats: each is parsed once and compiled to a straight-line Python function.

>>> from autodiff.calculus.rules import TABLE
>>> slope(TABLE["sin", 1], 0)(0.0, 0.0)   # cos(u), given u and w
1.0
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias, cast

from autodiff.calculus import special
from autodiff.calculus.lower import Lowered, lower_template
from autodiff.calculus.ops import Row
from autodiff.calculus.rules import functions
from autodiff.calculus.special import ieee, logarithm
from autodiff.language.parse import parse

Number: TypeAlias = Callable[..., float]

FLOATS: Mapping[str, Number] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": special.divide,
    "^": special.power,
    "neg": operator.neg,
    "same": operator.pos,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "not": operator.not_,
    "abs": abs,
    "min": min,
    "max": max,
    "mod": special.modulo,
    "round": special.rounded,
    "floor": special.floor,
    "ceil": special.ceil,
    "sign": special.sign,
    "atan2": special.atan2,
    "cosh": special.cosh,
    "log1p": special.log1p,
    "atanh": special.atanh,
    "gamma": special.gamma,
    "lgamma": special.lgamma,
    "digamma": special.digamma,
    "polygamma": special.polygamma,
    "spherical_jn": special.spherical_jn,
    "ln": logarithm(math.log),
    "log2": logarithm(math.log2),
    "log10": logarithm(math.log10),
    **{
        name: ieee(getattr(math, name))
        for name in [
            "sqrt",
            "cbrt",
            "exp",
            "exp2",
            "expm1",
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "sinh",
            "tanh",
            "asinh",
            "acosh",
            "erf",
            "erfc",
            "hypot",
        ]
    },
}
"""What a row's value column may name: functions of floats that never raise."""

_INFIX = {"+", "-", "*", "<", "<=", ">", ">=", "==", "!="}


@lru_cache(maxsize=1024)
def value(row: Row) -> Number:
    """The row's value as a function of its arguments."""
    if row.value.startswith("= "):
        return compiled(row.value[2:], row.params)
    return FLOATS[row.value]


@lru_cache(maxsize=4096)
def slope(row: Row, k: int) -> Number:
    """The row's local slope in argument k, as a function of the arguments and the result; NaN where there is none."""
    if row.slopes[k] == "none":
        return lambda *_: math.nan
    return compiled(row.slopes[k], (*row.params, "w"))


@lru_cache(maxsize=1024)
def domain(row: Row) -> tuple[tuple[Number, str], ...]:
    """The conditions under which the row has a value, each with the words for it (`#u` stands for an argument)."""
    parts = (part.partition(" | ") for part in row.domain)
    return tuple((compiled(text, row.params), words or marked(text, row.params)) for text, _, words in parts)


def marked(text: str, params: tuple[str, ...]) -> str:
    """`text` with its parameters marked as places to fill in: `u > 0` becomes `#u > 0`."""
    return re.sub(rf"\b({'|'.join(params)})\b", r"#\1", text)


@lru_cache(maxsize=4096)
def template(text: str, params: tuple[str, ...]) -> Lowered:
    """A text of the table as equations over its parameters."""
    return lower_template(parse(text.strip(), functions()), params)


def compiled(text: str, params: tuple[str, ...]) -> Number:
    """A text of the table as a Python function of its parameters, one line an equation."""
    source, names = _straight_line(template(text, params), params)
    exec(compile(source, f"<{text.strip()}>", "exec"), names)
    return cast(Number, names["row"])


def _straight_line(lowered: Lowered, params: tuple[str, ...]) -> tuple[str, dict[str, object]]:
    graph = lowered.graph
    names: dict[str, object] = {}
    known: dict[int, float] = dict(graph.constants)
    lines = [f"def row({', '.join(params)}):"]
    for node in graph.reaching(lowered.result):
        row, args = graph.rows[node], graph.args[node]
        if row is None:
            continue
        if row.pick is None and all(a in known for a in args):
            known[node] = value(row)(*(known[a] for a in args))
            continue
        operands = [_operand(a, known, graph.inputs) for a in args]
        lines.append(f"    t{node} = {_expression(row, operands, names)}")
    lines.append(f"    return {_operand(lowered.result, known, graph.inputs)}")
    return "\n".join(lines), {**names, "inf": math.inf, "nan": math.nan}


def _operand(node: int, known: Mapping[int, float], inputs: Mapping[int, str]) -> str:
    return f"({known[node]!r})" if node in known else inputs.get(node, f"t{node}")


def _expression(row: Row, operands: list[str], names: dict[str, object]) -> str:
    if row.pick is not None:  # both sides are total functions here, so looking at both does no harm
        yes, no = (operands[k] for k in row.pick)
        return f"{yes} if {operands[0]} else {no}"
    if row.value in _INFIX and row.arity == 2:
        return f"{operands[0]} {row.value} {operands[1]}"
    call = f"f{len(names)}"
    names[call] = value(row)
    return f"{call}({', '.join(operands)})"
