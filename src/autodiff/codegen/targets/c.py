"""C99 with its `math.h`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autodiff.codegen.blocks import CodeBlock
from autodiff.codegen.dialect import Dialect
from autodiff.codegen.syntax import INFIX, Spelling, calls
from autodiff.codegen.targets.braces import Braces
from autodiff.core.primitive import Primitive

CALLS = {
    **INFIX,
    **calls(
        "{}",
        "sqrt cbrt exp exp2 expm1 ln:log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
        " erf erfc gamma:tgamma lgamma abs:fabs floor ceil trunc round:nearbyint known:!isnan finite:isfinite",
        "^:pow min:fmin max:fmax hypot atan2",
    ),
}

OWN = {("mod", 2): "    double r = fmod(u, v);\n    return r != 0.0 && (r < 0.0) != (v < 0.0) ? r + v : r;"}

_WORDS = """auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof bool true
false nullptr constexpr alignas alignof thread_local static_assert main I NULL NAN INFINITY HUGE_VAL errno gradient
value_and_gradient isnan isinf isnormal signbit fpclassify isgreater isless isunordered double_t float_t div_t
HUGE_VALF HUGE_VALL FP_NAN FP_INFINITE FP_NORMAL FP_SUBNORMAL FP_ZERO FP_ILOGB0 FP_ILOGBNAN MATH_ERRNO MATH_ERREXCEPT signgam
M_E M_LOG2E M_LOG10E M_LN2 M_LN10 M_PI M_PI_2 M_PI_4 M_1_PI M_2_PI M_2_SQRTPI M_SQRT2 M_SQRT1_2 M_PIl MAXFLOAT DOMAIN SING
OVERFLOW UNDERFLOW TLOSS PLOSS j0 j1 jn y0 y1 yn gamma drem significand scalb exp10 pow10 sincos roundeven"""
_FUNCTIONS = """acos asin atan atan2 cos sin tan acosh asinh atanh cosh sinh tanh exp exp2 expm1 frexp ilogb ldexp log log10 log1p log2
logb modf scalbn scalbln cbrt fabs hypot pow sqrt erf erfc lgamma tgamma ceil floor nearbyint rint lrint llrint round lround
llround trunc fmod remainder remquo copysign nan nextafter nexttoward fdim fmax fmin fma"""
_OF_MATH_H = [name + suffix for name in _FUNCTIONS.split() for suffix in ("", "f", "l")]
RESERVED = [*_WORDS.split(), *_OF_MATH_H, *(text.partition("(")[0] for text in CALLS.values())]


def _head(name: str, row: Primitive, inputs: Sequence[str]) -> list[str]:
    return [f"/* {row.doc} */", f"static double {name}({', '.join(f'double {p}' for p in inputs)})", "{"]


def _main(block: CodeBlock) -> list[str]:
    value, *slopes = block.results
    arguments = ", ".join([*(f"double {name}" for name in block.inputs), f"double gradient[{max(1, len(slopes))}]"])
    returns = f"/* Returns {value}; gradient: {', '.join(slopes) or 'nothing'}. */"
    return [returns, f"double value_and_gradient({arguments})", "{"]


def _ending(block: CodeBlock) -> list[str]:
    value, *slopes = block.results
    used = set(re.findall(r"\w+", " ".join(text for _, text, _, _ in block.lines)))
    unused = [name for name in ([] if slopes else ["gradient"]) + list(block.inputs) if name not in used]
    return [
        *(f"gradient[{k}] = {slope};" for k, slope in enumerate(slopes)),
        *(f"(void){name};" for name in unused),
        f"return {value};",
    ]


write = Braces(
    Dialect("C", Spelling(CALLS, "{0} ? {1} : {2}", ("&&", "||", "!"), nan="NAN"), OWN),
    RESERVED,
    ascii_only=True,
    comment=("/*", " *", " */\n#include <math.h>\n"),
    indent="    ",
    head=_head,
    main=_main,
    ending=_ending,
    variables=[("double", " = 0.0", [False]), ("int", " = 0", [True])],
    constant=("const double", "const int"),
).write
