"""A derivative calculator that explains itself and does not lie.

>>> import autodiff
>>> autodiff.evaluate("exp(sin(x^2))", {"x": 4.0}).gradient["x"]
-5.744685762849454
"""

TYPE_CHECKING = False  # which type checkers take for true: an interrupt has to be quiet before `typing` is loaded
if TYPE_CHECKING:
    from typing import Any

    from autodiff.answer import Answer
    from autodiff.data.batch import Batch, Compiled, compile  # noqa: A004 - as `re.compile`
    from autodiff.errors import AutodiffError
    from autodiff.evaluation import evaluate, parse
    from autodiff.explaining.build import explain
    from autodiff.explaining.model import Explanation
    from autodiff.formula import Derivative, derivative
    from autodiff.language.syntax import Program
    from autodiff.orders import Matrix, hessian, jacobian, jvp, vjp

__all__ = [
    "Answer", "AutodiffError", "Batch", "Compiled", "Derivative", "Explanation", "Matrix", "Program", "compile",
    "derivative", "evaluate", "explain", "hessian", "jacobian", "jvp", "parse", "vjp",
]  # fmt: skip
__version__ = "0.1.0"

_HOMES = {
    "AutodiffError": "autodiff.errors",
    "Answer": "autodiff.answer",
    "Batch": "autodiff.data.batch",
    "Compiled": "autodiff.data.batch",
    "compile": "autodiff.data.batch",
    "Derivative": "autodiff.formula",
    "derivative": "autodiff.formula",
    "evaluate": "autodiff.evaluation",
    "Explanation": "autodiff.explaining.model",
    "explain": "autodiff.explaining.build",
    "Matrix": "autodiff.orders",
    "hessian": "autodiff.orders",
    "jacobian": "autodiff.orders",
    "jvp": "autodiff.orders",
    "parse": "autodiff.evaluation",
    "vjp": "autodiff.orders",
    "Program": "autodiff.language.syntax",
}


def __getattr__(name: str) -> "Any":
    """Import what is asked for when it is asked for: `import autodiff` alone costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'autodiff' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
