"""What SymPy makes of a formula: taken only where it is shorter, and gives the same numbers at random points.

SymPy is an extra (`pip install '.[sympy]'`) and imported only here.
"""

from __future__ import annotations

import math
import random
import re
from functools import partial
from typing import Any

from autodiff.core import rules
from autodiff.core.evaluate import DomainError, number, sweep
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered, lower
from autodiff.errors import AutodiffError
from autodiff.language.ast import CONSTANTS
from autodiff.libraries import library
from autodiff.notation.infix import infix
from autodiff.notation.parts import size
from autodiff.symbolic.adjoint import image
from autodiff.symbolic.expression import Symbols

LARGEST = 200
"""Names, numbers and functions of a formula that SymPy is asked about; beyond that it takes minutes."""

_POINTS, _TRIES, _ENOUGH = 40, 400, 5

_SHARED = frozenset(
    ["sqrt", "exp", "ln", "sin", "cos", "tan", "sec", "csc", "cot", "asin", "acos", "atan", "atan2", "sinh", "cosh",
     "tanh", "sech", "csch", "coth", "asinh", "acosh", "atanh", "erf", "erfc", "gamma", "digamma", "sign", "floor"]
)  # fmt: skip
"""Functions that mean the same in SymPy for real numbers; any other part becomes one symbol."""

_SPELLED = {"Abs": "abs", "E": "e", "Max": "max", "Min": "min", "ceiling": "ceil"}


def simplified(symbols: Symbols, node: int) -> int:
    """The equation of `symbols` that says the same in fewer characters by SymPy's `simplify`, or `node` itself.

    Raises AutodiffError when SymPy is not installed.
    """
    sympy = library("sympy", "--simplify", "sympy")
    if size(symbols.graph, node) > LARGEST:
        return node
    opaque: dict[str, int] = {}
    expression = sympy.simplify(_expression(sympy, symbols.graph, node, opaque))
    shorter = _read(symbols, str(expression), opaque)
    if shorter is None or len(infix(symbols.graph, shorter)) >= len(infix(symbols.graph, node)):
        return node
    return shorter if _agree(symbols.graph, node, shorter) else node


def _expression(sympy: Any, graph: Graph, root: int, opaque: dict[str, int]) -> Any:
    """The formula as SymPy's, over real numbers; a part that SymPy does not know is a symbol, noted in `opaque`."""
    operators = {"+": sympy.Add, "*": sympy.Mul, "^": sympy.Pow}
    constants = {value: getattr(sympy, {"pi": "pi", "e": "E"}.get(n, "pi")) for n, value in CONSTANTS.items()}
    constants[CONSTANTS["tau"]] = 2 * sympy.pi
    expressions: dict[int, Any] = {}
    for node in graph.reaching(root):
        row, args = graph.rows[node], [expressions[a] for a in graph.args[node]]
        if node in graph.constants:
            value = graph.constants[node]
            expressions[node] = constants.get(value, sympy.Rational(repr(value)))
        elif row is None:
            expressions[node] = sympy.Symbol(graph.inputs[node], real=True)
        elif row.name in operators and row.arity == 2:
            expressions[node] = operators[row.name](*args)
        elif row.name == "/":
            expressions[node] = args[0] / args[1]
        elif row.name == "-":
            expressions[node] = args[0] - args[1] if row.arity == 2 else -args[0]
        elif row is rules.TABLE["abs", 1]:
            expressions[node] = sympy.Abs(*args)
        elif row.name in _SHARED:
            expressions[node] = getattr(sympy, row.name)(*args)
        else:
            name = f"opaque_{node}_"
            opaque[name] = node
            expressions[node] = sympy.Symbol(name, real=True)
    return expressions[root]


def _read(symbols: Symbols, text: str, opaque: dict[str, int]) -> int | None:
    """SymPy's text as an equation; None where it uses what the language lacks."""
    text = re.sub(r"\w+", lambda word: _SPELLED.get(word[0], word[0]), text)
    try:
        lowered = lower(text)
    except AutodiffError:
        return None
    if not set(lowered.inputs) <= {*symbols.graph.inputs.values(), *opaque}:
        return None
    return _put(symbols, lowered, opaque)


def _put(symbols: Symbols, lowered: Lowered, opaque: dict[str, int]) -> int:
    """The equations in tidy form, with the parts that SymPy did not know back in their places."""
    read = image(lowered.graph, lowered.result, {})
    result = read.of[lowered.result]

    def leaf(name: str) -> int:
        return opaque[name] if name in opaque else symbols.input(name)

    return read.symbols.graph.carried([result], symbols.constant, leaf, symbols.own)[result]


def _agree(graph: Graph, ours: int, theirs: int) -> bool:
    """Whether the other formula has the same value wherever ours has one, at random points, enough of them."""
    chance = random.Random(0)
    names = [graph.inputs[node] for node in graph.reaching(ours, theirs) if node in graph.inputs]
    seen = 0
    for _ in range(_TRIES):
        wide = chance.choice((1.0, 1.0, 3.0, 20.0))
        point = {name: chance.uniform(-wide, wide) for name in names}
        value = _value(graph, ours, point)
        if value is None:
            continue
        other = _value(graph, theirs, point)
        if other is None or not math.isclose(value, other, rel_tol=1e-7, abs_tol=1e-9):
            return False
        seen += 1
        if seen == _POINTS:
            break
    return seen >= _ENOUGH


def _value(graph: Graph, node: int, point: dict[str, float]) -> float | None:
    try:
        values = sweep(graph, node, lambda leaf: graph.leaf(leaf, point), partial(number, graph), bool).values
        return values[node]  # type: ignore[no-any-return]
    except DomainError:
        return None
