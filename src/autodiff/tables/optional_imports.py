"""The optional libraries that read and write tables, imported where they are used; without one, an error says how to get it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from autodiff.errors import AutodiffError, extra


def library(name: str, use: str, wanted: str = "data") -> Any:
    """The module `name`. Raises AutodiffError naming the extra `wanted` where it is not installed; `use` names what needs it."""
    try:
        return import_module(name)
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != name.partition(".")[0]:
            raise
        package = {"numpy": "NumPy", "scipy": "SciPy", "pyarrow": "PyArrow"}.get(name.partition(".")[0], name)
        raise AutodiffError(f"{use} needs {package}, which is not installed", hint=extra(wanted)) from None


def has(name: str) -> bool:
    """Whether the module is installed; it is not loaded."""
    try:
        return find_spec(name) is not None
    except ValueError:  # loaded, without a specification
        return False
