"""What is to be exported, to which target, and the comment in the source that says what it was made from.

>>> written(requested("x^2", "python"), "python").splitlines()[-1].strip()
'return f, (df_dx,)'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from autodiff import __version__
from autodiff.api.elementwise_view import numbers_of
from autodiff.api.evaluate import parse
from autodiff.api.inputs import sources
from autodiff.api.reduction_notes import note
from autodiff.core.lowering import Lowered
from autodiff.errors import AutodiffError, printable, quoted
from autodiff.language.ast import Reading

TARGETS = ("python", "numpy", "jax", "torch", "c", "javascript", "sql", "latex")

_LINES, _WIDTH = 30, 120


@dataclass(frozen=True, slots=True)
class Request:
    """A program, the equation of each name to differentiate by, and what only SQL knows: numbers, sums, the table.

    `note` says what a reduction is taken to be, `readings` which parts of the program may be read otherwise.
    """

    lowered: Lowered
    sources: Mapping[str, int]
    at: Mapping[str, float]
    total: bool = False
    table: str = "data"
    note: str = ""
    readings: tuple[Reading, ...] = ()


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
    if not isinstance(to, str) or to not in TARGETS:
        raise AutodiffError(f"unknown target {quoted(str(to))}", hint=f"choose one of {', '.join(TARGETS)}")
    if to != "sql" and (at or total or table != "data"):
        raise AutodiffError("--sum, --table and --at belong to SQL", hint="add --to sql, or leave them out")
    program = parse(text, strict=strict, given=at, wrt=wrt)
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


def made_from(request: Request) -> list[str]:
    """The lines of a comment, safe in any language's: without line breaks, ends of a comment, and backslashes at their ends."""
    lines, wrt = request.lowered.source.strip().splitlines(), list(request.sources)
    more = [f"… and {len(lines) - _LINES} lines more"] if len(lines) > _LINES else []
    by = ", ".join(name if len(name) <= 60 else name[:59] + "…" for name in wrt[:20]) + ", …" * (len(wrt) > 20)
    return [
        f"Made by autodiff {__version__} from:",
        *(f"    {_safe(line)}" for line in [*lines[:_LINES], *more]),
        f"differentiated by {_safe(by)}." if wrt else "without slopes.",
        *([_safe(f"Here {request.note}.")] if request.note else []),
    ]


def _safe(line: str) -> str:
    text = printable(line.replace("\t", " "))
    text = text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
    text = text.replace("??", "? ?").replace("*/", "* /").replace("/*", "/ *").replace('"""', "'''")
    return text + " ." if text.endswith("\\") else text
