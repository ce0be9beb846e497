"""A derivative calculator that explains itself and does not lie.

>>> import autodiff
>>> autodiff.evaluate("exp(sin(x^2))", {"x": 4.0}).gradient["x"]
-5.744685762849454
"""

TYPE_CHECKING = False  # which type checkers take for true: an interrupt has to be quiet before `typing` is loaded
if TYPE_CHECKING:
    from typing import Any

    from autodiff.api.answer import Answer
    from autodiff.api.derivative import Derivative, derivative
    from autodiff.api.evaluate import evaluate, parse
    from autodiff.api.matrices import Matrix, hessian, jacobian, jvp, vjp
    from autodiff.batch.compile import Batch, Compiled, compile  # noqa: A004 - as `re.compile`
    from autodiff.errors import AutodiffError
    from autodiff.explanation.build import explain
    from autodiff.explanation.model import Explanation
    from autodiff.fitting.fit import Fit, fit
    from autodiff.program import Program

__all__ = [
    "Answer", "AutodiffError", "Batch", "Compiled", "Derivative", "Explanation", "Fit", "Matrix", "Program", "compile",
    "derivative", "evaluate", "explain", "fit", "hessian", "jacobian", "jvp", "parse", "vjp",
]  # fmt: skip
__version__ = "0.1.0"

_NAMES = {
    "errors": "AutodiffError",
    "api.answer": "Answer",
    "api.derivative": "Derivative derivative",
    "api.evaluate": "evaluate parse",
    "api.matrices": "Matrix hessian jacobian jvp vjp",
    "batch.compile": "Batch Compiled compile",
    "explanation.build": "explain",
    "explanation.model": "Explanation",
    "fitting.fit": "Fit fit",
    "program": "Program",
}
_HOMES = {name: f"autodiff.{module}" for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> "Any":
    """Import what is asked for when it is asked for: `import autodiff` alone costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'autodiff' has no attribute {name!r}")
    from importlib import import_module

    if _HOMES[name] == "autodiff.fitting.fit":
        from autodiff.libraries import library

        library("numpy", f"autodiff.{name}", "fit")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell: "Any") -> None:
    """`%load_ext autodiff` in a notebook: the magics `%autodiff` and `%%autodiff`, and answers that show themselves."""
    from autodiff.notebook import load

    load(shell)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
