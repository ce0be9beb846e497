"""The slopes of losses and of functions of whole arrays as textbooks have them: `p[0]*(1 - p[0])` for a softmax.

They come from the table: from the formula of a row, from its vjp with a unit vector as the adjoint, or from the line
`slope` in a loss's comment. Each is written out for one element, over the names of the steps.

>>> from autodiff.core.lowering import lower
>>> from autodiff.explanation.steps import places
>>> from autodiff.notation.infix import infix
>>> named, symbols = places(lower("logcosh(y, p)")), Symbols()
>>> infix(symbols.graph, textbook_slopes(named, named.lowered.result, [1], symbols)[1])
'tanh(p - y)'
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from autodiff.arrays.blocks import BlockArrays, ScalarBlock
from autodiff.arrays.shapes import elements
from autodiff.core import prelude
from autodiff.core.graph import WrittenOut
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import GENERAL, Primitive, elementwise
from autodiff.core.rules import functions
from autodiff.diagnostics import shown
from autodiff.errors import AutodiffError
from autodiff.explanation.model import FormulaText
from autodiff.explanation.spellings import written_out
from autodiff.explanation.steps import SAME, Places, as_written
from autodiff.notation.tex import tex_name
from autodiff.symbolic.adjoint import image, tidied
from autodiff.symbolic.expression import Symbols


def textbook_slopes(places: Places, place: int, sources: Sequence[int], symbols: Symbols) -> dict[int, int]:
    """The slope of a call's value `place` in each of `sources` as equations of `symbols`; without those that the table has none for."""
    call = places.calls[place]
    known: dict[int, int] = {}
    everything = [node for nodes in call.args for node in nodes]
    for k, nodes in enumerate(call.args):
        for position, node in enumerate(nodes):
            if node not in sources:
                continue
            slope = _slope(places, call, place, k, position, symbols)
            if slope is not None and everything.count(node) == 1:
                known[node] = slope
    return known


def _slope(places: Places, call: WrittenOut, place: int, k: int, position: int, symbols: Symbols) -> int | None:
    params, text = _text(call, k)
    if not text:
        return None
    work = BlockArrays()
    given = {
        name: _block(places, work, *block)
        for name, block in zip(params, zip(call.shapes, call.args, strict=True), strict=True)
    }
    shape = call.shapes[0] if len(call.outputs) > 1 else ()
    given["w"] = _block(places, work, shape, call.outputs)
    given["g"] = ScalarBlock(
        shape, tuple(work.graph.constant(float(node == _value(places, place))) for node in call.outputs)
    )
    if len(call.outputs) != len(call.args[0]) and shape:
        return None
    try:
        slope = work.text(text, tuple(given), list(given.values()))
    except AutodiffError:  # a shape that the text is not written for
        return None
    if slope.shape != call.shapes[k] and slope.shape:
        return None
    node = slope.nodes[position if slope.shape else 0]
    return tidied(symbols, work.graph, node)


def call_text(places: Places, place: int) -> FormulaText:
    """A call of the steps that it is made of: `bce(y, v3)`, `softmax(z)[0]`."""
    return _call_text(places, places.calls[place], _value(places, place))


def beside(places: Places, node: int) -> FormulaText:
    """The same of another value of such a call, which the result does not need."""
    return _call_text(places, next(call for call in places.calls.values() if node in call.outputs), node)


def _call_text(places: Places, call: WrittenOut, output: int) -> FormulaText:
    args = [_argument(places, shape, nodes) for shape, nodes in zip(call.shapes, call.args, strict=True)]
    text = f"{call.name}({', '.join(arg for arg, _ in args)})"
    name = call.name.replace("_", r"\_")
    tex = rf"\operatorname{{{name}}}\left({', '.join(tex for _, tex in args)}\right)"
    if len(call.outputs) > 1:
        element = _element(call, output)
        text, tex = f"{text}{element}", f"{tex}_{{{element[1:-1]}}}"
    return FormulaText(text, text, tex)


def _element(call: WrittenOut, output: int) -> str:
    """Which of a call's values it is: `[0]`."""
    return list(elements("", call.shapes[0]))[call.outputs.index(output)]


def _value(places: Places, place: int) -> int:
    """The equation of a call's value; a statement that only names it has one of its own."""
    return place if place in places.calls[place].outputs else places.lowered.graph.args[place][0]


_FEW = 6
"""Elements of a row that are listed; half as many rows of a matrix."""


def _argument(places: Places, shape: tuple[int, ...], nodes: Sequence[int]) -> tuple[str, str]:
    """An argument as text and in LaTeX: the name of an array, or its elements."""
    graph = places.lowered.graph
    names = [shown(graph.constants[n]) if n in graph.constants else places.names.get(n, "…") for n in nodes]
    if not shape:
        return names[0], tex_name(names[0]) if nodes[0] in places.names else names[0]
    array = names[0].partition("[")[0]
    if names == list(elements(array, shape)):
        return array, tex_name(array)
    in_tex = [tex_name(name) if name[0].isalpha() else name.replace("…", r"\ldots") for name in names]
    return _listed(names, shape, "[", "]", "…"), _listed(in_tex, shape, r"\left[", r"\right]", r"\ldots")


def _listed(names: Sequence[str], shape: tuple[int, ...], left: str, right: str, rest: str) -> str:
    """The elements of an array, or some and `rest`, with brackets around each row."""
    if not shape:
        return names[0]
    size = len(names) // shape[0] if shape[0] else 0
    rows = [_listed(names[k * size : (k + 1) * size], shape[1:], left, right, rest) for k in range(shape[0])]
    shortened = [*rows[:2], rest, rows[-1]] if len(rows) > (_FEW if len(shape) == 1 else _FEW // 2) else rows
    return f"{left}{', '.join(shortened)}{right}"


@lru_cache(maxsize=256)
def _opaque(name: str, arity: int) -> Primitive:
    """A row that only has a name: a call as it is typed."""
    params = [f"u{k}" for k in range(arity)]
    return elementwise(name, " ".join(params), "", *("none" for _ in params), rule="", doc="", example="")


def title(lowered: Lowered) -> FormulaText:
    """The whole program as one formula of its inputs, in which each loss is called as it is typed; of arrays the last statement."""
    graph = lowered.graph
    reached = set(graph.reaching(lowered.result))
    of_arrays = any(len(arg) > 1 for node, call in graph.calls.items() if node in reached for arg in call.args)
    if of_arrays or any(name.endswith("]") for name in lowered.inputs):
        text = as_written(lowered, lowered.result)
        source = graph.args[lowered.result][0] if graph.rows[lowered.result] is SAME else lowered.result
        call = graph.calls.get(source)
        if call is not None and len(call.outputs) > 1:
            text += _element(call, source)
        return FormulaText(text, text, "")
    calls = {
        node: (_opaque(call.name, len(call.args)), tuple(arg for (arg,) in call.args))
        for node, call in graph.calls.items()
        if call.row is None and all(len(arg) == 1 for arg in call.args)
    }
    seen = image(graph, lowered.result, {}, calls=calls)
    return written_out(seen.symbols.graph, seen.of[lowered.result])


def _text(call: WrittenOut, k: int) -> tuple[Sequence[str], str]:
    """The parameters of the function that is called, and its slope in argument k, over them, the value `w` and an adjoint `g`."""
    if call.row is not None:
        return call.row.params, (call.row.partials if call.row.kind == GENERAL else call.row.formula)[k]
    definition = prelude.definitions(functions())[call.name]
    params = [param.name for param in definition.params]
    loss = prelude.loss(call.name)
    return params, "" if loss is None else loss.slopes.get(params[k], "")


def _block(places: Places, work: BlockArrays, shape: tuple[int, ...], nodes: Sequence[int]) -> ScalarBlock:
    """Elements by the names that they have as steps; constants as they are."""
    graph = places.lowered.graph
    known = {node: name for name, node in places.lowered.assigned.items()} | {**places.beside, **places.names}
    known |= {_value(places, place): places.names[place] for place in places.calls}
    elements_of = tuple(
        work.graph.constant(graph.constants[node])
        if node in graph.constants
        else work.graph.input(known.get(node, f"#{node}"))
        for node in nodes
    )
    return ScalarBlock(shape, elements_of)
