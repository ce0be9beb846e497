"""An answer as plain text, JSON or CSV, for terminals and pipes alike."""

from __future__ import annotations

from autodiff.answer import Answer
from autodiff.calculus.blame import order, saying, shown
from autodiff.errors import excerpt, printable


def text(answer: Answer) -> str:
    """`f  0.75` and a line per slope; with mode "both" a line per slope and mode. Empty where there is no value."""
    if answer.value is None:
        return ""
    lines = [(answer.result, shown(answer.value), "")]
    for name, slope in answer.gradient.items():
        label, sides = f"d{answer.result}/d{name}", _sides(answer, name)
        if answer.forward is None or slope is None or sides:
            lines.append((label, _number(slope), sides))
        else:
            apart = answer.ulps_apart().get(name, 0.0)
            lines.append((label, _number(slope), "reverse"))
            lines.append(("", _number(answer.forward.get(name)), f"forward   {apart:g} ulp apart"))
    lines += [
        (order(answer.result, name, m), _number(value), "")
        for name in answer.gradient
        for m, value in enumerate(answer.derivatives, 1)
        if m > 1
    ]
    wide = max(len(label) for label, _, _ in lines)
    deep = max((len(number) for _, number, note in lines if note), default=0)
    return "\n".join(f"{printable(label):<{wide}}  {number:<{deep}}  {note}".rstrip() for label, number, note in lines)


def _sides(answer: Answer, name: str) -> str:
    """What stands behind a slope that is not there: `left -1, right 1 (a corner)`."""
    found = answer.verdicts.get(name)
    if found is None or found.status == "ok":
        return ""
    kind = {"corner": "a corner", "jump": "a jump", "infinite": "infinite"}.get(found.status, found.status)
    if answer.convention and answer.gradient[name] is not None:
        kind = f"{kind}; the number is {answer.convention}'s convention"
    elif name in answer.frameworks:
        kind = f"{kind}; {saying(answer.frameworks[name])}"
    sides = [
        f"{side} {_end(slope)}" for side, slope in (("left", found.left), ("right", found.right)) if slope is not None
    ]
    return f"{', '.join(sides)}  ({kind})" if sides else f"({kind})"


def _end(slope: float) -> str:
    return shown(slope) if abs(slope) != float("inf") else "+∞" if slope > 0 else "-∞"


def _number(value: float | None) -> str:
    return "none" if value is None else shown(value)


def quiet(answer: Answer) -> str:
    """The value, then the slopes, on one line; empty when one of them does not exist."""
    numbers = [answer.value, *answer.gradient.values(), *answer.derivatives[1:]]
    return "" if None in numbers else " ".join(shown(number) for number in numbers if number is not None)


def as_json(answer: Answer) -> str:
    import json

    return json.dumps(answer.to_dict(), ensure_ascii=False, allow_nan=False)


def as_csv(answer: Answer) -> str:
    """A header and one row: the value, the slopes, the status; a number that does not exist is an empty cell."""
    numbers = (answer.value, *answer.gradient.values(), *answer.derivatives[1:])
    slopes = [f"d{answer.result}/d{name}" for name in answer.gradient]
    higher = [order(answer.result, name, m + 2) for name in answer.gradient for m in range(len(answer.derivatives[1:]))]
    header = [answer.result, *slopes, *higher, "status"]
    cells = ["" if number is None else shown(number) for number in numbers]
    return f"{','.join(header)}\n{','.join([*cells, answer.status])}"


def remarks(answer: Answer, *, quiet: bool) -> list[str]:
    """What stderr says: why a number is missing and where, a hint, and what to know about a slope that is there."""
    if answer.status == "ok":
        return [f"note: {printable(note)}" for note in answer.notes if not quiet]
    place = excerpt(answer.source, answer.span) if answer.span is not None else []
    hint = [f"  {printable(answer.hint)}"] if answer.hint else []
    return [f"{'note' if answer.complete else 'error'}: {printable(answer.why)}", *place, *hint]
