"""C99 with its `math.h`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from autodiff.codegen import blocks
from autodiff.codegen.blocks import CodeBlock
from autodiff.codegen.dialect import Dialect
from autodiff.codegen.request import Request, made_from
from autodiff.codegen.syntax import INFIX, Spelling
from autodiff.codegen.targets.braces import Braces
from autodiff.core.primitive import Primitive

_SAME = "sqrt cbrt exp exp2 expm1 log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc lgamma floor ceil"

CALLS = {
    **{(name, 1): f"{name}({{0}})" for name in _SAME.split()},
    ("ln", 1): "log({0})",
    ("gamma", 1): "tgamma({0})",
    ("round", 1): "nearbyint({0})",
    ("abs", 1): "fabs({0})",
    ("^", 2): "pow({0}, {1})",
    ("min", 2): "fmin({0}, {1})",
    ("max", 2): "fmax({0}, {1})",
    ("hypot", 2): "hypot({0}, {1})",
    ("atan2", 2): "atan2({0}, {1})",
    ("known", 1): "!isnan({0})",
    ("finite", 1): "isfinite({0})",
    **INFIX,
}

OWN = {
    ("mod", 2): [
        "    double r = fmod(u, v);",
        "    return r != 0.0 && (r < 0.0) != (v < 0.0) ? r + v : r;",
    ],
}

DIALECT = Dialect("C", CALLS.keys(), OWN.keys())
SPELLING = Spelling(CALLS, "{0} ? {1} : {2}", ("&&", "||", "!"), nan="NAN")

_WORDS = """auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof bool true
false nullptr constexpr alignas alignof thread_local static_assert main I NULL NAN INFINITY HUGE_VAL errno gradient
value_and_gradient log tgamma nearbyint fabs pow fmin fmax fmod hypot atan2 isnan isfinite"""
RESERVED = [*_WORDS.split(), *_SAME.split()]


def write(request: Request) -> str:
    """The source of a file with one function, `value_and_gradient`."""
    export = blocks.module(request, DIALECT, SPELLING, RESERVED, ascii_only=True)
    lines = ["/* Value and gradient; outside its domain a function gives NaN or an infinity.", " *"]
    lines += [f" * {line}".rstrip() for line in made_from(request)]
    lines += [" */", "#include <math.h>", ""]
    lines += _BRACES.functions(export)
    main = export.main
    value, *slopes = main.results
    used = set(re.findall(r"\w+", " ".join(text for _, text, _, _ in main.lines)))
    arguments = ", ".join([*(f"double {name}" for name in main.inputs), f"double gradient[{max(1, len(slopes))}]"])
    lines += [
        f"/* Returns {value}; gradient: {', '.join(slopes) or 'nothing'}. */",
        f"double value_and_gradient({arguments})",
        "{",
        *_BRACES.body(main),
        *(f"    gradient[{k}] = {slope};" for k, slope in enumerate(slopes)),
        *([] if slopes else ["    (void)gradient;"]),
        *(f"    (void){name};" for name in main.inputs if name not in used),
        f"    return {value};",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _head(name: str, row: Primitive, inputs: Sequence[str]) -> list[str]:
    return [f"/* {row.doc} */", f"static double {name}({', '.join(f'double {p}' for p in inputs)})", "{"]


def _variables(block: CodeBlock) -> Iterator[str]:
    for kind, zero, wanted in (("double", "0.0", False), ("int", "0", True)):
        names = [name for name, truth in block.guarded if truth is wanted]
        for k in range(0, len(names), 8):
            yield f"{kind} {', '.join(f'{name} = {zero}' for name in names[k : k + 8])};"


_BRACES = Braces("    ", _head, _variables, ("const double", "const int"), OWN)
