"""Python, with nothing but its `math`."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator, Sequence

from autodiff.codegen import blocks
from autodiff.codegen.blocks import CodeBlock, grouped
from autodiff.codegen.dialect import Dialect
from autodiff.codegen.request import Request, made_from
from autodiff.codegen.syntax import INFIX, Spelling
from autodiff.core.primitive import Primitive

_MATH = "sqrt cbrt exp exp2 expm1 log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc gamma lgamma"

CALLS = {
    **{(name, 1): f"math.{name}({{0}})" for name in _MATH.split()},
    ("ln", 1): "math.log({0})",
    ("^", 2): "math.pow({0}, {1})",
    ("abs", 1): "abs({0})",
    ("min", 2): "min({0}, {1})",
    ("max", 2): "max({0}, {1})",
    ("hypot", 2): "math.hypot({0}, {1})",
    ("atan2", 2): "math.atan2({0}, {1})",
    ("known", 1): "(not math.isnan({0}))",
    ("finite", 1): "math.isfinite({0})",
    ("floor", 1): "float(math.floor({0}))",
    ("ceil", 1): "float(math.ceil({0}))",
    ("round", 1): "float(round({0}))",
    ("mod", 2): "({0!} % {1!})",
    **INFIX,
}

DIALECT = Dialect("Python", CALLS.keys(), raises=True, attempt="attempt(lambda: {})")
SPELLING = Spelling(CALLS, "{1} if {0} else {2}", ("and", "or", "not "), whole=True, nan="math.nan")
RESERVED = [
    *keyword.kwlist,
    *keyword.softkwlist,
    "math",
    "abs",
    "min",
    "max",
    "float",
    "round",
    "attempt",
    "value_and_gradient",
]
ATTEMPT = '''\
def attempt(part):
    """What only some conditions ask for: NaN where it has no value."""
    try:
        return part()
    except (ArithmeticError, ValueError):
        return math.nan


'''


def write(request: Request) -> str:
    """The source of a module with one function, `value_and_gradient`."""
    export = blocks.module(request, DIALECT, SPELLING, RESERVED, ascii_only=False)
    lines = [
        '"""Value and gradient; outside its domain a function raises ValueError, ZeroDivisionError or OverflowError, or gives NaN."""',
        "",
    ]
    lines += [f"# {line}".rstrip() for line in made_from(request)]
    lines += ["", "import math", "", ""]
    if export.main.attempts or any(block.attempts for _, block, _ in export.functions):
        lines += ATTEMPT.splitlines()
    for name, block, row in export.functions:
        lines += [*defined(name, row, block, _body(block)), "", ""]
    main = export.main
    lines += [f"def value_and_gradient({', '.join(main.inputs)}):"]
    value, *slopes = main.results
    doc = f"({', '.join(slopes)}{',' * (len(slopes) == 1)})"
    lines += [f'    """{value}, {doc}"""', *_body(main), f"    return {value}, {doc}"]
    return "\n".join(lines) + "\n"


def defined(name: str, row: Primitive, block: CodeBlock, body: Iterable[str]) -> Sequence[str]:
    """A function of Python that the target lacks, around the lines of its body."""
    head = [f"def {name}({', '.join(block.inputs)}):", f'    """{row.doc}"""']
    return [*head, *body, f"    return {block.results[0]}"]


def _body(block: CodeBlock) -> Iterator[str]:
    for under, run in grouped(block):
        if under:
            yield f"    if {under}:"
        for name, text, _ in run:
            yield f"{'        ' if under else '    '}{name} = {text}"
