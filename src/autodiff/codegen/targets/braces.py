"""What C and JavaScript share: functions in braces, each line a constant, or assigned under an `if`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autodiff.codegen.blocks import CodeBlock, ExportModule, grouped
from autodiff.core.primitive import Primitive


@dataclass(frozen=True, slots=True)
class Braces:
    """How a language writes lines and functions.

    indent     of one level
    head       of a function, by its name, its row and its parameters, up to the brace
    variables  the lines that declare what gets its value under a condition
    constant   what is written before a name that keeps its value: of a number, of a condition
    own        the lines of functions in the language's own words
    """

    indent: str
    head: Callable[[str, Primitive, Sequence[str]], Sequence[str]]
    variables: Callable[[CodeBlock], Iterable[str]]
    constant: tuple[str, str]
    own: Mapping[tuple[str, int], Sequence[str]]

    def functions(self, export: ExportModule) -> Iterator[str]:
        """The definitions of what the target lacks, an empty line behind each."""
        for row in export.spelled:
            yield from (*self.head(export.names[row], row, row.params), *self.own[row.name, row.arity], "}", "")
        for name, block, row in export.functions:
            yield from self.head(name, row, block.inputs)
            yield from (*self.body(block), f"{self.indent}return {block.results[0]};", "}", "")

    def body(self, block: CodeBlock) -> Iterator[str]:
        """The lines of a function, without its result."""
        once, twice = self.indent, 2 * self.indent
        yield from (f"{once}{line}" for line in self.variables(block))
        for under, run in grouped(block):
            if under:
                yield f"{once}if ({under}) {{"
                yield from (f"{twice}{name} = {text};" for name, text, _ in run)
                yield f"{once}}}"
            else:
                yield from (f"{once}{self.constant[truth]} {name} = {text};" for name, text, truth in run)
