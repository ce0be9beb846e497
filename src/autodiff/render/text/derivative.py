"""A derivative's formulas as text, LaTeX or JSON.

>>> from autodiff.api.derivative import derivative
>>> text(derivative("sin(x^2)")), latex(derivative("sin(x^2)"))
('2*x*cos(x^2)', '2 x \\\\cos\\\\left(x^{2}\\\\right)')
"""

from __future__ import annotations

from autodiff.api.derivative import Derivative, Entry
from autodiff.core import rules
from autodiff.errors import AutodiffError, printable
from autodiff.notation.parts import parted
from autodiff.notation.python import PYTHON, SIGN_FUNCTION, in_python
from autodiff.notation.tex import TEX, tex_derivative, tex_name

_SIGN = rules.TABLE["sign", 1]


def text(derivative: Derivative) -> str:
    """The bare formula, or `df/dx = …` for each of several; named parts are above."""
    return _lines(derivative, derivative.parts, derivative.formulas, [entry.label for entry in derivative.entries])


def quiet(derivative: Derivative) -> str:
    """The formulas alone, one a line; one formula with parts is a program in one line."""
    if len(derivative.entries) > 1:
        return printable("\n".join(derivative.formulas))
    return printable("; ".join([*(f"{name} = {part}" for name, part in derivative.parts), *derivative.formulas]))


def latex(derivative: Derivative) -> str:
    """The same in LaTeX's mathematics mode; partial derivatives where there is more than one name."""
    in_tex = derivative.written(TEX)
    parts = tuple((tex_name(name), part) for name, part in in_tex.parts)
    return _lines(derivative, parts, in_tex.results, [_tex_label(derivative, entry) for entry in derivative.entries])


def python(derivative: Derivative) -> str:
    """A Python function per derivative, of all inputs, that needs only `math`."""
    graph, functions, needed = derivative.symbols.graph, [], False
    names = ", ".join(map(PYTHON.name, graph.inputs.values()))
    for entry in derivative.entries:
        native, node = in_python(graph, entry.node)
        pieces = parted(native, [node], PYTHON, taken=graph.inputs.values())
        rows = [row for i in native.reaching(node) if (row := native.rows[i]) is not None]
        needed = needed or any(row is _SIGN for row in rows)
        if pieces.parts and any(row.branches is not None for row in rows):
            raise AutodiffError(
                f"{entry.label} is too long for one Python expression, and its conditions can't be taken apart",
                hint="choose another --format, text for example",
            )
        body = [f"    {name} = {part}" for name, part in pieces.parts]
        name = entry.label.replace("/", "_")
        functions.append("\n".join([f"def {name}({names}):", *body, f"    return {pieces.results[0]}"]))
    return printable("\n\n\n".join(["import math", *[SIGN_FUNCTION] * needed, *functions]))


def _tex_label(derivative: Derivative, entry: Entry) -> str:
    return tex_derivative(entry.of, entry.wrt, partial=len({name for e in derivative.entries for name in e.wrt}) > 1)


def _lines(
    derivative: Derivative, parts: tuple[tuple[str, str], ...], formulas: tuple[str, ...], labels: list[str]
) -> str:
    lines = [f"{name} = {part}" for name, part in parts]
    if len(derivative.entries) == 1:
        lines.append(formulas[0])
    else:
        lines += [f"{name} = {formula}" for name, formula in zip(labels, formulas, strict=True)]
    return printable("\n".join(lines))
