"""Every target by its name.

>>> written(requested("x^2", "python"), "python").splitlines()[-1].strip()
'return f, (df_dx,)'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

from autodiff.api.elementwise_view import numbers_of
from autodiff.api.evaluate import parse
from autodiff.api.inputs import sources
from autodiff.api.reduction_notes import note
from autodiff.codegen.request import Request
from autodiff.errors import AutodiffError, quoted

TARGETS = ("python", "numpy", "jax", "torch", "c", "javascript", "sql", "latex")


def requested(
    text: str,
    to: str,
    wrt: Sequence[str] | None = None,
    *,
    at: Mapping[str, float] | None = None,
    total: bool = False,
    table: str = "data",
    strict: bool = False,
) -> Request:
    """What is to be written in the language `to`: the program `text`, with what a person should know about it.

    wrt     names of inputs or assigned names, in the order of the results; every input when None
    at      SQL only: inputs that are numbers, the same in each row, and no columns
    total   SQL only: sums over the rows
    table   SQL only: where the columns are

    Every name is one number, and of arrays the functions work element by element: a sum or a mean of a name is that of
    one number, which the comment in the source says. Raises AutodiffError for a mistake in the text or the arguments.
    """
    if to not in TARGETS:
        raise AutodiffError(f"unknown target {quoted(to)}", hint=f"choose one of {', '.join(TARGETS)}")
    if to != "sql" and (at or total or table != "data"):
        raise AutodiffError("--sum, --table and --at belong to SQL", hint="add --to sql, or leave them out")
    program = parse(text, strict=strict, given=at)
    numbers = numbers_of(program)
    return Request(
        numbers.lowered, sources(numbers.lowered, wrt), dict(at or {}), total, table, note(numbers), program.readings
    )


def written(request: Request, to: str) -> str:
    """Value and slopes as source code of the language `to`, ending with a newline.

    Raises AutodiffError for a function that the target can't have.
    """
    source: str = import_module(f"autodiff.codegen.targets.{to}").write(request)
    return source
