"""LaTeX: the formulas of value and slopes, with named parts where they are long."""

from __future__ import annotations

from autodiff.codegen.registry import Request, made_from
from autodiff.notation.parts import parted
from autodiff.notation.tex import TEX, tex_name
from autodiff.symbolic.adjoint import image, slope_by
from autodiff.symbolic.expression import Symbols


def write(request: Request) -> str:
    """The source of an `align*`; needs the package amsmath."""
    lowered, symbols = request.lowered, Symbols()
    results = [image(lowered.graph, lowered.result, {}, symbols).of[lowered.result]]
    results += [slope_by(lowered, node, symbols) for node in request.sources.values()]
    written = parted(symbols.graph, results, TEX, {*lowered.inputs, *lowered.assigned, lowered.name})
    name = tex_name(lowered.name)
    d = r"\mathrm{d}" if len(lowered.inputs) < 2 else r"\partial"
    left = [name, *(rf"\frac{{{d} {name}}}{{{d} {tex_name(by)}}}" for by in request.sources)]
    rows = [(tex_name(part), text) for part, text in written.parts] + list(zip(left, written.results, strict=True))
    body = " \\\\\n".join(f"  {name} &= {text}" for name, text in rows)
    comment = [f"% {line}".rstrip() for line in made_from(request)]
    return "\n".join([*comment, r"\begin{align*}", body, r"\end{align*}"]) + "\n"
