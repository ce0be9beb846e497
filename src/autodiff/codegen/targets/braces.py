"""What C and JavaScript share: functions in braces, each line a constant, or assigned under an `if`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from autodiff.codegen import blocks
from autodiff.codegen.blocks import CodeBlock, grouped
from autodiff.codegen.dialect import Dialect
from autodiff.codegen.registry import Request, made_from
from autodiff.core.primitive import Primitive


@dataclass(frozen=True, slots=True)
class Braces:
    """How a language writes lines and functions. The lines in `dialect.own` are those between a function's braces.

    reserved   names that the program may not have there, `ascii_only` whether its letters are those of ASCII
    comment    what is before its first line, before the others, and behind it
    indent     of one level
    head       of a function, by its name, its row and its parameters, up to the brace
    main       the head of the function that has value and gradient
    ending     the lines that give its results
    variables  how what gets its value under a condition is declared: the kind, what is behind a name, and for which of
               numbers (False) and conditions (True)
    constant   what is written before a name that keeps its value: of a number, of a condition
    """

    dialect: Dialect
    reserved: Sequence[str]
    ascii_only: bool
    comment: tuple[str, str, str]
    indent: str
    head: Callable[[str, Primitive, Sequence[str]], Sequence[str]]
    main: Callable[[CodeBlock], Sequence[str]]
    ending: Callable[[CodeBlock], Sequence[str]]
    variables: Sequence[tuple[str, str, Collection[bool]]]
    constant: tuple[str, str]

    def write(self, request: Request) -> str:
        """The source of the function, and of those that it needs."""
        export = blocks.module(request, self.dialect, self.reserved, ascii_only=self.ascii_only)
        first, before, behind = self.comment
        lines = [f"{first} Value and gradient; outside its domain a function gives NaN or an infinity.", before]
        lines += [f"{before} {line}".rstrip() for line in made_from(request)]
        lines += [behind]
        for row in export.spelled:
            lines += [*self.head(export.names[row], row, row.params), self.dialect.own[row.name, row.arity], "}", ""]
        for name, block, row in export.functions:
            lines += [*self.head(name, row, block.inputs), *self._body(block)]
            lines += [f"{self.indent}return {block.results[0]};", "}", ""]
        lines += [*self.main(export.main), *self._body(export.main)]
        return "\n".join([*lines, *(self.indent + line for line in self.ending(export.main)), "}"]) + "\n"

    def _body(self, block: CodeBlock) -> Iterator[str]:
        """The lines of a function, without its result."""
        once, twice = self.indent, 2 * self.indent
        for kind, behind, wanted in self.variables:
            names = [name + behind for name, is_condition in block.guarded if is_condition in wanted]
            yield from (f"{once}{kind} {', '.join(names[k : k + 8])};" for k in range(0, len(names), 8))
        for under, run in grouped(block):
            if under:
                yield f"{once}if ({under}) {{"
                yield from (f"{twice}{name} = {text};" for name, text, _ in run)
                yield f"{once}}}"
            else:
                yield from (f"{once}{self.constant[is_condition]} {name} = {text};" for name, text, is_condition in run)
