"""Write explanations and graphs to a terminal, in its width and with colours where they are wanted, to a file or a browser."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from autodiff.cli import colour, files, inputs, options, output, streams
from autodiff.errors import HARD_POINT, printable
from autodiff.explanation.build import explain
from autodiff.explanation.model import Explanation, plain
from autodiff.render.document.compose import drawing_of, written
from autodiff.render.document.formulas import many
from autodiff.render.text import document
from autodiff.render.text.answer import as_json, place
from autodiff.render.text.layout import WIDEST, Line, plain_lines

_SIGNS = "◀✓·─▶σ"
"""Signs of the layout; a screen whose encoding lacks them gets ASCII."""


EXPLANATIONS = {".txt": "text", ".html": "html", ".md": "markdown", ".tex": "latex", ".json": "json"}
DRAWINGS = {
    ".txt": "text", ".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".tex": "tikz", ".json": "json",
}  # fmt: skip
"""The formats of a file by its ending."""


def form(given: Mapping[str, Any], endings: Mapping[str, str], *, opened: str) -> str:
    """The format that the options of `explain` or `graph` ask for; `opened` is that of --open."""
    files.apart([("-f", given["file"]), *files.points(given["points"])], [("--out", given["out"])])
    chosen = output.form_of(given["out"], given["form"], endings, opened=opened if given["opened"] else "")
    options.require_page(chosen, opened=given["opened"], fragment=given["fragment"])
    return chosen


def explained(given: Mapping[str, Any], **more: Any) -> Explanation:
    """The explanation that these options ask for."""
    text = inputs.read_program(given["program"], given["file"])
    point = inputs.read_point(given["points"], text) if given["points"] else None
    return explain(
        text,
        point,
        options.names(given["wrt"]),
        atoms=given["atoms"],
        expand=given["expand"],
        strict=given["strict"],
        **more,
    )


def write(
    explanation: Explanation, form: str, path: str | None, *, opened: bool = False, fragment: bool = False
) -> int:
    """Write an explanation as `form`, and what is missing on stderr; the exit status."""
    if form == "text" and path is None:
        _lines(document.lines(explanation, width(), unicode=streams.writable(_SIGNS)), explanation)
        return _judged(explanation)
    if form == "text":
        content = document.text(explanation, WIDEST)
    elif form == "json":
        content = as_json(explanation)
    else:
        content = written(explanation, form, fragment=fragment)
    output.put(content, path, opened=opened, ending=".html")
    return _judged(explanation)


def draw(
    explanation: Explanation,
    form: str,
    path: str | None,
    *,
    opened: bool = False,
    right: bool = False,
    fragment: bool = True,
) -> int:
    """Write the drawing alone as `form`, and what is missing on stderr; the exit status."""
    if form == "text":
        from autodiff.render.graph.text import lines

        unicode = bool(path) or streams.writable(_SIGNS)
        rows = lines(explanation.drawing, WIDEST if path else width(), unicode=unicode)
        if path is None:
            _lines(rows, explanation)
        else:
            output.put(plain_lines(rows), path)
    elif form == "json":
        output.put(as_json(plain(explanation.drawing)), path)
    else:
        writer = getattr(import_module(f"autodiff.render.graph.{form}"), form)
        more = {"fragment": fragment} if form == "tikz" else {}
        drawing = drawing_of(explanation) if form in ("svg", "tikz") else explanation.drawing
        if left_out := len(explanation.drawing.vertices) - len(drawing.vertices):
            streams.remark(f"notice: {many(left_out, 'input')} not drawn: each is in the formula of its step")
        output.put(writer(drawing, right=right, **more).rstrip("\n"), path, opened=opened, ending=f".{form}")
    # an option that gives a slope all the same is one of other commands
    return _judged(explanation if explanation.value is None else replace(explanation, hint=""))


def _lines(lines: Sequence[Line], explanation: Explanation) -> None:
    if colour.wanted(sys.stdout):
        from autodiff.render.terminal import rich  # not loaded for a pipe

        streams.answer(rich.painted(lines, [place.name for place in explanation.forward]))
    else:
        streams.answer(plain_lines(lines))


def _judged(explanation: Explanation) -> int:
    """What stderr says where there is no value or no slope: why, and the place in the program."""
    if explanation.at is None or (
        explanation.value is not None and all(slope.value is not None for slope in explanation.slopes)
    ):
        return 0
    for line in [f"error: {printable(explanation.why)}", *place(explanation, streams.width(sys.stderr))]:
        streams.remark(line)
    return HARD_POINT


def width() -> int:
    """A terminal's own width; a pipe has none, so the widest layout."""
    return streams.width(sys.stdout) or WIDEST
