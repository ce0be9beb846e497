"""JavaScript: a plain function for browsers and Node alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autodiff.codegen import blocks
from autodiff.codegen.blocks import CodeBlock
from autodiff.codegen.dialect import Dialect
from autodiff.codegen.request import Request, made_from
from autodiff.codegen.syntax import INFIX, Spelling
from autodiff.codegen.targets.braces import Braces
from autodiff.core.primitive import Primitive

_SAME = "abs sqrt cbrt exp expm1 log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh sign floor ceil"

CALLS = {
    **{(name, 1): f"Math.{name}({{0}})" for name in _SAME.split()},
    ("ln", 1): "Math.log({0})",
    ("^", 2): "Math.pow({0}, {1})",
    ("min", 2): "Math.min({0}, {1})",
    ("max", 2): "Math.max({0}, {1})",
    ("hypot", 2): "Math.hypot({0}, {1})",
    ("atan2", 2): "Math.atan2({0}, {1})",
    ("known", 1): "!Number.isNaN({0})",
    ("finite", 1): "Number.isFinite({0})",
    **INFIX,
}

OWN = {
    ("mod", 2): [
        "  const r = u % v;",
        "  return r !== 0 && r < 0 !== v < 0 ? r + v : r;",
    ],
}

DIALECT = Dialect("JavaScript", CALLS.keys(), OWN.keys())
SPELLING = Spelling(
    CALLS, "{0} ? {1} : {2}", ("&&", "||", "!"), number=lambda value: repr(value).removesuffix(".0"),
    signs={"==": "===", "!=": "!=="}, nan="NaN",
)  # fmt: skip

_WORDS = """abstract arguments await boolean break byte case catch char class const continue debugger default delete do double
else enum eval export extends false final finally float for function goto if implements import in instanceof int interface
let long native new null package private protected public return short static super switch synchronized this throw throws
transient true try typeof var void volatile while with yield async of undefined NaN Infinity Math Number valueAndGradient"""
RESERVED = _WORDS.split()


def write(request: Request) -> str:
    """The source of one function, `valueAndGradient`, and those it needs."""
    export = blocks.module(request, DIALECT, SPELLING, RESERVED, ascii_only=False)
    lines = ["// Value and gradient; outside its domain a function gives NaN or an infinity.", "//"]
    lines += [f"// {line}".rstrip() for line in made_from(request)]
    lines += [""]
    lines += _BRACES.functions(export)
    main = export.main
    value, *slopes = main.results
    result = f"[{value}, [{', '.join(slopes)}]]"
    lines += [f"// Returns {result}.", f"function valueAndGradient({', '.join(main.inputs)}) {{"]
    lines += [*_BRACES.body(main), f"  return {result};", "}"]
    return "\n".join(lines) + "\n"


def _head(name: str, row: Primitive, inputs: Sequence[str]) -> list[str]:
    return [f"// {row.doc}", f"function {name}({', '.join(inputs)}) {{"]


def _variables(block: CodeBlock) -> Iterator[str]:
    names = [name for name, _ in block.guarded]
    for k in range(0, len(names), 8):
        yield f"let {', '.join(names[k : k + 8])};"


_BRACES = Braces("  ", _head, _variables, ("const", "const"), OWN)
