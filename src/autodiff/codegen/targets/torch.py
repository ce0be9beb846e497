"""PyTorch, in double precision."""

from __future__ import annotations

from autodiff.codegen.dialect import Dialect
from autodiff.codegen.request import Request
from autodiff.codegen.syntax import INFIX, Spelling
from autodiff.codegen.targets import array_module
from autodiff.codegen.targets.array_module import Library

_SAME = "sqrt exp exp2 expm1 log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh abs sign floor ceil round"
_SPECIAL = {"erf": "erf", "erfc": "erfc", "lgamma": "gammaln", "digamma": "digamma"}

CALLS = {
    **INFIX,
    **{(name, 1): f"torch.{name}({{0}})" for name in _SAME.split()},
    **{(name, 1): f"torch.special.{there}({{0}})" for name, there in _SPECIAL.items()},
    ("ln", 1): "torch.log({0})",
    ("^", 2): "torch.pow({0}, {1})",
    ("min", 2): "torch.minimum({0}, {1})",
    ("max", 2): "torch.maximum({0}, {1})",
    ("mod", 2): "torch.remainder({0}, {1})",
    ("hypot", 2): "torch.hypot({0}, {1})",
    ("atan2", 2): "torch.atan2({0}, {1})",
    ("known", 1): "~torch.isnan({0})",
    ("finite", 1): "torch.isfinite({0})",
}

LIBRARY = Library(
    Dialect("PyTorch", CALLS.keys(), nested=False),
    Spelling(
        CALLS,
        "torch.where({0}, {1}, {2})",
        ("&", "|", "~"),
        boxed=lambda value: "number(torch.nan)" if value != value else f"number({value!r})",
        tight=True,
        whole=True,
        nan="torch.nan",
    ),
    ["import torch", "", "", "def number(value):", "    return torch.as_tensor(value, dtype=torch.float64)"],
    "number({0})",
    "torch.full_like({0}, {1})",
    ["torch", "number"],
    {},
)


def write(request: Request) -> str:
    """The source of a module with one function, `value_and_gradient`, of tensors that broadcast."""
    return array_module.write(request, LIBRARY)
