"""Optional libraries, imported where they are used; without one, an error says which extra has it.

>>> library("math", "a root").sqrt(4)
2.0
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from autodiff.errors import AutodiffError

_SPELLINGS = {name.lower(): name for name in ("NumPy", "SciPy", "SymPy", "PyArrow", "Matplotlib", "Starlette")}


def library(name: str, use: str, wanted: str = "data") -> Any:
    """The module `name`. Raises AutodiffError naming the extra `wanted` where it is not installed; `use` names what needs it."""
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        text = f"{use} needs {_SPELLINGS.get(package, package)}, which is not installed"
        raise AutodiffError(text, hint=extra(wanted)) from None


def extra(name: str) -> str:
    """The next step where a library of the extra `name` is missing."""
    return f"in the checkout that autodiff was installed from: pip install '.[{name}]'"


def has(name: str) -> bool:
    """Whether the module is installed; it is not loaded."""
    from importlib.util import find_spec  # few commands ask

    try:
        return find_spec(name) is not None
    except ValueError:  # loaded, without a specification
        return False
