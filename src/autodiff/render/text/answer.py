"""An answer as plain text, JSON or CSV, for terminals and pipes alike.

>>> from autodiff import evaluate
>>> print(text(evaluate("x^2*y", {"x": 3.0, "y": 2.0})))
f      18
df/dx  12
df/dy  9
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autodiff.api.answer import Answer, Value, nested, numbers
from autodiff.diagnostics import framework_numbers, order, shown
from autodiff.errors import excerpt, printable

if TYPE_CHECKING:
    from autodiff.api.matrices import Matrix
    from autodiff.explanation.model import Explanation


def text(answer: Answer) -> str:
    """`f  0.75` and a line per slope; with mode "both" a line per slope and mode. Empty where there is no value."""
    if answer.value is None:
        return ""
    lines = [(answer.result, _number(answer.value), "")]
    for name, slope in answer.gradient.items():
        label, sides = f"d{answer.result}/d{name}", _sides(answer, name)
        if answer.forward is None or slope is None or sides:
            lines.append((label, _number(slope), sides))
        else:
            apart = answer.ulps_apart(name).get(name, 0.0)
            lines.append((label, _number(slope), "reverse"))
            lines.append(("", _number(answer.forward.get(name)), f"forward   {apart:g} ulp apart"))
    lines += [
        (order(answer.result, name, m), _number(value), "")
        for name in answer.gradient
        for m, value in enumerate(answer.derivatives, 1)
        if m > 1
    ]
    wide = max(len(label) for label, _, _ in lines)
    deep = max((len(row) for _, number, note in lines if note for row in number.split("\n")), default=0)
    rows = [
        (label if k == 0 else "", row, note if k == 0 else "")
        for label, number, note in lines
        for k, row in enumerate(number.split("\n"))
    ]
    return "\n".join(f"{printable(label):<{wide}}  {row:<{deep}}  {note}".rstrip() for label, row, note in rows)


def _sides(answer: Answer, name: str) -> str:
    """The remark beside a slope that does not exist: `left -1, right 1 (a corner)`."""
    verdict = answer.verdicts.get(name)
    elements = [element for element in answer.verdicts if element.startswith(f"{name}[")]
    if verdict is None and elements:
        return "; ".join(f"{element}: {_sides(answer, element)}" for element in elements if _sides(answer, element))
    if verdict is None or verdict.status == "ok":
        return ""
    kind = {"corner": "a corner", "jump": "a jump", "infinite": "infinite"}.get(verdict.status, verdict.status)
    if answer.convention and answer.gradient.get(name, 0.0) is not None:
        kind = f"{kind}; the number is {answer.convention}'s convention"
    elif name in answer.frameworks:
        kind = f"{kind}; {framework_numbers(answer.frameworks[name])}"
    sides = [
        f"{side} {_end(slope)}"
        for side, slope in (("left", verdict.left), ("right", verdict.right))
        if slope is not None
    ]
    return f"{', '.join(sides)}  ({kind})" if sides else f"({kind})"


def _end(slope: float) -> str:
    return shown(slope) if abs(slope) != float("inf") else "+∞" if slope > 0 else "-∞"


def _number(value: Value) -> str:
    return array(nested(value))


def array(value: Any) -> str:
    """A number, or an array as it is written in the language; the rows of a matrix one below the other."""
    if not isinstance(value, list):
        return "none" if value is None else value if isinstance(value, str) else shown(value)
    if not isinstance(value[0], list):
        return f"[{', '.join(array(item) for item in value)}]"
    if not isinstance(value[0][0], list):
        return f"[{_rows([[array(item) for item in row] for row in value])}]"
    inner = [array(item).replace("\n", "\n ") for item in value]
    return f"[{f',{chr(10)} '.join(inner)}]"


def _rows(cells: Sequence[Sequence[str]]) -> str:
    """The rows of a matrix with their columns aligned."""
    wide = [max(len(row[k]) for row in cells) for k in range(len(cells[0]))]
    lines = [f"[{', '.join(cell.rjust(size) for cell, size in zip(row, wide, strict=True))}]" for row in cells]
    return ",\n ".join(lines)


def quiet(answer: Answer) -> str:
    """The value, then the slopes, on one line, arrays element by element; empty when one of them does not exist."""
    values = (answer.value, *answer.gradient.values(), *answer.derivatives[1:])
    known = [number for value in values for number in numbers(value)]
    return "" if None in known else " ".join(array(number) for number in known)


def as_json(record: object) -> str:
    """Any answer of a command as JSON: what its `to_dict` gives, or the data themselves."""
    import json  # most answers are read by people

    data = record.to_dict() if hasattr(record, "to_dict") else record
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def as_csv(answer: Answer) -> str:
    """A header and one row: the value, the slopes, the status; a number that does not exist is an empty cell."""
    columns = [(answer.result, answer.value), *((f"d{answer.result}/d{n}", g) for n, g in answer.gradient.items())]
    for name in answer.gradient:
        columns += [(order(answer.result, name, m), value) for m, value in enumerate(answer.derivatives[1:], 2)]
    header = [quoted_cell(cell) for name, value in columns for cell in labels(name, nested(value))]
    cells = ["" if number is None else array(number) for _, value in columns for number in numbers(value)]
    return f"{','.join([*header, 'status'])}\n{','.join([*cells, answer.status])}"


def labels(name: str, value: Any) -> list[str]:
    """What the elements of a nested list are called: x[0][1] is written x[0, 1]."""
    places: list[list[int]] = [[]]
    while isinstance(value, list):
        places = [[*place, k] for place in places for k in range(len(value))]
        value = value[0]
    return [f"{name}[{', '.join(map(str, place))}]" if place else name for place in places]


def quoted_cell(cell: str) -> str:
    return f'"{cell}"' if "," in cell else cell


def remarks(answer: Answer | Matrix, width: int = 0, *, quiet: bool) -> list[str]:
    """What stderr gets: why a number is missing and where, a hint, and what to know about a slope that is there."""
    if answer.status == "ok":
        return [f"note: {printable(note)}" for note in answer.notes if not quiet]
    return [f"{'note' if answer.complete else 'error'}: {printable(answer.why)}", *place(answer, width)]


def place(answer: Answer | Matrix | Explanation, width: int = 0) -> list[str]:
    """The part of the program that a message is about, and the hint."""
    lines = excerpt(answer.source, answer.span, width) if answer.span is not None else []
    return [*lines, *([f"  {printable(answer.hint)}"] if answer.hint else [])]
