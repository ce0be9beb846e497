"""The meaning of the table's texts for floats: each is parsed once and compiled to a Python function.

>>> from autodiff.core.rules import TABLE
>>> partial(TABLE["sin", 1], 0)(0.0, 0.0)   # cos(u), given u and w
1.0
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias, cast

from autodiff.core import floats
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered, lower_template
from autodiff.core.primitive import UNDEFINED, ZERO, Primitive, by_cases
from autodiff.core.rules import functions
from autodiff.language.parser import parse

Number: TypeAlias = Callable[..., float]

Edges: TypeAlias = Callable[..., "list[tuple[int, float]]"]

StaticArgs: TypeAlias = "tuple[float | None, ...]"
"""The first arguments of a row: the number of one that is a constant, None for one that may be anything."""

INFIX = frozenset(["+", "-", "*", "<", "<=", ">", ">=", "==", "!="])
"""Operators that Python writes the same way, for floats and for arrays."""

_SMALL = frozenset([None, *map(float, range(-100, 101))])
"""Constants (and None, which is none) that texts are specialised for: enough for the powers that people write, few enough to keep all of them."""

_LONGEST = 400
"""Characters of Python in one expression: CPython refuses 201 nested brackets."""


@lru_cache(maxsize=1024)
def value(row: Primitive) -> Number:
    """The row's value as a function of its arguments."""
    if row.by_balls:
        return floats.from_balls("value", row)
    return compiled(row.definition, row.params) if row.definition else floats.named(row.value)


@lru_cache(maxsize=4096)
def partial(row: Primitive, k: int) -> Number:
    """The row's local slope in argument k, as a function of the arguments and the result; NaN where there is none."""
    if row.partials[k] == UNDEFINED:
        return lambda *_: math.nan
    if row.by_balls:
        proven = floats.from_balls("partial", row, k)
        return lambda *given: proven(*given[:-1])  # the result is computed again, to more digits
    return compiled(row.partials[k], (*row.params, "w"))


@lru_cache(maxsize=4096)
def partials(row: Primitive, active: tuple[object, ...], static: StaticArgs = ()) -> Edges:
    """The row's local slopes in the arguments that are `active`, the others never evaluated, as one function.

    It takes names for the arguments, the arguments, and the result: `f((7, 5), u, v, w)` may be [(7, v), (5, u)]. With
    `static` it is right for these constants only, and evaluates no condition that they decide.
    """
    params = (*row.params, "w")
    texts = {k: text for k, text in enumerate(row.partials) if active[k] and text != ZERO}
    if row.by_balls:
        slopes = [(k, partial(row, k)) for k in texts]
        return lambda to, *given: [(to[k], slope(*given)) for k, slope in slopes]
    known = {k: text for k, text in texts.items() if text != UNDEFINED}
    lines, results, names = _body(*_together([*known.values()], params), params, static)
    partial_texts = dict.fromkeys(texts, "nan") | dict(zip(known, results, strict=True))
    pairs = ", ".join(f"(to[{k}], {result})" for k, result in partial_texts.items())
    return cast(Edges, python_function(("to", *params), lines, f"[{pairs}]", names))


def _together(texts: Sequence[str], params: tuple[str, ...]) -> tuple[Graph, tuple[int, ...]]:
    """Texts of the table as equations of one graph, and those of their results."""
    if not texts:
        return Graph(), ()
    lowered = template(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]", params)
    return lowered.graph, (lowered.result,) if len(texts) == 1 else lowered.graph.args[lowered.result]


def static_args(graph: Graph, node: int) -> StaticArgs:
    """The small whole constants among the arguments of an equation whose row needs them.

    A power's slope takes different formulas for different exponents; that of `x^2` is one product.
    """
    row, args = graph.rows[node], graph.args[node]
    if row is None or not needs_static_args(row):
        return ()
    numbers = tuple(map(graph.constants.get, args))
    if numbers.count(None) == len(numbers):
        numbers = tuple([_negative(graph, a) for a in args])
    return numbers if numbers.count(None) < len(numbers) and _SMALL.issuperset(numbers) else ()


def _negative(graph: Graph, node: int) -> float | None:
    """The number of an equation such as -2, which is the sign of a constant."""
    row, args = graph.rows[node], graph.args[node]
    number = graph.constants.get(args[0]) if row is not None and row.value == "neg" else None
    return None if number is None else -number


@lru_cache(maxsize=1024)
def needs_static_args(row: Primitive) -> bool:
    """Whether a slope of the row is a choice, which a constant argument may settle."""
    return len(row.params) > 1 and any(map(by_cases, row.partials))


@lru_cache(maxsize=1024)
def domain(row: Primitive) -> tuple[tuple[Number, str], ...]:
    """The conditions under which the row has a value, each with the words for it (`#u` is an argument)."""
    return tuple((compiled(text, row.params), words) for text, words in row.domain)


@lru_cache(maxsize=1024)
def meaning(row: Primitive) -> tuple[tuple[tuple[Number, str], ...], Number]:
    """The row's domain and value by one look-up."""
    return domain(row), value(row)


def filled(text: str, given: Mapping[str, int], constant: Callable[[float], int], call: Callable[..., int]) -> int:
    """A text over equations of somewhere else, where `constant` and `call` make its numbers and its operations."""
    lowered = template(text, tuple(given))
    return lowered.graph.carried([lowered.result], constant, given.__getitem__, call)[lowered.result]


@lru_cache(maxsize=4096)
def template(text: str, params: tuple[str, ...]) -> Lowered:
    """A text of the table as equations over its parameters."""
    return lower_template(parse(text.strip(), functions()), params)


@lru_cache(maxsize=4096)
def used(text: str, params: tuple[str, ...]) -> frozenset[str]:
    """The parameters that a text depends on."""
    lowered = template(text, params)
    inputs = lowered.graph.inputs
    return frozenset(inputs[node] for node in lowered.graph.reaching(lowered.result) if node in inputs)


@lru_cache(maxsize=4096)
def compiled(text: str, params: tuple[str, ...], static: StaticArgs = ()) -> Number:
    """A text of the table as a Python function of its parameters, right where those of `static` have these values."""
    lines, (result,), names = _body(*_together([text], params), params, static)
    return python_function(params, lines, result, names)


def python_function(params: Sequence[str], lines: Sequence[str], result: str, names: dict[str, object]) -> Number:
    """A Python function of its lines and its result, in which `names` are known."""
    source = "\n    ".join([f"def row({', '.join(params)}):", *lines, f"return {result}"])
    exec(compile(source, f"<{result}>", "exec"), names)
    return cast(Number, names["row"])


def static_value(text: str, params: tuple[str, ...], static: StaticArgs) -> float | None:
    """The value of a text that the constants of `static` settle, None where they don't."""
    graph, (result,) = _together([text], params)
    return fold_static_args(graph, (result,), params, static)[0].get(result)


def fold_static_args(
    graph: Graph, results: Sequence[int], params: Sequence[str], static: StaticArgs
) -> tuple[dict[int, float], dict[int, int]]:
    """What the constants of `static` decide of a text: the values that are known, and the argument that a choice becomes.

    A branch that is not taken is not evaluated, and neither are its conditions.
    """
    given = ((graph.find(name), number) for name, number in zip(params, static, strict=False))
    known = dict(graph.constants) | {node: n for node, n in given if node is not None and n is not None}
    became: dict[int, int] = {}
    for node in graph.reaching(*results):
        row, args = graph.rows[node], graph.args[node]
        if row is None:
            continue
        if row.branches is None:
            if all(a in known for a in args):
                known[node] = value(row)(*(known[a] for a in args))
            continue
        if (arg := row.taken(args, known)) is not None:
            became[node] = became.get(arg, arg)
            if became[node] in known:
                known[node] = known[became[node]]
    return known, became


def _body(
    graph: Graph, results: Sequence[int], params: Sequence[str], static: StaticArgs
) -> tuple[list[str], list[str], dict[str, object]]:
    """Results as Python over floats: the lines before them, their texts, the names in both."""
    names = dict[str, object](inf=math.inf, nan=math.nan)
    lines, texts = as_python(
        graph, results, params, static, lambda node, row, args, operands: _expression(row, operands, names)
    )
    return lines, texts, names


def as_python(
    graph: Graph,
    results: Sequence[int],
    params: Sequence[str],
    static: StaticArgs,
    operation: Callable[[int, Primitive, list[int], list[str]], str],
) -> tuple[list[str], list[str]]:
    """Results as Python: the lines before them, and their texts.

    A part that is used twice has a line, the rest is written where it is used. So a choice computes the side that it takes,
    and nothing is computed twice. `operation(node, row, arguments, operands)` writes an equation over its operands.
    """
    lines = list[str]()
    known, became = fold_static_args(graph, results, params, static)
    texts = graph.inputs | {node: f"({number!r})" for node, number in known.items()}
    uses = Counter(became.get(node, node) for node in results)
    for node in range(len(graph) - 1, -1, -1):
        if uses[node] and node not in known:
            uses.update(became.get(a, a) for a in used_args(graph.rows[node], graph.args[node]))
    for node, row in enumerate(graph.rows):
        if row is None or node in known or not uses[node]:
            continue
        args = [became.get(a, a) for a in graph.args[node]]
        texts[node] = f"({operation(node, row, args, [texts.get(a, '') for a in args])})"
        if uses[node] > 1 or len(texts[node]) > _LONGEST:
            lines.append(f"t{node} = {texts[node]}")
            texts[node] = f"t{node}"
    return lines, [texts[became.get(node, node)] for node in results]


def used_args(row: Primitive | None, args: tuple[int, ...]) -> tuple[int, ...]:
    """The arguments as often as an operation writes them."""
    return args if row is None or row.branches is None else (args[0], *(args[k] for k in row.branches))


def _expression(row: Primitive, operands: list[str], names: dict[str, object]) -> str:
    if row.branches is not None:
        yes, no = (operands[k] for k in row.branches)
        return f"{yes} if {operands[0]} else {no}"
    if row.value in INFIX and row.arity == 2:
        return f"{operands[0]} {row.value} {operands[1]}"
    call = f"f{len(names)}"
    names[call] = value(row)
    return f"{call}({', '.join(operands)})"
