"""What NumPy, JAX and PyTorch share: one function over arrays, elementwise, choices by masks."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autodiff.codegen import blocks
from autodiff.codegen.blocks import CodeBlock
from autodiff.codegen.dialect import Dialect
from autodiff.codegen.request import Request, made_from
from autodiff.codegen.syntax import Spelling
from autodiff.codegen.targets.python import defined


@dataclass(frozen=True, slots=True)
class Library:
    """A library of arrays: how it is imported, how an input becomes an array and a number becomes one like it.

    quiet a decorator for a function in which elements outside a domain are no fault
    own   definitions in its own words, by row: the lines of each; `{name}` is what the function is called
    """

    dialect: Dialect
    spelling: Spelling
    head: Sequence[str]
    array: str
    full: str
    reserved: Sequence[str]
    own: Mapping[tuple[str, int], str]
    quiet: str = ""


def write(request: Request, library: Library) -> str:
    """The source of a module with one function, `value_and_gradient`."""
    reserved = [*keyword.kwlist, *keyword.softkwlist, *library.reserved, "float", "math", "value_and_gradient"]
    export = blocks.module(request, library.dialect, library.spelling, reserved, ascii_only=False)
    lines = ['"""Value and gradient, elementwise; outside its domain a function gives NaN or an infinity."""', ""]
    lines += [f"# {line}".rstrip() for line in made_from(request)]
    lines += ["", *library.head, ""]
    own = [library.own[row.name, row.arity].format(name=export.names[row]) for row in export.spelled]
    lines += [*own, *[""] * bool(own), ""]
    for name, block, row in export.functions:
        lines += [*defined(name, row, block, _body(block)), "", ""]
    main = export.main
    value, *slopes = main.results
    result = f"{value}, ({', '.join(slopes)}{',' * (len(slopes) == 1)})"
    if library.quiet and (main.attempts or any(block.attempts for _, block, _ in export.functions)):
        lines.append(library.quiet)
    lines += [f"def value_and_gradient({', '.join(main.inputs)}):", f'    """{result}"""']
    lines += [f"    {name} = {library.array.format(name)}" for name in main.inputs]
    lines += [*_body(main), *_filled(main, library), f"    return {result}"]
    return "\n".join(lines) + "\n"


def _body(block: CodeBlock) -> Iterator[str]:
    yield from (f"    {name} = {text}" for name, text, _, _ in block.lines)


def _filled(main: CodeBlock, library: Library) -> Iterator[str]:
    """Results that are the same number everywhere, in the shape of the inputs."""
    if not main.inputs:
        return
    for name, text, _, _ in main.lines:
        if name in main.results and (_is_number(text) or text == library.spelling.nan):
            yield f"    {name} = {library.full.format(main.inputs[0], name)}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
