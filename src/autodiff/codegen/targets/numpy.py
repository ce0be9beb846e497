"""NumPy, with nothing beside it but Python's `math`."""

from __future__ import annotations

from autodiff.codegen.dialect import Dialect
from autodiff.codegen.request import Request
from autodiff.codegen.syntax import INFIX, Spelling
from autodiff.codegen.targets import array_module
from autodiff.codegen.targets.array_module import Library

_SAME = "sqrt cbrt exp exp2 expm1 log2 log10 log1p sin cos tan sinh cosh tanh abs sign floor ceil"
_ARC = "sin cos tan sinh cosh tanh"

CALLS = {
    **INFIX,
    **{(name, 1): f"np.{name}({{0}})" for name in _SAME.split()},
    **{(f"a{name}", 1): f"np.arc{name}({{0}})" for name in _ARC.split()},
    ("ln", 1): "np.log({0})",
    ("round", 1): "np.rint({0})",
    ("^", 2): "np.power({0}, {1})",
    ("min", 2): "np.minimum({0}, {1})",
    ("max", 2): "np.maximum({0}, {1})",
    ("mod", 2): "np.mod({0}, {1})",
    ("hypot", 2): "np.hypot({0}, {1})",
    ("atan2", 2): "np.arctan2({0}, {1})",
    ("known", 1): "~np.isnan({0})",
    ("finite", 1): "np.isfinite({0})",
}

_POLES = """\
def {{name}}(u):
    def one(x):
        try:
            return math.{name}(x)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.copysign(math.inf, x)

    return np.vectorize(one, otypes=[float])(u)
"""

OWN = {
    **{(name, 1): f"{{name}} = np.vectorize(math.{name}, otypes=[float])" for name in ["erf", "erfc"]},
    **{(name, 1): _POLES.format(name=name) for name in ["gamma", "lgamma"]},
}
"""NumPy has none of these; `math` has, one number at a time, and raises for one that an array must not fail for."""

LIBRARY = Library(
    Dialect("NumPy", CALLS.keys(), OWN.keys(), nested=False),
    Spelling(CALLS, "np.where({0}, {1}, {2})", ("&", "|", "~"), tight=True, whole=True, nan="np.nan"),
    ["import math", "", "import numpy as np"],
    "np.asarray({0}, dtype=float)",
    "np.full_like({0}, {1})",
    ["np"],
    OWN,
    '@np.errstate(all="ignore")',
)


def write(request: Request) -> str:
    """The source of a module with one function, `value_and_gradient`, of arrays that broadcast."""
    source = array_module.write(request, LIBRARY)
    return source if "math." in source else source.replace("import math\n\n", "", 1)
