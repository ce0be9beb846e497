"""Whether two formulas are one when they are tidied.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> lowered = lower(parse("sin(x^2)"))
>>> [same_formula(lowered, 0, lower(parse(text))) for text in ("2cos(x^2)*x", "cos(x)*2x")]     # x is equation 0
[True, False]
"""

from __future__ import annotations

from autodiff.core.lowering import Lowered
from autodiff.symbolic.adjoint import image, slopes
from autodiff.symbolic.expression import Symbols

_LARGEST = 20_000  # equations up to which the tidied formulas are compared


def same_formula(lowered: Lowered, source: int, answered: Lowered) -> bool:
    """Whether `answered` is the slope of `lowered` in equation `source`; never where both are too long to say so."""
    if len(lowered.graph) + len(answered.graph) > _LARGEST:
        return False
    symbols = Symbols()
    seen = image(lowered.graph, lowered.result, {}, symbols)
    if source not in seen.of:
        derivative = symbols.constant(0.0)
    else:
        stops = {} if source in lowered.graph.inputs else {source: lowered.graph.names[source]}
        seen = image(lowered.graph, lowered.result, stops, symbols)
        adjoints = slopes(lowered.graph, lowered.result, stops, [source], seen)
        derivative = _tidied(
            Lowered(symbols.graph, adjoints.get(source, symbols.constant(0.0)), "", (), {}, ""), symbols
        )
    answer = _tidied(answered, symbols)
    return derivative == answer or symbols.plus(derivative, symbols.negative(answer)) == symbols.constant(0.0)


def _tidied(lowered: Lowered, symbols: Symbols) -> int:
    nodes = lowered.graph.carried([lowered.result], symbols.constant, symbols.input, symbols.call)
    return nodes[lowered.result]
