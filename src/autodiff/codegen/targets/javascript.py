"""JavaScript: a plain function for browsers and Node alike."""

from __future__ import annotations

from collections.abc import Sequence

from autodiff.codegen.blocks import CodeBlock
from autodiff.codegen.dialect import Dialect
from autodiff.codegen.syntax import INFIX, Spelling, calls
from autodiff.codegen.targets.braces import Braces
from autodiff.core.primitive import Primitive

CALLS = {
    **INFIX,
    **calls(
        "Math.{}",
        "abs sqrt cbrt exp expm1 ln:log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
        " sign floor ceil",
        "^:pow min max hypot atan2",
    ),
    **calls("{}", "known:!Number.isNaN finite:Number.isFinite"),
}

OWN = {("mod", 2): "  const r = u % v;\n  return r !== 0 && r < 0 !== v < 0 ? r + v : r;"}

_SPELLING = Spelling(
    CALLS, "{0} ? {1} : {2}", ("&&", "||", "!"), number=lambda value: repr(value).removesuffix(".0"),
    signs={"==": "===", "!=": "!=="}, nan="NaN",
)  # fmt: skip

_WORDS = """abstract arguments await boolean break byte case catch char class const continue debugger default delete do double
else enum eval export extends false final finally float for function goto if implements import in instanceof int interface
let long native new null package private protected public return short static super switch synchronized this throw throws
transient true try typeof var void volatile while with yield async of undefined NaN Infinity Math Number valueAndGradient"""


def _head(name: str, row: Primitive, inputs: Sequence[str]) -> list[str]:
    return [f"// {row.doc}", f"function {name}({', '.join(inputs)}) {{"]


def _result(block: CodeBlock) -> str:
    value, *slopes = block.results
    return f"[{value}, [{', '.join(slopes)}]]"


def _main(block: CodeBlock) -> list[str]:
    return [f"// Returns {_result(block)}.", f"function valueAndGradient({', '.join(block.inputs)}) {{"]


write = Braces(
    Dialect("JavaScript", _SPELLING, OWN),
    _WORDS.split(),
    ascii_only=False,
    comment=("//", "//", ""),
    indent="  ",
    head=_head,
    main=_main,
    ending=lambda block: [f"return {_result(block)};"],
    variables=[("let", "", [False, True])],
    constant=("const", "const"),
).write
