"""NumPy, with nothing beside it but Python's `math`."""

from __future__ import annotations

from autodiff.codegen.dialect import Dialect
from autodiff.codegen.syntax import INFIX, Spelling, calls
from autodiff.codegen.targets.python_module import ELEMENTWISE, PythonModule

CALLS = {
    **INFIX,
    **calls(
        "np.{}",
        "sqrt cbrt exp exp2 expm1 ln:log log2 log10 log1p sin cos tan asin:arcsin acos:arccos atan:arctan sinh cosh tanh"
        " asinh:arcsinh acosh:arccosh atanh:arctanh abs sign floor ceil round:rint finite:isfinite",
        "^:power min:minimum max:maximum mod hypot atan2:arctan2",
    ),
    ("known", 1): "~np.isnan({0})",
}

_POLES = """\
def {name}(u):
    def one(x):
        try:
            return math.gamma(x)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.copysign(math.inf, x)

    return np.vectorize(one, otypes=[float])(u)
"""

OWN = {
    **{(name, 1): f"{{name}} = np.vectorize(math.{name}, otypes=[float])" for name in ["erf", "erfc"]},
    ("gamma", 1): _POLES,
}
"""NumPy has none of these; `math` has, one number at a time, and raises for one that an array must not fail for."""

write = PythonModule(
    Dialect(
        "NumPy",
        Spelling(CALLS, "np.where({0}, {1}, {2})", ("&", "|", "~"), tight=True, whole=True, nan="np.nan"),
        OWN,
        nested=False,
    ),
    ELEMENTWISE,
    "import math\n\nimport numpy as np",
    ["np"],
    optional={"math.": "import math\n\n"},
    array="np.asarray({0}, dtype=float)",
    full="np.full_like({0}, {1})",
    quiet='@np.errstate(all="ignore")',
).write
