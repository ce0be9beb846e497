"""Python, with nothing but its `math`."""

from __future__ import annotations

from autodiff.codegen.dialect import Dialect
from autodiff.codegen.syntax import INFIX, Spelling, calls
from autodiff.codegen.targets.python_module import PythonModule

# math.lgamma loses six digits beside its zeros 1 and 2, so it is written out like what is missing.
CALLS = {
    **INFIX,
    **calls(
        "math.{}",
        "sqrt cbrt exp exp2 expm1 ln:log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
        " erf erfc gamma finite:isfinite",
        "^:pow hypot atan2",
    ),
    **calls("{}", "abs", "min max"),
    ("known", 1): "(not math.isnan({0}))",
    ("floor", 1): "float(math.floor({0}))",
    ("ceil", 1): "float(math.ceil({0}))",
    ("round", 1): "float(round({0}))",
    ("mod", 2): "({0!} % {1!})",
}

_ATTEMPT = '''
def attempt(part):
    """What only some conditions ask for: NaN where it has no value."""
    try:
        return part()
    except (ArithmeticError, ValueError):
        return math.nan'''

write = PythonModule(
    Dialect(
        "Python",
        Spelling(CALLS, "{1} if {0} else {2}", ("and", "or", "not "), whole=True, nan="math.nan"),
        raises=True,
        attempt="attempt(lambda: {})",
    ),
    "Value and gradient; outside its domain a function raises ValueError, ZeroDivisionError or OverflowError, or gives NaN.",
    "import math",
    ["abs", "min", "max", "round", "attempt"],
    attempted=_ATTEMPT,
).write
