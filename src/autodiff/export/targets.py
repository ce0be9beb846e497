"""Every target by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

from autodiff.answer import parse
from autodiff.errors import AutodiffError, quoted
from autodiff.export.request import Request
from autodiff.over import numbers_of
from autodiff.point import sources
from autodiff.single import note

TARGETS = ("python", "numpy", "jax", "torch", "c", "javascript", "sql", "latex")


def export(
    text: str,
    to: str,
    wrt: Sequence[str] | None = None,
    *,
    at: Mapping[str, float] | None = None,
    total: bool = False,
    table: str = "data",
    strict: bool = False,
) -> str:
    """Value and slopes of the program `text` as source code of the language `to`, ending with a newline.

    wrt     names of inputs or assigned names, in the order of the results; every input when None
    at      SQL only: inputs that are numbers, the same in each row, and no columns
    total   SQL only: sums over the rows
    table   SQL only: where the columns are

    Every name is one number, and of arrays the functions work element by element: a sum or a mean of a name is that of
    one number, which the comment in the source says. Raises AutodiffError for a mistake in the text or the arguments,
    and for a function that the target can't have.
    """
    return written(requested(text, to, wrt, at=at, total=total, table=table, strict=strict), to)


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
    """What is to be written, with what a person should know about it; arguments and errors as for `export`."""
    if to not in TARGETS:
        raise AutodiffError(f"unknown target {quoted(to)}", hint=f"choose one of {', '.join(TARGETS)}")
    if to != "sql" and (at or total or table != "data"):
        raise AutodiffError("--sum, --table and --at belong to SQL", hint="add --to sql, or leave them out")
    program = parse(text, strict=strict)
    numbers = numbers_of(program)
    return Request(
        numbers.lowered, sources(numbers.lowered, wrt), dict(at or {}), total, table, note(numbers), program.readings
    )


def written(request: Request, to: str) -> str:
    """The request as source code of the language `to`."""
    source: str = import_module(f"autodiff.export.{to}").write(request)
    return source
