"""What `check` compared, as text.

>>> from autodiff.grading.compare import compare
>>> text(compare("x^2", "2x"))
'yes        the same formula, tidied'
"""

from __future__ import annotations

from collections.abc import Iterator

from autodiff.diagnostics import shown
from autodiff.errors import printable
from autodiff.grading.compare import Compared, where
from autodiff.grading.slip import Slip


def text(compared: Compared) -> str:
    """The verdict, then a line for each thing that is to be said about it."""
    return "\n".join(printable(f"{label:<10} {words}".rstrip()) for label, words in lines(compared))


def lines(compared: Compared) -> Iterator[tuple[str, str]]:
    """The verdict and what there is to say of it: a label and its words each."""
    if compared.verdict == "yes":
        points = f"the same at {compared.agreed} point{'s' * (compared.agreed != 1)}"
        yield "yes", "the same formula, tidied" if compared.method == "symbols" else points
    elif compared.verdict == "no":
        yield "no", f"at {where(compared.at)}:"
        yield f"d{compared.result}/d{compared.wrt}", _number(compared.derivative)
        yield "answer", _number(compared.answer)
        if compared.slip is None:
            yield "slip", "no single slip explains it, nor do two"
        elif compared.second is None:
            yield "slip", _slip(compared.slip)
        else:
            yield "slips", "no single slip explains it, two together do:"
            yield "1", _slip(compared.slip)
            yield "2", _slip(compared.second)
    else:
        yield "undecided", compared.why
    for note in compared.notes:
        yield "note", note


def _slip(slip: Slip) -> str:
    return f"{slip.kind}, in {slip.where}: {slip.why}" if slip.where else f"{slip.kind}: {slip.why}"


def _number(value: float | None) -> str:
    return "no value" if value is None else shown(value)
