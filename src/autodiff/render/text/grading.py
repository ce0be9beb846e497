"""What `check` found, as text.

>>> from autodiff.grading.compare import compare
>>> text(compare("x^2", "2x"))
'yes        the same formula, tidied'
"""

from __future__ import annotations

from collections.abc import Iterator

from autodiff.diagnostics import shown
from autodiff.errors import printable
from autodiff.grading.compare import Compared, where
from autodiff.grading.diagnose import Slip


def text(found: Compared) -> str:
    """The verdict, then a line for each thing that is to be said about it."""
    return "\n".join(printable(f"{label:<10} {words}".rstrip()) for label, words in lines(found))


def lines(found: Compared) -> Iterator[tuple[str, str]]:
    """The verdict and what there is to say of it: a label and its words each."""
    if found.verdict == "yes":
        yield (
            "yes",
            "the same formula, tidied"
            if found.method == "symbols"
            else f"the same at {found.agreed} point{'s' * (found.agreed != 1)}",
        )
    elif found.verdict == "no":
        yield "no", f"at {where(found.at)}:"
        yield f"d{found.result}/d{found.wrt}", _number(found.derivative)
        yield "answer", _number(found.answer)
        yield from _slips(found)
    else:
        yield "undecided", found.why
    for note in found.notes:
        yield "note", note


def _slips(found: Compared) -> Iterator[tuple[str, str]]:
    if found.answer is None:
        return
    if found.slip is None:
        yield "slip", "no single slip explains it, nor do two"
    elif found.second is None:
        yield "slip", _slip(found.slip)
    else:
        yield "slips", "no single slip explains it, two together do:"
        yield "1", _slip(found.slip)
        yield "2", _slip(found.second)


def _slip(slip: Slip) -> str:
    return f"{slip.kind}, in {slip.where}: {slip.why}" if slip.where else f"{slip.kind}: {slip.why}"


def _number(value: float | None) -> str:
    return "no value" if value is None else shown(value)
