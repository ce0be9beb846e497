"""JAX: the same lines under `jit`, `vmap` and further `grad`."""

from __future__ import annotations

from autodiff.codegen.dialect import Dialect
from autodiff.codegen.syntax import INFIX, Spelling, calls
from autodiff.codegen.targets.python_module import ELEMENTWISE, PythonModule

# log1p, arctanh and erfc lose ten units in the last place and more, gammaln six digits beside its zeros 1 and 2, so they
# are written out like what is missing.
CALLS = {
    **INFIX,
    **calls(
        "jnp.{}",
        "sqrt cbrt exp expm1 ln:log log2 log10 sin cos tan asin:arcsin acos:arccos atan:arctan sinh cosh tanh"
        " asinh:arcsinh acosh:arccosh abs sign floor ceil round:rint finite:isfinite",
        "^:power min:minimum max:maximum mod hypot atan2:arctan2",
    ),
    **calls("special.{}", "erf"),
    ("known", 1): "~jnp.isnan({0})",
}

_HEAD = """\
# JAX computes in 32 bits unless jax.config.update("jax_enable_x64", True) comes first.
import jax.numpy as jnp
from jax.scipy import special"""

write = PythonModule(
    Dialect(
        "JAX",
        Spelling(CALLS, "jnp.where({0}, {1}, {2})", ("&", "|", "~"), tight=True, whole=True, nan="jnp.nan"),
        nested=False,
    ),
    ELEMENTWISE,
    _HEAD,
    ["jnp", "special"],
    optional={"special.": "from jax.scipy import special\n"},
    array="jnp.asarray({0}, dtype=float)",
    full="jnp.full_like({0}, {1})",
).write
