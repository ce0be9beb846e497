"""The table of functions, and that of losses, as a listing, one of them in full, JSON or Markdown.

>>> from autodiff.core.rules import TABLE
>>> print(details(TABLE["exp", 1]).split("\\n")[0])
exp(u)    e to the power u
>>> print(losses([prelude.loss("hinge")], "text", terminal=True).split("\\n")[1])
  formula  mean max(0, 1 - y·s)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from autodiff.api.answer import nested
from autodiff.api.evaluate import evaluate
from autodiff.core import prelude
from autodiff.core.prelude import Loss
from autodiff.core.primitive import Primitive
from autodiff.render.terminal import colours
from autodiff.render.text.answer import array
from autodiff.render.text.layout import folded, screen

HEADER = ("function", "meaning", "derivative", "domain")
LOSS_HEADER = ("loss", "formula", "models")

TITLES = {"school": "School", "special": "Special functions", "arrays": "Arrays", "networks": "Neural networks"}
"""The groups of the table, as their headings."""


_TABLE = 100  # columns below which a function's cells are below each other


def show(groups: Mapping[str, Sequence[Primitive]], *, width: int, coloured: bool) -> None:
    """Print the listing: tables on a terminal of `width` columns, lists on a narrow one, tab-separated in a pipe (0)."""
    painted = colours.name if coloured else str
    for group, rows in groups.items():
        if not width:
            for name, *others in map(_cells, rows):
                print(painted(name), *others, sep="\t")
            continue
        print(f"\n{TITLES[group].upper()}")
        if width < _TABLE:
            for name, *lines in map(_listed, rows):
                print(painted(screen(name, width)), *(screen(line, width) for line in lines), sep="\n")
        else:
            _show_table(rows, width=width, coloured=coloured)


def _show_table(rows: Sequence[Primitive], *, width: int, coloured: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*HEADER, box=box.SIMPLE_HEAD, header_style="bold")
    room = width - 13 - max(len(row.signature) for row in rows)
    wide = (width, 3 * room // 10, 45 * room // 100, room // 4)
    for row in rows:
        name, *others = ("\n".join(folded(cell, most)) for cell, most in zip(_cells(row), wide, strict=True))
        table.add_row(Text(name, style="bold cyan"), *map(Text, others))
    Console(width=width, force_terminal=True, color_system="standard" if coloured else None, no_color=False).print(
        table
    )


def _listed(row: Primitive) -> list[str]:
    """A function's cells below each other, those that are not empty."""
    name, *cells = _cells(row)
    return [name, *(f"  {head:<10}  {cell}" for head, cell in zip(HEADER[1:], cells, strict=True) if cell)]


def details(row: Primitive) -> str:
    """All columns of the row, a line each."""
    result = array(nested(evaluate(row.example).value)).replace("\n", "")
    lines = [
        (row.signature, row.doc),
        ("other names", " ".join(row.names[1:])),
        ("value", row.definition),
        *((f"d/d{p}", _slope(text)) for p, text in zip(row.params, row.formula, strict=True)),
        *(("computed as", text) for text, taught in zip(row.partials, row.formula, strict=True) if text != taught),
        ("rule", row.rule),
        ("domain", _domain(row)),
        ("corner", row.kink),
        ("jump", row.jump.condition if row.jump else ""),
        ("infinite", row.vertical_tangent),
        (
            "accuracy",
            f"value {row.ulp_error[0]} ulp, slopes {row.ulp_error[1]} ulp"
            if not row.branches and not row.is_predicate
            else "",
        ),
        ("numbers", "from ball arithmetic: they need python-flint" if row.by_balls else ""),
        ("LaTeX", row.tex),
        ("example", f"{row.example} = {result}"),
    ]
    wide = max(len(label) for label, text in lines if text)
    return "\n".join(f"{label:<{wide}}  {text}" for label, text in lines if text)


def as_json(groups: Mapping[str, Sequence[Primitive]]) -> str:
    """A list of objects, one per row."""
    objects = [
        {
            "group": group,
            "name": row.name,
            "names": list(row.names),
            "signature": row.signature,
            "doc": row.doc,
            "slopes": dict(zip(row.params, row.formula, strict=True)),
            "rule": row.rule,
            "domain": _domain(row),
            "example": row.example,
        }
        for group, rows in groups.items()
        for row in rows
    ]
    return json.dumps(objects, ensure_ascii=False, indent=1)


def markdown(groups: Mapping[str, Sequence[Primitive]]) -> str:
    """The listing as Markdown tables, for the manual."""
    lines = list[str]()
    for group, rows in groups.items():
        lines += [f"### {TITLES[group]}", "", "| " + " | ".join(HEADER) + " |", "|" + " --- |" * len(HEADER)]
        for row in rows:
            name, meaning, slope, domain = (cell.replace("|", "\\|") for cell in _cells(row))
            lines.append(f"| `{name}` | {meaning} | {_code(slope)} | {_code(domain)} |")
        lines.append("")
    return "\n".join(lines[:-1])


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cells(row: Primitive) -> tuple[str, str, str, str]:
    slopes = [_slope(text) for text in row.formula]
    names = row.signature + "".join(f", {name}" for name in row.names[1:])
    return names, row.doc, ", ".join(slopes), _domain(row)


def _slope(text: str) -> str:
    return {"none": "none: must be constant"}.get(text, text)


def _domain(row: Primitive) -> str:
    return " and ".join(condition.plain for condition in row.domain)


def losses(rows: Sequence[Loss], form: str, *, terminal: bool) -> str:
    """One loss in full, or the table; `form` is text, json or markdown. In a pipe the cells are separated by tabs."""
    if form == "json":
        return json.dumps([dict(zip(loss._fields, loss, strict=True)) for loss in rows], ensure_ascii=False, indent=1)
    if form == "markdown":
        cells = ((f"`{loss.signature}`", loss.formula.replace("|", "\\|"), loss.models) for loss in rows)
        return "\n".join(f"| {' | '.join(row)} |" for row in (LOSS_HEADER, ("---",) * 3, *cells))
    if len(rows) == 1:
        return _loss(rows[0])
    lines = [
        _loss(loss, example=False) if terminal else f"{loss.signature}\t{loss.formula}\t{loss.models}" for loss in rows
    ]
    without = (f"{model}: {why}" for model, why in prelude.lossless().items())
    return "\n".join([*lines, *([""] if terminal else []), *without])


def _loss(loss: Loss, *, example: bool = True) -> str:
    lines = [f"{loss.signature}   {loss.doc}", f"  formula  {loss.formula}", f"  used by  {loss.models}"]
    return "\n".join([*lines, *([f"  example  {loss.example}"] if example else [])])
