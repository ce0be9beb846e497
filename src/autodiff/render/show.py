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
from typing import Any

from autodiff.api.answer import Answer
from autodiff.api.derivative import Derivative
from autodiff.api.matrices import Matrix
from autodiff.errors import printable
from autodiff.explanation.graph import Drawing
from autodiff.explanation.model import Explanation
from autodiff.grading.compare import Compared
from autodiff.notation.tex import tex_name

WIDTH = 80
"""Columns of what `print` shows."""


def write(record: Any, form: str) -> str:
    """A record as text, html, notebook, markdown, latex, formula or svg."""
    if isinstance(record, Explanation):
        return _explanation(record, form)
    if isinstance(record, Drawing):
        return _drawing(record, form)
    if isinstance(record, Derivative):
        return _derivative(record, form)
    if isinstance(record, Answer):
        return _answer(record, form)
    if isinstance(record, Matrix):
        return _matrix(record, form)
    if isinstance(record, Compared):
        return _verdict(record, form)
    return _with_numpy(record, form)


def _with_numpy(record: Any, form: str) -> str:
    """Plots, fits and trainings, whose rooms need NumPy."""
    from autodiff.fitting.fit import Fit
    from autodiff.plotting.model import Plot, Surface

    if isinstance(record, Plot | Surface):
        return _plot(record, form)
    if isinstance(record, Fit):
        return _fit(record, form)
    return _training(record, form)


# --- each kind ----------------------------------------------------------------------------------------------------------


def _explanation(explanation: Explanation, form: str) -> str:
    if form == "text":
        from autodiff.render.text.document import text

        return text(explanation, WIDTH)
    if form == "markdown":
        from autodiff.render.document.markdown import markdown

        return markdown(explanation)
    if form == "latex":
        from autodiff.render.document.latex import fragment

        return fragment(explanation)
    if form == "svg":
        return _drawing(explanation.drawing, "svg")
    from autodiff.render.document.html import html

    return framed(html(explanation)) if form == "notebook" else html(explanation)


def framed(page: str) -> str:
    """A page in a frame of its own, so that no style leaves or enters it."""
    return (
        f'<div><iframe srcdoc="{escape(page, quote=True)}" title="explanation" sandbox="allow-same-origin" '
        'style="width:100%;height:36rem;border:1px solid #8886;border-radius:8px"></iframe></div>'
    )


def _drawing(drawing: Drawing, form: str) -> str:
    if form == "text":
        from autodiff.render.graph.text import text

        return "\n".join(text(drawing, WIDTH))
    if form == "markdown":
        from autodiff.render.graph.mermaid import mermaid

        return f"```mermaid\n{mermaid(drawing)}```\n"
    if form == "latex":
        from autodiff.render.graph.tikz import tikz

        return tikz(drawing, fragment=True)
    from autodiff.render.graph.svg import svg

    return svg(drawing)


def _derivative(derivative: Derivative, form: str) -> str:
    from autodiff.render.text import derivative as in_lines

    formulas = in_lines.latex(derivative)
    if form in ("latex", "formula"):
        return formulas
    if form == "markdown":
        return f"$$\n{formulas}\n$$\n"
    rows = [(label, f"<code>{escape(text)}</code>") for label, text in _formulas(derivative)]
    return _html_table(rows, derivative.notes)


def _formulas(derivative: Derivative) -> list[tuple[str, str]]:
    labels = [entry.label for entry in derivative.entries]
    return [*derivative.parts, *zip(labels, derivative.formulas, strict=True)]


def _answer(answer: Answer, form: str) -> str:
    from autodiff.render.text.answer import text

    rows = [(answer.result, _number(answer.value))]
    rows += [(f"d{answer.result}/d{name}", _number(slope)) for name, slope in answer.gradient.items()]
    remarks = [*([answer.why] if answer.status != "ok" else []), *answer.notes]
    if form == "text":
        return text(answer) or f"{answer.status}: {answer.why}"
    slopes = [(_tex_ratio(answer.result, name), _number(slope)) for name, slope in answer.gradient.items()]
    return _rows(rows, [(tex_name(answer.result), rows[0][1]), *slopes], remarks, form)


def _verdict(compared: Compared, form: str) -> str:
    from autodiff.render.text.grading import lines, text

    return text(compared) if form == "text" else _rows([*lines(compared)], [], [], form)


def _training(training: Any, form: str) -> str:
    data = training.to_dict()
    rows = [("epochs", str(data["epochs"])), ("loss", _number(data["loss"]))]
    rows += [(name, _number(value)) for name, value in data["parameters"].items()]
    return _rows(rows, [(tex_name(name), number) for name, number in rows[2:]], [], form)


def _fit(fit: Any, form: str) -> str:
    from autodiff.render.text.fit import rounded, text

    if form == "text":
        return text(fit)
    rows, tex = [], []
    for name, value in fit.params.items():
        error = fit.errors[name]
        known = error is not None and 0 < error < float("inf")
        number = rounded(value, error) if known else _number(value)
        rows.append((name, f"{number} ± {error:.3g}" if known else number))
        deviation = rf" \pm {_tex_number(f'{error:.3g}')}" if known else ""
        tex.append((tex_name(name), f"{_tex_number(number)}{deviation}"))
    return _rows([*rows, ("ended", fit.ended)], tex, fit.notes, form)


def _matrix(matrix: Matrix, form: str) -> str:
    if form == "text":
        from autodiff.render.text.matrix import text

        return text(matrix) or f"{matrix.status}: {matrix.why}"
    names = list(next(iter(matrix.rows.values()), {}))
    rows = [(name, [_number(row[column]) for column in names]) for name, row in matrix.rows.items()]
    if form in ("latex", "formula"):
        body = r" \\ ".join(" & ".join(map(_tex_number, cells)) for _, cells in rows)
        return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"
    remarks = [*([matrix.why] if matrix.status != "ok" else []), *matrix.notes]
    if form == "markdown":
        head = [f"| | {' | '.join(names)} |", f"| --- |{' ---: |' * len(names)}"]
        return "\n".join([*head, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows), *_quotes(remarks)])
    head_row = "".join(f"<th>{escape(name)}</th>" for name in ("", *names))
    body_rows = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for name, cells in rows
    )
    return f"<table><tr>{head_row}</tr>{body_rows}</table>{_paragraphs(remarks)}"


def _plot(plot: Any, form: str) -> str:
    from autodiff.plotting.model import Plot
    from autodiff.render.plot import terminal

    if form in ("text", "markdown"):
        writer: Callable[..., str] = terminal.text if isinstance(plot, Plot) else terminal.surface_text
        shown = writer(plot, WIDTH)
        return shown if form == "text" else f"```text\n{shown}\n```\n"
    from autodiff.render.plot import image

    picture: Callable[..., bytes] = image.image if isinstance(plot, Plot) else image.surface_image
    svg = picture(plot, "svg").decode()
    return svg if form == "svg" else f"<figure>{svg[svg.index('<svg') :]}</figure>"


# --- tables of names and numbers ----------------------------------------------------------------------------------------


def _number(value: object) -> str:
    from autodiff.api.answer import nested
    from autodiff.render.text.answer import array

    return "none" if value is None else array(nested(value))


def _rows(rows: Sequence[tuple[str, str]], tex: Sequence[tuple[str, str]], remarks: Sequence[str], form: str) -> str:
    """Names and numbers in every form but that of a page."""
    if form == "text":
        wide = max(len(name) for name, _ in rows)
        return "\n".join(printable(f"{name:<{wide}}  {number}") for name, number in rows)
    if form == "markdown":
        lines = (f"| {name} | {number.replace(chr(10), ' ')} |" for name, number in rows)
        return "\n".join(["| | |", "| --- | --- |", *lines, *_quotes(remarks)])
    if form in ("latex", "formula"):
        body = r" \\ ".join(f"{name} &= {_tex_number(number)}" for name, number in tex)
        return rf"\begin{{aligned}} {body} \end{{aligned}}"
    return _html_table([(name, escape(number)) for name, number in rows], remarks)


def _quotes(remarks: Sequence[str]) -> list[str]:
    return [line for remark in remarks for line in ("", remark)]


def _tex_ratio(of: str, by: str) -> str:
    from autodiff.render.document.formulas import Leibniz

    return Leibniz().ratio(of, by).tex


def _tex_number(text: str) -> str:
    if text == "none":
        return r"\text{none}"
    base, _, exponent = text.partition("e")
    return rf"{base} \times 10^{{{int(exponent)}}}" if exponent.lstrip("+-").isdigit() else text.replace("\n", " ")


def _html_table(rows: Sequence[tuple[str, str]], remarks: Sequence[str]) -> str:
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{cell}</td></tr>" for name, cell in rows)
    return f"<table>{cells}</table>{_paragraphs(remarks)}"


def _paragraphs(remarks: Sequence[str]) -> str:
    return "".join(f"<p>{escape(remark)}</p>" for remark in remarks)
