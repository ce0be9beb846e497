"""The meaning of the table's texts for floats: each is parsed once and compiled to a Python function.

>>> from autodiff.calculus.rules import TABLE
>>> slope(TABLE["sin", 1], 0)(0.0, 0.0)   # cos(u), given u and w
1.0
"""

from __future__ import annotations

import math
import operator
import re
from collections import Counter
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

_LONGEST = 400
"""Characters of Python that stand in one expression: CPython refuses 201 nested brackets."""


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
    return tuple((compiled(text, row.params), words) for text, words in conditions(row))


def conditions(row: Row) -> tuple[tuple[str, str], ...]:
    """The texts of a row's domain, each with the words for it."""
    parts = (part.partition(" | ") for part in row.domain)
    return tuple((text, words or marked(text, row.params)) for text, _, words in parts)


def marked(text: str, params: tuple[str, ...]) -> str:
    """`text` with its parameters marked as places to fill in: `u > 0` becomes `#u > 0`."""
    return re.sub(rf"\b({'|'.join(params)})\b", r"#\1", text)


@lru_cache(maxsize=4096)
def template(text: str, params: tuple[str, ...]) -> Lowered:
    """A text of the table as equations over its parameters."""
    return lower_template(parse(text.strip(), functions()), params)


def compiled(text: str, params: tuple[str, ...]) -> Number:
    """A text of the table as a Python function of its parameters."""
    source, names = _source(template(text, params), params)
    exec(compile(source, f"<{text.strip()}>", "exec"), names)
    return cast(Number, names["row"])


def _source(lowered: Lowered, params: tuple[str, ...]) -> tuple[str, dict[str, object]]:
    """The function's text and the names in it: a line for each part that is used twice, the rest where it is used.

    So a choice computes the side that it takes, and nothing is computed twice.
    """
    graph, names = lowered.graph, dict[str, object]()
    nodes = graph.reaching(lowered.result)
    known = dict(graph.constants)
    texts = {node: f"({number!r})" for node, number in known.items()} | graph.inputs
    uses = Counter(arg for node in nodes for arg in used(graph.rows[node], graph.args[node]))
    lines = [f"def row({', '.join(params)}):"]
    for node in nodes:
        row, args = graph.rows[node], graph.args[node]
        if row is None:
            continue
        if row.pick is None and all(a in known for a in args):
            known[node] = value(row)(*(known[a] for a in args))
            texts[node] = f"({known[node]!r})"
            continue
        texts[node] = f"({_expression(row, [texts[a] for a in args], names)})"
        if uses[node] > 1 or len(texts[node]) > _LONGEST:
            lines.append(f"    t{node} = {texts[node]}")
            texts[node] = f"t{node}"
    lines.append(f"    return {texts[lowered.result]}")
    return "\n".join(lines), {**names, "inf": math.inf, "nan": math.nan}


def used(row: Row | None, args: tuple[int, ...]) -> tuple[int, ...]:
    """The arguments as often as `_expression` writes them."""
    return args if row is None or row.pick is None else (args[0], *(args[k] for k in row.pick))


def _expression(row: Row, operands: list[str], names: dict[str, object]) -> str:
    if row.pick is not None:
        yes, no = (operands[k] for k in row.pick)
        return f"{yes} if {operands[0]} else {no}"
    if row.value in _INFIX and row.arity == 2:
        return f"{operands[0]} {row.value} {operands[1]}"
    call = f"f{len(names)}"
    names[call] = value(row)
    return f"{call}({', '.join(operands)})"
