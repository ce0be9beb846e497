"""Modules of Python with one function, `value_and_gradient`: over numbers, or elementwise over the arrays of a library."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autodiff.codegen import blocks
from autodiff.codegen.blocks import CodeBlock, grouped
from autodiff.codegen.dialect import Dialect
from autodiff.codegen.registry import Request, made_from
from autodiff.language.exact_float import is_number

ELEMENTWISE = "Value and gradient, elementwise; outside its domain a function gives NaN or an infinity."


@dataclass(frozen=True, slots=True)
class PythonModule:
    """What differs from library to library. A definition in `dialect.own` calls the function `{name}`.

    title      the module's docstring
    head       the imports, and what the lines need beside them
    reserved   names that the program may not have there
    optional   text of the head that is left out where the module does not contain a word
    array      how an input becomes an array, and `full` how a number becomes one like an input; "" without arrays
    attempted  a function, or a decorator (`quiet`), for a program with lines that may be outside their domain
    """

    dialect: Dialect
    title: str
    head: str
    reserved: Sequence[str]
    optional: Mapping[str, str] = field(default_factory=dict)
    array: str = ""
    full: str = ""
    attempted: str = ""
    quiet: str = ""

    def write(self, request: Request) -> str:
        """The source of the module."""
        reserved = [*keyword.kwlist, *keyword.softkwlist, *self.reserved, "float", "math", "value_and_gradient"]
        export = blocks.module(request, self.dialect, reserved)
        main = export.main
        attempts = main.attempts or any(block.attempts for _, block, _ in export.functions)
        own = [self.attempted] * (attempts and bool(self.attempted))
        own += [self.dialect.own[row.name, row.arity].format(name=export.names[row]) for row in export.spelled]
        lines = [f'"""{self.title}"""', "", *(f"# {line}".rstrip() for line in made_from(request))]
        lines += ["", self.head, "", *own, *[""] * bool(own), ""]
        for name, block, row in export.functions:
            lines += [f"def {name}({', '.join(block.inputs)}):", f'    """{row.doc}"""', *self._body(block)]
            lines += [f"    return {block.results[0]}", "", ""]
        value, *slopes = main.results
        result = f"{value}, ({', '.join(slopes)}{',' * (len(slopes) == 1)})"
        lines += [self.quiet] * (attempts and bool(self.quiet))
        lines += [f"def value_and_gradient({', '.join(main.inputs)}):", f'    """{result}"""']
        lines += [f"    {name} = {self.array.format(name)}" for name in main.inputs if self.array]
        lines += [*self._body(main), *self._filled(main), f"    return {result}"]
        source = "\n".join(lines) + "\n"
        for word, text in self.optional.items():
            source = source if word in source else source.replace(text, "", 1)
        return source

    def _body(self, block: CodeBlock) -> Iterator[str]:
        """The lines of a function; over arrays all of them are computed, and masks choose."""
        for under, run in grouped(block):
            indent = "    "
            if under and not self.array:
                yield f"    if {under}:"
                indent = "        "
            yield from (f"{indent}{name} = {text}" for name, text, _ in run)

    def _filled(self, main: CodeBlock) -> Iterator[str]:
        """Results that are the same number everywhere, in the shape of the inputs."""
        for name, text, _, _ in main.lines if self.array and main.inputs else ():
            if name in main.results and (is_number(text) or text == self.dialect.spelling.nan):
                yield f"    {name} = {self.full.format(main.inputs[0], name)}"
