"""What is to be exported, and the comment of the source that says what it was made from, safe in any language's comments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autodiff import __version__
from autodiff.core.lowering import Lowered
from autodiff.errors import printable
from autodiff.language.ast import Reading

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


def made_from(request: Request) -> list[str]:
    """The lines of a comment: without line breaks, ends of a comment, and backslashes at their ends."""
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
