"""Records in every form in which they show themselves: text, HTML, Markdown, LaTeX, SVG.

>>> from autodiff import evaluate
>>> print(write(evaluate("x^2", {"x": 3.0}), "markdown"))
| | |
| --- | --- |
| f | 9 |
| df/dx | 6 |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

from autodiff.api.answer import Answer
from autodiff.api.derivative import Derivative
from autodiff.api.matrices import Matrix
from autodiff.errors import printable
from autodiff.explanation.graph import Drawing
from autodiff.explanation.model import Explanation
from autodiff.grading.compare import Compared
from autodiff.notation.tex import tex_name
from autodiff.render.document.compose import written

WIDTH = 80
"""Columns of what `print` shows."""


def write(record: Any, form: str) -> str:
    """A record as text, html, notebook, markdown, latex, formula or svg."""
    writers: dict[type, Callable[[Any, str], str]] = {
        Explanation: _explanation, Drawing: _drawing, Derivative: _derivative, Answer: _answer, Matrix: _matrix, Compared: _verdict,
    }  # fmt: skip
    return writers.get(type(record), _with_numpy)(record, form)


def _with_numpy(record: Any, form: str) -> str:
    """Plots, fits and trainings, whose rooms need NumPy."""
    from autodiff.fitting.fit import Fit
    from autodiff.plotting.model import Plot, Surface

    if isinstance(record, Plot | Surface):
        return _plot(record, form)
    return _fit(record, form) if isinstance(record, Fit) else _training(record, form)


# --- documents and pictures ---------------------------------------------------------------------------------------------


def _explanation(explanation: Explanation, form: str) -> str:
    if form == "text":
        from autodiff.render.text.document import text

        return text(explanation, WIDTH)
    if form == "svg":
        return _drawing(explanation.drawing, form)
    page = written(explanation, "html" if form == "notebook" else form, fragment=form == "latex")
    return framed(page) if form == "notebook" else page


def framed(page: str) -> str:
    """A page in a frame of its own, so that no style leaves or enters it."""
    return (
        f'<div><iframe srcdoc="{escape(page, quote=True)}" title="explanation" sandbox="allow-same-origin" '
        'style="width:100%;height:36rem;border:1px solid #8886;border-radius:8px"></iframe></div>'
    )


def _drawing(drawing: Drawing, form: str) -> str:
    if form == "text":
        from autodiff.render.graph.text import lines
        from autodiff.render.text.layout import plain_lines

        return plain_lines(lines(drawing, WIDTH))
    if form == "markdown":
        from autodiff.render.graph.mermaid import mermaid

        return f"```mermaid\n{mermaid(drawing)}```\n"
    if form == "latex":
        from autodiff.render.graph.tikz import tikz

        return tikz(drawing, fragment=True)
    from autodiff.render.graph.svg import svg

    return svg(drawing)


def _plot(plot: Any, form: str) -> str:
    from autodiff.plotting.model import Plot
    from autodiff.render.plot import terminal

    if form in ("text", "markdown"):
        shown = terminal.text(plot, WIDTH)
        return shown if form == "text" else f"```text\n{shown}\n```\n"
    from autodiff.render.plot import image

    picture: Callable[..., bytes] = image.image if isinstance(plot, Plot) else image.surface_image
    svg = picture(plot, "svg").decode()
    return svg if form == "svg" else f"<figure>{svg[svg.index('<svg') :]}</figure>"


# --- tables of names and numbers ----------------------------------------------------------------------------------------


class _NumberTable(NamedTuple):
    """Names beside numbers, under `heads` where a row has several; the same as a `formula`, and what there is to know."""

    rows: Sequence[tuple[str, Sequence[str]]]
    formula: str
    remarks: Sequence[str]
    heads: Sequence[str] | None = None

    def write(self, form: str) -> str:
        """The table as markdown, latex, formula, html or notebook."""
        if form in ("latex", "formula"):
            return self.formula
        if form == "markdown":
            head = ["| | |", "| --- | --- |"]
            if self.heads is not None:
                head = [f"| | {' | '.join(self.heads)} |", f"| --- |{' ---: |' * len(self.heads)}"]
            lines = (f"| {name} | {' | '.join(cells).replace(chr(10), ' ')} |" for name, cells in self.rows)
            return "\n".join([*head, *lines, *(line for remark in self.remarks for line in ("", remark))])
        rows = [(name, [escape(cell) for cell in cells]) for name, cells in self.rows]
        return _html_table(rows, self.remarks, self.heads)


def _html_table(
    rows: Sequence[tuple[str, Sequence[str]]], remarks: Sequence[str], heads: Sequence[str] | None = None
) -> str:
    """A table whose cells are HTML already."""
    lines = [("", "".join(f"<th>{escape(head)}</th>" for head in heads))] if heads is not None else []
    lines += [(name, "".join(f"<td>{cell}</td>" for cell in cells)) for name, cells in rows]
    body = "".join(f"<tr><th>{escape(name)}</th>{cells}</tr>" for name, cells in lines)
    return f"<table>{body}</table>{''.join(f'<p>{escape(remark)}</p>' for remark in remarks)}"


def _derivative(derivative: Derivative, form: str) -> str:
    from autodiff.render.text import derivative as in_lines

    formulas = in_lines.latex(derivative)
    if form in ("latex", "formula"):
        return formulas
    if form == "markdown":
        return f"$$\n{formulas}\n$$\n"
    labels = [entry.label for entry in derivative.entries]
    rows = [*derivative.parts, *zip(labels, derivative.formulas, strict=True)]
    return _html_table([(label, [f"<code>{escape(text)}</code>"]) for label, text in rows], derivative.notes)


def _answer(answer: Answer, form: str) -> str:
    from autodiff.render.document.formulas import Leibniz
    from autodiff.render.text.answer import text

    if form == "text":
        return text(answer) or f"{answer.status}: {answer.why}"
    rows = [(answer.result, [_number(answer.value)])]
    rows += [(f"d{answer.result}/d{name}", [_number(slope)]) for name, slope in answer.gradient.items()]
    names = [tex_name(answer.result), *(Leibniz().ratio(answer.result, name).tex for name in answer.gradient)]
    return _NumberTable(rows, _aligned(names, rows), _remarks(answer)).write(form)


def _verdict(compared: Compared, form: str) -> str:
    from autodiff.render.text.grading import lines, text

    if form == "text":
        return text(compared)
    return _NumberTable([(label, [words]) for label, words in lines(compared)], _aligned([], []), ()).write(form)


def _fit(fit: Any, form: str) -> str:
    from autodiff.render.text.fit import rounded, text

    if form == "text":
        return text(fit)
    if form == "svg":
        from autodiff.render.plot.models import fit_image

        return fit_image(fit.with_data, "svg").decode()
    rows, in_tex = [], []
    for name, value in fit.params.items():
        error = fit.errors[name]
        known = error is not None and 0 < error < float("inf")
        number = rounded(value, error) if known else _number(value)
        rows.append((name, [f"{number} ± {error:.3g}" if known else number]))
        deviation = rf" \pm {_tex_number(f'{error:.3g}')}" if known else ""
        in_tex.append((name, [f"{_tex_number(number)}{deviation}"]))
    formula = _aligned([tex_name(name) for name in fit.params], in_tex)
    return _NumberTable([*rows, ("ended", [fit.ended])], formula, fit.notes).write(form)


def _training(training: Any, form: str) -> str:
    data = training.to_dict()
    rows = [(name, [_number(value)]) for name, value in data["parameters"].items()]
    formula = _aligned([tex_name(name) for name, _ in rows], rows)
    rows = [("epochs", [str(data["epochs"])]), ("loss", [_number(data["loss"])]), *rows]
    rows += [("ended", [data["ended"]])] if "ended" in data else []
    notes = [data["why"], *filter(None, [data["hint"]])] if "why" in data else []
    if form == "text":
        wide = max(len(name) for name, _ in rows)
        lines = [f"{name:<{wide}}  {number}" for name, (number,) in rows] + [f"note: {note}" for note in notes]
        return "\n".join(map(printable, lines))
    return _NumberTable(rows, formula, notes).write(form)


def _matrix(matrix: Matrix, form: str) -> str:
    if form == "text":
        from autodiff.render.text.matrix import text

        return text(matrix) or f"{matrix.status}: {matrix.why}"
    names = list(next(iter(matrix.rows.values()), {}))
    rows = [(name, [_number(row[column]) for column in names]) for name, row in matrix.rows.items()]
    body = r" \\ ".join(" & ".join(map(_tex_number, cells)) for _, cells in rows)
    formula = rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"
    return _NumberTable(rows, formula, _remarks(matrix), names).write(form)


def _remarks(record: Answer | Matrix) -> list[str]:
    return [*([record.why] if record.status != "ok" else []), *record.notes]


def _number(value: object) -> str:
    from autodiff.api.answer import nested
    from autodiff.render.text.answer import array

    return "none" if value is None else array(nested(value))


def _aligned(names: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Equations below each other, in LaTeX: each row's number under its name there."""
    body = r" \\ ".join(f"{name} &= {_tex_number(cell)}" for name, (_, (cell,)) in zip(names, rows, strict=True))
    return rf"\begin{{aligned}} {body} \end{{aligned}}"


def _tex_number(text: str) -> str:
    if text == "none":
        return r"\text{none}"
    base, _, exponent = text.partition("e")
    return rf"{base} \times 10^{{{int(exponent)}}}" if exponent.lstrip("+-").isdigit() else text.replace("\n", " ")
