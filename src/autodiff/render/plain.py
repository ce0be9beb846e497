"""An answer as plain text, JSON or CSV, for terminals and pipes alike."""

from __future__ import annotations

import json

from autodiff.answer import Answer
from autodiff.calculus.blame import shown
from autodiff.errors import excerpt, printable


def text(answer: Answer) -> str:
    """`f  0.75` and a line per slope; with mode "both" a line per slope and mode. Empty where there is no value."""
    if answer.value is None:
        return ""
    lines = [(answer.result, shown(answer.value), "")]
    for name, slope in answer.gradient.items():
        label = f"d{answer.result}/d{name}"
        if answer.forward is None:
            lines.append((label, _number(slope), ""))
        else:
            apart = answer.ulps_apart().get(name, 0.0)
            lines.append((label, _number(slope), "reverse"))
            lines.append(("", _number(answer.forward.get(name)), f"forward   {apart:g} ulp apart"))
    wide = max(len(label) for label, _, _ in lines)
    deep = max(len(number) for _, number, note in lines if note) if answer.forward else 0
    return "\n".join(f"{label:<{wide}}  {number:<{deep}}  {note}".rstrip() for label, number, note in map(_safe, lines))


def _safe(line: tuple[str, str, str]) -> tuple[str, str, str]:
    return printable(line[0]), line[1], line[2]


def _number(value: float | None) -> str:
    return "none" if value is None else shown(value)


def quiet(answer: Answer) -> str:
    """The value, then the slopes, on one line; empty when one of them does not exist."""
    numbers = [answer.value, *answer.gradient.values()]
    return "" if None in numbers else " ".join(shown(number) for number in numbers if number is not None)


def as_json(answer: Answer) -> str:
    return json.dumps(answer.to_dict(), ensure_ascii=False, allow_nan=False)


def as_csv(answer: Answer) -> str:
    """A header and one row: the value, the slopes, the status; a number that does not exist is an empty cell."""
    header = [answer.result, *(f"d{answer.result}/d{name}" for name in answer.gradient), "status"]
    cells = ["" if number is None else shown(number) for number in (answer.value, *answer.gradient.values())]
    return f"{','.join(header)}\n{','.join([*cells, answer.status])}"


def trouble(answer: Answer, *, quiet: bool) -> str:
    """What is so at a hard point, for stderr: the sentence, the place in the program, a hint."""
    place = excerpt(answer.source, answer.span) if answer.span is not None and answer.value is None else []
    hint = [f"  {printable(answer.hint)}"] if answer.hint else []
    kind = "error" if answer.value is None or quiet else "note"
    return "\n".join([f"{kind}: {printable(answer.why)}", *place, *hint])
