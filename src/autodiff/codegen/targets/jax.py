"""JAX: the same lines under `jit`, `vmap` and further `grad`."""

from __future__ import annotations

from autodiff.codegen.dialect import Dialect
from autodiff.codegen.request import Request
from autodiff.codegen.syntax import INFIX, Spelling
from autodiff.codegen.targets import array_module
from autodiff.codegen.targets.array_module import Library

_SAME = "sqrt cbrt exp expm1 log2 log10 sin cos tan sinh cosh tanh abs sign floor ceil"
# log1p, arctanh and erfc lose ten units in the last place and more, so they are written out like what is missing.
_SPECIAL = {"erf": "erf", "lgamma": "gammaln", "digamma": "digamma"}
_ARC = "sin cos tan sinh cosh"

CALLS = {
    **INFIX,
    **{(name, 1): f"jnp.{name}({{0}})" for name in _SAME.split()},
    **{(f"a{name}", 1): f"jnp.arc{name}({{0}})" for name in _ARC.split()},
    **{(name, 1): f"special.{there}({{0}})" for name, there in _SPECIAL.items()},
    ("ln", 1): "jnp.log({0})",
    ("round", 1): "jnp.rint({0})",
    ("^", 2): "jnp.power({0}, {1})",
    ("min", 2): "jnp.minimum({0}, {1})",
    ("max", 2): "jnp.maximum({0}, {1})",
    ("mod", 2): "jnp.mod({0}, {1})",
    ("hypot", 2): "jnp.hypot({0}, {1})",
    ("atan2", 2): "jnp.arctan2({0}, {1})",
    ("known", 1): "~jnp.isnan({0})",
    ("finite", 1): "jnp.isfinite({0})",
}

LIBRARY = Library(
    Dialect("JAX", CALLS.keys(), nested=False),
    Spelling(CALLS, "jnp.where({0}, {1}, {2})", ("&", "|", "~"), tight=True, whole=True, nan="jnp.nan"),
    [
        '# JAX computes in 32 bits unless jax.config.update("jax_enable_x64", True) comes first.',
        "import jax.numpy as jnp",
        "from jax.scipy import special",
    ],
    "jnp.asarray({0}, dtype=float)",
    "jnp.full_like({0}, {1})",
    ["jnp", "special"],
    {},
)


def write(request: Request) -> str:
    """The source of a module with one function, `value_and_gradient`, of arrays that broadcast."""
    source = array_module.write(request, LIBRARY)
    return source if "special." in source else source.replace("from jax.scipy import special\n", "", 1)
