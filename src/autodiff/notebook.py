"""The command inside notebooks: `%load_ext autodiff`, then `%autodiff` and `%%autodiff`.

    %autodiff eval "exp(sin(x^2))" --at x=4          what a shell shows
    %%autodiff explain --at x=4                      the program is the rest of the cell
    y = x^2
    sin(y)

Explanations, graphs and plots are shown as pages and pictures; so are explanations, answers and derivatives that are
the value of a cell.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import tempfile
from typing import Any

PAGES = {"explain": ("--format", "html"), "graph": ("--format", "svg"), "plot": ("-o", "svg")}
"""Commands whose answer is a page or a picture, and the option that asks for it."""


def load(shell: Any) -> None:
    """Give the shell of IPython the magic, and the types of answers their looks."""
    from autodiff.api.answer import Answer
    from autodiff.api.derivative import Derivative
    from autodiff.explanation.model import Explanation

    shell.register_magic_function(lambda line, cell=None: magic(line, cell), "line_cell", "autodiff")
    formatters = shell.display_formatter.formatters
    formatters["text/html"].for_type(Explanation, framed)
    formatters["text/html"].for_type(Answer, answer_table)
    formatters["text/latex"].for_type(Derivative, in_latex)


def magic(line: str, cell: str | None = None) -> None:
    """Run `autodiff LINE`, with `cell` as the program where there is one."""
    from IPython import display

    shown: Any = display  # its functions have no types

    words = shlex.split(line)
    if cell is not None:
        words.insert(1, cell.strip("\n"))
    command = words[0] if words else ""
    option, form = PAGES.get(command, ("", ""))
    asked = any(word.partition("=")[0] in ("--format", "--json", "-o", "--out", "--help", "-h") for word in words)
    if not option or asked:
        out, err = _run(words)
        print(out, end="")
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "picture.svg")
            out, err = _run([*words, option, path if option == "-o" else form])
            if option == "-o" and os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    out = file.read()
        if out:
            shown.display(shown.HTML(_frame(out)) if form == "html" else shown.SVG(out))
    if err:
        print(err, end="")


def _run(words: list[str]) -> tuple[str, str]:
    """What the command prints on stdout and on stderr."""
    from autodiff.cli.main import run

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        run(words)
    return out.getvalue(), err.getvalue()


def framed(explanation: Any) -> str:
    """An explanation as its page, in a frame of its own, so that no style leaves or enters it."""
    from autodiff.render.document.html import html

    return _frame(html(explanation))


def _frame(page: str) -> str:
    from html import escape

    return (
        f'<div><iframe srcdoc="{escape(page, quote=True)}" title="explanation" sandbox="allow-same-origin" '
        'style="width:100%;height:36rem;border:1px solid #8886;border-radius:8px"></iframe></div>'
    )


def in_latex(derivative: Any) -> str:
    """A derivative as a displayed formula."""
    from autodiff.render.text.derivative import latex

    return f"$\\displaystyle {latex(derivative)}$"


def answer_table(answer: Any) -> str:
    """An answer as a small table."""
    from html import escape

    def text(value: object) -> str:
        return escape("none" if value is None else str(value))

    rows = [(answer.result, answer.value), *((f"d{answer.result}/d{n}", slope) for n, slope in answer.gradient.items())]
    cells = "".join(f"<tr><th>{text(name)}</th><td>{text(value)}</td></tr>" for name, value in rows)
    remarks = [answer.why] if answer.status != "ok" else []
    told = "".join(f"<p>{text(remark)}</p>" for remark in (*remarks, *answer.notes))
    return f"<table>{cells}</table>{told}"
