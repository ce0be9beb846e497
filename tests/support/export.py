"""Programs as source code of a target, and Python source as a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autodiff.codegen.registry import requested, written


def export(text: str, to: str, wrt: Sequence[str] | None = None, **options: Any) -> str:
    """What `autodiff export` prints."""
    return written(requested(text, to, wrt, **options), to)


def python_function(source: str) -> Callable[..., Any]:
    """The function that Python source of an export defines."""
    names: dict[str, Any] = {}
    exec(compile(source, "<export>", "exec"), names)
    function: Callable[..., Any] = names["value_and_gradient"]
    return function
