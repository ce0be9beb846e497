"""A derivative's formulas as text, LaTeX or JSON."""

from __future__ import annotations

import json

from autodiff.errors import printable
from autodiff.formula import Derivative, Entry, label, tex_label
from autodiff.notation.tex import TEX, tex_name


def text(found: Derivative) -> str:
    """The bare formula, or `df/dx = …` for each of several; named parts stand above."""
    return _lines(found, found.parts, found.formulas, [label(entry) for entry in found.entries])


def quiet(found: Derivative) -> str:
    """The formulas alone, one a line; one formula with parts is a program in one line."""
    if len(found.entries) > 1:
        return printable("\n".join(found.formulas))
    return printable("; ".join([*(f"{name} = {part}" for name, part in found.parts), *found.formulas]))


def latex(found: Derivative) -> str:
    """The same in LaTeX's mathematics mode; partial derivatives where there is more than one name."""
    made = found.written(TEX)
    parts = tuple((tex_name(name), part) for name, part in made.parts)
    return _lines(found, parts, made.results, [_tex_label(found, entry) for entry in found.entries])


def _tex_label(found: Derivative, entry: Entry) -> str:
    return tex_label(entry, partial=len({name for e in found.entries for name in e.wrt}) > 1)


def _lines(found: Derivative, parts: tuple[tuple[str, str], ...], formulas: tuple[str, ...], labels: list[str]) -> str:
    lines = [f"{name} = {part}" for name, part in parts]
    if len(found.entries) == 1:
        lines.append(formulas[0])
    else:
        lines += [f"{name} = {formula}" for name, formula in zip(labels, formulas, strict=True)]
    return printable("\n".join(lines))


def as_json(found: Derivative) -> str:
    return json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False)
