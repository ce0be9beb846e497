"""PyTorch, in double precision."""

from __future__ import annotations

from autodiff.codegen.dialect import Dialect
from autodiff.codegen.syntax import INFIX, Spelling, calls
from autodiff.codegen.targets.python_module import ELEMENTWISE, PythonModule

CALLS = {
    **INFIX,
    **calls(
        "torch.{}",
        "sqrt exp exp2 expm1 ln:log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
        " abs sign floor ceil round finite:isfinite",
        "^:pow min:minimum max:maximum mod:remainder hypot atan2",
    ),
    **calls("torch.special.{}", "erf erfc lgamma:gammaln"),
    ("known", 1): "~torch.isnan({0})",
}

_HEAD = """\
import torch


def number(value):
    return torch.as_tensor(value, dtype=torch.float64)"""

_SPELLING = Spelling(
    CALLS,
    "torch.where({0}, {1}, {2})",
    ("&", "|", "~"),
    boxed=lambda value: "number(torch.nan)" if value != value else f"number({value!r})",
    tight=True,
    whole=True,
    nan="torch.nan",
)

write = PythonModule(
    Dialect("PyTorch", _SPELLING, nested=False),
    ELEMENTWISE,
    _HEAD,
    ["torch", "number"],
    array="number({0})",
    full="torch.full_like({0}, {1})",
).write
